"""Training an encoder: lists as they would have been shown -> a network that foresees the next click's item vector.

The negative samples beside the next click are articles drawn from the last clicks of everyone before it, each once: the
news of the hour. Popularity is thereby given, and what is left to learn is taste; counts have columns of their own in
the click model. Training starts from the decayed mean: first the network's base learns, then all of it, and each time
the state is kept that foresees the last lists in time best, the one before included. One CPU thread: the same seed and
log give the same bytes.

Source: Hidasi and Karatzoglou 2018 (sampled softmax for sessions); Moreira et al. 2018, CHAMELEON (negatives that were
clicked lately).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from recsys.devices import one_thread
from recsys.errors import DegenerateInput
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import TrainingLists
from recsys.readers.gru import ClickBatch, GruNetwork
from recsys.readers.trained import TrainedEncoder

MIN_LISTS = 10  # below which nothing is learned: there must be some to learn from and some to judge by
_VALIDATION_SHARE = 0.25  # of the lists, last in time, that tells when to stop: hours of news that came later
EARLY_STOPPING_EPOCHS = 2  # epochs without a lower validation loss after which training stops
_BATCH_SIZE = 256  # lists per training step
_LEARNING_RATE = 4e-3  # AdamW's step size; half of it needs twice the epochs (G1)
WEIGHT_DECAY = 1e-4  # AdamW's pull of the weights towards 0
STARTING_SCALES = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)  # of the cosines before the softmax: tried at first
MAX_SCALE = 50.0
FINE_TUNING = 0.25  # share of the learning rate at which directions are learned: at the full rate they fit the day (G1)
MIN_IMPROVEMENT = 1e-3  # nats by which a loss must fall to count as better: less is noise, and costs epochs
SCALE_BATCHES = 20  # by which the best starting scale is chosen


class EncoderFit(NamedTuple):
    """Loss curves of one training.

    Attributes:
        fit_loss: mean negative log-likelihood of a click among its list, per epoch.
        validation_loss: of the last lists in time, first of the decayed mean, then after each epoch.
        best_epoch: epochs after which the kept state stood; 0 is the decayed mean.
        base_epochs: epochs in which the base alone learned.
    """

    fit_loss: list[float]
    validation_loss: list[float]
    best_epoch: int
    base_epochs: int


class _Batch(NamedTuple):
    """B lists: clicks, candidates (B, N, D) and the mask of those that have a vector, bool (B, N)."""

    clicks: ClickBatch
    candidates: torch.Tensor
    mask: torch.Tensor


def fit(
    lists: TrainingLists,
    config: ReadersConfig,
    *,
    seed: int,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[TrainedEncoder, EncoderFit]:
    """Fit the encoder ``gru``.

    Args:
        lists: the training set.
        config: the network and its training.
        seed: of weights, dropout and order.
        track: wraps the loop over epochs, to show progress.

    Returns:
        The encoder and its loss curves.

    Raises:
        DegenerateInput: fewer than ``MIN_LISTS`` lists, or a loss that is not finite.
    """
    if len(lists) < MIN_LISTS:
        raise DegenerateInput(f"{MIN_LISTS} lists to learn from", str(len(lists)), "Import more clicks.")
    with one_thread("cpu"):
        torch.manual_seed(seed)
        net = GruNetwork(lists.clicks.shape[1], config)
        fitted = _Run(net, lists, config, seed).train(track(range(1, 2 * config.epochs + 1)))
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    return TrainedEncoder(arrays, config.sequence_length), fitted


class _Run:
    """One training: the network, the lists to learn from and to judge by, and what has happened so far."""

    def __init__(self, net: GruNetwork, lists: TrainingLists, config: ReadersConfig, seed: int) -> None:
        self.net, self.lists, self.config = net, lists, config
        self.rng = np.random.default_rng(seed)
        n_validation = max(1, round(_VALIDATION_SHARE * len(lists)))
        self.training, self.validation = np.split(np.arange(len(lists)), [len(lists) - n_validation])
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.fit_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.best = 0
        self._keep()

    def train(self, epochs: Iterable[int]) -> EncoderFit:
        """Train the base, then all; ``epochs`` counts from 1 and is twice as long as one of the two may be."""
        with torch.no_grad():
            batches = list(_batches(self.lists, self.rng.permutation(self.training), _BATCH_SIZE, SCALE_BATCHES))
            losses = [_losses(self.net, torch.tensor(scale), batches) for scale in STARTING_SCALES]
            self.scale.fill_(STARTING_SCALES[int(np.argmin(losses))])
        self._keep()
        self.validation_loss.append(self._validate())
        remaining = iter(epochs)
        self._improve(self.net.base, remaining, _LEARNING_RATE)
        base_epochs = len(self.fit_loss)
        self._improve(self.net, remaining, FINE_TUNING * _LEARNING_RATE)
        return EncoderFit(self.fit_loss, self.validation_loss, self.best, base_epochs)

    def _improve(self, part: nn.Module, epochs: Iterator[int], rate: float) -> None:
        """Train a part until it gets no better, and go back to the best state."""
        optimiser = torch.optim.AdamW([*part.parameters(), self.scale], rate, weight_decay=WEIGHT_DECAY)
        epochs_since_best = 0
        for _ in zip(range(self.config.epochs), epochs, strict=False):
            self.net.train()
            batches = _batches(self.lists, self.rng.permutation(self.training), _BATCH_SIZE)
            steps = [_step(self.net, self.scale, batch, optimiser) for batch in batches]
            self.fit_loss.append(_mean(steps))
            self.validation_loss.append(self._validate())
            epochs_since_best += 1
            if self.validation_loss[-1] < self.validation_loss[self.best] - MIN_IMPROVEMENT:
                self.best, epochs_since_best = len(self.fit_loss), 0
                self._keep()
            if epochs_since_best >= EARLY_STOPPING_EPOCHS:
                break
        with torch.no_grad():
            self.net.load_state_dict(self.kept)
            self.scale.copy_(self.kept_scale)

    def _keep(self) -> None:
        self.kept = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.kept_scale = self.scale.detach().clone()

    def _validate(self) -> float:
        self.net.eval()
        with torch.inference_mode():
            return _losses(self.net, self.scale, _batches(self.lists, self.validation, _BATCH_SIZE))


def _step(net: GruNetwork, scale: torch.Tensor, batch: _Batch, optimiser: torch.optim.Optimizer) -> tuple[float, int]:
    loss = _loss(net, scale, batch)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return float(loss.detach()), len(batch.mask)


def _losses(net: GruNetwork, scale: torch.Tensor, batches: Iterable[_Batch]) -> float:
    return _mean([(float(_loss(net, scale, batch)), len(batch.mask)) for batch in batches])


def _loss(net: GruNetwork, scale: torch.Tensor, batch: _Batch) -> torch.Tensor:
    """Mean negative log softmax of the next click among its list."""
    cosine = torch.bmm(batch.candidates, net(batch.clicks)[:, :, None]).squeeze(2)  # (B, N)
    logits = (scale.clamp(0, MAX_SCALE) * cosine).masked_fill(~batch.mask, -torch.inf)
    return -torch.log_softmax(logits, 1)[:, 0].mean()


def _batches(
    lists: TrainingLists, rows: npt.NDArray[np.int64], batch_size: int, most: int | None = None
) -> Iterator[_Batch]:
    """Batches of some lists, in the order of ``rows``, ``batch_size`` each; at most ``most`` of them."""
    for start in range(0, len(rows), batch_size)[:most]:
        part = rows[start : start + batch_size]
        first, size = lists.offsets[part], np.diff(lists.offsets)[part]
        mask = np.arange(size.max())[None, :] < size[:, None]  # (B, T), False in the padding behind the last click
        click = np.where(mask, first[:, None] + np.arange(size.max())[None, :], 0)
        vectors = np.where(mask[:, :, None], lists.clicks[click], 0).astype(np.float32)  # (B, T, D)
        minutes = np.where(mask, lists.minutes[click], 0).astype(np.float32)
        candidates = lists.candidates[part]  # (B, N, D), the next click first
        yield _Batch(
            ClickBatch(torch.from_numpy(vectors), torch.from_numpy(minutes), torch.from_numpy(size)),
            torch.from_numpy(np.nan_to_num(candidates)),
            torch.from_numpy(~np.isnan(candidates[:, :, 0])),
        )


def _mean(losses: list[tuple[float, int]]) -> float:
    """Mean by the number of clicks foreseen."""
    total = sum(loss * n for loss, n in losses) / sum(n for _, n in losses)
    if not np.isfinite(total):
        raise DegenerateInput("a finite loss", str(total), "Set readers.encoder to mean or interests.")
    return total
