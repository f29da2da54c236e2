"""Editors' pins, boosts and buries by calls and commands: in the lists of every worker at once, until they end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from jobs.__main__ import app
from recsys.config import plain
from recsys.errors import HiddenArticle, InputError, UnknownArticle
from recsys.serving import checkpoint
from recsys.store import Scope
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE, Toy
from tests.service import Service, article, copy_of, four, problem, serving
from tests.test_live_state import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, newest first a1, a2, a3, a4."""
    with four(tmp_path) as service:
        yield service


def ask(site: Service, method: str, path: str, body: Any = None, by: str = "ann") -> Any:
    site.store.revoke_token(by)
    headers = {"Authorization": f"Bearer {site.store.add_token(by)}"}
    return site.client.open(f"/admin/api{path}", method=method, headers=headers, json=body)


def decide(site: Service, verb: str, name: str, **more: Any) -> Any:
    answer = ask(site, "POST", f"/articles/{name}:{verb}", {"until": now_ms() + HOUR_MS} | more)
    assert answer.status_code == 200, answer.text
    return answer.json


def end(site: Service, verb: str, name: str) -> str:
    answer = ask(site, "POST", f"/articles/{name}:un{verb}")
    assert answer.status_code == 200, answer.text
    return str(answer.json["outcome"])


def test_a_pin_stands_at_its_place_in_the_very_next_answer(site: Service) -> None:
    made = decide(site, "pin", "a4", place=1)
    assert (made["article"], made["place"], made["slot"], made["set_by"]) == ("a4", 1, None, "token ann")
    items = site.get("/api/v1/recommendations", include="scores")["items"]
    assert [item["id"] for item in items] == ["a4", "a1", "a2", "a3"]
    reason = items[0]["reason"]
    assert (reason["kind"], reason["text"]) == ("editors_choice", "Editors' choice")
    assert (items[0]["score"], items[0]["score_kind"]) == (0.0, "none")
    assert site.get("/api/v1/recommendations", lang="zh")["items"] != []
    assert end(site, "pin", "a4") == "ended"
    assert site.ids() == ["a1", "a2", "a3", "a4"]
    assert end(site, "pin", "a4") == "as before"


def test_a_bury_is_out_of_lists_and_stays_where_it_is_asked_for(site: Service) -> None:
    site.click("a1", reader="bob")
    assert decide(site, "bury", "a1")["kind"] == "bury"
    assert site.ids() == ["a2", "a3", "a4"]
    assert [item["id"] for item in site.get("/api/v1/today")["items"]] == ["a1"]
    for path in ("/article/a1", "/api/v1/articles/a1", "/api/v1/articles/a1/similar"):
        assert site.client.get(path).status_code == 200, path
    assert "a1" in [item["id"] for item in site.get("/api/v1/tags/x")["items"]]
    assert "a1" not in [item["id"] for item in site.get("/api/v1/articles/a3/similar")["items"]]
    assert end(site, "bury", "a1") == "ended"
    assert "a1" in site.ids()


def test_what_holds_is_listed_with_its_end_and_who_set_it(site: Service) -> None:
    until = now_ms() + HOUR_MS
    decide(site, "pin", "a4", place=1, until=until, slot="front")
    decide(site, "boost", "a3", factor=2, until=until)
    answer = ask(site, "POST", "/articles/a2:bury", {"until": until}, by="bob")
    assert answer.status_code == 200
    listed = ask(site, "GET", "/editorial").json
    assert listed["k"] == 10
    assert [(one["kind"], one["article"], one["until"], one["set_by"]) for one in listed["decisions"]] == [
        ("bury", "a2", until, "token bob"),
        ("boost", "a3", until, "token ann"),
        ("pin", "a4", until, "token ann"),
    ]
    assert (listed["decisions"][2]["stands_at"], listed["decisions"][2]["slot"]) == (1, "front")
    assert listed["decisions"][1]["factor"] == 2
    audit = [(entry.verb, entry.object, entry.actor) for entry in site.store.audit(SITE, 99)]
    assert [entry for entry in audit if entry[2].startswith("token ")] == [
        ("bury", "a2", "token bob"),
        ("boost", "a3", "token ann"),
        ("pin", "a4", "token ann"),
    ]


@pytest.mark.parametrize("verb", ["pin", "boost", "bury"])
def test_an_end_is_needed_in_the_future_and_within_thirty_days(site: Service, verb: str) -> None:
    more = {"pin": {"place": 1}, "boost": {"factor": 2}, "bury": {}}[verb]
    path, now = f"/articles/a1:{verb}", now_ms()
    assert "until" in problem(ask(site, "POST", path, more), 422, "invalid")
    for until in (now - 1, now + 30 * DAY_MS + MINUTE_MS, "tomorrow", "", None, True, -1):
        problem(ask(site, "POST", path, more | {"until": until}), 422, "invalid")
    assert ask(site, "GET", "/editorial").json["decisions"] == []


def test_an_end_may_be_written_in_the_site_s_time(site: Service) -> None:
    until = (now_ms() // 1000 + 3600) * 1000
    written = datetime.fromtimestamp(until / 1000, UTC)
    for said in (f"{written:%Y-%m-%dT%H:%M:%SZ}", f"{written:%Y-%m-%d %H:%M:%S}", until, until // 1000):
        assert decide(site, "bury", "a1", until=said)["until"] == until, said


@pytest.mark.parametrize(
    "body", [{"place": 0}, {"place": 1001}, {"place": "one"}, {"place": 1, "slot": ""}, {"place": 1, "why": "x"}]
)
def test_a_pin_that_says_nothing_sensible_is_refused(site: Service, body: dict[str, Any]) -> None:
    problem(ask(site, "POST", "/articles/a1:pin", {"until": now_ms() + HOUR_MS} | body), 422, "invalid")


@pytest.mark.parametrize("factor", [1, 0.5, 10.5, "2"])
def test_a_boost_has_a_factor_above_one_and_at_most_ten(site: Service, factor: Any) -> None:
    body = {"until": now_ms() + HOUR_MS, "factor": factor}
    problem(ask(site, "POST", "/articles/a1:boost", body), 422, "invalid")


def test_what_is_hidden_deleted_or_unknown_is_not_pinned_and_the_answer_says_what_to_do(site: Service) -> None:
    body = {"place": 1, "until": now_ms() + HOUR_MS}
    ask(site, "POST", "/articles/a1/hide")
    ask(site, "DELETE", "/articles/a2")
    hidden = ask(site, "POST", "/articles/a1:pin", body)
    problem(hidden, 409, "hidden-article")
    assert hidden.json["remedy"] == "`show` it first."
    problem(ask(site, "POST", "/articles/a2:pin", body), 410, "deleted-article")
    problem(ask(site, "POST", "/articles/no:pin", body), 404, "unknown-article")
    problem(ask(site, "POST", "/articles/no:unpin"), 404, "unknown-article")
    for path in ("/articles/a3:pin", "/articles/a3:unpin"):
        answer = site.client.post(f"/admin/api{path}", json=body, headers={"Authorization": "Bearer no"})
        problem(answer, 401, "unauthorized")
    answer = site.client.get("/admin/api/editorial")
    problem(answer, 401, "unauthorized")
    writer = site.store.add_token("writer", Scope.WRITE)
    answer = site.client.post("/admin/api/articles/a3:pin", json=body, headers={"Authorization": f"Bearer {writer}"})
    problem(answer, 403, "wrong-scope")


def test_a_pinned_article_that_is_hidden_is_nowhere_and_stands_again_when_it_is_shown(site: Service) -> None:
    decide(site, "pin", "a4", place=1)
    ask(site, "POST", "/articles/a4/hide")
    assert site.ids() == ["a1", "a2", "a3"]
    (pin,) = ask(site, "GET", "/editorial").json["decisions"]
    assert pin["stands_at"] is None
    ask(site, "POST", "/articles/a4/show")
    site.live.refresh()
    assert site.ids()[0] == "a4"


def test_the_answer_to_a_pin_says_which_pins_move_and_which_are_beyond_the_list(site: Service) -> None:
    site.store.put_articles([article(f"n{n}") for n in range(11)])
    site.live.refresh()
    made = decide(site, "pin", "n0", place=1)
    assert (made["note"], made["pins"][0]["stands_at"]) == (None, 1)
    made = decide(site, "pin", "n1", place=1)
    assert made["note"] == "'n0' stands at place 2, for a later pin has place 1."
    for n in range(2, 11):
        made = decide(site, "pin", f"n{n}", place=1)
    places = {one["article"]: one["stands_at"] for one in made["pins"]}
    assert places == {f"n{n}": 11 - n if n else None for n in range(11)}
    assert "'n0' is not shown: it is beyond the 10 places" in made["note"]
    assert site.ids(k=10) == [f"n{n}" for n in range(10, 0, -1)]
    far = decide(site, "pin", "a1", place=40)
    assert far["pins"][0]["stands_at"] is None
    assert "'a1' is not shown" in far["note"]


def test_a_pin_says_what_it_costs_and_null_where_nothing_is_known(site: Service) -> None:
    assert decide(site, "pin", "a4", place=1)["cost"] is None
    now = now_ms()
    for number in range(60):
        first = {"session": f"s{number}", "position": 0, "time": now - number * MINUTE_MS}
        site.click("a1", **first | {"kind": "impression", "event_id": f"i{number}"})
        site.click("a4", **first | {"kind": "impression", "event_id": f"j{number}"})
        if number % 2:
            site.click("a1", **first | {"event_id": f"c{number}"})
    cost = decide(site, "pin", "a4", place=1)["cost"]
    assert cost["impressions_an_hour"] == pytest.approx(120, rel=0.05)
    assert cost["clicks_an_hour"] > 1
    assert cost["says"].startswith("This pin costs about")
    assert "clicks an hour" in cost["says"]
    assert decide(site, "pin", "a1", place=1)["cost"]["clicks_an_hour"] == 0


def test_a_pin_without_a_place_is_in_every_list_and_says_what_it_costs_at_most(site: Service) -> None:
    assert "a4" not in site.ids(k=2)
    made = decide(site, "pin", "a4")
    assert (made["place"], made["note"], made["pins"][0]["stands_at"]) == (None, None, None)
    assert site.ids(k=2) == ["a1", "a4"]
    for number in range(30):
        site.click("a1", session=f"s{number}", position=9, kind="impression", event_id=f"i{number}")
    (held,) = ask(site, "GET", "/editorial").json["decisions"]
    assert held["cost"]["impressions_an_hour"] > 0, "of the last place of a list of ten"
    told = ask(site, "GET", "/trace?article=a4&k=2").json
    assert (told["steps"][1]["stage"], told["place"]) == ("editors", 2)
    assert "has guaranteed it a place in every list" in told["steps"][1]["says"]
    decide(site, "pin", "a3", place=1)
    assert site.ids(k=2) == ["a3", "a4"]
    decide(site, "pin", "a3")
    assert site.ids(k=2) == ["a3", "a4"], "the later one stands first"
    assert site.ids(k=1) == ["a3"], "and alone where there is room for one"
    assert ask(site, "POST", "/articles/a4:unpin").json["outcome"] == "ended"
    assert "a4" not in site.ids(k=2)


def test_two_workers_a_restart_and_an_import_show_the_same(site: Service) -> None:
    with serving(site.settings) as other:
        decide(site, "pin", "a4", place=2)
        decide(site, "bury", "a1")
        other.live.refresh()
        assert site.ids() == other.ids() == ["a2", "a4", "a3"]
        site.store.put_articles([article("a4", title="Changed"), article("a1", title="Changed")])
        for service in (site, other):
            service.live.refresh()
            assert service.ids()[1] == "a4"
            assert "a1" not in service.ids()
        end(other, "bury", "a1")
        site.live.refresh()
        assert "a1" in site.ids()
    with serving(site.settings) as restarted:
        assert restarted.ids()[1] == "a4"


def test_an_article_is_pinned_before_a_worker_has_it(site: Service) -> None:
    site.store.put_articles([article("new")])
    made = decide(site, "pin", "new", place=1)
    assert made["pins"][0]["stands_at"] is None
    site.live.refresh()
    assert site.ids()[0] == "new"
    assert ask(site, "GET", "/editorial").json["decisions"][0]["stands_at"] == 1


@pytest.mark.parametrize("name", ["news/2024?id=7&x=%41#top", "渡轮 🚢 é", "-411", "a//b", "x:pin", "x/hide"])
def test_every_id_can_be_pinned(site: Service, name: str) -> None:
    site.store.put_articles([article(name)])
    site.live.refresh()
    assert decide(site, "pin", quote(name, safe=""), place=1)["article"] == name
    assert site.ids()[0] == name
    assert end(site, "pin", quote(name, safe="")) == "ended"


def test_a_pin_ends_by_the_worker_s_clock_and_no_wrong_clock_loses_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.pin_article(SITE, "a4", "ann", place=1, until=now_ms() + HOUR_MS)
    site.now = now_ms()
    assert site.listed()[0] != "a4"
    site.live.refresh()
    assert site.listed()[0] == "a4"
    for jump, stands in [(2 * HOUR_MS, False), (0, True), (-300 * DAY_MS, None), (0, True), (300 * DAY_MS, False)]:
        site.now = now_ms() + jump
        site.live.refresh()
        listed = site.listed()
        if stands is not None:  # so long ago the articles were not out
            assert (listed[0] == "a4") is stands, jump


def test_a_release_that_is_taken_over_and_a_checkpoint_keep_what_holds(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "WORTH_EVENTS", 1)
    with serving(copy_of(toy, tmp_path)) as service:
        service.store.put_articles([article("fresh", title="goal keeper", body="penalty coach stadium")])
        service.live.refresh()
        decide(service, "pin", "fresh", place=1)
        decide(service, "bury", "football-0")
        decide(service, "boost", "markets-1", factor=3)
        service.click("football-1", reader="r1")
        before = service.ids(reader="r1", k=16)
        assert before[0] == "fresh"
        assert "football-0" not in before
        service.live._swap(service.live.release)
        assert service.ids(reader="r1", k=16)[0] == "fresh"
        assert "football-0" not in service.ids(reader="r1", k=16)
        decisions = service.live.catalogue.decisions
    with serving(service.settings) as again:
        assert again.live.catalogue.decisions == decisions
        assert again.ids(reader="r1", k=16)[0] == "fresh"
    monkeypatch.setattr("recsys.store.Store.decisions", lambda *_: pytest.fail("asked"))
    loader = again.live._loader
    state = loader._laid_out(again.live.release, alone=True)
    assert state.catalogue.decisions == decisions
    assert all(one.kind.value in ("pin", "boost", "bury") for one in state.catalogue.decisions)


def test_an_idle_worker_asks_for_no_decisions(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(site, "pin", "a4", place=1)
    monkeypatch.setattr(type(site.store), "decisions", lambda *_: pytest.fail("asked"))
    site.live.refresh()
    site.live.take_down()
    monkeypatch.undo()
    catalogue, now = site.live.catalogue, now_ms()
    before = catalogue.eligible(now)
    catalogue.decide(site.store.decisions(SITE))
    assert catalogue.eligible(now) is before, "nothing is looked at again for decisions that are as before"


def test_the_commands_pin_boost_and_bury(tmp_path: Path) -> None:
    with four(tmp_path) as site:
        file = tmp_path / "config.yaml"
        file.write_text(json.dumps(plain(site.settings)), encoding="utf-8")  # JSON is YAML

        def run(*words: str) -> Any:
            result = CliRunner().invoke(app, [*words, "--config", str(file)])
            if result.exception is not None:
                raise result.exception
            return result.output

        began = now_ms()
        run("pin", "a4", "--place", "1", "--until", "2h", "--slot", "front")
        run("boost", "a3", "--factor", "2.5", "--until", "1d")
        run("bury", "a1", "--until", "90m")
        pin, boost, bury = site.store.decisions(SITE)
        assert (pin.article, pin.place, pin.slot, boost.factor, bury.article) == ("a4", 1, "front", 2.5, "a1")
        for one, span in ((pin, 2 * HOUR_MS), (boost, DAY_MS), (bury, 90 * MINUTE_MS)):
            assert began + span <= one.until <= now_ms() + span
        assert {entry.verb for entry in site.store.audit(SITE, 9)} == {"pin", "boost", "bury"}
        assert site.store.audit(SITE, 1)[0].actor.startswith("command")
        site.live.refresh()
        assert site.ids(slot="front")[0] == "a4"
        assert "a1" not in site.ids()
        assert [line.split()[0] for line in run("editorial").splitlines() if "until" in line] == [
            "bury",
            "boost",
            "pin",
        ]
        for verb, name in (("unpin", "a4"), ("unboost", "a3"), ("unbury", "a1")):
            run(verb, name)
        assert "nothing holds" in run("editorial")
        site.store.hide_article(SITE, "a2", "ann")
        for error, words in [
            (HiddenArticle, ["pin", "a2", "--place", "1", "--until", "2h"]),
            (UnknownArticle, ["bury", "nobody", "--until", "2h"]),
            (InputError, ["bury", "a1", "--until", "soon"]),
            (InputError, ["bury", "a1", "--until", "31d"]),
            (InputError, ["boost", "a1", "--factor", "1", "--until", "2h"]),
        ]:
            with pytest.raises(error):
                run(*words)
        assert CliRunner().invoke(app, ["pin", "a1", "--place", "1", "--config", str(file)]).exit_code == 2
        run("pin", "a1", "--until", "2h")
        assert site.store.decisions(SITE)[0].place is None
