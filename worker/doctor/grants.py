"""Looks at who may do what on a database server. Called by `.servers`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schema.errors import HelixError, Transient
from tenancy.lease import Connection
from tenancy.names import grant_pattern
from tenancy.servers import Role
from worker.doctor.values import Finding, red, warning

_DATABASES = "SELECT User, Host, Db, Grant_priv FROM mysql.db"
_ANONYMOUS = "SELECT Host FROM mysql.user WHERE User = ''"
_GLOBAL = """
    SELECT grantee, privilege_type, is_grantable FROM information_schema.user_privileges
     WHERE privilege_type <> 'USAGE'
"""
_OURS = frozenset(role.user for role in Role)
_GRANTEE = re.compile(r"'(.*)'@'(.*)'")
_OPEN = re.compile(r"(?<!\\)[_%]")


@dataclass(frozen=True, slots=True)
class Right:
    """A row of mysql.db."""

    user: str
    host: str
    pattern: str
    """Of databases' names, where _ and % are wildcards unless a backslash stands before them."""
    may_grant: bool

    def covers(self, database: str) -> bool:
        """Whether it reaches the database."""
        return _regex(self.pattern).fullmatch(database) is not None


async def look(conn: Connection, subject: str, homes: Mapping[str, str]) -> list[Finding]:
    """`homes`: dealers' users on this server and the database of each."""
    try:
        rows = await conn.fetch_all(_DATABASES)
    except HelixError as error:
        if isinstance(error, Transient):
            raise
        return [_unseen(subject)]
    rights = [
        Right(str(user), str(host), str(name), grant == "Y") for user, host, name, grant in rows
    ]
    findings = list(judge(rights, subject, homes))
    try:
        anonymous = await conn.fetch_all(_ANONYMOUS)
    except HelixError as error:
        if isinstance(error, Transient):
            raise
        return [*findings, _unseen(subject)]
    if anonymous:
        findings.append(
            red(
                "anonymous_user",
                subject,
                f"there are {len(anonymous)} users without a name",
                why="whoever reaches the server gets in",
                mend=f"helix host setup {subject}",
            )
        )
    return [*findings, *await _global(conn, subject, homes)]


def judge(rights: Sequence[Right], subject: str, homes: Mapping[str, str]) -> Iterator[Finding]:
    """What the rows of mysql.db say."""
    reach: dict[str, set[str]] = {}
    for right in rights:
        reached = {name for name in homes.values() if right.covers(name)}
        if not right.user:
            yield red(
                "open_to_all",
                subject,
                f"everybody has rights on databases {right.pattern}",
                why="a dealer's database of such a name would be open to all others",
                mend=f"helix host setup {subject}",
            )
        elif right.user in homes:
            yield from _of_dealer(right, subject, homes[right.user])
            reach.setdefault(right.user, set()).update(reached)
        elif reached and right.user not in _OURS:
            yield warning(
                "stranger",
                subject,
                f"user {right.user}@{right.host}, who is no dealer's, has rights on "
                f"{len(reached)} dealers' databases",
                why="somebody or some program reads buyers' data beside us",
                mend=f"if nobody knows it: DROP USER '{right.user}'@'{right.host}'",
            )
    for user, reached in reach.items():
        if len(reached) > 1:
            yield red(
                "two_tenants",
                subject,
                f"user {user} has rights on {', '.join(sorted(reached))}",
                why="one dealer's user reads another dealer's buyers",
                mend=f"REVOKE ALL ON `...`.* FROM '{user}'@'%' for each but its own",
            )


def _of_dealer(right: Right, subject: str, home: str) -> Iterator[Finding]:
    who = f"'{right.user}'@'{right.host}'"
    if _OPEN.search(right.pattern):
        own = grant_pattern(home)
        yield red(
            "wildcard_grant",
            subject,
            f"the right of {right.user} on {right.pattern} holds wildcards",
            why="_ and % stand for any letters: it opens databases of similar names, too",
            mend=f"GRANT SELECT, INSERT, UPDATE, DELETE ON {own}.* TO {who}; "
            f"REVOKE ALL ON `{right.pattern}`.* FROM {who}",
        )
    if right.may_grant:
        yield red(
            "may_grant",
            subject,
            f"user {right.user} may give its rights to others",
            why="a dealer's user that is stolen could open its database to anybody",
            mend=f"REVOKE GRANT OPTION ON `{right.pattern}`.* FROM {who}",
        )


async def _global(conn: Connection, subject: str, homes: Mapping[str, str]) -> list[Finding]:
    rights: dict[str, list[str]] = {}
    for grantee, privilege, _ in await conn.fetch_all(_GLOBAL):
        found = _GRANTEE.fullmatch(str(grantee))
        if found and found[1] in homes:
            rights.setdefault(str(grantee), []).append(str(privilege))
    return [
        red(
            "global_right",
            subject,
            f"a dealer's user {grantee} has rights on the whole server: "
            f"{', '.join(sorted(privileges)[:5])}",
            why="it reads and changes every dealer's database",
            mend=f"REVOKE ALL ON *.* FROM {grantee}",
        )
        for grantee, privileges in rights.items()
    ]


def _unseen(subject: str) -> Finding:
    return warning(
        "grants_unseen",
        subject,
        "we may not read who has which rights there",
        why="a dealer's user with rights on another's database would not be found",
        mend="PROVISION_DB_USER with SELECT on mysql.*, for this command",
    )


def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"_": ".", "%": ".*"}
    return re.compile(
        "".join(
            re.escape(part[1]) if len(part) == 2 else wild.get(part, re.escape(part))
            for part in parts
        ),
        re.DOTALL,
    )
