"""Terms: a headline -> the different words that can say which event it is about, in any script.

Words between blanks lose their endings, so that forms of one word are one term; function words are left out. Scripts
without blanks give pairs of neighbouring characters: they need no dictionary, and a new name is known at once.
"""

import re
from functools import lru_cache

from recsys.tokens.clean import clean, normalise
from recsys.tokens.stopwords import STOP_WORDS

MAX_TERMS = 48  # of an article: a headline has ten; what is longer is no headline
_FEW = 2  # terms of a headline that says nothing by itself: the text's beginning is read as well
_OPENING_CHARS = 300  # of a text: two sentences
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
PIECE = re.compile(rf"[{_UNSPACED}]+|\d+(?:[.,:]\d+)+|[^\W_{_UNSPACED}]+(?:'[^\W_{_UNSPACED}]+)*")
_FIRST_UNSPACED = "\u0e00"  # no script with blanks that is read here lies above it, but Korean
_HANGUL = ("\uac00", "\ud7af")
_KNOWN_WORDS = 1 << 16  # whose terms are remembered
_STOP_WORDS = STOP_WORDS["en"] | STOP_WORDS["zh"]


def terms(title: str, body: str = "") -> list[str]:
    """Different terms of an article, sorted.

    Args:
        title: any text.
        body: read when the title has hardly any terms.

    Returns:
        At most ``MAX_TERMS``; none for texts without words.
    """
    distinct = set(ordered_terms(title))
    if len(distinct) < _FEW and body:
        distinct.update(ordered_terms(body[:_OPENING_CHARS]))
    return sorted(distinct)[:MAX_TERMS]


def ordered_terms(text: str) -> list[str]:
    """Different terms of a text in its order."""
    distinct: dict[str, None] = {}
    for piece in PIECE.findall(normalise(clean(text).text)):
        if is_spaced(piece):
            distinct[stem(piece)] = None
        elif len(piece) > 1:
            distinct.update(dict.fromkeys(piece[place : place + 2] for place in range(len(piece) - 1)))
    return [term for term in distinct if term and term not in _STOP_WORDS]


def is_spaced(piece: str) -> bool:
    """True for a word of a script that has blanks between words."""
    return piece < _FIRST_UNSPACED or _HANGUL[0] <= piece[0] <= _HANGUL[1]


@lru_cache(_KNOWN_WORDS)
def stem(word: str) -> str:
    """A word without its ending, empty for a function word.

    Plural, past and progressive forms of English fall together; in other languages little is lost.
    """
    word = word.removesuffix("'s").replace("'", "").replace(",", "")
    if word in _STOP_WORDS:
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for ending, least in (("ing", 6), ("ed", 5)):
        if len(word) >= least and word.endswith(ending):
            root = word[: -len(ending)]
            doubled = len(root) > 3 and root[-1] == root[-2] and root[-1] not in "ls"
            return root[:-1] if doubled else root
    if len(word) > 4 and word.endswith("es"):
        word = word[:-2] if word[-3] in "hsxz" else word[:-1]
    elif len(word) > 3 and word.endswith("s") and word[-2] not in "su":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word
