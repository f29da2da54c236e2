"""Names among terms: how often each is written with a capital where most words are not, learned as headlines come.

A name says more of an event than any other word. A headline in title case tells nothing; one in sentence case tells
its names, and the next one in title case is read with them.
"""

from collections.abc import Mapping

from recsys.stories.terms import PIECE, is_spaced, stem
from recsys.tokens.clean import clean

MAX_KNOWN_TERMS = 200_000  # that are remembered; beyond them those go that were seen once
_SENTENCE_CASE = 2  # longer words without a capital that make a headline one of sentence case
_LONGER = 4  # letters
_UNDECIDED = 2.0  # headlines' worth of doubt, half of it for a name
_WORD, _NAME = 0.6, 1.2  # weights of a term that never is a name, and of one that always is
_PAIR = 0.45  # of a pair of characters: neighbouring pairs share one, and are half the same evidence


class NameRates:
    """Counts of terms in headlines of sentence case.

    Attributes:
        seen: term -> such headlines.
        capital: term -> those where it has a capital.
    """

    def __init__(self, seen: Mapping[str, int] | None = None, capital: Mapping[str, int] | None = None) -> None:
        self.seen, self.capital = dict(seen or {}), dict(capital or {})

    def learn(self, title: str) -> None:
        """Count the terms of a headline, if it is one of sentence case."""
        text = clean(title).text.replace("\u2019", "'")
        pieces = [piece for piece in PIECE.findall(text) if is_spaced(piece)]
        if sum(piece[0].islower() and len(piece) >= _LONGER for piece in pieces) < _SENTENCE_CASE:
            return
        for piece in pieces[1:]:  # the first word has a capital anyway
            if term := stem(piece.lower()):
                self.seen[term] = self.seen.get(term, 0) + 1
                if not piece[0].islower():
                    self.capital[term] = self.capital.get(term, 0) + 1
        if len(self.seen) > MAX_KNOWN_TERMS:
            self.seen = {term: count for term, count in self.seen.items() if count > 1}
            self.capital = {term: count for term, count in self.capital.items() if term in self.seen}

    def weight(self, term: str) -> float:
        """Weight of a term as evidence, by how surely it is a name; in scripts without capitals all are alike."""
        if not is_spaced(term):
            return _PAIR
        share = (self.capital.get(term, 0) + _UNDECIDED / 2) / (self.seen.get(term, 0) + _UNDECIDED)
        return _WORD + (_NAME - _WORD) * share
