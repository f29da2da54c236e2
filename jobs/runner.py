"""Runner of stages: settings, seed, the folders that a stage reads and writes, progress.

A stage job is a module with a ``STAGE`` and a ``run(job) -> counts``. ``run_stage`` makes its artefact when settings,
seed or inputs have changed since the last time, and leaves it alone otherwise.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import structlog
from threadpoolctl import threadpool_limits

from jobs.terminal import end_if_asked, log, peak_mib, progress_bar, reset_peak_memory
from recsys import __version__
from recsys.config import plain
from recsys.events import EventLog
from recsys.parallel import BatchMap, BatchTask, TaskMap, in_processes
from recsys.releases import Releases
from recsys.releases.sharing import SharedReleases, releases_of
from recsys.settings import Settings
from recsys.store import Store
from recsys.workspace import StageRecord, Workspace, described, fingerprint, tree

LABELS, IMPORTS = "labels", "imports"  # folders of the data folder: rows of labels, records of past imports
ODD_READERS = "odd_readers.parquet"  # of the stage events
GAPS = "gaps.json"  # of the stage report: what the site did not give

T = TypeVar("T")
Counts = dict[str, int | float]


@dataclass(frozen=True)
class Stage:
    """One stage: its name, what it is made from, and the sections of the settings that decide its bytes.

    Attributes:
        inputs: stages whose files it reads.
        sections: names of the sections of ``config.yaml`` that it reads.
        always: made on every run, because its input is outside the workspace (the store).
        outside: folders of the data folder, beside the workspace, whose files it reads.
        check: raises if what stands in the stage's folder must not be published.
    """

    name: str
    inputs: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    always: bool = False
    outside: tuple[str, ...] = ()
    check: Callable[[Path], None] | None = None


@dataclass
class Context:
    """One invocation of the command line."""

    settings: Settings
    seed: int
    fresh: bool = False
    group: Any = None  # the processes that train together, see ``jobs.distributed``
    cluster: TaskMap | None = None  # where batches are worked on; None: in processes of this machine
    progress: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The stages' folders."""
        return Workspace(self.settings.data_dir / "work")

    @functools.cached_property
    def event_log(self) -> EventLog:
        """The Parquet log by day."""
        return EventLog(self.settings.data_dir / "log")

    @property
    def releases(self) -> Releases:
        """All releases."""
        settings = self.settings
        store = functools.partial(opened_store, self)
        return releases_of(settings.data_dir / "releases", settings.releases, settings.site.id, store)

    def follow_live_release(self) -> None:
        """Bring this host to the release that is live on all; where it has releases of its own there is none."""
        if isinstance(releases := self.releases, SharedReleases):
            releases.follow()

    def track(self, iterable: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        """Pass an iterable on, showing how far it is: a bar on a terminal, and always in the run's row."""
        with self.bar(total, unit) as moved:
            for done, element in enumerate(iterable, 1):
                yield element
                moved(done)

    @contextmanager
    def bar(self, total: int | None, unit: str) -> Iterator[Callable[..., None]]:
        """The same for what is not iterated over.

        Yields:
            A function to call with how much is done, of how much if that has changed, and what else there is to say.
        """
        self.progress |= {"unit": unit, "done": 0, "total": total}
        with progress_bar() as bar:
            task = bar.add_task(unit, total=total)

            def moved(done: int, total: int | None = total, text: str = "") -> None:
                self.progress |= {"done": done, "total": total}
                bar.update(task, completed=done, total=total, description=f"{unit}  {text}" if text else unit)

            yield moved


@dataclass
class Job:
    """Context of one stage: its inputs' folders and a folder to write into."""

    context: Context
    stage: Stage
    out: Path

    @property
    def settings(self) -> Settings:
        """The whole configuration."""
        return self.context.settings

    @property
    def seed(self) -> int:
        """The seed of all randomness of this run."""
        return self.context.seed

    @property
    def workers(self) -> int:
        """Threads or processes that the stage may use; 1 gives the same bytes every time."""
        return self.settings.jobs.workers

    @property
    def map_batches(self) -> TaskMap:
        """Map over batches of articles, in the cluster or in processes of this machine: the bytes are the same."""
        return self.context.cluster or in_processes

    def mapped(self, task: BatchTask) -> BatchMap:
        """``map_batches`` with a task."""
        return functools.partial(self.map_batches, task)

    @property
    def event_log(self) -> EventLog:
        """The Parquet log by day."""
        return self.context.event_log

    @property
    def log(self) -> structlog.stdlib.BoundLogger:
        """A logger that names the stage."""
        return log.bind(stage=self.stage.name)

    def path(self, stage: str) -> Path:
        """The folder of an upstream stage, its files as they were written.

        Raises:
            MissingArtefact: it has not been made; the message names the command that makes it.
            CorruptArtefact: a file of it was changed since, or is gone.
        """
        return self.context.workspace.verified(stage)

    def track(self, iterable: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
        """See ``Context.track``."""
        return self.context.track(iterable, total, unit)

    def bar(self, total: int | None, unit: str) -> AbstractContextManager[Callable[..., None]]:
        """See ``Context.bar``."""
        return self.context.bar(total, unit)

    def progress(self, done: int, unit: str) -> None:
        """Say how far the stage is, where there is nothing to iterate over."""
        self.context.progress.update({"unit": unit, "done": done, "total": None})

    def open_store(self) -> Store:
        """Open the database; close it after use."""
        return open_store(self.settings)


def open_store(settings: Settings) -> Store:
    """Open the configured database."""
    return Store.open(settings.database_url, settings.store)


@contextmanager
def opened_store(context: Context) -> Iterator[Store]:
    """The configured database, open for the length of a block."""
    store = open_store(context.settings)
    try:
        yield store
    finally:
        store.close()


def stage_fingerprint(context: Context, stage: Stage) -> tuple[str, dict[str, str]]:
    """Fingerprint of all that decides a stage's bytes; another version of the code counts as well.

    Returns:
        The fingerprint, and the digests of the inputs by name.

    Raises:
        MissingArtefact: an input has not been made.
    """
    inputs = {name: context.workspace.record(name).digest for name in stage.inputs}
    sections = {name: plain(getattr(context.settings, name)) for name in stage.sections}
    folders = [context.settings.data_dir / name for name in stage.outside]
    outside = {folder.name: {name: described(folder / name) for name in sorted(tree(folder))} for folder in folders}
    return fingerprint(stage.name, sections | outside | {"code": __version__}, context.seed, inputs), inputs


def run_stage(context: Context, stage: Stage, run: Callable[[Job], Counts]) -> bool:
    """Make one stage's artefact unless it is up to date.

    Returns:
        True when it was made, False when nothing had changed since the last time.
    """
    end_if_asked()
    context.progress.update({"stage": stage.name, "done": 0, "total": None})
    mark, inputs = stage_fingerprint(context, stage)
    if old := context.workspace.stale(stage.inputs):
        log.warning("made from what is stale", stage=stage.name, stale=old, remedy="Run: python -m jobs all")
    finished = context.workspace.finished(stage.name)
    if finished and finished.fingerprint == mark and not (context.fresh or stage.always):
        log.info("up to date", stage=stage.name)
        return False
    log.info("start", stage=stage.name, seed=context.seed, because=_why_made(context, stage, finished, inputs))
    facts: dict[str, Any] = {}
    reset_peak_memory()
    began = time.monotonic()
    with context.workspace.write(stage.name, mark, inputs, facts) as out:
        with threadpool_limits(context.settings.jobs.workers):  # other numbers of threads round differently
            facts.update(run(Job(context, stage, out)))
        facts.update(seconds=round(time.monotonic() - began, 2), peak_mib=peak_mib())
    log.info("done", stage=stage.name, **facts)
    return True


def _why_made(context: Context, stage: Stage, finished: StageRecord | None, inputs: Mapping[str, str]) -> str:
    """The reason for which a stage that is not up to date is made, in a few words for the log."""
    if finished is None:
        return "not made yet"
    if changed := [name for name, digest in inputs.items() if finished.inputs.get(name) != digest]:
        return f"changed: {', '.join(changed)}"
    if stage.always:
        return "looks into the store"
    return "asked for" if context.fresh else "other settings, seed, files or version"


def check_made(context: Context, stage: Stage) -> None:
    """Raise if what stands in a stage's folder must not be published."""
    if stage.check is not None:
        stage.check(context.workspace.verified(stage.name))


def run_stages(
    context: Context,
    stages: Sequence[tuple[Stage, Callable[[Job], Counts]]],
    done: Sequence[tuple[Stage, Callable[[Job], Counts]]] = (),
    left: Sequence[tuple[Stage, Callable[[Job], Counts]]] = (),
) -> int:
    """Make several stages in order; returns how many were made anew.

    Args:
        context: of the command.
        stages: to be made now.
        done: stages of the same run that were made before these, and
        left: those that are to be made after them: a run says which stage of all it is at.
    """
    made, whole = 0, [*done, *stages, *left]
    for number, (stage, run) in enumerate(stages, len(done) + 1):
        seconds = sum(_seconds_of(context, later.name) for later, _ in whole[number - 1 :])
        context.progress.update({"stage_number": number, "stages": len(whole), "seconds_left": round(seconds)})
        made += run_stage(context, stage, run)
    return made


def _seconds_of(context: Context, stage: str) -> float:
    """The time that a stage took when it was made last; 0 where nobody knows."""
    finished = context.workspace.finished(stage)
    return float(finished.facts.get("seconds", 0.0)) if finished else 0.0
