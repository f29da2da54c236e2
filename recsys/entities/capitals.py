"""Names by capitals: runs of words with a capital, in scripts that have them, and the types that the context tells.

A run that begins a sentence counts if it has several words, or if the text has its word with a capital within a
sentence as well. A line in which only the commonest words are small is in title case, and tells nothing.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from recsys.entities.kinds import ORGANISATION, PERSON, PLACE, UNKNOWN

Token = re.Match[str]
TOKEN = re.compile(
    r"(?:Mr|Mrs|Ms|Dr|St|Gen|Sen|Rep|Gov|Prof|Lt|Col|Sgt)\.|(?:[^\W\d_]\.)+(?=\s)|\w(?:[\w'’&-]*\w)?|[^\w\s]|\n"
)
_ENDS = frozenset('.!?:;()[]{}"“”«»\n|–—…')
_SHORT_LINE = 4  # words of a line that is too short to be in title case
_GAP = 2  # small words at most between two of a name: Bank of the West


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_CONNECTORS = _words("of the de la du da van von der den bin al el")
TITLES_OF_PEOPLE = _words("mr mrs ms dr sir lord president minister senator judge mayor king queen coach")
_BEFORE_PLACE = _words("in at from near across outside")
_SAYS = _words("said says told added who")
_COMPANY = _words(
    "inc corp ltd plc co group bank university college party union council committee court ministry league united fc",
    "association institute agency commission police hospital",
)
_COMMON = _words(
    "the a an this that these those it he she they we i you his her their our its my your but and or if when while as",
    "at in on for from by with to of after before since there here what who how why where all some many most one two",
    "no not yes so then now more new last next first both each every another meanwhile however according also police",
    "monday tuesday wednesday thursday friday saturday sunday",
)


def of_capitals(text: str) -> list[tuple[int, int, str]]:
    """Names of a text: first character, the one behind the last, and the type, "" where nothing tells it."""
    sentences = [sentence for sentence in sentences_of(text) if not is_title_case([token[0] for token in sentence])]
    inside = {word[0] for sentence in sentences for _, word in pairwise(sentence) if word[0][0].isupper()}
    found = []
    for sentence in sentences:
        words = [token[0] for token in sentence]
        for begin, end in _runs(words):
            word = words[begin].lower().rstrip(".")
            first = begin + (word in TITLES_OF_PEOPLE or (word in _COMMON and (begin == 0 or end == begin + 1)))
            if first < end and (first or end - first > 1 or words[first] in inside):
                found.append((sentence[first].start(), sentence[end - 1].end(), _type_of(words, first, end)))
    return found


def sentences_of(text: str, *, keep_ends: bool = False) -> list[list[Token]]:
    """Tokens of a text, sentence by sentence, with or without the marks at which sentences end."""
    sentences: list[list[Token]] = [[]]
    for token in TOKEN.finditer(text):
        if token[0] not in _ENDS or (keep_ends and token[0] != "\n"):
            sentences[-1].append(token)
        if token[0] in (".!?\n" if keep_ends else _ENDS):
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def is_title_case(words: Sequence[str]) -> bool:
    """True for a line of several words in which only the commonest are small: its capitals tell nothing."""
    small = {word for word in words if word[0].islower()}
    return len(words) > _SHORT_LINE and small <= _COMMON | _CONNECTORS


def _runs(words: Sequence[str]) -> list[tuple[int, int]]:
    """Bounds of runs of capitals; small connectors may stand between two of them."""
    runs: list[list[int]] = []
    for place, word in enumerate(words):
        if not word[0].isupper() or word == "I" or word.startswith(("I'", "I’")):
            continue
        between = words[runs[-1][1] : place] if runs else []
        if runs and len(between) <= _GAP and _CONNECTORS.issuperset(between):
            runs[-1][1] = place + 1
        else:
            runs.append([place, place + 1])
    return [(begin, end) for begin, end in runs]


def _type_of(words: Sequence[str], begin: int, end: int) -> str:
    before = words[begin - 1].lower().rstrip(".") if begin else ""
    after = words[end].lower() if end < len(words) else ""
    name = [word.lower().rstrip(".") for word in words[begin:end]]
    if not _COMPANY.isdisjoint(name):
        return ORGANISATION
    if before in TITLES_OF_PEOPLE or (after in _SAYS and len(name) > 1):
        return PERSON
    return PLACE if before in _BEFORE_PLACE else UNKNOWN
