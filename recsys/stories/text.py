"""Units: an article -> words, or characters in scripts without blanks, normalised as the tokeniser does."""

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from recsys.tokens.clean import clean, normalise

_MAX_CHARS = 20_000  # of a body; a copy has shown by then that it is one
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNIT = re.compile(rf"[{_UNSPACED}]|\d+(?:[.,:]\d+)*|[^\W\d_{_UNSPACED}]+(?:'[^\W\d_{_UNSPACED}]+)*")
_CAPITAL = re.compile(r"(?<![\w'])[^\W\d_a-z]\w*")
_NUMERALS = frozenset("〇零一二三四五六七八九十百千万亿兆两")
_KNOWN_UNITS = 1 << 17  # whose hashes are remembered: the words of some languages

Keys = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Text:
    """An article as it came."""

    title: str
    body: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Units:
    """Sequence of units of one text.

    Attributes:
        words: as they are compared, in lower case.
        keys: uint32 (U,), a hash of each.
        spaced: whether most of them are words between blanks, and not single characters.
    """

    words: list[str]
    keys: Keys
    spaced: bool

    def __len__(self) -> int:
        return len(self.words)


def units(text: str) -> Units:
    """Units of a text.

    Args:
        text: any text or HTML; what stands behind ``_MAX_CHARS`` is not read.
    """
    words = _UNIT.findall(normalise(clean(text[:_MAX_CHARS], ()).text))
    single = sum(len(word) == 1 and word > "\u0dff" for word in words)
    keys = np.fromiter(map(_key, words), np.uint32, len(words))
    return Units(words, keys, 2 * single <= len(words))


def is_number(word: str) -> bool:
    """True for a unit that is a number, in figures or in Chinese."""
    return word[0].isdigit() or word in _NUMERALS


def names(text: str) -> frozenset[str]:
    """The words that a text always writes with a capital, in lower case; the first words of sentences may be there."""
    cleaned = clean(text[:_MAX_CHARS]).text
    capitals = {word.lower() for word in _CAPITAL.findall(cleaned) if word[0].isupper()}
    return frozenset(capitals.difference(_UNIT.findall(cleaned)))


@lru_cache(_KNOWN_UNITS)
def _key(word: str) -> int:
    return zlib.crc32(word.replace(",", "").encode("utf-8", "surrogatepass"))
