"""The talk that the demo plays, each part with the promises that it proves. Called by `.script`.

What Lucas says is whatever comes; the promises are about rows, phones and times.
"""

from __future__ import annotations

import asyncio

from bot.wording import money
from dev.chat.phones import Buyer
from dev.chat.rows import MessageRow, decision_of, replies_of
from dev.demo.stage import Stage
from schema.errors import TenantRefused

FIRST, SECOND = 5, 6
"""The two empresas."""

_LIMIT = 110_000
_PAUSE_S = 0.4
"""Between two messages of a burst: as fast as people write."""
_OK = 200


async def search(stage: Stage) -> None:
    """A wish, answered from the stock; then the photos of what was offered."""
    stage.act("1. Uma busca na primeira loja")
    sent = await stage.says(FIRST, "oi! procuro um SUV automático até 110 mil")
    await stage.stored(FIRST, sent)
    turn = await stage.answer(FIRST, sent)
    cars = {car.id: car for car in await stage.installation.rows(FIRST).cars()}
    stated = [(row, cars[id_]) for row in replies_of(turn) for id_ in row.car_ids if id_ in cars]
    stage.promise(
        stated
        and all(car.status == "available" and car.preco <= _LIMIT for _, car in stated)
        and all(money(car.preco) in (row.text or "") for row, car in stated),
        f"cada carro e preço da resposta está no banco da empresa {FIRST}: "
        f"{len(stated)} carros, todos à venda e até 110 mil",
    )
    sent = await stage.says(FIRST, "manda as fotos do primeiro")
    await stage.stored(FIRST, sent)
    turn = await stage.answer(FIRST, sent)
    shown = [row for row in replies_of(turn) if row.kind == "image"]
    stage.promise(
        shown and [row.media for row in shown] == list(stated[0][1].fotos[: len(shown)]),
        f"as {len(shown)} fotos são as do carro {stated[0][1].id} no banco, na ordem da loja",
    )
    stage.note("O caminho desta última mensagem (no chat: /trace):")
    await stage.show_trace(FIRST, turn)


async def burst(stage: Stage) -> None:
    """Three messages in a row are one turn, and one wish."""
    stage.act("2. Uma rajada de mensagens, respondida de uma vez")
    sent = [await stage.says(FIRST, "e hatch?")]
    for text in ("pode ser manual", "até 65 mil"):
        await asyncio.sleep(_PAUSE_S)
        sent.append(await stage.says(FIRST, text))
    await stage.stored(FIRST, sent[-1])
    turn = await stage.answer(FIRST, sent[-1])
    received = [row.external_id for row in turn if row.received]
    stage.promise(
        received == [message.message_id for message in sent]
        and decision_of(turn).get("messages") == len(sent),
        "as três mensagens são um só turno, na ordem em que chegaram, com uma só resposta",
    )


async def duplicate(stage: Stage) -> None:
    """A gateway delivers twice: stored once, answered once."""
    stage.act("3. O gateway da segunda loja entrega a mesma mensagem duas vezes")
    buyer = stage.buyers[SECOND]
    sent = await stage.says(SECOND, "olá, tem Strada?", duplicate=True)
    await stage.stored(SECOND, sent)
    turn = await stage.answer(SECOND, sent)
    answers = buyer.deliveries(sent.message_id)
    stage.promise(answers == [_OK, _OK], "as duas entregas foram aceitas com 200")
    rows = await stage.installation.rows(SECOND).messages(buyer.phone)
    same = [row for row in rows if row.external_id == sent.message_id]
    stage.promise(
        len(same) == 1 and {row.turn for row in rows} == {turn[0].turn},
        "no banco há uma linha só, e um turno só a respondeu",
    )
    each_once(stage, buyer, replies_of(rows))


async def side_by_side(stage: Stage) -> None:
    """Both dealers at once, the same buyer: each answers with its own."""
    stage.act("4. O mesmo comprador, nas duas lojas ao mesmo tempo")
    question = "qual o endereço de vocês?"
    sent = {id_: await stage.says(id_, question) for id_ in (FIRST, SECOND)}
    for id_, other in ((FIRST, SECOND), (SECOND, FIRST)):
        turn = await stage.answer(id_, sent[id_])
        said = "\n".join(row.text or "" for row in replies_of(turn))
        own = stage.buyers[id_].shop.dealer.profile.endereco or ""
        foreign = stage.buyers[other].shop.dealer.profile.endereco or ""
        stage.promise(
            own in said and foreign not in said,
            f"a empresa {id_} respondeu com o endereço dela",
        )
    for id_, other in ((FIRST, SECOND), (SECOND, FIRST)):
        rows = await stage.installation.rows(id_).messages(stage.buyers[id_].phone)
        stored = {row.external_id for row in rows}
        stage.promise(
            sent[id_].message_id in stored and sent[other].message_id not in stored,
            f"o banco da empresa {id_} tem a sua conversa, e não a da outra loja",
        )
        stage.promise(
            await _is_refused(stage, id_, other),
            f"o usuário da empresa {id_} não consegue ler o banco da empresa {other}",
        )


def each_once(stage: Stage, buyer: Buyer, replies: list[MessageRow]) -> None:
    """Promises that what is in the rows is what the phone has."""
    reached = [bubble.id for bubble in buyer.bubbles()]
    stage.promise(
        reached == [row.external_id for row in replies],
        f"cada balão chegou ao celular uma vez, na ordem ({len(reached)} até aqui)",
    )


async def _is_refused(stage: Stage, empresa_id: int, other: int) -> bool:
    """Whether the one dealer's own user is kept out of the other's database."""
    tenancy = stage.installation.tenancy
    database = (await tenancy.registry.tenant(other)).target.database
    async with tenancy.pools.connection(empresa_id) as conn:
        try:
            await conn.fetch_all(f"SELECT id FROM `{database}`.mensagens LIMIT 1")  # noqa: S608
        except TenantRefused:
            return True
    return False
