"""A batch of articles with all that ranking knows of each piece of text: one array per kind of knowledge."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.keywords.config import KeywordsConfig
from recsys.keywords.lookup import Lookup
from recsys.keywords.pieces import take_apart
from recsys.tokens.pieces import codes_of
from recsys.tokens.reading import Reading, read_batch

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


class Page(NamedTuple):
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

    whole: Reading
    text: Reading
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


def read_page(batch: pa.RecordBatch, lookup: Lookup, config: KeywordsConfig) -> Page:
    """Look up everything that stands in a batch of the tokens table."""
    whole = read_batch(batch)
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
    return Page(whole, text, token, article, languages, spoken, inside, heads, starts, folds, rows, articles)


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
