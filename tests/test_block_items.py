"""Item vectors of blocks that are learned elsewhere are those that this process would learn, and learn on alike."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from recsys.dataset.block_items import items_at, learning
from recsys.dataset.temporal_split import split_impressions
from recsys.dataset.training_set import TrainingSet, block_starts, blocks_of, build_training_set
from recsys.events import Events
from recsys.events.counted import load_counted, save_counted
from recsys.features.config import FeaturesConfig
from recsys.features.matrix import ArticleTables
from recsys.items.config import ItemsConfig
from recsys.items.training import item_vectors
from recsys.parallel import BatchTask
from recsys.readers.config import ReadersConfig
from recsys.trends.config import TrendsConfig
from recsys.workspace import save_npy, write_table
from tests.clicks import toy_log

ITEMS = ItemsConfig(embedding_dim=8, max_trained_clicks=500)


@pytest.fixture
def log(tmp_path: Path) -> Events:
    """A log as it counts, beside article vectors by another order of the articles."""
    (tmp_path / "log").mkdir()
    events = save_counted(toy_log(), ["a title nobody clicked"], tmp_path / "log")
    ids = sorted(events.article_ids, reverse=True)
    vectors = np.random.default_rng(1).normal(size=(len(ids), 6)).astype(np.float32)
    (tmp_path / "articles").mkdir()
    save_npy(tmp_path / "articles" / "vectors.npy", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    write_table(tmp_path / "articles" / "ids.parquet", pa.table({"id": ids}))
    return events


def content_of(folder: Path) -> npt.NDArray[np.float32]:
    return np.load(folder / "articles" / "vectors.npy")[::-1].copy()  # type: ignore[no-any-return]


def test_rows_are_the_same_wherever_their_item_vectors_were_learned(log: Events, tmp_path: Path) -> None:
    lists = split_impressions(
        log, FeaturesConfig(refits=3), holdout=0.2, validation=0.1, session_gap_minutes=30, rng=np.random.default_rng(1)
    )
    content = content_of(tmp_path)
    nothing = np.full(len(content), -1)
    tables = ArticleTables(content, content, nothing.astype(np.int16), nothing.astype(np.int64))

    def here(events: Events, time: int) -> ArticleTables:
        made = item_vectors(events.before(time), content, ITEMS, seed=4)
        return ArticleTables(made.vectors, content, tables.category, tables.published, items=made.online)

    def elsewhere(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        function = BatchTask.from_json(task.as_json()).function()  # as another process receives it
        for folder in ("log", "articles"):
            (tmp_path / folder).rename(tmp_path / f"{folder} is gone")
        return iter(list(map(function, batches)))  # all before the first one is asked for

    def sent(_: Events, time: int) -> ArticleTables:
        block = next(blocks)
        assert block.time == time
        return ArticleTables(block.items.vectors, content, tables.category, tables.published, items=block.items)

    def built(tables_at) -> TrainingSet:  # type: ignore[no-untyped-def]
        return build_training_set(log, lists, tables_at, TrendsConfig(), ReadersConfig())

    task = learning(tmp_path / "log", tmp_path / "articles", ITEMS, seed=4)
    assert len(block_starts(lists)) > 1
    blocks = items_at(block_starts(lists), elsewhere)
    one, two = built(here), built(sent)
    np.testing.assert_array_equal(one.matrix, two.matrix)
    np.testing.assert_array_equal(one.history, two.history)


def test_only_blocks_that_have_lists_are_learned(log: Events) -> None:
    lists = split_impressions(
        log, FeaturesConfig(refits=2), holdout=0.2, validation=0.1, session_gap_minutes=30, rng=np.random.default_rng(1)
    )
    cut = lists.cut(len(lists) - 1, len(lists))
    assert block_starts(cut) == [int(lists.refits[blocks_of(lists)[-1]])]


def test_a_mapped_log_is_not_changed_by_whoever_reads_it(log: Events, tmp_path: Path) -> None:
    mine = load_counted(tmp_path / "log")
    mine.kind[0] = 99
    assert load_counted(tmp_path / "log").kind[0] == log.kind[0] != 99
