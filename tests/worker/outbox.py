"""An outbox under a lease, and a database in the way, for the tests of replies on their way out."""

from __future__ import annotations

from datetime import UTC, datetime

from tenancy.lease import TenantConnection
from tests.worker.shop import Shop
from worker.deliver.outbox import OpenReply, Outbox
from worker.fence import raise_fence
from worker.queue.keys import Task

EPOCH = 2**50


async def one_pending(conn: TenantConnection) -> tuple[Outbox, OpenReply]:
    """An outbox under the lease EPOCH, and the one reply that it has read."""
    await raise_fence(conn, Task.DELIVER, EPOCH)
    outbox = Outbox(conn, EPOCH)
    (reply,), _ = await outbox.look(now=datetime.now(UTC), most=10)
    return outbox, reply


async def refuse_once(shop: Shop, verb: str, condition: str) -> None:
    """The first such row is refused as a deadlock's victim; a sequence survives the rollback."""
    database = f"empresa_{shop.empresa_id}_db"
    await shop.installation.sql("CREATE SEQUENCE refusals", database=database)
    await shop.installation.sql(
        f"CREATE TRIGGER refuse BEFORE {verb} ON mensagens FOR EACH ROW"
        f" IF {condition} THEN IF NEXTVAL(refusals) = 1 THEN"
        " SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; END IF",
        database=database,
    )


async def statuses(shop: Shop) -> list[str]:
    """Of all replies, in order."""
    rows = await shop.rows("SELECT status FROM mensagens WHERE tipo = 'enviada' ORDER BY id")
    return [status for (status,) in rows]
