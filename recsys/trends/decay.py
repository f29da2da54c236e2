"""Forward decay of counts, in numbers that neither overflow nor divide by a count that has faded away.

An event of time t adds 2^((t - landmark) / half-life) to a count that is *written at* that landmark; reading it at a
time n multiplies by 2^((landmark - n) / half-life). The stream's landmark moves on before the numbers leave the range
of a float, and that touches no count of an article: each row and each slot says at which landmark it is written, and is
written anew when it is next added to. So a log whose every event moves the landmark costs no more than any other.

Source: Cormode, Shkapenyuk, Srivastava and Xu 2009 (forward decay).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends.state import LANDMARK, TrendState
from recsys.units import NEVER_MS

Array = npt.NDArray[Any]

FARTHEST = 60.0  # halvings from the landmark at which it moves: float32 holds twice as many
GONE = 2.0**-60  # of a click: what has faded below it says nothing any more, and nothing is divided by it


@compiled
def faded(since: int, now: int, per_ms: float) -> float:
    """Fade of a count from ``since`` to ``now`` (ms): a factor in [0, 1], also on a clock that went back."""
    return float(2.0 ** min((float(since) - float(now)) * per_ms, 0.0))


@compiled
def quotient(part: float, whole: float) -> float:
    """Share of one faded count in another: 0 where the whole has faded away."""
    return part / whole if whole > GONE else 0.0


@compiled
def start_clock(state: TrendState, time: int) -> None:
    """Set or move the landmark so that ``time`` (ms) can be counted."""
    landmark = state.clock[LANDMARK]
    if landmark == NEVER_MS:
        state.clock[LANDMARK] = time
        return
    fastest = 0.0
    for per_ms in (state.per_ms, state.pair_per_ms, state.slow_per_ms):
        for k in range(len(per_ms)):
            fastest = max(fastest, per_ms[k])
    if (float(time) - float(landmark)) * fastest <= FARTHEST:
        return
    move_landmark(state, time)


@compiled
def move_landmark(state: TrendState, time: int) -> None:
    """Make ``time`` (ms), which is not before it, the stream's landmark; counts of articles are left for later."""
    landmark = state.clock[LANDMARK]
    for k in range(len(state.per_ms)):
        fade = faded(landmark, time, state.per_ms[k])
        for column in range(len(state.all_decayed)):
            state.all_decayed[column, k] *= fade
    _fade(state.all_lifts, faded(landmark, time, state.slow_per_ms[0]))
    slow = faded(landmark, time, state.slow_per_ms[1])
    _fade(state.positions, slow)
    _fade(state.ages, slow)
    _fade(state.by_category, slow)
    _fade(state.category_outcomes, slow)
    state.clock[LANDMARK] = time


@compiled
def _fade(counts: Array, fade: float) -> None:
    """Multiply a table; a plain loop compiles in a tenth of the time of ``counts *= fade``."""
    for i in range(counts.shape[0]):
        for j in range(counts.shape[1]):
            counts[i, j] *= fade


@compiled
def settle_row(state: TrendState, row: int) -> None:
    """Write an article's counts at the stream's landmark."""
    landmark, written_at = state.clock[LANDMARK], state.row_landmark[row]
    if written_at == landmark:
        return
    for k in range(len(state.per_ms)):
        fade = faded(written_at, landmark, state.per_ms[k])
        for column in range(state.decayed.shape[1]):
            state.decayed[row, column, k] *= fade
    state.row_landmark[row] = landmark


@compiled
def settle_slot(state: TrendState, slot: int) -> None:
    """Write a slot's co-visits and lifts at the stream's landmark."""
    landmark, written_at = state.clock[LANDMARK], state.slot_landmark[slot]
    if written_at == landmark:
        return
    for k in range(state.pairs.shape[2]):
        fade = np.float32(faded(written_at, landmark, state.pair_per_ms[k]))
        for m in range(state.pairs.shape[1]):
            state.pairs[slot, m, k] *= fade
    fade = np.float32(faded(written_at, landmark, state.slow_per_ms[0]))
    for c in range(state.lifts.shape[1]):
        for v in range(state.lifts.shape[2]):
            state.lifts[slot, c, v] *= fade
    state.slot_landmark[slot] = landmark


@compiled
def row_fade(state: TrendState, row: int, now: int, k: int, fades: Array) -> float:
    """Fade of an article's count at half-life k to ``now``; ``fades`` (K,) is that of the stream's landmark."""
    if state.row_landmark[row] == state.clock[LANDMARK]:
        return float(fades[k])
    return faded(state.row_landmark[row], now, state.per_ms[k])


@compiled
def fill_row_fades(state: TrendState, row: int, now: int, fades: Array, out: Array) -> None:
    """Fades of an article's counts at all half-lives to ``now``: float64 (K,); ``fades`` (K,) as for ``row_fade``.

    Where a half-life is a quarter of the next one, its fade is the fourth power of that one's: two products in place of
    what takes ten times as long.
    """
    settled = state.row_landmark[row] == state.clock[LANDMARK]
    for k in range(len(out) - 1, -1, -1):
        if settled:
            out[k] = fades[k]
        elif k + 1 < len(out) and state.per_ms[k] == 4.0 * state.per_ms[k + 1]:
            square = out[k + 1] * out[k + 1]
            out[k] = square * square
        else:
            out[k] = faded(state.row_landmark[row], now, state.per_ms[k])


@compiled
def pair_fade(state: TrendState, slot: int, now: int, k: int, fades: Array) -> float:
    """Fade of the co-visits in a slot, likewise; ``fades`` (3,)."""
    if state.slot_landmark[slot] == state.clock[LANDMARK]:
        return float(fades[k])
    return faded(state.slot_landmark[slot], now, state.pair_per_ms[k])
