"""Erases again, in a restored database, whoever was erased since its backup. Called by a restore.

Runs over the list of erasures (`lgpd_pedidos`) before the restored database is taken into use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tenancy.central import Central
from tenancy.keyring import Keyring
from tenancy.lease import Connection
from worker.clock import stored
from worker.lgpd.delete import delete_rows, remember
from worker.lgpd.digests import DigestKeys, Digests
from worker.lgpd.files import only_his
from worker.lgpd.person import find_person
from worker.lgpd.phones import readings
from worker.lgpd.requests import Request, Requests
from worker.lgpd.tables import find_rows
from worker.lgpd.terms import forget_reached

_CUSTOMERS = "SELECT id, phone, created_at FROM customers"
_IDENTITIES = "SELECT customer_id, gateway, tipo, valor FROM customer_identities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of it."""

    erasures: int
    """On the list."""
    customers: int
    """Whose rows were found again, and erased."""
    files: tuple[str, ...]
    """Keys in the media store that these rows named: the erasure took them away once, a restore of
    files must do so again."""


async def replay_erasures(
    empresa_id: int, connection: Connection, *, central: Central, keyring: Keyring
) -> Replayed:
    """Erases from the database of `connection` whoever was erased at this dealer after the backup.

    `connection`: in a transaction of the caller, who commits; nobody else works on this database.
    Customers who came after their erasure stay. Doing it again changes nothing.
    Raises CentralUnavailable, SecretUnreadable, and the errors of the connection.
    """
    erasures = await Requests(central).erasures(empresa_id)
    digests = await DigestKeys(central, keyring).known(empresa_id)
    if not erasures or digests is None:
        return Replayed(erasures=len(erasures), customers=0, files=())
    customers = await _erased(connection, erasures, digests)
    files: set[str] = set()
    if customers:
        # Nobody has this number: all of them are named by their ids.
        person = await find_person(connection, empresa_id, _NO_PHONE, also=customers)
        await remember(connection, digests, person.external, now=datetime.now(UTC))
        files = set(await only_his(connection, person.files, person.messages))
        found = await find_rows(connection, person)
        await delete_rows(connection, person, found, count_visits=False)
    return Replayed(erasures=len(erasures), customers=len(customers), files=tuple(sorted(files)))


def erase_again(central: Central, keyring: Keyring) -> Callable[[int, Connection], Awaitable[None]]:
    """What a restore does with the restored database before anybody is switched to it. Retention
    then begins anew there, too."""

    async def after_restore(empresa_id: int, connection: Connection) -> None:
        await connection.execute("START TRANSACTION")  # an error closes the connection
        await replay_erasures(empresa_id, connection, central=central, keyring=keyring)
        await connection.execute("COMMIT")
        await forget_reached(central, empresa_id)

    return after_restore


_NO_PHONE = "00000"


async def _erased(conn: Connection, erasures: Sequence[Request], digests: Digests) -> set[int]:
    """Customers of the list who are older than their erasure."""
    names: dict[int, set[str]] = {}
    since: dict[int, datetime | None] = {}
    for id_, phone, created_at in await conn.fetch_all(_CUSTOMERS):
        names[id_] = {digests.phone(number) for number in readings(phone or "")}
        since[id_] = stored(created_at)
    for id_, gateway, kind, value in await conn.fetch_all(_IDENTITIES):
        names.setdefault(id_, set()).add(digests.identity(gateway, kind, value))
        since.setdefault(id_, None)
    found = set()
    for erasure in erasures:
        listed, subject = set(erasure.subject.customers), erasure.subject
        wanted = {subject.phone, *subject.identities}
        for id_, his in names.items():
            born, erased_at = since[id_], erasure.erased_at
            if (id_ in listed or his & wanted) and (
                born is None or erased_at is None or born <= erased_at
            ):
                found.add(id_)
    return found
