"""Lists of the log, scored by a release as it would have scored them: counts, readers and vectors as of each list.

Reads a laid-out release, the log and some of its last lists; produces a score for each candidate. Counts and readers
come from the log, strictly before each list; the release's item vectors learn on from ``since`` with every click, as
they do in service.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.impressions import Impressions
from recsys.dataset.training_set import TrainingSet, build_training_set
from recsys.events import Events
from recsys.features import COLUMN
from recsys.features.matrix import ArticleTables
from recsys.features.tags import ArticleTags
from recsys.gate.layout import LaidOutRelease
from recsys.items.online import OnlineItems
from recsys.items.training import with_articles
from recsys.trends.config import TrendsConfig
from recsys.units import NEVER_MS, UNKNOWN_ROW

Scores = npt.NDArray[np.float32]
_BY_ARTICLE = ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors", "ring_counts")


class GateLog(NamedTuple):
    """The log and the lists that judge.

    Attributes:
        events: people's, in time order.
        lists: the last ones, in time order, by the rows of ``events``.
        session_gap_minutes: the longest pause inside a visit.
        trends: half-lives of the counts.
        newest: ms: the newest event that counted when the log was read for the training.
    """

    events: Events
    lists: Impressions
    session_gap_minutes: int
    trends: TrendsConfig
    newest: int


def replayed_rows(log: GateLog, laid_out: LaidOutRelease, since: int) -> TrainingSet:
    """Describe the lists by one release's tables.

    Args:
        log: see ``GateLog``.
        laid_out: the release.
        since: ms: until then the item vectors have learned; at the latest the first list's time.
    """
    catalogue = laid_out.state.catalogue
    row_of = {article_id: row for row, article_id in enumerate(catalogue.ids)}
    unknown = [article_id for article_id in log.events.article_ids if article_id not in row_of]
    ids = [*catalogue.ids, *unknown]
    rows = {article_id: row for row, article_id in enumerate(ids)}
    moved = np.array([rows[article_id] for article_id in log.events.article_ids], np.int32)
    lists = replace(log.lists, article=moved[log.lists.article], refits=np.array([since], np.int64))
    tables = _tables(laid_out, len(catalogue.ids), len(unknown))
    readers = laid_out.artefacts.readers
    events = with_articles(log.events, ids)
    return build_training_set(events, lists, lambda *_: tables, log.trends, readers, log.session_gap_minutes)


def replayed_scores(log: GateLog, laid_out: LaidOutRelease, since: int) -> Scores:
    """Scores of the candidates of all lists: float32 (N,), probabilities, or by similarity where there is no model."""
    rows = replayed_rows(log, laid_out, since)
    if laid_out.model is None:
        return np.ascontiguousarray(rows.matrix[:, COLUMN["item_cosine"]])
    return laid_out.model.score(rows)


def _tables(laid_out: LaidOutRelease, known: int, unknown: int) -> ArticleTables:
    """The tables of a release by row, and after them as many articles of which only clicks are known."""
    state, columns = laid_out.state, laid_out.state.catalogue.columns
    tables = state.recommender.tables
    items = _copied(state.items, known, unknown)
    tags = tables.tags or ArticleTags.empty(known, 1)
    ids = tables.ids if tables.ids is not None else np.zeros((known, 2), np.int64)
    return ArticleTables(
        items.vectors,
        _with_rows(tables.article_vectors[:known], unknown, np.nan),
        _with_rows(np.asarray(columns.category[:known]), unknown, UNKNOWN_ROW),
        _with_rows(np.asarray(state.catalogue.published[:known]), unknown, NEVER_MS),
        items,
        _with_rows(ids[:known], unknown, 0),
        ArticleTags(_with_rows(tags.ids[:known], unknown, 0), _with_rows(tags.weights[:known], unknown, 0)),
        _with_rows(state.idf_vectors[:known], unknown, 0),
    )


def _copied(items: OnlineItems, known: int, unknown: int) -> OnlineItems:
    """Item vectors that may learn without a trace in the release that is laid out."""
    fills = {"content": np.nan, "vectors": np.nan}
    arrays = {name: _with_rows(getattr(items, name)[:known], unknown, fills.get(name, 0)) for name in _BY_ARTICLE}
    return items._replace(**arrays, recent=items.recent.copy(), state=items.state.copy())


def _with_rows(array: Any, more: int, fill: float) -> Any:
    """A copy with more rows behind it, each of one value."""
    return np.concatenate([array, np.full((more, *array.shape[1:]), fill, array.dtype)])
