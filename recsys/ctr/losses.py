"""The losses of training: log-odds and labels -> one number.

A softmax over a list asks which of its candidates was preferred, and learns nothing from a list without a click.
Cross-entropy asks of each row if it was clicked, which also tells a list that invites clicks from one that does not.
``joint`` asks both: the order within a list of the first, and the probabilities of the second. Where lists differ in
length, cross-entropy is told how clicks fall with it (``recsys.ctr.list_length``); within a list that is one constant.

Source: McFadden 1974 (conditional logit: the softmax over a list); Sheng et al. 2023 and Bai et al. 2023 (both at
once).
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from recsys.ctr.network import CandidateBatch

BY_ROW = 0.3  # of ``joint``: weight of cross-entropy beside the softmax; a tenth to one do about as well


def resolved_loss(kind: str, *, sampled: bool) -> str:
    """The loss that ``auto`` stands for; another kind as it is.

    Args:
        kind: of ``ctr.loss``.
        sampled: true if the candidates beside a click are negative samples. Each list then has one click, so that
            nothing is to be learned of a list as a whole; of lists that were shown there is.
    """
    return kind if kind != "auto" else "softmax" if sampled else "joint"


class Objective(nn.Module):
    """The mean loss of network and position tower, per click or per row."""

    def __init__(self, parts: nn.ModuleDict, loss: str, length_exponent: float = 0.0) -> None:
        super().__init__()
        self.parts, self._loss, self._length_exponent = parts, loss, length_exponent

    def forward(
        self,
        batch: CandidateBatch,
        label: torch.Tensor,
        group: torch.Tensor,
        impressions: torch.Tensor,
        count: torch.Tensor,
        position: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A batch -> a scalar.

        Args:
            batch: B rows.
            label: float32 (B,).
            group: int64 (B,), the list of each row.
            impressions: int64 (L,), a number per list.
            count: float32 (), rows or clicks that the loss is the mean over.
            position: int64 (B,), rows of the position tower.
        """
        logit = log_odds(self.parts, batch, position).float()
        return loss_of(self._loss, logit, label, group, len(impressions), self._length_exponent) / count


def log_odds(parts: nn.ModuleDict, batch: CandidateBatch, position: torch.Tensor | None) -> torch.Tensor:
    """The log-odds of B rows by network and position tower, float32 (B,); without a position, of the first."""
    out: torch.Tensor = parts["net"](batch)
    return out if position is None else out + parts["position"](position)


def loss_of(
    kind: str, logit: torch.Tensor, label: torch.Tensor, group: torch.Tensor, n: int, length_exponent: float = 0.0
) -> torch.Tensor:
    """The sum of a loss over rows or clicks.

    Args:
        kind: "softmax", "bce" or "joint".
        logit: float32 (B,).
        label: float32 (B,), 0 or 1.
        group: int64 (B,), number of the list of each row.
        n: lists.
        length_exponent: how a card's clicks fall with the length of its list, see ``ListLengths.exponent``.
    """
    softmax = logit.new_zeros(()) if kind == "bce" else list_softmax(logit, label, group, n)
    if kind == "softmax":
        return softmax
    if length_exponent:
        length = torch.zeros(n, device=logit.device).index_add(0, group, torch.ones_like(logit))
        logit = logit - length_exponent * length.log()[group]
    return softmax + (1.0 if kind == "bce" else BY_ROW) * cross_entropy(logit, label)


def list_softmax(logit: torch.Tensor, label: torch.Tensor, group: torch.Tensor, n: int) -> torch.Tensor:
    """Sum over clicks of the negative log softmax of the clicked candidate among its list.

    A list of clicks alone prefers nothing to nothing and counts 0.

    Args:
        logit: float32 (B,).
        label: float32 (B,), 0 or 1.
        group: int64 (B,), number of the list of each row.
        n: lists.
    """
    others = torch.zeros(n, device=logit.device).index_add(0, group, 1 - label)  # candidates without a click, (n,)
    label = label * (others > 0)[group]
    top = torch.full((n,), -torch.inf, device=logit.device).scatter_reduce(0, group, logit.detach(), "amax")
    centred = logit - top[group]  # exp cannot overflow
    total = torch.zeros(n, device=logit.device).index_add(0, group, centred.exp())
    return -(label * (centred - total.log()[group])).sum()


def cross_entropy(logit: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Sum over rows of the negative log likelihood of their labels; float32 (B,) both."""
    return binary_cross_entropy_with_logits(logit, label, reduction="sum")
