"""Events from outside: taken once, and every way to send them wrongly."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from recsys.store import Event, Written
from recsys.units import now_ms
from tests.newsroom import SITE
from tests.service import Service, article, four, problem
from web.api.event_ingestion import checked_event


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    with four(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that leave it as it is."""
    with four(tmp_path_factory.mktemp("quiet")) as service:
        yield service


def test_events_are_taken_once(site: Service) -> None:
    event = {"event_id": "e1", "kind": "click", "article": "a1", "reader": "r", "context": {"b": 1, "a": "猫"}}
    both = {"events": [event, event | {"event_id": "e2", "kind": "dwell", "dwell_ms": 5}]}
    assert site.client.post("/api/v1/events", json=both).json == {
        "accepted": 2,
        "duplicate": 0,
        "rejected": [],
        "ignored": [],
        "unknown": [],
        "unproven": [],
    }
    beacon = site.client.post("/api/v1/events", data=json.dumps(event), content_type="text/plain;charset=UTF-8")
    assert beacon.json == {
        "accepted": 0,
        "duplicate": 1,
        "rejected": [],
        "ignored": [],
        "unknown": [],
        "unproven": [],
    }
    stored = site.store.events_after(SITE, 0, 10)
    assert stored[0].context == '{"a":"猫","b":1}'
    assert abs((stored[0].time or 0) - now_ms()) < 10_000


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"kind": "like"}, "invalid", "kind"),
        ({"article": ""}, "invalid", "article"),
        ({"article": "a\u0000b"}, "invalid", "article"),
        ({"reader": "x" * 257}, "invalid", "reader"),
        ({"reader": 7}, "invalid", "reader"),
        ({"position": -1}, "invalid", "position"),
        ({"position": True}, "invalid", "position"),
        ({"time": "now"}, "invalid", "time"),
        ({"time": True}, "invalid", "time"),
        ({"time": 7}, "invalid", "time"),
        ({"time": "1970-01-20T00:00:00Z"}, "invalid", "time: a time before 1995"),
        ({"time": "03/04/2024"}, "invalid", "day first or month first"),
        ({"article": "null"}, "invalid", "article"),
        ({"time": now_ms() + 10**7}, "time-in-the-future", "time"),
        ({"dwell_ms": 10**12}, "invalid", "dwell_ms"),
        ({"context": []}, "invalid", "context"),
        ({"context": {"a": "x" * 3000}}, "context-too-large", "context"),
        ({"article": "a\n"}, "invalid", "article: Expected no control character"),
        ({"color": "red"}, "invalid", "color"),
    ],
)
def test_one_bad_event_is_rejected_and_the_others_are_kept(
    site: Service, change: dict[str, Any], code: str, named: str
) -> None:
    good = {"event_id": "good", "kind": "click", "article": "a1"}
    body = {"events": [good | {"event_id": "bad"} | change, good]}
    made: Any = site.client.post("/api/v1/events", json=body).json
    assert made["accepted"] == 1
    assert [(one["index"], one["code"]) for one in made["rejected"]] == [(0, code)]
    assert named in made["rejected"][0]["detail"]


@pytest.mark.parametrize("bad", [b'{"event_id":"e","kind":"click","article":"a","context":{"a":1e999}}', b"7", b"[]"])
def test_what_only_just_is_json_is_rejected_alone(site: Service, bad: bytes) -> None:
    body = b'{"events":[' + bad + b',{"event_id":"good","kind":"click","article":"a1"}]}'
    made: Any = site.client.post("/api/v1/events", data=body, content_type="application/json").json
    assert made["accepted"] == 1
    assert [(one["index"], one["code"]) for one in made["rejected"]] == [(0, "invalid")]


def test_a_compressed_body_is_refused_by_its_name(quiet: Service) -> None:
    answer = quiet.client.post(
        "/api/v1/events", data=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}, content_type="text/plain"
    )
    assert "gzip" in problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed-json"),
        (b"", "application/json", 400, "malformed-json"),
        (b"\xff\xfe", "application/json", 400, "malformed-json"),
        (b'{"event_id": "\\ud800"}', "application/json", 400, "malformed-json"),
        (b"[" * 50_000, "application/json", 400, "malformed-json"),
        (b'{"time": NaN}', "application/json", 400, "malformed-json"),
        (b"{}", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported-media-type"),
        (b'{"events": [], "more": 1}', "application/json", 422, "invalid"),
        (b'{"events": {}}', "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"7", "application/json", 422, "invalid"),
        (b'{"events": [' + b",".join([b"{}"] * 1001) + b"]}", "application/json", 422, "too-many-events"),
        (b" " * 70_000, "application/json", 413, "body-too-large"),
    ],
)
def test_a_body_that_is_no_list_of_events_is_a_clear_problem(
    quiet: Service, body: bytes, content_type: str, status: int, code: str
) -> None:
    problem(quiet.client.post("/api/v1/events", data=body, content_type=content_type), status, code)
    assert quiet.store.last_seq(SITE) == 0


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000_123, 1_700_000_000_123),
        (1_700_000_000.5, 1_700_000_000_500),
        ("1700000000", 1_700_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14 22:13:20", 1_700_000_000_000),  # in the zone of the site, here UTC
        ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000_000),
        ("Wed Nov 15 2023 06:13:20 GMT+0800 (China Standard Time)", 1_700_000_000_000),
    ],
)
def test_a_time_is_read_as_an_import_reads_it(site: Service, time: Any, expected: int) -> None:
    assert site.click("a1", time=time)["accepted"] == 1
    assert [event.time for event in site.store.events_after(SITE, 0, 9)] == [expected]


def test_a_readers_clock_may_be_five_minutes_ahead_and_no_more() -> None:
    now = now_ms()
    sent = {"event_id": "e", "kind": "click", "article": "a1"}
    taken = checked_event(sent | {"time": now + 300_000}, SITE, now, UTC)
    assert isinstance(taken, Event)
    assert taken.time == now + 300_000
    refused = checked_event(sent | {"time": now + 300_001}, SITE, now, UTC)
    assert isinstance(refused, tuple)
    assert refused[0] == "time-in-the-future"


def test_ids_are_in_the_form_of_an_import_and_words_for_nothing_are_nobody(site: Service) -> None:
    site.click(" a1 ", reader="7.0", session="null")
    stored = site.store.events_after(SITE, 0, 9)[0]
    assert (stored.article, stored.reader, stored.session) == ("a1", "7", None)


def test_an_event_right_after_its_article_was_put_elsewhere_is_of_a_known_one(site: Service) -> None:
    site.store.put_articles([article("just-now")])  # by another process; this worker has not polled since
    assert site.click("just-now", reader="r")["unknown"] == []


def test_the_answer_names_the_events_whose_article_is_unknown(site: Service) -> None:
    names = ["a1", "nowhere", "a2", "https://example.net/later"]
    events = [{"event_id": f"e{n}", "kind": "click", "article": name} for n, name in enumerate(names)]
    answer: Any = site.client.post("/api/v1/events", json={"events": events}).json
    assert (answer["accepted"], answer["unknown"]) == (4, [1, 3])


def test_an_article_is_found_by_its_address_and_a_late_one_by_the_clicks_before_it(site: Service) -> None:
    address = "https://example.net/story?id=9"
    assert site.click(f"{address}&utm_source=mail", reader="r")["unknown"] == [0]
    site.store.put_articles([article("late", url=address)])
    site.live.refresh()
    assert site.click(f"{address}#top", reader="q")["unknown"] == []
    assert [event.article for event in site.store.events_after(SITE, 0, 9)][1] == "late"
    row = site.live.catalogue.row_of["late"]
    assert site.live.catalogue.row_of[site.store.events_after(SITE, 0, 1)[0].article] == row


CLICK = {"event_id": "e", "kind": "click", "article": "a1", "reader": "r"}
TOO_MANY_FIELDS = json.dumps({"events": [CLICK], "more": 1})


@pytest.mark.parametrize(
    ("body", "headers", "is_direct"),
    [
        (json.dumps(CLICK), {"Content-Type": "application/json"}, True),
        (json.dumps(CLICK), {"Content-Type": "text/plain;charset=UTF-8"}, True),
        (json.dumps({"events": [CLICK, {"kind": "no"}]}), {"Content-Type": "application/json; charset=utf-8"}, True),
        (json.dumps(CLICK), {}, True),
        (json.dumps(CLICK), {"Content-Type": "application/json; charset=latin-1"}, False),
        (json.dumps(CLICK), {"Content-Type": "application/xml"}, False),
        (json.dumps(CLICK), {"Authorization": "Bearer no"}, False),
        (json.dumps(CLICK), {"Content-Encoding": "gzip"}, False),
        (json.dumps(CLICK | {"reader_token": 3}), {}, False),
        ("{", {}, False),
        (TOO_MANY_FIELDS, {}, False),
        ("", {}, False),
    ],
)
def test_plain_events_are_answered_as_by_the_application(
    site: Service, body: str, headers: dict[str, str], is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    whole, accept = site.client.application.view_functions["api.events"], site.live.accept

    def note_whole() -> Any:
        asked.append("whole")
        return whole()

    def note_written(events: list[Event]) -> Written:
        asked.append("written")
        return accept(events)

    monkeypatch.setitem(site.client.application.view_functions, "api.events", note_whole)
    monkeypatch.setattr(site.live, "accept", note_written)
    first = site.client.post("/api/v1/events", data=body, headers=headers)
    assert ("whole" not in asked) == is_direct
    assert asked.count("written") == is_direct
    monkeypatch.setattr("web.api.direct_events._is_plain", lambda _: False)
    second = site.client.post("/api/v1/events", data=body, headers=headers)
    assert "whole" in asked
    assert first.status_code == second.status_code
    one, other = (dict(answer.headers) for answer in (first, second))
    for varying in ("X-Request-ID", "Content-Length"):
        assert (one.pop(varying, None) is None) == (other.pop(varying, None) is None)
    assert one == other
    said, again = first.get_json(), second.get_json()
    if is_direct:
        assert (said.pop("accepted"), said.pop("duplicate")) == (1, 0)
        assert (again.pop("accepted"), again.pop("duplicate")) == (0, 1)
    assert said == again


def test_a_refusal_of_plain_events_is_counted_once_and_bears_the_id_of_the_request(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted: list[int] = []

    def refuse(_address: str | None, cost: int) -> float:
        admitted.append(cost)
        return 9.5

    monkeypatch.setattr(site.client.application.extensions["installation"].rates, "admit", refuse)
    headers = {"X-Request-ID": "from-the-proxy", "Content-Type": "application/json"}
    answers = [site.client.post("/api/v1/events", json=CLICK, headers=headers)]
    assert len(admitted) == 1
    monkeypatch.setattr("web.api.direct_events._is_plain", lambda _: False)
    answers.append(site.client.post("/api/v1/events", json=CLICK, headers=headers))
    for answer in answers:
        problem(answer, 429, "rate-limited")
        assert (answer.headers["Retry-After"], answer.headers["X-Request-ID"]) == ("10", "from-the-proxy")
    direct, whole = (sorted(answer.headers.items()) for answer in answers)
    assert [header for header in direct if header[0] != "Content-Length"] == [
        header for header in whole if header[0] != "Content-Length"
    ]
