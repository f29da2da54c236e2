"""Outcomes: what came of an article once it was opened, and where it was hidden, each once of a visitor and a day.

Reads dwells, the dwell times of clicks, and dismissals; produces the outcomes that count of each event, for a whole log
and, in ``Outcomes``, for one event after the other. The rules:

- of a visitor and an article the dwells of ``OUTCOME_MS`` add up, since a page may send one for each stretch in which
  it was looked at; the first makes the reading ``TIMED``, the one by which they reach ``READ_MS`` makes it ``READ``.
  Whether the click was heard of, before or after, does not matter; a dwell of nothing says nothing;
- a visitor hides an article once in ``OUTCOME_MS``, however often they say so;
- of nobody known nothing counts, nor of whom nobody vouches for, of a robot, beyond what one address may add, undated.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.events.arrays import KINDS, Events
from recsys.store import Kind
from recsys.units import HOUR_MS, SECOND_MS, UNDATED

Array = npt.NDArray[Any]
Bits = npt.NDArray[np.int8]

READ_MS = 30 * SECOND_MS  # of one visitor on an article, from which on it was read and not only opened
OUTCOME_MS = 24 * HOUR_MS  # from a visitor's first outcome on an article on: who comes back another day counts again
MAX_OUTCOMES = 50_000  # pairs of a visitor and an article that are remembered, some 15 MB; the oldest goes first
TIMED, READ, HIDDEN = 1, 2, 4  # bits of what an event adds to the counts of its article

_CLICK, _DWELL, _DISMISS = (KINDS.index(kind) for kind in (Kind.CLICK, Kind.DWELL, Kind.DISMISS))


def outcome_bits(events: Events, keys: npt.NDArray[np.int64], silent: npt.NDArray[np.bool_]) -> Bits:
    """The outcomes that the events of a log add.

    Args:
        events: E events in time order, of their own kinds.
        keys: int64 (E,), the visitor of each, -1 for nobody known.
        silent: bool (E,), events that say nothing of articles.

    Returns:
        int8 (E,), see ``TIMED``; empty where no event adds any.
    """
    hides = events.kind == _DISMISS
    dwell = np.zeros(len(events), np.int64)
    if len(events.dwell):
        dwell = np.where((events.kind == _DWELL) | (events.kind == _CLICK), np.maximum(events.dwell, 0), 0)
    tells = np.flatnonzero((hides | (dwell > 0)) & (keys >= 0) & ~silent & (events.time != UNDATED))
    if not len(tells):
        return np.empty(0, np.int8)
    pair = keys[tells] * max(1, len(events.article_ids)) + events.article[tells]
    order = np.argsort(pair, kind="stable")
    added = np.zeros(len(tells), np.int8)
    chosen = tells[order]
    _add_up(pair[order], events.time[chosen].astype(np.int64), dwell[chosen].astype(np.int64), hides[chosen], added)
    bits = np.zeros(len(events), np.int8)
    bits[chosen] = added
    return bits


@compiled
def _add_up(pair: Array, time: Array, dwell: Array, hides: Array, added: Array) -> None:
    """Write what each event of a visitor and an article adds to those before it."""
    since, total, known = np.int64(0), np.int64(0), 0
    for n in range(len(pair)):
        if not n or pair[n] != pair[n - 1] or time[n] - since >= OUTCOME_MS:
            since, total, known = time[n], np.int64(0), 0
        total += dwell[n]
        now = known
        if dwell[n] > 0:
            now |= TIMED
        if total >= READ_MS:
            now |= READ
        if hides[n]:
            now |= HIDDEN
        added[n] = now & ~known
        known = now


class Outcomes:
    """The same for one event after the other, in bounded memory and constant time. Not safe for threads."""

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, int], tuple[int, int, int]] = OrderedDict()  # first ms, dwell ms, bits

    def __len__(self) -> int:
        return len(self._pairs)

    def see(self, kind: int, row: int, time: int, visitor: str | None, dwell_ms: int | None) -> int:
        """The outcomes that one event adds, see ``TIMED``.

        Args:
            kind: index into ``KINDS``.
            row: article row.
            time: ms, or UNDATED.
            visitor: who did it; None for nobody known.
            dwell_ms: None for unknown.
        """
        dwell = max(dwell_ms or 0, 0) if kind in (_DWELL, _CLICK) else 0
        if visitor is None or time == UNDATED or not (dwell or kind == _DISMISS):
            return 0
        since, total, known = self._pairs.pop((visitor, row), (time, 0, 0))
        if abs(time - since) >= OUTCOME_MS:
            since, total, known = time, 0, 0
        total += dwell
        now = known | TIMED * (dwell > 0) | READ * (total >= READ_MS) | HIDDEN * (kind == _DISMISS)
        self._pairs[visitor, row] = since, total, now
        if len(self._pairs) > MAX_OUTCOMES:
            self._pairs.popitem(last=False)
        return now & ~known

    def forget(self, is_forgotten: Callable[[str], bool]) -> None:
        """Drop the visitors of whom ``is_forgotten`` says so."""
        for pair in [pair for pair in self._pairs if is_forgotten(pair[0])]:
            del self._pairs[pair]
