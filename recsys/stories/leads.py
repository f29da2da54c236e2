"""Leads: the openings of two articles' bodies -> how much of what is rare in them both have.

A name that two headlines share is no event: of one event the bodies tell the same of who, where and what. Where both
have a body, it has to agree before an article joins a story; a headline without a body is believed by itself, if it has
a time.
"""

import math
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from recsys.stories.common_words import COMMON_TERMS
from recsys.stories.terms import ordered_terms

KEY = "I"  # type of a key in an array: four bytes
LEAD_CHARS = 400  # of a body: who, where and what stand in its first sentences
MAX_LEAD_TERMS = 64
LEAST_LEAD_TERMS = 12  # of a body; what is shorter agrees with everything
AGREE = 0.15  # cosine from which two leads tell of one event (docs/stories.md)
_LEAST_SHARED = AGREE**2 * (1 - 1e-9)  # of a lead's squared length: with less no other agrees
COMPARED = 16  # articles of a story, the latest: one of them has to agree
_SEEN = 0.2  # articles in which a term is taken to have stood before it was seen
_ARTICLES = 30  # articles that are taken to have been before the first: no term of a young index is rare yet
_COMMON = 0.06  # share of all articles that have a common word, before the index knows better
_MOST = 0.9  # share of the articles at which a term says next to nothing
_KNOWN_TERMS = 1 << 16  # whose keys are remembered

Lead = Sequence[int]  # an array: as a tuple a key takes ten times as much, and a worker holds a million of them


def lead_of(body: str) -> Lead:
    """Keys of the different terms of a body's opening, in its order; none of a body that is too short to compare."""
    keys = array(KEY, (_key(term) for term in islice(ordered_terms(body[:LEAD_CHARS]), MAX_LEAD_TERMS)))
    return keys if len(keys) >= LEAST_LEAD_TERMS else ()


class WeighedLead(NamedTuple):
    """Square of the rarity of each term of a lead, and their sum; empty and 0 of no lead."""

    squares: dict[int, float]
    total: float


class LeadRarity:
    """Counts of terms in the leads of the articles that an index has at present.

    Attributes:
        articles: that have a lead.
    """

    def __init__(self) -> None:
        self.articles = 0
        self._seen: dict[int, int] = {}

    def add(self, lead: Lead) -> None:
        """Count the terms of a lead; one without terms is not counted."""
        self.articles += bool(lead)
        for key in lead:
            self._seen[key] = self._seen.get(key, 0) + 1

    def remove(self, lead: Lead) -> None:
        """Take back what was counted."""
        self.articles -= bool(lead)
        for key in lead:
            self._seen[key] -= 1
            if not self._seen[key]:
                del self._seen[key]

    def weighed(self, lead: Lead) -> WeighedLead:
        """A lead as it is compared, by the counts of now."""
        squares = {key: self._weight(key) for key in lead}
        return WeighedLead(squares, sum(squares.values()))

    def agree(self, lead: WeighedLead, others: Iterable[Lead], unknown: bool = True) -> bool:
        """True where a lead agrees with one of the others; ``unknown`` where there is nothing to compare."""
        having = list(islice(filter(None, others), COMPARED)) if lead.squares else []
        if not having:
            return unknown
        return any(cosine >= AGREE for cosine in self._cosines(lead, having))

    def _cosines(self, lead: WeighedLead, others: Iterable[Lead]) -> Iterator[float]:
        """Cosines of a lead with others that may reach ``AGREE``."""
        squares, total = lead
        for other in others:
            shared = sum(squares[key] for key in other if key in squares)
            if shared >= _LEAST_SHARED * total:  # the other's own length is at least what is shared
                yield shared / math.sqrt(total * sum(map(self._weight, other)))

    def _weight(self, key: int) -> float:
        """Square of a term's rarity."""
        share = (self._seen.get(key, 0) + _SEEN) / (self.articles + _ARTICLES)
        return math.log(min(_MOST, share + _COMMON if key in _COMMON_KEYS else share)) ** 2


@lru_cache(_KNOWN_TERMS)
def _key(term: str) -> int:
    return zlib.crc32(term.encode("utf-8", "surrogatepass"))


_COMMON_KEYS = frozenset(map(_key, COMMON_TERMS))
