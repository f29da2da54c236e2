"""Training the click model: lists with their clicks -> ``ClickModel``.

A reader clicks about once however long or good the list is, so what can be learned from a list is which of its articles
was preferred: the loss is a softmax over each list (the conditional logit), which leaves out why this list was clicked
at all. A part of the score is then the article's smoothed click rate as it is, which varies less than a network that
learned from few lists; and one constant makes the mean probability the click rate of the rows. Training on a CPU uses
one thread: the same seed and rows give the same bytes.

Source: McFadden 1974 (conditional logit); Polyak and Juditsky 1992 (averaged weights).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from recsys.ctr import CtrConfig
from recsys.ctr.model import ClickModel, Matrix, check_matrix
from recsys.errors import DegenerateInput

AVERAGE = 0.99  # share of the old average kept at each step: about the last hundred steps, less noise than the last one


@dataclass(frozen=True)
class Rows:
    """Rows to learn from.

    Attributes:
        matrix: float32 (N, F).
        label: int8 (N,), 1 = clicked.
        impression: int32 (N,), not falling, equal within a list.
    """

    matrix: Matrix
    label: npt.NDArray[np.int8]
    impression: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.label)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Rows":
        """The rows of a mask, bool (N,)."""
        return Rows(self.matrix[chosen], self.label[chosen], self.impression[chosen])

    def informative(self) -> "Rows":
        """The rows of lists with both labels: the others prefer nothing to nothing."""
        number = np.cumsum(np.diff(self.impression, prepend=self.impression[:1]) != 0)
        size = np.bincount(number)
        clicked = np.bincount(number, self.label, len(size))
        both = (clicked > 0) & (clicked < size)
        return self if both.all() else self.where(both[number])


@dataclass(frozen=True)
class Training:
    """What happened while a model was fitted.

    Attributes:
        fit_loss: mean negative log likelihood of a click among its list, per epoch, dropout on.
        validation_loss: the same on the validation rows, dropout off; empty without them.
        best_epoch: number of epochs (from 1) after which the kept weights stood.
    """

    fit_loss: list[float]
    validation_loss: list[float]
    best_epoch: int


class Lists(NamedTuple):
    """L lists as tensors on the device: matrix (N, F), label (N,), and where each list's rows stand."""

    matrix: torch.Tensor
    label: torch.Tensor
    start: torch.Tensor
    size: torch.Tensor


def fit(
    names: Sequence[str],
    rows: Rows,
    validation: Rows | None,
    config: CtrConfig,
    *,
    seed: int,
    epochs: int | None = None,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[ClickModel, Training]:
    """Train a click model.

    Args:
        names: the F columns.
        rows: N rows.
        validation: later rows; training stops when their loss has not fallen for ``patience`` epochs, and the best
            epoch's weights are kept. None, or no list with both labels, trains ``epochs`` epochs.
        config: layers and optimiser.
        seed: of weights, dropout and order.
        epochs: at most so many; ``config.epochs`` when None.
        track: wraps the loop over epochs, to show progress.

    Returns:
        The model, on the CPU, and its loss curves.

    Raises:
        DegenerateInput: no list with a click and a candidate without one, a label other than 0 and 1, a value or a loss
            that is not finite.
    """
    check_rows(names, rows)
    device, told = device_of(config), rows.informative()
    held = validation.informative() if validation is not None else told.where(np.zeros(len(told), bool))
    with one_thread(device):
        torch.manual_seed(seed)
        model = ClickModel(names, config.hidden, config.dropout)
        model.mean, model.std = standard(rows.matrix)
        model.to(device)
        loop = track(range(epochs or config.epochs))
        training = _train(
            model, lists_on(told, device), lists_on(held, device) if len(held) else None, config, loop, seed
        )
        model.to("cpu").lean(config.click_rate_share)
        model.shift(_intercept(model, rows))
        return model, training


def _train(
    model: ClickModel, lists: Lists, held: Lists | None, config: CtrConfig, loop: Iterable[int], seed: int
) -> Training:
    optimiser = torch.optim.AdamW(model.net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    order = torch.Generator().manual_seed(seed)
    per_batch = max(1, config.batch_size * len(lists.size) // len(lists.label))
    fit_loss: list[float] = []
    validation_loss: list[float] = []
    best, average = 0, weights(model)
    kept = average
    for number in loop:
        fit_loss.append(epoch(model, lists, optimiser, per_batch, order, average))
        if held is not None:
            validation_loss.append(_held_loss(model, held, average))
            if validation_loss[-1] > min(validation_loss):
                if number - best >= config.patience:
                    break
                continue
        best, kept = number, {name: value.clone() for name, value in average.items()}
    model.net.load_state_dict(kept)
    return Training(fit_loss, validation_loss, best + 1)


def epoch(
    model: ClickModel,
    lists: Lists,
    optimiser: torch.optim.Optimizer,
    per_batch: int,
    order: torch.Generator,
    average: dict[str, torch.Tensor],
) -> float:
    """One pass over the lists; moves ``average`` along with the weights. Returns the mean loss of a click."""
    model.net.train()
    device, L = lists.size.device, len(lists.size)
    total, clicks = torch.zeros((), device=device), lists.label.sum()
    shuffled = torch.randperm(L, generator=order).to(device)
    for start in range(0, L, per_batch):
        loss, n = _loss(model, lists, shuffled[start : start + per_batch])
        optimiser.zero_grad()
        torch.autograd.backward(loss / n)
        optimiser.step()
        with torch.no_grad():
            for name, value in model.net.state_dict().items():
                average[name].lerp_(value, 1 - AVERAGE)
        total += loss.detach()
    return _finite(float(total / clicks))


def _loss(model: ClickModel, lists: Lists, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum over clicks of the negative log softmax among their list, and the number of clicks."""
    size, n = lists.size[chosen], len(chosen)
    group = torch.repeat_interleave(torch.arange(n, device=size.device), size)  # (B,) list of each row
    ahead = torch.cumsum(size, 0) - size
    rows = torch.arange(len(group), device=size.device) + (lists.start[chosen] - ahead)[group]
    logit, label = model.logit(lists.matrix[rows]), lists.label[rows]
    top = torch.full((n,), -torch.inf, device=size.device).scatter_reduce(0, group, logit.detach(), "amax")
    centred = logit - top[group]
    total = torch.zeros(n, device=size.device).index_add(0, group, centred.exp())
    return -(label * (centred - total.log()[group])).sum(), label.sum()


def _held_loss(model: ClickModel, held: Lists, average: dict[str, torch.Tensor]) -> float:
    """The averaged weights' loss on the validation rows, without dropout."""
    now = weights(model)
    model.net.load_state_dict(average)
    model.net.eval()
    with torch.inference_mode():
        loss, n = _loss(model, held, torch.arange(len(held.size), device=held.size.device))
    model.net.load_state_dict(now)
    return _finite(float(loss / n))


def _intercept(model: ClickModel, rows: Rows) -> float:
    """The constant that makes the mean probability of the rows their click rate, by bisection."""
    odds = np.log(1 / np.clip(model.score(rows.matrix).astype(np.float64), 1e-12, 1 - 1e-12) - 1)
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(odds - middle))).mean() < rows.label.mean() else (low, middle)
    return middle


def _finite(loss: float) -> float:
    if not np.isfinite(loss):
        raise DegenerateInput("a finite loss", str(loss), "Lower ctr.learning_rate.")
    return loss


def weights(model: ClickModel) -> dict[str, torch.Tensor]:
    """A copy of all weights by name."""
    return {name: value.detach().clone() for name, value in model.net.state_dict().items()}


def lists_on(rows: Rows, device: str) -> Lists:
    """The rows as tensors on a device."""
    _, start, size = np.unique(rows.impression, return_index=True, return_counts=True)
    matrix, label = np.ascontiguousarray(rows.matrix), rows.label.astype(np.float32)
    return Lists(*(torch.from_numpy(array).to(device) for array in (matrix, label, start, size)))


def standard(matrix: Matrix) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each column, float32 (F,); a constant column keeps 1."""
    mean, std = matrix.mean(axis=0, dtype=np.float64), matrix.std(axis=0, dtype=np.float64)
    std[std < 1e-6] = 1.0
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))


def device_of(config: CtrConfig) -> str:
    """``cuda`` when it is asked for, or when there is one and ``auto`` leaves the choice; else ``cpu``."""
    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return config.device


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Train on one CPU thread: sums in a fixed order are the same in every run."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_rows(names: Sequence[str], rows: Rows) -> None:
    """Refuse rows that nothing can be learned from.

    Raises:
        DegenerateInput: see ``fit``.
    """
    label = rows.label
    check_matrix(rows.matrix, names)
    if not len(rows.matrix) == len(label) == len(rows.impression) or not np.isin(label, (0, 1)).all():
        raise DegenerateInput("one label of 0 or 1 per row", "others", "Run: python -m jobs features")
    if not len(rows.informative()):
        got = f"{int(label.sum(dtype=np.int64))} clicked of {len(label)} rows, no list with both"
        raise DegenerateInput("lists with a click and a candidate without", got, "Import more impressions and clicks.")
