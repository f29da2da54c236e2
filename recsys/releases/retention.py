"""Retention: the releases that are kept, by count and by age."""

from collections.abc import Mapping, Sequence

from recsys.releases.states import ReleaseState
from recsys.units import DAY_MS

CANDIDATES_KEPT = 2  # beside those that are or were live


def outlived(
    names: Sequence[str],
    states: Mapping[str, ReleaseState],
    made: Mapping[str, int],
    *,
    keep: int,
    keep_days: int,
    now: int,
) -> list[str]:
    """The releases that are not kept any more.

    Args:
        names: of all, oldest first.
        states: of each; shadow and canary are kept, like the live one.
        made: ms UTC, of each.
        keep: of those that are or were live, so many stay.
        keep_days: those older go, but for one to roll back to; 0: none goes by its age.
        now: ms UTC.
    """
    served = [name for name in names if states[name] in (ReleaseState.LIVE, ReleaseState.RETIRED)]
    waiting = [name for name in names if states[name] is ReleaseState.CANDIDATE]
    gone = {*served[:-keep], *waiting[:-CANDIDATES_KEPT]}
    retired = [name for name in served if states[name] is ReleaseState.RETIRED]
    if keep_days:
        gone |= {name for name in [*retired[:-1], *waiting] if made[name] < now - keep_days * DAY_MS}
    return [name for name in names if name in gone and states[name] is not ReleaseState.LIVE]
