"""Challenger: a release that a process of its own serves beside the live one, to nobody (shadow) or to few (canary).

A second release in a worker would double the memory of all of them for a share of a few per cent. So one process lays
it out and answers at a socket in the data folder, and the workers of that folder ask it, of this container or another:
over a note beside it, which says which release it is and which lists are its own. Each worker leaves what it saw in a
file there: answers, failures, times, and of a shadow how much of its lists is the same. A challenger that has ended, or
is slow, is a reader's misfortune at no time: the worker answers by the live release.
"""

import enum
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact
from recsys.workspace import exclusive, read_json, replace_json

SAME_OF = 10  # first articles of two lists, of which it is counted how many are the same
KEPT_TIMES = 2_000  # answers of which a worker keeps the time: the last ones
_NOTE, _SOCKET = "note.json", "socket"


class ChallengerMode(enum.StrEnum):
    """Readers of a challenger."""

    SHADOW = "shadow"
    CANARY = "canary"


@dataclass(frozen=True)
class ChallengerNote:
    """The note of a challenger that answers.

    Attributes:
        id: of this challenge; another one of the same release has another.
        release: that it serves.
        mode: whether readers see it.
        share: of the lists that a shadow is asked for, above 0 and at most 1; a canary's readers are an experiment's.
    """

    id: str
    release: str
    mode: ChallengerMode
    share: float


@dataclass
class ChallengerFigures:
    """Figures of one challenger, of one worker or of all.

    Attributes:
        asked: lists that it was asked for.
        failed: of them those that it did not answer, or not in time.
        dropped: lists of a shadow that were not asked for, for want of time.
        ms: times until its answer, the last ones.
        live_ms: of the same lists by the live release, where these were made.
        same: lists by the number of their first ``SAME_OF`` articles that are the live list's, 0 to ``SAME_OF``.
    """

    asked: int = 0
    failed: int = 0
    dropped: int = 0
    ms: list[float] = field(default_factory=list)
    live_ms: list[float] = field(default_factory=list)
    same: list[int] = field(default_factory=lambda: [0] * (SAME_OF + 1))

    def plus(self, other: "ChallengerFigures") -> "ChallengerFigures":
        """Figures of two workers."""
        same = [mine + more for mine, more in zip(self.same, other.same, strict=True)]
        counts = (self.asked + other.asked, self.failed + other.failed, self.dropped + other.dropped)
        return ChallengerFigures(*counts, self.ms + other.ms, self.live_ms + other.live_ms, same)

    def took(self, ms: float, live_ms: float | None = None) -> None:
        """Note the time of an answer."""
        self.ms = [*self.ms[1 - KEPT_TIMES :], ms]
        if live_ms is not None:
            self.live_ms = [*self.live_ms[1 - KEPT_TIMES :], live_ms]

    def compare(self, live: Sequence[str], other: Sequence[str]) -> None:
        """Note how many of the first articles of a list are the live list's; lists that are shorter count as long."""
        first = live[:SAME_OF]
        if first:
            self.same[round(SAME_OF * len(set(first) & set(other[:SAME_OF])) / len(first))] += 1

    @property
    def overlap(self) -> float | None:
        """Mean share of the first articles that are the same, 0 to 1; None without lists."""
        lists = sum(self.same)
        return sum(n * count for n, count in enumerate(self.same)) / (SAME_OF * lists) if lists else None


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """The socket of a folder by a short name: one of more than 107 bytes cannot be bound or connected to."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{_SOCKET}"
    finally:
        os.close(descriptor)


class ChallengerFolder:
    """The folder of the note and the figures.

    Args:
        data: the data folder.
    """

    def __init__(self, data: Path) -> None:
        self.root = data / "live" / "challenger"

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the folder for one challenger; what another one left, whose command was killed, is removed.

        Raises:
            Busy: another release is served beside the live one.
        """
        with exclusive(self.root / ".lock", "one release beside the live one"):
            self.clear()
            try:
                yield
            finally:
                self.clear()

    def bind(self) -> socket.socket:
        """A socket of this folder, to which whoever may enter it can connect."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / _SOCKET).unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX)
        with _address(self.root) as address:
            made.bind(address)
        return made

    def connect(self, seconds: float) -> socket.socket:
        """A connection to the challenger.

        Args:
            seconds: for which it, and each answer, is waited for.

        Raises:
            OSError: none answers.
        """
        made = socket.socket(socket.AF_UNIX)
        try:
            made.settimeout(seconds)
            with _address(self.root) as address:
                made.connect(address)
        except OSError:
            made.close()
            raise
        return made

    def write_note(self, note: ChallengerNote) -> None:
        """Say that a challenger answers."""
        self.root.mkdir(parents=True, exist_ok=True)
        replace_json(self.root / _NOTE, asdict(note))

    def note(self) -> ChallengerNote | None:
        """The note; None where there is none, or none of ours."""
        try:
            found: dict[str, Any] = read_json(self.root / _NOTE)
            return ChallengerNote(**{**found, "mode": ChallengerMode(found["mode"])})
        except (OSError, CorruptArtefact, KeyError, TypeError, ValueError):
            return None

    def remove_note(self) -> None:
        """Take the note back: every worker answers by itself within a second."""
        (self.root / _NOTE).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the note, the socket and the figures."""
        self.remove_note()
        (self.root / _SOCKET).unlink(missing_ok=True)
        for file in self.root.glob("figures-*.json"):
            file.unlink(missing_ok=True)

    def write_figures(self, note: ChallengerNote, worker: int, figures: ChallengerFigures) -> None:
        """Leave one worker's figures; ``worker`` is its process id."""
        replace_json(self.root / f"figures-{worker}.json", {"of": note.id, **asdict(figures)})

    def figures(self, id: str) -> ChallengerFigures:
        """The figures of all workers for one challenge."""
        whole = ChallengerFigures()
        for file in sorted(self.root.glob("figures-*.json")):
            with suppress(OSError, CorruptArtefact, KeyError, TypeError, ValueError):
                found: dict[str, Any] = read_json(file)
                if found.pop("of") == id:
                    whole = whole.plus(ChallengerFigures(**found))
        return whole
