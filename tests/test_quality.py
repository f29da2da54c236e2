"""The figures of a site's data are right by hand, from log or store alike, and every page says why a part is empty."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jobs.data import command, profiled
from jobs.runner import IMPORTS, ODD_READERS, Context, check_made, open_store, run_stage
from jobs.stages import stage_of
from recsys.errors import InputError
from recsys.events import EventLog
from recsys.imports import Summary
from recsys.imports.matching import CatalogueMatch, refuse_misfit
from recsys.imports.target import RecordStatistics
from recsys.quality.closing import closing_lines
from recsys.quality.events import TimeRules, event_facts, timeline
from recsys.quality.history import keep, past_imports
from recsys.quality.phrases import moment, percent, several
from recsys.quality.reading import all_events
from recsys.quality.summary import lines, sparkline
from recsys.report.data import data_page
from recsys.report.page import render
from recsys.settings import Settings
from recsys.store import Article, ArticlePatch, Event, Kind
from recsys.workspace import write_table
from tests.newsroom import HOUR, NOW, SITE, toy_settings

DAY = 24 * HOUR
CLOCK = TimeRules(NOW, "UTC", late_minutes=60, max_future_minutes=10)


def click(number: int, time: int | None, article: str = "a", reader: str | None = "ann") -> Event:
    return Event(f"e{number}", SITE, Kind.CLICK, article, reader, time=time)


def filled(settings: Settings, articles: list[Article], events: list[Event]) -> Context:
    store = open_store(settings)
    try:
        store.put_articles(articles)
        store.add_events(events)
    finally:
        store.close()
    return Context(settings, seed=1)


EVENTS = [
    click(0, NOW - DAY),
    click(1, NOW - DAY - 2 * HOUR, reader="ben"),  # came after one that is two hours newer
    click(2, NOW - DAY),  # ann again
    click(3, None, reader=None),
    click(4, NOW + DAY, "b"),  # a clock that is wrong
    click(5, NOW - HOUR, "gone", "cleo"),
    click(6, NOW - HOUR, "gone", "dan"),
    Event("e7", SITE, Kind.IMPRESSION, "b", "ann", "s", NOW - 30 * 60_000, "front", 0, "i"),
]
ARTICLES = [
    Article("a", SITE, "One title", "A body", language="en", published_at=NOW - DAY),
    Article("b", SITE, " one TITLE", url="https://news.example/b", hidden=True, published_at=NOW + DAY),
    Article("c", SITE, "三", language="zh", expires_at=NOW - 1),
]


def test_events_are_counted_as_by_hand(tmp_path: Path) -> None:
    context = filled(toy_settings(tmp_path), [], EVENTS)
    store = open_store(context.settings)
    facts = event_facts(all_events(context.event_log, store, SITE), ["a", "b"], CLOCK, shown=5)
    store.close()
    assert (facts.total, facts.kinds, facts.undated) == (8, {"impression": 1, "click": 7}, {"click": 1})
    assert (facts.first, facts.last) == (NOW - DAY - 2 * HOUR, NOW - 30 * 60_000)
    assert (facts.late, facts.ahead, facts.repeated, facts.readers) == (1, 1, 2 - 1, 4)
    assert facts.unknown == {"gone": 2}
    assert facts.missing == {
        **dict.fromkeys(("session", "position", "impression"), 7),
        **dict.fromkeys(("dwell_ms", "context"), 8),
        "reader": 1,
        "time": 1,
    }


def test_a_log_that_is_behind_its_store_tells_the_same_as_the_store_alone(tmp_path: Path) -> None:
    context = filled(toy_settings(tmp_path), [], EVENTS[:5])
    store = open_store(context.settings)
    log = EventLog(tmp_path / "log")
    log.append(store, SITE)
    store.add_events(EVENTS[5:])
    both, alone = (all_events(one, store, SITE) for one in (log, EventLog(tmp_path / "none")))
    assert event_facts(both, ["a"], CLOCK, 5) == event_facts(alone, ["a"], CLOCK, 5)
    store.add_events([Event("x", "other", Kind.CLICK, "a", time=NOW)])
    assert event_facts(all_events(log, store, "other"), ["a"], CLOCK, 5).total == 1, (
        "a log of another site is left alone"
    )
    store.close()


@pytest.mark.parametrize(("days", "step", "steps"), [(2, "hour", 2 * 24 + 1), (40, "day", 41), (3000, "month", None)])
def test_a_long_log_is_drawn_by_day_or_month(days: int, step: str, steps: int | None) -> None:
    times = np.arange(days * 24 + 1, dtype=np.int64) * HOUR + NOW // DAY * DAY
    line = timeline(times, np.zeros(len(times), np.int64), ["click"], "UTC")
    assert line is not None
    assert line.step == step
    assert steps in (None, len(line.starts))
    assert sum(line.counts["click"]) == len(times)


def test_days_begin_at_midnight_on_the_sites_clock() -> None:
    midnight = np.datetime64("2024-05-01T18:30", "ms").astype(np.int64)  # in Kolkata
    times = np.array([midnight - 1, midnight, midnight + 30 * DAY])
    line = timeline(times, np.zeros(3, np.int64), ["click"], "Asia/Kolkata")
    assert line is not None
    assert line.counts["click"][:2] == [1, 1]
    assert line.starts[1] == midnight


def test_a_few_events_far_away_do_not_press_the_others_into_a_line() -> None:
    times = np.append(np.arange(5000, dtype=np.int64) * 60_000 + NOW, [NOW - 9000 * DAY])
    line = timeline(times, np.zeros(5001, np.int64), ["click"], "UTC")
    assert line is not None
    assert line.step == "hour"
    assert 1 <= line.outside <= 10


def test_the_hour_that_comes_twice_in_autumn_is_two_hours() -> None:
    start = np.datetime64("2024-10-26T23:00", "ms").astype(np.int64)  # 1:00 in Berlin, two hours early
    times = start + np.arange(5, dtype=np.int64) * HOUR
    line = timeline(times, np.zeros(5, np.int64), ["click"], "Europe/Berlin")
    assert line is not None
    assert line.counts["click"] == [1] * 5


def test_articles_are_counted_as_by_hand(tmp_path: Path) -> None:
    context = filled(toy_settings(tmp_path), ARTICLES, EVENTS)
    profile = profiled(context)
    facts = profile.articles
    assert (facts.total, facts.languages) == (3, {"en": 1, "zh": 1, "": 1})
    assert profile.match == CatalogueMatch(7, 5)
    assert (facts.same_title, facts.hidden, profile.unclicked) == (1, 1, 1)
    assert {name: facts.missing[name] for name in ("title", "body", "url", "category", "published_at")} == {
        "title": 0,
        "body": 2,
        "url": 2,
        "category": 3,
        "published_at": 1,
    }


def summary(**changes: Any) -> Summary:
    values: dict[str, Any] = {
        **{"records": "clicks", "mapping": "", "read": 10, "stored": 8, "updated": 0, "duplicate": 1, "rejected": 1},
        **{"seconds": 1.0, "rejects": Path("/r.jsonl"), "first_reason": "line 1: bad", "dry_run": False},
    }
    return Summary(**values | changes)


def test_what_an_import_did_is_kept_and_of_the_same_file_the_last_one_counts(tmp_path: Path) -> None:
    folder = tmp_path / IMPORTS
    keep(folder, summary(reasons={"time": 3}), "/data/a.csv", SITE, NOW)
    keep(folder, summary(reasons={"time": 1}), "/data/a.csv", SITE, NOW + 1)
    keep(folder, summary(reasons={"time": 2, "kind": 1}), "/data/b.csv", SITE, NOW + 2)
    keep(folder, summary(), "/data/c.csv", "other", NOW + 3)
    (folder / "broken.json").write_text("{")
    assert [one["file"] for one in past_imports(folder, SITE)] == ["/data/a.csv", "/data/a.csv", "/data/b.csv"]
    profile = profiled(Context(toy_settings(tmp_path), seed=1))
    assert profile.counted("reasons") == {"time": 3, "kind": 1}
    assert profile.imports[0]["rejects"] == "/r.jsonl"


def page_of(context: Context) -> str:
    return render("Site", [data_page(profiled(context))])["data.html"]


@pytest.mark.parametrize(
    ("articles", "events", "said"),
    [
        ([], [], ("There is nothing yet", "There are no articles.", "There are no events.", "There are no clicks.")),
        (ARTICLES, [], ("no event with a time", "There are no events.", "No import is on record.")),
        ([], [click(0, None)], ("There are no articles.", "1 event has no time")),
        ([], EVENTS, ("There are no articles.", "Events by hour and kind", "lists are made of clicks alone")),
        ([ARTICLES[2]], EVENTS, ("0 % of 7 clicks match an article",)),
    ],
)
def test_a_page_without_articles_or_events_says_what_is_not_there(
    tmp_path: Path, articles: list[Article], events: list[Event], said: tuple[str, ...]
) -> None:
    context = filled(toy_settings(tmp_path), articles, events)
    text = page_of(context)
    for sentence in said:
        assert sentence in text, sentence
    for empty in re.findall(r"<h2>([^<]*)</h2>\n(?=<h2>|</html>)", text):
        pytest.fail(f"{empty!r} is empty and does not say why")
    assert list(lines(profiled(context)))


def test_the_page_escapes_what_is_hostile_and_names_unknown_articles(tmp_path: Path) -> None:
    hostile = "<script>x</script>"
    context = filled(toy_settings(tmp_path), ARTICLES, [click(0, NOW, hostile)])
    keep(tmp_path / IMPORTS, summary(reasons={hostile: 1}, notes=[hostile]), f"/{hostile}", SITE, NOW)
    text = page_of(context)
    assert "<script>" not in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "0 % of 1 click match" in text


def test_odd_readers_are_shown_once_a_stage_has_looked(tmp_path: Path) -> None:
    context = filled(toy_settings(tmp_path), ARTICLES, EVENTS)
    assert "Nobody has looked yet" in page_of(context)
    folder = tmp_path / "work" / "events"
    folder.mkdir(parents=True)
    write_table(folder / ODD_READERS, pa.table({"reader": pa.array([], pa.string())}))
    assert "No reader opens more than a person can." in page_of(context)
    write_table(folder / ODD_READERS, pa.table({"reader": ["bot"], "clicks": [400]}))
    assert ("1 reader opens more" in page_of(context), ">bot</td>" in page_of(context)) == (True, True)


def test_the_command_prints_one_json_object_and_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = filled(toy_settings(tmp_path), ARTICLES, EVENTS)
    command(context, as_json=True, page=tmp_path / "data.html")
    values = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (values["articles"]["total"], values["match"]["clicks"]) == (3, 7)
    assert "<svg" in (tmp_path / "data.html").read_text()
    command(context, as_json=False, page=None)
    assert "71 % of 7 clicks match an article" in capsys.readouterr().out


def test_numbers_are_said_as_people_say_them() -> None:
    assert [percent(*pair) for pair in ((0, 5), (1, 500), (499, 500), (5, 5), (1, 3), (0, 0))] == [
        "0 %",
        "< 1 %",
        "> 99 %",
        "100 %",
        "33 %",
        "–",
    ]
    assert [several(1, "click"), several(1204, "click"), several(2, "is", "are")] == [
        "1 click",
        "1,204 clicks",
        "2 are",
    ]
    assert moment(0, "Asia/Shanghai") == "1970-01-01 08:00"


def test_a_sparkline_is_as_high_as_its_counts_and_fits_on_a_line() -> None:
    assert sparkline([0, 1, 8, 4]) == " ▁█▄"
    assert len(sparkline(list(range(1000)))) == 64
    assert sparkline([0, 0]) == "  "


def seen_of(languages: dict[str, int], first: int | None = None, last: int | None = None) -> RecordStatistics:
    seen = RecordStatistics()
    seen.languages.update(languages)
    seen.first, seen.last = first, last
    return seen


def test_an_import_ends_with_three_lines_in_words() -> None:
    articles = summary(
        records="articles",
        **{"read": 1204, "stored": 1180, "updated": 20, "duplicate": 0, "rejected": 4, "changed": {"category": 20}},
        reasons={"no title": 4},
        repaired={"image: left out, not an address": 12, "title: markup removed": 2},
        left_out={"kind SCROLL": 3},
        notes=["Times without a zone were read as UTC."],
    )
    assert closing_lines(articles, seen_of({"en": 1100, "": 100}, 0, DAY), "UTC") == [
        "1,204 articles: 1,180 new, 20 changed (category 20), 4 rejected. Rejected: no title (4); see /r.jsonl.",
        "Repaired: image: left out, not an address (12); title: markup removed (2). Left out: kind SCROLL (3).",
        "Languages: en 1,100, not said 100. Times: 1970-01-01 00:00 to 1970-01-02 00:00 (UTC)."
        " Times without a zone were read as UTC.",
    ]
    clicks = closing_lines(summary(matched_clicks=(490, 500), rejected=0), seen_of({}), "UTC")
    assert clicks[1:] == ["Nothing had to be repaired or left out.", "98 % of 500 clicks match an article."]
    few = closing_lines(
        summary(matched_clicks=(0, 500), notes=["0 of 500 clicks match an article; …"]), seen_of({}), "UTC"
    )
    assert few[2] == "0 of 500 clicks match an article; …"


def test_what_passes_is_counted_once() -> None:
    seen = RecordStatistics()
    seen.patches([ArticlePatch("a", SITE, {"language": "en", "published_at": 5}), ArticlePatch("b", SITE, {})])
    seen.patches([ArticlePatch("c", SITE, {"language": "zh", "published_at": 3})])
    seen.events([click(1, None), click(2, 4), click(3, 9)])
    seen.events([click(4, None)])
    assert (dict(seen.languages), seen.first, seen.last) == ({"en": 1, "": 1, "zh": 1}, 3, 9)


@pytest.mark.parametrize(
    ("known", "articles"),
    [
        (CatalogueMatch(500, 25), 30),  # a twentieth
        (CatalogueMatch(500, 0), 0),  # clicks alone are enough
        (CatalogueMatch(0, 0), 30),
        (CatalogueMatch(150_000, 5_000), 2_000),  # few of many, and still enough to learn from
    ],
)
def test_a_log_that_fits_its_articles_is_trained_on(known: CatalogueMatch, articles: int) -> None:
    refuse_misfit(known, articles)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (CatalogueMatch(500, 24), "24 of 500 clicks match an article. Import the articles"),
        (
            CatalogueMatch(500, 0, {"address": 500}),
            "0 of 500 clicks match an article; 500 of 500 match by address. Import the clicks again with"
            " `--map article=@url`",
        ),
        (CatalogueMatch(150_000, 5_000, {"leading zeros": 140_000}), "140,000 of 150,000 match by leading zeros"),
    ],
)
def test_a_log_of_other_articles_is_refused_with_what_would_match(known: CatalogueMatch, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        refuse_misfit(known, articles=30)
    assert refused.value.exit_code == 2


def test_all_refuses_a_log_of_other_articles_before_anything_is_trained(tmp_path: Path) -> None:
    articles = [Article(f"id{n}", SITE, f"T{n}", url=f"https://s.example/{n}") for n in range(3)]
    clicks = [click(n, NOW - n, f"https://s.example/{n % 3}") for n in range(60)]
    context = filled(toy_settings(tmp_path), articles, clicks)
    stage, run = stage_of("events")
    run_stage(context, stage, run)
    with pytest.raises(InputError, match="60 of 60 match by address"):
        check_made(context, stage)
    filled(context.settings, [], [click(100 + n, NOW - n, "id1", f"r{n}") for n in range(4)])
    run_stage(context, stage, run)
    check_made(context, stage)
    assert context.workspace.record("events").facts["clicks_of_known_articles"] == 4
