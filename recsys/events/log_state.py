"""State of the Parquet log: how far it goes, which parts it has with the hash of each, which rows were set aside.

Reads and produces ``state.json`` in the log's folder, replaced whole. What it does not name is no part of the log, and
what it names is there with the bytes that were written, or somebody is told. A part that is written anew is named with
both hashes before, and with the new one afterwards, so that a crash between the two leaves nothing in doubt.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact, StaleArtefact
from recsys.store import Store
from recsys.workspace import read_json, replace_json

STATE_FILE = "state.json"
NO_FILE = ""  # the hash of a part of which nothing is left
_DIGEST = "digest"


@dataclass(frozen=True)
class PartHashes:
    """Hashes of one part.

    Attributes:
        sha256: of its bytes.
        next: of its bytes when it is written anew, ``NO_FILE`` when it shall be removed; None: nobody does either.
    """

    sha256: str
    next: str | None = None

    def fits(self, sha256: str | None) -> bool:
        """True for the hash of a file, None where there is none, that is right for the part."""
        return (NO_FILE if sha256 is None else sha256) in (self.sha256, self.next)


@dataclass(frozen=True)
class LogState:
    """State of one log.

    Attributes:
        site: whose events it holds; None before the first append.
        through: the highest ``seq`` that was looked at.
        parts: name below the log's folder -> hashes; None in a log of before 0.12, which did not know its parts.
        set_aside: rows of the store that no event could be made of: ``seq`` and the reason.
    """

    site: str | None = None
    through: int = 0
    parts: Mapping[str, PartHashes] | None = field(default_factory=dict)
    set_aside: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def read(cls, root: Path) -> "LogState":
        """The state of the log in a folder, that of an empty one where there is none.

        Raises:
            CorruptArtefact: the file was changed by somebody else.
        """
        file = root / STATE_FILE
        if not file.is_file():
            return cls()
        try:
            values = dict(read_json(file))
            told = values.pop(_DIGEST, None)
            if told is None and "parts" not in values:
                return cls(values["site"], int(values["through"]), None)
            whole = told == _digest_of(values)
            parts = {name: PartHashes(**hashes) for name, hashes in values.pop("parts").items()} if whole else {}
        except (AttributeError, CorruptArtefact, KeyError, TypeError, ValueError):
            whole = False
        if not whole:
            raise CorruptArtefact(f"the state of the event log in {file}", "changed bytes", remedy_of(root))
        return cls(parts=parts, **values)

    def write(self, root: Path) -> "LogState":
        """Replace the state in a folder; returns it."""
        values = asdict(self) | {"set_aside": [dict(row) for row in self.set_aside]}
        replace_json(root / STATE_FILE, values | {_DIGEST: _digest_of(values)})
        return self

    def with_part(self, name: str, hashes: PartHashes | None) -> "LogState":
        """The state with other hashes of one part, or without it."""
        others = {other: known for other, known in (self.parts or {}).items() if other != name}
        return replace(self, parts=others if hashes is None else {**others, name: hashes})

    def check_fits(self, root: Path, store: Store, site: str) -> None:
        """Compare the state with the store that the log is made of.

        Raises:
            StaleArtefact: the log is of another site, or holds events that the store has not.
        """
        if self.site not in (None, site):
            raise StaleArtefact(f"a log of the site {site!r}", f"one of {self.site!r}", remedy_of(root))
        last = max(store.last_seq(site), store.forgotten_through(site))  # the newest may be a forgotten reader's
        if last < self.through:
            got = f"a log that has events up to {self.through} and a store that ends at {last}"
            raise StaleArtefact("a log that is behind its store", got, remedy_of(root))

    def settled(self, hash_of: Callable[[str], str | None]) -> "LogState":
        """The state with every part that a crash left between two hashes having the one that its file has.

        Args:
            hash_of: the hash of the file of a part, None where there is none.
        """
        state = self
        for name, part in (self.parts or {}).items():
            if part.next is not None and part.fits(sha256 := hash_of(name)):
                state = state.with_part(name, PartHashes(sha256) if sha256 else None)
        return state


def remedy_of(root: Path) -> str:
    """The remedy for whatever is wrong with a log: it is made of the store and can be made again."""
    return f"Remove the folder {root} and run `python -m jobs events` again: it is made anew from the store."


def _digest_of(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
