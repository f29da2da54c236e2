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
    """Scores of one baseline.

    Attributes:
        scores: float32 (H,), of the candidates of the held-out lists.
        model: the baseline at the pace that was chosen.
    """

    scores: Scores
    model: Baseline


def held_out_scores(events: Events, impressions: Impressions, *, gap_minutes: int, seed: int) -> dict[str, HeldOut]:
    """Score the held-out lists by every baseline but chance.

    Args:
        events: the log.
        impressions: all lists of it, with their parts.
        gap_minutes: the longest pause inside a visit.
        seed: of ties while a pace is chosen.

    Returns:
        Baseline -> its scores; without a held-out list they are empty.
    """
    judging = impressions.cut(int(np.searchsorted(impressions.part, VALIDATION)), len(impressions))
    histories = click_histories(events, judging, gap_minutes)
    at_pace = [all_baselines(seed=seed, pace=pace) for pace in PACES]
    scored: dict[str, HeldOut] = {}
    for models in zip(*at_pace, strict=True):
        if not isinstance(models[0], Chance):
            different = list(dict.fromkeys(models))  # one that does not fade stands there once
            scored[models[0].name] = _best(events, judging, histories, different, seed)
    return scored


def _best(
    events: Events, impressions: Impressions, histories: ClickHistories, models: Sequence[Baseline], seed: int
) -> HeldOut:
    """The held-out scores of the model that ranked the validation lists best; of equal ones the quickest."""
    number = np.repeat(np.arange(len(impressions)), np.diff(impressions.offsets))
    part = impressions.part[number]
    chosen, best = HeldOut(np.empty(0, np.float32), models[0]), -np.inf
    validation = part == VALIDATION
    for model in models:
        scores = model.scores(events, impressions, histories)
        label = impressions.label[validation]
        figures = impression_metrics(label, scores[validation], number[validation], seed=seed)
        figure = float(np.nan_to_num(figures["mrr"]))
        if figure > best:
            chosen, best = HeldOut(scores[part == HOLDOUT], model), figure
    return chosen
