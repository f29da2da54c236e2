"""A candidate beside the live release: planted faults are refused, each for its reason, and a better one passes."""

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.gate import _held_out
from jobs.runner import open_store
from recsys.errors import CorruptArtefact
from recsys.gate import judging
from recsys.gate.interval import PairedDifference, paired_difference
from recsys.gate.judging import HANDICAP, JudgingLists
from recsys.gate.layout import LaidOutRelease, lay_out
from recsys.gate.plausibility import ReleaseCounts, count_checks, neighbours_kept, release_counts, vector_checks
from recsys.gate.texts import GATE
from recsys.gate.verdict import GateVerdict
from tests.newsroom import Toy
from tests.service import article, copy_of

MARGIN = 0.01
Plant = Callable[[LaidOutRelease, JudgingLists], JudgingLists]


class Site:
    """The toy newsroom: its release as the candidate, and the same as if it had been made before the held-out lists."""

    def __init__(self, toy: Toy) -> None:
        self.context, self.release = toy.context, toy.release()
        self.settings = toy.settings
        self.held_out = _held_out(toy.context, self.release)
        self.store = open_store(toy.settings)

    def laid_out(self) -> LaidOutRelease:
        return lay_out(self.release, self.settings, self.store)

    def judged(self, monkeypatch: pytest.MonkeyPatch, plant: Plant, live: Plant = lambda _, held: held) -> GateVerdict:
        mine, theirs = self.laid_out(), self.laid_out()
        theirs = theirs._replace(newest=int(self.held_out.log.lists.time[0]) - 1)
        held_out = plant(mine, self.held_out)
        live(theirs, held_out)
        laid_out = iter([mine, theirs])
        monkeypatch.setattr(judging, "lay_out", lambda *_: next(laid_out))
        facts = (self.release, replace(self.release, name="before"), held_out, self.settings, self.store)
        return judging.judge_release(*facts, margin=MARGIN)


@pytest.fixture(scope="module")
def site(toy: Toy) -> Iterator[Site]:
    made = Site(toy)
    with closing(made.store):
        yield made


def failed(verdict: GateVerdict) -> list[str]:
    for check in verdict.checks:
        library = check.name == "laid out" or "cannot be laid out" in check.found  # an error says what it says
        for said in (check.name, check.wanted, check.note, "" if library else check.found):
            assert GATE.knows(said) or not re.search("[a-z]{3}", said), f"no Chinese for {said!r}"
    assert GATE.knows(verdict.reason), verdict.reason
    return [check.name for check in verdict.checks if check.passed is False]


def nothing(_: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    return held_out


def shuffled(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    """Every article has another one's item vector, in the index as well."""
    order = np.random.default_rng(5).permutation(len(mine.artefacts.catalogue))
    for items in (mine.artefacts.items, mine.state.items):
        for table in (items.vectors, items.input_embeddings, items.output_embeddings, items.content):
            table[: len(order)] = table[: len(order)][order]
    assert mine.artefacts.index is not None
    mine.artefacts.index.vectors[: len(order)] = mine.artefacts.items.vectors
    return held_out


def shuffled_beside_its_index(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    vectors = mine.artefacts.items.vectors
    vectors[:] = vectors[::-1].copy()
    return held_out


def nan(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    mine.artefacts.items.vectors[: len(mine.artefacts.catalogue) // 4] = np.nan
    return held_out


def nan_in_the_model(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    assert mine.model is not None
    mine.model.saved = replace(mine.model.saved, intercept=math.nan)
    return held_out


def scored(held_out: JudgingLists, scores: Any) -> JudgingLists:
    return held_out._replace(scores=np.asarray(scores, np.float32))


def worse(_: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    return scored(held_out, np.random.default_rng(1).random(len(held_out.scores)))


def ahead(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
    assert mine.model is not None
    mine.model.saved = replace(mine.model.saved, learned_until=held_out.log.newest + 1)
    return held_out


@pytest.mark.parametrize(
    ("plant", "because"),
    [
        (nothing, []),
        (shuffled, ["neighbours of items"]),
        (shuffled_beside_its_index, ["index"]),
        (nan, ["vectors", "index"]),
        (nan_in_the_model, ["scores"]),
        (worse, ["held out, beside the live release"]),
        (ahead, ["nothing ahead"]),
    ],
)
def test_a_planted_candidate_is_refused_for_its_reason(
    site: Site, monkeypatch: pytest.MonkeyPatch, plant: Plant, because: list[str]
) -> None:
    verdict = site.judged(monkeypatch, plant)
    assert failed(verdict) == because, verdict.reason
    assert verdict.passed is (because == [])
    assert json.loads(json.dumps(verdict.as_json()))["passed"] is verdict.passed


def test_held_out_scores_that_know_the_clicks_are_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(2).random(len(site.held_out.scores))
    dull = np.asarray(0.85 * noise + 0.15 * site.held_out.rows.label, np.float32)

    def of_a_dull_model(laid_out: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
        monkeypatch.setattr(laid_out.model, "score", lambda rows: dull)
        return scored(held_out, dull)

    def foreseen(mine: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
        return scored(of_a_dull_model(mine, held_out), held_out.rows.label)

    assert failed(site.judged(monkeypatch, of_a_dull_model, live=of_a_dull_model)) == []
    assert failed(site.judged(monkeypatch, foreseen, live=of_a_dull_model)) == ["foreseen"]


def test_a_better_candidate_passes_and_says_by_how_much(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def upside_down(live: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
        assert live.model is not None
        monkeypatch.setattr(live.model, "score", lambda rows: np.random.default_rng(1).random(len(rows), np.float32))
        return held_out

    verdict = site.judged(monkeypatch, nothing, live=upside_down)
    assert failed(verdict) == []
    assert verdict.figures["held out, beside the live release"]["low"] > 0


def test_a_live_release_that_knows_what_was_held_out_must_be_matched_but_for_what_that_is_worth(site: Site) -> None:
    def verdict(mean: float, *, knows: bool) -> bool | None:
        found = PairedDifference(mean, mean - 0.005, mean + 0.005, 400, 200, 0.7, 0.7 - mean)
        return judging._beside_live(found, MARGIN, HANDICAP if knows else 0.0).passed

    assert [verdict(mean, knows=False) for mean in (0.0, -0.004, -0.04)] == [True, True, False]
    assert [verdict(mean, knows=True) for mean in (0.0, -0.04, -0.06, -0.07)] == [True, True, True, False]
    nobody = PairedDifference(math.nan, -math.inf, math.inf, 0, 0, math.nan, math.nan)
    assert judging._beside_live(nobody, MARGIN, HANDICAP).passed is None


def test_yesterday_s_release_is_forgiven_less_than_nothing_new_to_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    since, checks = site.held_out.unseen_from, {}
    assert 0 < since < site.held_out.log.lists.time[0], "the lists by which training was stopped come before"
    for newest in (since - 1, since):
        laid_out = iter([site.laid_out(), site.laid_out()._replace(newest=newest)])
        monkeypatch.setattr(judging, "lay_out", lambda *_, laid_out=laid_out: next(laid_out))
        facts = (site.release, replace(site.release, name="before"), site.held_out, site.settings, site.store)
        verdict = judging.judge_release(*facts, margin=MARGIN)
        checks[newest] = next(one for one in verdict.checks if one.name == judging.BESIDE_LIVE)
    assert ["has learned from more" in one.note for one in checks.values()] == [False, True]


def test_lists_that_the_live_release_has_learned_from_do_not_judge(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = site.held_out.log.lists

    def knows_half(live: LaidOutRelease, held_out: JudgingLists) -> JudgingLists:
        return held_out

    verdict = site.judged(monkeypatch, nothing, live=knows_half)
    everything = verdict.figures["held out, beside the live release"]["lists"]
    laid_out = iter([site.laid_out(), site.laid_out()._replace(newest=int(lists.time[len(lists) // 2]))])
    monkeypatch.setattr(judging, "lay_out", lambda *_: next(laid_out))
    facts = (site.release, replace(site.release, name="before"), site.held_out, site.settings, site.store)
    verdict = judging.judge_release(*facts, margin=MARGIN)
    assert 0 < verdict.figures["held out, beside the live release"]["lists"] < everything
    assert verdict.figures["as it is served"]["lists"] == everything


def test_the_first_release_passes_by_plausibility_and_says_what_was_not_looked_at(site: Site) -> None:
    verdict = judging.judge_release(site.release, None, site.held_out, site.settings, site.store, margin=MARGIN)
    assert (verdict.passed, verdict.live, verdict.figures) == (True, None, {})
    assert {"articles", "counts", "index", "latency"} <= {check.name for check in verdict.checks}
    assert "not made: held out, beside the live release: there is no live release" in verdict.reason
    assert verdict.as_table()["passed"].tolist()[-1] == "-"


def test_a_release_without_lists_that_judge_passes_by_plausibility_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = {name: record for name, record in site.release.manifest["stages"].items() if name != "features"}
    without = replace(site.release, manifest=site.release.manifest | {"stages": stages})
    held_out = _held_out(site.context, without)
    assert (held_out.missing, len(held_out.log.events) > 0) == ("the release was made without features", True)
    verdict = site.judged(monkeypatch, lambda *_: held_out)
    assert (verdict.passed, verdict.figures) == (True, {})
    assert "without features" in verdict.reason
    record = {"ctr": {**stages["ctr"], "digest": "of another"}}
    other = replace(site.release, manifest={"stages": site.release.manifest["stages"] | record})
    assert "another training since" in _held_out(site.context, other).missing


def test_a_release_that_lacks_what_the_service_reads_is_refused(site: Site) -> None:
    stages = {name: record for name, record in site.release.manifest["stages"].items() if name != "items"}
    without = replace(site.release, manifest=site.release.manifest | {"stages": stages})
    verdict = judging.judge_release(without, None, site.held_out, site.settings, site.store, margin=MARGIN)
    assert failed(verdict) == ["laid out"]
    assert "'items'" in verdict.reason


def test_a_live_release_that_cannot_be_laid_out_is_not_compared_with(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out = iter([site.laid_out()])

    def second_breaks(*_: Any) -> LaidOutRelease:
        for one in laid_out:
            return one
        raise CorruptArtefact("whole files", "others", "none")

    monkeypatch.setattr(judging, "lay_out", second_breaks)
    facts = (site.release, replace(site.release, name="before"), site.held_out, site.settings, site.store)
    verdict = judging.judge_release(*facts, margin=MARGIN)
    assert verdict.passed
    assert "the live release cannot be laid out" in verdict.reason


def test_articles_that_came_since_are_none_of_a_release_s_own(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    with closing(open_store(settings)) as store:
        store.put_articles([article(f"late-{n}") for n in range(16)])
        release = toy.release()
        mine, live = (lay_out(release, settings, store) for _ in range(2))
        assert len(mine.state.catalogue.ids) == 2 * len(mine.ids) == 32
        assert len(mine.artefacts.catalogue.ids) == 32, "the state adds to the list that it was made from"
        shown = {one.id for one in store.articles(settings.site.id)}
        counts = release_counts(mine, shown, {})
        assert (counts.articles, counts.coverage) == (16, 0.5)
        assert [check.name for check in vector_checks(mine, live) if not check.passed] == []
    assert [check.name for check in count_checks(counts, None, counts.newest) if not check.passed] == []
    (coverage,) = (one for one in count_checks(counts, LIVE, counts.newest) if one.name == "coverage")
    assert coverage.passed is False, "a later release has to know them"


LIVE = ReleaseCounts(100, 1_000, 1.0, 0.98, 0.95, 500, 500, 7)


@pytest.mark.parametrize(
    ("mine", "because"),
    [
        (LIVE, []),
        (LIVE._replace(articles=80), []),
        (LIVE._replace(articles=79), ["articles"]),
        (LIVE._replace(articles=50, coverage=0.5, matched=0.6), ["articles", "coverage", "clicks matched"]),
        (LIVE._replace(vocabulary=799), ["vocabulary"]),
        (LIVE._replace(coverage=0.89), ["coverage"]),
        (LIVE._replace(matched=0.92), ["clicks matched"]),
        (LIVE._replace(matched=math.nan), []),
        (LIVE._replace(with_vector=0.89), ["vectors"]),
        (LIVE._replace(counted_through=400), ["counts"]),  # last week's
        (LIVE._replace(through=600, counted_through=500), ["counts"]),
        (LIVE._replace(newest=8), ["nothing ahead"]),
    ],
)
def test_counts_that_broke_are_refused(mine: ReleaseCounts, because: list[str]) -> None:
    assert [check.name for check in count_checks(mine, LIVE, 7) if check.passed is False] == because


def test_neighbours_of_shuffled_vectors_are_those_of_chance() -> None:
    rng = np.random.default_rng(3)
    live = rng.normal(size=(200, 16)).astype(np.float32)
    live /= np.linalg.norm(live, axis=1, keepdims=True)
    turned = live @ np.linalg.qr(rng.normal(size=(16, 16)))[0].astype(np.float32)
    kept, least = neighbours_kept(turned, live)
    assert (kept, least < 1.5) == (10.0, True)
    kept, least = neighbours_kept(turned[rng.permutation(200)], live)
    assert kept < least


def difference_of(gains: list[float], readers: list[int]) -> PairedDifference:
    """Lists of two articles, the first clicked: the candidate's AUC is 1 or 0 (0.5 for a tie), the other one's 0.5."""
    n = len(gains)
    label = np.tile([1, 0], n)
    mine = np.column_stack([np.array(gains), np.zeros(n)]).ravel()
    return paired_difference(label, mine, np.zeros(2 * n), np.repeat(np.arange(n), 2), np.array(readers))


def test_the_interval_counts_readers_and_not_lists() -> None:
    many = difference_of([1.0, -1.0] * 20, list(range(40)))
    few = difference_of([1.0, -1.0] * 20, [0, 1] * 20)
    assert (many.mean, few.mean, many.readers, few.readers) == (0.0, 0.0, 40, 2)
    assert few.high > 5 * many.high
    nobody = difference_of([1.0, -1.0] * 20, [-1] * 40)
    assert (nobody.readers, nobody.high) == (40, many.high)
    # by hand: 40 differences of one half, mean 0, variance 1/4 * 40/39, over 40; t(39) = 2.0227
    assert many.high == pytest.approx(2.0227 * math.sqrt(0.25 * 40 / 39 / 40), abs=1e-4)


@pytest.mark.parametrize(
    ("mean", "reach", "acceptable"),
    [
        (0.0, 0.009, True),
        (-0.0011, 0.009, False),  # -0.0101: worse by more than 0.01 is not excluded
        (-0.0009, 0.009, True),
        (0.0, 0.05, True),  # too few lists to exclude it
        (-0.04, 0.05, True),
        (-0.06, 0.05, False),  # shown to be worse
    ],
)
def test_worse_by_more_than_the_margin_must_be_excluded_where_the_lists_are_enough(
    mean: float, reach: float, acceptable: bool
) -> None:
    found = PairedDifference(mean, mean - reach, mean + reach, 100, 50, 0.7, 0.7)
    assert found.acceptable(MARGIN) is acceptable
