"""What the service answers is what training would have said of the same moment, by way of the log on disk."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jobs.features import STAGE
from jobs.inputs import article_tables
from jobs.runner import Context, Job, run_stages
from jobs.stages import stage_of
from recsys.ctr.config import ID_FIELDS, CtrConfig
from recsys.ctr.ids import IdVocabulary
from recsys.ctr.model import ClickModel
from recsys.ctr.scoring import ClickScorer
from recsys.ctr.warm_start import grow_vocabulary
from recsys.dataset.impressions import recorded_impressions
from recsys.dataset.training_set import TrainingSet, build_training_set
from recsys.features import HISTORY, LIST_FIELDS, NAMES
from recsys.features.rows import CandidateRows, Matrix
from recsys.hashing import hashed
from recsys.items.files import load_online
from recsys.items.online import OnlineItems
from recsys.recommend.context import Tier
from recsys.settings import Settings
from recsys.store import Event, Kind
from tests.newsroom import HOUR, NOW, SITE, Toy
from tests.service import Service, article, copy_of, serving

SHOWN_AT = NOW + 2 * HOUR
READER = "football-fan-03"


def after_the_release(reader: str) -> list[Event]:
    """An hour of events that no release has seen: lists, clicks of this reader and of others, a dismiss."""
    events = []
    for step, (who, name) in enumerate(
        [(reader, "markets-2"), ("newcomer", "football-3"), ("newcomer", "markets-2"), (reader, "markets-5")]
    ):
        time, number = NOW + step * HOUR // 4, f"late-{step}"
        events.append(Event(f"{number}-i", SITE, Kind.IMPRESSION, name, who, who, time, "front", 0, number))
        said = f'{{"region": "r{step}", "os": "x"}}'
        events.append(
            Event(f"{number}-c", SITE, Kind.CLICK, name, who, who, time + 900, "front", 0, number, context=said)
        )
    return [*events, Event("late-d", SITE, Kind.DISMISS, "football-0", reader, reader, NOW + HOUR)]


def served(service: Service, reader: str) -> dict[str, float]:
    """Ask the live path for a list, report it as shown; article id -> score."""
    answer = service.live.recommend(reader, None, article=None, k=16, lang=None, slot="front")
    assert answer.recommendation.tier is Tier.PERSONAL
    scores = {answer.catalogue.ids[card.row]: card.score for card in answer.recommendation.cards}
    shown = [
        Event(f"shown-{place}", SITE, Kind.IMPRESSION, name, reader, reader, SHOWN_AT, "front", place, "the-list")
        for place, name in enumerate(scores)
    ]
    service.live.accept(shown)
    return scores


def offline(settings: Settings, items: OnlineItems, folder: Path) -> tuple[list[str], TrainingSet]:
    """The last list of the store, by the event log and the builder of training rows: its articles and its rows.

    Args:
        settings: whose log.
        items: the item vectors as of ``NOW``, when the release was made; taught what came since.
        folder: where a job could write.
    """
    context = Context(settings, seed=1)
    run_stages(context, [stage_of("events")])
    events = context.event_log.load()
    known = article_tables(Job(context, STAGE, folder), events.article_ids)
    tables = replace(known, item_vectors=items.vectors, items=items)
    lists = recorded_impressions(events)
    lists = replace(lists.cut(len(lists) - 1, len(lists)), refits=np.array([NOW], np.int64))
    assert lists.time.tolist() == [SHOWN_AT]
    gap = settings.events.session_gap_minutes
    made = build_training_set(
        events, lists, lambda *_: tables, settings.trends, settings.readers, session_gap_minutes=gap
    )
    return [events.article_ids[row] for row in lists.article.tolist()], made


@pytest.mark.parametrize("restarted", [False, True])
def test_a_served_score_is_the_offline_score_of_the_same_moment(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    settings = copy_of(toy, tmp_path / "site")
    monkeypatch.setattr("recsys.serving.live.now_ms", lambda: SHOWN_AT)
    with serving(settings) as service:
        before = service.live.recommend(READER, None, article=None, k=16, lang=None).recommendation
        service.live.accept(after_the_release(READER))
        if not restarted:
            scores = served(service, READER)
    if restarted:  # the counts of the release, and what came since out of the store
        with serving(settings) as service:
            scores = served(service, READER)
    release = toy.release()
    items, ids = load_online(release.path("items"))
    articles, made = offline(settings, items, tmp_path)
    assert ids == sorted(toy.topic)
    model = ClickScorer.load(release.path("ctr"), NAMES)
    assert len(articles) >= 5
    assert [scores[name] for name in articles] == pytest.approx(model.score(made), abs=1e-5)
    old = {ids[card.row]: card.score for card in before.cards}
    assert any(abs(scores[name] - old[name]) > 1e-3 for name in articles), "what came since changed nothing"


class Listener:
    """A click model that expects nothing and keeps what it is asked."""

    probability = True
    reads_ids = True

    def __init__(self) -> None:
        self.heard: list[CandidateRows] = []

    def score(self, candidates: CandidateRows) -> Matrix:
        self.heard.append(candidates)
        return np.zeros(len(candidates), np.float32)


def listening(service: Service) -> Listener:
    """Let a listener take the place of the click model that is served."""
    listener = Listener()
    service.live._frame.state.recommender.model = listener
    return listener


def attentive(rows: CandidateRows) -> ClickScorer:
    """A model with drawn weights that looks at every column, every id and every click of some candidates."""
    ids = np.concatenate([rows.ids.ravel(), rows.context.ravel(), rows.history.ravel()])
    vocabulary, _ = grow_vocabulary(IdVocabulary.empty(), ids, day=0, min_count=1, expire_days=1)
    config = CtrConfig(network="din", fields=ID_FIELDS, hidden_units=(16,), dropout=0.0)
    model = ClickModel(NAMES, config, vocabulary)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weights in model.parts.parameters():
            weights.normal_(0.0, 0.3, generator=generator)
    model.mean, model.std = torch.from_numpy(rows.matrix.mean(axis=0)), torch.from_numpy(rows.matrix.std(axis=0) + 1)
    return model.scorer()


def test_a_model_of_ids_and_of_the_last_clicks_is_asked_the_same_live_as_offline(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = copy_of(toy, tmp_path / "site")
    monkeypatch.setattr("recsys.serving.live.now_ms", lambda: SHOWN_AT)
    with serving(settings) as service:
        service.live.accept(after_the_release(READER))
        listener = listening(service)
        service.live.recommend(READER, None, article=None, k=16, lang=None, slot="front")
        model = attentive(listener.heard[0])
        service.live._frame.state.recommender.model = model
        scores = served(service, READER)
    articles, made = offline(settings, load_online(toy.release().path("items"))[0], tmp_path)
    there = model.score(made)
    assert [scores[name] for name in articles] == pytest.approx(there, abs=1e-5)
    asked = dict(zip(LIST_FIELDS, made.context[0].tolist(), strict=True))
    assert asked["region"] == hashed("region", "r3")  # of the reader's last click, which was the fourth
    assert (asked["reader"], asked["slot"]) == (hashed("reader", READER), hashed("slot", "front"))
    for name in ("matrix", "ids", "context", "history"):
        other = model.score(replace(made, **{name: np.zeros_like(getattr(made, name))}))
        assert np.abs(other - there).max() > 1e-3, f"the model does not look at {name}"


def test_an_article_newer_than_the_release_is_named_like_any_other(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.serving.live.now_ms", lambda: SHOWN_AT)
    with serving(copy_of(toy, tmp_path / "site")) as service:
        words = service.store.articles(SITE)
        body = next(one.body for one in words if one.id == "football-1")
        told = {"late": "Goal", "later": "The goal"}  # and so little more that neither is called a copy
        facts: dict[str, Any] = {"body": " ".join(body.split()[:15]), "published_at": NOW, "category": "chess"}
        new = [article(name, title=title, **facts) for name, title in told.items()]
        service.store.put_articles(new)
        service.live.refresh()
        service.live.accept([Event("c", SITE, Kind.CLICK, "late", READER, READER, NOW + HOUR, "front")])
        listener = listening(service)
        service.live.recommend(READER, None, article=None, k=16, lang=None)
        rows = service.live.catalogue.row_of
        tags = service.live._frame.state.recommender.tables.tags
    heard = listener.heard[0]
    assert heard.history[0, 0] == hashed("article", "late")
    place = heard.ids[:, 0].tolist().index(hashed("article", "later"))
    assert heard.ids[place, 1] == hashed("category", "chess")  # which no release has seen
    assert heard.matrix[place, NAMES.index("tag_match")] > 0.4
    assert tags is not None
    np.testing.assert_array_equal(tags.ids[rows["late"]], tags.ids[rows["later"]])


def test_a_reader_without_history_is_known_by_the_moment_alone(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.serving.live.now_ms", lambda: SHOWN_AT)
    with serving(copy_of(toy, tmp_path / "site")) as service:
        listener = listening(service)
        service.live.recommend(None, None, article="football-1", k=5, lang=None)
        service.live.recommend(None, None, article=None, k=5, lang=None)
    heard, stranger = listener.heard
    assert not stranger.history.any()
    assert {name for name, value in zip(LIST_FIELDS, stranger.context[0].tolist(), strict=True) if value} == {
        *("hour", "weekday"),
    }
    assert heard.history[0].tolist() == [hashed("article", "football-1")] + [0] * (HISTORY - 1)
    known = {name for name, value in zip(LIST_FIELDS, heard.context[0].tolist(), strict=True) if value}
    assert known == {"hour", "weekday"}
