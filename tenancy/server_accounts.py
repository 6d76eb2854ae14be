"""Makes the three accounts of a database server, each with rights for its work alone.

Used by `tenancy.server_setup`. Rights are on databases named as we name them (`names.database_of`);
a database that was adopted under another name is worked on with its own user.
"""

from __future__ import annotations

from schema.errors import ServerRefused
from tenancy.direct import direct
from tenancy.faults import ServerFaults
from tenancy.keyring import Keyring
from tenancy.lease import Connection
from tenancy.servers import Account, Role
from tenancy.session import Profile
from tenancy.target import Limits

_DEALERS = r"`empresa\_%%`"
"""All databases that we create; twice the percent sign, since statements take parameters."""
# DROP: an ALTER that renames a table or drops a partition asks for it.
_MIGRATE = (
    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES,"
    f" CREATE VIEW, SHOW VIEW, TRIGGER ON {_DEALERS}.* TO %(user)s@'%%'"
)
_PROVISION = (
    f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON {_DEALERS}.* TO %(user)s@'%%'"
    " WITH GRANT OPTION"
)
_BACK_UP = f"GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON {_DEALERS}.* TO %(user)s@'%%'"
GRANTS: dict[Role, tuple[str, ...]] = {
    Role.MIGRATOR: (_MIGRATE,),
    # Who grants rights must have them; `mysql.db` tells whether a user is somebody else's.
    Role.PROVISIONER: (
        "GRANT CREATE USER ON *.* TO %(user)s@'%%'",
        _PROVISION,
        "GRANT SELECT ON mysql.db TO %(user)s@'%%'",
    ),
    Role.BACKUP: (_BACK_UP,),
}
_EXISTS = "SELECT COUNT(*) FROM mysql.user WHERE User = %(user)s"
_CREATE = "CREATE USER IF NOT EXISTS %(user)s@'%%' IDENTIFIED BY %(password)s"
_PASSWORD = "ALTER USER %(user)s@'%%' IDENTIFIED BY %(password)s"  # noqa: S105 - a statement
_TLS = "ALTER USER %(user)s@'%%' REQUIRE SSL"


async def opens(account: Account, keyring: Keyring, limits: Limits) -> bool:
    """Whether the server lets the account in. Raises Transient, SecretUnreadable."""
    try:
        async with direct(
            account.target(keyring),
            limits,
            ServerFaults(account.host, account.port),
            profile=Profile.WORK,
        ):
            return True
    except ServerRefused:
        return False


async def is_strange(conn: Connection, role: Role) -> bool:
    """Whether the server has an account of this name. Asked before ours was stored."""
    row = await conn.fetch_one(_EXISTS, {"user": role.user})
    return row is not None and bool(row[0])


async def make(conn: Connection, account: Account, keyring: Keyring, *, tls: bool) -> None:
    """The account with its stored password and its rights. Safe to repeat."""
    login = {"user": account.user, "password": account.password(keyring).get_secret_value()}
    await conn.execute(_CREATE, login)
    await conn.execute(_PASSWORD, login)
    if tls:
        await conn.execute(_TLS, {"user": account.user})
    for grant in GRANTS[account.role]:
        await conn.execute(grant, {"user": account.user})


def to_ask(role: Role) -> str:
    """What whoever runs the server has to execute, for people."""
    return "; ".join(
        grant.replace("%(user)s", f"'{role.user}'").replace("%%", "%") for grant in GRANTS[role]
    )
