"""Changes of one row of `canais` that is there already. Called by the command line.

All in the caller's transaction; each counts up the empresa's version, so that processes notice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from schema.channels import Channel
from schema.errors import UnknownChannel
from tenancy.keyring import Keyring, credentials_of
from tenancy.lease import Connection

_LOCK = """
    SELECT empresa_id, tipo, identificador, webhook_token, ativo, credenciais FROM canais
     WHERE id = %(id)s FOR UPDATE
"""
_SET_ACTIVE = "UPDATE canais SET ativo = %(active)s WHERE id = %(id)s"
_SET_CREDENTIALS = "UPDATE canais SET credenciais = %(credentials)s WHERE id = %(id)s"
_RAISE = "UPDATE empresas SET versao = versao + 1 WHERE id = %(empresa_id)s"


async def lock_channel(conn: Connection, keyring: Keyring, channel_id: int) -> Channel:
    """The channel as it is now; nobody else changes it before the transaction ends.

    Raises UnknownChannel, SecretUnreadable.
    """
    row = await conn.fetch_one(_LOCK, {"id": channel_id})
    if row is None:
        raise UnknownChannel(channel_id)
    empresa_id, gateway, identifier, token, active, sealed = row
    credentials: dict[str, str] = {}
    if sealed:
        purpose = credentials_of(gateway, identifier)
        credentials = json.loads(keyring.open(sealed, purpose=purpose))
    return Channel(
        id=channel_id,
        empresa_id=empresa_id,
        gateway=gateway,
        identifier=identifier,
        webhook_token=token,
        active=bool(active),
        credentials=credentials,
    )


async def set_active(conn: Connection, channel: Channel, *, active: bool) -> None:
    """Switches a locked channel on or off."""
    await conn.execute(_SET_ACTIVE, {"active": int(active), "id": channel.id})
    await conn.execute(_RAISE, {"empresa_id": channel.empresa_id})


async def set_credentials(
    conn: Connection, keyring: Keyring, channel: Channel, credentials: Mapping[str, str]
) -> None:
    """Stores other credentials, sealed, for a locked channel."""
    sealed = keyring.seal(
        json.dumps(dict(credentials)),
        purpose=credentials_of(channel.gateway, channel.identifier),
    )
    await conn.execute(_SET_CREDENTIALS, {"credentials": sealed, "id": channel.id})
    await conn.execute(_RAISE, {"empresa_id": channel.empresa_id})
