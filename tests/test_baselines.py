"""Every baseline scores by the past alone, as its slow definition does; held-out lists at a pace chosen before them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from benchmarks.next_click.ease import Ease
from benchmarks.next_click.ials import Ials
from benchmarks.next_click.refitted import refit_blocks
from recsys.baselines import (
    Baseline,
    Chance,
    ItemKnn,
    Popularity,
    SequentialRules,
    SessionKnn,
    all_baselines,
)
from recsys.baselines.clicks import Scores, dated_clicks
from recsys.baselines.held_out import held_out_scores
from recsys.baselines.neighbours import HALVINGS
from recsys.dataset.impressions import ClickHistories, Impressions, click_histories
from recsys.events import UNDATED, Events
from recsys.events.people import visitor_keys
from tests import baseline_oracles as oracle
from tests.baseline_logs import ARTICLES, MINUTE, by_oracle, random_lists, random_log, scored
from tests.clicks import HOUR, START, click, log_of


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("model", "table"),
    [
        (Popularity(0.5), oracle.popularity),
        (ItemKnn(), oracle.item_knn),
        (ItemKnn(half_life_hours=3.0, popularity_power=0.0, fade=0.8, session_clicks=2), oracle.item_knn),
        (SequentialRules(), oracle.rules),
        (SequentialRules(half_life_hours=float("inf"), steps=2), oracle.rules),
        (SessionKnn(), oracle.session_knn),
        (SessionKnn(k=2, sample=3, session_clicks=3), oracle.session_knn),
    ],
)
def test_a_baseline_scores_as_its_slow_definition(
    model: Baseline, table: Callable[..., oracle.Table], seed: int
) -> None:
    events = random_log(seed)
    lists = random_lists(events, seed)
    got = scored(model, events, lists)
    assert got.dtype == np.float32
    assert np.count_nonzero(got) > len(got) / 10
    np.testing.assert_allclose(got, by_oracle(model, table, events, lists), rtol=1e-5, atol=1e-12)


def test_of_an_endless_visit_the_first_clicks_are_kept() -> None:
    rng = np.random.default_rng(11)
    walk = [click("long", f"a{row:02}", START + n * MINUTE) for n, row in enumerate(rng.integers(0, 9, 70).tolist())]
    made = [*walk, click("long", "a11", START + 70 * MINUTE), click("asked", "a03", START + 71 * MINUTE)]
    events = log_of([*made, click("short", "a03", START), click("short", "a10", START)])
    lists = random_lists(events, 1, n=1, candidates=ARTICLES - 1)
    lists.time[:], lists.reader[:] = START + 71 * MINUTE + 1, events.reader_ids.index("asked")
    got = scored(SessionKnn(), events, lists)
    np.testing.assert_allclose(got, by_oracle(SessionKnn(), oracle.session_knn, events, lists), rtol=1e-6)
    of = dict(zip(lists.article.tolist(), got.tolist(), strict=True))
    assert of[events.article_ids.index("a10")] > 0
    assert of[events.article_ids.index("a11")] == 0  # clicked too late in its visit


@pytest.mark.parametrize("seed", range(3))
def test_ease_solves_its_definition_at_each_refit(seed: int) -> None:
    events = random_log(seed)
    lists = random_lists(events, seed)
    model, A = Ease(penalty=2.0, days=0.2, refit_hours=2.0), len(events.article_ids)
    want: list[float] = []
    for i in range(len(lists)):
        begins = int(lists.time[i]) // (2 * HOUR) * 2 * HOUR
        known = oracle.ease(
            oracle.past_of(events, lists, i), begins, model.session_clicks, model.days, model.penalty, A
        )
        want += [known[row] for row in lists.article[lists.offsets[i] : lists.offsets[i + 1]].tolist()]
    got = scored(model, events, lists)
    assert np.count_nonzero(got) > len(got) / 10
    np.testing.assert_allclose(got, want, atol=1e-5)


def test_ease_fits_the_most_clicked_articles_only() -> None:
    events = random_log(1)
    lists = random_lists(events, 1)
    clicks = dated_clicks(events, click_histories(events, lists, 30))
    column, weights = Ease(articles=3).fit(clicks, np.arange(len(clicks.article)), ARTICLES)
    count = np.bincount(clicks.article, minlength=ARTICLES)
    assert set(np.flatnonzero(column >= 0)) == set(np.argsort(-count, kind="stable")[:3])
    assert weights.shape == (3, 3)
    assert not np.diag(weights).any()


def test_ials_finds_the_reader_as_the_library_itself_would() -> None:
    events = random_log(2)
    lists = random_lists(events, 2)
    clicks = dated_clicks(events, click_histories(events, lists, 30))
    # one fit for all lists, on the log before them
    late = int(np.searchsorted(lists.time, START + 6 * HOUR))
    lists = lists.cut(late, len(lists))
    told = click_histories(events, lists, 30)
    model = Ials(factors=4, penalty=2.0, alpha=20.0, days=1.0, refit_hours=10_000.0)
    begins = int(lists.time[0]) // (10_000 * HOUR) * 10_000 * HOUR
    assert begins < events.time[events.time != UNDATED][0]  # nothing is known by then
    assert not model.scores(events, lists, told).any()
    model = Ials(factors=4, penalty=2.0, alpha=20.0, days=1.0, refit_hours=6.0)
    got = model.scores(events, lists, told)
    want: list[float] = []
    for time, first, last in refit_blocks(lists.time, 6.0):
        taught = np.flatnonzero(clicks.time < time)
        row_of, factors = model.fit(clicks, taught, len(events.article_ids))
        library = AlternatingLeastSquares(4, model.regularization(taught), 20.0, num_threads=1, use_cg=False)
        library.item_factors = factors
        for i in range(first, last):
            past = oracle.past_of(events, lists, i)
            rows = [row_of[row] for _, row in oracle.newest_first(past.rows(past.company), model.session_clicks)]
            rows = [row for row in rows if row >= 0]  # the others were not there at the fit
            clicked = csr_matrix((np.ones(len(rows), np.float32), ([0] * len(rows), rows)), (1, len(factors)))
            reader = library.recalculate_user(0, clicked)
            candidates = lists.article[lists.offsets[i] : lists.offsets[i + 1]]
            want += [float(factors[row_of[row]] @ reader) if row_of[row] >= 0 else 0.0 for row in candidates]
    assert np.count_nonzero(got) > len(got) / 2
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_ials_and_ease_tell_two_camps_apart() -> None:
    rng = np.random.default_rng(3)
    made = [
        click(f"r{n:03}", f"a{2 * row + n % 2:02}", START + n * MINUTE)
        for n in range(120)
        for row in rng.permutation(6)[:4].tolist()
    ]
    made += [click("even", "a00", START + 3 * HOUR), click("odd", "a01", START + 3 * HOUR)]
    events = log_of(made)
    keys = [events.reader_ids.index("even"), events.reader_ids.index("odd")]
    lists = Impressions.unclicked(
        time=np.full(2, START + 3 * HOUR + 1),
        reader=np.array(keys, np.int64),
        offsets=np.array([0, ARTICLES, 2 * ARTICLES]),
        article=np.tile(np.arange(ARTICLES, dtype=np.int32), 2),
    )
    for model in (Ials(factors=2, days=1.0), Ease(penalty=5.0, days=1.0)):
        even, odd = scored(model, events, lists).reshape(2, ARTICLES)
        assert even[2::2].min() > even[1::2].max()
        assert odd[3::2].min() > odd[0::2].max()


def bounded_rules(events: Events, last: int, most: int) -> dict[int, float]:
    """Rules from one article, at most ``most`` kept, by a dict: what is lightest makes place."""
    kept: dict[int, float] = {}
    visits: dict[int, list[int]] = {}
    for key, row in zip(visitor_keys(events).tolist(), events.article.tolist(), strict=True):
        for back, other in oracle.newest_first(visits.get(key, []), 10):
            if other != last or row == last:
                continue
            if row not in kept and len(kept) == most:
                lightest = min(kept, key=lambda one: kept[one])
                if kept[lightest] > 1 / (back + 1):
                    continue
                del kept[lightest]
            kept[row] = kept.get(row, 0.0) + 1 / (back + 1)
        visits.setdefault(key, []).append(row)
    return kept


def test_memory_is_bounded_and_the_lightest_neighbour_makes_place() -> None:
    rng = np.random.default_rng(4)
    made = [click(f"r{n // 4}", f"a{rng.integers(ARTICLES):02}", START + n * 1_000) for n in range(400)]
    made.append(click("asked", "a03", START + 400_000))
    events = log_of(made)
    lists = random_lists(events, 1, n=1, candidates=ARTICLES)
    lists.time[:], lists.reader[:] = START + 400_001, events.reader_ids.index("asked")
    want = bounded_rules(events, 3, 2)
    got = scored(SequentialRules(half_life_hours=float("inf"), neighbours=2), events, lists)
    assert len(want) == 2
    assert np.count_nonzero(got) == 2
    # of equally light ones either may go, so only their weights are compared
    np.testing.assert_allclose(np.sort(got)[-2:], sorted(want.values()), rtol=1e-6)


def every_kind() -> list[Baseline]:
    """All baselines with settings under which a small log moves them, and as they are."""
    return [*all_baselines(), Ials(factors=4, days=1.0, refit_hours=0.5), Ease(penalty=1.0, refit_hours=0.5)]


class Cheat:
    """Counts the whole log."""

    name = "cheat"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        count = np.bincount(events.article, minlength=len(events.article_ids))
        return count[lists.article].astype(np.float32)


class LateCheat:
    """Counts the click at the list's own time."""

    name = "late"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        shifted = Impressions(**(vars(lists) | {"time": lists.time + 1}))
        return Popularity().scores(events, shifted, histories)


def changed_by_the_future(model: Baseline) -> bool:
    """Whether cutting the log at a list's own time changes the scores of the lists up to it."""
    events = random_log(5)
    lists = random_lists(events, 5)
    whole = scored(model, events, lists)
    for time in np.unique(lists.time).tolist():
        n = int(np.searchsorted(lists.time, time, side="right"))
        past = scored(model, events.before(time), lists.cut(0, n))
        if not np.array_equal(past, whole[: len(past)]):
            return True
    return False


@pytest.mark.parametrize("model", every_kind(), ids=lambda model: model.name)
def test_cutting_the_future_off_changes_nothing(model: Baseline) -> None:
    assert not changed_by_the_future(model)


def test_a_planted_leak_is_seen() -> None:
    assert changed_by_the_future(Cheat())
    assert changed_by_the_future(LateCheat())


@pytest.mark.parametrize("model", every_kind(), ids=lambda model: model.name)
def test_logs_with_little_in_them_give_finite_scores(model: Baseline) -> None:
    lonely = log_of([click(None, "a00", START), click(None, "a01", START + 1)])
    undated = log_of([click("r0", "a00", UNDATED), click("r0", "a01", UNDATED)])
    silent = log_of([])
    for events in (lonely, undated, random_log(6, clicks=1)):
        lists = random_lists(log_of([click("r0", "a00", START), click("r0", "a01", START)]), 1, n=5, candidates=2)
        got = scored(model, events, lists)
        assert got.shape == (10,)
        assert np.isfinite(got).all()
    nothing = random_lists(lonely, 1, n=1).cut(0, 0)
    assert scored(model, silent, nothing).shape == (0,)


@pytest.mark.parametrize("model", [ItemKnn(), SequentialRules()], ids=lambda model: model.name)
def test_a_log_of_many_half_lives_keeps_its_numbers(model: ItemKnn | SequentialRules) -> None:
    far = int((HALVINGS + 1) * model.half_life_hours * HOUR)
    made = [click(f"r{n}", article, START + n * far + n) for n in range(6) for article in ("a00", "a01", "a02")]
    events = log_of([*made, click("r9", "a00", START + 5 * far + 6)])
    lists = random_lists(events, 1, n=2, candidates=3)
    lists.reader[:] = events.reader_ids.index("r9")
    lists.time[:] = START + 5 * far + np.array([7, far])  # the landmark moves at a click, and at a list
    got = scored(model, events, lists)
    table = oracle.item_knn if isinstance(model, ItemKnn) else oracle.rules
    np.testing.assert_allclose(got, by_oracle(model, table, events, lists), rtol=1e-5, atol=1e-30)
    assert got[:3].any()
    assert got[3:].any() == isinstance(model, ItemKnn)  # a cosine does not fade


def test_equal_seeds_give_equal_scores_and_pace_slows_what_fades() -> None:
    events = random_log(7)
    lists = random_lists(events, 7)
    first, second = ([scored(model, events, lists) for model in all_baselines(seed=3)] for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert not np.array_equal(scored(Chance(3), events, lists), scored(Chance(4), events, lists))
    slow = {model.name: model for model in all_baselines(pace=4.0)}
    assert len(slow) == 5
    assert (slow["popularity"], slow["item_knn"]) == (Popularity(1.0), ItemKnn(half_life_hours=2.0))


def test_a_list_a_day_for_decades_is_not_a_fit_a_day() -> None:
    time = np.arange(7_000) * 24 * HOUR
    found = list(refit_blocks(time, 0.5))
    assert 250 < len(found) <= 500
    assert [first for _, first, _ in found[1:]] == [last for _, _, last in found[:-1]]
    assert found[-1][2] == 7_000


def held_out_lists(seed: int) -> tuple[Events, Impressions]:
    """A log with a validation and a held-out part, in which the newest click of everybody is clicked next."""
    events = random_log(seed, clicks=400, hours=24.0)
    lists = random_lists(events, seed, n=90)
    lists.part[:] = np.repeat([0, 1, 2], 30)
    newest = np.empty(90, np.int64)
    for i in range(90):
        before = events.article[: np.searchsorted(events.time, lists.time[i])].tolist()
        rows = lists.article[lists.offsets[i] : lists.offsets[i + 1]].tolist()
        newest[i] = rows.index(next(row for row in reversed(before) if row in rows))
    return events, replace(lists, clicked=lists.offsets[:-1] + newest, clicked_at=lists.time)


def test_the_held_out_lists_are_scored_at_the_pace_that_ranked_the_lists_before_them_best() -> None:
    events, lists = held_out_lists(8)
    found = held_out_scores(events, lists, gap_minutes=30, seed=1)
    assert set(found) == {"popularity", "rules", "item_knn", "v_sknn"}
    assert found["popularity"].model == Popularity()  # who forgets quickly knows the newest click
    assert found["v_sknn"].model == SessionKnn()
    for name, one in found.items():
        assert one.model.name == name
        assert np.array_equal(one.scores, scored(one.model, events, lists.cut(30, 90))[30 * 7 :])


def test_a_pace_is_not_chosen_on_the_lists_that_judge() -> None:
    events, lists = held_out_lists(9)

    def chosen_models(lists: Impressions) -> dict[str, Baseline]:
        return {name: one.model for name, one in held_out_scores(events, lists, gap_minutes=30, seed=1).items()}

    chosen = chosen_models(lists)
    clicked = lists.clicked.copy()
    clicked[60:] += np.where(clicked[60:] % 7 < 4, 3, -4)
    assert chosen_models(replace(lists, clicked=clicked)) == chosen
    most = np.flatnonzero(lists.article == 0)  # now the most clicked one is, where the lists hold it
    clicked = np.concatenate([clicked[:30], most[(most >= 30 * 7) & (most < 60 * 7)], clicked[60:]])
    assert chosen["popularity"] == Popularity()
    assert (
        chosen_models(replace(lists, clicked=clicked, clicked_at=np.zeros(len(clicked), np.int64)))["popularity"]
        != Popularity()
    )


def test_without_held_out_lists_there_are_no_scores() -> None:
    events, lists = held_out_lists(8)
    lists.part[:] = 0
    found = held_out_scores(events, lists, gap_minutes=30, seed=1)
    assert all(one.scores.shape == (0,) and one.scores.dtype == np.float32 for one in found.values())
