"""Count clicks and impressions at several half-lives.

Reads the event log; produces ``trends/state.safetensors`` (what ``Trends`` restores), ``trends/ids.parquet`` and
``trends/trends.json``. The service restores it and goes on from ``through``.
"""

import pyarrow as pa

from jobs.items import through
from jobs.runner import Counts, Job, Stage
from recsys.events import UNDATED
from recsys.trends import Trends, counted
from recsys.workspace import save_arrays, write_json, write_table

STAGE = Stage("trends", inputs=("events",), sections=("trends",))


def run(job: Job) -> Counts:
    """Count every event of the log, in time order.

    Returns:
        Counts: articles seen, events, clicks, impressions.
    """
    events = job.event_log.load(until=through(job))
    config = job.settings.trends
    trends: Trends = counted(events, config)
    save_arrays(job.out / "state.safetensors", trends.arrays())
    write_table(job.out / "ids.parquet", pa.table({"id": pa.array(events.article_ids, pa.string())}))
    as_of = int(events.time[-1]) if len(events.time) and events.time[-1] != UNDATED else None
    facts = {"through": events.through, "as_of": as_of, "half_lives_hours": list(config.half_lives_hours)}
    write_json(job.out / "trends.json", facts)
    shown, clicked = trends.all_total
    return {"articles": len(trends), "events": len(events.time), "clicks": clicked, "impressions": shown}
