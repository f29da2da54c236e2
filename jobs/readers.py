"""Train the encoder that turns a reader's last clicks into what they will look for next.

Reads the event log and ``items/``; produces ``readers/readers.json`` and, where ``readers.encoder`` names an encoder
that is trained (gru), ``readers/encoder.safetensors`` and ``readers/encoder.json``. The others have nothing to learn.
"""

from collections.abc import Iterable

from jobs.inputs import whole_log
from jobs.runner import Counts, Job, Stage
from recsys.dataset.encoder_lists import encoder_lists
from recsys.items.files import load_online
from recsys.items.training import with_articles
from recsys.readers.training import MIN_LISTS, fit
from recsys.workspace import read_json, write_json

STAGE = Stage("readers", inputs=("events", "items"), sections=("events", "items", "readers"))


def run(job: Job) -> Counts:
    """Train, where there is something to train and enough to learn from; the decayed mean serves elsewhere.

    Returns:
        Counts: whether an encoder was trained, and then its best epoch and validation loss, beside that of the mean.
    """
    config = job.settings.readers
    if not config.is_trained:
        write_json(job.out / "readers.json", {"encoder": config.encoder})
        return {"trained": 0}

    def track(epochs: Iterable[int]) -> Iterable[int]:
        return job.track(epochs, 2 * config.epochs, "epochs")

    items, ids = load_online(job.path("items"))
    events = with_articles(whole_log(job), ids)
    gap = job.settings.events.session_gap_minutes
    lists = encoder_lists(events, items, job.settings.items, config, gap, seed=job.seed)
    if lists is None or len(lists) < MIN_LISTS:
        job.log.warning("no encoder", remedy="import more clicks", effect="readers are served by the decayed mean")
        write_json(job.out / "readers.json", {"encoder": "mean"})
        return {"trained": 0}
    encoder, training = fit(lists, config, seed=job.seed, track=track)
    encoder.space = str(read_json(job.path("items") / "space.json")["space"])
    encoder.save(job.out)
    write_json(job.out / "readers.json", {"encoder": config.encoder, **training._asdict()})
    losses = training.validation_loss
    return {
        "trained": 1,
        "best_epoch": training.best_epoch,
        "loss": round(losses[training.best_epoch], 5),
        "loss_of_mean": round(losses[0], 5),
    }
