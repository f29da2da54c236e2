"""Lists: what the recommender is asked and answers with, and the one thing that it asks of a click model."""

import enum
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.features.rows import CandidateRows
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


class ScoreKind(enum.StrEnum):
    """What the score of an article says, always in [0, 1]; only scores of one kind can be compared."""

    CLICK = "click"  # the probability of a click if the article stands first
    NEXT_CLICK = "next-click"  # the probability that of all candidates of the list this one is opened next
    SIMILARITY = "similarity"  # the cosine to what the reader likes, or to the article; 0 where it is below
    TAG = "tag"  # the weight of the tag in the article
    NONE = "none"  # the list has another order: clicks, or time; the score is 0


def as_said(kind: ScoreKind, scores: Vectors, candidates: Vectors) -> Vectors:
    """Scores as they are answered.

    Args:
        kind: what they say.
        scores: float32 (B,), as they rank: probabilities, log-odds up to one constant, or cosines.
        candidates: float32 (C,), the scores of all candidates.

    Returns:
        float32 (B,), in [0, 1], in the same order.
    """
    if kind is ScoreKind.NEXT_CLICK and len(candidates):
        whole = np.logaddexp.reduce(candidates)
        scores = np.exp(np.minimum(scores - whole, 0.0))
    return np.asarray(np.clip(scores, 0.0, 1.0), np.float32)


class Scorer(Protocol):
    """The click model as far as it is used here."""

    @property
    def probability(self) -> bool:
        """Whether its scores are probabilities; otherwise they are log-odds up to one constant."""

    def score(self, candidates: CandidateRows) -> Vectors:
        """How likely a click on each of B candidates is: float32 (B,)."""


class RequestContext(NamedTuple):
    """Who asks for a list and where it will stand, as far as it is known: the reader's id, the slot's name."""

    reader: str | None = None
    slot: str | None = None


ANONYMOUS = RequestContext()


class Card(NamedTuple):
    """One article of a list: its row, its score in [0, 1], why it is there, and what the score says."""

    row: int
    score: float
    reason: Reason
    kind: ScoreKind = ScoreKind.NONE


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list, the tier that it came from and the release that served it."""

    tier: Tier
    release: str | None
    cards: list[Card]
