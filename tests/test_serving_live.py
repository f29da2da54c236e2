"""Every click counts at once: the list changes and says why, vectors move, visits and contexts go on."""

from pathlib import Path

import numpy as np
import pytest

from recsys.recommend.context import Tier
from recsys.units import now_ms
from tests.newsroom import TOPICS, Toy
from tests.service import Service, article, copy_of, serving


def row_of(service: Service, name: str) -> int:
    return service.live.catalogue.row_of[name]


def test_the_list_after_a_click_is_another_and_names_the_article(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        before = service.get("/api/v1/recommendations", session="visit", k=6)
        opened = before["items"][0]
        service.click(opened["id"], session="visit", position=0)
        after = service.get("/api/v1/recommendations", session="visit", k=6)
        assert (before["tier"], after["tier"]) == ("popular", "session")
        assert opened["id"] not in [item["id"] for item in after["items"]]
        assert [item["id"] for item in after["items"]] != [item["id"] for item in before["items"]]
        reasons = [item["reason"] for item in after["items"]]
        assert any(reason["article"] == opened["id"] and opened["title"] in reason["text"] for reason in reasons)
        assert not any(reason["article"] for reason in (item["reason"] for item in before["items"]))


def test_a_fresh_article_is_offered_to_others_after_its_first_click(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        body = TOPICS["markets"]
        service.store.put_articles([article("brand-new", title=body[:30], body=body, published_at=now_ms() - 60_000)])
        service.live.refresh()
        stranger = service.ids(session="stranger", k=5)
        assert "brand-new" not in stranger[:1]
        service.click("markets-3", reader="first", time=now_ms() - 30_000)
        service.click("brand-new", reader="first")
        assert service.ids(session="stranger", k=5)[0] == "brand-new"
        for fan in ("markets-fan-01", "markets-fan-02"):
            made = service.get("/api/v1/recommendations", reader=fan, k=5)
            assert made["tier"] == "personal"
            assert "brand-new" in [item["id"] for item in made["items"]]


def test_item_vectors_learn_every_click_and_the_index_follows(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        recommender = service.live._state.recommender
        vectors, index = recommender.tables.item_vectors, recommender.index
        one, other = row_of(service, "football-0"), row_of(service, "markets-0")
        released = vectors[[one, other]].copy()
        for number in range(12):
            service.click("football-0", session=f"s{number}", time=now_ms() - 2_000)
            service.click("markets-0", session=f"s{number}", time=now_ms() - 1_000)
        assert float(vectors[one] @ vectors[other]) > float(released[0] @ released[1]) + 0.05
        allowed = np.ones(len(vectors), bool)
        assert index is not None
        for row in (one, other):
            rows, scores = index.search(vectors[row], 1, allowed)
            assert rows.tolist() == [row]
            assert scores[0] == pytest.approx(1, abs=1e-5)


def test_an_impression_and_an_undated_click_teach_no_vector(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        items = service.live._state.recommender.tables.items
        assert items is not None
        before = (items.vectors.copy(), items.state.copy())
        event = {"event_id": "i", "kind": "impression", "article": "markets-0", "session": "s"}
        assert service.client.post("/api/v1/events", json=event).status_code == 202
        np.testing.assert_array_equal(items.vectors, before[0])
        np.testing.assert_array_equal(items.state, before[1])
        service.click("markets-0", session="s")
        assert not np.array_equal(items.state, before[1])


def test_a_visit_goes_on_over_a_restart(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path, max_catch_up=0)  # what was stored before the start is not counted again
    with serving(settings) as service:
        service.click("football-0", session="visit")
    with serving(settings) as service:
        service.click("markets-0", session="visit")
        trends = service.live._state.recommender.trends
        rows, _ = trends.covisits(row_of(service, "markets-0"), now_ms(), 3)
        assert row_of(service, "football-0") in rows.tolist()


def test_a_reader_and_a_session_of_one_name_are_two_visitors(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        service.click("football-0", session="same")
        service.click("markets-0", reader="same")
        trends = service.live._state.recommender.trends
        rows, strength = trends.covisits(row_of(service, "markets-0"), now_ms(), 9)
        beside = dict(zip(rows.tolist(), strength.tolist(), strict=True))
        assert beside.get(row_of(service, "football-0"), 0.0) < 0.5


def test_the_context_of_the_last_click_is_remembered_and_loaded_again(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with serving(settings) as service:
        service.get("/api/v1/recommendations", reader="r")
        service.click("markets-0", reader="r", context={"device": "phone"})
        state = service.live._memory.reader("r")
        assert state is not None
        assert state.context == '{"device":"phone"}'
        trends = service.live._state.recommender.trends
        assert trends.codes(state.context)[trends.config.context.index("device")] > 0
    with serving(settings) as service:
        assert service.live.recommend("r", None, article=None, k=1, lang=None).recommendation.tier is Tier.PERSONAL
        state = service.live._memory.reader("r")
        assert state is not None
        assert state.context == '{"device":"phone"}'


def test_a_click_dated_ahead_counts_as_of_now(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(copy_of(toy, tmp_path)) as service:
        trends, now = service.live._state.recommender.trends, now_ms()
        service.click("markets-0", reader="r", time=now + 60_000)  # a minute fast
        assert trends.odd["ahead"] == 0
        monkeypatch.setattr(
            "recsys.serving.live.now_ms", lambda: now - 3_600_000
        )  # this worker's clock is an hour behind
        service.click("markets-0", reader="r", time=now)
        assert trends.odd["ahead"] == 1
