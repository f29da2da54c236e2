"""Training an encoder: lists as they would have been shown -> a network that foresees the next click's item vector.

What is to be foreseen is told apart from articles drawn from the last clicks of everyone before it, each once: the news
of the hour. Popularity is thereby given, and what is left to learn is taste; counts have columns of their own in the
click model. Training starts from the decayed mean: first the network's base learns, then all of it, and each time the
state is kept that foresees the last lists in time best, the one before included. One CPU thread: the same seed and log
give the same bytes.

Source: Hidasi and Karatzoglou 2018 (sampled softmax for sessions); Moreira et al. 2018, CHAMELEON (negatives that were
clicked lately).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from recsys.classifiers.network_training import one_thread
from recsys.errors import DegenerateInput
from recsys.readers.config import ReadersConfig
from recsys.readers.networks import Clicks, Network
from recsys.readers.shown import Shown
from recsys.readers.trained import TrainedEncoder
from recsys.readers.walks import Longs

LEAST = 10  # lists below which nothing is learned: there must be some to learn from and some to judge by
SHARPNESS = (
    1.0,
    2.0,
    3.0,
    5.0,
    7.0,
    10.0,
    15.0,
    20.0,
    30.0,
)  # what cosines are multiplied with before the softmax: tried
MAX_SHARPNESS = 50.0
GENTLY = 0.25  # share of the learning rate with which directions are learned: at the full rate they fit the day (G1)
MATTERS = 1e-3  # nats by which a loss must fall to count as better: less is noise, and costs epochs
JUDGED_FIRST = 20  # batches by which the best of those is chosen


class EncoderFit(NamedTuple):
    """What happened while an encoder was fitted.

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
    """B lists: clicks, candidates (B, N, D) and which of them are there, bool (B, N)."""

    clicks: Clicks
    candidates: torch.Tensor
    there: torch.Tensor


def fit(
    made: Shown,
    config: ReadersConfig,
    *,
    seed: int,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[TrainedEncoder, EncoderFit]:
    """Fit the encoder that ``config.encoder`` names.

    Args:
        made: what to foresee.
        config: gru or attention, and its training.
        seed: of weights, dropout and order.
        track: wraps the loop over epochs, to show progress.

    Returns:
        The encoder and its loss curves.

    Raises:
        DegenerateInput: fewer than ``LEAST`` lists, or a loss that is not finite.
    """
    if len(made) < LEAST:
        raise DegenerateInput(f"{LEAST} lists to learn from", str(len(made)), "Import more clicks.")
    with one_thread("cpu"):
        torch.manual_seed(seed)
        net = Network(config.encoder, made.clicks.shape[1], config, config.half_life_clicks)
        training = _Run(net, made, config, seed).train(track(range(1, 2 * config.epochs + 1)))
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    return TrainedEncoder(config.encoder, arrays, config.last), training


class _Run:
    """One training: the network, the lists to learn from and to judge by, and what has happened so far."""

    def __init__(self, net: Network, made: Shown, config: ReadersConfig, seed: int) -> None:
        self.net, self.made, self.config = net, made, config
        self.rng = np.random.default_rng(seed)
        held = max(1, round(config.validation * len(made)))
        self.fitted, self.judged = np.split(np.arange(len(made)), [len(made) - held])
        self.sharpness = nn.Parameter(torch.tensor(1.0))
        self.fit_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.best = 0
        self._keep()

    def train(self, epochs: Iterable[int]) -> EncoderFit:
        """Train the base, then all; ``epochs`` counts from 1 and is twice as long as one of the two may be."""
        with torch.no_grad():
            first = list(_batches(self.made, self.rng.permutation(self.fitted), self.config.batch_size, JUDGED_FIRST))
            self.sharpness.fill_(min((_losses(self.net, torch.tensor(one), first), one) for one in SHARPNESS)[1])
        self._keep()
        self.validation_loss.append(self._judge())
        counted = iter(epochs)
        self._improve(self.net.base, counted, self.config.learning_rate)
        base_epochs = len(self.fit_loss)
        self._improve(self.net, counted, GENTLY * self.config.learning_rate)
        return EncoderFit(self.fit_loss, self.validation_loss, self.best, base_epochs)

    def _improve(self, part: nn.Module, epochs: Iterator[int], rate: float) -> None:
        """Train a part until it gets no better, and go back to the best state."""
        moving = [*part.parameters(), self.sharpness]
        optimiser = torch.optim.AdamW(moving, rate, weight_decay=self.config.weight_decay)
        waited = 0
        for _ in zip(range(self.config.epochs), epochs, strict=False):
            self.net.train()
            batches = _batches(self.made, self.rng.permutation(self.fitted), self.config.batch_size)
            steps = [_step(self.net, self.sharpness, batch, optimiser) for batch in batches]
            self.fit_loss.append(_mean(steps))
            self.validation_loss.append(self._judge())
            waited += 1
            if self.validation_loss[-1] < self.validation_loss[self.best] - MATTERS:
                self.best, waited = len(self.fit_loss), 0
                self._keep()
            if waited >= self.config.patience:
                break
        with torch.no_grad():
            self.net.load_state_dict(self.kept)
            self.sharpness.copy_(self.kept_sharpness)

    def _keep(self) -> None:
        self.kept = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.kept_sharpness = self.sharpness.detach().clone()

    def _judge(self) -> float:
        self.net.eval()
        with torch.inference_mode():
            return _losses(self.net, self.sharpness, _batches(self.made, self.judged, self.config.batch_size))


def _step(net: Network, sharpness: torch.Tensor, batch: _Batch, optimiser: torch.optim.Optimizer) -> tuple[float, int]:
    loss = _loss(net, sharpness, batch)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return float(loss.detach()), len(batch.there)


def _losses(net: Network, sharpness: torch.Tensor, batches: Iterable[_Batch]) -> float:
    return _mean([(float(_loss(net, sharpness, batch)), len(batch.there)) for batch in batches])


def _loss(net: Network, sharpness: torch.Tensor, batch: _Batch) -> torch.Tensor:
    """Mean negative log softmax of the next click among its list."""
    cosine = torch.bmm(batch.candidates, net(batch.clicks)[:, :, None]).squeeze(2)  # (B, N)
    logits = (sharpness.clamp(0, MAX_SHARPNESS) * cosine).masked_fill(~batch.there, -torch.inf)
    return -torch.log_softmax(logits, 1)[:, 0].mean()


def _batches(made: Shown, lists: Longs, batch_size: int, most: int | None = None) -> Iterator[_Batch]:
    """Some lists, in the order given, ``batch_size`` at a time; ``most`` batches."""
    for start in range(0, len(lists), batch_size)[:most]:
        some = lists[start : start + batch_size]
        first, size = made.offsets[some], np.diff(made.offsets)[some]
        inside = np.arange(size.max())[None, :] < size[:, None]  # (B, T)
        click = np.where(inside, first[:, None] + np.arange(size.max())[None, :], 0)
        vectors = np.where(inside[:, :, None], made.clicks[click], 0).astype(np.float32)
        minutes = np.where(inside, made.minutes[click], 0).astype(np.float32)
        candidates = made.candidates[some]
        yield _Batch(
            Clicks(torch.from_numpy(vectors), torch.from_numpy(minutes), torch.from_numpy(size)),
            torch.from_numpy(np.nan_to_num(candidates)),
            torch.from_numpy(~np.isnan(candidates[:, :, 0])),
        )


def _mean(losses: list[tuple[float, int]]) -> float:
    """Mean by the number of clicks foreseen."""
    total = sum(loss * n for loss, n in losses) / sum(n for _, n in losses)
    if not np.isfinite(total):
        raise DegenerateInput("a finite loss", str(total), "Lower readers.learning_rate.")
    return total
