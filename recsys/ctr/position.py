"""Position: a shallow tower that takes the place in the list out of a click.

What stands first is seen more often and clicked more often, whatever it is. In training the place adds its own log-odds
to the network's, so that the network need not explain them; in service every candidate is scored as if it stood first.

Source: Zhao et al. 2019 ("Recommending what video to watch next", section 4.3, the shallow tower); Craswell et al. 2008
(position bias).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

PLACES = 50  # places with log-odds of their own; the last one stands for all below it
UNKNOWN = -1  # the place of a row whose place nobody recorded


class Position(nn.Module):
    """Log-odds by place, relative to the first.

    Attributes:
        weight: float32 (1 + PLACES,), for an unknown place, then by place.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1 + PLACES))

    def forward(self, place: torch.Tensor) -> torch.Tensor:
        """What places, int64 (B,) as ``places`` gives them, add to the log-odds: float32 (B,)."""
        out: torch.Tensor = self.weight[place] - self.weight[1]
        return out


def places(position: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Rows of the tower's weight: int16 (N,), from 0, -1 for unknown -> int64 (N,)."""
    return np.where(position < 0, 0, 1 + np.minimum(position.astype(np.int64), PLACES - 1))
