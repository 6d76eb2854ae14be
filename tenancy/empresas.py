"""The rows of `empresas`. Used by `tenancy.provision`, `tenancy.migrate` and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from schema.errors import NotConfigured, UnknownEmpresa
from tenancy.lease import Connection
from tenancy.target import Target

_COLUMNS = """
    SELECT id, nome, endereco, telefone, horario, bot_ativo, status, versao,
           pausa_motivo, pausada_em, canario, db_host, db_port, db_name, db_user, db_password
      FROM empresas
"""
_ALL = _COLUMNS + " ORDER BY id"
_ONE = _COLUMNS + " WHERE id = %(id)s"
_ONE_LOCKED = _ONE + " FOR UPDATE"
_NEIGHBOUR = """
    SELECT id FROM empresas
     WHERE db_name = %(db_name)s AND db_host = %(db_host)s AND db_port = %(db_port)s
       AND id <> %(id)s
     LIMIT 1
"""
_INSERT = "INSERT INTO empresas (id, nome, status) VALUES (%(id)s, %(nome)s, 'provisionando')"
_DESCRIBE = """
    UPDATE empresas
       SET nome = %(nome)s, endereco = COALESCE(%(endereco)s, endereco),
           telefone = COALESCE(%(telefone)s, telefone), horario = COALESCE(%(horario)s, horario)
     WHERE id = %(id)s
"""
_PLACE = """
    UPDATE empresas
       SET db_host = %(db_host)s, db_port = %(db_port)s, db_name = %(db_name)s,
           db_user = %(db_user)s, db_password = %(db_password)s, status = %(status)s,
           versao = versao + 1
     WHERE id = %(id)s
"""
_STATUS = "UPDATE empresas SET status = %(status)s, versao = versao + 1 WHERE id = %(id)s"
_CANARY = "UPDATE empresas SET canario = %(canary)s WHERE id = %(id)s"
_PAUSE = """
    UPDATE empresas
       SET status = 'pausado', pausa_motivo = %(reason)s,
           pausada_em = COALESCE(pausada_em, UTC_TIMESTAMP(3)), versao = versao + 1
     WHERE id = %(id)s AND status IN ('ativo', 'pausado')
"""
_RESUME = """
    UPDATE empresas
       SET status = 'ativo', pausa_motivo = NULL, pausada_em = NULL, versao = versao + 1
     WHERE id = %(id)s AND status = 'pausado'
       AND NOT EXISTS (SELECT 1 FROM operacoes_empresa
                        WHERE operacoes_empresa.empresa_id = empresas.id AND segura = 1)
"""
_DISABLE = """
    UPDATE empresas SET status = 'suspenso', versao = versao + 1
     WHERE id = %(id)s AND status IN ('ativo', 'pausado')
"""
_ENABLE = """
    UPDATE empresas
       SET status = IF(pausada_em IS NULL, 'ativo', 'pausado'), versao = versao + 1
     WHERE id = %(id)s AND status = 'suspenso'
"""
_HELD_BY = "SELECT tipo FROM operacoes_empresa WHERE empresa_id = %(id)s AND segura = 1 LIMIT 1"
_SET_HOST = """
    UPDATE empresas SET db_host = %(host)s, db_port = %(port)s, versao = versao + 1
     WHERE id = %(id)s AND BINARY db_password = %(token)s
       AND (db_host <> %(host)s OR db_port <> %(port)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a dealer tells about the store. None leaves what is stored."""

    nome: str
    endereco: str | None = None
    telefone: str | None = None
    horario: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a dealer's database is; the password is a sealed token."""

    host: str
    port: int
    database: str
    user: str
    token: str = field(repr=False)

    def target(self, password: str, *, empresa_id: int | None = None) -> Target:
        """As its own user, with the opened password; `empresa_id`: whose marker must be there."""
        return Target(
            host=self.host,
            port=self.port,
            user=self.user,
            password=SecretStr(password),
            database=self.database,
            empresa_id=empresa_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmpresaRow:
    """A row as stored; the password, a sealed token, is not shown."""

    id: int
    nome: str
    endereco: str | None
    telefone: str | None
    horario: str | None
    bot_ativo: bool
    status: str
    versao: int
    place: Place | None
    """None until the row names a database, a user and a password."""
    db_name: str | None
    pause_reason: str | None
    """Why it is paused, in the words of who paused it."""
    paused_at: datetime | None
    """In UTC, naive, as it is stored."""
    canary: bool
    """Migrated before all others."""


class Empresas:
    """Reads and writes over a connection to the central database; the caller owns the commit."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def all(self) -> list[EmpresaRow]:
        """By id."""
        return [_row(values) for values in await self._conn.fetch_all(_ALL)]

    async def get(self, empresa_id: int, *, lock: bool = False) -> EmpresaRow | None:
        """One row, locked to the end of the transaction on demand."""
        sql = _ONE_LOCKED if lock else _ONE
        values = await self._conn.fetch_one(sql, {"id": empresa_id})
        return None if values is None else _row(values)

    async def neighbour(self, empresa_id: int, host: str, port: int, database: str) -> int | None:
        """Another empresa that says that it lives in this database."""
        place = {"id": empresa_id, "db_host": host, "db_port": port, "db_name": database}
        values = await self._conn.fetch_one(_NEIGHBOUR, place)
        return None if values is None else int(values[0])

    async def insert(self, empresa_id: int | None, nome: str) -> int:
        """A new row, `provisionando`. Returns its id. Raises DuplicateKey."""
        await self._conn.execute(_INSERT, {"id": empresa_id, "nome": nome})
        return self._conn.last_id if empresa_id is None else empresa_id

    async def describe(self, empresa_id: int, profile: Profile) -> None:
        """Stores what the dealer tells about the store."""
        await self._conn.execute(
            _DESCRIBE,
            {
                "id": empresa_id,
                "nome": profile.nome,
                "endereco": profile.endereco,
                "telefone": profile.telefone,
                "horario": profile.horario,
            },
        )

    async def place(self, empresa_id: int, place: Place, *, status: str) -> None:
        """Stores where the database is."""
        await self._conn.execute(
            _PLACE,
            {
                "id": empresa_id,
                "db_host": place.host,
                "db_port": place.port,
                "db_name": place.database,
                "db_user": place.user,
                "db_password": place.token,
                "status": status,
            },
        )

    async def set_status(self, empresa_id: int, status: str) -> None:
        """provisionando, ativo or suspenso."""
        await self._conn.execute(_STATUS, {"id": empresa_id, "status": status})

    async def set_canary(self, empresa_id: int, canary: bool) -> EmpresaRow:
        """Whether it is migrated before all others. Raises UnknownEmpresa."""
        await self._conn.execute(_CANARY, {"id": empresa_id, "canary": canary})
        row = await self.get(empresa_id)
        if row is None:
            raise UnknownEmpresa(empresa_id)
        return row

    async def pause(self, empresa_id: int, reason: str) -> EmpresaRow:
        """Only one that is served, or paused already. Raises UnknownEmpresa, NotConfigured."""
        await self._conn.execute(_PAUSE, {"id": empresa_id, "reason": reason})
        return await self._with_status(empresa_id, "pausado")

    async def resume(self, empresa_id: int) -> EmpresaRow:
        """Only one that is paused, or served already. Raises UnknownEmpresa, NotConfigured."""
        await self._conn.execute(_RESUME, {"id": empresa_id})
        await self._refuse_held(empresa_id)
        return await self._with_status(empresa_id, "ativo")

    async def disable(self, empresa_id: int) -> EmpresaRow:
        """Nothing of it is served and its database is not used; a pause is kept for later.
        Raises UnknownEmpresa, NotConfigured."""
        await self._refuse_held(empresa_id)
        await self._conn.execute(_DISABLE, {"id": empresa_id})
        return await self._with_status(empresa_id, "suspenso")

    async def enable(self, empresa_id: int) -> EmpresaRow:
        """As it was before `disable`. Raises UnknownEmpresa, NotConfigured."""
        await self._refuse_held(empresa_id)
        await self._conn.execute(_ENABLE, {"id": empresa_id})
        return await self._with_status(empresa_id, "ativo", "pausado")

    async def set_host(self, row: EmpresaRow, host: str, port: int) -> EmpresaRow:
        """Another address of the same server, or of one with the same database. Raises
        NotConfigured when the row was changed meanwhile."""
        await self._refuse_held(row.id)
        if row.place is not None:
            values = {"id": row.id, "host": host, "port": port, "token": row.place.token}
            await self._conn.execute(_SET_HOST, values)
        new = await self.get(row.id)
        if new is None or new.place is None or (new.place.host, new.place.port) != (host, port):
            raise NotConfigured(row.id, "it was changed by somebody else meanwhile")
        return new

    async def _refuse_held(self, empresa_id: int) -> None:
        held = await self._conn.fetch_one(_HELD_BY, {"id": empresa_id})
        if held is not None:
            raise NotConfigured(
                empresa_id,
                f"a {held[0]} holds it: repeat that command to its end, "
                f"or `helix empresa abandon {empresa_id}`",
            )

    async def _with_status(self, empresa_id: int, *wanted: str) -> EmpresaRow:
        row = await self.get(empresa_id)
        if row is None:
            raise UnknownEmpresa(empresa_id)
        if row.status not in wanted:
            raise NotConfigured(empresa_id, f"its status is {row.status!r}")
        return row


def _row(values: tuple[object, ...]) -> EmpresaRow:
    (id_, nome, endereco, telefone, horario, bot, status, versao, why, since, canary, *rest) = (
        values
    )
    host, port, database, user, token = rest
    placed = bool(database and user and token)
    return EmpresaRow(
        id=int(str(id_)),
        nome=str(nome),
        endereco=_text(endereco),
        telefone=_text(telefone),
        horario=_text(horario),
        bot_ativo=bool(bot),
        status=str(status),
        versao=int(str(versao)),
        db_name=_text(database),
        pause_reason=_text(why),
        paused_at=since if isinstance(since, datetime) else None,
        canary=bool(canary),
        place=Place(
            host=_text(host) or "localhost",
            port=int(str(port or 3306)),
            database=str(database),
            user=str(user),
            token=str(token),
        )
        if placed
        else None,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
