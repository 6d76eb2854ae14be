"""A MariaDB server in a folder of its own. Called by `supervisor` and `extra`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pymysql
from pydantic import SecretStr

from dev.servers import ports, process, programs
from dev.servers.values import MariaDB, ServersError

USER = "helix_admin"
_START_S = 120.0
_PORTS_TRIED = 5

# As durable as production: a commit is on disk before it is answered. Small in memory.
_OPTIONS = (
    f"--bind-address={ports.HOST}",
    "--skip-name-resolve",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=64M",
    "--max-connections=500",
    "--performance-schema=OFF",
    "--local-infile=OFF",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
)

# Run by the server itself at each start, before it listens: one statement a line. Whatever an
# earlier run left, the administrator has the password that we know, and nobody else is one.
_INIT = """\
DELETE FROM mysql.global_priv WHERE User IN ('', 'root', 'mysql');
FLUSH PRIVILEGES;
CREATE USER IF NOT EXISTS '{user}'@'{host}';
ALTER USER '{user}'@'{host}' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO '{user}'@'{host}' WITH GRANT OPTION;
"""


class MariadbServer:
    """One server: `start`, then `access` says where it is, then `stop`."""

    def __init__(
        self,
        home: Path,
        *,
        die_with_parent: signal.Signals = signal.SIGTERM,
        options: Sequence[str] = (),
    ) -> None:
        """`home` holds data, logs and password; it may hold those of an earlier run. `options` go
        to the server's command line, after our own."""
        self._home = home.resolve()
        self._options = tuple(options)
        self._data = self._home / "data"
        # Not the system's: a server that starts removes all `#sql*` files of its folder, those of
        # servers that run beside it too, which crashes them (seen with 10.11.19).
        self._tmp = self._home / "tmp"
        self._log = self._home / "server.log"
        self._pid_file = self._home / "pid"
        self._die_with_parent = die_with_parent
        self._process: subprocess.Popen[bytes] | None = None
        self._access: MariaDB | None = None

    @property
    def access(self) -> MariaDB:
        """Where the server is. Raises ServersError before the first `start`."""
        if self._access is None:
            raise ServersError("this MariaDB server has not been started")
        return self._access

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self.is_running() and self._process else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def has_died(self) -> bool:
        """True when it was started and has ended, for whatever reason."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> MariaDB:
        """Installs the data folder when there is none, and waits until the server answers.

        A restart keeps the port when nobody took it. Raises ServersError.
        """
        if self.is_running():
            return self.access
        with process.private_umask():
            self._tmp.mkdir(parents=True, exist_ok=True)
            process.stop_leftover(self._pid_file, argument=f"--datadir={self._data}")
            self._install()
            for _ in range(_PORTS_TRIED):
                access = self._prepare()
                if self._launch(access):
                    self._access = access
                    return access
        raise ServersError(f"MariaDB does not start:\n{process.tail(self._log)}")

    def stop(self) -> None:
        """Ends the server in order; nothing happens when it does not run."""
        if self._process is not None:
            process.stop(self._process)

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """The server keeps its connections and answers nothing, until `resume`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _install(self) -> None:
        if self._data.exists():
            return
        new = self._home / "data.new"  # renamed when it is whole: a crash leaves no half
        shutil.rmtree(new, ignore_errors=True)
        install = programs.need("mariadb-install-db")
        options = ["--no-defaults", *programs.install_options(install), f"--datadir={new}"]
        options += [f"--tmpdir={self._tmp}"]
        options += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        options += ["--skip-name-resolve", "--innodb-log-file-size=64M", *_as_root()]
        process.run([install, *options])
        new.rename(self._data)

    def _prepare(self) -> MariaDB:
        password = process.kept_secret(self._home / "password")
        init = self._home / "init.sql"
        init.unlink(missing_ok=True)
        init.write_text(_INIT.format(user=USER, host=ports.HOST, password=password))
        return MariaDB(
            host=ports.HOST,
            port=ports.choose(self._home / "port"),
            user=USER,
            password=SecretStr(password),
            programs=programs.private_folder("mariadb-dump"),
        )

    def _launch(self, access: MariaDB) -> bool:
        """False when the server ended at once, as it does when its port was just taken."""
        command = [str(programs.need("mariadbd")), "--no-defaults", *_OPTIONS]
        command += [*self._options, *_as_root()]
        command += [f"--datadir={self._data}", f"--tmpdir={self._tmp}", f"--port={access.port}"]
        command += [f"--pid-file={self._pid_file}", f"--init-file={self._home / 'init.sql'}"]
        # Relative to the data folder: the path of a socket may have about 100 characters.
        command += ["--socket=server.sock"]
        started = process.start(command, log=self._log, die_with_parent=self._die_with_parent)
        self._process = started
        process.wait_until(lambda: started.poll() is not None or _answers(access), limit_s=_START_S)
        if started.poll() is not None:
            return False
        if not _answers(access):
            self.kill()
            return False
        return True


def _answers(access: MariaDB) -> bool:
    """Whether our own server answers: a stranger on the port does not know the password."""
    try:
        pymysql.connect(
            host=access.host,
            port=access.port,
            user=access.user,
            password=access.password.get_secret_value(),
            connect_timeout=2,
            read_timeout=2,  # a stranger that has taken the port may say nothing
        ).close()
    except pymysql.MySQLError:
        return False
    return True


def _as_root() -> list[str]:
    """MariaDB refuses to run as root unless told to."""
    return ["--user=root"] if os.geteuid() == 0 else []
