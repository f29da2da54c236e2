"""What training makes small: log-odds and labels -> one number.

Source: McFadden 1974 (conditional logit: the softmax over a list).
"""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def list_softmax(logit: torch.Tensor, label: torch.Tensor, group: torch.Tensor, n: int) -> torch.Tensor:
    """Sum over clicks of the negative log softmax of the clicked candidate among its list.

    Args:
        logit: float32 (B,).
        label: float32 (B,), 0 or 1.
        group: int64 (B,), number of the list of each row.
        n: lists.
    """
    top = torch.full((n,), -torch.inf, device=logit.device).scatter_reduce(0, group, logit.detach(), "amax")
    centred = logit - top[group]
    total = torch.zeros(n, device=logit.device).index_add(0, group, centred.exp())
    return -(label * (centred - total.log()[group])).sum()


def cross_entropy(logit: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Sum over rows of the negative log likelihood of their labels; float32 (B,) both."""
    return binary_cross_entropy_with_logits(logit, label, reduction="sum")
