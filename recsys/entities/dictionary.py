"""The dictionary of names that editors grow: ``entities.csv`` among the labels of the data folder.

A line is a name as it is written and, behind a comma or a tab, its type; a line that begins with # is passed over. The
file is UTF-8, or UTF-16 with its mark, as spreadsheets save it.
"""

import codecs
import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

MAX_NAMES = 100_000
DICTIONARY = "entities.csv"
_UNREADABLE = "\ufffd"  # in the place of bytes of another encoding
_LONGEST = 100  # characters of a name
# A word, or one character of a script that has no blanks, or that puts endings to names, as Korean does.
_WORD = re.compile(r"[^\W_\u0e00-\uffff\U00020000-\U0003ffff]+|\S")


class NameDictionary(NamedTuple):
    """Names and their types, and the number of lines left out: without a name, with one too long, not readable."""

    types: dict[str, str]
    left_out: int


def read_dictionary(file: Path) -> NameDictionary:
    """Read the file; without one there are no names. A name that stands twice has the type of its last line."""
    if not file.is_file():
        return NameDictionary({}, 0)
    types: dict[str, str] = {}
    left_out = 0
    raw = file.read_bytes()
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    for line in raw.decode(encoding, "replace").replace("\0", "").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [""])
        name = " ".join(row[0].split())
        if name and len(name) <= _LONGEST and _UNREADABLE not in name and (len(types) < MAX_NAMES or name in types):
            types[name] = row[1].strip() if len(row) > 1 else ""
        else:
            left_out += 1
    return NameDictionary(types, left_out)


class ListedNames:
    """Names to be found in texts: of those that begin in one place the longest, and none within another.

    A name begins and ends where words do; in scripts without blanks every character is a word.

    Args:
        names: as they are written.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_beginning: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name in sorted(set(names), key=len, reverse=True):
            if words := _WORD.findall(name):
                self._by_beginning[words[0], words[1] if len(words) > 1 else ""].append(name)

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """First character of each name in the text, and the one behind its last."""
        if not self._by_beginning:
            return
        words = list(_WORD.finditer(text))
        ends, after = {word.end() for word in words}, 0
        for word, following in zip_longest(words, words[1:]):
            begin = word.start()
            if begin < after:
                continue
            for name in self._beginning(word[0], following[0] if following else ""):
                if begin + len(name) in ends and text.startswith(name, begin):
                    after = begin + len(name)
                    yield begin, after
                    break

    def _beginning(self, word: str, following: str) -> Iterator[str]:
        """Names that begin with two words, then the one that is the first word alone; the longest first."""
        longer = self._by_beginning.get((word, following), ()) if following else ()
        return chain(longer, self._by_beginning.get((word, ""), ()))
