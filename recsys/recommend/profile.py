"""Profile: a reader's last clicks -> tags of the same shape as an article's.

Reads the catalogue and the clicks; produces ``Tags``: the bar holds the categories read, the stem the keywords of what
was read, each with its share of the clicks' weights, which fade as in the reader vector.
"""

from collections import Counter
from collections.abc import Sequence

from recsys.readers import weights
from recsys.recommend.catalogue import Catalogue
from recsys.recommend.tags import STEM, Tag, TagKind, Tags, fold

LAST = 20  # clicks in which common keywords are looked for: later ones weigh too little
BAR = 6  # categories of a profile: a reader has more of them than an article


def profile(catalogue: Catalogue, clicks: Sequence[int], half_life_clicks: float, now: int) -> Tags:
    """What a reader's last clicks are about.

    Each click hands its weight to its article's category, and once more, in proportion to their weights, to its
    keywords. An article that was taken down, or whose time has not come, is not quoted.

    Args:
        catalogue: what each article is about.
        clicks: rows, oldest first.
        half_life_clicks: how clicks fade.
        now: ms.

    Returns:
        At most ``BAR`` categories and ``STEM`` keywords, heaviest first; none when nothing was clicked.
    """
    bar: dict[str, Tag] = {}
    stem: dict[str, Tag] = {}
    for row, part in zip(clicks, weights(len(clicks), half_life_clicks).tolist(), strict=True):
        entry = catalogue.entries[row]
        if entry is None or not catalogue.quotable(row, now):
            continue
        if entry.category:
            _add(bar, Tag(entry.category, part, TagKind.TOPIC if entry.topic else TagKind.CATEGORY))
        whole = sum(entry.weights)
        for tag in entry.tags.stem if whole > 0 else ():
            _add(stem, tag._replace(weight=part * tag.weight / whole))
    return Tags(_heaviest(bar, BAR), _heaviest(stem, STEM))


def favourites(catalogue: Catalogue, clicks: Sequence[int]) -> frozenset[str]:
    """Folded keywords that two of the last articles clicked have in common, one of them perhaps as a piece."""
    entries = [entry for row in dict.fromkeys(clicks[-LAST:]) if (entry := catalogue.entries[row])]
    counts = Counter(piece for entry in entries for piece in entry.pieces)
    return frozenset(whole for entry in entries for whole in entry.wholes if counts[whole] > 1)


def _add(sums: dict[str, Tag], tag: Tag) -> None:
    """Add a tag's weight to that of the tag that it folds to; the last click decides how it is written."""
    key = fold(tag.name)
    before = sums[key].weight if key in sums else 0.0
    sums[key] = tag._replace(weight=before + tag.weight)


def _heaviest(sums: dict[str, Tag], n: int) -> tuple[Tag, ...]:
    return tuple(sorted(sums.values(), key=lambda tag: (-tag.weight, tag.name))[:n])
