"""What is done to a restored database before anybody is served from it. Called by `helix empresa`.

Whoever was erased since the backup is erased from it, and what then still had to be sent is not
sent now: it has been sent since, or is long too late.
"""

from __future__ import annotations

from tenancy.central import Central
from tenancy.keyring import Keyring
from tenancy.lease import Connection
from tenancy.life.restore import AfterRestore
from worker.lgpd.replay import erase_again

_WITHDRAW = """
    UPDATE mensagens SET status = 'cancelada', erro = 'ainda não enviada na cópia restaurada'
     WHERE status IN ('pendente', 'enviando')
"""


def after_restore(central: Central, keyring: Keyring) -> AfterRestore:
    """May be repeated."""
    erase = erase_again(central, keyring)

    async def act(empresa_id: int, conn: Connection) -> None:
        await erase(empresa_id, conn)
        await conn.execute(_WITHDRAW)

    return act
