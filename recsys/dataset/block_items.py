"""Item vectors as they were known at the start of each block of time, as a task on record batches.

Reads the log as it counts and the article vectors; produces, for each time, the vectors that the clicks before it give
and all that they learn on from. Each time's are learned from scratch, whatever the others are, so that they can be
learned anywhere and in any order: on this machine or in a cluster, with the same bytes.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from safetensors.numpy import load, save

from recsys.config import plain
from recsys.events import Events
from recsys.events.counted import load_counted
from recsys.items import Vectors, aligned
from recsys.items.config import ItemsConfig
from recsys.items.files import restored, snapshot
from recsys.items.online import OnlineItems
from recsys.items.training import item_vectors
from recsys.parallel import BatchFunction, BatchMap, BatchTask
from recsys.workspace import load_npy, read_table

SCHEMA = pa.schema([("time", pa.int64()), ("items", pa.large_binary())])


class BlockItems(NamedTuple):
    """Item vectors at the start of a block: ms, and the vectors that learn on from there."""

    time: int
    items: OnlineItems


def learning(log: Path, articles: Path, config: ItemsConfig, seed: int) -> BatchTask:
    """Task that learns item vectors: a row with a ``time``, int64 ms, becomes one with the vectors before it.

    Args:
        log: folder of ``recsys.events.counted``.
        articles: folder of the articles artefact.
        config: learning settings.
        seed: the same seed and log give the same bytes.
    """
    return BatchTask(learn_blocks, {"config": plain(config), "seed": seed}, {"log": log, "articles": articles})


def learn_blocks(settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``learning``."""
    events = load_counted(files["log"])
    ids = read_table(files["articles"] / "ids.parquet", columns=["id"])["id"].to_pylist()
    content = aligned(load_npy(files["articles"] / "vectors.npy"), ids, events.article_ids)
    config = ItemsConfig.model_validate(settings["config"])
    return partial(_learned, events, content, config, int(settings["seed"]))


def _learned(events: Events, content: Vectors, config: ItemsConfig, seed: int, batch: pa.RecordBatch) -> pa.RecordBatch:
    times = batch.column("time").to_pylist()
    made = (item_vectors(events.before(time), content, config, seed=seed) for time in times)
    kept = [save(snapshot(items.online)) for items in made]
    return pa.record_batch([pa.array(times, pa.int64()), pa.array(kept, pa.large_binary())], schema=SCHEMA)


def items_at(times: Iterable[int], learn: BatchMap) -> Iterator[BlockItems]:
    """Item vectors at some times, in order.

    Args:
        times: ms.
        learn: a map with the task of ``learning``.
    """
    batches = (pa.record_batch([pa.array([time], pa.int64())], names=["time"]) for time in times)
    for result in learn(batches):
        yield BlockItems(result.column("time")[0].as_py(), restored(load(result.column("items")[0].as_py())))
