"""Rows to learn from, in Parquet: data larger than the device passes through it, read ahead by a thread.

Writes and reads files whose row groups are blocks of rows. In an epoch every block is read once, blocks in a drawn
order and rows in a drawn order inside each window of a few blocks, while the rows before them are learned from. Lists
must have been shuffled before they are written where neighbours are alike: a window mixes only what it holds.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from recsys.ctr.networks import Batch
from recsys.errors import CorruptArtefact, MissingArtefact

BLOCK = 65_536  # rows of a row group
WINDOW = 4  # blocks that are mixed with each other
AHEAD = 2  # windows that wait on the host, in memory that a GPU copies from

Columns = dict[str, npt.NDArray[np.generic]]
TYPES = {"dense": np.dtype(np.float32), "ids": np.dtype(np.int32), "history": np.dtype(np.int32)}


def write_rows(
    file: Path,
    dense: npt.NDArray[np.float32],
    ids: npt.NDArray[np.int32],
    history: npt.NDArray[np.int32],
    label: npt.NDArray[np.int8],
    *,
    block: int = BLOCK,
) -> None:
    """Write N rows.

    Args:
        file: to be made.
        dense: float32 (N, F), standardised.
        ids: int32 (N, K), rows of the table, with what a list's candidates share.
        history: int32 (N, T), rows of the table, 0 = none.
        label: int8 (N,).
        block: rows per row group.
    """
    parts = {"dense": dense, "ids": ids, "history": history}
    columns = {name: _as_lists(part.astype(TYPES[name])) for name, part in parts.items()}
    table = pa.table(columns | {"label": pa.array(label.astype(np.int8))})
    pq.write_table(table, file, row_group_size=block, compression="zstd")


class Stream:
    """Rows in Parquet files, as batches on the device.

    Attributes:
        rows: number of rows in all files.
    """

    def __init__(self, files: Sequence[Path], device: str, *, window: int = WINDOW) -> None:
        """Open the files.

        Args:
            files: that ``write_rows`` wrote.
            device: where batches go.
            window: row groups that are mixed with each other.

        Raises:
            MissingArtefact: there is no file.
            CorruptArtefact: a file lacks a column.
        """
        if not files:
            raise MissingArtefact("Parquet files of rows", "none", "Write them with recsys.ctr.streaming.write_rows.")
        self._device, self._window = torch.device(device), window
        self._blocks: list[tuple[Path, int]] = []
        self.rows = 0
        for file in files:
            facts = pq.ParquetFile(file)
            lacking = {*TYPES, "label"} - set(facts.schema_arrow.names)
            if lacking:
                raise CorruptArtefact(
                    f"columns {', '.join([*TYPES, 'label'])} in {file}", f"none of {lacking}", "Rewrite it."
                )
            self._blocks += [(file, number) for number in range(facts.num_row_groups)]
            self.rows += facts.metadata.num_rows

    def batches(self, batch_size: int, rng: np.random.Generator | None) -> Iterator[tuple[Batch, torch.Tensor]]:
        """Every row once, with its label, float32 (B,).

        Args:
            batch_size: rows B; the last batch of an epoch may hold fewer.
            rng: draws the order; None reads the files as they are.
        """
        ready: queue.Queue[tuple[torch.Tensor, ...] | BaseException | None] = queue.Queue(AHEAD)
        stop = threading.Event()
        reader = threading.Thread(target=self._read, args=(ready, stop, rng), daemon=True)
        reader.start()
        left: tuple[torch.Tensor, ...] | None = None
        try:
            while (window := ready.get()) is not None:
                if isinstance(window, BaseException):
                    raise window
                there = tuple(part.to(self._device, non_blocking=True) for part in window)
                there = there if left is None else tuple(map(torch.cat, zip(left, there, strict=True)))
                whole = len(there[-1]) // batch_size * batch_size
                for start in range(0, whole, batch_size):
                    yield _batch(there, start, start + batch_size)
                left = tuple(part[whole:] for part in there)
            if left is not None and len(left[-1]):
                yield _batch(left, 0, len(left[-1]))
        finally:
            stop.set()
            while reader.is_alive():
                _drain(ready)
                reader.join(0.01)

    def _read(
        self,
        ready: "queue.Queue[tuple[torch.Tensor, ...] | BaseException | None]",
        stop: threading.Event,
        rng: np.random.Generator | None,
    ) -> None:
        """Fill the queue; what goes wrong is put there too, for the thread that reads it."""
        try:
            order = np.arange(len(self._blocks)) if rng is None else rng.permutation(len(self._blocks))
            for start in range(0, len(order), self._window):
                if stop.is_set():
                    return
                tables = [self._block(int(place)) for place in order[start : start + self._window]]
                ready.put(self._tensors(pa.concat_tables(tables), rng))
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    def _block(self, place: int) -> pa.Table:
        file, number = self._blocks[place]
        return pq.ParquetFile(file).read_row_group(number, columns=[*TYPES, "label"])

    def _tensors(self, table: pa.Table, rng: np.random.Generator | None) -> tuple[torch.Tensor, ...]:
        order = np.arange(len(table)) if rng is None else rng.permutation(len(table))
        arrays = [_as_matrix(table[name], dtype)[order] for name, dtype in TYPES.items()]
        arrays.append(table["label"].to_numpy().astype(np.float32)[order])
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
        return tuple(part.pin_memory() if self._device.type == "cuda" else part for part in tensors)


def _batch(window: tuple[torch.Tensor, ...], start: int, stop: int) -> tuple[Batch, torch.Tensor]:
    dense, ids, history, label = (part[start:stop] for part in window)
    return Batch(dense, ids, history), label


def _drain(ready: "queue.Queue[tuple[torch.Tensor, ...] | BaseException | None]") -> None:
    while not ready.empty():
        ready.get_nowait()


def _as_lists(matrix: npt.NDArray[np.generic]) -> pa.Array:
    """(N, W) -> N lists of W."""
    return (
        pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), max(1, matrix.shape[1]))
        if matrix.size
        else (pa.array([[]] * len(matrix), pa.list_(pa.from_numpy_dtype(matrix.dtype))))
    )


def _as_matrix(column: pa.ChunkedArray, dtype: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    """N lists of one width -> (N, W)."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(dtype, copy=False)
    return flat.reshape(len(column), -1) if len(flat) else np.zeros((len(column), 0), dtype)
