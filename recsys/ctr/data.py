"""The click model's training data: impressions as tensors, window by window.

Reads ``recsys.features.rows``; produces windows of whole impressions. An epoch sees every impression once. Rows that
fit into ``ctr.max_rows_gib`` are one window on the device; more are read from disk in blocks whose order is drawn,
ahead of their use, and as many blocks as have room make a window in which impressions are mixed.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import IdEncoder, Longs
from recsys.ctr.network import UNKNOWN_POSITION, position_rows
from recsys.dataset.chunks import Chunks
from recsys.features.rows import LabelledRows, concatenated

Mask = npt.NDArray[np.bool_]
RowChoice = Callable[[LabelledRows, CtrConfig, np.random.Generator | None], Mask]

WINDOWS_IN_MEMORY = 4  # one is learned from, one waits, one is read, one is left for copies
GIB = 2**30


class ImpressionTensors(NamedTuple):
    """L impressions with N rows as tensors on the device, ids as rows of the table.

    Attributes:
        dense: float32 (N, F), as they are.
        ids: int64 (N, S).
        context: int64 (L, C).
        history: int64 (L, T).
        position: int64 (N,), rows of the position tower; None where no position is known.
        label: float32 (N,).
        clicks: float32 (L,), clicked rows of each impression.
        start: int64 (L,), first row of each impression.
        size: int64 (L,).
        source: int64 (N,), number of each row among the caller's.
    """

    dense: torch.Tensor
    ids: torch.Tensor
    context: torch.Tensor
    history: torch.Tensor
    position: torch.Tensor | None
    label: torch.Tensor
    clicks: torch.Tensor
    start: torch.Tensor
    size: torch.Tensor
    source: torch.Tensor

    @classmethod
    def of(cls, rows: LabelledRows, encoder: IdEncoder, source: Longs) -> "ImpressionTensors":
        """The rows as tensors on the CPU."""
        shown, start, size = np.unique(rows.impression, return_index=True, return_counts=True)
        hashed, row_of = encoder.fields.select(rows), encoder.vocabulary.rows
        position = None if (rows.position == UNKNOWN_POSITION).all() else position_rows(rows.position)
        ids, context, history = hashed.ids, hashed.context[shown], hashed.history[shown]
        if encoder.fields.any:
            ids, context, history = row_of(ids), row_of(context), row_of(history)
        dense, label = np.ascontiguousarray(rows.matrix), rows.label.astype(np.float32)
        clicks = np.add.reduceat(label, start) if len(start) else label
        arrays = (dense, ids, context, history, position, label, clicks, start, size, source)
        tensors: Any = (None if array is None else torch.from_numpy(array) for array in arrays)
        return cls(*tensors)

    def gather(self, numbers: torch.Tensor) -> "ImpressionBatch":
        """The rows of the impressions of some numbers, int64 (n,), one impression behind the other."""
        size, n = self.size[numbers], len(numbers)
        group = torch.repeat_interleave(torch.arange(n, device=size.device), size)  # (B,)
        ahead = torch.cumsum(size, 0) - size
        rows = torch.arange(len(group), device=size.device) + (self.start[numbers] - ahead)[group]
        if not (self.ids.shape[1] or self.context.shape[1] or self.history.shape[1]):
            no_ids = self.ids[:0].expand(0, 0)
            return ImpressionBatch(rows, no_ids, no_ids, group, numbers)
        ids = torch.cat([self.ids[rows], self.context[numbers][group]], 1)  # (B, S + C)
        return ImpressionBatch(rows, ids, self.history[numbers][group], group, numbers)

    def to(self, device: str) -> "ImpressionTensors":
        """The same on a device; from pinned memory while this thread goes on."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> "ImpressionTensors":
        """The same in memory that a GPU copies from by itself."""
        return self._each(torch.Tensor.pin_memory)

    def _each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "ImpressionTensors":
        tensors: Any = (None if tensor is None else change(tensor) for tensor in self)
        return ImpressionTensors(*tensors)


class ImpressionBatch(NamedTuple):
    """B rows of some impressions.

    Attributes:
        rows: int64 (B,), into ``ImpressionTensors``.
        ids: int64 (B, S + C), rows of the table.
        history: int64 (B, T), rows of the table.
        group: int64 (B,), place of each row's impression among ``impressions``.
        impressions: int64 (n,), numbers of the impressions.
    """

    rows: torch.Tensor
    ids: torch.Tensor
    history: torch.Tensor
    group: torch.Tensor
    impressions: torch.Tensor


class Windows(Protocol):
    """Impressions to learn from or to evaluate, window by window."""

    def windows(self, order: torch.Generator | None) -> Iterator[ImpressionTensors]:
        """All impressions once, on the device.

        Args:
            order: draws what is random; None: nothing is, and impressions come as they are.
        """


def windows_of(
    encoder: IdEncoder, device: str, blocks: Chunks[LabelledRows], config: CtrConfig, choice: RowChoice
) -> Windows:
    """The rows of some blocks that ``choice`` takes: in memory if they have room there, else streamed."""
    if blocks.bytes <= config.max_rows_gib * GIB:
        return InMemoryWindows(encoder, device, blocks.whole(), config, choice)
    return StreamedWindows(encoder, device, blocks, config, choice)


def training_mask(rows: LabelledRows, config: CtrConfig, rng: np.random.Generator | None) -> Mask:
    """The rows that training learns from, bool (N,).

    Of the candidates without a click a ``ctr.negative_share`` is drawn. A softmax learns nothing from impressions
    without a click or without anything else, cross-entropy learns from all.
    """
    mask = np.ones(len(rows), np.bool_)
    if config.negative_share < 1 and rng is not None:
        mask = (rows.label == 1) | (rng.random(len(rows)) < config.negative_share)
    if config.loss == "softmax":
        mask[mask] = rows.where(mask).mixed()
    return mask


def evaluation_mask(rows: LabelledRows, config: CtrConfig, _: np.random.Generator | None = None) -> Mask:
    """The rows whose loss is defined, bool (N,): of a softmax those of impressions with both labels, else all."""
    return rows.mixed() if config.loss == "softmax" else np.ones(len(rows), np.bool_)


class InMemoryWindows:
    """All rows on the device, as one window; where negative samples are drawn, they are drawn anew for each epoch."""

    def __init__(
        self, encoder: IdEncoder, device: str, rows: LabelledRows, config: CtrConfig, choice: RowChoice
    ) -> None:
        self._encoder, self._device, self._config, self._choice = encoder, device, config, choice
        self._rows: LabelledRows | None = rows
        self._impressions: ImpressionTensors | None = None

    def windows(self, order: torch.Generator | None) -> Iterator[ImpressionTensors]:
        """See ``Windows``."""
        if self._rows is not None:
            samples = order is not None and self._config.negative_share < 1
            rng = np.random.default_rng(_seed(order)) if order is not None and samples else None
            mask = self._choice(self._rows, self._config, rng)
            self._impressions = _tensors(self._encoder, self._rows, mask, np.arange(len(mask))).to(self._device)
            self._rows = self._rows if samples else None  # from now on they are on the device
        if self._impressions is not None:
            yield self._impressions


class StreamedWindows:
    """Rows that stay where they are, of which ``ctr.max_rows_gib`` are in memory at most."""

    def __init__(
        self, encoder: IdEncoder, device: str, blocks: Chunks[LabelledRows], config: CtrConfig, choice: RowChoice
    ) -> None:
        self._encoder, self._device, self._blocks = encoder, device, blocks
        self._config, self._choice = config, choice
        largest = max(block.bytes for block in blocks.statistics)
        self.blocks_per_window = max(1, int(config.max_rows_gib * GIB / WINDOWS_IN_MEMORY // largest))
        self._first_row = np.cumsum([0, *(block.rows for block in blocks.statistics)])

    def windows(self, order: torch.Generator | None) -> Iterator[ImpressionTensors]:
        """See ``Windows``."""
        rng = None if order is None else np.random.default_rng(_seed(order))
        ready: queue.Queue[ImpressionTensors | BaseException | None] = queue.Queue(1)
        stop = threading.Event()
        reader = threading.Thread(target=self._read, args=(ready, stop, rng), daemon=True)
        reader.start()
        try:
            while (window := ready.get()) is not None:
                if isinstance(window, BaseException):
                    raise window
                if len(window.size):
                    yield window.to(self._device)
        finally:
            stop.set()
            while reader.is_alive():
                while not ready.empty():  # a reader that waits for room would never see that it is to stop
                    ready.get_nowait()
                reader.join(0.01)

    def _read(
        self,
        ready: "queue.Queue[ImpressionTensors | BaseException | None]",
        stop: threading.Event,
        rng: np.random.Generator | None,
    ) -> None:
        """Fill the queue; an exception is put there too, for the thread that reads it."""
        try:
            numbers = np.arange(len(self._blocks.statistics))
            numbers = numbers if rng is None else rng.permutation(numbers)
            blocks_per_window = 1 if rng is None else self.blocks_per_window
            for start in range(0, len(numbers), blocks_per_window):
                if stop.is_set():
                    return
                ready.put(self._window(numbers[start : start + blocks_per_window].tolist(), rng))
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    def _window(self, numbers: list[int], rng: np.random.Generator | None) -> ImpressionTensors:
        blocks = [self._blocks[number] for number in numbers]
        rows = concatenated(blocks)
        source = np.concatenate(
            [np.arange(len(block)) + self._first_row[number] for block, number in zip(blocks, numbers, strict=True)]
        )
        impressions = _tensors(self._encoder, rows, self._choice(rows, self._config, rng), source)
        return impressions.pinned() if self._device.startswith("cuda") else impressions


def _tensors(encoder: IdEncoder, rows: LabelledRows, mask: Mask, source: Longs) -> ImpressionTensors:
    rows, source = (rows, source) if mask.all() else (rows.where(mask), source[mask])
    return ImpressionTensors.of(rows, encoder, source)


def _seed(order: torch.Generator) -> int:
    return int(torch.randint(1 << 62, (), generator=order))
