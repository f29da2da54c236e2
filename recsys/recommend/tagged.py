"""Tagged: a tag -> the articles that bear it, the tags that go with it, and what an unknown one may have meant.

Reads the catalogue; produces tags. Nothing here looks further than the newest ``SAMPLE`` articles, so that no tag,
however common or odd, costs more than some milliseconds.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from recsys.recommend.catalogue import Catalogue, Mask
from recsys.recommend.tags import Tag, TagKind, alike, fold, pieces

SAMPLE = 200  # articles
LEAST = 2  # articles that two tags must share to be related; one is chance
DEEPER = 10  # times more tags are looked at than shown, since many share a word
LIKELY = 100  # tags that are weighed against how common they are; the others share too few articles to win
CLOSE = 0.7  # of difflib's ratio: one letter in five may be wrong or missing


class Counted(NamedTuple):
    """What the newest articles are about.

    Attributes:
        articles: folded keyword -> how many of the articles bear it, if only as a piece. A piece that is nowhere a
            keyword by itself is not worth naming: "government", "last".
        written: folded piece -> how the newest article with it writes it; of all pieces.
    """

    articles: dict[str, int]
    written: dict[str, str]


def carried(catalogue: Catalogue, row: int, tags: Collection[str]) -> Tag | None:
    """The heaviest of an article's tags that are, or hold, one of some folded tags; as the article writes it."""
    entry = catalogue.entry(row)
    found = [tag for tag in entry.tags.bar if fold(tag.name) in tags]
    stem = zip(entry.tags.stem, entry.parts, strict=True)
    found += [tag for tag, parts in stem if any(piece in tags for piece, _ in pieces(parts))]
    return max(found, key=lambda tag: tag.weight, default=None)


def frequent(catalogue: Catalogue, allowed: Mask, n: int) -> list[Tag]:
    """The keywords that stand in most of the newest articles allowed; the weight is the share of these articles."""
    articles, written = _count(catalogue, allowed)
    size = min(SAMPLE, int(allowed.sum()))
    return _heaviest({key: count / size for key, count in articles.items()}, written, n)


def related(catalogue: Catalogue, allowed: Mask, tags: Collection[str], n: int) -> list[Tag]:
    """The keywords that go with a tag more than by chance.

    Args:
        catalogue: the articles.
        allowed: bool (A,), those that bear the tag; only the newest are looked at.
        tags: what the tag folds to; neither they nor what shares a word with them is in the answer.
        n: how many at most.

    Returns:
        Heaviest first; the weight is the cosine of the two sets of articles, as far as these were looked at.
    """
    articles, written = _count(catalogue, allowed)
    size = min(SAMPLE, int(allowed.sum()))
    likely = sorted(articles, key=lambda key: (-articles[key], key))[:LIKELY]
    other = [key for key in likely if not any(alike(key, tag) for tag in tags)]
    weights = {
        key: articles[key] / float(np.sqrt(size * len(catalogue.tags.rows(key))))
        for key in other
        if articles[key] >= LEAST
    }
    return _heaviest(weights, written, n)


def meant(catalogue: Catalogue, allowed: Mask, tag: str, n: int) -> list[str]:
    """Tags that somebody may have meant who asked for one that is unknown: misspelt, longer or shorter.

    Args:
        catalogue: the articles.
        allowed: bool (A,), those that may be shown; only tags of the newest are looked at.
        tag: folded.
        n: how many at most.
    """
    written = _count(catalogue, allowed).written
    close = get_close_matches(tag, [key for key in written if key[:1] == tag[:1]], n, CLOSE)
    holding = sorted((key for key in written if tag and alike(key, tag)), key=lambda key: (len(key), key))
    return [written[key] for key in dict.fromkeys([*close, *holding])][:n]


def _count(catalogue: Catalogue, allowed: Mask) -> Counted:
    """Count the pieces of the keywords of the newest articles allowed."""
    counts: Counter[str] = Counter()
    written: dict[str, str] = {}
    wholes: set[str] = set()
    for row in catalogue.newest(allowed, SAMPLE).tolist():
        entry = catalogue.entry(row)
        mine = entry.pieces
        counts.update(mine.keys())
        wholes |= entry.wholes
        for piece, text in mine.items():
            written.setdefault(piece, text)
    return Counted({piece: counts[piece] for piece in sorted(wholes)}, written)


def _heaviest(weights: Mapping[str, float], written: Mapping[str, str], n: int) -> list[Tag]:
    """The ``n`` heaviest tags, of two that share a word only the heavier; of equal ones the longer."""
    taken: list[str] = []
    for key in sorted(weights, key=lambda key: (-weights[key], -len(key.split()), key))[: DEEPER * n]:
        if len(taken) < n and not any(alike(key, other) for other in taken):
            taken.append(key)
    return [Tag(written[key], weights[key], TagKind.KEYWORD) for key in taken]
