"""Where a training's lists come from, window by window: all on the device, or from disk, read ahead by a thread.

An epoch sees every list once. Rows that are held are one window; rows that are more than ``ctr.rows_gib`` are read in
blocks, whose order is drawn, and as many blocks as have room make a window, in which lists are mixed.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.inputs import Lists, lists_of
from recsys.ctr.model import ClickModel
from recsys.dataset.chunks import Chunks
from recsys.features.rows import LabelledRows, concatenated

Mask = npt.NDArray[np.bool_]
Choice = Callable[[LabelledRows, CtrConfig, np.random.Generator | None], Mask]

AT_ONCE = 4  # windows that there are at once: one is learned from, one waits, one is read, one is left for copies
GIB = 2**30


class Source(Protocol):
    """Lists to learn from or to judge by."""

    def windows(self, order: torch.Generator | None) -> Iterator[Lists]:
        """All lists once, on the model's device.

        Args:
            order: draws what is random; None: nothing is, and lists come as they are.
        """


def source_of(model: ClickModel, blocks: Chunks[LabelledRows], config: CtrConfig, choice: Choice) -> Source:
    """The rows of some blocks that ``choice`` takes, as a model reads them: held if they have room, else streamed."""
    if blocks.bytes <= config.rows_gib * GIB:
        return Held(model, blocks.whole(), config, choice)
    return Streamed(model, blocks, config, choice)


def taught(rows: LabelledRows, config: CtrConfig, rng: np.random.Generator | None) -> Mask:
    """The rows that training learns from, bool (N,).

    Of the candidates without a click a share of ``ctr.negatives`` is drawn. A softmax learns nothing from lists without
    a click or without anything else, cross-entropy learns from all.
    """
    kept = np.ones(len(rows), np.bool_)
    if config.negatives < 1 and rng is not None:
        kept = (rows.label == 1) | (rng.random(len(rows)) < config.negatives)
    if config.loss == "softmax":
        kept[kept] = rows.where(kept).mixed()
    return kept


def tells(rows: LabelledRows, config: CtrConfig, _: np.random.Generator | None = None) -> Mask:
    """The rows whose loss says anything, bool (N,): of a softmax those of lists with both labels, else all."""
    return rows.mixed() if config.loss == "softmax" else np.ones(len(rows), np.bool_)


class Held:
    """All rows on the device; where negatives are drawn, they are drawn anew for each epoch."""

    def __init__(self, model: ClickModel, rows: LabelledRows, config: CtrConfig, choice: Choice) -> None:
        self._model, self._config, self._choice = model, config, choice
        self._rows: LabelledRows | None = rows
        self._lists: Lists | None = None

    def windows(self, order: torch.Generator | None) -> Iterator[Lists]:
        """See ``Source``."""
        if self._rows is not None:
            drawn = order is not None and self._config.negatives < 1
            rng = np.random.default_rng(_seed(order)) if order is not None and drawn else None
            mask = self._choice(self._rows, self._config, rng)
            self._lists = _lists(self._model, self._rows, mask, np.arange(len(mask))).to(str(self._model.mean.device))
            self._rows = self._rows if drawn else None  # from now on they are on the device
        if self._lists is not None:
            yield self._lists


class Streamed:
    """Rows that stay where they are, of which ``ctr.rows_gib`` are in memory at most."""

    def __init__(self, model: ClickModel, blocks: Chunks[LabelledRows], config: CtrConfig, choice: Choice) -> None:
        self._model, self._blocks, self._config, self._choice = model, blocks, config, choice
        largest = max(block.bytes for block in blocks.facts)
        self.at_once = max(1, int(config.rows_gib * GIB / AT_ONCE // largest))  # blocks of a window
        self._first = np.cumsum([0, *(block.rows for block in blocks.facts)])

    def windows(self, order: torch.Generator | None) -> Iterator[Lists]:
        """See ``Source``."""
        rng = None if order is None else np.random.default_rng(_seed(order))
        ready: queue.Queue[Lists | BaseException | None] = queue.Queue(1)
        stop = threading.Event()
        reader = threading.Thread(target=self._read, args=(ready, stop, rng), daemon=True)
        reader.start()
        try:
            while (window := ready.get()) is not None:
                if isinstance(window, BaseException):
                    raise window
                if len(window.size):
                    yield window.to(str(self._model.mean.device))
        finally:
            stop.set()
            while reader.is_alive():
                while not ready.empty():
                    ready.get_nowait()
                reader.join(0.01)

    def _read(
        self,
        ready: "queue.Queue[Lists | BaseException | None]",
        stop: threading.Event,
        rng: np.random.Generator | None,
    ) -> None:
        """Fill the queue; what goes wrong is put there too, for the thread that reads it."""
        try:
            numbers = np.arange(len(self._blocks.facts))
            numbers = numbers if rng is None else rng.permutation(numbers)
            at_once = 1 if rng is None else self.at_once
            for start in range(0, len(numbers), at_once):
                if stop.is_set():
                    return
                ready.put(self._window(numbers[start : start + at_once].tolist(), rng))
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    def _window(self, numbers: list[int], rng: np.random.Generator | None) -> Lists:
        pieces = [self._blocks[number] for number in numbers]
        rows = concatenated(pieces)
        source = np.concatenate(
            [np.arange(len(piece)) + self._first[number] for piece, number in zip(pieces, numbers, strict=True)]
        )
        mask = self._choice(rows, self._config, rng)
        lists = _lists(self._model, rows, mask, source)
        return lists.pinned() if self._model.mean.is_cuda else lists


def _lists(model: ClickModel, rows: LabelledRows, mask: Mask, source: npt.NDArray[np.int64]) -> Lists:
    rows, source = (rows, source) if mask.all() else (rows.where(mask), source[mask])
    return lists_of(rows, model.reads, model.vocabulary, source)


def _seed(order: torch.Generator) -> int:
    return int(torch.randint(1 << 62, (), generator=order))
