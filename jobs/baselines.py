"""Score the held-out lists by known simple methods, so that the click model has something to beat.

Reads the event log, the catalogue and ``features/``; produces ``baselines/holdout.safetensors`` (baseline -> scores of
the held-out rows) and ``baselines/chosen.json`` (baseline -> its settings).
"""

from jobs.inputs import split_log
from jobs.runner import Counts, Job, Stage
from recsys.baselines.held_out import held_out_scores
from recsys.workspace import save_arrays, write_json

STAGE = Stage("baselines", inputs=("events", "features"), sections=("features", "events"))


def run(job: Job) -> Counts:
    """Score the lists.

    Returns:
        Counts: baselines, held-out rows.
    """
    events, lists = split_log(job)
    baselines = held_out_scores(events, lists, gap_minutes=job.settings.events.session_gap_minutes, seed=job.seed)
    save_arrays(job.out / "holdout.safetensors", {name: baseline.scores for name, baseline in baselines.items()})
    write_json(job.out / "chosen.json", {name: vars(baseline.model) for name, baseline in baselines.items()})
    return {"baselines": len(baselines), "rows": max(len(baseline.scores) for baseline in baselines.values())}
