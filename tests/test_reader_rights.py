"""A reader's rights over HTTP: who may see, change and end what is known of a reader, and who may not."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from recsys import logs
from recsys.keys import rotate
from recsys.serving.reader_tokens import READERS_KEY
from recsys.store import Event, Kind, is_made_here
from recsys.store.forgetting import EXPORTED_AT_ONCE
from recsys.units import now_ms
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, four, problem, serving
from web.api import readers
from web.attempts import Attempts

READER = "/api/v1/reader"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    with four(tmp_path) as service:
        yield service


def new_reader(site: Service) -> tuple[str, dict[str, str]]:
    """A reader who is made here, and the header that proves them."""
    answer: Any = site.client.post("/api/v1/readers", json={})
    assert answer.status_code == 201, answer.text
    return answer.json["reader"], {"Reader-Token": answer.json["token"]}


def did(site: Service, token: dict[str, str] | None, reader: str, *articles: str, **more: Any) -> Any:
    """The answer to clicks of a reader, sent as a closing page does."""
    event = {"kind": "click", "reader": reader, "session": f"s-{reader}"} | more
    events = [event | {"event_id": f"{reader}-{name}-{more}", "article": name} for name in articles]
    body = {"events": events} | ({"reader_token": token["Reader-Token"]} if token else {})
    answer = site.client.post("/api/v1/events", data=json.dumps(body), content_type="text/plain;charset=UTF-8")
    assert answer.status_code == 202, answer.text
    return answer.json


def owners(site: Service) -> list[str | None]:
    return [event.reader for event in site.store.events_after(SITE, 0, 1000)]


def test_a_new_reader_is_random_and_costs_nothing_until_they_do_something(site: Service) -> None:
    made = {new_reader(site)[0] for _ in range(50)}
    assert len(made) == 50
    assert all(map(is_made_here, made))
    for body in (b"", b"{}"):
        assert site.client.post("/api/v1/readers", data=body, content_type="application/json").status_code == 201
    problem(site.client.post("/api/v1/readers", json={"reader": "ann"}), 422, "invalid")
    assert not any(site.store.has_reader(SITE, reader) for reader in made)


def test_only_with_the_token_is_it_that_readers_list_and_the_answer_says_so(site: Service) -> None:
    reader, token = new_reader(site)
    assert did(site, token, reader, "a1")["unproven"] == []
    with_token = site.client.get("/api/v1/recommendations", headers=token).json
    both = site.client.get(f"/api/v1/recommendations?reader={reader}", headers=token).json
    for answer in (with_token, both):
        assert {item["id"] for item in answer["items"]} == {"a2", "a3", "a4"}  # type: ignore[index]
        assert (answer["reader"], answer["token"]) == (reader, "valid")  # type: ignore[index]
        assert answer["tier"] == "category-popular"  # type: ignore[index]
    bad = {
        "missing": {},
        "invalid": {"Reader-Token": token["Reader-Token"][:-2] + "xx"},
        "expired": site.proof(reader, -1),
    }
    for state, header in bad.items():
        answer = site.client.get(f"/api/v1/recommendations?reader={reader}", headers=header).json
        assert (answer["reader"], answer["token"], answer["tier"]) == (None, state, "popular")  # type: ignore[index]
        assert "a1" in [item["id"] for item in answer["items"]]  # type: ignore[index]
    plain = site.get("/api/v1/recommendations", reader="ann")
    assert (plain["reader"], plain["token"], plain["personalisation"]) == ("ann", None, True)
    answer = site.client.get("/api/v1/recommendations?reader=ann", headers=token)
    problem(answer, 403, "wrong-reader")


def test_events_for_a_protected_reader_without_their_token_are_nobodys(site: Service) -> None:
    reader, token = new_reader(site)
    other, others_token = new_reader(site)
    assert did(site, None, reader, "a1")["unproven"] == [0]
    assert did(site, others_token, reader, "a2", "a3")["unproven"] == [0, 1]
    stored = site.store.events_after(SITE, 0, 10)
    assert [(event.reader, event.session) for event in stored] == [(None, None)] * 3
    assert site.client.get("/api/v1/recommendations", headers=token).json["tier"] == "popular"  # type: ignore[index]
    assert did(site, token, reader, "a4")["unproven"] == []
    assert owners(site)[3:] == [reader]
    mixed = [
        {"event_id": "m1", "kind": "click", "article": "a1", "reader": other},
        {"event_id": "m2", "kind": "click", "article": "a1", "reader": "ann"},
        {"event_id": "m3", "kind": "click", "article": "a1"},
    ]
    answer = site.client.post("/api/v1/events", json={"events": mixed}, headers=others_token)
    assert answer.json["unproven"] == []  # type: ignore[index]
    assert owners(site)[4:] == [other, "ann", None]
    problem(site.client.post("/api/v1/events", json={"events": [], "reader_token": 7}), 422, "invalid")
    one = mixed[0] | {"event_id": "m4", "reader_token": others_token["Reader-Token"]}
    assert site.client.post("/api/v1/events", json=one).json["accepted"] == 1  # type: ignore[index]
    assert owners(site)[-1] == other


def test_a_sites_own_ids_are_protected_where_the_site_says_so(tmp_path: Path) -> None:
    with four(tmp_path, reader_tokens="required") as site:
        assert did(site, None, "ann", "a1")["unproven"] == [0]
        assert did(site, site.proof("ann"), "ann", "a2")["unproven"] == []
        assert owners(site) == [None, "ann"]
        answer = site.get("/api/v1/recommendations", reader="ann")
        assert (answer["reader"], answer["token"]) == (None, "missing")
        assert site.of_reader("ann", "/api/v1/recommendations")["reader"] == "ann"


def test_a_reader_sees_what_is_known_of_them_and_nobody_else_does(site: Service) -> None:
    reader, token = new_reader(site)
    before = site.client.get(READER, headers=token).json
    assert (before["since"], before["clicks"], before["recent"]) == (None, 0, [])  # type: ignore[index]
    did(site, token, reader, "a1", "a2")
    did(site, token, reader, "a3", kind="impression")
    did(site, token, reader, "a4", kind="dismiss")
    did(site, token, reader, "a1", kind="dwell", dwell_ms=1500)
    known: Any = site.client.get(READER + "?lang=zh", headers=token).json
    facts = ("reader", "clicks", "shown", "dismissed", "dwells", "dwell_ms", "personalisation", "kept_until")
    assert [known[name] for name in facts] == [reader, 2, 1, 1, 1, 1500, True, None]
    assert abs(known["since"] - now_ms()) < 10_000
    assert [one["title"] for one in known["recent"]] == ["Title of a2", "Title of a1"]
    assert [one["article"] for one in known["dismissed_articles"]] == ["a4"]
    assert {tag["tag"]: tag["chosen"] for tag in known["tags"]["bar"]} == {"x": 1.0, "y": 1.0}
    assert "5 条" in known["says"]
    _, stranger = new_reader(site)
    for method in ("GET", "DELETE"):
        for path in (READER, f"/api/v1/readers/{reader}"):
            problem(site.client.open(path, method=method), 401, "no-reader-token")
        problem(site.client.open(f"/api/v1/readers/{reader}", method=method, headers=stranger), 403, "wrong-reader")
    problem(site.client.get(f"/api/v1/readers/{reader}/tags"), 401, "no-reader-token")
    problem(site.client.get(READER, headers={"Reader-Token": "x"}), 401, "invalid-reader-token")
    assert "expired" in problem(site.client.get(READER, headers=site.proof(reader, -5)), 401, "expired-reader-token")
    secret = site.store.add_token("desk", site=SITE)
    operator = {"Authorization": f"Bearer {secret}"}
    assert site.client.get(f"/api/v1/readers/{reader}", headers=operator).json["clicks"] == 2  # type: ignore[index]
    assert site.client.get(f"/api/v1/readers/{reader}/tags", headers=operator).json["clicks"] == 2  # type: ignore[index]
    problem(site.client.get(f"/api/v1/readers/{reader}", headers={"Authorization": "Bearer no"}), 401, "unauthorized")


def test_the_export_is_everything_and_is_never_held_whole(site: Service) -> None:
    reader, token = new_reader(site)
    many = 2 * EXPORTED_AT_ONCE + 7
    events = [
        Event(f"e{n}", SITE, Kind.CLICK, "a1", reader, "s", n, "slot", 3, "i", None, '{"k":"猫"}') for n in range(many)
    ]
    site.store.add_events([*events, Event("other", SITE, Kind.CLICK, "a1", "bob", time=1)])
    site.client.put(READER + "/tags/x", json={"weight": 0}, headers=token)
    answer = site.client.get(READER + "/export", headers=token)
    assert "attachment" in answer.headers["Content-Disposition"]
    whole: Any = json.loads(answer.data)
    assert (whole["reader"], whole["site"], len(whole["events"])) == (reader, SITE, many)
    assert whole["choices"] == [{"tag": "x", "name": "x", "weight": 0.0}]
    assert [event["event_id"] for event in whole["events"]] == [f"e{n}" for n in range(many)]
    first = whole["events"][0]
    assert (first["session"], first["impression"], first["position"], first["context"]) == ("s", "i", 3, '{"k":"猫"}')
    pieces = list(site.client.get(READER + "/export", headers=token).response)
    assert max(map(len, pieces)) < len(answer.data) / 2
    problem(site.client.get(READER + "/export"), 401, "no-reader-token")


def test_who_is_forgotten_is_gone_and_an_id_made_here_never_comes_back(site: Service) -> None:
    reader, token = new_reader(site)
    assert site.client.delete(READER, headers=token).json["events"] == 0  # type: ignore[index]
    assert site.store.forgotten_readers(SITE) == [], "nothing is written of who did nothing"
    did(site, token, reader, "a1", "a2")
    site.client.put(READER + "/tags/x", json={"weight": 0}, headers=token)
    site.client.put(READER + "/personalisation", json={"on": False}, headers=token)
    with serving(site.settings) as other:
        other.client.get("/api/v1/recommendations", headers=token)
        gone: Any = site.client.delete(READER, headers=token).json
        assert (gone["events"], gone["done"]) == (2, False)
        assert "log" in gone["says"]
        other.live.follow()
        for service in (site, other):
            answer: Any = service.client.get("/api/v1/recommendations", headers=token).json
            assert (answer["tier"], answer["personalisation"]) == ("popular", True)
    assert site.store.choices_of(SITE, reader) is None
    entry = site.store.audit(SITE, 1)[0]
    assert (entry.actor, entry.verb) == ("the reader", "forget")
    assert reader not in str(entry)
    late = did(site, token, reader, "a3", time=now_ms() + 60_000)  # a second window that is still open
    assert (late["accepted"], late["duplicate"]) == (0, 1)
    assert owners(site) == []
    assert site.client.get(READER, headers=token).json["forgotten_at"] is not None  # type: ignore[index]
    did(site, site.proof("ann"), "ann", "a1")
    assert site.client.delete("/api/v1/readers/ann", headers=site.proof("ann")).json["events"] == 1  # type: ignore[index]
    assert did(site, None, "ann", "a4", time=now_ms() + 5000)["accepted"] == 1, "a site's own id is a new reader"


def test_personalisation_off_is_a_strangers_list_everywhere_within_a_second(site: Service) -> None:
    reader, token = new_reader(site)
    did(site, token, reader, "a1", "a2")
    put = {"path": READER + "/personalisation", "headers": token}
    with serving(site.settings) as other:
        assert other.client.get("/api/v1/recommendations", headers=token).json["personalisation"]  # type: ignore[index]
        said: Any = site.client.put(json={"on": False}, **put).json
        assert (said["personalisation"], said["kept_events"]) == (False, 2)
        assert said["new_events"] == "without the reader"
        assert "2 events" in said["says"] or "2 条" in said["says"]
        other.live.follow()
        for service in (site, other):
            query = f"?session=s-{reader}"
            answer: Any = service.client.get("/api/v1/recommendations" + query, headers=token).json
            stranger = service.get("/api/v1/recommendations")
            assert answer["personalisation"] is False
            assert (answer["tier"], answer["items"]) == (stranger["tier"], stranger["items"])
        assert did(other, token, reader, "a3")["accepted"] == 1
        stored = site.store.events_after(SITE, 0, 10)[-1]
        assert (stored.article, stored.reader, stored.session) == ("a3", None, None)
        known: Any = site.client.get(READER, headers=token).json
        assert (known["clicks"], known["personalisation"]) == (2, False)
        assert site.client.put(json={"on": True}, **put).json["new_events"] == "with the reader"  # type: ignore
        other.live.follow()
        assert other.client.get("/api/v1/recommendations", headers=token).json["tier"] == "category-popular"  # type: ignore
    for body in ({}, {"on": "no"}, {"on": 0}, {"on": True, "more": 1}):
        problem(site.client.put(json=body, **put), 422, "invalid")
    problem(site.client.put(READER + "/personalisation", json={"on": False}), 401, "no-reader-token")


def test_a_removed_tag_no_longer_speaks_for_anything_and_undoing_brings_it_back(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as site:
        reader, token = new_reader(site)
        did(site, token, reader, "football-0", "football-1", "markets-0")

        def asked(service: Service = site) -> Any:
            return service.client.get("/api/v1/recommendations?k=8", headers=token).json

        before = asked()
        because = [item["id"] for item in before["items"] if item["reason"]["kind"].startswith("because")]
        assert "football" in {toy.topic[name] for name in because}
        answer = site.client.put(READER + "/tags/football", json={"weight": 0}, headers=token)
        assert answer.json == {"choices": [{"tag": "football", "name": "football", "weight": 0.0}]}
        removed = asked()
        assert removed["tier"] == "personal"
        assert toy.topic[removed["items"][0]["id"]] == "markets"
        for item in removed["items"]:
            assert item["reason"]["article"] not in ("football-0", "football-1")
            assert toy.topic[item["id"]] == "markets" or not item["reason"]["kind"].startswith("because")
        shown = [item["id"] for item in removed["items"]]
        assert not {"football-0", "football-1", "markets-0"} & {*shown}, "what was read stays read"
        with serving(site.settings) as again:
            assert [item["id"] for item in asked(again)["items"]] == shown, "it survives a start"
        known: Any = site.client.get(READER, headers=token).json
        assert {tag["tag"]: tag["chosen"] for tag in known["tags"]["bar"]} == {"football": 0.0, "markets": 1.0}
        assert site.client.delete(READER + "/tags/football", headers=token).json == {"choices": []}
        assert [item["id"] for item in asked()["items"]] == [item["id"] for item in before["items"]]


def test_bad_choices_about_tags_are_refused(site: Service) -> None:
    reader, token = new_reader(site)
    for body in ({}, {"weight": -0.1}, {"weight": 1.1}, {"weight": "0"}, {"weight": None}, {"weight": 0, "x": 1}):
        problem(site.client.put(READER + "/tags/x", json=body, headers=token), 422, "invalid")
    problem(site.client.put(f"{READER}/tags/{'x' * 300}", json={"weight": 0}, headers=token), 422, "invalid")
    problem(site.client.put(READER + "/tags/x", json={"weight": 0}), 401, "no-reader-token")
    assert site.store.choices_of(SITE, reader) is None


def test_a_token_is_renewed_with_itself_and_only_one_that_was_made_here(site: Service) -> None:
    reader, token = new_reader(site)
    rotate(site.settings.data_dir / READERS_KEY, 1)
    again: Any = site.client.post("/api/v1/readers", json={}, headers=token).json
    assert again["reader"] == reader
    assert again["token"].split(".")[1] != token["Reader-Token"].split(".")[1], "signed with the new key"
    days = (again["expires_at"] - now_ms()) / 86_400_000
    assert days == pytest.approx(readers.TOKEN_DAYS, abs=0.01)
    problem(site.client.post("/api/v1/readers", json={}, headers=site.proof("ann")), 403, "not-made-here")
    problem(site.client.post("/api/v1/readers", json={}, headers=site.proof(reader, -9)), 401, "expired-reader-token")


def test_a_flood_of_new_readers_is_turned_away_and_leaves_nothing(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MADE", Attempts(3, 1.0, lambda: 5.0))
    changes = site.store.last_change(SITE)
    codes = [site.client.post("/api/v1/readers", json={}).status_code for _ in range(5)]
    assert codes == [201, 201, 201, 429, 429]
    answer = site.client.post("/api/v1/readers", json={})
    problem(answer, 429, "too-many-attempts")
    assert answer.headers["Retry-After"] == "2"
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert site.client.post("/api/v1/readers", json={}, environ_overrides=elsewhere).status_code == 201
    assert site.store.last_change(SITE) == changes


def test_no_reader_and_no_token_stands_in_a_log(
    site: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = structlog.get_config()
    logs.configure("text")  # as a worker does
    reader, token = new_reader(site)

    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(site.store, "choices_of", broken)
    monkeypatch.setattr(site.store, "kept_events", broken)
    for path in (READER, f"/api/v1/readers/{reader}"):
        assert site.client.get(path, headers=token).status_code == 500
    structlog.configure(**before)
    written = "".join(capsys.readouterr()) + caplog.text
    assert "unexpected error" in written
    assert "/api/v1/readers/<path:reader>" in written
    assert reader not in written
    assert token["Reader-Token"].rpartition(".")[2] not in written
