"""Count clicks and impressions at several half-lives, and what is clicked together.

Reads the event log, the catalogue, ``articles/`` (a reader is what they clicked) and ``categories/``; produces the
files of ``recsys.trends.files``, from which the service goes on, and ``past/``, from which the next night does where
nothing of it has changed: see ``recsys.dataset.counted_past``.
"""

from pathlib import Path

from jobs.inputs import article_table, article_vectors, column, whole_log
from jobs.runner import ODD_READERS, Counts, Job, Stage
from recsys.config import plain
from recsys.dataset.counted_past import PastTerms, load_past, save_past
from recsys.dataset.log_counts import CountedPast, LogCounter, LogTables, settled_place
from recsys.errors import ArtefactError
from recsys.events import UNDATED, Events
from recsys.events.outcomes import READ_MS
from recsys.events.personal import last_forgotten
from recsys.trends.files import save_trends

STAGE = Stage("trends", inputs=("events", "articles", "categories"), sections=("trends", "events", "readers"))
PAST = "past"


def run(job: Job) -> Counts:
    """Count every event of the log, in time order, or those since the last night's.

    Returns:
        Counts: articles, events, those that were counted now, clicks, impressions, and how many events came late.
    """
    settings, events = job.settings, whole_log(job)
    table = article_table(job, events.article_ids)
    tables = LogTables(table.category, table.published, article_vectors(job, events.article_ids))
    sections = {name: plain(getattr(settings, name)) for name in STAGE.sections} | {"read_ms": READ_MS}
    terms = PastTerms(sections, list(table.codes), last_forgotten(job.path("events")))
    gap = settings.events.session_gap_minutes
    past = _past(job, events, tables, terms)
    counter = LogCounter(events, tables, settings.trends, gap, settings.readers, past)
    counted = len(events) - counter.place
    if (settled := settled_place(events)) >= counter.place:
        counter.count(settled)
        save_past(counter.past(), events, tables, terms, job.out / PAST)
    counter.count(len(events))
    trends = counter.trends
    as_of = int(events.time[-1]) if len(events.time) and events.time[-1] != UNDATED else None
    odd = [reader for reader in column(job, "events", ODD_READERS, "reader") if reader is not None]
    save_trends(trends, events.article_ids, list(table.codes), events.through, as_of, job.out, odd)
    shown, clicked = trends.all_total
    counts: Counts = {"articles": len(trends), "events": len(events), "counted": counted}
    return counts | {"clicks": clicked, "impressions": shown, "late": trends.odd["late"]}


def _past(job: Job, events: Events, tables: LogTables, terms: PastTerms) -> CountedPast | None:
    """The past that the last night left; None where there is none, it has changed, or ``--fresh`` is given."""
    if job.context.fresh or job.context.workspace.finished(STAGE.name) is None:
        return None
    settings = job.settings
    gap, pruned = settings.events.session_gap_minutes, settings.events.keep_days > 0
    try:
        folder: Path = job.path(STAGE.name) / PAST
        return load_past(folder, events, tables, terms, settings.trends, gap, pruned=pruned)
    except ArtefactError as error:
        job.log.warning("the whole log is counted", problem=str(error))
        return None
