"""Segmentation of texts into words, a batch of articles at a time: by rjieba, by runs of one script, by one regex.

Reads Arrow batches of articles; produces batches of segments: words by dictionary code, and the places between them
where no phrase goes on. Nothing that a text can hold makes it fail.
Source: rjieba is jieba's algorithm (prefix dictionary, best path, hidden Markov model for unknown words) in Rust.
"""

import functools
import importlib
import re
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.languages import NO_SITE_LANGUAGES, SiteLanguages, resolve_language
from recsys.tokens.clean import BREAKS, MAX_BODY_CHARS, clean, normalise, unwrap
from recsys.tokens.config import TokensConfig
from recsys.tokens.scripts import UNSPACED_LANGUAGES, apart, without_particle
from recsys.tokens.table import SEGMENTS

_POSSESSIVE = re.compile(r"'s(?<=\w's)\b")  # the literal first, which is what makes it fast
_ABBREVIATED = re.compile(  # the full stop of "u.s.", "j.", "mr." ends no phrase
    r"\.(?= )(?:(?<=\b[^\W\d_]\.)|(?<=\b(?:mr|ms|dr|st|lt|jr|sr|vs)\.)|(?<=\b(?:mrs|gen|sen|rep|gov|col|sgt|rev)\.))"
)
_MARKS = (  # vowels and accents of scripts in which they are characters of their own
    r"\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0dff"
    r"\u0e00-\u109f\u1780-\u17d3"
)
_WORD = re.compile(
    r" ?("  # takes the space before a word along, which halves the places to look at
    r"[a-z]++(?![\w.'-])"  # the usual word, on a short way
    r"|\d+(?:[.,]\d+)+%?[^\W\d_]*|\d+%"  # 1,000  12.5%  1.3bn  76%
    r"|[^\W\d_](?:\.[^\W\d_])+(?![^\W_])"  # u.s
    rf"|[^\W_][\w{_MARKS}]*(?:['-][^\W_][\w{_MARKS}]*)*"  # don't  year-old  600m
    r"|[.,;:!?()\[\]{}\"`/\\|<>=~^*+\n-]+|(?<!\w)')"  # what separates phrases
)
_UNKNOWN_TAG = "x"  # the tag of a word that is in no dictionary, as jieba has it
_MAX_WORD_CHARS = 40  # a longer run is no word: base64, an address, a key held down
_MAX_TAGS = 300_000  # tags of words held in memory, some 40 MB
_WORD_KIND, _BREAK_KIND = 1, 2
_TITLE_END = "\n"

Codes = npt.NDArray[np.int64]


class SegmentedText(NamedTuple):
    """Segments of one article: words, and punctuation between them."""

    language: str
    title: list[str]
    body: list[str]
    odd: list[str]


class ChineseDictionary(Protocol):
    """Dictionary that cuts Chinese texts."""

    def cut(self, text: str, /) -> list[str]:
        """The words of a text."""

    def tag(self, text: str, /) -> list[tuple[str, str]]:
        """The same with their parts of speech."""


def load_chinese(config: TokensConfig) -> ChineseDictionary:
    """The Chinese dictionary with the user's words; what imports this file does without its 33 MiB until then."""
    load: Callable[[tuple[str, ...], bool], ChineseDictionary]
    load = importlib.import_module("recsys.tokens.chinese").chinese_dictionary
    return load(config.user_words, config.simplify)


class Segmenter:
    """Segmenter of articles.

    Args:
        config: limits, variants, the user's words.
        boilerplate: lines that stand in many articles; they are left out.
        site_languages: by which the language of a text is detected.
    """

    def __init__(
        self, config: TokensConfig, boilerplate: Collection[str] = (), site_languages: SiteLanguages = NO_SITE_LANGUAGES
    ) -> None:
        self.config, self.boilerplate, self.site_languages = config, frozenset(boilerplate), site_languages
        self._tag_of: dict[str, str] = {}

    @functools.cached_property
    def _chinese(self) -> ChineseDictionary:
        """Loaded with the first Chinese text: a site without any does without its 33 MiB."""
        return load_chinese(self.config)

    def segment(self, ids: pa.Array, rows: Iterable[tuple[str | None, str | None, str | None]]) -> pa.RecordBatch:
        """Segment a batch of articles.

        Args:
            ids: their ids.
            rows: title, body and language of each.

        Returns:
            As many rows of ``SEGMENTS``; a run of more than 40 characters is no word.
        """
        texts = [self.segment_article(title or "", body or "", language) for title, body, language in rows]
        flat = list(chain.from_iterable((*text.title, _TITLE_END, *text.body) for text in texts))
        article = np.repeat(np.arange(len(texts)), [len(text.title) + 1 + len(text.body) for text in texts])
        codes, names, kind = _coded(flat)
        is_word = kind[codes] == _WORD_KIND
        lengths = np.bincount(article[is_word], minlength=len(texts))
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        before = np.cumsum(is_word)  # words up to each segment
        title_ends = np.searchsorted(article, np.arange(len(texts))) + [len(text.title) for text in texts]
        title = before[title_ends.astype(np.int64)] - bounds[:-1]
        breaks, break_bounds = _breaks(before, article, kind[codes] == _BREAK_KIND, bounds)
        words = pa.DictionaryArray.from_arrays(pa.array(codes[is_word], pa.int32()), names)
        return pa.record_batch(
            [
                ids.cast(pa.string()),
                pa.array([text.language for text in texts], pa.string()),
                pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), words),
                pa.array(title, pa.int32()),
                pa.ListArray.from_arrays(pa.array(break_bounds, pa.int32()), pa.array(breaks, pa.int32())),
                pa.array([text.odd for text in texts], pa.list_(pa.string())),
            ],
            schema=SEGMENTS,
        )

    def segment_article(self, title: str, body: str, language: str | None) -> SegmentedText:
        """Clean one article and cut it into words and the punctuation between them.

        Args:
            title: any text.
            body: any text or HTML; of either, what stands behind ``MAX_BODY_CHARS`` is not read.
            language: a language code such as "zh" or "en-GB"; empty, None, no code, or one that the text's script
                contradicts: detected from the text.
        """
        heading, text = clean(title[:MAX_BODY_CHARS]), clean(body[:MAX_BODY_CHARS], self.boilerplate)
        odd = heading.odd + text.odd + ["cut"] * (max(len(title), len(body)) > MAX_BODY_CHARS)
        language, overruled = resolve_language(language, heading.text, text.text, *self.site_languages)
        odd += ["wrong_language"] * overruled
        parts = [self._split(part, language) for part in (heading.text, text.text)]
        if not (title or body) or f"{title}{body}".isspace():
            odd.append("empty")
        elif not any(segment[0].isalnum() for part in parts for segment in part):
            odd.append("no_words")
        return SegmentedText(language, parts[0], parts[1], odd)

    def tag(self, word: str) -> str:
        """The part of speech of a Chinese word by jieba's dictionary; "x" when it is not in it."""
        if word not in self._tag_of:
            if len(self._tag_of) > _MAX_TAGS:
                self._tag_of.clear()
            tagged = self._chinese.tag(word)
            self._tag_of[word] = tagged[0][1] if len(tagged) == 1 else _UNKNOWN_TAG
        return self._tag_of[word]

    def _split(self, text: str, language: str) -> list[str]:
        if not text:
            return []
        if language == "zh":
            return self._chinese.cut(normalise(text, simplify=self.config.simplify))
        text = normalise(unwrap(text) if "\n" in text else text, simplify=False)
        if language in UNSPACED_LANGUAGES:
            return _WORD.findall(apart(text))
        if language == "ko":
            return [without_particle(word) for word in _WORD.findall(text)]
        if "'s" in text:
            text = _POSSESSIVE.sub("|", text)  # the owner is a phrase of its own: Alaska's | chief officer
        text = _ABBREVIATED.sub("", text)
        return _WORD.findall(text)


def _coded(segments: list[str]) -> tuple[Codes, pa.Array, npt.NDArray[np.int8]]:
    """Codes of a batch's segments, the segment of each code, and its kind: word, break, or neither."""
    encoded = pa.array(segments, pa.string()).dictionary_encode()
    kind = [
        _BREAK_KIND if name[0] in BREAKS else _WORD_KIND if name[0].isalnum() and len(name) <= _MAX_WORD_CHARS else 0
        for name in encoded.dictionary.to_pylist()
    ]
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary, np.array(kind, np.int8)


def _breaks(before: Codes, article: Codes, is_break: npt.NDArray[np.bool_], bounds: Codes) -> tuple[Codes, Codes]:
    """Ends of phrases, counted from the beginning of each article; and the bounds of each article's breaks."""
    of, place = article[is_break], before[is_break] - bounds[:-1][article[is_break]]
    inside = (place > 0) & (place < np.diff(bounds)[of])
    of, place = of[inside], place[inside]
    new = np.ones(len(place), bool)
    new[1:] = (of[1:] != of[:-1]) | (place[1:] != place[:-1])
    of, place = of[new], place[new]
    return place, np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(bounds) - 1))])
