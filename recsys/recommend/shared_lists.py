"""Shared lists: what those of whom nothing is known are answered, made once for all of them.

Their lists differ by what was asked alone, and so does an article's for all strangers who are on it. A list holds while
no click was counted and nothing changed in the catalogue, for a second at most. Impressions, of which every list brings
many, may wait for that second.
"""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from recsys.catalogue.eligibility import Eligibility
from recsys.readers import ReaderState
from recsys.units import SECOND_MS

Made = TypeVar("Made")

LISTS = 256  # kept at once, of some kilobytes each: slots and languages are few, articles that many stand on are, too


class Asked(NamedTuple):
    """All that a list of somebody unknown depends on beside the moment; fields as in ``Recommender.recommend``."""

    article: int
    k: int
    lang: str | None
    home: str | None
    slot: str | None
    exclude: tuple[str, ...]
    cheap: bool


class Moment(NamedTuple):
    """The state that a list was made from.

    Attributes:
        eligible: what may be shown.
        clicks: counted so far.
        at: ms.
    """

    eligible: Eligibility
    clicks: int
    at: int

    def still(self, now: "Moment") -> bool:
        """True while nothing has changed and hardly any time has passed."""
        same = self.eligible is now.eligible and self.clicks == now.clicks
        return same and 0 <= now.at - self.at < SECOND_MS


class SharedLists(Generic[Made]):
    """The newest lists by what was asked. Safe for threads: two may make the same list at once, and one is kept."""

    def __init__(self) -> None:
        self._kept: dict[Asked, tuple[Moment, Made]] = {}
        self._state: tuple[Eligibility, int] | None = None  # that all of them were made from

    def get(self, asked: Asked, now: Moment) -> Made | None:
        """The list as it was made a moment ago; None where it has to be made."""
        kept = self._kept.get(asked)
        return kept[1] if kept is not None and kept[0].still(now) else None

    def keep(self, asked: Asked, now: Moment, made: Made) -> None:
        """Keep a list for whoever asks the same, and none that was made from another state, which it would hold."""
        state = now.eligible, now.clicks
        if state != self._state or len(self._kept) >= LISTS:
            self._state, self._kept = state, {}
        self._kept[asked] = now, made


def is_unknown(states: Sequence[ReaderState | None]) -> bool:
    """True where nobody has read, dismissed or been shown anything."""
    return all(state is None or not (len(state.seen) or len(state.impressions)) for state in states)
