"""Reasons: are they true? Every claim of 1,000 lists is checked against the store, by other code than made it.

``python -m benchmarks.reasons [--data FOLDER] [--lists 1000] [--k 10]``

Lists are asked for as the widget asks, for readers drawn at random and for strangers, one in three on the page of an
article, and there the similar ones as well, from a data folder with a release. A claim is false when the store does not
bear it out: "because you read X" of an X that the reader never opened, that shares no shown tag with the article (two
where their categories differ), or that is named twice in one list; "an update on X" of what shares no tag with X or is
not newer; "because you like C" of a category that is not the article's, or in which less than a quarter of the last
clicks lie, or one article that was read; "readers of X also opened this" of two articles that fewer than three visitors
opened; "trending" of what hardly anybody clicked within hours, "popular" of what hardly anybody clicks; "latest" and
"new" of what is old; "also about" of a tag that one of both lacks, "also in" of two categories. Prints a table of the
claims by kind, and one JSON object on the last line.
"""

import argparse
import json
import os
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recsys.events.people import REPEAT_MS
from recsys.settings import Settings, load_settings
from recsys.tags import fold
from recsys.trends.state import HALF_LIVES_HOURS
from recsys.units import HOUR_MS, now_ms
from web.app import close_app, create_app

STRANGERS = 10  # one list in so many is a stranger's
PAGES = 3  # one list in so many stands beside an article
SHOWN_FALSE = 10
RECENT_HOURS = 4.0  # half-life of the clicks for which an article is said to be trending


class Store(NamedTuple):
    """Clicks and dates as the store has them.

    Attributes:
        clicks: reader -> articles clicked, oldest first.
        visitors: article -> readers who clicked it.
        times: article -> ms of its clicks.
        published: article -> ms.
    """

    clicks: dict[str, list[str]]
    visitors: dict[str, set[str]]
    times: dict[str, list[int]]
    published: dict[str, int]


def read_store(data: Path) -> Store:
    """Read clicks and dates."""
    clicks, visitors, times = defaultdict(list), defaultdict(set), defaultdict(list)
    last_click: dict[tuple[str, str], int] = {}
    with sqlite3.connect(data / "store.db") as database:
        query = "SELECT reader, session, article, coalesce(time, 0) FROM events WHERE kind = 'click' ORDER BY 4, seq"
        for reader, session, article, moment in database.execute(query):
            if reader and moment - last_click.get((reader, article), -REPEAT_MS) >= REPEAT_MS:
                clicks[reader].append(article)
                last_click[reader, article] = moment
            visitors[article].add(reader or session)
            times[article].append(moment)
        published = dict(database.execute("SELECT id, coalesce(published_at, created_at) FROM articles"))
    return Store(clicks, visitors, times, published)


class Judge:
    """Checks claims.

    Args:
        store: what is true.
        settings: of the site.
        now: ms.
    """

    def __init__(self, store: Store, settings: Settings, now: int) -> None:
        self._store, self._settings, self._now = store, settings, now
        many = max(10, len(store.published) // 20)
        self._leading: set[str] = set()
        for hours in HALF_LIVES_HOURS:
            faded = {article: self._faded(article, hours) for article in store.times}
            best = sorted(faded.values(), reverse=True)[:many]
            self._leading |= {article for article, value in faded.items() if value >= best[-1]}

    def _faded(self, article: str, hours: float) -> float:
        ages = self._now - np.array(self._store.times[article], np.float64)
        return float(np.exp2(-ages / (hours * HOUR_MS)).sum())

    def false(
        self, reader: str | None, items: list[dict[str, Any]], tags: dict[str, set[str]], page: str | None = None
    ) -> Iterator[str]:
        """Say of each false claim of one list why it is false.

        Args:
            reader: whose list; None for a stranger's.
            items: as answered, with their tags.
            tags: article -> folded keywords that it shows.
            page: the article that they are reading; it is all that is known of who has read nothing.
        """
        read = self._store.clicks.get(reader or "", []) or ([page] if page else [])
        named: Counter[str] = Counter()
        for item in items:
            reason, article = item["reason"], item["id"]
            kind, other = reason["kind"], reason["article"]
            clicked = len(self._store.times.get(article, ()))
            if kind in ("because_you_read", "also_opened", "update") and other not in read:
                yield f"{kind}: {other} was never read"
            elif kind == "update" and self._store.published[article] <= self._store.published[other]:
                yield f"{kind}: {article} is not newer than {other}"
            elif kind in ("because_you_read", "update"):
                named[other] += 1
                shared = len(tags[article] & tags[other])
                if shared < (2 if kind == "because_you_read" and CATEGORY[article] != CATEGORY[other] else 1):
                    yield f"{kind}: {article} shares {shared or 'no'} tag with {other}"
                if named[other] > 1 and kind == "because_you_read":
                    yield f"{kind}: {other} is named twice"
            elif kind == "also_opened":
                both = self._store.visitors[article] & self._store.visitors[other]
                if len(both) < 3:
                    yield f"{kind}: {len(both)} visitors opened both {article} and {other}"
            elif kind == "because_you_like":
                yield from self._liked(item, read)
            elif (kind == "trending" and (clicked < 3 or self._faded(article, RECENT_HOURS) < 1.49)) or (
                kind == "popular" and (clicked < 3 or article not in self._leading)
            ):
                yield f"{kind}: {article} has {clicked} clicks"
            elif kind in ("fresh", "exploring"):
                hours = (self._now - self._store.published[article]) / HOUR_MS
                if hours > self._settings.recommend.fresh_hours + 0.1:
                    yield f"{kind}: {article} is {hours:.0f} hours old"

    def unlike(self, page: str, items: list[dict[str, Any]], tags: dict[str, set[str]]) -> Iterator[str]:
        """Say of each false claim of the articles similar to one why it is false; see ``false``."""
        for item in items:
            article, words = item["id"], [fold(word) for word in item["reason"]["keywords"]]
            for word in words:
                if not all(any(word in tag for tag in tags[one]) for one in (article, page)):
                    yield f"similar: {article} or {page} lacks {word}"
            said = item["category_name"] and item["category_name"] in item["reason"]["text"]
            if not words and said and CATEGORY[article] != CATEGORY[page]:
                yield f"similar: {article} and {page} are of two categories"

    def _liked(self, item: dict[str, Any], read: list[str]) -> Iterator[str]:
        last = read[-self._settings.readers.max_history :]
        weights = 0.5 ** (np.arange(len(last))[::-1] / self._settings.readers.half_life_clicks)
        same = np.array([CATEGORY.get(article) == item["category"] for article in last], bool)
        share = weights[same].sum() / max(weights.sum(), 1e-9)
        articles = {article for article in last if CATEGORY.get(article) == item["category"]}
        if item["category"] is None or item["category_name"] not in item["reason"]["text"]:
            yield f"because_you_like: {item['id']} is in {item['category']}: {item['reason']['text']}"
        elif share < 0.245:
            yield f"because_you_like: {share:.2f} of the last clicks are in {item['category']}"
        elif len(articles) < 2:
            yield f"because_you_like: {len(articles)} article of {item['category']} was read"


CATEGORY: dict[str, str | None] = {}


def main() -> None:
    """Ask for lists, check their claims, print the table and the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reasons", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder of a newsroom with a release; default: data_dir")
    parser.add_argument("--lists", type=int, default=1_000)
    parser.add_argument("--k", type=int, default=10, help="articles of a list")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.data:
        os.environ["RECSYS_DATA_DIR"] = str(options.data)
    began = time.monotonic()
    store, app = read_store(load_settings().data_dir), create_app()
    try:
        told = check(app, store, options)
    finally:
        close_app(app)
    print(json.dumps(told | {"seconds": round(time.monotonic() - began, 1)}))


def check(app: Any, store: Store, options: argparse.Namespace) -> dict[str, Any]:
    """Check the claims of many lists; print them by kind."""
    client, live = app.test_client(), next(iter(app.extensions.values())).live
    catalogue, rng = live.catalogue, np.random.default_rng(options.seed)
    known = [(row, name) for row, name in enumerate(catalogue.ids) if catalogue.articles.known(row)]
    CATEGORY.update((name, catalogue.article(row).category) for row, name in known)
    tags = {name: {fold(word) for word in catalogue.article(row).keywords} for row, name in known}
    shown_ids = [catalogue.ids[row] for row in np.flatnonzero(catalogue.eligible(now_ms()).listed.mask()).tolist()]
    judge, readers = Judge(store, load_settings(), now_ms()), sorted(store.clicks)
    kinds: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(options.lists):
        reader = None if number % STRANGERS == 0 or not readers else str(rng.choice(readers))
        page = str(rng.choice(shown_ids)) if number % PAGES == 1 else None
        query = {"k": options.k} | ({"reader": reader} if reader else {}) | ({"article": page} if page else {})
        items = client.get("/api/v1/recommendations", query_string=query).get_json()["items"]
        wrong += judge.false(reader, items, tags, page)
        if page:
            beside = client.get(f"/api/v1/articles/{page}/similar", query_string={"k": options.k}).get_json()["items"]
            wrong += judge.unlike(page, beside, tags)
            items += beside
        kinds.update(item["reason"]["kind"] for item in items)
    shown = sum(kinds.values())
    print(f"{options.lists:,} lists, {shown:,} cards, {len(wrong)} false claims")
    for kind, n in kinds.most_common():
        print(f"  {kind:18} {n:7,}  {n / shown:6.1%}")
    print("\n".join(f"  false: {line}" for line in wrong[:SHOWN_FALSE]))
    ours = {"lists": options.lists, "cards": shown, "false": len(wrong), "kinds": dict(kinds)}
    return {"ours": ours, "baselines": {}, "best": {"false": len(wrong)}}


if __name__ == "__main__":
    main()
