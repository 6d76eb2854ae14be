"""The demo and the chat, run as people run them: as processes, on servers of their own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from dev.chat.installation import CENTRAL
from dev.dealers.claim import claimed
from dev.servers import Servers, running
from dev.servers.programs import ROOT
from tenancy.keyring import new_key
from tests.dev.commands import environment

_LIMIT_S = 90.0
_WHERE_IS_THE_CURSOR = "\x1b[6n"
"""A terminal answers this; where none does, the chat shows no line about the moment."""
_MARK = "HELIX_TEST_MARK"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a demo with servers that nobody else uses: a developer's demo stays
    as it is."""
    with running(tmp_path_factory.mktemp("demo"), environment=environment({})) as servers:
        keys = {"TENANCY_KEYS": new_key(), _MARK: uuid4().hex, "LOG_LEVEL": "INFO"}
        yield environment({**servers.environment(), **keys})


def _run(
    home: dict[str, str], module: str, *arguments: str, told: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**home, **more},
        input=told,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )


def _left_running(home: dict[str, str]) -> list[int]:
    """Processes that this module's commands have started, directly or not, and that still live."""
    wanted = f"{_MARK}={home[_MARK]}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # gone, or not of this user
    return found


async def _one(home: dict[str, str], sql: str) -> object:
    servers = _servers(home)
    async with servers.mariadb.connect() as connection, connection.cursor() as cursor:
        await cursor.execute(sql)
        return (await cursor.fetchone())[0]


def _servers(home: dict[str, str]) -> Servers:
    with running(environment=home) as servers:
        return servers


async def test_the_played_talk_keeps_its_promises(home: dict[str, str]) -> None:
    """`DEMO_SCRIPT=1 make demo` shows the whole way with both dealers; nothing runs afterwards.

    No answer is printed from a file: the bubbles on the screen are rows of the databases.
    """
    done = _run(home, "dev.demo", DEMO_SCRIPT="1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "demo: ok"
    for shown in ("Lucas · Ipê Seminovos", "Lucas · Farol Veículos", "kill -9", "empresa_6_db"):
        assert shown in done.stdout
    assert _left_running(home) == []
    assert done.stdout.count("╭─ Lucas · ") == await _replies_of_the_last_talks(home) > 0


async def _replies_of_the_last_talks(home: dict[str, str]) -> int:
    replies = 0
    for empresa_id in (5, 6):
        sent = f"FROM empresa_{empresa_id}_db.mensagens WHERE tipo = 'enviada'"
        last = f"conversation_id = (SELECT MAX(conversation_id) {sent})"
        replies += int(str(await _one(home, f"SELECT COUNT(*) {sent} AND {last}")))
    return replies


async def test_a_broken_promise_fails_the_demo(home: dict[str, str]) -> None:
    """Without a quiet window a burst is not one turn: the demo says so and exits with 1."""
    done = _run(
        home, "dev.demo", DEMO_SCRIPT="1", LUCAS_QUIET_COMPLETE_S="0", LUCAS_QUIET_FRAGMENT_S="0"
    )

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("demo: failed: não se cumpriu: as três")
    assert _left_running(home) == []


async def test_lines_of_a_file_are_played_as_a_buyers(home: dict[str, str], tmp_path: Path) -> None:
    """`DEMO_SCRIPT=file` plays somebody's own talk; a file that is not there is said so."""
    script = tmp_path / "talk.txt"
    script.write_text("qual o endereço?\n/loja 6\nqual o endereço?\n", encoding="utf-8")
    done = _run(home, "dev.demo", DEMO_SCRIPT=str(script))

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "demo: ok")
    assert "Ribeirão Preto" in done.stdout
    assert "Gerôncio Thives" in done.stdout

    missing = _run(home, "dev.demo", DEMO_SCRIPT=str(tmp_path / "none.txt"))
    assert missing.returncode == 1
    assert missing.stdout.splitlines()[-1].startswith("demo: failed: ")


async def test_the_chat_reads_a_pipe_and_starts_again_on_what_is_there(
    home: dict[str, str],
) -> None:
    """Any gateway for any dealer; /trace and --explain tell why; cars are not doubled."""
    told = "tem onix?\n/trace\n/carros\n/quanto\n"
    for gateway in ("cloud_api", "evolution", "waha"):
        flags = ["--empresa", "6", "--gateway", gateway, "--explain"]
        done = _run(home, "dev.chat", *flags, told=told)
        assert done.returncode == 0, done.stdout + done.stderr
        for shown in (f"{gateway}: “tem onix?”", "regra search.found", "regra: search.found",
                      "à venda", "/quanto: não conheço"):  # fmt: skip
            assert shown in done.stdout
    assert await _one(home, "SELECT COUNT(*) FROM empresa_6_db.cars") == 21
    assert _left_running(home) == []


async def test_the_demo_does_not_disturb_one_that_runs(home: dict[str, str]) -> None:
    """Two at once would take each other's bubbles away."""
    async with claimed(_servers(home).mariadb, CENTRAL, {}):
        done = _run(home, "dev.demo", DEMO_SCRIPT="1")

    assert done.returncode == 1
    assert "já está rodando" in done.stdout.splitlines()[-1]


async def test_the_demo_leaves_a_real_dealer_alone(home: dict[str, str]) -> None:
    """On somebody's server, empresa 5 may be a customer: nothing of it is touched."""
    async with _servers(home).mariadb.database("somebodys") as central:
        create = "CREATE TABLE `{}`.empresas (id INT PRIMARY KEY, nome VARCHAR(255))"
        insert = "INSERT INTO `{}`.empresas VALUES (5, 'Loja de Verdade')"
        async with _servers(home).mariadb.connect() as connection, connection.cursor() as cursor:
            await cursor.execute(create.format(central))
            await cursor.execute(insert.format(central))
        done = _run(home, "dev.demo", DEMO_SCRIPT="1", DB_NAME=central)

        assert done.returncode == 1
        assert "Loja de Verdade" in done.stdout.splitlines()[-1]
        tables = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
        assert await _one(home, f"{tables}'{central}'") == 1


def test_a_person_talks_in_a_terminal_and_leaves_with_ctrl_c(home: dict[str, str]) -> None:
    """Bubbles appear while one may go on typing; Ctrl-C ends cleanly, nothing is left running."""
    with _Terminal([sys.executable, "-m", "dev.demo"], {**home, "TERM": "xterm-256color"}) as tty:
        tty.until("Com qual loja")
        tty.types("6\r")
        tty.until("você ›")
        tty.types("tem strada?\r")
        tty.until("espera mais")  # the terminal is sent only what changed of the line
        tty.until("Lucas · Farol Veículos")
        tty.types("/trace\r")
        tty.until("search.found")
        tty.types("\x03")
        assert tty.exit_code() == 0
    assert _left_running(home) == []


def test_ctrl_c_in_the_middle_of_a_played_talk_stops_everything(home: dict[str, str]) -> None:
    """However it ends, the demo cleans up after itself."""
    environment_ = {**home, "TERM": "xterm-256color", "DEMO_SCRIPT": "1"}
    with _Terminal([sys.executable, "-m", "dev.demo"], environment_) as tty:
        tty.until("você → Ipê Seminovos")
        tty.types("\x03")
        tty.until("demo: failed: interrompido")
        assert tty.exit_code() == 128 + signal.SIGINT
    assert _left_running(home) == []


class _Terminal:
    """A command in a terminal of its own, with somebody at the keys."""

    def __init__(self, command: list[str], environment_: dict[str, str]) -> None:
        self._screen, keys = pty.openpty()
        fcntl.ioctl(keys, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 110, 0, 0))
        self._seen = ""
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment_, stdin=keys, stdout=keys, stderr=keys,
            start_new_session=True, preexec_fn=_own_the_terminal,
        )  # fmt: skip
        os.close(keys)

    def __enter__(self) -> _Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._screen)

    def types(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def until(self, text: str) -> None:
        """Reads on until the text has been shown after what was found before."""
        os.set_blocking(self._screen, False)
        end = time.monotonic() + _LIMIT_S
        while text not in self._seen:
            assert time.monotonic() < end, f"{text!r} was not shown: {self._seen[-2000:]}"
            self._read()
        self._seen = self._seen.partition(text)[2]

    def exit_code(self) -> int:
        end = time.monotonic() + _LIMIT_S
        while self._process.poll() is None:
            assert time.monotonic() < end, f"it goes on: {self._seen[-2000:]}"
            self._read()
        return self._process.returncode

    def _read(self) -> None:
        if select.select([self._screen], [], [], 0.2)[0]:
            try:
                shown = os.read(self._screen, 65536).decode(errors="replace")
                self._seen += shown
                if _WHERE_IS_THE_CURSOR in shown:
                    os.write(self._screen, b"\x1b[1;1R")
            except OSError:  # the other side has closed it
                self._process.wait()


def _own_the_terminal() -> None:
    """Makes the terminal's Ctrl-C reach the process."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
