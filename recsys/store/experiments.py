"""Experiments and exposures: what is tried, who was served by which arm, and what they did before and after.

Reads and writes the tables ``experiments`` and ``exposures``, and reads the events. A reader is exposed once, with the
first list that an arm made for them; later lists of the same reader change nothing. One experiment of a site runs at a
time. A reader who is forgotten leaves no exposure, and none that was still on its way is taken in. Whoever gets a list
from a host on which an arm's release is not served counts in no arm any more, whichever theirs is.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from recsys.errors import Busy, UnknownName
from recsys.store import schema
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.forgetting import reader_digest
from recsys.store.records import Evidence, Kind, compact_json
from recsys.units import DAY_MS

READERS_AT_ONCE = 5_000  # rows of outcomes in memory
WRITTEN_AT_ONCE = 1_000  # rows of a statement: SQLite binds 32,766 values at most
LEFT_OUT = -1  # number of no arm: of readers whom more than one release served
experiments, exposures, events = schema.experiments, schema.exposures, schema.events
articles, forgotten = schema.articles, schema.forgotten_readers


class ExperimentArm(NamedTuple):
    """One arm.

    Attributes:
        name: of it.
        share: of the readers, above 0 and at most 1.
        settings: key of the section ``recommend`` -> value, or ``release`` -> its name; empty for the control, which is
            served as the site is.
    """

    name: str
    share: float
    settings: dict[str, Any]

    @property
    def release(self) -> str | None:
        """The release that serves it, where it is one: a canary."""
        return self.settings.get("release")


class StoredExperiment(NamedTuple):
    """One experiment. Times are int ms UTC.

    Attributes:
        site: whose.
        name: unique within the site.
        salt: of the assignment.
        arms: the control first.
        window_days: from a reader's first list on, that their outcome is taken over.
        started_at: when it began.
        started_by: who began it.
        stopped_at: None while it runs.
        stopped_by: who stopped it.
    """

    site: str
    name: str
    salt: str
    arms: tuple[ExperimentArm, ...]
    window_days: int
    started_at: int
    started_by: str
    stopped_at: int | None = None
    stopped_by: str | None = None


class Exposure(NamedTuple):
    """A reader's first list that an arm made: the reader, the arm's number, int ms UTC."""

    reader: str
    arm: int
    first_at: int


class ReaderOutcome(NamedTuple):
    """A reader's sums over the window from their first list on, and over as long before it.

    Attributes:
        reader: id; arm: number.
        clicks, impressions, hides: events; dwell_ms: of all; days: on which there was any; categories: opened.
        clicks_before, impressions_before, hides_before, dwell_ms_before, days_before, categories_before: likewise.
    """

    reader: str
    arm: int
    clicks: int
    impressions: int
    hides: int
    dwell_ms: int
    days: int
    categories: int
    clicks_before: int
    impressions_before: int
    hides_before: int
    dwell_ms_before: int
    days_before: int
    categories_before: int


class ExperimentStore(Database):
    """The tables of experiments."""

    def start_experiment(self, experiment: StoredExperiment) -> None:
        """Begin an experiment.

        Raises:
            Busy: one of that name has been, or another one runs.
        """
        with self.writing() as connection:
            named = select(experiments.c.name).where(_named(experiment.site, experiment.name))
            if connection.scalar(named) is not None:
                raise Busy(
                    "a new name", f"{experiment.name!r}, which has been", "Take another: its readers would be mixed."
                )
            runs = (experiments.c.site == experiment.site) & experiments.c.stopped_at.is_(None)
            if (other := connection.scalar(select(experiments.c.name).where(runs))) is not None:
                raise Busy("no other experiment that runs", f"{other!r}", "Stop it first.")
            arms = [arm._asdict() for arm in experiment.arms]
            values = experiment._asdict() | {"arms": compact_json(arms), "started_by": str(experiment.started_by)}
            connection.execute(insert(experiments).values(values))
            said = {"arms": arms, "window_days": experiment.window_days}
            about = (experiment.site, experiment.started_by, "start", f"experiment {experiment.name}")
            write_audit(connection, *about, after=said)

    def stop_experiment(self, site: str, name: str, by: str, now: int, reason: str = "") -> StoredExperiment:
        """End an experiment: every reader is served as the site is, within a poll; what was is kept.

        Raises:
            UnknownName: there is none of that name.
        """
        with self.writing() as connection:
            row = connection.execute(select(experiments).where(_named(site, name))).first()
            if row is None:
                raise UnknownName("an experiment", f"{name!r:.80}", "GET /admin/api/experiments lists them.")
            if row.stopped_at is None:
                values = {"stopped_at": now, "stopped_by": str(by)}
                connection.execute(update(experiments).where(_named(site, name)).values(values))
                write_audit(
                    connection, site, by, "stop", f"experiment {name}", after={"stopped_at": now}, reason=reason
                )
            row = connection.execute(select(experiments).where(_named(site, name))).one()
        return _experiment(row)

    def experiments(self, site: str, *, running: bool = False) -> list[StoredExperiment]:
        """The experiments of a site, the newest first; only the one that runs, if any."""
        query = select(experiments).where(experiments.c.site == site)
        if running:
            query = query.where(experiments.c.stopped_at.is_(None))
        with self.reading() as connection:
            rows = connection.execute(query.order_by(experiments.c.started_at.desc(), experiments.c.name))
            return [_experiment(row) for row in rows]

    def experiment(self, site: str, name: str) -> StoredExperiment:
        """One experiment.

        Raises:
            UnknownName: there is none of that name.
        """
        for one in self.experiments(site):
            if one.name == name:
                return one
        raise UnknownName("an experiment", f"{name!r:.80}", "GET /admin/api/experiments lists them.")

    def add_exposures(self, site: str, experiment: str, exposed: Iterable[Exposure]) -> int:
        """Write first lists down; who is exposed already stays as they are, who was forgotten since is left out.

        Returns:
            How many were new.
        """
        rows = list(exposed)
        if not rows:
            return 0
        insert_into = postgresql.insert if self.is_postgresql else sqlite.insert
        with self.writing() as connection:
            gone = _forgotten_since(connection, site, rows)
            values = [
                {"site": site, "experiment": experiment, **row._asdict()} for row in rows if row.reader not in gone
            ]
            added = 0
            for start in range(0, len(values), WRITTEN_AT_ONCE):
                part = values[start : start + WRITTEN_AT_ONCE]
                new = insert_into(exposures).values(part).on_conflict_do_nothing().returning(exposures.c.reader)
                added += len(connection.execute(new).all())
            return added

    def leave_out(self, site: str, experiment: str, readers: Iterable[str], since: int) -> int:
        """Let readers count in no arm who were first exposed at a time or after it.

        Returns:
            How many there were.
        """
        names, left = sorted(set(readers)), 0
        of = (exposures.c.site == site) & (exposures.c.experiment == experiment)
        counted = of & (exposures.c.arm != LEFT_OUT) & (exposures.c.first_at >= since)
        for start in range(0, len(names), WRITTEN_AT_ONCE):
            those = counted & exposures.c.reader.in_(names[start : start + WRITTEN_AT_ONCE])
            with self.reading() as connection:
                if connection.execute(select(exposures.c.reader).where(those).limit(1)).first() is None:
                    continue
            with self.writing() as connection:
                left += connection.execute(update(exposures).where(those).values(arm=LEFT_OUT)).rowcount
        return left

    def exposed_readers(self, site: str, experiment: str) -> dict[int, int]:
        """Readers of each arm, by its number; under ``LEFT_OUT`` those who count in none."""
        of = (exposures.c.site == site) & (exposures.c.experiment == experiment)
        return self._by_arm(select(exposures.c.arm, func.count()).where(of).group_by(exposures.c.arm))

    def shown_articles(self, site: str, experiment: str, window_days: int) -> dict[int, int]:
        """Different articles that readers of each arm were shown in their windows, by its number."""
        window = window_days * DAY_MS
        inside = (events.c.time >= exposures.c.first_at) & (events.c.time < exposures.c.first_at + window)
        joined = exposures.join(events, _same_reader() & inside & (events.c.kind == Kind.IMPRESSION.value))
        query = select(exposures.c.arm, func.count(events.c.article.distinct())).select_from(joined)
        of = (exposures.c.site == site) & (exposures.c.experiment == experiment)
        return self._by_arm(query.where(of).group_by(exposures.c.arm))

    def _by_arm(self, query: Any) -> dict[int, int]:
        with self.reading() as connection:
            return {int(row[0]): int(row[1]) for row in connection.execute(query)}

    def outcomes(self, site: str, experiment: str, window: int, exposed_before: int) -> Iterator[list[ReaderOutcome]]:
        """Sums of the readers whose window is over, in the order of their ids, some at once.

        Events without evidence (``Evidence``) say nothing, as in all counts.

        Args:
            site: the site.
            experiment: name of it.
            window: ms, from a reader's first list on; as long before it.
            exposed_before: ms: only readers whose first list was earlier.
        """
        last = ""
        while rows := self._outcomes_after(last, site, experiment, window, exposed_before):
            last = rows[-1].reader
            yield rows

    def _outcomes_after(
        self, last: str, site: str, experiment: str, window: int, exposed_before: int
    ) -> list[ReaderOutcome]:
        first = exposures.c.first_at
        of = (exposures.c.site == site) & (exposures.c.experiment == experiment)
        some = (
            select(exposures.c.site, exposures.c.reader, exposures.c.arm, first)
            .where(of, exposures.c.arm != LEFT_OUT, first < exposed_before, exposures.c.reader > last)
            .order_by(exposures.c.reader)
            .limit(READERS_AT_ONCE)
            .subquery()
        )
        near = (events.c.time >= some.c.first_at - window) & (events.c.time < some.c.first_at + window)
        counted = events.c.proof.is_(None) | (events.c.proof == Evidence.SIGNED.value)
        own = (events.c.site == some.c.site) & (events.c.reader == some.c.reader) & near & counted
        about = (articles.c.site == events.c.site) & (articles.c.id == events.c.article)
        joined = some.outerjoin(events, own).outerjoin(articles, about)
        after = events.c.time >= some.c.first_at
        day = (events.c.time - some.c.first_at + window) / DAY_MS
        sums = [column for part in (after, ~after) for column in _sums(part, func.floor(day))]
        query = select(some.c.reader, some.c.arm, *sums).select_from(joined)
        query = query.group_by(some.c.reader, some.c.arm).order_by(some.c.reader)
        with self.reading() as connection:
            return [ReaderOutcome(row[0], *(int(value or 0) for value in row[1:])) for row in connection.execute(query)]


def _sums(part: Any, day: Any) -> list[Any]:
    """Sums over a part of a reader's events, in the order of ``ReaderOutcome``."""
    click = part & (events.c.kind == Kind.CLICK.value)
    counts = [
        func.sum(case((part & (events.c.kind == kind.value), 1), else_=0))
        for kind in (Kind.CLICK, Kind.IMPRESSION, Kind.DISMISS)
    ]
    return [
        *counts,
        func.sum(case((part, events.c.dwell_ms))),
        func.count(case((part, day)).distinct()),
        func.count(case((click, articles.c.category)).distinct()),
    ]


def _same_reader() -> Any:
    return (events.c.site == exposures.c.site) & (events.c.reader == exposures.c.reader)


def _forgotten_since(connection: Connection, site: str, rows: Iterable[Exposure]) -> set[str]:
    """Readers of some exposures who were forgotten after them."""
    known = {reader_digest(site, row.reader): row for row in rows}
    query = select(forgotten.c.digest, forgotten.c.forgotten_at).where(forgotten.c.site == site)
    since = query.where(forgotten.c.forgotten_at >= min(row.first_at for row in known.values()))
    return {
        known[digest].reader
        for digest, at in connection.execute(since)
        if digest in known and at >= known[digest].first_at
    }


def _named(site: str, name: str) -> Any:
    return (experiments.c.site == site) & (experiments.c.name == name)


def _experiment(row: Row[Any]) -> StoredExperiment:
    values = dict(row._mapping)
    return StoredExperiment(**values | {"arms": tuple(ExperimentArm(**arm) for arm in json.loads(values["arms"]))})
