"""A real PostgreSQL server for the tests: Debian's package, a free port, a data folder of its own, gone afterwards."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
REMEDY = "apt-get install postgresql"
USER = "recsys"


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Start a server.

    Yields:
        The URL of its database "postgres".
    """
    if not INSTALLED:
        message = f"no PostgreSQL server under /usr/lib/postgresql: {REMEDY}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    programs = INSTALLED[-1].parent
    with tempfile.TemporaryDirectory(prefix="recsys-postgresql-", ignore_cleanup_errors=True) as folder:
        owner = _owner_other_than_root()
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _initialise(programs, folder, owner)
        with _serving(programs, folder, owner) as port:
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def fresh_database(server: str, name: str) -> Iterator[str]:
    """Make an empty database on the server, and drop it afterwards.

    Yields:
        Its URL.
    """
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield server.rpartition("/")[0] + "/" + name
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _owner_other_than_root() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; then it runs as the user that its package made."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _initialise(programs: Path, folder: str, owner: pwd.struct_passwd | None) -> None:
    command = [str(programs / "initdb"), "-D", f"{folder}/data", "-U", USER]
    command += ["-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    user, group = _ids(owner)
    subprocess.run(command, check=True, capture_output=True, cwd=folder, user=user, group=group)


def _copy(programs: Path, folder: str, owner: pwd.struct_passwd | None, port: int) -> None:
    """Copy a running server, as one that follows it."""
    command = [str(programs / "pg_basebackup"), "-h", "127.0.0.1", "-p", str(port), "-U", USER]
    command += ["-D", f"{folder}/data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    user, group = _ids(owner)
    subprocess.run(command, check=True, capture_output=True, cwd=folder, user=user, group=group)


class RestartableServer:
    """A server that can be killed and started again at the same address, and that others follow as copies.

    Args:
        folder: an empty one, which only the server's user may enter.
        copy_of: the server that it follows until it is promoted; None: it is one of its own.
        port: its port; None: a free one.
    """

    def __init__(self, folder: Path, copy_of: "RestartableServer | None" = None, port: int | None = None) -> None:
        if not INSTALLED:
            raise RuntimeError(f"no PostgreSQL server under /usr/lib/postgresql: {REMEDY}")
        self._folder, self._owner, self.port = str(folder), _owner_other_than_root(), port or _free_port()
        if self._owner:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        if copy_of is None:
            _initialise(INSTALLED[-1].parent, self._folder, self._owner)
        else:
            _copy(INSTALLED[-1].parent, self._folder, self._owner, copy_of.port)
        self.url = f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"
        self.start()
        if copy_of is not None:
            copy_of.wait_for_copies(True)

    def wait_for_copies(self, wait: bool) -> None:
        """Acknowledge a commit only when a copy has it, or again at once."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{'*' if wait else ''}'".encode())
            connection.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a copy a server of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = Path(self._folder, "log")
        self._server = _started(INSTALLED[-1].parent, self._folder, self._owner, self.port, log)
        _wait(self._server, self.port, log)

    def kill(self) -> None:
        """End it as a crash does: its sessions with it, and nothing is said to anybody."""
        self._server.send_signal(signal.SIGQUIT)  # PostgreSQL's own "immediate shutdown": recovery at the next start
        self._server.wait(30)


@contextlib.contextmanager
def _serving(programs: Path, folder: str, owner: pwd.struct_passwd | None) -> Iterator[int]:
    port = _free_port()
    log = Path(folder, "log")
    server = _started(programs, folder, owner, port, log)
    try:
        _wait(server, port, log)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(f"{folder}/data", ignore_errors=True)


def _started(
    programs: Path, folder: str, owner: pwd.struct_passwd | None, port: int, log: Path
) -> "subprocess.Popen[bytes]":
    settings = [f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1", "fsync=off", "max_connections=40"]
    command = [str(programs / "postgres"), "-D", f"{folder}/data", "-p", str(port)]
    for setting in settings:
        command += ["-c", setting]
    user, group = _ids(owner)
    with log.open("ab") as output:
        return subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, user=user, group=group)


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user=USER, dbname="postgres").close()
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ids(owner: pwd.struct_passwd | None) -> tuple[int | None, int | None]:
    return (owner.pw_uid, owner.pw_gid) if owner else (None, None)
