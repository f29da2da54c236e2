"""A folder in MIND's format -> a workspace made by the project's own jobs, and time splits of its lists.

The stages of text run once for all splits, since they read no click. What learns from clicks (item vectors, counts) is
replayed for each split, from what came before each list.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.inputs import article_tables, whole_log
from jobs.runner import Context, Job, Stage, opened_store, run_stages
from jobs.stages import stage_of
from recsys.dataset.chunks import Chunks
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION, Impressions, recorded_impressions
from recsys.dataset.temporal_split import split_impressions
from recsys.dataset.training_set import TrainingSet, build_training_set
from recsys.errors import DegenerateInput
from recsys.events import Events
from recsys.features import COLUMN
from recsys.features.matrix import ArticleTables
from recsys.imports import Target, import_mind
from recsys.items.training import item_vectors
from recsys.settings import Settings, load_settings

TEXT_STAGES = ("events", "tokens", "words", "keywords", "articles", "categories")
HELD_OUT, VALIDATED = 0.2, 0.16  # shares of the lists: of 5,000 the last 1,000, and 800 before them
OF_TEXT = {
    "content_known": ("content_cosine", "content_max", "words_cosine"),
    "tag_known": ("tag_match",),
    "category_known": ("category_share", "category_rate", "category_impressions"),
    "item_known": ("item_cosine", "item_last", "item_visit", "item_max", "next_item_score", "earlier_item"),
}  # columns that are 0 where an article has no text, by the column that says so
STAGE = Stage("news", inputs=TEXT_STAGES, sections=())


class Newsroom(NamedTuple):
    """A log with texts.

    Attributes:
        job: context of the workspace.
        events: the log, by the rows of the catalogue.
        tables: articles before any click.
    """

    job: Job
    events: Events
    tables: ArticleTables


class TimeSplit(NamedTuple):
    """Rows of a log in three parts of time.

    Attributes:
        events: the log up to its last held-out list.
        lists: I lists, as ``rows`` numbers them.
        rows: described as the service would have described them.
    """

    events: Events
    lists: Impressions
    rows: TrainingSet

    def part(self, *parts: int) -> TrainingSet:
        """The rows of some of FIT, VALIDATION and HOLDOUT; contexts and histories stay whole."""
        return self.rows.where(np.isin(self.rows.part, parts))

    def unaware(self) -> "TimeSplit":
        """The same where nobody can tell which articles have a text: each has the mean of those in its list that have.

        Of a log whose old articles are lost, a text says which ones survived; where a site keeps all, it says nothing.
        """
        matrix, lists = self.rows.matrix.copy(), self.rows.impression
        for flag, names in OF_TEXT.items():
            known = matrix[:, COLUMN[flag]] > 0
            count = np.maximum(np.bincount(lists, known), 1)
            for name in names:
                column = matrix[:, COLUMN[name]]
                mean = np.bincount(lists, np.where(known, column, 0)) / count
                column[~known] = mean[lists[~known]]
            matrix[:, COLUMN[flag]] = 0
        return self._replace(rows=replace(self.rows, matrix=matrix))

    def chunks(self) -> Chunks[TrainingSet]:
        """The same rows as training reads them."""
        return self.rows.chunks()


@contextmanager
def newsroom(mind: Path, workspace: Path | None, seed: int) -> Iterator[Newsroom]:
    """Import a folder and run the stages of text.

    Args:
        mind: has behaviors.tsv and news.tsv.
        workspace: where the stages stay for the next run; a temporary folder without it.
        seed: of word vectors.
    """
    with TemporaryDirectory(prefix="recsys-news-") as temporary:
        context = Context(load_settings().model_copy(update={"data_dir": workspace or Path(temporary)}), seed=seed)
        with opened_store(context) as store:
            import_mind(Target(store, context.settings.site.id, context.settings.data_dir / "rejects"), mind)
        run_stages(context, [stage_of(name) for name in TEXT_STAGES])
        job = Job(context, STAGE, context.settings.data_dir)
        events = whole_log(job)
        yield Newsroom(job, events, article_tables(job, events.article_ids))


def time_splits(room: Newsroom) -> Iterator[tuple[str, TimeSplit]]:
    """Two splits whose held-out lists have nothing in common.

    Yields:
        "last", whose held-out lists are the last fifth of the log's; "before", the same of the log without these.
    """
    lists = recorded_impressions(room.events)
    first = lists.time[round(len(lists) * (1 - HELD_OUT))]
    yield "last", split_at(room, room.events)
    yield "before", split_at(room, room.events.before(int(first)))


def split_at(room: Newsroom, events: Events) -> TimeSplit:
    """Replay a log and describe its lists.

    Raises:
        DegenerateInput: too few lists for three parts.
    """
    settings, seed = room.job.settings, room.job.seed
    gap = settings.events.session_gap_minutes
    lists = split_impressions(
        events,
        settings.features,
        holdout=HELD_OUT,
        validation=VALIDATED,
        session_gap_minutes=gap,
        rng=np.random.default_rng(seed),
    )
    if set(lists.part.tolist()) != {FIT, VALIDATION, HOLDOUT}:
        raise DegenerateInput("lists of three different times at least", f"{len(lists)}", "Give a longer log.")

    def tables_at(log: Events, time: int) -> ArticleTables:
        made = item_vectors(log.before(time), room.tables.article_vectors, settings.items, seed=seed)
        return replace(room.tables, item_vectors=made.vectors, items=made.online)

    rows = build_training_set(events, lists, tables_at, settings.trends, settings.readers, gap)
    return TimeSplit(events, lists, rows)


def sizes(split: TimeSplit) -> dict[str, int]:
    """Lists of each part."""
    counts: npt.NDArray[np.int64] = np.bincount(split.lists.part, minlength=3)
    return dict(zip(("fit", "validation", "held_out"), counts.tolist(), strict=True))


def settings_of(room: Newsroom) -> Settings:
    """The configuration of a newsroom."""
    return room.job.settings
