"""Similarity of two texts: whether they speak of one thing, by characters, words and names, weighted by rarity.

Reads texts of any script; Chinese ones are characters and pairs of them, those inside a name weighing more, since news
of one topic shares its people and places. Importing this file loads the Chinese dictionary, 33 MiB.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from recsys.stories.terms import PIECE, is_spaced, stem
from recsys.tokens.chinese import chinese_dictionary
from recsys.tokens.clean import clean, normalise

MAX_CHARS = 2_000  # of a text that are read
_NAME_TAGS = frozenset(("nr", "ns", "nt", "nz", "nrt", "nrfg"))  # people, places, organisations, titles
_NAME = 4.0  # weight of a name
_LEAD_CHARS = 40  # a headline's worth, which says what the text is about
_LATER = 0.5  # weight of what stands behind it
_REPEATED = 0.5  # exponent of how often a term stands in the text

Weights = dict[str, float]


def weighted_terms(text: str) -> Weights:
    """Terms of a text and how much each of them counts, before its rarity."""
    text = normalise(clean(text[:MAX_CHARS]).text)
    weights: dict[str, float] = defaultdict(float)
    named = _names(text)
    for match in PIECE.finditer(text):
        piece, start = match[0], match.start()
        place = 1.0 if start <= _LEAD_CHARS else _LATER
        if is_spaced(piece):
            weights[stem(piece)] += place
            continue
        for at in range(len(piece)):
            weights[piece[at]] += place * (_NAME if start + at in named else 1.0)
            if at + 1 < len(piece):
                is_name = start + at in named or start + at + 1 in named
                weights[piece[at : at + 2]] += place * (_NAME if is_name else 1.0)
    return {term: weight**_REPEATED for term, weight in weights.items() if term}


def _names(text: str) -> set[int]:
    """Places of the characters that belong to a name."""
    if text.isascii():
        return set()
    named: set[int] = set()
    at = 0
    for word, tag in chinese_dictionary((), True).tag(text):
        if len(word) > 1 and tag in _NAME_TAGS:
            named.update(range(at, at + len(word)))
        at += len(word)
    return named


class TermRarity:
    """Rarity of each term among some texts.

    Args:
        texts: their terms.
    """

    def __init__(self, texts: Iterable[Iterable[str]]) -> None:
        self._texts = 0
        self._having: Counter[str] = Counter()
        for terms in texts:
            self._texts += 1
            self._having.update(set(terms))

    def __getitem__(self, term: str) -> float:
        return math.log((self._texts + 1) / max(0.5, self._having[term] - 0.5))


def similarity(one: Mapping[str, float], other: Mapping[str, float], rarity: TermRarity) -> float:
    """Cosine of two texts' terms, in [0, 1]; 0 for a text without terms.

    Args:
        one: weighted terms of a text.
        other: of another one.
        rarity: of terms among the texts that are compared.
    """
    lengths = [math.hypot(*(weight * rarity[term] for term, weight in text.items())) for text in (one, other)]
    shared = sum(one[term] * other[term] * rarity[term] ** 2 for term in one.keys() & other.keys())
    return shared / (lengths[0] * lengths[1]) if all(lengths) else 0.0
