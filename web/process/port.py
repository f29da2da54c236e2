"""Port: host and port -> an address that one service holds, with a socket for each worker.

Workers have sockets of their own (SO_REUSEPORT), among which the kernel deals connections out evenly; of one socket
that all accept from, the first to wake up takes nine in ten, and kept connections stay there. With SO_REUSEPORT alone a
second service would start on the port without a word and get half of the requests. So the address is taken without it,
and opened afterwards for further sockets of this service.
"""

import errno
import socket
from pathlib import Path
from types import TracebackType

from recsys.errors import ConfigError
from web.process.folder import note_of

LISTENING = "0A"  # state of a socket in /proc/net/tcp


class Port:
    """An address that is held until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        """Take the address.

        Args:
            host: name or address of this machine.
            port: 0 takes a free one.

        Raises:
            ConfigError: somebody holds it already, or it cannot be listened on.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise ConfigError("an address of this machine", f"{host!r} ({error})", "Set web.host, or --host.") from None
        self._family, address = found[0][0], found[0][4]
        self._guard = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart waits for no old connection
            self._guard.bind(address)
        except OSError as error:
            self._guard.close()
            got = holder(port) if error.errno == errno.EADDRINUSE else str(error.strerror)
            raise ConfigError(
                f"a free port {port} on {host}", got, "End that process, or set web.port (or --port) to another one."
            ) from None
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # from now on nobody else gets it
        self._guard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._address = self._guard.getsockname()
        self.number: int = self._address[1]

    def __enter__(self) -> "Port":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._guard.close()

    def socket(self) -> socket.socket:
        """A further socket that is bound to the address; it gets connections from when it listens."""
        made = socket.socket(self._family, socket.SOCK_STREAM)
        # the connections that it leaves behind hold up no restart for a minute: their half of the agreement
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(self._address)
        return made


def holder(port: int) -> str:
    """The process that listens on a port, with its data folder if it is such a service as this one."""
    pids = sorted(_listeners(port))
    if not pids:
        return "one that a process of another user holds, or that is kept free for one"
    for pid in pids:
        for process in (pid, _parent(pid)):  # a worker listens; its parent is who was started
            note = note_of(process)
            if note is not None:
                return f"{_named(process)}, which serves {note.get('site')!r} from {note.get('data_dir')}"
    return _named(next((pid for pid in pids if _parent(pid) not in pids), pids[0]))


def _named(pid: int) -> str:
    try:
        words = Path("/proc", str(pid), "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        words = []
    return f"one that process {pid} ({b' '.join(words).decode('utf-8', 'replace'):.200}) holds"


def _listeners(port: int) -> set[int]:
    """Ids of the processes that hold a listening socket of a port, as far as this user may see them."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, *rest = line.split()
            if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{rest[5]}]")
    return {pid for pid in _processes() if inodes & _open_files(pid)}


def _processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def _open_files(pid: int) -> set[str]:
    found = set()
    try:
        for link in Path("/proc", str(pid), "fd").iterdir():
            found.add(str(link.readlink()))
    except OSError:  # another user's, or it has just ended
        pass
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
