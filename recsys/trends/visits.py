"""The last clicks of every running visit, bounded however many visitors there are."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recsys.trends.company import MAX_COMPANY

Rows = npt.NDArray[np.int32]


class Visits:
    """At most ``size`` visits; the one without a click for longest goes first.

    A visit is over when the next click comes more than ``gap_ms`` after the last one. A late click takes the place that
    its time gives it and moves no clock back.
    """

    def __init__(self, size: int, gap_ms: int) -> None:
        self.size, self.gap_ms = size, gap_ms
        self._visits: OrderedDict[str, list[tuple[int, int]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def click(self, visitor: str, row: int, time: int) -> Rows:
        """Add a click.

        Returns:
            int32 (n,): the rows clicked before it in the same visit, newest last, n ≤ ``MAX_COMPANY``.
        """
        visit = self._visits.pop(visitor, [])
        if visit and time - visit[-1][0] > self.gap_ms:
            visit = []
        if visit and visit[0][0] - time > self.gap_ms:  # so late that it was a visit of its own
            self._visits[visitor] = visit
            return np.empty(0, np.int32)
        before = [one for one in visit if one[0] <= time]
        company = np.array([row_ for _, row_ in before[-MAX_COMPANY:]], np.int32)
        self._visits[visitor] = [*before, (time, row), *visit[len(before) :]][-MAX_COMPANY:]
        if len(self._visits) > self.size:
            self._visits.popitem(last=False)
        return company

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Drop the visits of some visitors.

        Args:
            gone: says of a visitor whether they are one of them.
        """
        for visitor in list(filter(gone, self._visits)):
            del self._visits[visitor]

    def clear(self) -> None:
        """Forget all visits: their rows belong to a release that is gone."""
        self._visits.clear()
