"""What each setting of the item vectors is worth, on the site's own clicks.

Reads events and article vectors; produces HR@10 and MRR@10 of the next click, for the settings as they are and with one
of them changed at a time. The log is split in time: vectors are learned from the first part as training would, then the
rest is walked as the service would. All settings rank the same draws, so that a difference can be told from chance.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput
from recsys.events import Events
from recsys.items import Vectors
from recsys.items.config import ItemsConfig
from recsys.items.guessing import FOREVER_HOURS, VISIT_HOURS, Targets, targets_of, walk
from recsys.items.training import CLICK, clicks_of, item_vectors

TOP = 10
LEARNED_SHARE = 0.6  # of the clicks, first in time, that are learned from before the first list is ranked
RANKINGS = ("cosine", "next_item")  # to the reader vector; after the last clicks, see ``recsys.items.next_item``

Ranks = npt.NDArray[np.float64]

TRIED: Mapping[str, tuple[Any, ...]] = {
    "ns_exponent": (-1.0, -0.5, 0.0, 0.2, 0.5, 0.75, 1.0),
    "window": (1, 3, 10),
    "epochs": (1, 5, 20, 50),
    "embedding_dim": (16, 32, 64),
    "learning_rate": (0.1, 0.3, 0.6, 1.0),
    "learning_rate_decay": (0.0, 0.3, 0.5),
    "negatives": (5, 20),
    "recent_clicks": (300, 1_000, 3_000),
    "covisit_window_hours": (VISIT_HOURS, 24.0, 720.0),
    "prior_pairs": (1.0, 5.0, 20.0, 50.0),
}


def guessed(
    events: Events, content: Vectors, config: ItemsConfig, targets: Targets, *, half_life: float, seed: int
) -> Ranks:
    """Learn from the first part of a log and guess the clicks of the rest.

    Args:
        events: the log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: the settings to judge.
        targets: see ``targets_of``.
        half_life: clicks after which an older click of a reader counts half.
        seed: of the first vectors.

    Returns:
        float64 (L, 2): how many of the others stand before the target, by cosine and by next-item score.
    """
    rows, previous = clicks_of(events, config.covisit_window_hours)
    history = clicks_of(events, FOREVER_HOURS)[1]
    first = int(LEARNED_SHARE * len(rows))
    items = item_vectors(_first_clicks(events, first), content, config, seed=seed).online
    ranks = np.zeros((len(targets.click), 2))
    walk(items, rows, previous, history, targets, first, config.window, half_life, ranks)
    return ranks


def _first_clicks(events: Events, n: int) -> Events:
    """The log up to and without its click number ``n``."""
    end = int(np.append(np.flatnonzero(events.kind == CLICK), len(events))[n])
    columns: dict[str, Any] = {field.name: getattr(events, field.name) for field in fields(events)}
    cut: dict[str, Any] = {name: column[:end] for name, column in columns.items() if isinstance(column, np.ndarray)}
    return replace(events, **cut)


def _figures(ranks: Ranks, base: Ranks) -> dict[str, float]:
    """HR and MRR, what they differ by from ``base``, and two standard errors of the paired difference."""
    made: dict[str, float] = {}
    for by, kind in enumerate(RANKINGS):
        for name, gain in (("hr", _hit), ("mrr", _reciprocal)):
            here, change = gain(ranks[:, by]), gain(ranks[:, by]) - gain(base[:, by])
            key = f"{kind}_{name}@{TOP}"
            made[key] = round(float(here.mean()), 4)
            made[f"{key}_gain"] = round(float(change.mean()), 4)
            made[f"{key}_error"] = round(float(2 * change.std() / np.sqrt(len(change))), 4)
    return made


def _hit(ranks: Ranks) -> Ranks:
    return np.asarray(ranks < TOP, np.float64)


def _reciprocal(ranks: Ranks) -> Ranks:
    return np.where(ranks < TOP, 1 / (1 + ranks), 0.0)


def search(
    events: Events, content: Vectors, config: ItemsConfig, *, half_life: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Judge the settings as they are, then with one of them changed at a time.

    Args:
        events: the log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: the settings as they are.
        half_life: see ``guessed``.
        seed: of the draws and the first vectors.

    Yields:
        The setting that is changed (empty first), its value, and the figures; a gain smaller than its error may be
        chance.

    Raises:
        DegenerateInput: no list can be ranked.
    """
    targets = targets_of(events, LEARNED_SHARE, seed=seed)
    if not len(targets.click):
        got = "none: too few dated clicks of readers who had clicked before, or too few articles"
        raise DegenerateInput("lists to rank in the last part of the log", got, "Search again with more clicks.")
    base = guessed(events, content, config, targets, half_life=half_life, seed=seed)
    yield {"setting": "", "value": None, "lists": len(targets.click)} | _figures(base, base)
    for setting, value in changes(config):
        changed = config.model_copy(update={setting: value})
        ranks = guessed(events, content, changed, targets, half_life=half_life, seed=seed)
        yield {"setting": setting, "value": value, "lists": len(targets.click)} | _figures(ranks, base)


def changes(config: ItemsConfig) -> list[tuple[str, Any]]:
    """The settings and values that are tried, one at a time."""
    return [(name, value) for name, values in TRIED.items() for value in values if value != getattr(config, name)]
