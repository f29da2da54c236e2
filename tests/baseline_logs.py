"""Random logs and lists for the tests of the baselines, and how a baseline and its oracle score them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from recsys.baselines import Baseline
from recsys.baselines.clicks import Scores
from recsys.dataset.impressions import Impressions, click_histories
from recsys.events import UNDATED, Events
from recsys.events.people import visitor_keys
from tests import baseline_oracles as oracle
from tests.clicks import HOUR, START, click, log_of

ARTICLES = 12
MINUTE = 60_000


def random_log(seed: int, clicks: int = 150, hours: float = 12.0) -> Events:
    """Readers, sessions without a reader, clicks of nobody, undated ones, repeats, equal times."""
    rng = np.random.default_rng(seed)
    made: list[tuple[Any, ...]] = [click(f"r{n % 3}", f"a{rng.integers(ARTICLES):02}", UNDATED) for n in range(6)]
    times = np.sort(rng.integers(0, int(hours * 60), clicks)) * MINUTE  # whole minutes: many are equal
    for time in times.tolist():
        who = int(rng.integers(8))
        reader, session = (f"r{who}" if who < 5 else None), (f"s{who}" if who in (5, 6) else None)
        made.append(click(reader, f"a{int(ARTICLES * rng.random() ** 2):02}", START + time, session=session))
    return log_of(made)


def random_lists(events: Events, seed: int, n: int = 40, candidates: int = 7) -> Impressions:
    """Lists shown at times of clicks, a moment after, or at any time; to known readers, sessions and nobody."""
    rng = np.random.default_rng(seed)
    dated = events.time[events.time != UNDATED]
    time = np.sort(rng.choice(dated, n) + rng.choice([0, 1, 5 * MINUTE, HOUR], n))
    article = np.concatenate([rng.permutation(len(events.article_ids))[:candidates] for _ in range(n)])
    return Impressions.unclicked(
        time=time,
        reader=rng.choice(np.append(np.unique(visitor_keys(events)), -1), n).astype(np.int64),
        offsets=np.arange(n + 1) * candidates,
        article=article.astype(np.int32),
    )


def scored(model: Baseline, events: Events, lists: Impressions) -> Scores:
    return model.scores(events, lists, click_histories(events, lists, 30))


def by_oracle(model: Any, table: Callable[..., oracle.Table], events: Events, lists: Impressions) -> list[float]:
    """The scores of every candidate, list by list, as the slow definition has them."""
    scores: list[float] = []
    for i in range(len(lists)):
        known = table(oracle.past_of(events, lists, i), model)
        scores += [known[row] for row in lists.article[lists.offsets[i] : lists.offsets[i + 1]].tolist()]
    return scores
