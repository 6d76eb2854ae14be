"""Which database and which channels belong to which empresa. Used by `tenancy.pools`, `worker`.

Reads the central database's `empresas` and `canais`, opens their secrets, and keeps the answers for
a few seconds; while the central database is down the last known answers go on being used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from schema.channels import Channel
from schema.errors import NotConfigured, SecretUnreadable, UnknownEmpresa
from tenancy.central import Central
from tenancy.fresh import FreshCache
from tenancy.keyring import Keyring, credentials_of, password_of
from tenancy.target import Target

ACTIVE = "ativo"
PAUSED = "pausado"
NEW = "provisionando"
SUSPENDED = "suspenso"
DELETED = "excluido"

_EMPRESA = """
    SELECT id, nome, endereco, telefone, horario, bot_ativo, db_host, db_port, db_name, db_user,
           db_password, status, versao
      FROM empresas WHERE id = %(empresa_id)s
"""
_ACTIVE = """
    SELECT id FROM empresas WHERE status = %(status)s AND db_name IS NOT NULL ORDER BY id
"""
_CHANNEL = """
    SELECT id, empresa_id, tipo, identificador, webhook_token, ativo, credenciais, limites
      FROM canais
"""
_BY_IDENTIFIER = _CHANNEL + " WHERE tipo = %(gateway)s AND identificador = %(identifier)s"
_BY_TOKEN = _CHANNEL + " WHERE webhook_token = %(token)s"
_BY_ID = _CHANNEL + " WHERE id = %(id)s"
_OF_EMPRESA = _CHANNEL + " WHERE empresa_id = %(empresa_id)s ORDER BY id"
_ABSENT_S = 1.0
"""How long an unknown empresa or channel stays unknown: short, for it may just be added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantConfig:
    """A row of `empresas` with its password opened."""

    empresa_id: int
    target: Target
    """Its database, with the proof of identity asked for."""
    status: str
    """provisionando, ativo, pausado, suspenso or excluido; only `ativo` is served."""
    versao: int
    bot_ativo: bool
    nome: str
    endereco: str | None
    telefone: str | None
    horario: str | None

    @property
    def is_paused(self) -> bool:
        """No work is begun; what was begun is brought to its end, so its database is open."""
        return self.status == PAUSED

    @property
    def is_open(self) -> bool:
        """Whether its database may be used."""
        return self.status in {ACTIVE, PAUSED}


class Registry:
    """Answers from memory while fresh. Safe to ask from any number of tasks."""

    def __init__(self, central: Central, keyring: Keyring, *, fresh_s: float) -> None:
        self._central = central
        self._keyring = keyring
        absent_s = min(_ABSENT_S, fresh_s)
        self._tenants = FreshCache(self._read_tenant, fresh_s=fresh_s, absent_s=absent_s)
        self._by_identifier = FreshCache(
            self._read_by_identifier, fresh_s=fresh_s, absent_s=absent_s
        )
        self._by_token = FreshCache(self._read_by_token, fresh_s=fresh_s, absent_s=absent_s)
        self._by_id = FreshCache(self._read_by_id, fresh_s=fresh_s, absent_s=absent_s)
        self._of_empresa = FreshCache(self._read_of_empresa, fresh_s=fresh_s)

    async def tenant(self, empresa_id: int) -> TenantConfig:
        """Raises UnknownEmpresa, NotConfigured, or CentralUnavailable when never known."""
        config = await self._tenants.get(empresa_id)
        if config is None:
            raise UnknownEmpresa(empresa_id)
        return config

    async def channel(self, gateway: str, identifier: str) -> Channel | None:
        """By what the gateway calls it. Raises CentralUnavailable, NotConfigured."""
        return await self._by_identifier.get((gateway, identifier))

    async def channel_by_token(self, webhook_token: str) -> Channel | None:
        """By the last part of its webhook address. Raises CentralUnavailable, NotConfigured."""
        return await self._by_token.get(webhook_token)

    async def channel_by_id(self, canal_id: int) -> Channel | None:
        """By `canais.id`. Raises CentralUnavailable, NotConfigured."""
        return await self._by_id.get(canal_id)

    async def channels(self, empresa_id: int) -> tuple[Channel, ...]:
        """All of an empresa, inactive ones too. Raises CentralUnavailable, NotConfigured."""
        return await self._of_empresa.get(empresa_id)

    async def active(self) -> list[int]:
        """Ids of all empresas that are served. Raises CentralUnavailable."""
        async with self._central.connection() as conn:
            rows = await conn.fetch_all(_ACTIVE, {"status": ACTIVE})
        return [row[0] for row in rows]

    async def renew(self, empresa_id: int) -> TenantConfig:
        """As the row is now. Raises CentralUnavailable also for an empresa that is known."""
        config = await self._tenants.renew(empresa_id)
        if config is None:
            raise UnknownEmpresa(empresa_id)
        return config

    def asked(self, empresa_id: int) -> bool:
        """Whether someone in this process may act on an answer about the empresa."""
        return self._tenants.asked(empresa_id)

    def versions(self) -> dict[int, int]:
        """The versions of all rows that this process acts on; 0 for an empresa unknown so far."""
        known = self._tenants.known()
        return {id_: config.versao if config else 0 for id_, config in known.items()}

    def old(self, age_s: float) -> int:
        """How many rows were last confirmed longer ago than this."""
        return self._tenants.old(age_s)

    def stale(self, empresa_id: int | None = None) -> None:
        """Something changed, at one empresa or anywhere: asked again at the next question.

        While the central database is down, the known answers go on being given.
        """
        if empresa_id is None:
            self._tenants.stale_where(lambda _config: True)
        else:
            self._tenants.stale(empresa_id)
        self._of_empresa.stale_where(lambda channels: _concerns(empresa_id, *channels))
        for cache in (self._by_identifier, self._by_token, self._by_id):
            cache.stale_where(lambda channel: _concerns(empresa_id, channel))

    def forget(self, empresa_id: int) -> None:
        """After a change: the next question is asked of the database."""
        self._tenants.forget(empresa_id)
        self._of_empresa.forget(empresa_id)
        # A channel may be known under keys that no longer lead to its empresa.
        for cache in (self._by_identifier, self._by_token, self._by_id):
            cache.clear()

    async def close(self) -> None:
        """Ends what is under way."""
        for cache in (
            self._tenants,
            self._by_identifier,
            self._by_token,
            self._by_id,
            self._of_empresa,
        ):
            await cache.close()

    async def _read_tenant(self, empresa_id: int) -> TenantConfig | None:
        async with self._central.connection() as conn:
            rows = await conn.fetch_dicts(_EMPRESA, {"empresa_id": empresa_id})
        return self._config(rows[0]) if rows else None

    async def _read_by_identifier(self, key: tuple[str, str]) -> Channel | None:
        return await self._one(_BY_IDENTIFIER, {"gateway": key[0], "identifier": key[1]})

    async def _read_by_token(self, token: str) -> Channel | None:
        # The column is ASCII; the server cannot compare it with anything else.
        return await self._one(_BY_TOKEN, {"token": token}) if token.isascii() else None

    async def _read_by_id(self, canal_id: int) -> Channel | None:
        return await self._one(_BY_ID, {"id": canal_id})

    async def _read_of_empresa(self, empresa_id: int) -> tuple[Channel, ...]:
        async with self._central.connection() as conn:
            rows = await conn.fetch_dicts(_OF_EMPRESA, {"empresa_id": empresa_id})
        return tuple(self._channel(row) for row in rows)

    async def _one(self, sql: str, params: dict[str, object]) -> Channel | None:
        async with self._central.connection() as conn:
            rows = await conn.fetch_dicts(sql, params)
        return self._channel(rows[0]) if rows else None

    def _config(self, row: dict[str, Any]) -> TenantConfig:
        empresa_id = int(row["id"])
        for column in ("db_name", "db_user", "db_password"):
            if not row[column]:
                raise NotConfigured(
                    empresa_id, f"empresas.{column} is empty; `helix empresa create` or `adopt`"
                )
        return TenantConfig(
            empresa_id=empresa_id,
            target=Target(
                host=row["db_host"] or "localhost",
                port=row["db_port"] or 3306,
                user=row["db_user"],
                password=SecretStr(
                    self._opened(empresa_id, row["db_password"], password_of(empresa_id))
                ),
                database=row["db_name"],
                empresa_id=empresa_id,
            ),
            status=row["status"],
            versao=row["versao"],
            bot_ativo=bool(row["bot_ativo"]),
            nome=row["nome"],
            endereco=row["endereco"],
            telefone=row["telefone"],
            horario=row["horario"],
        )

    def _channel(self, row: dict[str, Any]) -> Channel:
        empresa_id = int(row["empresa_id"])
        credentials: dict[str, str] = {}
        if row["credenciais"]:
            purpose = credentials_of(row["tipo"], row["identificador"])
            credentials = json.loads(self._opened(empresa_id, row["credenciais"], purpose))
        return Channel(
            id=row["id"],
            empresa_id=empresa_id,
            gateway=row["tipo"],
            identifier=row["identificador"],
            webhook_token=row["webhook_token"],
            active=bool(row["ativo"]),
            credentials=credentials,
            limits=_limits(empresa_id, row["limites"]),
        )

    def _opened(self, empresa_id: int, token: str, purpose: str) -> str:
        try:
            return self._keyring.open(token, purpose=purpose)
        except SecretUnreadable as error:
            raise NotConfigured(empresa_id, str(error)) from error


def _limits(empresa_id: int, stored: str | None) -> dict[str, object]:
    limits = json.loads(stored) if stored else {}
    if not isinstance(limits, dict):
        raise NotConfigured(empresa_id, "canais.limites is no JSON object")
    return limits


def _concerns(empresa_id: int | None, *channels: Channel | None) -> bool:
    """Whether a change at the empresa may be a change of these; no channel may be a new one."""
    return not channels or any(
        channel is None or empresa_id in (None, channel.empresa_id) for channel in channels
    )
