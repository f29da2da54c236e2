"""Training rows on disk: a Parquet file with a row per candidate, row groups of whole lists, and its schema beside it.

A row group is a block: it holds lists of one part only, so that a training reads the part that it asks for, block by
block. Columns are named as the features are; a list's last clicks stand on its first row alone.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.dataset.chunks import Chunks, ChunkStatistics
from recsys.dataset.training_set import TrainingSet
from recsys.errors import CorruptArtefact, StaleArtefact
from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS, NAMES, VERSION
from recsys.features.rows import Ids, concatenated
from recsys.workspace import read_json, write_json

ROW_GROUP_ROWS = 65_536  # rows that a row group holds at least, but for the last one of a part
FEATURE_SCHEMA = {
    "version": VERSION,
    "names": list(NAMES),
    "candidate_fields": list(CANDIDATE_FIELDS),
    "list_fields": list(LIST_FIELDS),
    "history": HISTORY,
}
HISTORY_COLUMN = "history_ids"
NUMBERS = {"impression": np.int32, "time": np.int64, "part": np.int8, "label": np.int8, "position": np.int16}
PARQUET_SCHEMA = pa.schema(
    [
        *((name, pa.from_numpy_dtype(kind)) for name, kind in NUMBERS.items()),
        *((name, pa.float32()) for name in NAMES),
        *((f"{name}_id", pa.int64()) for name in (*CANDIDATE_FIELDS, *LIST_FIELDS)),
        (HISTORY_COLUMN, pa.list_(pa.int64())),
    ]
)
ROW_BYTES = 4 * len(NAMES) + 8 * len(CANDIDATE_FIELDS) + 4 + 8 + 1 + 1 + 2
LIST_BYTES = 8 * (len(LIST_FIELDS) + HISTORY)


class TrainingSetWriter:
    """Puts training rows into a file, in the order in which they come."""

    def __init__(self, file: pq.ParquetWriter, block: int) -> None:
        self._file, self._block = file, block
        self._waiting: list[TrainingSet] = []
        self._lists = 0

    def write(self, rows: TrainingSet) -> None:
        """Add whole lists, numbered from 0, that come after those before them."""
        cuts = np.flatnonzero(np.diff(rows.part)) + 1
        for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            if self._waiting and stop > start and self._waiting[0].part[0] != rows.part[start]:
                self.flush()
            self._wait(rows.cut(int(start), int(stop)))

    def _wait(self, rows: TrainingSet) -> None:
        while len(rows):
            missing = self._block - sum(map(len, self._waiting))
            stop = len(rows)
            if stop > missing:  # the list in which the block becomes full still belongs to it
                stop = int(np.searchsorted(rows.impression, rows.impression[missing - 1], side="right"))
            self._waiting.append(rows.cut(0, stop))
            rows = rows.cut(stop, len(rows))
            if sum(map(len, self._waiting)) >= self._block:
                self.flush()

    def flush(self) -> None:
        """End the block."""
        if self._waiting:
            rows, self._waiting = concatenated(self._waiting), []
            self._file.write_table(_table(rows, self._lists), row_group_size=len(rows))
            self._lists += len(rows.context)


@contextmanager
def training_set_writer(
    file: Path, facts: Mapping[str, Any] = MappingProxyType({}), *, block: int = ROW_GROUP_ROWS
) -> Iterator[TrainingSetWriter]:
    """Write training rows to ``file``, and beside it ``schema.json``, which names their columns.

    Args:
        file: where to.
        facts: what else the schema should say.
        block: rows of a row group.
    """
    write_json(file.with_name("schema.json"), FEATURE_SCHEMA | dict(facts))
    texture = {"compression": "lz4", "use_dictionary": False, "write_statistics": list(NUMBERS)}  # decodes fastest
    with pq.ParquetWriter(file, PARQUET_SCHEMA, **texture) as opened:
        writer = TrainingSetWriter(opened, block)
        yield writer
        writer.flush()


def save_training_set(
    rows: TrainingSet, file: Path, facts: Mapping[str, Any] = MappingProxyType({}), *, block: int = ROW_GROUP_ROWS
) -> None:
    """Write rows that are in memory; see ``writing``."""
    with training_set_writer(file, facts, block=block) as writer:
        writer.write(rows)


def load_training_set(file: Path, *parts: int) -> TrainingSet:
    """Read all rows, or those of some of FIT, VALIDATION and HOLDOUT, into memory.

    Raises:
        StaleArtefact: see ``opened``.
        CorruptArtefact: see ``opened``.
    """
    blocks = open_training_set(file)
    blocks = blocks.of_parts(*parts) if parts else blocks
    return blocks.whole() if blocks.statistics else TrainingSet.empty()


def open_training_set(file: Path) -> Chunks[TrainingSet]:
    """The rows that ``writing`` wrote, block by block.

    Raises:
        StaleArtefact: the rows have other columns, fields or meanings than this version's features; they are named.
        CorruptArtefact: the file cannot be read.
    """
    _check_schema(read_json(file.with_name("schema.json")))
    with _readable(file):
        metadata = pq.read_metadata(file)
    if metadata.schema.to_arrow_schema().names != PARQUET_SCHEMA.names:
        expected = f"the columns of its schema.json in {file}"
        raise CorruptArtefact(expected, "others", "Run: python -m jobs features --fresh")

    def read(number: int) -> TrainingSet:
        with _readable(file), pq.ParquetFile(file, metadata=metadata) as there:
            return _rows(there.read_row_group(number, use_threads=False))

    return Chunks([_fact(metadata.row_group(number)) for number in range(metadata.num_row_groups)], read)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        got = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorruptArtefact(f"rows in Parquet in {file}", got, "Run: python -m jobs features --fresh") from None


def _check_schema(found: Mapping[str, Any]) -> None:
    for name, wanted in FEATURE_SCHEMA.items():
        if found.get(name) != wanted:
            got = f"{name} {found.get(name)}"
            if isinstance(wanted, list) and isinstance(found.get(name), list):
                differ = sorted(set(wanted) ^ set(found[name])) or ["their order"]
                got = f"{len(found[name])} {name} that differ in {', '.join(differ)}"
            told = f"{len(wanted)} {name}" if isinstance(wanted, list) else f"{name} {wanted}"
            raise StaleArtefact(f"rows of {told}", got, "Run: python -m jobs features --fresh")


def _table(rows: TrainingSet, lists: int) -> pa.Table:
    """The columns of a block, behind ``lists`` lists."""
    columns: dict[str, Any] = {name: getattr(rows, name) for name in NUMBERS}
    columns["impression"] = rows.impression + np.int32(lists)
    columns |= dict(zip(NAMES, np.ascontiguousarray(rows.matrix.T), strict=True))
    ids = np.concatenate([rows.ids, rows.context[rows.impression]], 1)
    columns |= {f"{name}_id": ids[:, place] for place, name in enumerate((*CANDIDATE_FIELDS, *LIST_FIELDS))}
    first = np.diff(rows.impression, prepend=-1) != 0
    offsets = np.append(0, np.cumsum(first * HISTORY)).astype(np.int32)
    columns[HISTORY_COLUMN] = pa.ListArray.from_arrays(offsets, rows.history.ravel())
    return pa.table(columns, PARQUET_SCHEMA)


def _rows(table: pa.Table) -> TrainingSet:
    """Rows of a table that ``_table`` made, lists numbered from 0."""
    numbers = {name: table[name].to_numpy() for name in NUMBERS}
    first = np.diff(numbers["impression"], prepend=-1) != 0
    numbers["impression"] = numbers["impression"] - numbers["impression"][0]
    matrix = np.empty((len(table), len(NAMES)), np.float32)
    for place, name in enumerate(NAMES):
        matrix[:, place] = table[name].to_numpy()
    clicks = table[HISTORY_COLUMN].combine_chunks().flatten().to_numpy()
    return TrainingSet(
        matrix=matrix,
        ids=_ids(table, CANDIDATE_FIELDS),
        context=_ids(table, LIST_FIELDS)[first],
        history=clicks.reshape(-1, HISTORY),
        **numbers,
    )


def _ids(table: pa.Table, names: tuple[str, ...]) -> Ids:
    out: npt.NDArray[np.int64] = np.column_stack([table[f"{name}_id"].to_numpy() for name in names])
    return out


def _fact(group: pq.RowGroupMetaData) -> ChunkStatistics:
    """Statistics of a row group, from its metadata."""
    statistics = {}
    for place, name in enumerate(NUMBERS):
        statistics[name] = group.column(place).statistics
    lists = statistics["impression"].max - statistics["impression"].min + 1
    size = group.num_rows * ROW_BYTES + lists * LIST_BYTES
    return ChunkStatistics(
        group.num_rows, lists, size, statistics["part"].min, statistics["time"].min, statistics["time"].max
    )
