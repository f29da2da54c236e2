"""Sentences that are stored in English and read in Chinese: of one table, both ways.

A reason that a night writes down is read in logs, on the command line and over the API, where it is English, and years
later by an editor who reads Chinese. So the English sentence is what is stored, and its template, with the Chinese one
beside it, is the key by which it is read: the same template makes the sentence and recovers its values. Sentences that
older versions stored are read as well, for as long as the table has their template, and what no template made (what a
person typed, what a library said) stays as it is.
"""

import re
from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

JOINED = "; "  # between the sentences of one text
_JOINED_ZH = "；"

Texts = Mapping[str, tuple[str, str]]


class Phrases:
    """Sentences by key.

    Attributes:
        texts: key -> Chinese, English. Both name the same values; the English one says how a number is written. A
            value called ``name`` is one of the table's own sentences that have no values, ``names`` are several of
            them or others, with commas.
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = dict(texts)
        known = [(re.compile(_pattern(english)), chinese) for chinese, english in self.texts.values()]
        self._plain = {english: chinese for chinese, english in self.texts.values() if "{" not in english}
        self._known = sorted(known, key=lambda one: -len(re.sub(r"\(\?P<.*?\)", "", one[0].pattern)))

    @classmethod
    def of(cls, books: "Iterable[Phrases]") -> "Phrases":
        """The sentences of several tables, whose keys are their own."""
        return cls({f"{n}.{key}": text for n, book in enumerate(books) for key, text in book.texts.items()})

    def __call__(self, key: str, **values: Any) -> str:
        """A sentence in English, as it is stored."""
        return self.texts[key][1].format(**values)

    def in_chinese(self, sentence: str) -> str:
        """A stored sentence, or several, in Chinese; what is of no template stays as it is."""
        return self._read(sentence) or sentence

    def knows(self, sentence: str) -> bool:
        """True for what the templates made."""
        return self._read(sentence) is not None

    def _read(self, text: str) -> str | None:
        """One sentence, or the shortest ones that the text can be divided into."""
        parts = text.split(JOINED)
        for n in range(1, len(parts) + 1):
            first = self._one(JOINED.join(parts[:n]))
            if first is not None and n == len(parts):
                return first
            if first is not None and (rest := self._read(JOINED.join(parts[n:]))) is not None:
                return first + _JOINED_ZH + rest
        return None

    def _one(self, sentence: str) -> str | None:
        if sentence in self._plain:
            return self._plain[sentence]
        for pattern, chinese in self._known:  # the one that says most by itself comes first
            values = found.groupdict() if (found := pattern.fullmatch(sentence)) else None
            if values is not None and ("name" not in values or values["name"] in self._plain):
                return chinese.format(**{name: self._value(name, value) for name, value in values.items()})
        return None

    def _value(self, name: str, value: str) -> str:
        if name == "names":
            return "、".join(self._plain.get(one, one) for one in value.split(", "))
        return self._read(value) or value


def _pattern(english: str) -> str:
    """The sentences that a template makes, as a regular expression with its values as groups."""
    parts = []
    for text, name, _, _ in Formatter().parse(english):
        parts.append(re.escape(text))
        if name is not None:
            parts.append(f"(?P<{name}>(?s:.+?))")
    return "".join(parts)
