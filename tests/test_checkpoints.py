"""Checkpoints: a worker that starts goes on exactly where another one stood, and nothing is read or learned twice."""

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.recommend import exploration
from recsys.serving import checkpoint, feed
from recsys.serving.checkpoint import LiveCheckpoints
from recsys.serving.encoder import LiveEncoder
from recsys.serving.live import LiveState
from recsys.store import StoredEvent
from recsys.units import now_ms
from recsys.workspace import read_json, write_json
from tests.newsroom import SITE, TOPICS, Toy
from tests.service import Service, article, copy_of, serving


@pytest.fixture(autouse=True)
def _one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list's draw of a fresh article is the same before a restart as after it, also in another minute."""
    monkeypatch.setattr(exploration, "MINUTE_MS", 2**62)


@pytest.fixture
def worth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every event is worth a checkpoint."""
    monkeypatch.setattr(checkpoint, "WORTH_EVENTS", 1)


def lived(service: Service) -> None:
    """Articles and clicks that are newer than the release, a take-down, a copy, a change."""
    body, minute = TOPICS["markets"], now_ms() - 60_000
    new = [
        article(f"new-{n}", title=f"{body[:30]} {n}", body=f"{body} {n} " * 3, published_at=minute) for n in range(4)
    ]
    service.store.put_articles([*new, article("copy", title="Again", body=new[0].body, published_at=minute)])
    service.live.refresh()
    for number in range(30):
        service.click(f"new-{number % 4}", reader=f"r{number % 7}", event_id=f"e{number}")
        service.click("football-0", session=f"s{number}", context={"device": "watch"})
    service.store.hide_article(SITE, "new-3", "test")
    service.store.hide_article(SITE, "football-2", "test")
    service.store.put_articles([article("markets-1", title="Changed since", body="x", published_at=minute)])
    service.live.refresh()
    service.live.take_down()


def arrays(live: LiveState) -> dict[str, Any]:
    """Everything that a checkpoint has to bring back, by name."""
    state = live._frame.state
    rows = len(state.catalogue.ids)
    counts = {f"trends {name}": array for name, array in state.recommender.trends.arrays().items()}
    for name in counts:
        if len(counts[name]) == state.catalogue.capacity:
            counts[name] = counts[name][:rows]
    items = {f"items {name}": getattr(state.items, name) for name in ("recent", "state", "settings")}
    for name in ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors", "ring_counts"):
        items[f"items {name}"] = getattr(state.items, name)[:rows]
    columns, tables = state.catalogue.columns, state.recommender.tables
    assert tables.tags is not None
    return (
        counts
        | items
        | {
            "ids": np.array(list(state.catalogue.ids)),
            "cards": np.array([repr(card) for card in state.catalogue.articles]),
            "vectors": state.article_vectors[:rows],
            "means of words": state.idf_vectors[:rows],
            "published": columns.published[:rows],
            "shown": columns.shown[:rows],
            "leaders": np.array([columns.copies.leader_of(row) for row in range(rows)]),
            "categories": np.array([state.catalogue.category(row) or "" for row in range(rows)]),
            "hashed": tables.ids_of(np.arange(rows, dtype=np.int32)),
            "tags": tables.tags.ids[:rows],
            "tag weights": tables.tags.weights[:rows],
            "through": np.array([state.through, state.changed]),
        }
    )


def asked(service: Service) -> list[Any]:
    """Answers that show what a worker knows, without what is new each time."""
    lists = [service.get("/api/v1/recommendations", reader=f"r{n}", k=8) for n in range(3)]
    similar, today = service.get("/api/v1/articles/new-0/similar"), service.get("/api/v1/today")
    for one in (*lists, similar, today):
        del one["impression_id"]
        one.pop("generated_at", None)
    return [lists, similar, today]


def test_a_start_from_a_checkpoint_is_the_worker_that_wrote_it(toy: Toy, tmp_path: Path, worth: None) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        lived(service)
        before, answers = arrays(service.live), asked(service)
    assert len(list((tmp_path / "live").glob("*/checkpoint.json"))) == 1, "written at the end"
    with serving(settings) as service:
        after = arrays(service.live)
        assert before.keys() == after.keys()
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array, err_msg=name)
        assert asked(service) == answers
        service.click("new-1", reader="later")  # and it goes on
        assert service.live._frame.state.through == service.store.last_seq(SITE)


def test_only_what_came_after_the_checkpoint_is_applied(
    toy: Toy, tmp_path: Path, worth: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, counted, encoded = copy_of(toy, tmp_path), list[int](), list[str]()
    with serving(settings) as service:
        lived(service)
        through = service.live._frame.state.through
    with serving(settings) as service:  # nothing is worth another one
        service.store.put_articles([article("after", body=TOPICS["football"])])
    count, encode = feed.count, LiveEncoder.encode

    def counting(state: Any, event: StoredEvent, now: int, *past: Any) -> Any:
        counted.append(event.seq)
        return count(state, event, now, *past)

    def encoding(self: LiveEncoder, one: Any) -> Any:
        if one.id:  # not the text of nobody's that is read ahead
            encoded.append(one.id)
        return encode(self, one)

    monkeypatch.setattr(feed, "count", counting)
    monkeypatch.setattr(LiveEncoder, "encode", encoding)
    with serving(settings) as service:
        assert (counted, encoded) == ([], ["after"])
        service.click("after", reader="r")
        assert counted == [through + 1]


@pytest.mark.parametrize("damage", ["cut", "gone", "garbage", "other code"])
def test_a_damaged_checkpoint_is_set_aside(toy: Toy, tmp_path: Path, worth: None, damage: str) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        lived(service)
        answers = asked(service)
    (folder,) = (file.parent for file in (tmp_path / "live").glob("*/checkpoint.json"))
    facts = read_json(folder / "checkpoint.json")
    if damage == "cut":
        (folder / "trends_total.npy").write_bytes((folder / "trends_total.npy").read_bytes()[:-9])
    elif damage == "gone":
        (folder / "items_vectors.npy").unlink()
    elif damage == "garbage":
        (folder / "checkpoint.json").write_text("{")
    else:
        write_json(folder / "checkpoint.json", facts | {"code": "0.0.1"})
    if damage in ("garbage", "other code"):
        assert LiveCheckpoints(tmp_path / "live").newest(facts["release"]) is None
    with serving(settings) as service:
        assert service.live._frame.state.through == service.store.last_seq(SITE)
        again = asked(service)
        assert [one["tier"] for one in again[0]] == [one["tier"] for one in answers[0]]
        assert again[2] == answers[2]


def test_a_checkpoint_of_another_database_is_set_aside(toy: Toy, tmp_path: Path, worth: None) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        lived(service)
    for file in tmp_path.glob("store.db*"):
        file.unlink()
    for file in toy.settings.data_dir.glob("store.db*"):
        shutil.copy(file, tmp_path)  # as it was before
    with serving(settings) as service:
        assert "new-0" not in service.live.catalogue.row_of
        assert service.live._frame.state.through == service.store.last_seq(SITE)


def test_checkpoints_are_written_now_and_then_and_only_the_last_one_is_kept(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    checkpoints = LiveCheckpoints(tmp_path / "checkpoints", lambda: now[0])
    with serving(copy_of(toy, tmp_path / "data")) as service:
        state = service.live._frame.state
        monkeypatch.setattr(checkpoint, "WORTH_EVENTS", 2)
        now[0] = checkpoint.EVERY_SECONDS
        assert not checkpoints.due(state), "nothing has happened"
        for number in range(2):
            service.click("football-0", session=f"s{number}")
        assert not checkpoints.due(state), "not yet"
        now[0] += checkpoint.EVERY_SECONDS
        assert checkpoints.due(state)
        checkpoints.write(state, threading.Lock())
        now[0] += checkpoint.EVERY_SECONDS
        assert not checkpoints.due(state)
        for number in range(2, 4):
            service.click("football-0", session=f"s{number}")
        now[0] += checkpoint.EVERY_SECONDS
        assert checkpoints.due(state)
        checkpoints.write(state, threading.Lock())
        (kept,) = (tmp_path / "checkpoints").glob("[0-9]*")
        last = checkpoints.newest(state.release)
        assert last is not None
        assert (last.folder, last.through) == (kept, state.through)
        assert checkpoints.newest("another release") is checkpoints.newest(None) is None


def test_without_a_database_the_release_and_the_checkpoint_serve_until_it_is_back(
    toy: Toy, tmp_path: Path, worth: None
) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        lived(service)
        before = arrays(service.live)
    database, away = tmp_path / "store.db", tmp_path / "away"
    for file in tmp_path.glob("store.db*"):
        if not file.name.endswith(".exists"):
            away.mkdir(exist_ok=True)
            file.rename(away / file.name)
    with serving(settings) as service:
        after = arrays(service.live)
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array, err_msg=name)
        assert len(service.get("/api/v1/recommendations", reader="r1", k=8)["items"]) == 8
        assert service.get("/api/v1/articles/new-0/similar")["items"]
        event = {"event_id": "lost", "kind": "click", "article": "new-1", "reader": "r1"}
        assert service.client.post("/api/v1/events", json=event).status_code == 503
        assert not database.exists(), "no new file takes the place of the lost one"
        for file in away.glob("store.db*"):
            file.rename(tmp_path / file.name)
        service.store.put_articles([article("after", body=TOPICS["football"])])
        service.live.catch_up()
        service.live.refresh()
        assert "after" in service.live.catalogue.row_of
        assert service.client.post("/api/v1/events", json=event).status_code == 202
        assert service.live._frame.state.through == service.store.last_seq(SITE)
        assert service.get("/api/v1/recommendations", reader="r1", k=8)["tier"] == "personal"
        assert service.get("/api/v1/today")["items"][0]["clicks"] > 1


def test_without_a_database_a_release_alone_serves(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    for file in tmp_path.glob("store.db*"):
        file.unlink()
    with serving(settings) as service:
        assert service.live.release is not None
        assert service.get("/api/v1/recommendations", k=5)["tier"] == "popular"
        assert service.get("/healthz")["status"] == "ok"


def test_a_checkpoint_between_a_take_down_and_the_reading_of_articles_loses_neither(
    toy: Toy, tmp_path: Path, worth: None
) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        lived(service)
        service.store.put_articles([article("unread", title="Unread", body=TOPICS["markets"])])
        service.store.hide_article(SITE, "football-3", "test")
        service.live.take_down()  # and articles are not read any more
    database, away = tmp_path / "store.db", tmp_path / "away.db"
    database.rename(away)
    with serving(settings) as service:  # from the checkpoint alone
        row = service.live.catalogue.row_of["football-3"]
        assert not service.live.catalogue.eligible(now_ms()).showable[row]
    away.rename(database)
    with serving(settings) as service:
        assert "unread" in service.live.catalogue.row_of
