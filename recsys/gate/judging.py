"""Judging of a candidate: plausibility, then the last held-out lists, ranked by it, by the live release and by clicks.

The rule: a list judges only what has not learned from it. The candidate's held-out scores come from the model of its
training that saw nothing of the held-out part; the live release's come from its files, over counts and readers as of
each list, and only lists after the last event that it learned from count. What is served of the candidate has learned
from all of them; it is replayed as well, and being worse even then refuses it, while being better proves nothing.

A live release that was made yesterday has learned from most of what today's training holds out, and ranks better for
that alone; then only what is shown to be worse by more than this is worth (``HANDICAP``) is refused.

Where a comparison cannot be made (a first release, no held-out lists) the verdict says so, and the others decide.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from recsys.dataset.impressions import Impressions
from recsys.dataset.training_set import TrainingSet
from recsys.errors import ArtefactError, RecsysError, StoreError
from recsys.features import COLUMN
from recsys.gate.interval import Array, PairedDifference, paired_difference
from recsys.gate.layout import LaidOutRelease, lay_out
from recsys.gate.plausibility import answer_checks, count_checks, release_counts, vector_checks
from recsys.gate.replay import GateLog, Scores, replayed_scores
from recsys.gate.texts import GATE
from recsys.gate.verdict import GateCheck, GateVerdict
from recsys.languages.phrases import JOINED
from recsys.releases import Release
from recsys.serving.config import ServingSettings
from recsys.store import Store
from recsys.trends import CLICK
from recsys.units import DAY_MS, now_ms

REPLAYED_LISTS = 2_000  # that are replayed, the last ones
BESIDE_LIVE, BESIDE_RATE, AS_SERVED = GATE("beside_live"), GATE("beside_rate"), GATE("as_served")
FORESEES = GATE("foreseen")
HANDICAP = 0.05  # AUC that a model may lose by not knowing the lists that are held out, where the live one knows some
FORESEEN = 0.02  # AUC by which held-out lists may be ranked better than by the model that learned from them


class JudgingLists(NamedTuple):
    """The held-out lists of a candidate's training, and its scores of them.

    Attributes:
        log: all events, and the held-out lists, by whose rows the following go.
        rows: as the training described them.
        scores: float32 (H,), of the model that saw only what came before; empty without a model.
        unseen_from: ms: the first list that this model has not learned from, which may be one that it was stopped by.
        missing: the reason for which there are no lists; empty where there are.
    """

    log: GateLog
    rows: TrainingSet
    scores: Scores
    unseen_from: int = 0
    missing: str = ""

    def last(self, n: int) -> "JudgingLists":
        """The last n lists."""
        lists = self.log.lists
        first = max(0, len(lists) - n)
        rows = int(lists.offsets[first])
        cut = self.rows.cut(rows, len(self.rows)) if rows < len(self.rows) else TrainingSet.empty()
        log = self.log._replace(lists=lists.cut(first, len(lists)))
        return self._replace(log=log, rows=cut, scores=self.scores[rows:])


def judge_release(
    candidate: Release,
    live: Release | None,
    held_out: JudgingLists,
    settings: ServingSettings,
    store: Store,
    *,
    margin: float,
) -> GateVerdict:
    """Judge a candidate.

    Args:
        candidate: verified.
        live: that readers see now; None for the first release, which plausibility alone decides.
        held_out: of the training that made the candidate, in the workspace.
        settings: checked settings.
        store: the articles of now.
        margin: AUC by which a candidate may be worse at most.
    """
    verdict = GateVerdict(candidate.name, live.name if live else None, [], {})
    try:
        mine = lay_out(candidate, settings, store)
    except StoreError:
        raise
    except (RecsysError, ValueError, KeyError, OSError) as error:
        return verdict._replace(checks=[GateCheck(GATE("laid_out"), False, str(error), GATE("servable"))])
    theirs, why = _live(live, settings, store)
    verdict = verdict._replace(checks=list(_plausible(mine, theirs, held_out.log, settings, store)))
    why = why or ("" if verdict.passed else GATE("implausible")) or held_out.missing
    if theirs is None or why:
        return verdict.with_checks(GateCheck(BESIDE_LIVE, None, why, GATE("unseen_lists")))
    checks, figures = _compared(mine, theirs, held_out, margin)
    return verdict.with_checks(*checks)._replace(figures=figures)


def _live(live: Release | None, settings: ServingSettings, store: Store) -> tuple[LaidOutRelease | None, str]:
    """The live release, or the reason for which there is none to compare with."""
    if live is None:
        return None, GATE("no_live")
    try:
        return lay_out(live, settings, store), ""
    except ArtefactError as error:
        return None, GATE("broken_live", why=error)


def _plausible(
    mine: LaidOutRelease, live: LaidOutRelease | None, log: GateLog, settings: ServingSettings, store: Store
) -> Iterator[GateCheck]:
    shown = {article.id for article in store.articles(settings.site.id) if not article.hidden}
    events = log.events
    newest = max(int(events.time[-1]), DAY_MS) if len(events) else DAY_MS  # later than what has no date
    day = events.article[(events.time > newest - DAY_MS) & (events.kind == CLICK)]
    clicked = Counter(events.article_ids[row] for row in day.tolist())
    counts = release_counts(mine, shown, clicked)
    yield from count_checks(counts, None if live is None else release_counts(live, shown, clicked), max(log.newest, 0))
    yield from vector_checks(mine, live)
    yield from answer_checks(mine, settings.recommend.k, now_ms())


def _compared(
    mine: LaidOutRelease, live: LaidOutRelease, held_out: JudgingLists, margin: float
) -> tuple[list[GateCheck], dict[str, Any]]:
    """The checks by lists, and the figures behind them."""
    lacks = HANDICAP if held_out.unseen_from <= live.newest else 0.0
    held_out = held_out.last(REPLAYED_LISTS)
    lists = held_out.log.lists
    start = int(lists.time[0])
    served, before = (replayed_scores(held_out.log, one, min(start, one.newest)) for one in (mine, live))
    if not (np.isfinite(served).all() and np.isfinite(held_out.scores).all()):
        return [GateCheck(GATE("scores"), False, GATE("nan"), GATE("finite"))], {}
    new = lists.time > live.newest
    pairs = {
        BESIDE_LIVE: (held_out.scores, before, new),
        BESIDE_RATE: (held_out.scores, held_out.rows.matrix[:, COLUMN["click_rate_total"]], new),
        AS_SERVED: (served, before, np.ones(len(lists), np.bool_)),
        FORESEES: (held_out.scores, served, np.ones(len(lists), np.bool_)),
    }
    found = {name: _difference(held_out.rows.label, *pair, lists) for name, pair in pairs.items()}
    beside_live = _beside_live(found[BESIDE_LIVE], margin, lacks)
    checks = [beside_live, _beside(AS_SERVED, found[AS_SERVED], margin)]
    checks += [_beside_click_rate(found, margin), _not_foreseen(found[FORESEES])]
    return checks, {name: difference._asdict() for name, difference in found.items()}


def _difference(label: Array, mine: Array, other: Array, judging: Array, lists: Impressions) -> PairedDifference:
    number = np.repeat(np.arange(len(lists)), np.diff(lists.offsets))
    rows = judging[number]
    return paired_difference(label[rows], mine[rows], other[rows], number[rows], lists.reader)


def _beside(name: str, found: PairedDifference, margin: float) -> GateCheck:
    if not found.lists:
        return GateCheck(name, None, GATE("no_such_list"), GATE("later_lists"))
    decides = found.decides(margin)
    wanted = GATE("not_worse", margin=margin) if decides else GATE("not_shown")
    compared = {"mine": found.candidate, "other": found.other, "lists": found.lists, "readers": found.readers}
    note = GATE("auc" if decides else "auc_few", margin=margin, **compared)
    return GateCheck(name, found.acceptable(margin), _said(found), wanted, note)


def _said(found: PairedDifference) -> str:
    return GATE("difference", mean=found.mean, low=found.low, high=found.high)


def _beside_live(found: PairedDifference, margin: float, lacks: float) -> GateCheck:
    """Refuse what is worse; of a model that knows less than the live one, what is shown to be worse by more."""
    check, most = _beside(BESIDE_LIVE, found, margin), margin + lacks
    if not lacks or not found.lists:
        return check
    note = f"{check.note}{JOINED}{GATE('learned_more')}"
    return check._replace(passed=found.high >= -most, wanted=GATE("not_shown_by", margin=most), note=note)


def _beside_click_rate(found: dict[str, PairedDifference], margin: float) -> GateCheck:
    """Refuse what is shown to be worse than the click rate alone, unless the live release is no better than it."""
    rate, live = found[BESIDE_RATE], found[BESIDE_LIVE]
    check = _beside(BESIDE_RATE, rate, margin)
    better = bool(live.lists) and live.mean > 0
    passed = rate.high >= -margin or better if rate.lists else None
    return check._replace(passed=passed, wanted=GATE("not_shown"))


def _not_foreseen(found: PairedDifference) -> GateCheck:
    """Refuse held-out scores that know what they are judged on: nothing ranks unseen lists better than seen ones."""
    passed = not found.lists or found.low <= FORESEEN
    return GateCheck(FORESEES, passed, _said(found), GATE("at_most", n=FORESEEN), GATE("held_out_scores"))
