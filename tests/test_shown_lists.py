"""Lists that a reader was shown: by their names, as they were seen by a moment, and only that reader's."""

import html
from typing import Any

from recsys.store import Event, Kind, ShownCard, Store
from recsys.units import HOUR_MS, now_ms
from tests.newsroom import SITE
from tests.service import Service
from tests.stores import server, store
from tests.test_console import PAGE, WORDS, site
from tests.test_story_edits import ask, done
from web.console.words import words

__all__ = ["server", "site", "store"]


def event(n: int, kind: Kind, article: str, time: int, **more: Any) -> Event:
    facts: dict[str, Any] = {"site": SITE, "kind": kind, "article": article, "reader": "ann", "time": time}
    return Event(event_id=f"e{n}", **(facts | more))


def shown(now: int) -> list[Event]:
    """Two lists of ann's, one of them half an hour old, and one of bob's."""
    old, new = now - 2 * HOUR_MS, now - HOUR_MS // 2
    return [
        event(1, Kind.IMPRESSION, "a2", old, position=1, impression="one", slot="front"),
        event(2, Kind.IMPRESSION, "a1", old - 5, position=0, impression="one", slot="front"),
        event(3, Kind.CLICK, "a1", old + 9, impression="one"),
        event(4, Kind.CLICK, "a2", old + 9, impression="other"),
        event(5, Kind.IMPRESSION, "a3", new, position=0, impression="two"),
        event(6, Kind.IMPRESSION, "a4", old, position=0, impression="three", reader="bob"),
        event(7, Kind.IMPRESSION, "a4", old - HOUR_MS, position=2),
    ]


def test_lists_are_those_of_one_reader_by_a_moment_with_what_was_opened_from_them(store: Store) -> None:
    now = now_ms()
    store.add_events(shown(now))
    past = store.lists_shown(SITE, "ann", now - HOUR_MS, 9)
    assert [one.at for one in past] == [now - 2 * HOUR_MS, now - 3 * HOUR_MS]
    assert past[0].slot == "front"
    assert past[0].cards == [ShownCard("a1", 0, True), ShownCard("a2", 1, False)]
    assert past[1].cards == [ShownCard("a4", 2, False)]
    assert store.lists_shown(SITE, "ann", now, 1)[0].cards == [ShownCard("a3", 0, False)]
    assert store.lists_shown("other", "ann", now, 9) == []


def test_the_trace_shows_what_a_reader_had_been_shown_an_hour_ago(site: Service) -> None:
    site.store.add_events(shown(now_ms()))
    told = done(site, "GET", "/trace/shown?reader=ann")
    assert [card["article"] for one in told["lists"] for card in one["cards"]] == ["a1", "a2", "a4"]
    assert told["lists"][0]["cards"][0] == {"article": "a1", "title": "Title of a1", "position": 0, "clicked": True}
    assert ask(site, "GET", "/trace/shown").status_code == 422
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)
    page = html.unescape(browser.get("/console/trace?article=a1&reader=ann&lang=en").text)
    assert page.split(words("en")["hour_ago"])[1].count("Title of a") == 3
    for reader, word in (("", "hour_ago_stranger"), ("nobody", "hour_ago_none")):
        assert words("en")[word] in html.unescape(browser.get(f"/console/trace?article=a1&reader={reader}").text)
