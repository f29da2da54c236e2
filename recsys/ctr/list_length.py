"""List length: lists of different lengths and their clicks -> how a card's clicks fall with the cards beside it.

A reader opens one or two cards of a list of six and of a list of sixty, so that a card of the long one is clicked less
often, whatever it is. Cross-entropy that is not told explains it by whatever long lists have in common: by readers, by
the hour. Told, it learns of the cards. The exponent is found once, from the lists to learn from, before training.

Source: McCullagh and Nelder 1989 (Poisson regression by its log-likelihood; a known exposure as an offset).
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recsys.features.rows import LabelledRows

_PRIOR = 1.0  # standard deviation of the exponent around 0 before any list: a few lists of odd lengths say little
_STEPS = 50  # of Newton's at most
_LARGEST_STEP = 1.0  # of the exponents: a start far off goes there in several

Counts = npt.NDArray[np.float64]


@dataclass
class ListLengths:
    """Lists and their clicks by length.

    Attributes:
        lists: float64 (L + 1,), by the number of cards.
        clicks: float64 (L + 1,), on all of them.
    """

    lists: Counts = field(default_factory=lambda: np.zeros(1))
    clicks: Counts = field(default_factory=lambda: np.zeros(1))

    def add(self, rows: LabelledRows) -> None:
        """Take the lists of a block in."""
        length = np.bincount(rows.impression)
        clicked = np.bincount(rows.impression, rows.label, len(length))
        most = max(len(self.lists), int(length.max(initial=0)) + 1)
        lists = np.bincount(length, minlength=most).astype(np.float64)
        lists[0] = 0  # numbers that no row has
        clicks = np.bincount(length, clicked, most)
        self.lists, self.clicks = _longer(self.lists, most) + lists, _longer(self.clicks, most) + clicks

    @property
    def exponent(self) -> float:
        """The ``a`` of: a card of a list of n cards is clicked about n ** -a times as often.

        From 0, where the cards of all lists are clicked alike, to 1, where all lists have as many clicks. A log beyond
        that (clicks that came without the cards beside them, as lists of one) says nothing of length.
        """
        length = np.flatnonzero(self.lists)
        clicks = self.clicks[length]
        if len(length) < 2 or not clicks.sum():
            return 0.0
        cards = self.lists[length] * length
        falls = np.log(length) - np.average(np.log(length), weights=cards)
        level, exponent = float(np.log(clicks.sum() / cards.sum())), 0.0
        for _ in range(_STEPS):
            expected = cards * np.exp(level - exponent * falls)
            off = clicks - expected
            slope = np.array([off.sum(), -(off @ falls) - exponent / _PRIOR**2])
            cross = -float(expected @ falls)
            curve = np.array([[expected.sum(), cross], [cross, expected @ falls**2 + 1 / _PRIOR**2]])
            step = np.clip(np.linalg.solve(curve, slope), -_LARGEST_STEP, _LARGEST_STEP)
            level, exponent = level + float(step[0]), exponent + float(step[1])
            if abs(step).max() < 1e-9:
                break
        return min(max(exponent, 0.0), 1.0)


def _longer(counts: Counts, size: int) -> Counts:
    return np.pad(counts, (0, size - len(counts)))
