"""Say what clicks the site and its sections are expected to have in the days to come.

Reads the event log and ``categories/``; produces the files of ``recsys.forecast.expected``, which go with the release:
the console and the admin API compare with them what comes.
"""

import numpy as np

from jobs.inputs import article_table, whole_log
from jobs.runner import Counts, Job, Stage
from recsys.events import KINDS, UNDATED
from recsys.forecast.expected import save_expected
from recsys.forecast.expecting import expect_clicks

STAGE = Stage("forecast", inputs=("events", "categories"), sections=("events", "site"))


def run(job: Job) -> Counts:
    """Expect clicks.

    Returns:
        Counts: series, dated clicks, days of history; of the site ``wape`` and ``coverage`` a day ahead, last week.
    """
    events = whole_log(job)
    events = events.where((events.kind == KINDS.index("click")) & (events.time != UNDATED))
    table = article_table(job, events.article_ids)
    section = table.category[events.article].astype(np.int64)
    expected = expect_clicks(events.time, section, list(table.codes), job.settings.site.timezone)
    save_expected(expected, job.out)
    counts: Counts = {"series": len(expected.names), "clicks": len(events)}
    facts = expected.facts[expected.names[0]] if expected.names else {}
    return counts | {name: value for name, value in facts.items() if value is not None}
