"""``python -m jobs events``: bring what is new in the store to where training reads it.

Reads the store; appends its new events to the Parquet log by day, each event once, removes from it what readers did who
were forgotten and what is older than ``events.keep_days``, and produces a snapshot of the catalogue and of what editors
said of stories, ``log/`` (the log as it counts: ``recsys.events.counted``), ``odd_readers.parquet`` (who is left out of
it), ``log.json`` (how far the log goes: ``through``, the last event, and ``newest``, the time after which events lie
ahead of this run's clock and wait; and the number of the last reader forgotten), and ``match.json`` (the share of
clicks of known articles).
"""

from dataclasses import asdict
from pathlib import Path

from jobs.runner import ODD_READERS, Counts, Job, Stage
from jobs.terminal import log
from recsys.errors import InputError
from recsys.events.catalogue import write_catalogue
from recsys.events.counted import COUNTED_LOG, count_log
from recsys.events.personal import clear_log, expire
from recsys.imports.matching import ADDRESS_REMEDY, CatalogueMatch, match_clicks, refuse_misfit
from recsys.keywords import save_editors_tags
from recsys.simulate import READER_PREFIX
from recsys.store import Store
from recsys.stories.editors_word import EditorsWord
from recsys.tokens.editors_words import save_word_decisions
from recsys.trends import MAX_FUTURE_MINUTES
from recsys.units import MINUTE_MS, now_ms
from recsys.workspace import read_json, read_table, write_json

MATCH = "match.json"


def check(folder: Path) -> None:
    """Refuse a log of which hardly a click is of a known article.

    Raises:
        InputError: it is; the message says what would match instead.
    """
    values = read_json(folder / MATCH)
    refuse_misfit(CatalogueMatch(values["clicks"], values["matched"], values["by_other_key"]), values["articles"])


STAGE = Stage("events", sections=("site", "events"), always=True, check=check)


def run(job: Job) -> Counts:
    """Append new events and write the catalogue.

    Returns:
        Counts: events in the log, new ones, articles, events held back, odd readers left out, clicks and those of known
        articles, and, if any, events of forgotten readers and old ones that were removed, and clicks of strangers that
        do not count.

    Raises:
        InputError: the store holds nothing of this site, as where the data folder's name is mistyped.
    """
    site, store = job.settings.site.id, job.open_store()
    try:
        _refuse_nothing(job, store)
        expired = expire(job.event_log, store, site, job.settings.events.keep_days)
        appended = job.event_log.append(store, site, lambda done: job.progress(done, "events"))
        forgotten, change = store.last_forgotten(site), store.last_change(site)
        removed = clear_log(job.event_log, store, site)
        articles, odd_articles = write_catalogue(store.articles(site), job.out / "articles.parquet")
        EditorsWord.of(store.story_decisions(site), store.story_names(site)).save(job.out)
        save_word_decisions(store.word_decisions(site), job.out)
        save_editors_tags(store.editors_tags(site), job.out)
        matched = _match(job, store, articles)
    finally:
        store.close()
    limit, ids = now_ms() + int(MAX_FUTURE_MINUTES * MINUTE_MS), read_table(job.out / "articles.parquet", ["id"])["id"]
    log_folder, odd_file = job.out / COUNTED_LOG, job.out / ODD_READERS
    found = count_log(job.event_log, ids.to_pylist(), limit, odd_file, log_folder)
    simulated = job.event_log.has_reader(READER_PREFIX)
    looked_at: Counts = {"events": found.events, "held": found.held, "odd": found.odd}
    counts = looked_at | {"new": appended.events, "articles": articles}
    facts = {"through": appended.through, "newest": found.newest, "simulated": simulated, "forgotten": forgotten}
    write_json(job.out / "log.json", facts | {"change": change} | looked_at)
    if found.held:
        remedy = "check the clocks that gave these times; the events count when their time has come"
        log.warning("events dated ahead of the clock are held back", events=found.held, remedy=remedy)
    for table, aside in (("events", job.event_log.set_aside), ("articles", odd_articles)):
        if aside:
            remedy = f"put them right in the table {table}, or delete them, then remove {job.event_log.root}"
            what = "rows that no importer could have written are set aside"
            log.warning(what, table=table, rows=len(aside), first=list(aside[:3]), remedy=remedy)
    if found.odd:
        log.warning("readers that no person could be are left out", readers=found.odd, clicks=found.odd_clicks)
    if found.unproven:
        remedy = "send the site's write key with what its own systems post, or set events.unsigned (docs/trust.md)"
        log.warning("clicks of strangers without a token are left out", clicks=found.unproven, remedy=remedy)
    said = {"forgotten": removed, "expired": expired, "unproven": found.unproven}
    return counts | matched | {name: number for name, number in said.items() if number}


def _match(job: Job, store: Store, articles: int) -> Counts:
    """Write the match of the clicks with the catalogue, and say so where few match."""
    match = match_clicks(job.event_log.clicks(), store.article_names(job.settings.site.id))
    write_json(job.out / MATCH, asdict(match) | {"articles": articles})
    if articles and (sentence := match.sentence(ADDRESS_REMEDY)):
        job.log.warning(sentence)
    return {"clicks": match.clicks, "clicks_of_known_articles": match.matched} if match.clicks else {}


def _refuse_nothing(job: Job, store: Store) -> None:
    site = job.settings.site.id
    if not store.last_seq(site) and next(iter(store.articles(site)), None) is None:
        raise InputError(
            f"articles or events of the site {site!r}",
            f"none in the store of the data folder {job.settings.data_dir.resolve()}",
            "Check RECSYS_DATA_DIR, store.url and site.id, or bring some in: python -m jobs import --help",
        )
