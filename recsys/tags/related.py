"""Related tags: the tags that go with a tag, the most frequent ones, and those that an unknown one may have meant.

Reads the newest articles, ``SAMPLE`` of them, and ``related_tags.parquet`` of the release; produces tags. No tag,
however common or odd, costs more than some milliseconds.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import numpy as np

from recsys.tags import Tag, TaggedArticle, TagKind, alike, fold, pieces_of
from recsys.tags.index import TagIndex
from recsys.workspace import read_table

RELATED_FILE = "related_tags.parquet"
SAMPLE = 200  # newest articles that decide which tags go together
_MIN_SHARED = 2  # articles that two tags must share to be related; one is chance
_DEEPER = 10  # times more tags are looked at than shown, since many share a word
_LIKELY = 100  # tags that are weighed against how common they are; the others share too few articles to win
_CLOSE = 0.7  # of difflib's ratio: one letter in five may be wrong or missing


class TagCounts(NamedTuple):
    """Keywords of some articles.

    Attributes:
        articles: folded keyword -> how many of the articles bear it, if only as a piece. A piece that is nowhere a
            keyword by itself is not worth naming: "government", "last".
        written: folded piece -> how the newest article writes it whose keyword it is, else the newest with it; of all.
    """

    articles: dict[str, int]
    written: dict[str, str]


def matching(article: TaggedArticle, tags: Collection[str]) -> Tag | None:
    """The heaviest of an article's tags that are, or hold, one of some folded tags; as the article writes it."""
    matches = [tag for tag in article.tags.bar if fold(tag.name) in tags]
    stem = zip(article.tags.stem, article.parts, strict=True)
    for tag, parts in stem:
        if fold(tag.name) in tags or any(piece in tags for piece, _ in pieces_of(tag.name, parts)):
            matches.append(tag)
    return max(matches, key=lambda tag: tag.weight, default=None)


def frequent(newest: Sequence[TaggedArticle], n: int) -> list[Tag]:
    """The keywords that stand in most of some articles; the weight is the share of these articles."""
    articles, written = _count(newest)
    return _heaviest({key: count / len(newest) for key, count in articles.items()}, written, n)


def related(newest: Sequence[TaggedArticle], index: TagIndex, tags: Collection[str], n: int) -> list[Tag]:
    """The keywords that go with a tag more than by chance.

    Args:
        newest: the newest articles that bear the tag, newest first.
        index: of all articles.
        tags: what the tag folds to; neither they nor what shares a word with them is in the answer.
        n: how many at most.

    Returns:
        Heaviest first; the weight is the cosine of the two sets of articles, as far as these were looked at.
    """
    articles, written = _count(newest)
    likely = sorted(articles, key=lambda key: (-articles[key], key))[:_LIKELY]
    other = [key for key in likely if not any(alike(key, tag) for tag in tags)]
    weights = {
        key: articles[key] / float(np.sqrt(len(newest) * len(index.rows(key))))
        for key in other
        if articles[key] >= _MIN_SHARED
    }
    return _heaviest(weights, written, n)


def filled_up(
    direct: Sequence[Tag], further: Iterable[Tag], tags: Collection[str], leads: Callable[[str], bool], n: int
) -> list[Tag]:
    """Related tags, and behind them those that are two steps away in the tag graph.

    Args:
        direct: from ``related``.
        further: from ``load_related``, the likeliest first.
        tags: what the tag itself folds to.
        leads: true for a folded tag that an article bears which may be shown.
        n: how many at most.
    """
    chosen = list(direct)
    keys = [*tags, *(fold(tag.name) for tag in direct)]
    for tag in further:
        key = fold(tag.name)
        if len(chosen) < n and not any(alike(key, other) for other in keys) and leads(key):
            chosen.append(tag)
            keys.append(key)
    return chosen


def load_related(folder: Path) -> dict[str, tuple[Tag, ...]]:
    """Folded tag -> the tags two steps away from it, as ``recsys.tags.graph`` wrote them."""
    columns = [column.to_pylist() for column in read_table(folder / RELATED_FILE).columns]
    return {
        tag: tuple(Tag(name, weight, TagKind.KEYWORD) for name, weight in zip(names, weights, strict=True))
        for tag, names, weights in zip(*columns, strict=True)
    }


def meant(newest: Sequence[TaggedArticle], tag: str, n: int) -> list[str]:
    """Tags that somebody may have meant who asked for one that is unknown: misspelt, longer or shorter.

    Args:
        newest: the newest articles that may be shown, newest first.
        tag: folded.
        n: how many at most.
    """
    written = _count(newest).written
    close = get_close_matches(tag, [key for key in written if key[:1] == tag[:1]], n, _CLOSE)
    holding = sorted((key for key in written if tag and alike(key, tag)), key=lambda key: (len(key), key))
    return [written[key] for key in dict.fromkeys([*close, *holding])][:n]


def _count(newest: Sequence[TaggedArticle]) -> TagCounts:
    """Count the pieces of the keywords of some articles."""
    counts: Counter[str] = Counter()
    written: dict[str, str] = {}
    wholes: set[str] = set()
    for article in newest:
        article_pieces = article.pieces
        counts.update(article_pieces.keys())
        for piece, text in article_pieces.items():
            if piece not in written or (piece in article.wholes and piece not in wholes):
                written[piece] = text
        wholes |= article.wholes
    return TagCounts({piece: counts[piece] for piece in sorted(wholes)}, written)


def _heaviest(weights: Mapping[str, float], written: Mapping[str, str], n: int) -> list[Tag]:
    """The ``n`` heaviest tags, of two that share a word only the heavier; of equal ones the longer."""
    taken: list[str] = []
    for key in sorted(weights, key=lambda key: (-weights[key], -len(key.split()), key))[: _DEEPER * n]:
        if len(taken) < n and not any(alike(key, other) for other in taken):
            taken.append(key)
    return [Tag(written[key], weights[key], TagKind.KEYWORD) for key in taken]
