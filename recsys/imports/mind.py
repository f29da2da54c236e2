"""MIND's own format -> articles and events.

``news.tsv``: news id, category, subcategory, title, abstract, URL, title entities, abstract entities (JSON).
``behaviors.tsv``: impression id, user id, time, history (news ids), impressions (news id-label).
Source: Wu et al. 2020, MIND: A Large-scale Dataset for News Recommendation; github.com/msnews/msnews.github.io.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from recsys.imports.sources import Line
from recsys.imports.texts import entities_of, link_of, text_of
from recsys.imports.values import BadValue, Convert, id_of
from recsys.store import Article, Event, Kind

TIME_FORMAT = "%m/%d/%Y %I:%M:%S %p"
LABELS = {"0": False, "1": True}
SEEN_READERS = 200_000  # readers whose history is remembered, so that it is not sent again with each impression


def article_of(line: Line, site: str) -> Article:
    """One line of ``news.tsv``. The text that MIND gives is the abstract; the page's full text is not in it.

    Raises:
        BadValue: the line is none.
    """
    fields = _fields(line, 8)
    id, title = id_of(fields[0]), text_of(fields[3])
    if id is None or title is None:
        raise BadValue("no news id" if id is None else "no title")
    return Article(
        id,
        site,
        title,
        text_of(fields[4]) or "",
        url=link_of()(fields[5]),
        language="en",
        category=text_of(fields[1]),
        subcategory=text_of(fields[2]),
        entities=_entities(fields[6], fields[7]),
    )


class Behaviors:
    """Lines of ``behaviors.tsv`` -> events.

    Each candidate becomes an impression, each clicked one also a click at the same time. MIND shuffles the
    candidates, so their position stays unknown. The history becomes clicks without a time, in their order;
    their identifiers are reader and place, so a history that was seen before adds nothing and a longer one its end.
    """

    def __init__(self, site: str, moment_of: Convert) -> None:
        self._site, self._moment_of = site, moment_of
        self._known: dict[str, int] = {}

    def events(self, line: Line) -> list[Event]:
        """The events of one line.

        Raises:
            BadValue: the line is none.
        """
        fields = _fields(line, 5)
        number, reader = id_of(fields[0]), id_of(fields[1])
        if number is None or reader is None:
            raise BadValue("no impression id" if number is None else "no user id")
        time = self._moment_of(_mind_time(fields[2]))
        # Impression ids begin at 1 in each of MIND's parts: with the time before them they are one name in all.
        impression = f"{time:011x}-{number}"
        shown = list(_candidates(fields[4]))
        return [*self._history(reader, fields[3]), *self._shown(reader, time, impression, shown)]

    def _history(self, reader: str, text: str) -> Iterator[Event]:
        articles = [_news_id(article) for article in text.split()]
        for place in range(self._known.get(reader, 0), len(articles)):
            yield Event(f"mind-{reader}-{place}", self._site, Kind.CLICK, articles[place], reader)
        if len(self._known) >= SEEN_READERS:
            self._known.clear()  # the store drops what comes twice; this only saves the way there
        self._known[reader] = max(len(articles), self._known.get(reader, 0))

    def _shown(self, reader: str, time: int, impression: str, shown: list[tuple[str, bool]]) -> Iterator[Event]:
        for kind, mark, wanted in ((Kind.IMPRESSION, "i", shown), (Kind.CLICK, "c", [c for c in shown if c[1]])):
            for article, _ in wanted:
                name = f"{impression}-{mark}-{article}"
                yield Event(name, self._site, kind, article, reader, None, time, None, None, impression)


def _fields(line: Line, count: int) -> list[str]:
    if line.problem:
        raise BadValue(line.problem)
    fields = line.text.split("\t")
    if len(fields) != count:
        raise BadValue(f"{len(fields)} values between tabs; {count} expected")
    return fields


def _news_id(text: str) -> str:
    article = id_of(text)
    if article is None:
        raise BadValue("no news id")
    return article


def _candidates(text: str) -> Iterator[tuple[str, bool]]:
    for part in text.split():
        article, _, label = part.rpartition("-")
        if label not in LABELS:
            raise BadValue(f"not a candidate with its label (N123-0 or N123-1): {part[:80]!r}")
        yield _news_id(article), LABELS[label]


def _mind_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise BadValue(f"not a time like 11/15/2019 8:55:22 AM: {text[:80]!r}") from None


def _entities(*texts: str) -> tuple[str, ...]:
    """``Q165972:Fort Lauderdale, Florida`` for each entity, once, in the order of mention."""
    found: dict[str, Any] = {}
    for text in texts:
        try:
            for entity in json.loads(text or "[]"):
                found[f"{entity['WikidataId']}:{entity['Label']}"] = None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise BadValue(f"not a list of entities: {text[:80]!r}") from None
    return entities_of(list(found))
