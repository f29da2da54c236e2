"""Profile: a reader's last clicks -> tags of the same shape as an article's.

Reads the articles clicked; produces ``Tags``: the bar holds the categories read, the stem the keywords of what
was read, each with its share of the clicks' weights, which fade as in the reader vector.
"""

from collections.abc import Sequence

from recsys.tags import STEM, Tag, TaggedArticle, TagKind, Tags, fold

_BAR = 6  # categories of a profile: a reader has more of them than an article


def profile(clicked: Sequence[TaggedArticle | None], weights: Sequence[float]) -> Tags:
    """Tags of a reader's last clicks.

    Each click hands its weight to its article's category, and once more, in proportion to their weights, to its
    keywords.

    Args:
        clicked: the articles, oldest first; None for one that may not be quoted.
        weights: of the clicks.

    Returns:
        At most ``BAR`` categories and ``STEM`` keywords, heaviest first; none when nothing was clicked.
    """
    bar: dict[str, Tag] = {}
    stem: dict[str, Tag] = {}
    for article, weight in zip(clicked, weights, strict=True):
        if article is None:
            continue
        if article.category:
            _add(bar, Tag(article.category, weight, TagKind.TOPIC if article.topic else TagKind.CATEGORY))
        whole = sum(article.weights)
        for tag in article.tags.stem if whole > 0 else ():
            _add(stem, tag._replace(weight=weight * tag.weight / whole))
    return Tags(_heaviest(bar, _BAR), _heaviest(stem, STEM))


def _add(sums: dict[str, Tag], tag: Tag) -> None:
    """Add a tag's weight to that of the tag that it folds to; the last click decides how it is written."""
    key = fold(tag.name)
    before = sums[key].weight if key in sums else 0.0
    sums[key] = tag._replace(weight=before + tag.weight)


def _heaviest(sums: dict[str, Tag], n: int) -> tuple[Tag, ...]:
    return tuple(sorted(sums.values(), key=lambda tag: (-tag.weight, tag.name))[:n])
