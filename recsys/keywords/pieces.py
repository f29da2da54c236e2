"""Take joined words apart again: "new_york" is one word to the word space, and two in a phrase.

The tokens room joins collocations, so that they get a vector of their own. For the length of a phrase, for the phrases
that it is a part of, and for how often its words stand in the text, they are the words that a reader sees.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.tokens.reading import Reading

JOIN = "_"  # between the parts of a joined word

Ints = npt.NDArray[np.int64]


class Pieces(NamedTuple):
    """The same texts in T pieces, each a word as readers see it.

    Attributes:
        text: the pieces.
        token: int64 (T,), the token that each piece is of.
    """

    text: Reading
    token: Ints


def take_apart(text: Reading) -> Pieces:
    """Cut joined words into their parts; nothing that breaks a phrase is added within one."""
    joined = [code for code, word in enumerate(text.words) if JOIN in word]
    if not joined:
        return Pieces(text, np.arange(len(text.codes)))
    place = {word: code for code, word in enumerate(text.words)}
    parts = [[code] for code in range(len(text.words))]
    for code in joined:
        parts[code] = [place.setdefault(part, len(place)) for part in text.words[code].split(JOIN)]
    sizes = np.array([len(codes) for codes in parts], np.int64)
    flat, begin = np.array([code for codes in parts for code in codes], np.int64), np.cumsum(sizes) - sizes
    lengths = sizes[text.codes]
    token = np.repeat(np.arange(len(text.codes)), lengths)
    ends = np.cumsum(lengths)
    step = np.arange(len(token)) - (ends - lengths)[token]
    starts = text.starts[token] & (step == 0)
    bounds = np.concatenate([[0], ends])[text.bounds]
    return Pieces(Reading(list(place), flat[begin[text.codes[token]] + step], bounds, starts), token)
