"""Cut articles into words: rjieba for Chinese, one compiled regex for every other language.

Reads titles and bodies; produces lower-cased tokens, with a part of speech for each Chinese one. Nothing that a text
can hold makes it fail: markup, control characters and lone surrogates become spaces, and what is no word is dropped.
Source: rjieba is jieba's algorithm (prefix dictionary, best path, hidden Markov model for unknown words) in Rust.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import rjieba
from pydantic import Field

from recsys.config import Section

LANGUAGES = ("zh", "en", "other")
LINE_TOKENS = 10_000  # gensim drops what stands behind the 10,000th token of a line
BATCH_ROWS = 256  # articles held in memory at once

SCHEMA = pa.schema(
    [("id", pa.string()), ("language", pa.string())]
    + [(name, pa.list_(pa.string())) for name in ("title", "body", "tags")]
)

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffd\ud800-\udfff]")
_CODE = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LETTER = re.compile(r"[^\W\d_]+")
_WORD = re.compile(
    r"[a-z]++(?![\w.'-])"  # the usual word, on a short way
    r"|\d+(?:[.,]\d+)+%?[^\W\d_]*|\d+%"  # 1,000  12.5%  1.3bn  76%
    r"|[^\W\d_](?:\.[^\W\d_])+(?![^\W_])"  # u.s
    r"|[^\W_]+(?:['-][^\W_]+)*"  # don't  year-old  600m
)
_PLAIN = str.maketrans("’‘ʼ‐‑", "'''--")
_HAN_WEIGHT = 3  # one Chinese character says about as much as three Latin letters
_DETECT_CHARS = 500  # of title and body each; a language does not change later in a text


class TokensConfig(Section):
    """How text is cut into words."""

    max_body_chars: int = Field(200_000, ge=100)
    max_word_chars: int = Field(40, ge=1)


class Tokens(NamedTuple):
    """One article's words.

    Attributes:
        language: "zh", "en" or "other".
        title: lower-cased words of the title.
        body: lower-cased words of the body.
        tags: Chinese: the part of speech of each word of title + body (jieba's tags); otherwise empty.
    """

    language: str
    title: list[str]
    body: list[str]
    tags: list[str]


def tokenize(title: str, body: str, language: str | None, config: TokensConfig) -> Tokens:
    """Cut one article into words.

    Args:
        title: any text.
        body: any text or HTML; only its first ``max_body_chars`` characters are read, and of the title as well.
        language: a language code such as "zh" or "en-GB"; empty, None or no code: detected from the text.
        config: limits.

    Returns:
        The words; runs of more than ``max_word_chars`` characters are no words and are left out.
    """
    title, body = clean(title[: config.max_body_chars]), clean(body[: config.max_body_chars])
    language = known_language(language) or detect(f"{title[:_DETECT_CHARS]} {body[:_DETECT_CHARS]}")
    if language == "zh":
        title_words, title_tags = _cut_chinese(title, config.max_word_chars)
        body_words, body_tags = _cut_chinese(body, config.max_word_chars)
        return Tokens("zh", title_words, body_words, title_tags + body_tags)
    return Tokens(language, _cut_words(title, config.max_word_chars), _cut_words(body, config.max_word_chars), [])


def clean(text: str) -> str:
    """Reduce a text to lower-case characters that can be part of words or stand between them.

    Entities are resolved, markup and invisible characters become spaces, compatibility forms (full-width letters,
    ligatures) become plain ones (NFKC); traditional Chinese stays as it is.
    """
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _MARKUP.sub(" ", _CODE.sub(" ", text))
    text = _UNSEEN.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    return text.lower()


def known_language(language: str | None) -> str | None:
    """The language that a given code names, or None when it names none.

    Returns:
        "zh" or "en" for their codes with any region ("zh-CN", "en_GB"), "other" for other two- and three-letter codes.
    """
    code = re.split(r"[-_]", (language or "").strip().lower())[0]
    if code in LANGUAGES:
        return code
    return "other" if re.fullmatch(r"[a-z]{2,3}", code) and code != "und" else None


def detect(text: str) -> str:
    """Tell the language by its script: "zh" for Han characters, "en" for Latin letters, "other" for the rest.

    A Han character counts as much as three Latin letters; a script that is neither wins with half of all letters.
    """
    han, latin, letters = (sum(map(len, script.findall(text))) for script in (_HAN, _LATIN, _LETTER))
    rest = letters - han - latin
    if rest >= han + latin:
        return "other"
    return "zh" if han * _HAN_WEIGHT > latin else "en"


def _cut_words(text: str, max_chars: int) -> list[str]:
    if "'s" in text:
        text = _POSSESSIVE.sub("", text)
    return [word for word in _WORD.findall(text) if len(word) <= max_chars]


def _cut_chinese(text: str, max_chars: int) -> tuple[list[str], list[str]]:
    pairs = [(w, tag) for w, tag in rjieba.tag(text) if len(w) <= max_chars and (tag != "x" or w.isalnum())]
    return [word for word, _ in pairs], [tag for _, tag in pairs]


def write_tokens(batches: Iterable[pa.RecordBatch], folder: Path, config: TokensConfig) -> dict[str, int]:
    """Tokenise a stream of articles to ``articles.parquet`` and ``corpus.txt``, one batch in memory at a time.

    Args:
        batches: string columns id, title, body, language; the last two may hold nulls.
        folder: where the two files go; the order of the input is kept in both.
        config: limits.

    Returns:
        Counts: articles, tokens, articles without a token, and articles by language.
    """
    counts = dict.fromkeys(["articles", "tokens", "without_tokens", *LANGUAGES], 0)
    with (
        pq.ParquetWriter(folder / "articles.parquet", SCHEMA, compression="zstd") as table,
        (folder / "corpus.txt").open("w", encoding="utf-8") as corpus,
    ):
        for batch in batches:
            texts = (batch.column(name).to_pylist() for name in ("title", "body", "language"))
            rows = [tokenize(title or "", body or "", name, config) for title, body, name in zip(*texts, strict=True)]
            table.write_table(as_table(batch.column("id"), rows))
            for row in rows:
                _count(counts, row)
                corpus.writelines(_lines(row.title + row.body))
    return counts


def as_table(ids: pa.Array, rows: list[Tokens]) -> pa.Table:
    """Articles' words as the table of ``articles.parquet``."""
    columns: dict[str, Any] = {"id": ids}
    columns |= {name: [getattr(row, name) for row in rows] for name in Tokens._fields}
    return pa.table(columns, schema=SCHEMA)


def _count(counts: dict[str, int], row: Tokens) -> None:
    tokens = len(row.title) + len(row.body)
    counts["articles"] += 1
    counts["tokens"] += tokens
    counts["without_tokens"] += not tokens
    counts[row.language] += 1


def _lines(words: list[str]) -> Iterable[str]:
    return (" ".join(words[start : start + LINE_TOKENS]) + "\n" for start in range(0, len(words), LINE_TOKENS))
