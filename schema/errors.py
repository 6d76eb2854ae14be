"""What can go wrong, named after what the caller does next.

HelixError
├── Transient                 the worker tries again later; uses up no tries
│   ├── TenantUnavailable     the dealer's database does not answer
│   │   └── TenantOnHold      it did not a moment ago: not before retry_after_s
│   ├── TenantPaused          a person stopped the work for this dealer until he is resumed
│   ├── TenantOutdated        the dealer's schema is too old for this release: after `helix migrate`
│   ├── CentralUnavailable    the registry does not answer
│   ├── ServerUnavailable     a database server does not answer its administrator
│   ├── CommitUnknown         repeat the whole idempotent unit
│   ├── TryAgain              a lock or a time limit was in the way: repeat the transaction
│   ├── MigrationLocked       another migrator is at work on this database
│   ├── InboxFull             too many of the dealer's events wait: once more after retry_after_s
│   ├── AwaitReport           the gateway has it and reports later: look again after retry_after_s
│   ├── SendLater             this message did not go out; once more, later
│   │   ├── ChannelBusy       the whole number sends too much: all of it slows down
│   │   ├── PairBusy          this buyer gets too much at once: only he waits
│   │   └── GatewayAway       no connection came about
│   └── SendUnknown           the message may be out; the answer got lost
│       └── GatewaySilent     it did not answer in time, or hung up
└── Permanent                 trying again changes nothing; a person must act
    ├── UnknownEmpresa        no such dealer
    ├── UnknownRun            no such run of the migrations
    ├── UnknownChannel        no such number of a dealer
    ├── NotConfigured         a dealer without (usable) database settings
    ├── TenantRefused         the server refuses the dealer's credentials or database
    ├── ServerRefused         a database server refuses its administrator, or is not to be used
    ├── WrongTenant           the database belongs to another dealer
    ├── NotMigrated           the database lacks a table or column: run the migrator
    ├── SecretUnreadable      a stored secret cannot be opened with the keys that we have
    ├── DuplicateKey          the row is already there; the caller may choose to be content
    ├── BadData               a value does not fit its column
    ├── StatementRefused      the server refuses a statement for any other reason
    ├── MigrationChanged      an applied migration is not the one that this release knows
    ├── MigrationFailed       a migration cannot be applied to this database
    ├── BackupDamaged         a backup does not open, or is not what was written
    ├── CopyDiffers           a copied database is not equal to what it was made from
    ├── NotConfirmed          something would be destroyed that nobody confirmed by name
    ├── SendRefused           this message will never go out
    └── ChannelRefused        the channel's credentials are not accepted
"""

from __future__ import annotations


class HelixError(Exception):
    """The root of all errors that callers choose by; anything else is a bug."""


class Transient(HelixError):
    """Something around us is broken; the same call may work later."""


class Permanent(HelixError):
    """The same call will fail again until a person changes something."""


class TenantUnavailable(Transient):
    """The empresa is known, its database does not answer. The cause is chained."""

    def __init__(self, empresa_id: int, *, retry_after_s: float = 1.0, reason: str = "") -> None:
        detail = f": {reason}" if reason else ""
        super().__init__(f"database of empresa {empresa_id} does not answer{detail}")
        self.empresa_id = empresa_id
        self.retry_after_s = retry_after_s


class TenantOnHold(TenantUnavailable):
    """Its database or server failed a moment ago and is left alone: `retry_after_s` is the time of
    the next try, and nothing earlier reaches it."""


class TenantPaused(Transient):
    """A person stopped all work for this dealer; what comes for him waits until he is resumed."""

    def __init__(self, empresa_id: int) -> None:
        super().__init__(f"empresa {empresa_id} is paused; `helix empresa resume {empresa_id}`")
        self.empresa_id = empresa_id


class TenantOutdated(Transient):
    """The dealer's schema lacks what this release needs; his work waits until it is migrated."""

    def __init__(self, empresa_id: int, *, needed: int) -> None:
        super().__init__(
            f"the schema of empresa {empresa_id} is older than version {needed}, which this release"
            f" needs; `helix migrate --empresa {empresa_id}`"
        )
        self.empresa_id = empresa_id
        self.needed = needed


class CentralUnavailable(Transient):
    """The central database does not answer. The cause is chained."""


class ServerUnavailable(Transient):
    """A database server does not answer whoever looks after it. The cause is chained."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"database server {host}:{port} does not answer: {reason}")


class CommitUnknown(Transient):
    """COMMIT was sent and its answer got lost: repeat the whole idempotent unit."""


class TryAgain(Transient):
    """The server gave up on a statement (deadlock, lock, time limit): repeat the transaction."""

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class MigrationLocked(Transient):
    """Another migrator is at work on this database and did not end in time."""


class InboxFull(Transient):
    """So much waits on the dealer's inbox that nothing more is taken; whoever has it keeps it."""

    def __init__(self, empresa_id: int, reason: str, *, retry_after_s: float = 30.0) -> None:
        super().__init__(f"the inbox of empresa {empresa_id} is full: {reason}")
        self.empresa_id = empresa_id
        self.retry_after_s = retry_after_s


class SendLater(Transient):
    """The gateway or the way to it is busy or down; nothing was sent."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class AwaitReport(Transient):
    """The reply is handed over; a status event settles it. Calling again is no second send."""

    def __init__(self, reason: str, *, retry_after_s: float) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ChannelBusy(SendLater):
    """The number as a whole is over its limit; nothing was sent."""


class PairBusy(SendLater):
    """This buyer has had too much from this number just now; nothing was sent."""


class GatewayAway(SendLater):
    """Nobody listens at the gateway's address, or not in time; nothing was sent."""


class SendUnknown(Transient):
    """The request went out and no answer came: the buyer may or may not have the message."""


class GatewaySilent(SendUnknown):
    """The gateway took the request and did not answer in time, or broke the connection."""


class UnknownEmpresa(Permanent):
    """No empresa has this id."""

    def __init__(self, empresa_id: int) -> None:
        super().__init__(f"there is no empresa {empresa_id}; `helix empresa list` shows all")
        self.empresa_id = empresa_id


class UnknownRun(Permanent):
    """There is no such run of the migrations, or none at all."""

    def __init__(self, run: int | None) -> None:
        which = "no run to go on with" if run is None else f"no run {run}"
        super().__init__(f"there is {which}; `helix migrate` begins one")


class UnknownChannel(Permanent):
    """No channel has this id."""

    def __init__(self, channel_id: int) -> None:
        super().__init__(f"there is no channel {channel_id}; `helix channel list` shows all")
        self.channel_id = channel_id


class NotConfigured(Permanent):
    """The empresa exists, its database settings are missing or cannot be read."""

    def __init__(self, empresa_id: int, reason: str) -> None:
        super().__init__(f"empresa {empresa_id} is not configured: {reason}")
        self.empresa_id = empresa_id


class TenantRefused(Permanent):
    """The database server refuses this empresa's credentials or database."""

    def __init__(self, empresa_id: int, reason: str) -> None:
        super().__init__(f"the database server refuses empresa {empresa_id}: {reason}")
        self.empresa_id = empresa_id


class ServerRefused(Permanent):
    """A database server refuses whoever looks after it, or must not be used as it is."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"database server {host}:{port}: {reason}")
        self.reason = reason


class WrongTenant(Permanent):
    """The registry row of one empresa points at the database or user of another."""

    def __init__(self, empresa_id: int, reason: str) -> None:
        super().__init__(f"registry row of empresa {empresa_id} points elsewhere: {reason}")
        self.empresa_id = empresa_id


class NotMigrated(Permanent):
    """A table or column that this release needs is missing."""


class SecretUnreadable(Permanent):
    """A stored secret cannot be opened: plain, of an unknown key, altered, or of another row."""


class DuplicateKey(Permanent):
    """A unique key says that this row is already there. Holds no value of the row."""

    def __init__(self, key: str) -> None:
        super().__init__(f"a row with the same {key} is already there")
        self.key = key


class BadData(Permanent):
    """A value does not fit its column. Holds no value of the row."""

    def __init__(self, reason: str, *, code: int, column: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.column = column


class StatementRefused(Permanent):
    """The server refuses a statement. Its own text may quote values: it is in `detail` alone."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"the database server refuses a statement (error {code})")
        self.code = code
        self.detail = detail


class MigrationChanged(Permanent):
    """An applied migration is not the one that this release knows."""


class MigrationFailed(Permanent):
    """A migration cannot be applied to this database as it is."""


class BackupDamaged(Permanent):
    """A backup is not what was written: cut, altered, of another dealer, or its key is gone."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the backup cannot be used: {reason}")


class CopyDiffers(Permanent):
    """A copy of a database is not equal to what it was made from; nothing was switched to it."""


class NotConfirmed(Permanent):
    """The name that confirms a destruction is missing or is another dealer's."""

    def __init__(self, empresa_id: int, name: str) -> None:
        super().__init__(f"empresa {empresa_id} is not touched: confirm with --confirm {name!r}")
        self.empresa_id = empresa_id


class SendRefused(Permanent):
    """The gateway says that this message will never go out."""

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code


class ChannelRefused(Permanent):
    """The gateway does not accept the channel's credentials or knows no such channel."""

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
