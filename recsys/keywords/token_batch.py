"""A batch of articles with all that ranking knows of each piece of text: one array per kind of knowledge."""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.keywords.config import KeywordsConfig
from recsys.keywords.word_features import WordLookup
from recsys.tokens.table import JOINT, TokenArrays, codes_of, token_arrays

PHRASE_TAGS: dict[str, tuple[str, ...]] = {
    "en": ("n", "a")
}  # parts of speech within a phrase, in the languages whose words are merged
HEAD_TAGS: dict[str, tuple[str, ...]] = {"en": ("n",)}  # and at its end
WORD_TAGS: dict[str, tuple[str, ...]] = {
    "zh": ("n", "eng", "j", "l", "i"),
    "en": ("n", "v", "a"),
}  # and of a word that is a keyword by itself

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class TokenBatch(NamedTuple):
    """B articles of T pieces together.

    Attributes:
        whole: the articles' tokens.
        text: their pieces: joined words taken apart.
        token: int64 (T,), the token that each piece is of.
        article: int64 (T,), ascending.
        languages: of the batch.
        spoken: int64 (B,), each article's language: its place in ``languages``.
        inside: bool (T,), pieces that can be part of a phrase.
        heads: bool (T,), pieces that can end one.
        starts: bool (T,), pieces that no phrase reaches from the left.
        folds: int64 (T,), the word, whatever its form.
        rows: int64 (T,), the row of the piece's token in the word space; -1 when it has none.
        articles: int64 (T,), articles that the word stands in, in any form.
    """

    whole: TokenArrays
    text: TokenArrays
    token: Ints
    article: Ints
    languages: list[str]
    spoken: Ints
    inside: Mask
    heads: Mask
    starts: Mask
    folds: Ints
    rows: Ints
    articles: Ints


def read_token_batch(batch: pa.RecordBatch, lookup: WordLookup, config: KeywordsConfig) -> TokenBatch:
    """Look up everything that stands in a batch of the tokens table."""
    whole = token_arrays(batch)
    text, token = take_apart(whole)
    article = np.repeat(np.arange(batch.num_rows), np.diff(text.bounds))
    languages, spoken = codes_of(batch.column("language"))
    found, joined = lookup.find(text.words, languages), lookup.find(whole.words, languages)
    codes, language = whole.codes[token], spoken[article]
    able = joined.able[language, codes]
    merged = np.array([_merged(name, config) for name in languages], bool)[language]
    inside, heads = able, able
    if config.word_classes:
        tags = batch.column("tags").flatten().dictionary_encode()
        tagged = tags.indices.to_numpy(zero_copy_only=False)[token]
        of = tags.dictionary.to_pylist()
        inside, heads = (
            able & _tagged(of, tags_of, languages, config)[language, tagged] for tags_of in (PHRASE_TAGS, HEAD_TAGS)
        )
    counted = found.rows[text.codes] >= 0
    articles = np.where(counted, found.articles[language, text.codes], joined.articles[language, codes])
    starts = text.starts | ~merged
    folds, rows = found.folds[text.codes], joined.rows[codes]
    return TokenBatch(whole, text, token, article, languages, spoken, inside, heads, starts, folds, rows, articles)


def _merged(language: str, config: KeywordsConfig) -> bool:
    """Whether neighbours become phrases.

    Chinese words are not merged: the dictionary's words and the new-word watch are what a phrase is in English
    (measured, docs/design.md). In other languages nothing tells where a phrase ends.
    """
    return config.style == "phrases" and config.max_words > 1 and language in PHRASE_TAGS


def _tagged(
    tags: list[str], phrase_tags: dict[str, tuple[str, ...]], languages: list[str], config: KeywordsConfig
) -> Mask:
    """bool (languages, tags): which parts of speech can stand there."""
    allowed = [(phrase_tags if _merged(language, config) else WORD_TAGS).get(language, ("",)) for language in languages]
    return np.array([[tag.startswith(able) for tag in tags] for able in allowed], bool).reshape(len(languages), -1)


class Segments(NamedTuple):
    """The same texts in T pieces, each a word as readers see it.

    Attributes:
        text: the pieces.
        token: int64 (T,), the token that each piece is of.
    """

    text: TokenArrays
    token: Ints


def take_apart(text: TokenArrays) -> Segments:
    """Cut joined words into their parts; nothing that breaks a phrase is added within one."""
    joined = [code for code, word in enumerate(text.words) if JOINT in word]
    if not joined:
        return Segments(text, np.arange(len(text.codes)))
    place = {word: code for code, word in enumerate(text.words)}
    parts = [[code] for code in range(len(text.words))]
    for code in joined:
        parts[code] = [place.setdefault(part, len(place)) for part in text.words[code].split(JOINT)]
    sizes = np.array([len(codes) for codes in parts], np.int64)
    flat, begin = np.array([code for codes in parts for code in codes], np.int64), np.cumsum(sizes) - sizes
    lengths = sizes[text.codes]
    token = np.repeat(np.arange(len(text.codes)), lengths)
    ends = np.cumsum(lengths)
    step = np.arange(len(token)) - (ends - lengths)[token]
    starts = text.starts[token] & (step == 0)
    bounds = np.concatenate([[0], ends])[text.bounds]
    return Segments(TokenArrays(list(place), flat[begin[text.codes[token]] + step], bounds, starts), token)


_BLANK = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")  # between Chinese words; Latin ones keep theirs


def shown(
    page: TokenBatch, tokens: Ints, weights: npt.NDArray[np.float64], lengths: Ints, spoken: Ints
) -> pa.RecordBatch:
    """Name the keywords of a batch.

    Args:
        page: the batch.
        tokens: int64 (K, L), the pieces of each keyword, -1 behind the last; each article's best first.
        weights: float64 (K,).
        lengths: int64 (B,), keywords of each article.
        spoken: int64 (K,), the language of each keyword's article.

    Returns:
        B rows: lists ``keywords``, ``weights`` and ``parts``.
    """
    present = tokens >= 0
    sizes = present.sum(axis=1)
    words = pa.array(page.text.words, pa.string()).take(pa.array(page.text.codes[tokens[present]]))
    bounds = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    parts = pc.binary_join(pa.ListArray.from_arrays(bounds, words), " ").to_pylist()
    names = list(parts)
    for place in np.flatnonzero((np.array(page.languages, object)[spoken] == "zh") & (sizes > 1)).tolist():
        names[place] = _BLANK.sub("", names[place])
    if len(page.token) > len(page.whole.codes):
        _join_again(parts, tokens, page)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    columns = [pa.array(names, pa.string()), pa.array(weights.astype(np.float32)), pa.array(parts, pa.string())]
    lists = [pa.ListArray.from_arrays(offsets, column) for column in columns]
    return pa.record_batch(lists, names=["keywords", "weights", "parts"])


def _join_again(parts: list[str], tokens: Ints, page: TokenBatch) -> None:
    """Put the joined words back; one that the keyword holds only a part of stays apart."""
    sizes = np.bincount(page.token)
    joined = (sizes[page.token[tokens]] > 1) & (tokens >= 0)
    for place in np.flatnonzero(joined.any(axis=1)).tolist():
        of = page.token[tokens[place][tokens[place] >= 0]].tolist()
        words = parts[place].split(" ")
        whole = {token: page.whole.words[page.whole.codes[token]] for token in of if of.count(token) == sizes[token]}
        kept = [i for i, token in enumerate(of) if token not in whole or i == of.index(token)]
        parts[place] = " ".join(whole.get(of[i], words[i]) for i in kept)
