"""Simulated outcomes: how long an article is read once it is opened, and how often its card is hidden.

Reads a seed and the events of visits; produces the same events with other dwells, and dismissals. Invented throughout:
whether an article keeps what its card promises has nothing to do with how many open it, and differs among articles and
categories as ``SPREAD`` says. Nothing else of a visit changes, the times of its events included, so that two arms of
one scene differ by their lists alone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.events.outcomes import READ_MS
from recsys.store import Event, Kind

SPREAD = (1.0, 0.6)  # of the log-odds that an article is read: standard deviation among articles, and categories
HIDES = 0.01  # of the cards that are looked at and not opened, in the median
HIDES_SPREAD = 1.0  # of the logarithm of that among articles
LONGEST_MS = 120_000
SHORTEST_MS = 2_000

Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class Promise(NamedTuple):
    """Shares of what their cards promise that A articles keep.

    Attributes:
        read: float64 (A,), chance that who opens it reads it for half a minute.
        hidden: float64 (A,), chance that who looks at its card and does not open it hides it.
    """

    read: Float
    hidden: Float


def promise(category: Rows, seed: int) -> Promise:
    """Draw them; ``category`` is int64 (A,)."""
    rng = np.random.default_rng([seed, 4])
    own, of_category, hides = (rng.standard_normal(n) for n in (len(category), category.max() + 1, len(category)))
    log_odds = SPREAD[0] * own + SPREAD[1] * of_category[category]
    return Promise(1 / (1 + np.exp(-log_odds)), np.minimum(HIDES * np.exp(HIDES_SPREAD * hides), 0.2))


def read_events(
    events: Sequence[Event], kept: Promise, row_of: Mapping[str, int], rng: np.random.Generator
) -> list[Event]:
    """The events of a visit, each dwell as long as the article is worth; luck is drawn for every article alike."""
    luck, length = rng.random(len(kept.read)), rng.random(len(kept.read))
    made = []
    for event in events:
        if event.kind is Kind.DWELL:
            row = row_of[event.article]
            low, high = (READ_MS, LONGEST_MS) if luck[row] < kept.read[row] else (SHORTEST_MS, READ_MS)
            event = event._replace(dwell_ms=int(low + length[row] * (high - low)))
        made.append(event)
    return made


def dismissals(
    shown: Sequence[Event],
    left: npt.NDArray[np.bool_],
    kept: Promise,
    row_of: Mapping[str, int],
    rng: np.random.Generator,
) -> list[Event]:
    """The cards of a list that are hidden.

    Args:
        shown: B impressions.
        left: bool (B,), those that were looked at and not opened.
        kept: of all articles.
        row_of: article id -> row.
        rng: source of luck, drawn for every article alike.
    """
    luck = rng.random(len(kept.hidden))
    hides = luck < kept.hidden
    return [
        one._replace(event_id=f"{one.event_id}-hidden", kind=Kind.DISMISS, time=(one.time or 0) + 1_000, dwell_ms=None)
        for one, gone in zip(shown, left.tolist(), strict=True)
        if gone and hides[row_of[one.article]]
    ]
