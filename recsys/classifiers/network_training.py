"""Training of the networks: labelled documents -> weights.

A part of the documents is held out and ends the training; the learning rate falls to 0 over the epochs. Vectors are
moved row by row, with one number of memory each: a step costs what its batch holds, not what the vocabulary does.
Training on a CPU uses one thread: the same seed and articles give the same bytes.
Source: Duchi, Hazan and Singer 2011 (AdaGrad); Loshchilov and Hutter 2019 (decoupled weight decay).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from recsys.classifiers import LabelRows
from recsys.classifiers.config import ClassifiersConfig
from recsys.classifiers.networks import RaggedBatch, TextNetwork
from recsys.classifiers.ngrams import Bags
from recsys.devices import device_of, one_thread
from recsys.errors import DegenerateInput

_MAX_READ = 60_000_000  # rows in all epochs together: the more there is to read, the fewer times it must be read
_MIN_EPOCHS = 3
BATCH_SIZE = 128  # articles per training step: larger batches take fewer steps and need a larger learning rate
_PATIENCE = 2  # epochs without a lower loss on the held-out part after which training stops
_VALIDATION_SHARE = 0.1  # of the articles, held out to tell when to stop
_WEIGHT_DECAY = 1e-4  # AdamW's pull of the weights towards 0, per unit of learning rate
DROPOUT = 0.3  # share of an article's n-grams, and of hidden units, left out in each step
_MIN_HELD_OUT = 20  # articles: fewer say too little about when to stop, and all epochs are run


class LabelledBags(NamedTuple):
    """N labelled documents on the device: rows (R,), starts (N + 1,), labels (N,), all int64."""

    rows: torch.Tensor
    starts: torch.Tensor
    labels: torch.Tensor

    def batch(self, chosen: torch.Tensor) -> RaggedBatch:
        """Some of the documents, int64 (B,)."""
        first, sizes = self.starts[chosen], self.starts.diff()[chosen]
        starts = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        inside = torch.arange(int(starts[-1]), device=sizes.device) - torch.repeat_interleave(starts[:-1], sizes)
        return RaggedBatch(self.rows[inside + torch.repeat_interleave(first, sizes)], starts)


class RowAdaGrad:
    """AdaGrad over the rows of a matrix, with one sum of squares per row."""

    def __init__(self, matrix: torch.Tensor) -> None:
        self.matrix, self.sums = matrix, torch.zeros(len(matrix), device=matrix.device)

    @torch.no_grad()
    def step(self, learning_rate: float, decay: float) -> None:
        """Move the rows that have a gradient."""
        assert self.matrix.grad is not None
        gradient = self.matrix.grad.coalesce()
        rows, values = gradient.indices()[0], gradient.values()
        self.sums[rows] += values.square().mean(dim=1)
        scale = learning_rate * (self.sums[rows] + 1e-12).rsqrt()  # the least number keeps rows without a slope
        moved = self.matrix[rows] * (1 - learning_rate * decay) - scale[:, None] * values
        self.matrix.index_copy_(0, rows, moved)
        self.matrix.grad = None


def train(
    make: Callable[[], TextNetwork],
    bags: Bags,
    label_rows: LabelRows,
    config: ClassifiersConfig,
    seed: int,
) -> TextNetwork:
    """Train one network.

    Args:
        make: makes the network, drawing from torch's generator.
        bags: rows of B documents.
        label_rows: int64 (B,), their labels.
        config: the optimiser and when to stop.
        seed: of weights, dropout, order and the part that is held out.

    Returns:
        The weights of the epoch with the lowest loss on the held-out part, or of the last one without such a part; on
        the CPU.

    Raises:
        DegenerateInput: the loss is not finite.
    """
    device = device_of(config.device)
    with one_thread(device):
        torch.manual_seed(seed)
        network = make().to(device)
        data = LabelledBags(*(torch.from_numpy(a).to(device) for a in (bags.values, bags.starts, label_rows)))
        training, held_out = _split(len(label_rows), _VALIDATION_SHARE, seed)
        _run(network, data, training, held_out, config, seed)
        return network.cpu().eval()


def _split(B: int, share: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    order = torch.randperm(B, generator=torch.Generator().manual_seed(seed))
    n = round(B * share)
    n = n if n >= _MIN_HELD_OUT else 0
    return order[n:], order[:n]


def _run(
    network: TextNetwork,
    data: LabelledBags,
    training: torch.Tensor,
    held_out: torch.Tensor,
    config: ClassifiersConfig,
    seed: int,
) -> None:
    rows = RowAdaGrad(network.vectors.weight)
    others = torch.optim.AdamW(
        (value for value in network.parameters() if value is not rows.matrix), weight_decay=_WEIGHT_DECAY
    )
    order = torch.Generator().manual_seed(seed)
    epochs = min(config.epochs, max(_MIN_EPOCHS, _MAX_READ // max(1, len(data.rows))))
    steps, step = epochs * -(-len(training) // BATCH_SIZE), 0
    lowest, best, kept = float("inf"), 0, {}
    for epoch in range(epochs):
        network.train()
        for chosen in torch.split(training[torch.randperm(len(training), generator=order)], BATCH_SIZE):
            rate = config.learning_rate * (1 - step / steps)
            others.param_groups[0]["lr"] = rate
            chosen = chosen.to(data.labels.device)
            logits = network(_with_dropout(data.batch(chosen), DROPOUT))
            loss = cross_entropy(logits, data.labels[chosen])
            others.zero_grad()
            torch.autograd.backward(loss)
            others.step()
            rows.step(rate * network.row_rate, _WEIGHT_DECAY)
            step += 1
        if not len(held_out):
            continue
        loss_now = _held_out_loss(network, data, held_out, BATCH_SIZE)
        if loss_now < lowest:
            lowest, best, kept = loss_now, epoch, {name: value.clone() for name, value in network.state_dict().items()}
        elif epoch - best >= _PATIENCE:
            break
    if kept:
        network.load_state_dict(kept)
    _check(float(network.out.weight.detach().abs().sum()))


def _with_dropout(batch: RaggedBatch, dropout: float) -> RaggedBatch:
    """The batch without a random share of its rows."""
    kept = torch.rand(len(batch.rows), device=batch.rows.device) >= dropout
    ends = torch.cat([batch.starts.new_zeros(1), kept.cumsum(0)])
    return RaggedBatch(batch.rows[kept], ends[batch.starts])


def _held_out_loss(network: TextNetwork, data: LabelledBags, held_out: torch.Tensor, batch_size: int) -> float:
    network.eval()
    total = 0.0
    with torch.inference_mode():
        for chosen in torch.split(held_out.to(data.labels.device), batch_size):
            total += float(cross_entropy(network(data.batch(chosen)), data.labels[chosen], reduction="sum"))
    return _check(total / len(held_out))


def _check(value: float) -> float:
    if not np.isfinite(value):
        raise DegenerateInput("a finite loss", str(value), "Lower categories.learning_rate.")
    return value
