"""`python -m bot.chat`: a dry talk about a real dealer's cars, with the reason of each answer."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from bot.explain import explained
from bot.filters import Filters
from bot.stock import Stock
from tests.bot.showroom import STOCK, Chat
from tests.tenancy.installation import Installation

CATALOG = Path(__file__).parent / "development" / "catalogs" / "avenida.json"


async def chat(*args: str, lines: str = "", env: dict[str, str] | None = None) -> tuple[int, str]:
    """The command in a process of its own: its exit code, and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.chat", *args,
        env={"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error", **(env or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate(lines.encode())
    code = process.returncode
    assert code is not None
    return code, out.decode()


async def test_a_dry_talk_with_the_dealer_of_a_database(installation: Installation) -> None:
    """His name, hours, settings and cars; afterwards his database is as it was."""
    empresa = await installation.create(7, nome="Ipê Automóveis")
    async with installation.tenancy() as tenancy, tenancy.pools.connection(empresa.id) as conn:
        await conn.execute(
            "INSERT INTO cars (id, brand, model, price) VALUES (3, 'Fiat', 'Argo', 51000)"
        )
        await conn.execute("INSERT INTO lucas_ajustes VALUES ('nome_agente', 'Bia', NULL)")

        code, out = await chat(
            "--empresa", str(empresa.id), "--explain",
            lines="oi, tem argo?\nquero falar com um vendedor\noi?\n/novo\noi\n/sair\n",
            env=installation.environment(),
        )  # fmt: skip

        assert code == 0, out
        assert out.count("Aqui é a Bia, assistente virtual da Ipê Automóveis.") == 2
        assert "R$ 51.000" in out
        assert "considerou: Fiat Argo (#3)" in out
        assert "regra: human · chama uma pessoa: human" in out
        assert "fica em silêncio: quiet.human" in out
        for table in ("customers", "conversations", "mensagens", "agendamentos"):
            assert await conn.fetch_one(f"SELECT COUNT(*) FROM {table}") == (0,)  # noqa: S608


async def test_his_agenda_is_kept_for_the_talk_alone() -> None:
    """Booked, recalled, confirmed, cancelled, without a database."""
    code, out = await chat(
        "--catalog", str(CATALOG), "--explain",
        lines="quero visitar a loja segunda que vem às 10h\nque horas ficou?\nconfirmo\ncancela\n",
    )  # fmt: skip

    assert code == 0
    assert [
        rule for rule in ("visit.book", "visit.recalled", "visit.confirm", "visit.cancel")
        if f"regra: {rule}" in out
    ] == ["visit.book", "visit.recalled", "visit.confirm", "visit.cancel"]  # fmt: skip


async def test_who_cannot_talk_is_told_why(installation: Installation, tmp_path: Path) -> None:
    """One line and code 2: nobody named, no settings, an unknown empresa, a file that is none."""
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"empresa": {}}))
    await installation.create(1)
    env = installation.environment()
    tries = [
        (await chat(), "--empresa or --catalog"),
        (await chat("--empresa", "5"), "TENANCY_KEYS"),
        (await chat("--empresa", "2147483000", env=env), "no empresa 2147483000"),
        (await chat("--catalog", str(broken)), "no catalogue"),
        (await chat("--catalog", str(tmp_path / "none.json")), "FileNotFoundError"),
    ]
    for (code, out), why in tries:
        assert code == 2
        assert why in out
        assert len(out.splitlines()) == 1


def test_each_car_that_fell_out_is_named_with_its_wish() -> None:
    """By the first wish that it misses; together with those that fit it is the whole stock."""
    talk = Chat()
    decision = talk.say("tem sedan até 70 mil?")
    why = {"considered": list(decision.considered), "fell_out": decision.fell_out}
    wish = Filters.model_validate(talk.state["filters"])

    told = "\n".join(explained(why, STOCK, wish))

    assert "por carroceria (" in told
    assert sum(decision.fell_out.values()) + len(STOCK.matching(wish)) == len(STOCK.offered)


@pytest.mark.parametrize("why", [{}, {"rule": "silent", "why": "pausado"}, {"considered": [99]}])
def test_any_stored_decision_can_be_told(why: dict[str, object]) -> None:
    """Of another release, of a silence, of a car that is gone."""
    assert all(": " in line for line in explained(why, Stock.build(())))
