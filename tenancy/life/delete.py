"""Deletes a dealer for good (LGPD art. 16). Used by `helix empresa delete`.

He is suspended and his work brought to rest; what he has is exported if that was asked for; then
account, databases, channels, Redis, files and backups go, the data key is destroyed, and a row
without data stays: his id is never used again. The certificate says what was deleted.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from schema.errors import HelixError, NotConfirmed, UnknownEmpresa
from tenancy.empresas import EmpresaRow, Empresas
from tenancy.life import server
from tenancy.life.backup import Done
from tenancy.life.certificate import Certificate, Channel, DeletionPlan, Elsewhere
from tenancy.life.export import Exported, export
from tenancy.life.hold import Quiet, wait_until_quiet
from tenancy.life.ledger import Facts, Kind, Operation
from tenancy.life.switch import Location, drop_kept, kept
from tenancy.life.tools import Tools
from tenancy.names import user_of
from tenancy.registry import DELETED

_SUSPEND = """
    UPDATE empresas SET status = 'suspenso', versao = versao + 1
     WHERE id = %(id)s AND status IN ('ativo', 'pausado', 'provisionando')
"""
_CHANNELS = "SELECT id, tipo, identificador FROM canais WHERE empresa_id = %(id)s ORDER BY id"
_DELETE_CHANNELS = "DELETE FROM canais WHERE empresa_id = %(id)s"
_RAISE = "UPDATE empresas SET versao = versao + 1 WHERE id = %(id)s"
_BESIDE = ("trocas_senha", "lgpd_chaves", "lgpd_pedidos", "privacidade", "copias", "agenda_copias")
_DELETE_BESIDE = tuple(f"DELETE FROM {one} WHERE empresa_id = %(id)s" for one in _BESIDE)  # noqa: S608
"""The key of the list of erasures goes with it: what is left of it says nothing to anybody."""
_TOMBSTONE = """
    UPDATE empresas
       SET status = 'excluido', excluida_em = COALESCE(excluida_em, UTC_TIMESTAMP(3)),
           nome = '(excluída)', endereco = NULL, telefone = NULL, horario = NULL, bot_ativo = 0,
           db_host = NULL, db_port = NULL, db_name = NULL, db_user = NULL, db_password = NULL,
           pausa_motivo = NULL, pausada_em = NULL, versao = versao + 1
     WHERE id = %(id)s
"""
# Steps of earlier operations hold addresses and sealed passwords.
_DELETE_STEPS = """
    DELETE passos_operacao FROM passos_operacao
      JOIN operacoes_empresa ON operacoes_empresa.id = passos_operacao.operacao_id
     WHERE operacoes_empresa.empresa_id = %(id)s AND operacoes_empresa.id <> %(operation)s
"""


class Begun(Facts):
    """All that the later steps destroy, as it was before the first one."""

    plan: DeletionPlan
    location: Location | None
    channels: list[Channel]


class Suspended(Facts):
    """Nothing is served; `versao` is that of the row by then."""

    versao: int


class Number(Facts):
    """How many were deleted."""

    count: int


class MaybeExported(Facts):
    """None: nobody asked for an export."""

    exported: Exported | None


_REMAINS = (
    "Cópias de servidores inteiros (backup do provedor, logs binários) expiram pelo prazo de "
    "retenção de cada servidor; os backups desta empresa não abrem mais: a chave foi destruída."
)


async def plan(tools: Tools, elsewhere: Elsewhere, empresa_id: int) -> DeletionPlan:
    """Nothing is changed. Raises UnknownEmpresa, NotConfigured, and what databases raise."""
    row = await tools.row(empresa_id)
    place = row.place
    rows: dict[str, int] = {}
    if place is not None:
        async with tools.as_admin(empresa_id, place.host, place.port) as conn:
            rows = await server.rows_of(conn, place.database)
    left = await kept(tools.central, empresa_id)
    names = [f"{one.database} on {one.host}:{one.port}" for one in left]
    ours = place is not None and place.user == user_of(empresa_id)
    backups = await tools.store.keys(f"{empresa_id}/")
    return DeletionPlan(
        empresa_id=empresa_id,
        nome=row.nome,
        database=None if place is None else place.database,
        server=None if place is None else f"{place.host}:{place.port}",
        rows=rows,
        kept_databases=names,
        account_dropped=user_of(empresa_id) if ours else None,
        channels=[f"{one.gateway} {one.identifier}" for one in await _channels(tools, empresa_id)],
        redis_keys=await elsewhere.count_keys(empresa_id),
        backups=sum(key.endswith("/manifest.json") for key in backups),
    )


async def delete(
    tools: Tools,
    elsewhere: Elsewhere,
    empresa_id: int,
    *,
    confirmed: str,
    export_to: Path | None = None,
) -> Certificate:
    """Destroys. `confirmed`: the dealer's name, as a person typed it; `export_to`: absolute.

    There is no way back once the account is gone; until then a failure leaves him suspended, and
    `helix empresa enable` brings him back. Raises NotConfirmed, UnknownEmpresa, TryAgain, and what
    databases raise. Of a dealer who is deleted already it returns the certificate.
    """
    async with tools.ledger.alone(empresa_id):
        row = await _row(tools, empresa_id)
        under_way = await tools.ledger.open_one(empresa_id)
        if row.status == DELETED and under_way is None:
            return await certificate(tools, empresa_id)
        asked: dict[str, str | int | None] = {
            "nome": confirmed,
            "export": None if export_to is None else str(export_to),
        }
        if under_way is None and confirmed != row.nome:
            raise NotConfirmed(empresa_id, row.nome)
        operation = await tools.ledger.begin(empresa_id, Kind.DELETE, asked)
        try:
            return await _delete(tools, elsewhere, operation)
        except HelixError as error:
            if "exported" not in operation.done:
                await undo(tools, operation, str(error))
            raise


async def certificate(tools: Tools, empresa_id: int) -> Certificate:
    """Of a deletion that is over. Raises UnknownEmpresa when there was none."""
    body = await tools.ledger.newest_result(empresa_id, Kind.DELETE)
    if body is None:
        raise UnknownEmpresa(empresa_id)
    return Certificate.model_validate_json(body)


async def undo(tools: Tools, operation: Operation, error: str) -> None:
    """Nothing was destroyed yet: he stays suspended, and may be enabled again."""
    await tools.ledger.give_up(operation, error)


async def _delete(tools: Tools, elsewhere: Elsewhere, operation: Operation) -> Certificate:
    empresa_id, step = operation.empresa_id, tools.ledger.step

    async def begun() -> Begun:
        found = await plan(tools, elsewhere, empresa_id)
        place = (await tools.row(empresa_id)).place
        location = None if place is None else Location.of(place)
        return Begun(plan=found, location=location, channels=await _channels(tools, empresa_id))

    async def suspended() -> Suspended:
        await tools.central.execute(_SUSPEND, {"id": empresa_id})
        return Suspended(versao=(await tools.row(empresa_id)).versao)

    async def exported() -> MaybeExported:
        folder = operation.asked["export"]
        if folder is None or start.location is None:
            return MaybeExported(exported=None)
        place = start.location.place
        return MaybeExported(exported=await export(tools, empresa_id, place, Path(str(folder))))

    start = await step(operation, "begun", Begun, begun)
    since = await step(operation, "suspended", Suspended, suspended)
    await step(operation, "quiet", Quiet, lambda: wait_until_quiet(tools, empresa_id, since.versao))
    out = await step(operation, "exported", MaybeExported, exported)
    await _destroy_databases(tools, operation, start)
    numbers = await _destroy_the_rest(tools, elsewhere, operation, start)
    return await _certify(tools, operation, start, out, numbers)


async def _destroy_databases(tools: Tools, operation: Operation, start: Begun) -> None:
    empresa_id, location = operation.empresa_id, start.location

    async def account() -> Done:
        if location is not None and location.user == user_of(empresa_id):
            async with tools.as_admin(empresa_id, location.host, location.port) as conn:
                await server.drop_account(conn, location.user)
            tools.report("account dropped")
        return Done()

    async def database() -> Done:
        if location is not None:
            async with tools.as_admin(empresa_id, location.host, location.port) as conn:
                await server.drop_database(conn, empresa_id, location.database)
            tools.report("database dropped")
        await drop_kept(tools, empresa_id, await kept(tools.central, empresa_id), current=None)
        return Done()

    await tools.ledger.step(operation, "account", Done, account)
    await tools.ledger.step(operation, "database", Done, database)


async def _destroy_the_rest(
    tools: Tools, elsewhere: Elsewhere, operation: Operation, start: Begun
) -> tuple[int, int, int]:
    """Keys of Redis, files, objects of backups."""
    empresa_id, step = operation.empresa_id, tools.ledger.step

    async def key() -> Done:
        await tools.data_keys.destroy(empresa_id)
        tools.report("data key destroyed")
        return Done()

    async def backups() -> Number:
        keys = await tools.store.keys(f"{empresa_id}/")
        await tools.store.delete(keys)
        return Number(count=len(keys))

    async def channels() -> Done:
        await tools.central.execute(_DELETE_CHANNELS, {"id": empresa_id})
        for statement in _DELETE_BESIDE:
            await tools.central.execute(statement, {"id": empresa_id})
        await tools.central.execute(_RAISE, {"id": empresa_id})
        row = await _row(tools, empresa_id)
        await wait_until_quiet(tools, empresa_id, row.versao)
        # Nobody waits for what web processes say: one that hears nothing takes events of these
        # channels for as long as it trusts what it has read.
        await asyncio.sleep(tools.settings.tenancy_registry_fresh_s)
        return Done()

    async def redis() -> Number:
        return Number(count=await elsewhere.forget(empresa_id, start.channels))

    async def files() -> Number:
        return Number(count=await elsewhere.erase_files(empresa_id))

    await step(operation, "key", Done, key)
    objects = await step(operation, "backups", Number, backups)
    await step(operation, "channels", Done, channels)
    keys = await step(operation, "redis", Number, redis)
    media = await step(operation, "files", Number, files)
    tools.report(f"deleted: {keys.count} keys of Redis, {media.count} files")
    return keys.count, media.count, objects.count


async def _certify(
    tools: Tools,
    operation: Operation,
    start: Begun,
    out: MaybeExported,
    numbers: tuple[int, int, int],
) -> Certificate:
    async def tombstone() -> Certificate:
        await tools.central.execute(_TOMBSTONE, {"id": operation.empresa_id})
        values = {"id": operation.empresa_id, "operation": operation.id}
        await tools.central.execute(_DELETE_STEPS, values)
        return Certificate(
            empresa_id=operation.empresa_id,
            nome=start.plan.nome,
            operation=operation.id,
            deleted_at=datetime.now(UTC),
            database=start.plan.database,
            kept_databases=start.plan.kept_databases,
            rows=start.plan.rows,
            channels=len(start.channels),
            redis_keys=numbers[0],
            media_files=numbers[1],
            backup_objects=numbers[2],
            data_key_destroyed=True,
            account_dropped=start.plan.account_dropped,
            export_sha256=None if out.exported is None else out.exported.files,
            remains=_REMAINS,
        )

    done = await tools.ledger.step(operation, "tombstone", Certificate, tombstone)
    row = await Empresas(tools.central).get(operation.empresa_id)
    await tools.processes.announce(operation.empresa_id, 0 if row is None else row.versao)
    await tools.ledger.finish(operation, done)
    await tools.ledger.forget_all_but(operation, "tombstone")
    return done


async def _row(tools: Tools, empresa_id: int) -> EmpresaRow:
    row = await Empresas(tools.central).get(empresa_id)
    if row is None:
        raise UnknownEmpresa(empresa_id)
    return row


async def _channels(tools: Tools, empresa_id: int) -> list[Channel]:
    found = await tools.central.fetch_all(_CHANNELS, {"id": empresa_id})
    return [Channel(id=int(r[0]), gateway=str(r[1]), identifier=str(r[2])) for r in found]
