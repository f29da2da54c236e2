"""What the service answers is what training would have said of the same moment, by way of the log on disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jobs.features import STAGE, facts
from jobs.runner import Context, Job, run_stages
from jobs.stages import stage_of
from recsys.ctr.model import ClickModel
from recsys.features import NAMES
from recsys.features.lists import impressions
from recsys.features.matrix import Tables
from recsys.features.training import TrainingSet, build
from recsys.items.files import load_online
from recsys.items.online import OnlineItems
from recsys.recommend.lists import Tier
from recsys.settings import Settings
from recsys.store import Event, Kind
from tests.newsroom import HOUR, NOW, SITE, Toy
from tests.service import Service, copy_of, serving

SHOWN_AT = NOW + 2 * HOUR
READER = "football-fan-03"


def after_the_release(reader: str) -> list[Event]:
    """An hour of events that no release has seen: lists, clicks of this reader and of others, a dismiss."""
    events = []
    for step, (who, article) in enumerate(
        [(reader, "markets-2"), ("newcomer", "football-3"), ("newcomer", "markets-2"), (reader, "markets-5")]
    ):
        time, number = NOW + step * HOUR // 4, f"late-{step}"
        events.append(Event(f"{number}-i", SITE, Kind.IMPRESSION, article, who, who, time, "front", 0, number))
        events.append(Event(f"{number}-c", SITE, Kind.CLICK, article, who, who, time + 900, "front", 0, number))
    return [*events, Event("late-d", SITE, Kind.DISMISS, "football-0", reader, reader, NOW + HOUR)]


def served(service: Service, reader: str) -> dict[str, float]:
    """Ask the live path for a list, report it as shown; article id -> score."""
    answer = service.live.recommend(reader, None, article=None, k=16, lang=None)
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
    known = facts(Job(context, STAGE, folder), events.article_ids)
    tables = Tables(items.vectors, known.article_vectors, known.category, known.published, items)
    lists = impressions(events)
    lists = replace(lists.cut(len(lists) - 1, len(lists)), refits=np.array([NOW], np.int64))
    assert lists.time.tolist() == [SHOWN_AT]
    gap = settings.events.session_gap_minutes
    made = build(events, lists, lambda *_: tables, settings.trends, settings.readers, session_gap_minutes=gap)
    return [events.article_ids[row] for row in lists.article.tolist()], made


@pytest.mark.parametrize("restarted", [False, True])
def test_a_served_score_is_the_offline_score_of_the_same_moment(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    settings = copy_of(toy, tmp_path / "site")
    monkeypatch.setattr("web.live.now_ms", lambda: SHOWN_AT)
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
    model = ClickModel.load(release.path("ctr"), NAMES)
    assert len(articles) >= 5
    assert [scores[name] for name in articles] == pytest.approx(model.score(made.matrix), abs=1e-5)
    old = {ids[card.row]: card.score for card in before.cards}
    assert any(abs(scores[name] - old[name]) > 1e-3 for name in articles), "what came since changed nothing"
