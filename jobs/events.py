"""``python -m jobs events``: bring what is new in the store to where training reads it.

Reads the store; appends its new events to the Parquet log by day, each event once, and produces a snapshot of the
catalogue and ``log.json``, which says how far the log goes.
"""

from jobs.runner import Counts, Job, Stage
from jobs.terminal import log
from recsys.events.catalogue import write_catalogue
from recsys.simulate import READER_PREFIX
from recsys.workspace import write_json

STAGE = Stage("events", sections=("site",), always=True)


def run(job: Job) -> Counts:
    """Append new events and write the catalogue.

    Returns:
        Counts: events in the log, new ones, articles.
    """
    site, store = job.settings.site.id, job.open_store()
    try:
        appended = job.event_log.append(store, site, job.settings.events, lambda done: job.progress(done, "events"))
        articles = write_catalogue(store.articles(site), job.out / "articles.parquet")
    finally:
        store.close()
    events = job.event_log.count()
    simulated = job.event_log.has_reader(READER_PREFIX)
    write_json(job.out / "log.json", {"through": appended.through, "events": events, "simulated": simulated})
    if not articles and not events:
        log.warning("the store is empty", site=site, remedy="Run: python -m jobs import --help")
    return {"events": events, "new": appended.events, "articles": articles}
