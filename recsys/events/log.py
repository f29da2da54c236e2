"""The Parquet log on disk: appended after a crash as after a rest, each event exactly once.

A batch of events is written as parts beside the others, and counts only from the moment when ``state.json`` says so;
parts beyond ``state.json`` are what a crash left and are removed. So the state is the one thing that must be replaced
atomically, and it is.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.errors import StaleArtefact
from recsys.events.arrays import Events
from recsys.events.parts import ARRAY_COLUMNS, LOG_SCHEMA, as_events, by_day, find_aliases, read_part, resolved, unified
from recsys.store import Forgotten, Kind, Store, reader_digest
from recsys.store.addresses import is_made
from recsys.workspace import fsync_folder, read_json, replace_json

_BATCH_ROWS = 100_000  # events copied at once from the store to the log; about 150 MiB
PART = re.compile(r"part-(\d+)-(\d+)\.parquet")


class Appended(NamedTuple):
    """Result of one append: events added, days touched, and the highest ``seq`` that the log holds now."""

    events: int
    days: int
    through: int


class EventLog:
    """The log's folder. One process appends at a time; any number may read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def append(self, store: Store, site: str, progress: Callable[[int], None] = lambda events: None) -> Appended:
        """Add what is new in the store.

        Args:
            store: the database.
            site: the one site whose events this log holds.
            progress: called after each batch with the number of events added so far.

        Raises:
            StaleArtefact: the log is of another site, or holds events that the store has not.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        first = through = self._checked_state(store, site)
        self._remove_leftovers(through)
        added, days = 0, set()
        while (batch := _next_batch(store, site, through, _BATCH_ROWS)).num_rows:
            for day, part in by_day(batch):
                self._write_part(day, part)
                days.add(day)
            through = batch["seq"][-1].as_py()
            replace_json(self.root / "state.json", {"site": site, "through": through})
            added += batch.num_rows
            progress(added)
        if first == 0 and not added:
            replace_json(self.root / "state.json", {"site": site, "through": 0})
        self._find_aliases(store, site)
        return Appended(added, len(days), through)

    @property
    def site(self) -> str | None:
        """The site whose events the log holds, None before the first append."""
        site = self._state()["site"]
        return None if site is None else str(site)

    @property
    def through(self) -> int:
        """The highest ``seq`` in the log, 0 when it is empty."""
        return int(self._state()["through"])

    def count(self) -> int:
        """Number of events in the log, read from the parts' footers."""
        return sum(pq.read_metadata(file).num_rows for file in self._parts(self.through))

    def lacking(self, names: Sequence[str]) -> dict[str, int]:
        """Number of events without a value, for each field in ``names``, read from the parts' footers."""
        counts = dict.fromkeys(names, 0)
        for file in self._parts(self.through):
            footer = pq.read_metadata(file)
            for group in map(footer.row_group, range(footer.num_row_groups)):
                for column in map(group.column, range(group.num_columns)):
                    if column.path_in_schema in counts:
                        counts[column.path_in_schema] += column.statistics.null_count
        return counts

    def clicks(self) -> dict[str, int]:
        """Article -> its clicks in the log."""
        counts = Counter[str]()
        for file in self._parts(self.through):
            part = read_part(file, ["kind", "article"])
            for pair in pc.value_counts(part.filter(pc.equal(part["kind"], Kind.CLICK))["article"]).to_pylist():
                counts[pair["values"]] += pair["counts"]
        return dict(counts)

    def has_reader(self, prefix: str) -> bool:
        """Presence of an event of a reader whose identifier begins with ``prefix``."""
        for file in self._parts(self.through):
            names = read_part(file, ["reader"])["reader"].combine_chunks().dictionary
            if pc.any(pc.starts_with(names, prefix)).as_py():
                return True
        return False

    def forget(self, site: str, forgotten: Sequence[Forgotten]) -> int:
        """Rewrite the parts that hold something of readers who were forgotten, each atomically.

        Call it after ``append``. A crash leaves each part as it was or as it shall be; then call it again.

        Args:
            site: the one site whose events this log holds.
            gone: the readers; what they did after they were forgotten is another reader's and stays.

        Returns:
            How many events were removed.
        """
        through = {reader.digest: reader.through for reader in forgotten}
        removed = 0
        for file in self._parts(self.through) if forgotten else ():
            names = read_part(file, ["reader"])["reader"].unique().drop_null().to_pylist()
            limits = {name: through[digest] for name in names if (digest := reader_digest(site, name)) in through}
            if limits:
                removed += self._remove_from(file, limits)
        return removed

    def expire(self, before: int) -> int:
        """Rewrite, or remove, the parts with what happened before a time, each atomically; undated events stay.

        Args:
            before: int ms UTC.

        Returns:
            How many events were removed.
        """
        return sum(
            _keep_in(file, pc.greater_equal(times, before).fill_null(True))
            for file in self._parts(self.through)
            if (first := pc.min(times := read_part(file, ["time"])["time"]).as_py()) is not None and first < before
        )

    def count_of(self, reader: str) -> tuple[int, int]:
        """Number of events of a reader in the log, and of the parts that hold them."""
        counts = [
            pc.sum(pc.equal(read_part(file, ["reader"])["reader"].cast(pa.string()), reader)).as_py() or 0
            for file in self._parts(self.through)
        ]
        return sum(counts), sum(1 for count in counts if count)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read the log, or some of its columns, in the order of (time, undated first; then ``seq``).

        Texts come dictionary-encoded, which is a tenth of the memory.

        Raises:
            CorruptArtefact: a part cannot be read.
        """
        names = list(columns) if columns is not None else LOG_SCHEMA.names
        return self._sorted(names, self.through)

    def load(self, until: int | None = None) -> Events:
        """Read the log as arrays.

        Args:
            until: only events with ``seq`` up to this one; all by default.

        Raises:
            CorruptArtefact: a part cannot be read.
        """
        through = self.through if until is None else min(until, self.through)
        return as_events(self._sorted(ARRAY_COLUMNS, through), through)

    def _sorted(self, names: list[str], through: int) -> pa.Table:
        keys = [name for name in ("time", "seq") if name not in names]
        table = unified([read_part(file, names + keys) for file in self._parts(through)], names + keys)
        table = resolved(table, self._aliases())
        if table.num_rows and through < self.through:
            table = table.filter(pc.less_equal(table["seq"], through))
        order = pc.sort_indices(
            table.select(["time", "seq"]),
            sort_keys=[("time", "ascending", "at_start"), ("seq", "ascending", "at_end")],
        )
        return table.select(names).take(order)

    def _find_aliases(self, store: Store, site: str) -> None:
        """Note the made identifiers of articles that have come since; they are resolved when the log is read."""
        parts = (read_part(file, ["article"])["article"].unique().to_pylist() for file in self._parts(self.through))
        made_ids = {name for names in parts for name in names if is_made(name)}
        aliases = find_aliases(made_ids, store.article_names(site))
        if aliases != self._aliases():
            replace_json(self.root / "aliases.json", aliases)

    def _aliases(self) -> dict[str, str]:
        file = self.root / "aliases.json"
        return dict(read_json(file)) if file.is_file() else {}

    def _state(self) -> dict[str, Any]:
        file = self.root / "state.json"
        return dict(read_json(file)) if file.is_file() else {"site": None, "through": 0}

    def _checked_state(self, store: Store, site: str) -> int:
        state = self._state()
        remedy = f"Remove the folder {self.root} and run `python -m jobs events` again: it is made anew from the store."
        if state["site"] not in (None, site):
            raise StaleArtefact(f"a log of the site {site!r}", f"one of {state['site']!r}", remedy)
        last = max(store.last_seq(site), store.forgotten_through(site))  # the newest may be a forgotten reader's
        if last < state["through"]:
            got = f"a log that has events up to {state['through']} and a store that ends at {last}"
            raise StaleArtefact("a log that is behind its store", got, remedy)
        return int(state["through"])

    def _parts(self, through: int) -> list[Path]:
        """Parts with an event up to ``through``, in a fixed order; those of an unfinished batch begin beyond it."""
        files = [(int(match[1]), file) for file in self.root.glob("date=*/*") if (match := PART.fullmatch(file.name))]
        return [file for first, file in sorted(files) if first <= through]

    def _remove_leftovers(self, through: int) -> None:
        finished = set(self._parts(through))
        for file in self.root.glob("date=*/*"):
            if file not in finished:
                file.unlink()

    def _remove_from(self, file: Path, limits: Mapping[str, int]) -> int:
        """Write one part anew without the events of some readers, each up to a ``seq``; an empty part is removed."""
        part = pq.read_table(file, schema=LOG_SCHEMA)
        kept = np.ones(part.num_rows, bool)
        for reader, through in limits.items():
            own = pc.equal(part["reader"], reader).fill_null(False).to_numpy()
            kept &= ~(own & (part["seq"].to_numpy() <= through))
        return _keep_in(file, pa.array(kept))

    def _write_part(self, day: str, part: pa.Table) -> None:
        folder = self.root / f"date={day}"
        folder.mkdir(exist_ok=True)
        first, last = part["seq"][0].as_py(), part["seq"][-1].as_py()
        _replace_part(folder / f"part-{first}-{last}.parquet", part)
        fsync_folder(self.root)


def _keep_in(file: Path, kept: pa.Array | pa.ChunkedArray) -> int:
    """Write one part anew with the events that stay, bool (N,); an empty part is removed. Returns how many went."""
    gone = len(kept) - (pc.sum(kept).as_py() or 0)
    if gone == len(kept):
        file.unlink()
        fsync_folder(file.parent)
    elif gone:
        _replace_part(file, pq.read_table(file, schema=LOG_SCHEMA).filter(kept))
    return gone


def _replace_part(file: Path, part: pa.Table) -> None:
    """Write a part whole, under the name of the one that it replaces."""
    fresh = file.with_name(f".{file.stem}.tmp")
    pq.write_table(part, fresh, compression="zstd")
    fsync_folder(fresh)
    fresh.replace(file)
    fsync_folder(file.parent)


def _next_batch(store: Store, site: str, through: int, limit: int) -> pa.Table:
    columns = store.event_columns_after(site, through, limit)
    return pa.table([pa.array(columns[field.name], field.type) for field in LOG_SCHEMA], schema=LOG_SCHEMA)
