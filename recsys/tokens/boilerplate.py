"""Lines that stand in many articles: share buttons, copyright notes, calls to subscribe.

Reads the bodies of a catalogue once; produces the lines that the tokeniser leaves out, besides the few forms that
``recsys.tokens.clean`` knows by itself. Titles are never touched.
"""

import html
import math
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa

from recsys.tokens.clean import MAX_LINE_CHARS, plain
from recsys.tokens.config import TokensConfig

MAX_LINES = (
    400_000  # different lines in memory, at most 200 characters each; those seen only once are forgotten above it
)
MIN_ARTICLES = 5  # articles that a line must stand in; fewer are a coincidence, or one story told twice
MIN_SHARE = 0.001  # of the articles: what a large catalogue repeats by chance
MAX_KEPT = 10_000  # lines, the most frequent ones


def repeated_lines(batches: Iterable[pa.RecordBatch], config: TokensConfig) -> list[str]:
    """Find the lines that stand in many articles.

    Args:
        batches: a string column body, which may hold nulls.
        config: how much of a body is read.

    Returns:
        The lines, stripped, the most frequent first.
    """
    counts: Counter[str] = Counter()
    articles = 0
    for batch in batches:
        for body in batch.column("body").to_pylist():
            articles += 1
            counts.update(_short_lines(body[: config.max_body_chars]) if body else ())
        floor = 1
        while len(counts) > MAX_LINES:
            counts, floor = Counter({line: n for line, n in counts.items() if n > floor}), floor + 1
    least = max(MIN_ARTICLES, math.ceil(MIN_SHARE * articles))
    often = sorted((line for line in counts if counts[line] >= least), key=lambda line: (-counts[line], line))
    return often[:MAX_KEPT]


def _short_lines(body: str) -> set[str]:
    if "<" in body or "\r" in body:
        body = plain(body).text
    elif len(body) > MAX_LINE_CHARS and "\n" not in body:
        return set()
    lines = (html.unescape(line).strip() for line in body.split("\n") if len(line) <= MAX_LINE_CHARS)
    return {line for line in lines if line}
