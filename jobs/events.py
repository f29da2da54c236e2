"""``python -m jobs events``: bring what is new in the store to where training reads it.

Reads the store; appends its new events to the Parquet log by day, each event once, removes from it what readers did who
were forgotten, and produces a snapshot of the catalogue, ``log.json``: how far the log goes, and which
forgotten readers it is without (the number of the last such change), and ``known.json``: which part of the clicks is of
known articles.
"""

from dataclasses import asdict
from pathlib import Path

from jobs.runner import Counts, Job, Stage
from jobs.terminal import log
from recsys.events.catalogue import write_catalogue
from recsys.events.personal import clear_log
from recsys.imports.known import Known, share_known
from recsys.quality.fit import ADDRESSES, refuse_misfit
from recsys.simulate import READER_PREFIX
from recsys.store import Store
from recsys.workspace import read_json, write_json

KNOWN = "known.json"


def check(folder: Path) -> None:
    """Refuse a log of which hardly a click is of a known article.

    Raises:
        InputError: it is; the message says what would match instead.
    """
    values = read_json(folder / KNOWN)
    refuse_misfit(Known(values["clicks"], values["known"], values["otherwise"]), values["articles"])


STAGE = Stage("events", sections=("site",), always=True, check=check)


def run(job: Job) -> Counts:
    """Append new events and write the catalogue.

    Returns:
        Counts: events in the log, new ones, articles, clicks and those of known articles, and events of forgotten
        readers that were removed, if any.
    """
    site, store = job.settings.site.id, job.open_store()
    try:
        appended = job.event_log.append(store, site, job.settings.events, lambda done: job.progress(done, "events"))
        forgotten = store.last_forgotten(site)
        removed = clear_log(job.event_log, store, site)
        articles = write_catalogue(store.articles(site), job.out / "articles.parquet")
        known = _known(job, store, articles)
    finally:
        store.close()
    events = job.event_log.count()
    simulated = job.event_log.has_reader(READER_PREFIX)
    facts = {"through": appended.through, "events": events, "simulated": simulated, "forgotten": forgotten}
    write_json(job.out / "log.json", facts)
    if not articles and not events:
        log.warning("the store is empty", site=site, remedy="Run: python -m jobs import --help")
    counts: Counts = {"events": events, "new": appended.events, "articles": articles}
    return counts | known | ({"forgotten": removed} if removed else {})


def _known(job: Job, store: Store, articles: int) -> Counts:
    """Write which part of the clicks is of known articles, and say it where it is small."""
    known = share_known(job.event_log.clicks(), store.article_names(job.settings.site.id))
    write_json(job.out / KNOWN, asdict(known) | {"articles": articles})
    if articles and (sentence := known.sentence(ADDRESSES)):
        job.log.warning(sentence)
    return {"clicks": known.clicks, "clicks_of_known_articles": known.known} if known.clicks else {}
