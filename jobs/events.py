"""``python -m jobs events``: bring what is new in the store to where training reads it.

Reads the store; appends its new events to the Parquet log by day, each event once, removes from it what readers did who
were forgotten, and produces a snapshot of the catalogue and ``log.json``: how far the log goes, and which
forgotten readers it is without (the number of the last such change).
"""

from jobs.runner import Counts, Job, Stage
from jobs.terminal import log
from recsys.events.catalogue import write_catalogue
from recsys.events.personal import clear_log
from recsys.simulate import READER_PREFIX
from recsys.workspace import write_json

STAGE = Stage("events", sections=("site",), always=True)


def run(job: Job) -> Counts:
    """Append new events and write the catalogue.

    Returns:
        Counts: events in the log, new ones, articles, and those of forgotten readers that were removed, if any.
    """
    site, store = job.settings.site.id, job.open_store()
    try:
        appended = job.event_log.append(store, site, job.settings.events, lambda done: job.progress(done, "events"))
        forgotten = store.last_forgotten(site)
        removed = clear_log(job.event_log, store, site)
        articles = write_catalogue(store.articles(site), job.out / "articles.parquet")
    finally:
        store.close()
    events = job.event_log.count()
    simulated = job.event_log.has_reader(READER_PREFIX)
    facts = {"through": appended.through, "events": events, "simulated": simulated, "forgotten": forgotten}
    write_json(job.out / "log.json", facts)
    if not articles and not events:
        log.warning("the store is empty", site=site, remedy="Run: python -m jobs import --help")
    counts: Counts = {"events": events, "new": appended.events, "articles": articles}
    return counts | ({"forgotten": removed} if removed else {})
