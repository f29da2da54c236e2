"""A real PostgreSQL server for the tests: Debian's package, a free port, a data folder of its own, gone afterwards."""

import contextlib
import os
import pwd
import shutil
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


@contextlib.contextmanager
def _serving(programs: Path, folder: str, owner: pwd.struct_passwd | None) -> Iterator[int]:
    port = _free_port()
    settings = [f"unix_socket_directories={folder}", "listen_addresses=127.0.0.1", "fsync=off", "max_connections=40"]
    command = [str(programs / "postgres"), "-D", f"{folder}/data", "-p", str(port)]
    for setting in settings:
        command += ["-c", setting]
    log = Path(folder, "log")
    user, group = _ids(owner)
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, user=user, group=group)
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
