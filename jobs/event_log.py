"""The event log as every stage reads it: people's events alone, and none from ahead of the clock."""

from jobs.runner import Job
from recsys.events import Events, of_people
from recsys.items.training import with_articles
from recsys.workspace import read_json, read_table


def whole_log(job: Job) -> Events:
    """The log as it counts, by the rows of the catalogue and of what only clicks know, sorted by identifier."""
    log = people_log(job)
    return with_articles(log, sorted(set(column(job, "events", "articles.parquet")) | set(log.article_ids)))


def people_log(job: Job) -> Events:
    """The log as all stages count it: people's, and nothing that lay ahead of the clock when ``events`` last ran."""
    facts = read_json(job.path("events") / "log.json")
    return of_people(job.event_log.load(until=int(facts["through"])), int(facts["newest"]))


def column(job: Job, stage: str, file: str, name: str = "id") -> list[str]:
    """One column of a stage's table."""
    values: list[str] = read_table(job.path(stage) / file, columns=[name])[name].to_pylist()
    return values
