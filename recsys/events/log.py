"""The Parquet log on disk: appended after a crash as after a rest, each event exactly once.

A batch of events is written as parts beside the others, and counts only from the moment when ``state.json`` names
them with their hashes; parts that it does not name are what a crash left and are removed. So the state is the one thing
that must be replaced atomically, and it is. A part that is gone or was changed is named, and nothing is read.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.errors import CorruptArtefact
from recsys.events.arrays import Events
from recsys.events.columns import Keep, in_memory, load_events
from recsys.events.log_state import NO_FILE, LogState, PartHashes, remedy_of
from recsys.events.parts import (
    LOG_SCHEMA,
    PART,
    by_day,
    find_aliases,
    first_seq,
    read_part,
    resolved,
    unified,
    written_aside,
)
from recsys.events.sound_rows import sound_rows_after
from recsys.store import Forgotten, Kind, Store, reader_digest
from recsys.store.addresses import is_made
from recsys.workspace import FileHashes, fsync_folder, read_json, replace_json, sha256_of

_BATCH_ROWS = 100_000  # events copied at once from the store to the log; about 150 MiB


class Appended(NamedTuple):
    """Result of one append: events added, days touched, and the highest ``seq`` that the log holds now."""

    events: int
    days: int
    through: int


class EventLog:
    """The log's folder. One process appends at a time; any number may read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._hashes = FileHashes()

    def append(self, store: Store, site: str, progress: Callable[[int], None] = lambda events: None) -> Appended:
        """Add what is new in the store.

        Args:
            store: the database.
            site: the one site whose events this log holds.
            progress: called after each batch with the number of events added so far.

        Raises:
            StaleArtefact: the log is of another site, or holds events that the store has not.
            CorruptArtefact: a part is gone or was changed.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._state().check_fits(self.root, store, site)
        state = replace(self._settled(), site=site)
        self._parts(state.through)
        self._remove_leftovers(state)
        added, days = 0, set()
        while (batch := sound_rows_after(store, site, state.through, _BATCH_ROWS)).through is not None:
            for day, part in by_day(batch.table) if batch.table.num_rows else ():
                state = state.with_part(*self._write_part(day, part))
                days.add(day)
            set_aside = [*state.set_aside, *batch.set_aside]
            state = replace(state, through=batch.through, set_aside=set_aside).write(self.root)
            added += batch.table.num_rows
            progress(added)
        if state.through == 0:
            state.write(self.root)
        self._find_aliases(store, site)
        return Appended(added, len(days), state.through)

    @property
    def site(self) -> str | None:
        """The site whose events the log holds, None before the first append."""
        return self._state().site

    @property
    def through(self) -> int:
        """The highest ``seq`` in the log, 0 when it is empty."""
        return self._state().through

    @property
    def set_aside(self) -> Sequence[Mapping[str, Any]]:
        """Rows of the store that no event could be made of: ``seq`` and ``got`` of each."""
        return self._state().set_aside

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
        if forgotten:
            self._settled()
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
        self._settled()
        return sum(
            self._keep_in(file, pc.greater_equal(times, before).fill_null(True))
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

    def sessions_of(self, numbers: Sequence[int]) -> dict[int, str]:
        """Identifiers of the sessions of some events: ``seq`` -> session, of those that have one."""
        wanted, sessions = pa.array(numbers, pa.int64()), dict[int, str]()
        for file in self._parts(self.through) if numbers else ():
            part = read_part(file, ["seq", "session"])
            rows = part.filter(pc.is_in(part["seq"], wanted)).drop_null()
            sessions |= dict(zip(rows["seq"].to_pylist(), rows["session"].to_pylist(), strict=True))
        return sessions

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Read the log, or some of its columns, in the order of (time, undated first; then ``seq``).

        Texts come dictionary-encoded, which is a tenth of the memory.

        Raises:
            CorruptArtefact: a part cannot be read.
        """
        names = list(columns) if columns is not None else LOG_SCHEMA.names
        return self._sorted(names)

    def load(self, keep: Keep = in_memory) -> Events:
        """Read the log as arrays.

        Args:
            keep: where the columns go.

        Raises:
            CorruptArtefact: a part cannot be read.
        """
        through = self.through
        return load_events(self._parts(through), through, self._aliases(), keep)

    def _sorted(self, names: list[str]) -> pa.Table:
        keys = [name for name in ("time", "seq") if name not in names]
        table = unified([read_part(file, names + keys) for file in self._parts(self.through)], names + keys)
        table = resolved(table, self._aliases())
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
        before = None
        with suppress(CorruptArtefact):
            before = self._aliases()
        if aliases != before:
            replace_json(self.root / "aliases.json", aliases)

    def _aliases(self) -> dict[str, str]:
        file = self.root / "aliases.json"
        return dict(read_json(file)) if file.is_file() else {}

    def _state(self) -> LogState:
        return LogState.read(self.root)

    def _settled(self) -> LogState:
        """The state, with a log of before knowing its parts, and with what a crash left half done brought to an end."""
        state = self._state()
        if state.site is None:
            return state
        if state.parts is None:
            parts = {self._name(file): PartHashes(sha256_of(file)) for file in self._files(state.through)}
            return replace(state, parts=parts).write(self.root)
        settled = state.settled(lambda name: self._hashes.of(self.root / name))
        return settled if settled == state else settled.write(self.root)

    def _name(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def _files(self, through: int) -> list[Path]:
        """Files that are named like parts with an event up to ``through``, in a fixed order."""
        files = (file for file in self.root.glob("date=*/*") if PART.fullmatch(file.name))
        return [file for first, file in sorted((first_seq(file), file) for file in files) if first <= through]

    def _parts(self, through: int) -> list[Path]:
        """Parts with an event up to ``through``, in a fixed order, each as it was written.

        Raises:
            CorruptArtefact: one is gone or was changed; the message names it.
        """
        known = self._state().parts
        if known is None:
            return self._files(through)
        for name in known:
            if not known[name].fits(self._hashes.of(self.root / name)):
                now = (self._state().parts or {}).get(
                    name, PartHashes(NO_FILE)
                )  # forgetting may write it anew meanwhile
                if not now.fits(sha256 := self._hashes.of(self.root / name)):
                    got = "no such file" if sha256 is None else "changed bytes"
                    part = f"the part {self.root / name} of the event log as it was written"
                    raise CorruptArtefact(part, got, remedy_of(self.root))
        files = sorted((first_seq(self.root / name), self.root / name) for name in known)
        return [file for first, file in files if first <= through and file.is_file()]

    def _remove_leftovers(self, state: LogState) -> None:
        for file in self.root.glob("date=*/*"):
            if self._name(file) not in (state.parts or {}):
                file.unlink()

    def _remove_from(self, file: Path, limits: Mapping[str, int]) -> int:
        """Write one part anew without the events of some readers, each up to a ``seq``; an empty part is removed."""
        part = pq.read_table(file, schema=LOG_SCHEMA)
        kept = np.ones(part.num_rows, bool)
        for reader, through in limits.items():
            own = pc.equal(part["reader"], reader).fill_null(False).to_numpy()
            kept &= ~(own & (part["seq"].to_numpy() <= through))
        return self._keep_in(file, pa.array(kept))

    def _keep_in(self, file: Path, kept: pa.Array | pa.ChunkedArray) -> int:
        """Write one part anew with the events that stay, bool (N,); an empty part is removed.

        Returns:
            How many events went.
        """
        gone = len(kept) - (pc.sum(kept).as_py() or 0)
        if not gone:
            return 0
        name, state = self._name(file), self._state()
        old = (state.parts or {})[name].sha256
        fresh = written_aside(file, pq.read_table(file, schema=LOG_SCHEMA).filter(kept)) if gone < len(kept) else None
        sha256 = sha256_of(fresh) if fresh else NO_FILE
        state.with_part(name, PartHashes(old, sha256)).write(self.root)
        if fresh:
            fresh.replace(file)
        else:
            file.unlink()
        fsync_folder(file.parent)
        state.with_part(name, PartHashes(sha256) if fresh else None).write(self.root)
        return gone

    def _write_part(self, day: str, part: pa.Table) -> tuple[str, PartHashes]:
        """Write a part; returns its name and hashes."""
        folder = self.root / f"date={day}"
        folder.mkdir(exist_ok=True)
        first, last = part["seq"][0].as_py(), part["seq"][-1].as_py()
        file = folder / f"part-{first}-{last}.parquet"
        fresh = written_aside(file, part)
        sha256 = sha256_of(fresh)
        fresh.replace(file)
        fsync_folder(folder)
        fsync_folder(self.root)
        return self._name(file), PartHashes(sha256)
