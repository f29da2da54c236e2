"""Alignment: two sequences of units -> their shared runs, by the longest common subsequence."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.stories.text import Keys

MAX_UNITS = 1_000  # of each text that are compared: 2 MB of table, about 2 ms

Places = npt.NDArray[np.int32]


class SharedRun(NamedTuple):
    """Consecutive units that two texts share: from ``first`` and ``second`` on, ``length`` of them."""

    first: int
    second: int
    length: int


def shared_runs(first: Keys, second: Keys, least: int) -> list[SharedRun]:
    """Shared runs of two texts.

    Args:
        first: uint32 (U,), of which ``MAX_UNITS`` are read.
        second: uint32 (V,), likewise.
        least: units of a run; shorter ones are chance.

    Returns:
        The runs, in order.
    """
    first, second = first[:MAX_UNITS], second[:MAX_UNITS]
    partner = _partners(first, second)
    aligned = np.flatnonzero(partner >= 0)
    if not len(aligned):
        return []
    steps = (np.diff(line, prepend=-2) != 1 for line in (aligned, partner[aligned]))
    starts = np.flatnonzero(np.logical_or(*steps))
    ends = np.append(starts[1:], len(aligned))
    runs = (
        SharedRun(int(aligned[start]), int(partner[aligned[start]]), int(end - start))
        for start, end in zip(starts, ends, strict=True)
    )
    return [run for run in runs if run.length >= least]


@compiled
def _partners(first: Keys, second: Keys) -> Places:
    """Position in the second text of each aligned unit of the first one, -1 for none."""
    U, V = len(first), len(second)
    partner = np.full(U, -1, np.int32)
    head = 0
    while head < U and head < V and first[head] == second[head]:
        partner[head] = head
        head += 1
    tail = 0
    while tail < U - head and tail < V - head and first[U - 1 - tail] == second[V - 1 - tail]:
        partner[U - 1 - tail] = V - 1 - tail
        tail += 1
    A, B = U - head - tail, V - head - tail
    longest = np.zeros((A + 1, B + 1), np.int16)  # common subsequence of the rests from (a, b) on
    for a in range(A - 1, -1, -1):
        for b in range(B - 1, -1, -1):
            if first[head + a] == second[head + b]:
                longest[a, b] = longest[a + 1, b + 1] + 1
            else:
                longest[a, b] = max(longest[a + 1, b], longest[a, b + 1])
    a = b = 0
    while a < A and b < B:
        if first[head + a] == second[head + b]:
            partner[head + a] = head + b
            a += 1
            b += 1
        elif longest[a + 1, b] >= longest[a, b + 1]:
            a += 1
        else:
            b += 1
    return partner
