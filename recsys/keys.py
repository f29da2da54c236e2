"""Keys: the secrets of a data folder, each in a file of its own, which every process that has the folder shares.

Reads and writes ``NAME.key``, 32 random bytes for their owner alone; produces the key, and a ring of it with those
before it, which a rotation leaves in ``NAME.key.until-SECOND`` and which are taken until then.
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from recsys.units import DAY_MS, SECOND_MS

KEY_BYTES = 32
LOOK_SECONDS = 1.0  # how often a ring looks whether a key was rotated or taken away
FOREVER = 1 << 62
_UNTIL = ".until-"
_DAY_SECONDS = DAY_MS // SECOND_MS


class Key(NamedTuple):
    """One key.

    Attributes:
        id: its name in what it signs: the first eight hexadecimal digits of its SHA-256.
        secret: 32 bytes.
        until: s UTC, from when on it is not taken any more.
    """

    id: str
    secret: bytes
    until: int = FOREVER


def key_id(secret: bytes) -> str:
    """The name of a key in what it signs."""
    return hashlib.sha256(secret).hexdigest()[:8]


def folder_key(file: Path) -> bytes | None:
    """The key in a file, which is made when there is none; hosts that share the folder share the key.

    Returns:
        32 bytes; None where the folder cannot be written, or the file holds no whole key, which anybody could guess.
    """
    with suppress(OSError):
        if not file.exists():
            fresh = _fresh(file)
            with suppress(FileExistsError):
                os.link(fresh, file)  # whoever comes first; nobody sees half of it
            fresh.unlink()
        return _whole(file)
    return None


class KeyRing:
    """The key of a file and those before it, as they are now. Safe for threads.

    Args:
        file: of the key.
        clock: s UTC.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self._file, self._clock = file, clock
        self._look_at = 0.0
        self._current: Key | None = None
        self._keys: dict[str, Key] = {}

    def current(self) -> Key | None:
        """The key that signs; None where there is none, see ``folder_key``."""
        self._look()
        return self._current

    def secrets(self) -> list[bytes]:
        """The secrets that are taken now, the one that signs first; empty where there is none, see ``folder_key``."""
        if time.monotonic() >= self._look_at:
            self._look()
        current, now = self._current, self._clock()
        if current is None:
            return []
        older = (key.secret for key in self._keys.values() if key.id != current.id and now < key.until)
        return [current.secret, *older]

    def find(self, id: str) -> Key | None:
        """The key of a name that is taken now."""
        if time.monotonic() >= self._look_at or id not in self._keys:
            self._look()
        key = self._keys.get(id)
        return None if key is None or self._clock() >= key.until else key

    def _look(self) -> None:
        secret = folder_key(self._file)
        keys = {key.id: key for key in _retired(self._file)}
        self._current = None if secret is None else Key(key_id(secret), secret)
        if self._current is not None:
            keys[self._current.id] = self._current
        self._keys, self._look_at = keys, time.monotonic() + LOOK_SECONDS


def rotate(file: Path, days: float, clock: Callable[[], float] = time.time) -> Key:
    """Make a new key; what the one before it has signed is taken for so many days.

    Args:
        file: of the key.
        days: 0: from now on nothing that it signed is taken, as after a leak; of the keys before it neither.
        clock: s UTC.

    Returns:
        The new key.

    Raises:
        OSError: the folder cannot be written; then the old key goes on.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    now = int(clock())
    fresh = _fresh(file)
    if days > 0 and _whole(file) is not None:
        until = file.with_name(f"{file.name}{_UNTIL}{now + int(days * _DAY_SECONDS)}")
        until.unlink(missing_ok=True)
        os.link(file, until)
    fresh.replace(file)
    for key, old in _retired_files(file):
        if days <= 0 or now >= key.until:
            old.unlink(missing_ok=True)
    secret = file.read_bytes()
    return Key(key_id(secret), secret)


def _fresh(file: Path) -> Path:
    """A file with a new key beside the one named."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(os.urandom(KEY_BYTES))
    return fresh


def _whole(file: Path) -> bytes | None:
    key = file.read_bytes() if file.is_file() else b""
    return key if len(key) == KEY_BYTES else None


def _retired(file: Path) -> list[Key]:
    return [key for key, _ in _retired_files(file)]


def _retired_files(file: Path) -> list[tuple[Key, Path]]:
    """The keys before that of a file, with their files."""
    found = []
    for old in file.parent.glob(f"{file.name}{_UNTIL}*"):
        second = old.name.rpartition("-")[2]
        with suppress(OSError):
            if second.isdecimal() and (secret := _whole(old)) is not None:
                found.append((Key(key_id(secret), secret, int(second)), old))
    return found
