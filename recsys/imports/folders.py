"""Data sets of research in their own formats -> the store: MIND, EB-NeRD and Adressa.

Their times have no zone or are seconds of UTC; a zone is UTC unless it is told.
Source: Wu et al. 2020, MIND; Kruse et al. 2024, EB-NeRD: a large-scale dataset for news recommendation (recsys.eb.dk);
Gulla et al. 2017, The Adressa dataset for news recommendation (reclab.idi.ntnu.no/dataset).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.formats import opened
from recsys.imports.mapping import FieldMap, FieldSource, ValueMaps
from recsys.imports.matching import match_clicks
from recsys.imports.mind import Behaviors, MindFile, behaviors_of, news_batches, news_of
from recsys.imports.moments import TimeColumn
from recsys.imports.records import clicks_by_article
from recsys.imports.rejects import ImportTally, Summary
from recsys.imports.rows import day_order, write_rows
from recsys.imports.sources import UTF8
from recsys.imports.tables import Limits, Reject, RowBatch, RowReader
from recsys.imports.target import Target
from recsys.imports.values import BadValue
from recsys.store import Event
from recsys.times import EARLIEST
from recsys.units import SECOND_MS, now_ms

Columns = dict[str, tuple[str, ...]]  # field -> the columns that can fill it; the first that is there does
_EBNERD: dict[str, tuple[str, Columns]] = {
    "articles.parquet": (
        "articles",
        {
            "id": ("article_id",),
            "title": ("title",),
            "body": ("body", "subtitle"),
            "url": ("url",),
            "category": ("category_str",),
            "entities": ("ner_clusters",),
            "published_at": ("published_time",),
        },
    ),
    "behaviors.parquet": (
        "events",
        {
            "impression": ("impression_id",),
            "reader": ("user_id",),
            "session": ("session_id",),
            "time": ("impression_time",),
            "shown": ("article_ids_inview", "shown"),
            "clicked": ("article_ids_clicked", "clicked"),
            "dwell_ms": ("next_read_time",),  # read_time is of the page on which the list stood
            "context.device": ("device_type",),
        },
    ),
    "history.parquet": (
        "events",
        {
            "reader": ("user_id",),
            "history": ("article_id_fixed",),
            "history_time": ("impression_time_fixed",),
            "dwell_ms": ("read_time_fixed",),
        },
    ),
}
_EBNERD_VALUES: ValueMaps = {"context.device": {"1": "desktop", "2": "mobile", "3": "tablet"}}
_ADRESSA: Columns = {
    "article": ("id",),
    "reader": ("userId",),
    "time": ("time",),
    "dwell_ms": ("activeTime",),
    "title": ("title",),
    "url": ("url",),
    "category": ("category",),
    "subcategory": ("subcategory",),
    "published_at": ("publishtime",),
    "context.device": ("deviceType",),
    "context.region": ("region",),
    "context.os": ("os",),
    "context.referrer": ("referrerHostClass",),
}


def import_mind(target: Target, folder: Path) -> Summary:
    """Import a folder of MIND: ``news.tsv`` and ``behaviors.tsv``, with or without labels, entities and headers.

    Args:
        target: where to.
        folder: the folder.

    Returns:
        The numbers of both files together: rows are lines, records are articles and events.

    Raises:
        ImportRefused: a file is missing, empty or of another format.
    """
    for name in ("news.tsv", "behaviors.tsv"):
        if not (folder / name).is_file():
            raise ImportRefused("a folder with news.tsv and behaviors.tsv", f"no {folder / name}", "Check the path.")
    moments = TimeColumn(target.options, "time", EARLIEST, target.latest, now_ms())
    news = news_of(folder / "news.tsv", target.limits)
    shown = behaviors_of(
        folder / "behaviors.tsv",
        target.limits,
        TimeColumn(target.options, "time", EARLIEST, target.latest, now_ms()),
    )
    with ImportTally(target.rejects, folder.resolve().name, target.dry_run) as tally:
        tally.records = "articles and events"
        tally.begin("news.tsv")
        table = _NewsReader(news, target.limits)
        mapping = {name: FieldSource(name, None) for name in table.names}
        write_rows(target, table, mapping, "articles", tally)
        tally.begin("behaviors.tsv")
        behaviors = Behaviors(shown, target.site, moments)
        if not behaviors.has_labels:
            tally.note(
                "behaviors.tsv does not say what was clicked, as a test set: it gives impressions and histories."
            )
        _import_behaviors(target, shown, behaviors, tally)
        for sentence in moments.notes():
            tally.note(sentence)
        return tally.summary()


class _NewsReader:
    """A ``news.tsv`` as a table with the names of an article's fields."""

    is_open = False

    def __init__(self, file: MindFile, limits: Limits) -> None:
        self._file, self._limits = file, limits
        entities = [name for name in file.layout if name.endswith("_entities")]
        self.names = [name for name in file.layout if name not in entities] + (["entities"] if entities else [])
        self.progress = (0, 0)

    def sample(self) -> dict[str, list[Any]]:
        """Nothing: the names are known."""
        return {}

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        return news_batches(self._file, self._limits, reject, self._move)

    def _move(self, done: int, total: int) -> None:
        self.progress = (done, total)


def _import_behaviors(target: Target, file: MindFile, behaviors: Behaviors, tally: ImportTally) -> None:
    rows, events, clicks = 0, list[Event](), Counter[str]()
    at = [0, 0]
    for line, fields in file.rows(tally.reject, lambda done, total: at.__setitem__(slice(None), [done, total])):
        try:
            events += behaviors.events(fields)
            rows += 1
        except BadValue as reason:
            tally.reject(line.number, str(reason), line.text)
        if len(events) >= target.limits.batch_rows:
            tally.wrote(rows, target.add(events))
            clicks.update(clicks_by_article(events))
            target.progress(*at)
            rows, events = 0, []
    tally.wrote(rows, target.add(events))
    clicks.update(clicks_by_article(events))
    tally.match(match_clicks(clicks, target.store.article_names(target.site)), "import the articles' addresses")


def import_ebnerd(target: Target, folder: Path) -> Summary:
    """Import a folder of EB-NeRD: articles, behaviors and history as Parquet, in it or in folders inside.

    Args:
        target: where to.
        folder: the folder; any of the files may be missing.

    Raises:
        ImportRefused: none of the files is there, or one is damaged.
    """
    files = [path for name in _EBNERD for path in sorted(folder.rglob(name))]
    if not files:
        raise ImportRefused(f"a folder with {', '.join(_EBNERD)}", f"none of them in {folder}", "Check the path.")
    target = replace(target, options=replace(target.options, dwell_unit_ms=SECOND_MS))
    with ImportTally(target.rejects, folder.resolve().name, target.dry_run) as tally:
        tally.records = "articles and events"
        for path in files:
            kind, columns = _EBNERD[path.name]
            tally.begin(str(path.relative_to(folder)))
            reopened = partial(opened, path, "parquet", UTF8, target.limits)
            with reopened() as table:
                mapping = _filled(columns, table.names, path)
                values = {field: meaning for field, meaning in _EBNERD_VALUES.items() if field in mapping}
                write_rows(target, table, mapping, kind, tally, partial(day_order, reopened, path), values)
        return tally.summary()


def _filled(columns: Columns, names: Sequence[str], path: Path) -> FieldMap:
    """The fields that a file can fill.

    Raises:
        ImportRefused: there is nothing to make a record of.
    """
    column_of = {field: next((name for name in some if name in names), None) for field, some in columns.items()}
    mapping = {field: FieldSource(column, None) for field, column in column_of.items() if column is not None}
    if not mapping.keys() & {"id", "shown", "clicked", "history"}:
        wanted = ", ".join(some[0] for some in columns.values())
        raise ImportRefused(
            f"columns such as {wanted}", f"{', '.join(names)[:300]} ({path.name})", "Use parquet --map."
        )
    return mapping


def import_adressa(target: Target, path: Path) -> Summary:
    """Import Adressa's events: a file of a day, or a folder of them. Each row is an event and describes its article.

    Args:
        target: where to.
        path: the file or folder.

    Raises:
        ImportRefused: there is no file, or one is of another format.
    """
    files = (
        sorted(file for file in path.iterdir() if file.is_file() and file.name[0] not in "._")
        if path.is_dir()
        else [path]
    )
    if not files:  # what systems put beside data is none: .DS_Store, _SUCCESS
        raise ImportRefused("files of events", f"none in {path}", "Check the path.")
    target = replace(target, options=replace(target.options, dwell_unit_ms=SECOND_MS))
    mapping = {field: FieldSource(some[0], None) for field, some in _ADRESSA.items()}
    with ImportTally(target.rejects, path.resolve().name, target.dry_run) as tally:
        tally.records = "articles and events"
        for file in files:
            if len(files) > 1:
                tally.begin(file.name)
            with opened(file, "jsonl", UTF8, target.limits) as table:
                whole = mapping | {"kind": FieldSource(None, "click")}
                write_rows(target, _AdressaReader(table), whole, "both", tally)
        return tally.summary()


class _AdressaReader:
    """Events of Adressa, with their path of categories (``sport|football``) as category and subcategory."""

    is_open = True

    def __init__(self, table: RowReader) -> None:
        self._table, self.names = table, table.names

    @property
    def progress(self) -> tuple[int, int]:
        """See ``RowReader``."""
        return self._table.progress

    def sample(self) -> dict[str, list[Any]]:
        """See ``RowReader``."""
        return self._table.sample()

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        columns = [name for name in wanted if name not in ("category", "subcategory")]
        for batch in self._table.batches([*columns, "category1"], reject):
            paths = [str(value).split("|") if value else [] for value in batch.columns.pop("category1")]
            categories = [dict(zip(("category", "subcategory"), path, strict=False)) for path in paths]
            for name in ("category", "subcategory"):
                batch.columns[name] = [names.get(name) for names in categories]
            rows = [batch.row(i) | names for i, names in enumerate(categories)]
            yield RowBatch(batch.lines, batch.columns, rows)
