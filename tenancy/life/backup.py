"""Makes backups of a dealer and reads them. Used by `helix empresa` and by the rest of this room.

A backup is two objects below `<empresa>/<name>/`: the dump (mariadb-dump, zstd, sealed with the
dealer's data key) and `manifest.json`, written last: without it there is no backup.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from pydantic import ValidationError

from schema.errors import BackupDamaged, CopyDiffers, HelixError, MigrationLocked
from schema.migrator import lock_name
from tenancy.empresas import Place
from tenancy.lease import Connection
from tenancy.life import server
from tenancy.life.book import Book
from tenancy.life.counting import DumpCount
from tenancy.life.ledger import Facts, Kind, Operation
from tenancy.life.packed import compressed, decompressed
from tenancy.life.programs import dumping, load
from tenancy.life.sealed import derived, seal, unseal
from tenancy.life.store import BackupStoreUnavailable
from tenancy.life.tools import Tools

_SCHEMA_VERSION = "SELECT MAX(version) FROM _migrations WHERE state = 'feito'"
_MIGRATION_LOCK = "SELECT GET_LOCK(%(name)s, 30)"


class Named(Facts):
    """The backup's name: its time in UTC and its operation."""

    name: str


class Manifest(Facts):
    """What a backup holds. `rows` by table; sizes in bytes; SHA-256 in hex."""

    empresa_id: int
    name: str
    made_at: datetime
    database: str
    server_version: str
    schema_version: int
    rows: dict[str, int]
    plain_bytes: int
    plain_sha256: str
    sealed_bytes: int
    sealed_sha256: str


class StoredManifest(Facts):
    """A manifest with the proof that it is the dealer's own."""

    manifest: Manifest
    mac: str


class Done(Facts):
    """A step with nothing to tell."""


async def back_up(tools: Tools, empresa_id: int) -> Manifest:
    """A new backup of a dealer while he is served. Repeated after a kill, it is made anew under the
    same name. Raises NotConfigured, BackupStoreUnavailable, and what databases raise."""
    async with tools.ledger.alone(empresa_id):
        operation = await tools.ledger.begin(empresa_id, Kind.BACKUP, {})
        try:
            return await _back_up(tools, operation)
        except HelixError as error:
            await undo(tools, operation, str(error))
            raise


async def undo(tools: Tools, operation: Operation, error: str) -> None:
    """What there is of a backup that is not whole goes; in a store that is away, at its expiry."""
    named = operation.done.get("named")
    if named is not None and "described" not in operation.done:
        with suppress(BackupStoreUnavailable):
            name = Named.model_validate_json(named).name
            await tools.store.remove(operation.empresa_id, name)
    await tools.ledger.give_up(operation, error)


async def _back_up(tools: Tools, operation: Operation) -> Manifest:
    empresa_id, step = operation.empresa_id, tools.ledger.step

    async def named() -> Named:
        return Named(name=f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{operation.id}")

    name = (await step(operation, "named", Named, named)).name

    async def dumped() -> Manifest:
        await tools.store.remove(empresa_id, name)  # what a killed run was writing
        return await _dump(tools, empresa_id, name)

    manifest = await step(operation, "dumped", Manifest, dumped)
    tools.report(f"dumped: {manifest.sealed_bytes} bytes")

    async def described() -> Done:
        await _describe(tools, manifest)
        await note(tools, manifest)
        return Done()

    await step(operation, "described", Done, described)
    tools.report(f"backup {name}")
    await tools.ledger.finish(operation, manifest)
    return manifest


async def manifests(tools: Tools, empresa_id: int) -> list[Manifest]:
    """Of all backups of a dealer, oldest first. Raises BackupDamaged."""
    suffix = "/manifest.json"
    keys = [key for key in await tools.store.keys(f"{empresa_id}/") if key.endswith(suffix)]
    return [await manifest_of(tools, empresa_id, key.split("/")[-2]) for key in keys]


async def manifest_of(tools: Tools, empresa_id: int, name: str) -> Manifest:
    """Raises BackupDamaged when there is none, or it is not the dealer's own."""
    try:
        body = b"".join(
            [part async for part in tools.store.get(f"{empresa_id}/{name}/manifest.json")]
        )
        stored = StoredManifest.model_validate_json(body)
    except KeyError:
        raise BackupDamaged(f"there is no backup {name!r} of empresa {empresa_id}") from None
    except ValidationError:
        raise BackupDamaged(f"the manifest of {name!r} cannot be read") from None
    manifest = stored.manifest
    key = await tools.data_keys.get(empresa_id)
    genuine = hmac.compare_digest(stored.mac, _mac(key, manifest))
    if not genuine or (manifest.empresa_id, manifest.name) != (empresa_id, name):
        raise BackupDamaged(f"the manifest of {name!r} is not what was written")
    return manifest


async def restore_into(
    tools: Tools, manifest: Manifest, place: tuple[str, int], database: str
) -> str:
    """Puts a backup into an empty database and compares. Returns how it was compared.

    Raises BackupDamaged, CopyDiffers, WrongTenant, and what databases raise.
    """
    empresa_id = manifest.empresa_id
    host, port = place
    target = tools.admin(host, port, database)
    await load(target, tools.limits, await _plain(tools, manifest), empresa_id=empresa_id)
    async with tools.as_admin(empresa_id, host, port, database) as conn:
        await server.check_owner(conn, empresa_id, database)
        version = await server.version(conn)
        if await _schema_version(conn) != manifest.schema_version:
            raise CopyDiffers("the restored database has another schema version than the backup")
    count = DumpCount()
    async with dumping(target, tools.limits, empresa_id=empresa_id) as dump:
        async for chunk in dump:
            count.take(chunk)
    if count.rows != manifest.rows:
        raise CopyDiffers("the restored tables have other numbers of rows than the backup")
    if version != manifest.server_version:
        return "rows"
    if count.sha256 != manifest.plain_sha256:
        raise CopyDiffers("the restored content is not that of the backup")
    return "content"


async def chosen(tools: Tools, empresa_id: int, name: str | None) -> Manifest:
    """The backup of this name, or the newest. Raises BackupDamaged when there is none."""
    if name is not None:
        return await manifest_of(tools, empresa_id, name)
    known = await manifests(tools, empresa_id)
    if not known:
        raise BackupDamaged(f"empresa {empresa_id} has no backup; `helix empresa backup` makes one")
    return known[-1]


@asynccontextmanager
async def unmigrated(tools: Tools, empresa_id: int, place: Place) -> AsyncIterator[Connection]:
    """Its database as administrator; no migration runs inside the block. Raises MigrationLocked."""
    async with tools.as_admin(empresa_id, place.host, place.port, place.database) as conn:
        lock = {"name": lock_name(place.database)}
        if (await conn.fetch_all(_MIGRATION_LOCK, lock))[0][0] != 1:
            raise MigrationLocked(f"database {place.database} is being migrated; try later")
        yield conn  # the lock ends with the connection


async def _dump(tools: Tools, empresa_id: int, name: str) -> Manifest:
    place = await tools.place(empresa_id)
    key = await tools.data_keys.get_or_make(empresa_id)
    plain, sealed = DumpCount(), _Digest()
    async with unmigrated(tools, empresa_id, place) as conn:
        await server.check_owner(conn, empresa_id, place.database)
        version, schema_version = await server.version(conn), await _schema_version(conn)
        target = tools.admin(place.host, place.port, place.database)
        began = datetime.now(UTC)
        async with dumping(target, tools.limits, empresa_id=empresa_id) as dump:
            stream = seal(compressed(plain.over(dump)), key, context=_context(empresa_id, name))
            await tools.store.put(_dump_key(empresa_id, name), sealed.over(stream))
    return Manifest(
        empresa_id=empresa_id,
        name=name,
        made_at=began,
        database=place.database,
        server_version=version,
        schema_version=schema_version,
        rows=plain.rows,
        plain_bytes=plain.bytes,
        plain_sha256=plain.sha256,
        sealed_bytes=sealed.bytes,
        sealed_sha256=sealed.sha256,
    )


async def note(tools: Tools, manifest: Manifest) -> None:
    """Writes a whole backup down where all of them can be asked for."""
    await Book(tools.central).note(
        manifest.empresa_id, manifest.name, manifest.made_at, manifest.sealed_bytes
    )


async def _describe(tools: Tools, manifest: Manifest) -> None:
    key = await tools.data_keys.get(manifest.empresa_id)
    stored = StoredManifest(manifest=manifest, mac=_mac(key, manifest))

    async def body() -> AsyncIterator[bytes]:
        yield stored.model_dump_json(indent=2).encode()

    await tools.store.put(f"{manifest.empresa_id}/{manifest.name}/manifest.json", body())


async def _plain(tools: Tools, manifest: Manifest) -> AsyncIterator[bytes]:
    """The dump of a backup. The stream raises BackupDamaged."""
    key = await tools.data_keys.get(manifest.empresa_id)
    sealed = _found(tools.store.get(_dump_key(manifest.empresa_id, manifest.name)))
    opened = unseal(sealed, key, context=_context(manifest.empresa_id, manifest.name))
    return decompressed(opened)


async def _found(sealed: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in sealed:
            yield chunk
    except KeyError:
        raise BackupDamaged("its dump is missing from the store") from None


async def _schema_version(conn: Connection) -> int:
    return int((await conn.fetch_all(_SCHEMA_VERSION))[0][0] or 0)


def _mac(key: bytes, manifest: Manifest) -> str:
    own = derived(key, salt=b"", info="helix manifest")
    return hmac.new(own, manifest.model_dump_json().encode(), hashlib.sha256).hexdigest()


def _context(empresa_id: int, name: str) -> str:
    return f"helix backup {empresa_id} {name}"


def _dump_key(empresa_id: int, name: str) -> str:
    return f"{empresa_id}/{name}/dump.sql.zst.sealed"


class _Digest:
    """Counts what is written."""

    def __init__(self) -> None:
        self.bytes = 0
        self._sha256 = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    async def over(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in stream:
            self.bytes += len(chunk)
            self._sha256.update(chunk)
            yield chunk
