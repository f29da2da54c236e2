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
_MOST_LETTERS = 4_000  # of a text that is looked at; a longer one stays as it is
_MOST_PARTS = 4  # that a sentence with others behind it is put together of; the last one may hold a whole verdict

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
        self._plain = {english: chinese for chinese, english in self.texts.values() if "{" not in english}
        known = [_Template(*both) for both in self.texts.values() if both[1] not in self._plain]
        self._known = sorted(known, key=lambda one: -one.says)

    @classmethod
    def of(cls, books: "Iterable[Phrases]") -> "Phrases":
        """The sentences of several tables, whose keys are their own."""
        return cls({f"{n}.{key}": text for n, book in enumerate(books) for key, text in book.texts.items()})

    def __call__(self, key: str, **values: Any) -> str:
        """A sentence in English, as it is stored."""
        return self.texts[key][1].format(**values)

    def in_chinese(self, sentence: str) -> str:
        """A stored sentence, or several, in Chinese; what is of no template stays as it is."""
        return self._read(sentence, {}) or sentence

    def knows(self, sentence: str) -> bool:
        """True for what the templates made."""
        return self._read(sentence, {}) is not None

    def _read(self, text: str, read: dict[str, str | None]) -> str | None:
        """One sentence, or the shortest ones that the text can be divided into.

        Args:
            text: is of anybody, so that it may be divided in more ways than there is time for.
            read: what was read of the same text before; it grows.
        """
        if text not in read and len(text) <= _MOST_LETTERS:
            read[text] = None
            read[text] = self._divided(text, read)
        return read.get(text)

    def _divided(self, text: str, read: dict[str, str | None]) -> str | None:
        parts = text.split(JOINED)
        for n in (*range(1, min(len(parts), _MOST_PARTS + 1)), len(parts)):
            first = self._one(JOINED.join(parts[:n]), read)
            if first is not None and n == len(parts):
                return first
            if first is not None and (rest := self._read(JOINED.join(parts[n:]), read)) is not None:
                return first + _JOINED_ZH + rest
        return None

    def _one(self, sentence: str, read: dict[str, str | None]) -> str | None:
        if sentence in self._plain:
            return self._plain[sentence]
        for template in self._known:  # the one that says most by itself comes first
            values = template.values(sentence)
            if values is not None and ("name" not in values or values["name"] in self._plain):
                return template.chinese.format(**{name: self._value(name, of, read) for name, of in values.items()})
        return None

    def _value(self, name: str, value: str, read: dict[str, str | None]) -> str:
        if name == "names":
            return "、".join(self._plain.get(one, one) for one in value.split(", "))
        return self._plain.get(value) or self._read(value, read) or value


class _Template:
    """A sentence with values.

    Attributes:
        chinese: the same in Chinese.
        says: letters that are its own.
    """

    def __init__(self, chinese: str, english: str) -> None:
        said, pattern = [], ""
        for text, name, _, _ in Formatter().parse(english):
            said.append(text)
            pattern += re.escape(text) + (f"(?P<{name}>(?s:.+?))" if name is not None else "")
        self.chinese, self.says = chinese, sum(map(len, said))
        self._longest, self._pattern = max(said, key=len), re.compile(pattern)

    def values(self, sentence: str) -> dict[str, str] | None:
        """The values of a sentence that it made; None of any other."""
        found = self._pattern.fullmatch(sentence) if self._longest in sentence else None
        return None if found is None else found.groupdict()
