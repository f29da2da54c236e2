"""A log of clicks -> item vectors: the stream's own learning step, over the whole log, several times.

Reads events and article vectors; produces ``ItemVectors``. Clicks are taken in time order and every one is learned
from as it would be in the service (``recsys.items.online``), so that the last hours of a log are what its vectors know
best and the service goes on where training ends. Several passes make up for a small site's few clicks. With
``start: last`` the last vectors are the start and only the clicks since then are learned from, once.

Source: Barkan and Koenigstein 2016 (item2vec); Caselles-Dupré, Lesaint and Royo-Letelier 2018 (the negative sampling
exponent, epochs and window matter most).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.errors import DegenerateInput
from recsys.events import Events
from recsys.events.people import CLICK
from recsys.events.visits import Longs, clicks_before, table_rows, visits_of, window_starts
from recsys.items import (
    BEHAVIOUR,
    CONTENT,
    NO_VECTOR,
    Vectors,
    is_known,
    learn_projection,
    principal_projection,
    project,
)
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems, Rows, empty_online, learn_click, place_content
from recsys.units import HOUR_MS

RIDGE = 1.0  # penalty of the projection from content, in articles


@dataclass(frozen=True)
class ItemVectors:
    """Item vectors of A articles, and what is needed to go on.

    Attributes:
        online: the learned tables and the unit vectors.
        projection: float32 (D + 1, D2), see ``learn_projection``.
    """

    online: OnlineItems
    projection: Vectors

    @property
    def vectors(self) -> Vectors:
        """Unit item vectors, NaN where nothing is known: float32 (A, D2)."""
        return self.online.vectors

    @property
    def source(self) -> npt.NDArray[np.uint8]:
        """Source of each vector: uint8 (A,), BEHAVIOUR (blended with content), CONTENT or NO_VECTOR."""
        source = np.where(self.online.pair_counts > 0, BEHAVIOUR, np.where(is_known(self.vectors), CONTENT, NO_VECTOR))
        return source.astype(np.uint8)


class ClickWindows(NamedTuple):
    """C clicks of a log in time order, and those of known visitors by visitor and window.

    Attributes:
        article: int32 (C,), article rows in time order.
        row: int64 (C,), each click's row of ``by_visitor``; UNKNOWN_ROW for a click of nobody.
        by_visitor: int32 (K,), article rows, visitor by visitor.
        start: int64 (K,), see ``recsys.events.visits.window_starts``.
    """

    article: Rows
    row: Longs
    by_visitor: Rows
    start: Longs


def click_windows(events: Events, window_hours: float) -> ClickWindows:
    """The clicks of a log with the windows that they are learned in.

    Args:
        events: E events in time order.
        window_hours: the longest pause between two clicks of one window.
    """
    clicks, is_click = visits_of(events, 0), events.kind == CLICK  # only windows count here, which hold many visits
    start = window_starts(clicks, int(window_hours * HOUR_MS))
    return ClickWindows(events.article[is_click], table_rows(clicks, len(events))[is_click], clicks.article, start)


@compiled
def learn_clicks(items: OnlineItems, clicks: ClickWindows, chosen: Longs, window: int) -> None:
    """Learn from clicks of a log, each with up to ``window`` clicks before it.

    Args:
        items: changed in place.
        clicks: of the log.
        chosen: int64 (n,), the clicks to learn from, ascending; the others are context only.
        window: clicks before an article that count as its context.
    """
    for click in chosen:
        context = clicks_before(clicks.by_visitor, clicks.start, clicks.row[click], window)
        learn_click(items, context, as_int64(clicks.article[click]))


def learned(events: Events, n_articles: int, config: ItemsConfig, *, seed: int) -> OnlineItems:
    """Item vectors by behaviour alone.

    The pair counts hold each pair of the log once, however many passes were made.

    Args:
        events: only what may be known; ``events.before`` cuts it.
        n_articles: A.
        config: learning settings.
        seed: the same seed and log give the same bytes.

    Raises:
        DegenerateInput: the vectors have grown beyond all bounds.
    """
    items = empty_online(n_articles, config, seed=seed)
    clicks = click_windows(events, config.covisit_window_hours)
    every = np.arange(len(clicks.article))
    epochs = max(1, min(config.epochs, config.max_trained_clicks // max(1, len(every))))
    for _ in range(epochs):
        learn_clicks(items, clicks, every, config.window)
    items.pair_counts[:] /= np.float32(epochs)
    check_finite(items)
    return items


def check_finite(items: OnlineItems) -> None:
    """Refuse tables that have diverged.

    Raises:
        DegenerateInput: an input or output embedding is not finite.
    """
    if not (np.isfinite(items.input_embeddings).all() and np.isfinite(items.output_embeddings).all()):
        raise DegenerateInput("finite item vectors", "NaN or infinity", "Lower items.learning_rate or items.negatives.")


def with_content(items: OnlineItems, content: Vectors, config: ItemsConfig) -> ItemVectors:
    """Learn the projection from content to behaviour, and place every article by both.

    Args:
        items: changed in place.
        content: float32 (A, D), article vectors, unit or NaN rows.
        config: how many pairs weigh as much as the text.
    """
    clicked = items.pair_counts > 0
    if clicked.any():
        behaviour = unblended(items)
        weights = items.pair_counts / (items.pair_counts + np.float32(config.prior_pairs))
        projection = learn_projection(content, behaviour, RIDGE, weights)
    else:
        projection = principal_projection(content, config.embedding_dim)
    place_contents(items, project(content, projection))
    return ItemVectors(items, projection)


def unblended(items: OnlineItems) -> Vectors:
    """Unit vectors by behaviour alone, NaN for articles without clicks: float32 (A, D2)."""
    sums = items.input_embeddings + items.output_embeddings
    sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-8))
    sums[items.pair_counts == 0] = np.nan
    return np.asarray(sums, np.float32)


@compiled
def place_contents(items: OnlineItems, projected: Vectors) -> None:
    """Place every article by its text: float32 (A, D2), unit or NaN rows."""
    for row in range(len(projected)):
        place_content(items, row, projected[row])


def item_vectors(events: Events, content: Vectors, config: ItemsConfig, *, seed: int) -> ItemVectors:
    """The item vectors that a log gives.

    Args:
        events: only what may be known; ``events.before`` cuts it.
        content: float32 (A, D), article vectors by the log's article rows, unit or NaN.
        config: learning settings.
        seed: the same seed and log give the same bytes.
    """
    return with_content(learned(events, len(content), config, seed=seed), content, config)


def updated(
    items: OnlineItems, events: Events, fresh: npt.NDArray[np.bool_], content: Vectors, config: ItemsConfig
) -> ItemVectors:
    """The previous item vectors after the clicks that came since, each learned from once.

    Args:
        items: the previous vectors by the log's article rows, see ``recsys.items.files.reordered``; changed in place.
        events: the whole log: older clicks are context.
        fresh: bool (E,), the events that the previous vectors do not know yet.
        content: float32 (A, D), article vectors, unit or NaN rows.
        config: learning settings.

    Raises:
        DegenerateInput: the vectors have grown beyond all bounds.
    """
    clicks = click_windows(events, config.covisit_window_hours)
    learn_clicks(items, clicks, np.flatnonzero(fresh[events.kind == CLICK]), config.window)
    check_finite(items)
    return with_content(items, content, config)


def with_articles(events: Events, ids: Sequence[str]) -> Events:
    """The same events with article rows of another list of identifiers, which must hold all of the log's."""
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    rows = np.array([row_of[article_id] for article_id in events.article_ids], np.int32)
    return replace(events, article=rows[events.article], article_ids=list(ids))
