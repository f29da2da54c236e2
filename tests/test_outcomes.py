"""Outcomes: readings and dismissals count once, of people alone, the same live as in training, and weigh in lists."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.dataset.log_counts import count_log
from recsys.events import KINDS, UNDATED, Events, of_people
from recsys.events.counted import load_counted, save_counted
from recsys.events.outcomes import HIDDEN, OUTCOME_MS, READ, READ_MS, TIMED, Outcomes
from recsys.events.people import MAX_CLICKS_AN_HOUR, visitor_keys
from recsys.events.visitors import Visitors
from recsys.recommend.rank import ScoreKind, outcome_factors, weighed
from recsys.store import Event, Evidence, Kind
from recsys.trends.config import TrendsConfig
from recsys.trends.files import restore
from recsys.trends.outcomes import BOUND, PRIOR_OUTCOMES, outcome_ratios
from recsys.trends.state import EXAMINED, FULL_READINGS, TIMED_READINGS
from recsys.trends.stream import Trends
from tests.clicks import HOUR, MINUTE, START, log_of
from tests.newsroom import NOW, SITE, Toy
from tests.recommenders import ask, reader, two_topics
from tests.service import Service, copy_of, serving
from tests.test_trace import follow
from web.api.rates import CROWD, EventRates, Standing

CLICK, DWELL, DISMISS, IMPRESSION = (KINDS.index(kind) for kind in ("click", "dwell", "dismiss", "impression"))
BOTH = TIMED | READ

Did = tuple[str, str | None, str, int, int | None]  # kind, reader, article, ms, dwell in ms


def log(did: list[Did], proofs: list[int | None] | None = None) -> Events:
    """A log of events with dwells; of each the list it came from is its own."""
    proofs = proofs or [None] * len(did)
    rows = [
        (kind, who, article, time, None, f"i{n}", None, None, proof)
        for n, ((kind, who, article, time, _), proof) in enumerate(zip(did, proofs, strict=True))
    ]
    dwell = [one[4] or 0 for one in sorted(did, key=lambda one: one[3])]
    return replace(log_of(rows), dwell=np.array(dwell, np.int32))


def bits(did: list[Did], proofs: list[int | None] | None = None) -> list[int]:
    """The outcomes of a log's events, checked against those that the service sees in the same order."""
    events = log(did, proofs)
    counted = of_people(events)
    trained = counted.outcome.tolist() or [0] * len(counted)
    if len(counted) == len(events):
        assert [one.outcome for one in seen(events, Visitors(1_000))] == trained
    return trained


def seen(events: Events, visitors: Visitors) -> list[Any]:
    columns = (events.kind, events.article, events.time, visitor_keys(events), events.dwell, events.proof)
    return [
        visitors.see(
            kind, row, time, f"k{key}" if key >= 0 else None, None, None if proof < 0 else proof, -1, None, dwell
        )
        for kind, row, time, key, dwell, proof in zip(*(column.tolist() for column in columns), strict=True)
    ]


def read(who: str | None, time: int, dwell: int | None, article: str = "a", kind: str = "dwell") -> Did:
    return kind, who, article, START + time, dwell


@pytest.mark.parametrize(
    ("did", "expected"),
    [
        ([read("r", 0, READ_MS - 1), read("s", 1, READ_MS)], [TIMED, BOTH]),
        ([read("r", 0, 0), read("r", 1, None), read("r", 2, -5)], [0, 0, 0]),  # says nothing
        ([read("r", 0, 7 * 24 * HOUR)], [BOTH]),  # a tab left open for a week is one reading
        ([read("r", 0, 20_000), read("r", 1, 20_000), read("r", 2, 20_000)], [TIMED, READ, 0]),  # stretches add up
        ([read("r", 0, 40_000), read("r", 1, 40_000)], [BOTH, 0]),  # twice the same
        ([read("r", 0, None, kind="click"), read("r", 1, 40_000)], [0, BOTH]),
        ([read("r", 0, 40_000), read("r", 1, None, kind="click")], [BOTH, 0]),  # the dwell came before its click
        ([read("r", 0, 10_000, kind="click"), read("r", 1, 20_000)], [TIMED, READ]),  # a click that says how long
        ([read("r", 0, 99_000, kind="impression")], [0]),
        ([read("r", 0, 40_000), read("r", 1, 40_000, "b")], [BOTH, BOTH]),
        (
            [read("r", 0, None, kind="dismiss")] + [read("r", n, None, kind="dismiss") for n in range(1, 99)],
            [HIDDEN] + [0] * 98,
        ),
        ([read("r", 0, 40_000, kind="dismiss"), read("r", 1, 9_000)], [HIDDEN, TIMED]),
        ([read("r", time, None, kind="dismiss") for time in (0, OUTCOME_MS - 1, OUTCOME_MS)], [HIDDEN, 0, HIDDEN]),
        ([read("r", time, 20_000) for time in (0, OUTCOME_MS)], [TIMED, TIMED]),  # another day begins anew
        ([read(None, 0, 40_000), read(None, 1, None, kind="dismiss")], [0, 0]),  # of nobody known
        ([("dismiss", "r", "a", UNDATED, None), ("dwell", "r", "a", UNDATED, 40_000)], [0, 0]),
    ],
)
def test_outcomes_by_hand(did: list[Did], expected: list[int]) -> None:
    assert bits(did) == expected


def test_the_dwells_of_a_robot_a_stranger_and_a_crowd_say_nothing() -> None:
    robot: list[Did] = [("click", "robot", f"a{n}", START + n, 40_000) for n in range(MAX_CLICKS_AN_HOUR + 1)]
    assert bits([*robot, read("ann", 99, 40_000)]) == [BOTH]
    stranger, vouched = [read("r", 0, None, kind="dismiss")], [read("r", -1, None, kind="impression")]
    assert bits(stranger, [Evidence.UNSIGNED]) == bits(stranger, [Evidence.SIGNED]) == [0]
    assert bits(vouched + stranger, [Evidence.SIGNED, Evidence.UNSIGNED]) == [0, HIDDEN]
    assert bits(vouched + stranger, [Evidence.SIGNED, Evidence.CROWDED]) == [0, 0]
    assert bits([*vouched, read("r", 1, 40_000)], [Evidence.SIGNED, Evidence.CROWDED]) == [0, 0]


def test_one_address_hides_an_article_for_a_few_readers_and_no_more() -> None:
    rates, one = EventRates(6_000, 1, lambda: 0.0), Event("e", SITE, Kind.DISMISS, "a", "r", proof=Evidence.SIGNED)
    proofs = [rates.placed(one._replace(reader=f"r{n}"), "1.2.3.4", Standing.KNOWN).proof for n in range(9)]
    assert proofs.count(Evidence.CROWDED) == 9 - CROWD[Kind.DISMISS] == 6
    assert rates.placed(one, "5.6.7.8", Standing.KNOWN).proof == Evidence.SIGNED


def test_outcomes_are_remembered_in_bounded_memory_and_forgotten_with_their_visitor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recsys.events.outcomes.MAX_OUTCOMES", 3)
    outcomes = Outcomes()
    for row in range(5):
        assert outcomes.see(DISMISS, row, START, "rann", None) == HIDDEN
    assert len(outcomes) == 3
    visitors = Visitors(9)
    visitors.see(DISMISS, 0, START, "rann", None)
    visitors.see(DISMISS, 0, START, "rbob", None)
    visitors.forget(lambda visitor: visitor == "rann")
    assert len(visitors.outcomes) == 1


def a_day(seed: int) -> Events:
    rng = np.random.default_rng(seed)
    did: list[Did] = []
    for time in np.sort(rng.integers(0, 40 * 60, 900)).tolist():
        kind = str(rng.choice(["impression", "click", "dwell", "dwell", "dismiss"]))
        who = f"r{rng.integers(9)}" if rng.random() < 0.9 else None
        dwell = int(rng.integers(-1, 50_000)) if rng.random() < 0.8 else None
        did.append((kind, who, f"a{int(8 * rng.random() ** 2)}", START + time * MINUTE, dwell))
    return log(did)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_service_counts_the_outcomes_that_training_counts_bit_for_bit(seed: int) -> None:
    events, config = a_day(seed), TrendsConfig(max_live_articles=8, max_neighbours=4)
    A = len(events.article_ids)
    category, published = (np.arange(A) % 3 - 1).astype(np.int16), np.full(A, -1, np.int64)
    trained = count_log(of_people(events), config, category, published).state
    live, visitors = Trends(A, config), Visitors(1_000)
    live.describe_articles(category, published)
    rows = zip(events.article.tolist(), events.time.tolist(), visitor_keys(events).tolist(), strict=True)
    for one, (row, time, key) in zip(seen(events, visitors), rows, strict=True):
        live.observe(one.kind, row, time, visitor=f"k{key}" if key >= 0 else None, outcome=one.outcome)
    assert (trained.outcomes.min(axis=1) > 0).all()
    np.testing.assert_array_equal(trained.outcomes, live.state.outcomes)
    np.testing.assert_array_equal(trained.category_outcomes, live.state.category_outcomes)
    assert trained.outcomes[:, FULL_READINGS].sum() < trained.outcomes[:, TIMED_READINGS].sum()
    np.testing.assert_allclose(trained.category_outcomes[-1, 2], trained.outcomes[:, 2].sum(), rtol=0.2)


def counts_of(*articles: tuple[int, int, int, int], category: tuple[int, ...] = ()) -> Trends:
    """Counts of articles with so many readings, read ones, dismissals and impressions that were looked at."""
    trends = Trends(len(articles), TrendsConfig(max_live_articles=1, max_neighbours=1))
    codes = np.array(category or [0] * len(articles), np.int16)
    trends.describe_articles(codes, np.full(len(articles), -1, np.int64))
    for row, (timed, full, hidden, shown) in enumerate(articles):
        for _ in range(shown):
            trends.observe(IMPRESSION, row, START)
        for n in range(max(timed, hidden)):
            of = TIMED * (n < timed) | READ * (n < full) | HIDDEN * (n < hidden)
            trends.observe(DWELL, row, START, outcome=of)
    return trends


def rows_of(n: int) -> Any:
    return np.arange(n, dtype=np.int32)


def test_ratios_by_hand_and_of_what_is_unknown_one() -> None:
    trends = counts_of((100, 90, 0, 1_000), (100, 10, 20, 1_000), (0, 0, 0, 0))
    ratios = outcome_ratios(trends.state, rows_of(3))
    assert trends.state.outcomes[:, EXAMINED].tolist() == [1_000, 1_000, 0]
    np.testing.assert_allclose(ratios.expected, [[50, 10], [50, 10], [0, 0]])
    np.testing.assert_allclose(
        ratios.read, [(90 + PRIOR_OUTCOMES) / (50 + PRIOR_OUTCOMES), (10 + PRIOR_OUTCOMES) / (50 + PRIOR_OUTCOMES), 1]
    )
    np.testing.assert_allclose(
        ratios.hidden, [PRIOR_OUTCOMES / (10 + PRIOR_OUTCOMES), (20 + PRIOR_OUTCOMES) / (10 + PRIOR_OUTCOMES), 1]
    )


def test_an_article_is_compared_with_its_category_and_never_by_more_than_the_bound() -> None:
    results = [(1_000, 100, 0, 0)] * 3  # read in ten seconds, all of them
    essays = [(1_000, 900, 0, 0)] * 3
    ratios = outcome_ratios(counts_of(*results, *essays, category=(0, 0, 0, 1, 1, 1)).state, rows_of(6))
    assert (np.abs(np.log(ratios.read)) < 0.2).all()
    apart = outcome_ratios(counts_of(*[(500, 0, 0, 900)] * 2, (500, 500, 400, 9)).state, rows_of(3))
    assert apart.read[2] == pytest.approx(510 / (500 / 3 + 10), rel=0.02)
    assert apart.hidden[2] == BOUND
    assert (apart.read[:2] == 1 / BOUND).all()


def test_a_troll_moves_next_to_nothing() -> None:
    trends = counts_of((0, 0, 5, 3_000), (0, 0, 0, 300))
    before = outcome_factors(trends, np.array([1], np.int32), (1.0, 0.5))
    trends.observe(DISMISS, 1, START, outcome=HIDDEN)
    after = outcome_factors(trends, np.array([1], np.int32), (1.0, 0.5))
    assert before is not None
    assert after is not None
    assert 0.94 < after.factors[0] / before.factors[0] < 1


class Even:
    """A click model that gives every article the same probability."""

    probability = True
    reads_ids = False

    def score(self, candidates: Any) -> Any:
        return np.full(len(candidates.matrix), 0.2, np.float32)


def observed(weights: tuple[float, float], *did: tuple[int, int, int]) -> Any:
    """A recommender that has seen outcomes: of a row, which bits, how often."""
    recommender = two_topics(outcome_weights=weights, max_per_category=9)
    recommender.model = Even()
    for row, of, times in did:
        for _ in range(times):
            recommender.observe(DWELL, row, NOW, outcome=of)
    return recommender


def test_what_is_read_leads_what_is_hidden_falls_and_the_answer_says_what_the_model_said() -> None:
    did = [(6, BOTH, 60), (1, TIMED, 60), (3, HIDDEN, 60)]
    did += [(row, TIMED, 10) for row in range(8)]
    plain = [card.row for card in ask(observed((0, 0), *did), reader(0), k=7).cards]
    weighted = ask(observed((1, 0.5), *did), reader(0), k=7)
    rows = [card.row for card in weighted.cards]
    assert plain == [1, 2, 3, 4, 5, 6, 7]
    assert (rows[0], rows[-1], set(rows)) == (6, 1, set(plain))
    assert [card.score for card in weighted.cards] == pytest.approx([0.2] * 7)
    hides = [card.row for card in ask(observed((0, 0.5), *did), reader(0), k=7).cards]
    assert (hides[-1], hides[0]) == (3, 1)
    assert [card.row for card in ask(observed((1, 0.5)), reader(0), k=7).cards] == plain, "nothing is known"


@pytest.mark.parametrize(
    ("kind", "score", "ranks"),
    [
        (ScoreKind.CLICK, 0.2, 0.6),
        (ScoreKind.NEXT_CLICK, -1.0, -1.0 + np.log(3)),
        (ScoreKind.SIMILARITY, 0.0, 2.0),  # as a probability .5, times 3: 1.5, that is 2 · 1.5 - 1
    ],
)
def test_weighed_by_hand(kind: ScoreKind, score: float, ranks: float) -> None:
    assert weighed(np.array([score], np.float32), np.array([3.0]), kind)[0] == pytest.approx(ranks)


def test_factors_by_hand_and_none_where_nothing_is_wanted_or_known() -> None:
    trends, rows = counts_of((100, 90, 0, 1_000), (100, 10, 20, 1_000)), np.array([0, 1], np.int32)
    ratios, made = outcome_ratios(trends.state, rows), outcome_factors(trends, rows, (1.5, 0.5))
    assert made is not None
    np.testing.assert_allclose(made.factors, ratios.read**1.5 / ratios.hidden**0.5)
    assert outcome_factors(trends, rows, (0, 0)) is None
    assert outcome_factors(counts_of((0, 0, 0, 9), (0, 0, 0, 9)), rows, (1, 1)) is None


def test_a_trace_names_the_outcomes_with_their_numbers() -> None:
    recommender = observed((1, 0.5), (6, BOTH, 12), (6, HIDDEN, 3), (5, TIMED, 12))
    step = next(step for step in follow(recommender, "a6", reader(0), k=3).steps if step.stage == "rank")
    assert "Opened 12 times for a known time, 12 of them for 30 s or more (6.0 expected" in step.says
    assert "looked at some 0 times and hidden 3 times" in step.says
    assert "score ranks times 1.2" in step.says
    step = next(step for step in follow(observed((0, 0), (6, BOTH, 12)), "a6", reader(0)).steps if step.stage == "rank")
    assert "Opened" not in step.says


def test_counts_of_a_release_of_before_say_nothing_of_outcomes() -> None:
    arrays = counts_of((9, 9, 0, 5)).arrays()
    kept = {name: array for name, array in arrays.items() if name not in ("outcomes", "category_outcomes")}
    config = TrendsConfig(max_live_articles=1, max_neighbours=1)
    old, new = restore(kept, config), restore(arrays, config)
    assert old.state.total[0, 0] == 5
    assert not old.state.outcomes.any()
    np.testing.assert_array_equal(new.state.outcomes, arrays["outcomes"])
    assert outcome_ratios(old.state, rows_of(1)).read.tolist() == [1.0]


def test_a_counted_log_keeps_outcomes_and_one_of_before_has_none(tmp_path: Path) -> None:
    counted = save_counted(log([read("r", 0, 40_000)]), [], tmp_path)
    assert counted.outcome.tolist() == load_counted(tmp_path).outcome.tolist() == [BOTH]
    (tmp_path / "outcome.npy").unlink()
    assert load_counted(tmp_path).outcome.tolist() == []


def sent(number: int, kind: Kind, who: str, article: str, dwell: int | None = None) -> Event:
    return Event(f"o{number}", SITE, kind, article, who, who, NOW + number, dwell_ms=dwell)


def outcomes_of(service: Service, article: str) -> list[float]:
    state = service.live._frame.state
    return [float(n) for n in state.recommender.trends.state.outcomes[state.catalogue.row_of[article], :3]]


def test_outcomes_count_at_once_and_not_again_after_a_restart(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path / "site")
    with serving(settings) as service:
        service.live.accept(
            [sent(1, Kind.DWELL, "ann", "football-1", 20_000), sent(2, Kind.DISMISS, "bob", "football-1")]
        )
        assert outcomes_of(service, "football-1") == [1, 0, 1]
    with serving(settings) as service:
        assert outcomes_of(service, "football-1") == [1, 0, 1]
        service.live.accept(
            [sent(3, Kind.DWELL, "ann", "football-1", 20_000), sent(4, Kind.DISMISS, "bob", "football-1")]
        )
        assert outcomes_of(service, "football-1") == [1, 1, 1]
        state = service.live._frame.state
        service.live._feed.resume_running(state)  # as a start over counts that hold all of this
        service.live.accept([sent(5, Kind.DISMISS, "bob", "football-1"), sent(6, Kind.DWELL, "ann", "football-1", 9)])
        assert outcomes_of(service, "football-1") == [1, 1, 1]
