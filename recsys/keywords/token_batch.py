"""A batch of articles as arrays, with the features of each segment; and keywords named as readers see them.

A segment is a word as a reader sees it. The tokens room joins collocations, so that they get a vector of their own:
"new_york" is one token, and two segments. For the length of a phrase, for the phrases that it is a part of, and for how
often its words stand in the text, segments count.
"""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.keywords.config import KeywordsConfig
from recsys.keywords.word_features import WordLookup
from recsys.tokens.table import JOINT, TokenArrays, codes_of, token_arrays

Tags = dict[str, tuple[str, ...]]  # by language

_PHRASE_TAGS: Tags = {"en": ("n", "a")}  # parts of speech within a phrase, in languages whose neighbours are merged
_HEAD_TAGS: Tags = {"en": ("n",)}  # and at its end
_WORD_TAGS: Tags = {"zh": ("n", "eng", "j", "l", "i"), "en": ("n", "v", "a")}  # and of a keyword of one word
_BLANK = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")  # between Chinese words; Latin ones keep theirs

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class TokenBatch(NamedTuple):
    """B articles of T segments together.

    Attributes:
        tokens: the articles' tokens.
        segments: the same, joined words taken apart.
        token: int64 (T,), the token of each segment.
        article: int64 (T,), ascending.
        languages: of the batch.
        language: int64 (B,), that of each article: its place in ``languages``.
        in_phrase: bool (T,), segments that can be part of a phrase.
        heads: bool (T,), segments that can end one.
        starts: bool (T,), segments that no phrase reaches from the left.
        forms: int64 (T,), the word, whatever its form.
        rows: int64 (T,), the row of the segment's token in the word space; -1 when it has none.
        document_frequency: int64 (T,), articles that the word stands in, in any form.
    """

    tokens: TokenArrays
    segments: TokenArrays
    token: Ints
    article: Ints
    languages: list[str]
    language: Ints
    in_phrase: Mask
    heads: Mask
    starts: Mask
    forms: Ints
    rows: Ints
    document_frequency: Ints


def read_token_batch(
    batch: pa.RecordBatch, lookup: WordLookup, config: KeywordsConfig, *, word_classes: bool
) -> TokenBatch:
    """Look up every word of a batch of the tokens table.

    Args:
        batch: rows of the tokens table.
        lookup: of the word space.
        config: decides which neighbours are merged.
        word_classes: parts of speech decide which words are part of a phrase.
    """
    tokens = token_arrays(batch)
    segments, token = take_apart(tokens)
    article = np.repeat(np.arange(batch.num_rows), np.diff(segments.bounds))
    languages, spoken = codes_of(batch.column("language"))
    of_segments, of_tokens = lookup.find(segments.words, languages), lookup.find(tokens.words, languages)
    codes, language = tokens.codes[token], spoken[article]
    eligible = of_tokens.eligible[language, codes]
    merged = [_merges(name, config) for name in languages]
    in_phrase, heads = eligible, eligible
    if word_classes:
        tags = batch.column("tags").flatten().dictionary_encode()
        tag = tags.indices.to_numpy(zero_copy_only=False)[token]
        in_phrase, heads = (
            eligible & _allowed(tags.dictionary.to_pylist(), phrase_tags, languages, merged)[language, tag]
            for phrase_tags in (_PHRASE_TAGS, _HEAD_TAGS)
        )
    return TokenBatch(
        tokens,
        segments,
        token,
        article,
        languages,
        spoken,
        in_phrase,
        heads,
        segments.starts | ~np.array(merged, bool)[language],
        of_segments.forms[segments.codes],
        of_tokens.rows[codes],
        np.where(
            of_segments.rows[segments.codes] >= 0,
            of_segments.document_frequency[language, segments.codes],
            of_tokens.document_frequency[language, codes],
        ),
    )


def _merges(language: str, config: KeywordsConfig) -> bool:
    """True for a language in which neighbours become phrases.

    Chinese words are not merged: the dictionary's words and the lexicon are what a phrase is in English (measured,
    docs/text.md). In other languages nothing tells where a phrase ends.
    """
    return config.style == "phrases" and config.max_words > 1 and language in _PHRASE_TAGS


def _allowed(tags: list[str], phrase_tags: Tags, languages: list[str], merged: list[bool]) -> Mask:
    """bool (languages, tags), parts of speech that can stand there."""
    prefixes = [
        (phrase_tags if merges else _WORD_TAGS).get(language, ("",))
        for language, merges in zip(languages, merged, strict=True)
    ]
    rows = [[tag.startswith(starts) for tag in tags] for starts in prefixes]
    return np.array(rows, bool).reshape(len(languages), -1)


def take_apart(tokens: TokenArrays) -> tuple[TokenArrays, Ints]:
    """Segments of some tokens, and int64 (T,), the token of each; no break is added within a joined word."""
    joined = [code for code, word in enumerate(tokens.words) if JOINT in word]
    if not joined:
        return tokens, np.arange(len(tokens.codes))
    code_of = {word: code for code, word in enumerate(tokens.words)}
    parts = [[code] for code in range(len(tokens.words))]
    for code in joined:
        parts[code] = [code_of.setdefault(part, len(code_of)) for part in tokens.words[code].split(JOINT)]
    sizes = np.array([len(codes) for codes in parts], np.int64)
    flat, begin = np.array([code for codes in parts for code in codes], np.int64), np.cumsum(sizes) - sizes
    lengths = sizes[tokens.codes]
    token = np.repeat(np.arange(len(tokens.codes)), lengths)
    ends = np.cumsum(lengths)
    step = np.arange(len(token)) - (ends - lengths)[token]  # 0, 1, ... within each token
    starts = tokens.starts[token] & (step == 0)
    bounds = np.concatenate([[0], ends])[tokens.bounds]
    return TokenArrays(list(code_of), flat[begin[tokens.codes[token]] + step], bounds, starts), token


def name_keywords(
    batch: TokenBatch, places: Ints, weights: npt.NDArray[np.float64], lengths: Ints, spoken: Ints
) -> pa.RecordBatch:
    """Name the keywords of a batch: as readers see them, and as the word space has their words.

    Args:
        batch: the articles.
        places: int64 (K, L), the segments of each keyword, -1 behind the last; each article's best first.
        weights: float64 (K,).
        lengths: int64 (B,), keywords of each article.
        spoken: int64 (K,), the language of each keyword's article.

    Returns:
        B rows: lists ``keywords``, ``weights`` and ``parts``.
    """
    present = places >= 0
    sizes = present.sum(axis=1)
    words = pa.array(batch.segments.words, pa.string()).take(pa.array(batch.segments.codes[places[present]]))
    bounds = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    parts = pc.binary_join(pa.ListArray.from_arrays(bounds, words), " ").to_pylist()
    names = list(parts)
    for row in np.flatnonzero((np.array(batch.languages, object)[spoken] == "zh") & (sizes > 1)).tolist():
        names[row] = _BLANK.sub("", names[row])
    if len(batch.token) > len(batch.tokens.codes):
        _join_again(parts, places, batch)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    columns = [pa.array(names, pa.string()), pa.array(weights.astype(np.float32)), pa.array(parts, pa.string())]
    lists = [pa.ListArray.from_arrays(offsets, column) for column in columns]
    return pa.record_batch(lists, names=["keywords", "weights", "parts"])


def _join_again(parts: list[str], places: Ints, batch: TokenBatch) -> None:
    """Put joined words back into the parts; one that the keyword holds only a part of stays apart."""
    sizes = np.bincount(batch.token)
    joined = (sizes[batch.token[places]] > 1) & (places >= 0)
    for row in np.flatnonzero(joined.any(axis=1)).tolist():
        tokens = batch.token[places[row][places[row] >= 0]].tolist()
        words = parts[row].split(" ")
        complete = {token for token in tokens if tokens.count(token) == sizes[token]}
        whole = {token: batch.tokens.words[batch.tokens.codes[token]] for token in complete}
        kept = [i for i, token in enumerate(tokens) if token not in whole or i == tokens.index(token)]
        parts[row] = " ".join(whole.get(tokens[i], words[i]) for i in kept)
