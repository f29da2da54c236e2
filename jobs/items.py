"""Learn item vectors from clicks, and place articles that nobody clicked by their content.

Reads the event log, the catalogue, ``articles/`` and, when there are some, the last item vectors (the live release's,
else the workspace's own); produces ``items/ids.parquet`` (every article of the catalogue and of the log),
``items/vectors.npy`` and the tables to learn on from (see ``recsys.items.files``), ``items/source.npy``,
``items/projection.npy``, ``items/space.json``, and ``items/training.json``: how they were made, and their drift.

The last vectors are no input of the stage: they decide the frame, not whether new ones are made.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.event_log import column, whole_log
from jobs.publish import releases_of
from jobs.runner import Counts, Job, Stage
from recsys.errors import ArtefactError, MissingArtefact
from recsys.events import Events
from recsys.events.personal import without
from recsys.items import BEHAVIOUR, CONTENT, NO_VECTOR, Vectors, aligned
from recsys.items.alignment import continues, descended, told
from recsys.items.files import Last, load_last, rearranged, save_items
from recsys.items.training import CLICK
from recsys.workspace import load_npy, write_json

STAGE = Stage("items", inputs=("events", "articles"), sections=("items",))
SOURCES = {"behaviour": BEHAVIOUR, "content": CONTENT, "none": NO_VECTOR}


def run(job: Job) -> Counts:
    """Learn one item space from all clicks, or go on from the last one with the clicks since.

    Returns:
        Counts: articles, with a vector by behaviour, by content, without one, dimensions, clicks learned from, and the
        mean cosine with the last vectors.
    """
    config, (last, folder) = job.settings.items, last_items(job) or (None, Path())
    if last and config.start == "last" and knows_forgotten(job, folder):
        job.log.info("item vectors start anew", reason="a reader was forgotten since the last ones")
        config = config.model_copy(update={"start": "random"})
    ids, events, content = inputs(job)
    parent = rearranged(last.items, last.ids, ids, config) if last else None
    fresh = newer(events, last.through if last and continues(config, parent) else 0)
    clicks, start = int((events.kind[fresh] == CLICK).sum()), "last" if continues(config, parent) else "random"
    made, moved = descended(events, content, config, parent, fresh, seed=job.seed)
    if last and not moved:
        reason = "the last item vectors have another dimension, or too few articles with clicks are in both"
        job.log.warning("not aligned", reason=reason, effect="stored reader vectors mean nothing in the new space")
    save_items(made, ids, events.through, job.out)
    facts = {"start": start, "clicks": clicks} | told(moved, last.space if last else None, ids)
    write_json(job.out / "training.json", facts)
    counts: Counts = {name: int((made.source == source).sum()) for name, source in SOURCES.items()}
    drifted: Counts = {"mean_cosine_with_last": moved.mean_cosine} if moved and moved.shared else {}
    return {"articles": len(ids), **counts, "dimensions": config.embedding_dim, "clicks": clicks, **drifted}


def inputs(job: Job) -> tuple[list[str], Events, Vectors]:
    """What item vectors are learned from.

    Returns:
        The articles of the catalogue and of the log, the log by their rows, and their article vectors.
    """
    events = whole_log(job)
    return events.article_ids, events, article_vectors(job, events.article_ids)


def last_items(job: Job) -> tuple[Last, Path] | None:
    """The last item vectors and their folder: the live release's, else the workspace's; None without any to trust."""
    sources: list[Callable[[], Path]] = [
        lambda: releases_of(job.context).open().path("items"),
        lambda: job.path("items"),
    ]
    for source in sources:
        try:
            return load_last(folder := source()), folder
        except MissingArtefact:
            continue
        except ArtefactError as error:
            job.log.warning("last item vectors that cannot be used", problem=str(error))
    return None


def knows_forgotten(job: Job, folder: Path) -> bool:
    """Whether what stands in the folder of a last stage was learned from a reader who was forgotten since."""
    work = job.context.workspace.root
    return (0 if work in folder.parents else without(folder.parent / "events")) < without(work / "events")


def newer(events: Events, known: int) -> npt.NDArray[np.bool_]:
    """Which events came into the log after number ``known``, late ones with an old time included: bool (E,)."""
    return np.asarray(events.seq > known)


def article_vectors(job: Job, ids: list[str]) -> Vectors:
    """The article vectors by the rows of ``ids``: float32 (A, D), NaN where there is none."""
    return aligned(load_npy(job.path("articles") / "vectors.npy"), column(job, "articles", "ids.parquet"), ids)
