"""Learn item vectors from clicks, and place articles that nobody clicked by their content.

Reads the event log, the catalogue, ``articles/`` and, when there are some, the last item vectors (the live release's,
else the workspace's own); produces ``items/ids.parquet`` (every article of the catalogue and of the log),
``items/vectors.npy`` and the tables to learn on from (see ``recsys.items.files``), ``items/source.npy``,
``items/projection.npy``, ``items/space.json``, and ``items/training.json``: their start, and their drift.

The last vectors are no input of the stage: they decide the frame, not whether new ones are made.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from jobs.inputs import log_and_vectors
from jobs.previous import knows_forgotten, last_artefact
from jobs.runner import Counts, Job, Stage
from recsys.events import Events
from recsys.events.people import CLICK
from recsys.items import BEHAVIOUR, CONTENT, NO_VECTOR
from recsys.items.alignment import continues, drift_summary, trained_in_frame
from recsys.items.files import load_previous, reordered, save_items
from recsys.workspace import write_json

STAGE = Stage("items", inputs=("events", "articles"), sections=("items",))
SOURCES = {"behaviour": BEHAVIOUR, "content": CONTENT, "none": NO_VECTOR}


def run(job: Job) -> Counts:
    """Learn one item space from all clicks, or go on from the last one with the clicks since.

    Returns:
        Counts: articles, with a vector by behaviour, by content, without one, dimensions, clicks learned from, and the
        mean cosine with the last vectors.
    """
    config = job.settings.items
    previous, folder = last_artefact(job, "items", "item vectors", load_previous) or (None, Path())
    if previous and config.start == "last" and knows_forgotten(job, folder):
        job.log.info("item vectors start anew", reason="a reader was forgotten since the last ones")
        config = config.model_copy(update={"start": "random"})
    ids, events, content = log_and_vectors(job)
    parent = reordered(previous.items, previous.ids, ids, config) if previous else None
    goes_on = previous if continues(config, parent) else None
    fresh = newer(events, goes_on.through if goes_on else 0)
    clicks = int((events.kind[fresh] == CLICK).sum())
    trained, drift = trained_in_frame(events, content, config, parent, fresh, seed=job.seed)
    if previous and not drift:
        reason = "the last item vectors have another dimension, or too few articles with clicks are in both"
        job.log.warning("not aligned", reason=reason, effect="stored reader vectors mean nothing in the new space")
    save_items(trained, ids, events.through, job.out)
    facts = {"start": "last" if goes_on else "random", "clicks": clicks}
    write_json(job.out / "training.json", facts | drift_summary(drift, previous.space if previous else None, ids))
    counts: Counts = {name: int((trained.source == source).sum()) for name, source in SOURCES.items()}
    drifted: Counts = {"mean_cosine_with_last": drift.mean_cosine} if drift and drift.shared else {}
    return {"articles": len(ids), **counts, "dimensions": config.embedding_dim, "clicks": clicks, **drifted}


def newer(events: Events, through: int) -> npt.NDArray[np.bool_]:
    """Mask of the events that came into the log after number ``through``, late ones included: bool (E,)."""
    return np.asarray(events.seq > through)
