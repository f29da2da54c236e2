"""A replay scores by what had happened by then, learns as it goes, and puts popularity back where it was drawn by."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from recsys.ctr.config import CtrConfig
from recsys.ctr.model import ClickModel
from recsys.ctr.saved import CandidateSampling
from recsys.ctr.scoring import SamplingCorrection
from recsys.ctr.trainer import OnlineTrainer
from recsys.dataset.impressions import Impressions, recorded_impressions
from recsys.dataset.replay import LogReplay
from recsys.errors import DegenerateInput
from recsys.evaluate.prequential import PrequentialModel, RefitSchedule, ScoredImpressions, prequential_scores
from recsys.events import Events
from recsys.features import COLUMN, NAMES
from recsys.features.matrix import ArticleTables
from recsys.features.rows import CandidateRows, LabelledRows
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from tests.clicks import HOUR, START, click, log_of, shown, toy_log

CTR = CtrConfig(hidden_units=(8,), batch_size=64, dropout=0.0)
PACE = RefitSchedule(refit_minutes=60, first_refit_hours=4)
TRENDS = TrendsConfig(max_live_articles=64)


class Pupil(OnlineTrainer):
    """Remembers what it was taught, and after how many lists had been scored."""

    def __init__(self) -> None:
        super().__init__(NAMES, CTR, seed=1)
        self.lessons: list[set[int]] = []

    def learn(self, rows: LabelledRows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
        self.lessons.append(set(rows.impression.tolist()))
        return super().learn(rows, epochs=epochs, learning_rate=learning_rate)


def walk_of(events: Events, lists: Impressions) -> LogReplay:
    A = len(events.article_ids)
    items = empty_online(A, ItemsConfig(embedding_dim=4), seed=1)
    nothing = np.empty((A, 0), np.float32)
    walk = LogReplay(events, lists, TRENDS, ReadersConfig())
    walk.use_tables(ArticleTables(items.vectors, nothing, np.full(A, -1, np.int16), np.full(A, -1, np.int64), items))
    return walk


def replayed(events: Events, lists: Impressions, **more: Any) -> tuple[np.ndarray[Any, Any], Pupil]:
    pupil = Pupil()
    parts = prequential_scores(walk_of(events, lists), lists, {"model": PrequentialModel(pupil)}, PACE, seed=1, **more)
    return gathered(lists, parts)["model"], pupil


def gathered(lists: Impressions, parts: Iterator[ScoredImpressions]) -> dict[str, np.ndarray[Any, Any]]:
    """The scores of all candidates by contender, NaN where there are none."""
    scores: dict[str, np.ndarray[Any, Any]] = defaultdict(lambda: np.full(len(lists.article), np.nan, np.float32))
    for part in parts:
        scores[part.name][lists.offsets[part.start] : lists.offsets[part.stop]] = part.scores
    return scores


def test_nothing_after_a_list_changes_its_score() -> None:
    events = toy_log(lists=100, per_visit=2)
    lists = recorded_impressions(events)
    whole, _ = replayed(events, lists)
    assert np.isfinite(whole).mean() > 0.5
    for n in (40, 70, 99):
        cut = events.before(int(lists.time[n - 1]) + 1)
        past, _ = replayed(cut, lists.cut(0, n))
        np.testing.assert_array_equal(past, whole[: len(past)])


def test_a_list_teaches_at_the_first_refit_after_its_click_and_not_before() -> None:
    events = [e for n in range(60) for e in (shown("r", "a", START + n * HOUR // 6, f"{n:02}"),)]
    events += [shown("r", "b", START + n * HOUR // 6, f"{n:02}") for n in range(60)]
    waits = [5 * HOUR if n == 3 else 60_000 for n in range(60)]  # list 3 is clicked five hours late
    events += [click("r", "b", START + n * HOUR // 6 + waits[n], impression=f"{n:02}") for n in range(60)]
    lists = recorded_impressions(log_of(events))
    _, pupil = replayed(log_of(events), lists)
    first_lesson = [min((at for at, lesson in enumerate(pupil.lessons) if n in lesson), default=-1) for n in range(60)]
    assert first_lesson[0] == first_lesson[2] == first_lesson[4] == 0
    assert first_lesson[3] == 2  # refits at hours 4, 5, 6 …: shown at 0:30, clicked at 5:30
    decided = np.full(len(lists), -1, np.int64)
    number = np.repeat(np.arange(len(lists)), np.diff(lists.offsets))
    np.maximum.at(decided, number[lists.clicked], lists.clicked_at)
    for at, lesson in enumerate(pupil.lessons):
        refit = START + (4 + at) * HOUR
        assert all(decided[n] < refit for n in lesson)


def test_what_is_learned_is_used_and_a_single_column_stands_as_it_is() -> None:
    events = toy_log(lists=200)
    lists = recorded_impressions(events)
    contenders = {
        "model": PrequentialModel(OnlineTrainer(NAMES, CTR, seed=1)),
        "few": PrequentialModel(OnlineTrainer(("clicks_total",), CTR, seed=1), ("clicks_total",)),
        "column": PrequentialModel(None, ("clicks_total", "age")),
    }
    scores = gathered(lists, prequential_scores(walk_of(events, lists), lists, contenders, PACE, seed=1, score_from=20))
    again = np.empty((len(lists.article), len(NAMES)), np.float32)
    walk_of(events, lists).describe(0, len(lists), again)
    judged = lists.offsets[20]
    np.testing.assert_array_equal(scores["column"][judged:], again[judged:, COLUMN["clicks_total"]])
    assert np.isnan(scores["column"][:judged]).all()
    late = slice(lists.offsets[120], None)
    label = lists.label[late] == 1
    assert scores["model"][late][label].mean() > scores["model"][late][~label].mean()  # camps are easy to tell
    assert len(np.unique(scores["few"][late])) > 5


def test_extra_candidates_teach_only_those_that_see_them() -> None:
    events = toy_log(lists=80)
    lists = recorded_impressions(events)
    extra = np.zeros(len(lists.article), bool)
    extra[lists.offsets[:-1] + 4] = True  # the last candidate of each list
    extra[lists.clicked] = False
    seen: dict[str, int] = {}

    class Counting(OnlineTrainer):
        name = ""

        def learn(self, rows: LabelledRows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
            seen[self.name] = seen.get(self.name, 0) + len(rows)
            return super().learn(rows, epochs=epochs, learning_rate=learning_rate)

    plain, told = Counting(NAMES, CTR, seed=1), Counting(NAMES, CTR, seed=1)
    plain.name, told.name = "plain", "told"
    contenders = {"plain": PrequentialModel(plain), "told": PrequentialModel(told, sees_extra=True)}
    gathered(lists, prequential_scores(walk_of(events, lists), lists, contenders, PACE, seed=1, extra=extra))
    assert seen["plain"] < seen["told"]


def test_a_served_list_sees_the_walk_as_it_stood_when_it_was_shown() -> None:
    events = toy_log(lists=60)
    lists = recorded_impressions(events)
    walk = walk_of(events, lists)
    served = np.zeros(len(lists), bool)
    served[[5, 6, 30]] = True
    known: dict[int, int] = {}

    def serve(number: int) -> None:
        known[number] = sum(walk.trends.all_total)

    gathered(
        lists,
        prequential_scores(walk, lists, {"column": PrequentialModel(None)}, PACE, seed=1, serve=serve, served=served),
    )
    dated = events.time[events.time > 0]
    assert known == {n: int((dated < lists.time[n]).sum()) for n in (5, 6, 30)}


def some_rows(seed: int) -> LabelledRows:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(300, 2)).astype(np.float32)
    number = np.repeat(np.arange(60, dtype=np.int32), 5)
    best = np.zeros(300, np.int8)
    for n in range(60):
        best[5 * n + int(np.argmax(matrix[5 * n : 5 * n + 5, 0]))] = 1
    return LabelledRows.dense(matrix, best, number)


def test_a_learner_goes_on_from_where_it_stands_and_a_seed_gives_the_same_bytes() -> None:
    learner, twin = (OnlineTrainer(("x", "noise"), CTR, seed=3) for _ in range(2))
    assert not learner.ready
    assert np.isnan(learner.raw(CandidateRows.dense(np.zeros((2, 2), np.float32)))).all()
    losses = [learner.learn(some_rows(n), learning_rate=0.02) for n in range(12)]
    for n in range(12):
        twin.learn(some_rows(n), learning_rate=0.02)
    assert losses[-1] < 0.6 * losses[0]
    unseen = some_rows(99).matrix
    asked = CandidateRows.dense(unseen)
    np.testing.assert_array_equal(learner.raw(asked), twin.raw(asked))
    assert np.corrcoef(learner.raw(asked), unseen[:, 0])[0, 1] > 0.8


def test_a_learner_refuses_what_nothing_can_be_learned_from() -> None:
    rows = some_rows(1)
    with pytest.raises(DegenerateInput, match="no list with both"):
        OnlineTrainer(("x", "noise"), CTR, seed=1).learn(
            LabelledRows.dense(rows.matrix, np.zeros(300, np.int8), rows.impression)
        )
    bad = rows.matrix.copy()
    bad[7, 1] = np.nan
    with pytest.raises(DegenerateInput, match="noise"):
        OnlineTrainer(("x", "noise"), CTR, seed=1).learn(LabelledRows.dense(bad, rows.label, rows.impression))


def test_popularity_is_put_back_where_candidates_were_drawn_by_it(tmp_path: Any) -> None:
    rng, n_articles = np.random.default_rng(1), 200
    chance = 1.0 / np.arange(1, n_articles + 1)
    chance /= chance.sum()
    taste = rng.normal(size=n_articles)  # how much likelier than popularity says
    truth = chance * np.exp(taste)
    truth /= truth.sum()
    clicks = chance * 1_000  # what the column knows
    lists, size = 4_000, 21
    rows = np.empty((lists, size), np.int64)
    rows[:, 0] = rng.choice(n_articles, lists, p=truth)
    rows[:, 1:11] = rng.choice(n_articles, (lists, 10), p=chance)
    rows[:, 11:] = rng.integers(0, n_articles, (lists, 10))
    label = np.zeros(rows.shape, np.int8)
    label[:, 0] = 1
    matrix = np.stack([taste[rows], np.log1p(clicks)[rows]], axis=2).reshape(-1, 2).astype(np.float32)
    number = np.repeat(np.arange(lists, dtype=np.int32), size)
    learner = OnlineTrainer(("taste", "clicks"), CtrConfig(hidden_units=(16,), batch_size=1024, dropout=0.0), seed=1)
    for _ in range(6):
        learner.learn(LabelledRows.dense(matrix, label.ravel(), number), learning_rate=0.01)
    everything = np.stack([taste, np.log1p(clicks)], axis=1).astype(np.float32)
    drawn = CandidateSampling("clicks", 1_000 / n_articles)
    best = np.argsort(-truth)[:20]

    def hits(scores: np.ndarray[Any, Any]) -> float:
        return float(np.isin(np.argsort(-scores)[:20], best).mean())

    asked = CandidateRows.dense(everything)
    right = hits(SamplingCorrection(learner, ("taste", "clicks"), drawn).score(asked))
    assert right >= 0.85
    assert hits(learner.raw(asked)) <= right - 0.1
    np.testing.assert_array_equal(
        SamplingCorrection(learner, ("taste", "clicks"), None).score(CandidateRows.dense(everything)),
        learner.raw(CandidateRows.dense(everything)),
    )
    learner.model.sampling = drawn
    learner.model.save(tmp_path)
    assert ClickModel.load(tmp_path, ("taste", "clicks")).sampling == drawn
