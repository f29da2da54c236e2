"""Tokenised documents as the baselines read them: words with tags, and the runs of them that could be keys.

Reads the tokens artefact, so that every method sees the same words, tags and ends of phrases.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa

JOINT = "_"  # between the parts of a collocation that the tokens room joined
ENGLISH_TAGS = ("n", "a")  # nouns and adjectives, as in TextRank's paper
CHINESE_TAGS = ("n", "a", "vn", "j", "i", "l", "eng", "x")  # and what jieba has beside them that names things
HEADS = ("n", "x")  # a run ends with a noun, or with a word nobody knows
MIN_CHARS = 2


class Text(NamedTuple):
    """One document.

    Attributes:
        language: its code.
        raw: title and body as given, for methods that have their own tokeniser.
        words: of title and body; collocations are in their parts again.
        usable: one per word: its tag may be part of a key, and it is no stop word by the tags.
        heads: one per word: a run may end with it.
        breaks: places in ``words`` that no run may cross.
    """

    language: str
    raw: str
    words: list[str]
    usable: list[bool]
    heads: list[bool]
    breaks: frozenset[int]


def as_texts(table: pa.Table, raw: list[str]) -> list[Text]:
    """Rows of the tokens artefact with the texts that they were made of."""
    return [_text(row, text) for row, text in zip(table.to_pylist(), raw, strict=True)]


def _text(row: dict[str, Any], raw: str) -> Text:
    """One row; the places of the breaks move where a collocation is taken apart."""
    language, given, breaks = row["language"], row["title"] + row["body"], set(row["breaks"])
    tags = CHINESE_TAGS if language == "zh" else ENGLISH_TAGS
    words: list[str] = []
    usable: list[bool] = []
    heads: list[bool] = []
    moved: set[int] = set()
    for place, (word, tag) in enumerate(zip(given, row["tags"], strict=True)):
        parts = [part for part in word.split(JOINT) if part]
        if place in breaks:
            moved.add(len(words))
        words += parts
        usable += [len(part) >= MIN_CHARS and (tag.startswith(tags) or not tag) for part in parts]
        heads += [tag.startswith(HEADS) or language == "zh" or not tag] * len(parts)
    return Text(language, raw, words, usable, heads, frozenset(moved))


def runs(text: Text, style: str = "phrases") -> Iterator[tuple[int, int]]:
    """The stretches of a text that could be keys, in reading order.

    The longest runs of usable words that end with a head. In the style "words", and always in Chinese, where the keys
    that people give are words, each usable word that could end one.

    Yields:
        Start and end in ``text.words``.
    """
    single = style == "words" or text.language == "zh"
    start = None
    for place in range(len(text.words) + 1):
        inside = place < len(text.words) and text.usable[place]
        ended = not inside or place in text.breaks or single
        if start is not None and ended:
            end = place
            while end > start and not text.heads[end - 1]:
                end -= 1
            if end > start:
                yield start, end
            start = None
        if inside and start is None:
            start = place


def phrase(text: Text, start: int, end: int) -> str:
    """A run as a key."""
    return ("" if text.language == "zh" else " ").join(text.words[start:end])
