"""The rows of `canais`. Written by the command line; `tenancy.registry` reads them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping

from schema.channels import Channel
from schema.errors import NotConfigured, UnknownEmpresa
from tenancy.empresas import Empresas
from tenancy.keyring import Keyring, credentials_of
from tenancy.lease import Connection

_FIND = """
    SELECT id, empresa_id, webhook_token FROM canais
     WHERE tipo = %(gateway)s AND identificador = %(identifier)s FOR UPDATE
"""
_INSERT = """
    INSERT INTO canais (empresa_id, tipo, identificador, webhook_token, credenciais,
                        limites)
    VALUES (%(empresa_id)s, %(gateway)s, %(identifier)s, %(token)s, %(credentials)s, %(limits)s)
"""
_UPDATE = """
    UPDATE canais SET ativo = 1, credenciais = COALESCE(%(credentials)s, credenciais),
                      limites = COALESCE(%(limits)s, limites)
     WHERE id = %(id)s
"""
_RAISE = "UPDATE empresas SET versao = versao + 1 WHERE id = %(id)s"
_GATEWAY = re.compile(r"[a-z][a-z0-9_]{0,19}")
_TOKEN_BYTES = 24


async def add_channel(
    conn: Connection,
    keyring: Keyring,
    *,
    empresa_id: int,
    gateway: str,
    identifier: str,
    credentials: Mapping[str, str] | None,
    limits: Mapping[str, object] | None = None,
) -> Channel:
    """Adds a number, or renews the credentials of one that the empresa has; its address stays.
    `limits` that are not given stay as they are.

    Called in a transaction. Counts up the empresa's version, so that all processes notice. Raises
    UnknownEmpresa, NotConfigured (the number is another's), and ValueError for names that no row
    can have.
    """
    if not _GATEWAY.fullmatch(gateway):
        raise ValueError(f"{gateway!r} is no gateway's name: cloud_api, evolution, ...")
    if not 1 <= len(identifier) <= 255:
        raise ValueError("a channel's identifier has 1 to 255 characters")
    if await Empresas(conn).get(empresa_id) is None:
        raise UnknownEmpresa(empresa_id)
    sealed = None
    if credentials is not None:
        sealed = keyring.seal(
            json.dumps(dict(credentials)), purpose=credentials_of(gateway, identifier)
        )
    stated = None if limits is None else json.dumps(dict(limits))
    known = await conn.fetch_one(_FIND, {"gateway": gateway, "identifier": identifier})
    if known is not None and known[1] != empresa_id:
        raise NotConfigured(
            empresa_id, f"channel {identifier} of {gateway} is that of empresa {known[1]}"
        )
    if known is not None:
        channel_id, token = int(known[0]), str(known[2])
        await conn.execute(_UPDATE, {"id": channel_id, "credentials": sealed, "limits": stated})
    else:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await conn.execute(
            _INSERT,
            {
                "empresa_id": empresa_id,
                "gateway": gateway,
                "identifier": identifier,
                "token": token,
                "credentials": sealed,
                "limits": stated,
            },
        )
        channel_id = conn.last_id
    await conn.execute(_RAISE, {"id": empresa_id})
    return Channel(
        id=channel_id,
        empresa_id=empresa_id,
        gateway=gateway,
        identifier=identifier,
        webhook_token=token,
        credentials=credentials or {},
        limits=limits or {},
    )
