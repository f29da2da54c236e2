"""One run: a log replayed with one seed, ours and the baselines on the same draws."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.next_click.data import sampled_lists
from benchmarks.next_click.ease import Ease
from benchmarks.next_click.figures import ranks, sampled_figures
from benchmarks.next_click.ials import Ials
from benchmarks.next_click.serving import Serving
from recsys.baselines import all_baselines
from recsys.ctr.config import CtrConfig
from recsys.ctr.saved import CandidateSampling
from recsys.ctr.scoring import SamplingCorrection
from recsys.ctr.trainer import OnlineTrainer
from recsys.dataset.impressions import Impressions, click_histories
from recsys.dataset.replay import LogReplay
from recsys.evaluate.prequential import PrequentialModel, RefitSchedule, ScoredImpressions, prequential_scores
from recsys.events import Events
from recsys.features import NAMES
from recsys.features.matrix import ArticleTables
from recsys.features.rows import LabelledRows
from recsys.items.config import ItemsConfig
from recsys.items.online import empty_online
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.units import HOUR_MS

Array = npt.NDArray[Any]

OTHERS = 50
ANY_OF_DAY = 10
SIZE = 1 + OTHERS + ANY_OF_DAY
GAP_MINUTES = 30
FIRST_HOUR = 24.0  # lists before it are not shown to the model: counts have to fill first
# From an hour's clicks; the draw from the day's articles adds half a click to each.
SAMPLING = CandidateSampling("clicks_short", 0.5)
CTR = CtrConfig(hidden_units=(128, 128), dropout=0.0, batch_size=128 * 21, click_rate_share=0.0)


@dataclass(frozen=True)
class Options:
    """Scope of a run: hours of the log; minutes of it in which whole lists are served; whether baselines run."""

    from_hour: float
    to_hour: float
    serve_minutes: float
    baselines: bool


@dataclass
class Run:
    """Outcome of a run.

    Attributes:
        ours: model -> figures.
        baselines: the same.
        predictions: targets judged.
        seconds: of the replay, from the first event to the last score; the baselines and the served lists, with the
            model of their own, not counted.
    """

    predictions: int
    seconds: float
    ours: dict[str, dict[str, float]] = field(default_factory=dict)
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)


class Timed(OnlineTrainer):
    """A learner that counts the seconds that it spends learning."""

    seconds = 0.0

    def learn(self, rows: LabelledRows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
        """See ``OnlineTrainer``."""
        began = time.monotonic()
        loss = super().learn(rows, epochs=epochs, learning_rate=learning_rate)
        self.seconds += time.monotonic() - began
        return loss


def contenders(seed: int, columns: Mapping[str, tuple[str, ...]]) -> dict[str, PrequentialModel]:
    """A model of its own for each set of columns."""
    return {name: PrequentialModel(OnlineTrainer(own, CTR, seed=seed), own) for name, own in columns.items()}


def tables_of(events: Events, seed: int) -> ArticleTables:
    """A site of which nothing is known but clicks: item vectors that start at nothing."""
    A = len(events.article_ids)
    items = empty_online(A, ItemsConfig(), seed=seed)
    nothing = np.empty((A, 0), np.float32)
    return ArticleTables(items.vectors, nothing, np.full(A, -1, np.int16), np.full(A, -1, np.int64), items)


def lists_for(events: Events, options: Options, seed: int) -> tuple[Impressions, Array, int]:
    """The lists that teach and those that judge, which of their targets were clicked lately, and the first to judge."""
    start = int(events.time[0])
    first = start + int(min(FIRST_HOUR, options.from_hour / 3) * HOUR_MS)
    stop = start + int(options.to_hour * HOUR_MS)
    lists, clicked = sampled_lists(events, first, stop, OTHERS, ANY_OF_DAY, seed)
    return lists, clicked, int(np.searchsorted(lists.time, start + int(options.from_hour * HOUR_MS)))


def extra_of(lists: Impressions) -> npt.NDArray[np.bool_]:
    """The candidates that only teach: bool (N,)."""
    return np.tile(np.arange(SIZE) > OTHERS, len(lists))


def places_of(parts: Iterable[ScoredImpressions], n: int, judged: int, seed: int) -> dict[str, Array]:
    """The place of each target by each contender, int (n,), from 0; a list that was not scored counts as lost."""
    places: dict[str, Array] = defaultdict(lambda: np.full(n, OTHERS, np.int64))
    for part in parts:
        places[part.name][part.start - judged : part.stop - judged] = ranks(part.scores, SIZE, 1 + OTHERS, seed)
    return dict(places)


def run(events: Events, options: Options, seed: int) -> Run:
    """Replay a log."""
    lists, clicked, judged = lists_for(events, options, seed)
    began = time.monotonic()
    walk = LogReplay(events, lists, TrendsConfig(), ReadersConfig(), GAP_MINUTES)
    tables = tables_of(events, seed)
    walk.use_tables(tables)
    models = contenders(seed, {"click_model": NAMES})
    pupil = Timed(NAMES, CTR, seed=seed)
    served_model = PrequentialModel(pupil, sees_extra=True, is_scored=False)
    if options.serve_minutes:
        models["served"] = served_model
    models |= {
        "items": PrequentialModel(None, ("item_visit",)),
        "items_affinity": PrequentialModel(None, ("next_item_score",)),
    }
    served = SamplingCorrection(served_model, NAMES, SAMPLING)
    serving = Serving(events, lists, walk, tables, served, options.serve_minutes, judged)
    parts = prequential_scores(
        walk,
        lists,
        models,
        RefitSchedule(),
        seed=seed,
        score_from=judged,
        serve=serving.serve,
        served=serving.served,
        extra=extra_of(lists),
    )
    places = places_of(parts, len(lists) - judged, judged, seed)
    outcome = Run(len(lists) - judged, time.monotonic() - began - serving.seconds - pupil.seconds)
    judging, recent = lists.cut(judged, len(lists)), clicked[judged:]
    for name in places:
        outcome.ours[name] = sampled_figures(places[name], recent)
    outcome.ours["click_model"] |= serving.figures()
    if options.baselines:
        known = click_histories(events, judging, GAP_MINUTES)
        for model in (*all_baselines(seed=seed), Ials(seed=seed), Ease()):
            table = model.scores(events, judging, known)
            outcome.baselines[model.name] = sampled_figures(ranks(table, SIZE, 1 + OTHERS, seed), recent)
            outcome.baselines[model.name] |= serving.baseline_figures(model)
    return outcome
