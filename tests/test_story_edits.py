"""Editors join, split and name stories: in every worker at once, over a new release, a checkpoint and a night."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from typer.testing import CliRunner

from jobs.__main__ import app
from recsys.config import plain
from recsys.errors import DeletedArticle, InputError, UnknownStory
from recsys.serving import checkpoint
from recsys.store.stories import MAX_SPLIT
from recsys.stories.headlines import LEAST_ARTICLES
from recsys.units import now_ms
from tests.newsroom import SITE, Toy, train
from tests.service import HOUR, Service, article, copy_of, fill, four, plain_settings, problem, serving


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, newest first a1, a2, a3, a4, each a story by itself."""
    with four(tmp_path) as service:
        yield service


def ask(site: Service, method: str, path: str, body: Any = None, by: str = "ann") -> Any:
    site.store.revoke_token(by)
    headers = {"Authorization": f"Bearer {site.store.add_token(by)}"}
    return site.client.open(f"/admin/api{path}", method=method, headers=headers, json=body)


def done(site: Service, method: str, path: str, body: Any = None, by: str = "ann") -> Any:
    answer = ask(site, method, path, body, by)
    assert answer.status_code == 200, answer.text
    return answer.json


def join(site: Service, one: str, other: str, by: str = "ann") -> Any:
    return done(site, "POST", f"/stories/{quote(one, safe='')}:join", {"with": other}, by)


def split(site: Service, of: str, *articles: str, by: str = "ann") -> Any:
    return done(site, "POST", f"/stories/{quote(of, safe='')}:split", {"articles": articles}, by)


def told(site: Service, story: str) -> list[str]:
    return [item["id"] for item in site.get(f"/api/v1/stories/{story}", k=50)["items"]]


def test_two_stories_that_are_joined_are_one_in_the_very_next_answer(site: Service) -> None:
    made = join(site, "a4", "a1")
    assert made == {"story": "a4", "name": None, "articles": 2, "outcome": "joined", "against": False}
    for name in ("a1", "a4"):
        assert site.get(f"/api/v1/stories/{name}")["id"] == "a4"
        assert told(site, name) == ["a1", "a4"]
    assert "More on this story" in site.client.get("/article/a4?lang=en").text
    assert len(set(site.ids()) & {"a1", "a4"}) == 1, "one card per story"
    join(site, "a2", "a3")
    assert join(site, "a3", "a1")["story"] == "a2", "the story whose name was called keeps its own"
    assert told(site, "a4") == ["a1", "a2", "a3", "a4"], "all articles of both stories"


def test_articles_that_leave_are_a_story_of_their_own(site: Service) -> None:
    for other in ("a1", "a2", "a3"):
        join(site, "a4", other)
    made = split(site, "a4", "a2", "a1")
    assert (made["story"], made["articles"], made["outcome"], made["against"]) == ("a2", 2, "split", True)
    assert told(site, "a1") == told(site, "a2") == ["a1", "a2"]
    assert told(site, "a3") == told(site, "a4") == ["a3", "a4"]
    assert split(site, "a4", "a4")["story"] == "a4", "the first article takes its name with it"
    assert (told(site, "a4"), told(site, "a3")) == (["a4"], ["a3"])


def test_the_later_of_two_editors_holds(site: Service) -> None:
    join(site, "a4", "a1", by="ann")
    join(site, "a4", "a2", by="ann")
    assert split(site, "a4", "a1", by="bob")["against"] is True
    assert told(site, "a2") == ["a2", "a4"]
    again = join(site, "a4", "a1", by="ann")
    assert again["against"] is True, "it was parted explicitly, and the join is the later word"
    assert told(site, "a2") == ["a1", "a2", "a4"]
    assert split(site, "a1", "a1", by="bob")["against"] is True
    listed = done(site, "GET", "/stories/decisions")["decisions"]
    assert [(one["kind"], one["articles"], one["other"], one["set_by"]) for one in listed] == [
        ("split", ["a1"], "a2", "token bob"),
        ("join", ["a1"], "a4", "token ann"),
        ("split", ["a1"], "a4", "token bob"),
        ("join", ["a2"], "a4", "token ann"),
        ("join", ["a1"], "a4", "token ann"),
    ]
    audit = [entry for entry in site.store.audit(SITE, 99) if entry.verb in ("join", "split")]
    assert [(entry.verb, entry.actor) for entry in audit[:2]] == [("split", "token bob"), ("join", "token ann")]


def test_a_join_over_a_third_story_brings_together_what_was_parted_and_says_so(site: Service) -> None:
    join(site, "a4", "a1")
    split(site, "a4", "a1")
    assert join(site, "a1", "a2")["against"] is False
    assert join(site, "a2", "a4")["against"] is True
    assert told(site, "a1") == ["a1", "a2", "a4"]


def test_what_is_unknown_or_says_nothing_is_refused(site: Service) -> None:
    for one, other in (("nobody", "a1"), ("a1", "nobody")):
        problem(ask(site, "POST", f"/stories/{one}:join", {"with": other}), 404, "unknown-story")
    problem(ask(site, "POST", "/stories/nobody:split", {"articles": ["a1"]}), 404, "unknown-story")
    problem(ask(site, "PUT", "/stories/nobody/name", {"name": "x"}), 404, "unknown-story")
    problem(ask(site, "DELETE", "/stories/nobody/name"), 404, "unknown-story")
    assert "twice" in problem(ask(site, "POST", "/stories/a1:join", {"with": "a1"}), 422, "invalid")
    bodies: list[dict[str, Any]] = [{}, {"with": ""}, {"with": 4}, {"with": "a2", "why": "x"}]
    for body in bodies:
        problem(ask(site, "POST", "/stories/a1:join", body), 422, "invalid")
    assert "'a2'" in problem(ask(site, "POST", "/stories/a1:split", {"articles": ["a2"]}), 422, "invalid")
    assert "stays" in problem(ask(site, "POST", "/stories/a1:split", {"articles": ["a1"]}), 422, "invalid")
    for articles in ([], "a1", [1], [f"b{n}" for n in range(MAX_SPLIT + 1)]):
        problem(ask(site, "POST", "/stories/a1:split", {"articles": articles}), 422, "invalid")
    assert done(site, "GET", "/stories/decisions") == {"decisions": [], "names": []}
    assert site.client.post("/admin/api/stories/a1:join", json={"with": "a2"}).status_code == 401
    join(site, "a1", "a2")
    assert join(site, "a2", "a1")["outcome"] == "as before"
    assert len(done(site, "GET", "/stories/decisions")["decisions"]) == 1


def test_hidden_and_deleted_articles_of_a_story(site: Service) -> None:
    join(site, "a4", "a1")
    site.store.hide_article(SITE, "a1", "ann")
    site.store.delete_article(SITE, "a3", "ann")
    site.live.take_down()
    assert join(site, "a1", "a2")["articles"] == 3, "a hidden article is joined as it stands"
    assert told(site, "a4") == ["a2", "a4"]
    site.store.show_article(SITE, "a1", "ann")
    site.live.refresh()
    assert told(site, "a4") == ["a1", "a2", "a4"]
    problem(ask(site, "POST", "/stories/a3:join", {"with": "a1"}), 410, "deleted-article")
    site.store.delete_article(SITE, "a4", "ann")
    site.live.take_down()
    problem(ask(site, "POST", "/stories/a4:split", {"articles": ["a4"]}), 410, "deleted-article")
    assert split(site, "a4", "a1")["articles"] == 1, "the story goes on though its first article is deleted"
    assert told(site, "a2") == ["a2"]
    site.store.delete_article(SITE, "a2", "ann")
    site.live.take_down()
    assert "stays" in problem(ask(site, "POST", "/stories/a3:split", {"articles": ["a3"]}), 422, "invalid")


def test_a_name_stands_where_the_headline_stood(site: Service) -> None:
    join(site, "a4", "a1")
    made = done(site, "PUT", "/stories/a1/name", {"name": "  港口大火: the fire “of the harbour” 🔥 "})
    name = "港口大火: the fire “of the harbour” 🔥"
    assert (made["story"], made["name"], made["outcome"]) == ("a4", name, "named")
    story = site.get("/api/v1/stories/a4")
    assert (story["title"], story["name"]) == (name, name)
    page = site.client.get("/stories/a4?lang=en").text
    assert f">{name}</h1>" in page
    assert f"<title>{name} ·" in page
    named = done(site, "GET", "/stories/decisions")["names"]
    assert [(one["story"], one["article"], one["name"], one["set_by"]) for one in named] == [
        ("a4", "a1", name, "token ann")
    ]
    assert done(site, "DELETE", "/stories/a4/name")["outcome"] == "ended"
    assert done(site, "DELETE", "/stories/a4/name")["outcome"] == "as before"
    story = site.get("/api/v1/stories/a4")
    assert (story["title"], story["name"]) == ("Title of a1", None)
    assert done(site, "GET", "/stories/decisions")["names"] == []


def test_of_two_named_stories_that_are_joined_the_later_name_holds_and_each_takes_its_own_along(site: Service) -> None:
    done(site, "PUT", "/stories/a1/name", {"name": "The first"})
    done(site, "PUT", "/stories/a4/name", {"name": "The second"})
    join(site, "a1", "a4")
    assert site.get("/api/v1/stories/a1")["name"] == "The second"
    done(site, "PUT", "/stories/a1/name", {"name": "The third"})
    assert site.get("/api/v1/stories/a4")["name"] == "The third"
    split(site, "a1", "a4")
    assert [site.get(f"/api/v1/stories/{id}")["name"] for id in ("a1", "a4")] == ["The third", "The second"]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "a\u202eb", "a\u2028b", "x" * 201, None, 5])
def test_a_name_is_a_line_of_bounded_length(site: Service, name: Any) -> None:
    problem(ask(site, "PUT", "/stories/a1/name", {"name": name}), 422, "invalid")
    assert done(site, "PUT", "/stories/a1/name", {"name": "<b>&x" * 40})["name"] == "<b>&x" * 40
    assert "<b>" not in site.client.get("/stories/a1?lang=en").text, "it is text, not markup"


def updates(service: Service, reader: str) -> list[str]:
    items = service.get("/api/v1/recommendations", reader=reader, k=16)["items"]
    return [item["reason"]["text"] for item in items if item["reason"]["kind"] == "update"]


def test_an_update_names_the_story(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        texts = {"read": "penalty coach stadium", "fresh": "league referee defender midfield"}
        for name, body in texts.items():
            times = {"read": now_ms() - 2 * HOUR, "fresh": now_ms()}
            service.store.put_articles(
                [article(name, title="goal keeper", body=body, category="football", published_at=times[name])]
            )
        service.live.refresh()
        service.click("read", reader="bob", time=now_ms() - HOUR)
        join(service, "read", "fresh")
        assert updates(service, "bob") == ["An update on “goal keeper”"]
        done(service, "PUT", "/stories/read/name", {"name": "The fire"})
        assert updates(service, "bob") == ["An update on “The fire”"]
        done(service, "DELETE", "/stories/fresh/name")
        assert updates(service, "bob") == ["An update on “goal keeper”"]


def test_two_workers_and_a_restart_show_the_same(site: Service) -> None:
    with serving(site.settings) as other:
        join(site, "a4", "a1")
        done(site, "PUT", "/stories/a4/name", {"name": "The fire"})
        other.live.refresh()
        assert told(other, "a1") == ["a1", "a4"]
        assert other.get("/api/v1/stories/a1")["name"] == "The fire"
        split(other, "a4", "a4", by="bob")
        site.live.refresh()
        assert (told(site, "a1"), told(site, "a4")) == (["a1"], ["a4"])
        join(site, "a4", "a2")
        site.store.put_articles([article("a2", title="Changed", published_at=now_ms() - 2 * HOUR)])
        site.live.refresh()
        assert told(site, "a4") == ["a2", "a4"], "a changed text does not undo what an editor said"
    with serving(site.settings) as restarted:
        assert (told(restarted, "a1"), told(restarted, "a4")) == (["a1"], ["a2", "a4"])
        assert restarted.get("/api/v1/stories/a4")["name"] == "The fire"
        assert join(restarted, "a1", "a4")["against"] is True, "what was parted is known after a restart"


def test_an_article_is_joined_before_a_worker_has_it(site: Service) -> None:
    with serving(site.settings) as other:
        join(site, "a4", "a3")
        site.store.put_articles([article("new", published_at=now_ms())])
        site.live.refresh()
        join(site, "new", "a4")
        join(site, "a1", "new")
        done(site, "PUT", "/stories/new/name", {"name": "The fire"})
        other.live.take_down()
        other.live.refresh()
        assert told(other, "a4") == told(site, "a4") == ["new", "a1", "a3", "a4"]
        assert other.get("/api/v1/stories/a3")["name"] == "The fire"


def test_an_idle_worker_asks_for_no_decisions(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    join(site, "a4", "a1")
    for name in ("story_decisions", "story_names"):
        monkeypatch.setattr(type(site.store), name, lambda *_, **__: pytest.fail("asked"))
    site.live.refresh()
    site.live.take_down()


def test_a_story_of_five_thousand_is_joined_split_and_named(tmp_path: Path) -> None:
    settings, now = plain_settings(tmp_path), now_ms()
    names = [f"n{number:04}" for number in range(5_000)]
    fill(settings, *(article(name, title=f"Ferry {name}", published_at=now - HOUR) for name in [*names, "a", "b"]))
    with serving(settings) as service:
        catalogue = service.live.catalogue
        catalogue.columns.stories.take_over(np.full(len(catalogue.ids), catalogue.row_of["n0000"], np.int32))
        split(service, "n0000", "a", "b")
        began = time.process_time()
        assert join(service, "a", "n0000")["articles"] == 5_002
        split(service, "a", *names[:1_000])
        done(service, "PUT", "/stories/a/name", {"name": "The ferry"})
        assert time.process_time() - began < 60, "seconds of CPU, in which no pair of each two is looked at"
        assert service.get("/api/v1/stories/n0999")["articles"] == 1_000
        assert service.get("/api/v1/stories/n1000")["articles"] == 4_002
        assert len(service.store.story_decisions(SITE)) < 4 * 5_002, "a few for each article, not for each two"
        service.store.put_articles([article("n0000", title="Changed"), article("c", title="Ferry c")])
        service.live.refresh()
    with serving(settings) as again:
        assert again.get("/api/v1/stories/n0999")["articles"] == 1_000


def test_an_article_that_begins_another_story_has_its_own_name_and_the_others_that_of_one_of_them(
    tmp_path: Path,
) -> None:
    settings, now = plain_settings(tmp_path), now_ms()
    fillers = [article(f"f{n:03}", title=f"Shop{n} opens in Town{n} by Owner{n}") for n in range(LEAST_ARTICLES)]
    fill(settings, *fillers)
    titles = ["Ferry Aurora runs aground off Helmsund", "Passengers leave stranded ferry Aurora in Helmsund"]
    titles.append("Captain of ferry Aurora questioned in Helmsund")
    with serving(settings) as service:
        service.store.put_articles(
            [article(f"z{n}", title=title, published_at=now - HOUR + n) for n, title in enumerate(titles)]
        )
        service.live.refresh()
        assert (service.get("/api/v1/stories/z2")["id"], told(service, "z0")) == ("z0", ["z2", "z1", "z0"])
        for title in ("Cheese fair opens in Lindau", "Cheese fair in Lindau is over"):
            service.store.put_articles([article("z0", title=title, published_at=now - HOUR)])
            service.live.refresh()
            assert (service.get("/api/v1/stories/z0")["id"], told(service, "z0")) == ("z0", ["z0"])
            assert (service.get("/api/v1/stories/z1")["id"], told(service, "z1")) == ("z1", ["z2", "z1"])
        service.store.put_articles([article("z3", title="Helmsund: the ferry Aurora floats again", published_at=now)])
        service.live.refresh()
        assert (service.get("/api/v1/stories/z3")["id"], told(service, "z3")) == ("z1", ["z3", "z2", "z1"])
        join(service, "f000", "z1")
        split(service, "f000", "f000")
        service.store.put_articles([article("z4", title="Ferry Aurora leaves Helmsund", published_at=now)])
        service.live.refresh()
        assert service.get("/api/v1/stories/z4")["id"] == "z1", "the index was told, too"
        split(service, "z1", "z3", "z4")
        service.store.put_articles(
            [article("z1", title="Ferry Aurora floats again, leaves Helmsund", published_at=now)]
        )
        service.live.refresh()
        assert told(service, "z2") == ["z1", "z2"], "however alike: an editor has parted them"


def shown(service: Service) -> dict[str, str]:
    """Of each article of the toy newsroom that is told with others: the id of its story."""
    names = [*(f"{topic}-{n}" for topic in ("football", "markets") for n in range(8)), "fresh"]
    told = {name: service.get(f"/api/v1/stories/{name}") for name in names}
    return {name: story["id"] for name, story in told.items() if story["articles"] > 1}


def test_a_swap_a_checkpoint_and_a_night_keep_what_editors_said(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "WORTH_ARTICLES", 1)
    with serving(copy_of(toy, tmp_path)) as service:
        assert shown_before(service) == {}
        service.store.put_articles([article("fresh", title="Title of something else", published_at=now_ms())])
        service.live.refresh()
        join(service, "football-0", "markets-3")
        join(service, "markets-3", "fresh")
        join(service, "football-0", "football-5")
        split(service, "football-0", "football-0")
        done(service, "PUT", "/stories/fresh/name", {"name": "The fire"})
        stories = shown(service)
        assert stories == dict.fromkeys(["markets-3", "fresh", "football-5"], "football-5")
        service.live._swap(service.live.release)
        assert shown(service) == stories
    with serving(service.settings) as again:
        assert shown(again) == stories
        assert again.get("/api/v1/stories/fresh")["name"] == "The fire"
        loader, catalogue = again.live._loader, again.live.catalogue
        without = loader._laid_out(again.live.release, alone=True)  # the database is away
        assert [without.catalogue.story_of(row) for row in range(len(catalogue.ids))] == [
            catalogue.story_of(row) for row in range(len(catalogue.ids))
        ]
        assert without.catalogue.columns.stories.name_of(catalogue.row_of["fresh"]) == "The fire"
        assert without.snapshot.stories.decisions.apart_from("football-0") >= {"fresh", "markets-3"}
    release = train(service.settings)
    assert (service.settings.data_dir / "releases" / release).is_dir()
    with serving(service.settings) as night:
        assert night.live.release == release
        assert shown(night).keys() == stories.keys()
        assert len(set(shown(night).values())) == 1
        assert night.get("/api/v1/stories/fresh")["name"] == "The fire"
        without = night.live._loader._laid_out(release, alone=True)
        assert not without.later_decisions, "the release contains them"
        assert len({without.catalogue.story_of(without.catalogue.row_of[name]) for name in stories}) == 1
        assert without.catalogue.columns.stories.name_of(without.catalogue.row_of["fresh"]) == "The fire"
        assert join(night, "football-0", "fresh")["against"] is True


def shown_before(service: Service) -> dict[str, int]:
    told = {name: service.get(f"/api/v1/stories/{name}")["articles"] for name in ("football-0", "markets-3")}
    return {name: articles for name, articles in told.items() if articles > 1}


def test_the_commands_join_split_and_name(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as site:
        file = tmp_path / "config.yaml"
        file.write_text(json.dumps(plain(site.settings)), encoding="utf-8")  # JSON is YAML

        def run(*words: str) -> str:
            result = CliRunner().invoke(app, [*words, "--config", str(file)])
            if result.exception is not None:
                raise result.exception
            return result.stdout

        site.store.put_articles([article("fresh", title="Title of something else")])
        run("join", "football-0", "markets-3")
        run("join", "markets-3", "fresh")
        run("join", "markets-3", "markets-4")
        run("split", "football-0", "fresh")
        run("name-story", "markets-3", "The fire")
        site.live.refresh()
        assert shown(site) == {"football-0": "football-0", "fresh": "football-0"} | dict.fromkeys(
            ["markets-3", "markets-4"], "markets-3"
        )
        assert site.get("/api/v1/stories/markets-4")["name"] == "The fire"
        run("name-story", "markets-4", "--clear")
        site.live.refresh()
        assert site.get("/api/v1/stories/markets-4")["name"] is None
        of_stories = ("join", "split", "name-story", "unname-story")
        audit = [entry for entry in site.store.audit(SITE, 99) if entry.verb in of_stories]
        assert [entry.verb for entry in audit] == ["unname-story", "name-story", "split", "join", "join", "join"]
        assert audit[0].actor.startswith("command")
        before = len(site.store.story_decisions(SITE))
        run("join", "markets-3", "markets-4")  # they are one already
        assert len(site.store.story_decisions(SITE)) == before
        site.store.delete_article(SITE, "markets-7", "ann")
        for error, words in [
            (UnknownStory, ["join", "nobody", "markets-3"]),
            (DeletedArticle, ["join", "markets-7", "markets-3"]),
            (InputError, ["join", "markets-3", "markets-3"]),
            (InputError, ["split", "markets-3", "football-7"]),
            (InputError, ["name-story", "markets-3", "two\nlines"]),
        ]:
            with pytest.raises(error):
                run(*words)
        assert CliRunner().invoke(app, ["name-story", "markets-3", "--config", str(file)]).exit_code == 2
