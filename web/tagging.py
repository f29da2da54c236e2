"""Tagging: a tag as the API and the pages show it, with its articles and relatives.

Reads the catalogue; produces the articles that bear a tag, with its relatives.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.tags import Tag, TagKind, fold
from recsys.tags.index import Rows
from recsys.tags.related import SAMPLE, filled_up, frequent, matching, meant, related
from recsys.tags.synonyms import with_synonyms

RELATED = 12  # tags beside a list: two or three lines of them
LATEST = 1_000  # articles, of all languages, that tags are taken from
NEWEST = 30  # articles that decide how a tag is written
MEANT = 6  # tags that are offered instead of an unknown one


@dataclass(frozen=True, slots=True)
class TagList:
    """Some of the articles that bear a tag.

    Attributes:
        tag: as most of the newest articles write it, if any has it whole; without a weight.
        bearing: rows of the articles, newest first in each language, each with the tag as it bears it.
        articles: how many bear it.
        related: tags that go with it.
    """

    tag: Tag
    bearing: list[tuple[int, Tag]]
    articles: int
    related: list[Tag]


def tag_list(catalogue: Catalogue, tag: str, lang: str | None, now: int, first: int, n: int) -> TagList | None:
    """Some articles that bear a tag.

    Args:
        catalogue: the articles.
        tag: as somebody wrote it.
        lang: articles in this language first, then the rest.
        now: ms.
        first: articles to skip, the newest.
        n: articles at most.

    Returns:
        None when no article that may be shown bears it.
    """
    wanted = with_synonyms(tag)
    allowed = catalogue.tagged(wanted, now)
    articles = len(allowed)
    if not articles:
        return None
    newest = catalogue.newest(allowed, first + n, lang).tolist()
    forms = Counter(
        (borne.name, borne.kind)
        for _, borne in _bearing(catalogue, newest[:NEWEST], wanted)
        if fold(borne.name) in wanted
    )
    name, kind = forms.most_common(1)[0][0] if forms else (" ".join(tag.split()), TagKind.KEYWORD)
    beside = _related(catalogue, allowed, wanted, now)
    return TagList(Tag(name, 0.0, kind), list(_bearing(catalogue, newest[first:], wanted)), articles, beside)


def tags_now(catalogue: Catalogue, lang: str | None, now: int, n: int) -> list[Tag]:
    """The most frequent tags of the newest articles, of one language before the others."""
    tags = dict[str, Tag]()
    for part in catalogue.by_preference(catalogue.latest(now, LATEST, lang), lang):
        if len(tags) < n:
            tags |= {tag.name: tag for tag in frequent(_newest(catalogue, part), n) if tag.name not in tags}
    return list(tags.values())[:n]


def instead(catalogue: Catalogue, tag: str, lang: str | None, now: int) -> list[str]:
    """Tags that may have been meant by one that no article bears; the most frequent ones when nothing is like it."""
    parts = catalogue.by_preference(catalogue.latest(now, LATEST, lang), lang)
    near = next((names for part in parts if (names := meant(_newest(catalogue, part), fold(tag), MEANT))), [])
    return near or [tag.name for tag in frequent(_newest(catalogue, parts[0]), MEANT)]


def _related(catalogue: Catalogue, allowed: Rows, wanted: set[str], now: int) -> list[Tag]:
    """The tags beside a list: those of its newest articles, then those that the tag graph leads to."""
    shown = catalogue.eligible(now).showable
    direct = related(_newest(catalogue, allowed), catalogue.tags, wanted, RELATED)
    further = (tag for key in sorted(wanted) for tag in catalogue.tags.further.get(key, ()))
    beside = filled_up(direct, further, wanted, lambda key: bool(shown[catalogue.tags.rows(key)].any()), RELATED)
    return [*beside[: len(direct)], *(_as_written(catalogue, tag, shown) for tag in beside[len(direct) :])]


def _as_written(catalogue: Catalogue, tag: Tag, shown: npt.NDArray[np.bool_]) -> Tag:
    """A tag of the tag graph as the newest article writes it that bears it."""
    key = fold(tag.name)
    rows = catalogue.tags.rows(key)
    newest = catalogue.newest(rows[shown[rows]], 1, None).tolist()
    return tag._replace(name=catalogue.article(newest[0]).pieces.get(key, tag.name)) if newest else tag


def _newest(catalogue: Catalogue, allowed: Rows) -> list[CatalogueArticle]:
    """The newest articles allowed, ``SAMPLE`` at most."""
    return [catalogue.article(row) for row in catalogue.newest(allowed, SAMPLE).tolist()]


def _bearing(catalogue: Catalogue, rows: Iterable[int], wanted: set[str]) -> Iterator[tuple[int, Tag]]:
    """Rows with the tag that each bears: all of them, unless one has changed within this moment."""
    for row in rows:
        borne = matching(catalogue.article(row), wanted)
        if borne is not None:
            yield row, borne
