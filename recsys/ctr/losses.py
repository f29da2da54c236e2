"""What training makes small: log-odds and labels -> one number.

A softmax over a list asks which of its candidates was preferred, and learns nothing from a list without a click.
Cross-entropy asks of each row whether it was clicked, which also tells a list that invites clicks from one that does
not. ``joint`` asks both: the order within a list of the first, and the probabilities of the second.

Log-odds may be those of M members, a row each: the number is then the mean of theirs, so that each learns by itself.

Source: McFadden 1974 (conditional logit: the softmax over a list); Sheng et al. 2023 and Bai et al. 2023 (both at
once).
"""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

BY_ROW = 0.3  # of ``joint``: what cross-entropy counts beside the softmax; a tenth to one do about as well


def loss_of(kind: str, logit: torch.Tensor, label: torch.Tensor, group: torch.Tensor, n: int) -> torch.Tensor:
    """The sum of a loss over rows or clicks.

    Args:
        kind: "softmax", "bce" or "joint".
        logit: float32 (B,) or (M, B).
        label: float32 (B,), 0 or 1.
        group: int64 (B,), number of the list of each row.
        n: lists.
    """
    if kind == "bce":
        return cross_entropy(logit, label)
    among = list_softmax(logit, label, group, n)
    return among if kind == "softmax" else among + BY_ROW * cross_entropy(logit, label)


def list_softmax(logit: torch.Tensor, label: torch.Tensor, group: torch.Tensor, n: int) -> torch.Tensor:
    """Sum over clicks of the negative log softmax of the clicked candidate among its list.

    A list of clicks alone prefers nothing to nothing and counts 0.

    Args:
        logit: float32 (B,) or (M, B).
        label: float32 (B,), 0 or 1.
        group: int64 (B,), number of the list of each row.
        n: lists.
    """
    left = torch.zeros(n, device=logit.device).index_add(0, group, 1 - label)  # candidates without a click, per list
    label = label * (left > 0)[group]
    shape, own = (*logit.shape[:-1], n), group.expand_as(logit)
    top = torch.full(shape, -torch.inf, device=logit.device).scatter_reduce(-1, own, logit.detach(), "amax")
    centred = logit - top[..., group]
    total = torch.zeros(shape, device=logit.device).index_add(-1, group, centred.exp())
    return -(label * (centred - total.log()[..., group])).sum() / _members(logit)


def cross_entropy(logit: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Sum over rows of the negative log likelihood of their labels; float32 (B,) both, or (M, B) and (B,)."""
    return binary_cross_entropy_with_logits(logit, label.expand_as(logit), reduction="sum") / _members(logit)


def _members(logit: torch.Tensor) -> int:
    return 1 if logit.ndim == 1 else len(logit)
