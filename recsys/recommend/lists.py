"""Lists: what the recommender is asked and answers with, and the one thing that it asks of a click model."""

import enum
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.features.rows import Candidates
from recsys.recommend.reasons import Reason

Vectors = npt.NDArray[np.float32]


class Tier(enum.StrEnum):
    """What a list was made from, best first."""

    PERSONAL = "personal"
    SESSION = "session"
    CATEGORY_POPULAR = "category-popular"
    POPULAR = "popular"
    FRESH = "fresh"
    EMPTY = "empty"


class Scorer(Protocol):
    """The click model as far as it is used here."""

    def score(self, candidates: Candidates) -> Vectors:
        """P(click) of each of B candidates: float32 (B,)."""


class Asker(NamedTuple):
    """Who asks for a list and where it will stand, as far as it is known: the reader's id, the slot's name."""

    reader: str | None = None
    slot: str | None = None


NOBODY = Asker()


class Card(NamedTuple):
    """One article of a list: its row, the score that placed it, and why it is there."""

    row: int
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list, the tier that it came from and the release that served it."""

    tier: Tier
    release: str | None
    cards: list[Card]
