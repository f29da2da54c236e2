"""Count clicks and impressions at several half-lives, and what is clicked together.

Reads the event log, the catalogue, ``articles/`` (a reader is what they clicked) and ``categories/``; produces the
files of ``recsys.trends.files``. The service restores them and goes on from ``through``.
"""

from jobs.inputs import article_table, article_vectors, column, whole_log
from jobs.runner import ODD_READERS, Counts, Job, Stage
from recsys.dataset.replay import count_log
from recsys.events import UNDATED
from recsys.trends.files import save_trends

STAGE = Stage("trends", inputs=("events", "articles", "categories"), sections=("trends", "events", "readers"))


def run(job: Job) -> Counts:
    """Count every event of the log, in time order.

    Returns:
        Counts: articles, events, clicks, impressions, and how many events came late.
    """
    events = whole_log(job)
    table = article_table(job, events.article_ids)
    gap = job.settings.events.session_gap_minutes
    vectors = article_vectors(job, events.article_ids)
    trends = count_log(events, job.settings.trends, table.category, table.published, gap, vectors, job.settings.readers)
    as_of = int(events.time[-1]) if len(events.time) and events.time[-1] != UNDATED else None
    odd = [reader for reader in column(job, "events", ODD_READERS, "reader") if reader is not None]
    save_trends(trends, events.article_ids, list(table.codes), events.through, as_of, job.out, odd)
    shown, clicked = trends.all_total
    counts: Counts = {"articles": len(trends), "events": len(events), "clicks": clicked, "impressions": shown}
    return counts | {"late": trends.odd["late"]}
