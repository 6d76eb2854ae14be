"""Streams a database out of and into a server, by MariaDB's own programs. Used by this room.

The password goes over a file that has no name and dies with the program, never over the command
line. Facts of the output (mariadb-dump 10.11): without comments and dates the same content gives
the same bytes, and each row of a multi-row INSERT is a line of its own that begins with `(`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from schema.errors import HelixError, NotConfigured, StatementRefused, TenantUnavailable
from tenancy.settings import TlsMode
from tenancy.target import Limits, Target, is_loopback

_DUMP = (
    "--single-transaction", "--quick", "--skip-lock-tables", "--hex-blob", "--routines",
    "--triggers", "--events", "--skip-comments", "--skip-dump-date", "--no-tablespaces",
    "--default-character-set=utf8mb4", "--max-allowed-packet=1G",
)  # fmt: skip
_LOAD = ("--batch", "--binary-mode", "--default-character-set=utf8mb4", "--max-allowed-packet=1G")
_ROWS_ALONE = ("--no-create-info", "--skip-triggers", "--skip-routines", "--skip-events")
_CHUNK = 256 * 1024
_KEPT_OF_ERRORS = 8192
_CODE = re.compile(rb"(?:ERROR |error: )(\d{4})")
_AWAY = frozenset({1040, 1053, 2002, 2003, 2005, 2006, 2013})


@asynccontextmanager
async def dumping(
    target: Target, limits: Limits, *, empresa_id: int, rows_alone: bool = False
) -> AsyncIterator[AsyncIterator[bytes]]:
    """The whole of a database as SQL, one consistent state of it. `target` names the database.

    Who leaves the block early ends the program. Raises TenantUnavailable, StatementRefused (its
    `detail` has the program's words), NotConfigured when the program is not installed.
    """
    options = (*_DUMP, *(_ROWS_ALONE if rows_alone else ()), str(target.database))
    async with _running("mariadb-dump", options, target, limits, empresa_id) as process:
        yield _output(process, empresa_id)


async def load(
    target: Target, limits: Limits, sql: AsyncIterator[bytes], *, empresa_id: int
) -> None:
    """Runs a dump in the database that `target` names. Raises as `dumping` does."""
    options = (*_LOAD, str(target.database))
    async with _running("mariadb", options, target, limits, empresa_id) as process:
        errors = asyncio.create_task(_errors(process), name="errors of mariadb")
        try:
            await _feed(process, sql)
            await process.wait()
        finally:
            said = await errors if process.returncode is not None else b""
            errors.cancel()
        if process.returncode:
            raise _failure("mariadb", said, empresa_id)


async def _feed(process: asyncio.subprocess.Process, sql: AsyncIterator[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for below
    try:
        async for chunk in sql:
            process.stdin.write(chunk)
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended by itself and says why


async def _output(process: asyncio.subprocess.Process, empresa_id: int) -> AsyncIterator[bytes]:
    assert process.stdout is not None  # noqa: S101 - asked for below
    errors = asyncio.create_task(_errors(process), name="errors of mariadb-dump")
    try:
        while chunk := await process.stdout.read(_CHUNK):
            yield chunk
        await process.wait()
        if process.returncode:
            raise _failure("mariadb-dump", await errors, empresa_id)
    finally:
        errors.cancel()


async def _errors(process: asyncio.subprocess.Process) -> bytes:
    assert process.stderr is not None  # noqa: S101 - asked for below
    kept = b""
    while chunk := await process.stderr.read(_CHUNK):
        kept = (kept + chunk)[-_KEPT_OF_ERRORS:]
    return kept


def _failure(program: str, said: bytes, empresa_id: int) -> HelixError:
    found = _CODE.search(said)
    code = int(found[1]) if found else 0
    if code in _AWAY:
        return TenantUnavailable(empresa_id, reason=f"{program}: error {code}")
    return StatementRefused(code, f"{program}: {said.decode(errors='replace').strip()}")


@asynccontextmanager
async def _running(
    program: str, options: tuple[str, ...], target: Target, limits: Limits, empresa_id: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program with all three pipes; ended with the block."""
    with _login(target, limits) as number:
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                f"--defaults-extra-file=/dev/fd/{number}",
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(number,),
            )
        except FileNotFoundError as error:
            raise NotConfigured(
                empresa_id, f"{program} is not installed; it comes with mariadb-client"
            ) from error
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@contextmanager
def _login(target: Target, limits: Limits) -> Iterator[int]:
    """The number of an open file (0600, without a name) with how to get in."""
    lines = [
        "[client]",
        f"host={_quoted(target.host)}",
        f"port={target.port}",
        f"user={_quoted(target.user)}",
        f"password={_quoted(target.password.get_secret_value())}",
        "protocol=tcp",
        *_tls(target.host, limits),
    ]
    with tempfile.TemporaryFile() as file:
        file.write("\n".join([*lines, ""]).encode())
        file.flush()
        file.seek(0)
        yield file.fileno()


def _quoted(value: str) -> str:
    r"""As an option file takes it: in quotes, with \ before what would end them."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _tls(host: str, limits: Limits) -> list[str]:
    """The program cannot check a certificate without its host's name: `verify-ca` checks both."""
    mode = limits.tls
    if mode is TlsMode.OFF or (mode is TlsMode.AUTO and is_loopback(host)):
        return ["skip-ssl"]
    if mode is TlsMode.REQUIRED:
        return ["ssl", "skip-ssl-verify-server-cert"]
    authorities = limits.tls_ca or ssl.get_default_verify_paths().cafile
    ca = [] if authorities is None else [f"ssl-ca={_quoted(str(authorities))}"]
    return ["ssl", *ca, "ssl-verify-server-cert"]
