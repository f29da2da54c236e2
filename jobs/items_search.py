"""``python -m jobs items --search``: what each setting of the item vectors is worth on the site's own log.

Reads the event log, the catalogue and ``articles/``; prints a table and produces ``items_search/search.json``: one
entry for the settings as they are, and one for each change. Nothing is made from it: it is for people.
"""

from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.inputs import log_and_vectors
from jobs.runner import Counts, Job, Stage
from recsys.config import plain
from recsys.dataset.item_search import changes, search
from recsys.workspace import write_json

STAGE = Stage("items_search", inputs=("events", "articles"), sections=("events", "items", "readers"), always=True)
SHOWN = {"HR@10": "cosine_hr@10", "MRR@10": "cosine_mrr@10", "by next-item score": "next_item_mrr@10"}


def run(job: Job) -> Counts:
    """Judge the settings and their changes, and print what each is worth.

    Returns:
        Counts: settings tried, lists ranked by each.

    Raises:
        DegenerateInput: the log holds no click that could be guessed.
    """
    config, half_life = job.settings.items, job.settings.readers.half_life_clicks
    _, events, content = log_and_vectors(job)
    gap = job.settings.events.session_gap_minutes
    tries = search(events, content, config, gap_minutes=gap, half_life=half_life, seed=job.seed)
    trials = list(job.track(tries, 1 + len(changes(config)), "settings"))
    facts = {"seed": job.seed, "half_life_clicks": half_life, "settings": plain(config)}
    write_json(job.out / "search.json", facts | {"tried": trials})
    Console().print(table(trials))
    return {"settings": len(trials), "lists": int(trials[0]["lists"])}


def table(trials: list[dict[str, Any]]) -> Table:
    """The settings as they are, and below what each change gains, with two standard errors."""
    shown = Table("setting", "value", *SHOWN, "± of MRR", box=None)
    for row in trials:
        first = not row["setting"]
        form = "{:.4f}" if first else "{:+.4f}"
        values = [form.format(row[key if first else f"{key}_gain"]) for key in SHOWN.values()]
        error = "" if first else f"{row['cosine_mrr@10_error']:.4f}"
        shown.add_row(row["setting"] or "as it is", "" if first else str(row["value"]), *values, error)
    return shown
