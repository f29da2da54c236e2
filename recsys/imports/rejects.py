"""Outcome of an import's rows: counts, and a file with each rejected row, its line and the reason."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from recsys.imports.matching import CatalogueMatch
from recsys.store import Merged, Written

_MAX_REASON = 120  # characters of a reason in a count
_QUOTED = re.compile(  # a value as ``ascii`` or ``repr`` writes it, its end perhaps cut off
    r"[:;]? b?(?:'(?:\\.|[^'\\])*(?:'|\Z)|\"(?:\\.|[^\"\\])*(?:\"|\Z))|: ?-?\d[\d.,:T+Z-]*(?: ms)?(?=\Z|;)|: [\[{].*"
)
_NAMED = 3  # articles that a sentence names
_MAX_ROW = 2_000  # characters of a rejected row that are kept: enough to find it in the file


@dataclass(frozen=True)
class Summary:
    """One import in numbers.

    Attributes:
        records: what the rows were taken for: articles, events or clicks.
        mapping: which column filled which field, empty where the format says it.
        read: rows of the file.
        stored: records (articles or events) that were new.
        updated: articles that differ from what was there.
        duplicate: records that were there already.
        rejected: rows that could not be used.
        seconds: it took.
        rejects: the file with the rejected rows and their reasons, None without any.
        first_reason: why the first one was rejected, empty without any.
        dry_run: nothing was written, these numbers are what would happen. A record that comes twice in the file may
            then be counted as new twice.
        reasons: rejected rows by reason, without the value.
        repaired: values that were put right or left out by field and what was done, such as "image: left out, not a
            web address"; the record was kept.
        left_out: rows that are not wanted, by what they are, such as "kind SCROLL".
        changed: articles by field that an update changed.
        notes: whole sentences for a person.
        matched_clicks: clicks whose article is in the store, and clicks; None when the file holds none.
        lost: files of several of which every row was rejected.
    """

    records: str
    mapping: str
    read: int
    stored: int
    updated: int
    duplicate: int
    rejected: int
    seconds: float
    rejects: Path | None
    first_reason: str
    dry_run: bool
    reasons: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    matched_clicks: tuple[int, int] | None = None
    lost: list[str] = field(default_factory=list)

    @property
    def rows_per_second(self) -> float:
        """Rows read per second."""
        return self.read / max(self.seconds, 1e-9)


class RecordTally(Protocol):
    """Listener to what becomes of rows and values that cannot be used as they are."""

    def reject(self, line: int, reason: str, row: Any) -> None:
        """Hear of a row that cannot be used, and why."""

    def repair(self, field: str, what: str) -> None:
        """Hear of a value that was put right or left out."""


class ImportTally:
    """Counts while an import runs. The rejects file is made with its first line.

    Args:
        folder: where rejects files are kept.
        name: the imported file's name.
        dry_run: count only; rejects are still written, since they are what one wants to see.
    """

    def __init__(self, folder: Path, name: str, dry_run: bool) -> None:
        self._folder, self._name, self._dry_run = folder, name, dry_run
        self._began = time.monotonic()
        self._file: IO[str] | None = None
        self._path: Path | None = None
        self._first_reason = ""
        self.records = self.mapping = ""
        self.read = self.rejected = 0
        self.written = Written(0, 0, 0)
        self.reasons, self.repaired, self.left_out, self.changed = (
            Counter[str](),
            Counter[str](),
            Counter[str](),
            Counter[str](),
        )
        self._hidden, self._deleted = dict[str, list[str]](), 0  # why -> ids
        self._begun: list[tuple[str, int, int]] = [(name, 0, 0)]  # files; rows read and rejected before each
        self._last_rejected = (0, 0)
        self.notes: list[str] = []
        self.matched_clicks: tuple[int, int] | None = None

    def __enter__(self) -> "ImportTally":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def begin(self, file: str) -> None:
        """Say that the rows which follow are of another file: one of several of the import."""
        self._begun.append((file, self.read, self.rejected))

    def lost_files(self) -> list[str]:
        """The files of which every row was rejected."""
        ends = [*((read, rejected) for _, read, rejected in self._begun[1:]), (self.read, self.rejected)]
        pairs = zip(self._begun, ends, strict=True)
        lost = [file for (file, read, rejected), end in pairs if end[0] > read and end[0] - read == end[1] - rejected]
        return lost if len(self._begun) > 1 else []

    def reject(self, line: int, reason: str, row: Any) -> None:
        """Write one row that cannot be used to the rejects file; it counts as read, and once for all of its events."""
        part = (len(self._begun), line)
        if part == self._last_rejected:
            return
        self._last_rejected = part
        self.reasons[_without_value(reason)] += 1
        if len(self._begun) > 1:
            reason = f"{self._begun[-1][0]}: {reason}"
        if self._file is None:
            self._first_reason = f"line {line}: {reason}"
            self._file = self._open()
        text = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False, default=str)
        rejected = {"line": line, "reason": reason, "row": text[:_MAX_ROW]}
        self._file.write(json.dumps(rejected, ensure_ascii=False) + "\n")
        self.rejected += 1
        self.read += 1

    def repair(self, field: str, what: str, count: int = 1) -> None:
        """Count values of a field that were put right or left out."""
        self.repaired[f"{field}: {_without_value(what)}"] += count

    def leave_out(self, what: str, count: int = 1) -> None:
        """Count rows that are not wanted; they count as read."""
        self.left_out[what] += count
        self.read += count

    def note(self, sentence: str) -> None:
        """Keep a sentence for the end, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def wrote(self, rows: int, written: Written) -> None:
        """Count rows that became records, and what the store did with them."""
        self.read += rows
        self.written = Written(*(a + b for a, b in zip(self.written, written, strict=True)))

    def merged(self, rows: int, merged: Merged) -> None:
        """Count rows that became patches of articles, and what the store did with them."""
        self.wrote(rows, merged.written)
        self.changed.update(merged.changed)
        self.repaired.update(merged.repaired)
        for article_id, why in merged.stays_hidden:
            self._hidden.setdefault(why, []).append(article_id)
        self._deleted += merged.deleted

    def match(self, match: CatalogueMatch, remedy: str) -> None:
        """Add clicks and how many of them match an article of the store; note the remedy where these are few."""
        matched, clicks = self.matched_clicks or (0, 0)
        self.matched_clicks = (matched + match.matched, clicks + match.clicks)
        if sentence := match.sentence(remedy):
            self.note(sentence)

    def summary(self) -> Summary:
        """The numbers so far."""
        seconds = time.monotonic() - self._began
        for why, ids in self._hidden.items():
            stay = "1 article stays" if len(ids) == 1 else f"{len(ids):,} articles stay"
            named = ", ".join(ids[:_NAMED]) + (", …" if len(ids) > _NAMED else "")
            self.note(f"{stay} hidden, {why}: {named}. `python -m jobs show ID` shows one again.")
        if self._deleted:
            rows = "1 row is" if self._deleted == 1 else f"{self._deleted:,} rows are"
            self.note(f"{rows} of articles that an operator deleted: left out. `python -m jobs show ID` lifts it.")
        if gone := self.written.forgotten:
            rows = "1 event is" if gone == 1 else f"{gone:,} events are"
            self.note(f"{rows} from before their reader was forgotten: left out.")
        return Summary(
            self.records,
            self.mapping,
            self.read,
            *self.written[:3],
            self.rejected,
            seconds,
            self._path,
            self._first_reason,
            self._dry_run,
            dict(self.reasons.most_common()),
            dict(self.repaired.most_common()),
            dict(self.left_out.most_common()),
            dict(self.changed.most_common()),
            list(self.notes),
            self.matched_clicks,
            self.lost_files(),
        )

    def _open(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        for number in range(1_000):
            self._path = self._folder / f"{self._name}-{stamp}{f'-{number}' if number else ''}.jsonl"
            try:
                return self._path.open(
                    "x", encoding="utf-8", errors="backslashreplace"
                )  # half a character, as JSON says it
            except FileExistsError:
                continue
        raise FileExistsError(self._path)


def _without_value(reason: str) -> str:
    """A reason without the value that it quotes, so that equal reasons are counted together."""
    return _QUOTED.sub("", reason).strip(" :;,").removesuffix(", such as")[:_MAX_REASON]
