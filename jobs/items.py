"""Learn item vectors from clicks, and place articles that nobody clicked by their content.

Reads the event log, the catalogue, ``articles/`` and, when there are some, the last item vectors (the live release's,
else the workspace's own); produces ``items/ids.parquet`` (every article of the catalogue and of the log),
``items/vectors.npy`` and the tables to learn on from (see ``recsys.items.files``), ``items/source.npy``,
``items/projection.npy``, ``items/space.json``, and ``items/training.json``: how they were made, and their drift.

The last vectors are no input of the stage: they decide the frame, not whether new ones are made.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.inputs import article_vectors, whole_log
from jobs.previous import knows_forgotten, last_artefact
from jobs.runner import Counts, Job, Stage
from recsys.events import Events
from recsys.items import BEHAVIOUR, CONTENT, NO_VECTOR, Vectors
from recsys.items.alignment import continues, descended, told
from recsys.items.files import load_last, rearranged, save_items
from recsys.items.training import CLICK
from recsys.workspace import write_json

STAGE = Stage("items", inputs=("events", "articles"), sections=("items",))
SOURCES = {"behaviour": BEHAVIOUR, "content": CONTENT, "none": NO_VECTOR}


def run(job: Job) -> Counts:
    """Learn one item space from all clicks, or go on from the last one with the clicks since.

    Returns:
        Counts: articles, with a vector by behaviour, by content, without one, dimensions, clicks learned from, and the
        mean cosine with the last vectors.
    """
    config, (last, folder) = (
        job.settings.items,
        last_artefact(job, "items", "item vectors", load_last) or (None, Path()),
    )
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
    """Inputs of item vectors.

    Returns:
        The articles of the catalogue and of the log, the log by their rows, and their article vectors.
    """
    events = whole_log(job)
    return events.article_ids, events, article_vectors(job, events.article_ids)


def newer(events: Events, known: int) -> npt.NDArray[np.bool_]:
    """Mask of the events after ``seq`` ``known``, late ones with an old time included: bool (E,)."""
    return np.asarray(events.seq > known)
