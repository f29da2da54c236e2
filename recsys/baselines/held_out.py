"""The held-out lists of a log, scored by every baseline at the pace that suits the site.

Reads the log and its lists; produces scores of the candidates that the click model is judged on. How quickly a baseline
forgets is chosen on the validation lists, as the click model's epochs are, and never on the lists that judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.baselines import Baseline, Chance, all_baselines
from recsys.baselines.clicks import Scores
from recsys.dataset.impressions import HOLDOUT, VALIDATION, ClickHistories, Impressions, click_histories
from recsys.events import Events
from recsys.metrics import impression_metrics

PACES = (1.0, 8.0, 64.0)  # half-lives of half an hour, four hours and a day and a third


@dataclass(frozen=True)
class HeldOut:
    """How one baseline scored.

    Attributes:
        scores: float32 (H,), of the candidates of the held-out lists.
        model: the baseline at the pace that was chosen.
    """

    scores: Scores
    model: Baseline


def held_out_scores(events: Events, lists: Impressions, *, gap_minutes: int, seed: int) -> dict[str, HeldOut]:
    """Score the held-out lists by every baseline but chance.

    Args:
        events: the log.
        lists: all lists of it, with their parts.
        gap_minutes: the longest pause inside a visit.
        seed: of the first factors of iALS, and of ties while a pace is chosen.

    Returns:
        Baseline -> its scores; without a held-out list they are empty.
    """
    judging = lists.cut(int(np.searchsorted(lists.part, VALIDATION)), len(lists))
    told = click_histories(events, judging, gap_minutes)
    at_pace = [all_baselines(seed=seed, pace=pace) for pace in PACES]
    found: dict[str, HeldOut] = {}
    for models in zip(*at_pace, strict=True):
        if not isinstance(models[0], Chance):
            different = list(dict.fromkeys(models))  # one that does not fade stands there once
            found[models[0].name] = _best(events, judging, told, different, seed)
    return found


def _best(events: Events, lists: Impressions, told: ClickHistories, models: Sequence[Baseline], seed: int) -> HeldOut:
    """The held-out scores of the model that ranked the validation lists best; of equal ones the quickest."""
    number = np.repeat(np.arange(len(lists)), np.diff(lists.offsets))
    part = lists.part[number]
    chosen, best = HeldOut(np.empty(0, np.float32), models[0]), -np.inf
    for model in models:
        scores = model.scores(events, lists, told)
        some = part == VALIDATION
        figure = float(
            np.nan_to_num(impression_metrics(lists.label[some], scores[some], number[some], seed=seed)["mrr"])
        )
        if figure > best:
            chosen, best = HeldOut(scores[part == HOLDOUT], model), figure
    return chosen
