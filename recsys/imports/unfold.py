"""One row -> several events: whether an article was shown and clicked, or lists of those that were, or a history.

Produces batches in which each row is one event, for ``Records``. What a row says of the list as a whole (reader,
session, context) is said of each of its events.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from recsys.errors import ImportRefused
from recsys.imports.lists import aligned_list, is_several, list_of
from recsys.imports.mapping import LIST_FIELDS, Mapping, Source
from recsys.imports.tables import Batch, Reject, made_column
from recsys.imports.values import BadValue, flag_of, shown
from recsys.nothing import is_nothing

READERS = 50_000  # whose history is remembered, so that it is not sent again with each row
ID_BYTES = 10
VARYING = ("event_id", "kind", "article", "time", "position", "impression", "dwell_ms")
ALIGNED = ("time", "position", "dwell_ms")  # may be lists beside a list of articles
FLAGS = frozenset(("0", "1", "true", "false", "0.0", "1.0"))


class Unfolded(NamedTuple):
    """What varies between the events of one row; ``None`` in ``event_id`` makes one of the other fields."""

    event_id: str | None
    kind: str
    article: Any
    time: Any
    position: Any
    impression: Any
    dwell_ms: Any


class Unfold:
    """Turns rows into events.

    Args:
        source: the map of a file's columns, with ``shown``, ``clicked`` or ``history``.
        leave_out: counts rows that are not wanted.

    Attributes:
        mapping: the map of the batches that are made, for ``Records``.
    """

    def __init__(self, source: Mapping, leave_out: Callable[[str, int], None]) -> None:
        self._source, self._leave_out = source, leave_out
        self._rest = [field for field, origin in source.items() if origin.column and field not in VARYING + LIST_FIELDS]
        self.mapping: Mapping = {field: origin for field, origin in source.items() if origin.column is None}
        self.mapping |= {field: _made(source[field], field) for field in self._rest}
        lists = [field for field in ("shown", "clicked", "history") if field in source]
        for field in VARYING:
            if field in source or field in ("event_id", "kind", "article", "impression", "time"):
                self.mapping[field] = _made(source.get(field, Source(None, None)), field)
        if any(source[field].is_address for field in lists):
            self.mapping["article"] = self.mapping["article"]._replace(is_address=True)
        self._is_flags = "article" in source and bool(lists)
        self._is_checked = self._is_flags or not set(lists) & {"shown", "clicked"}
        self._histories = Histories()

    def batch(self, batch: Batch, reject: Reject) -> Batch:
        """The events of a batch of rows; a row that cannot be unfolded goes to ``reject``."""
        if not self._is_checked:
            self._refuse_flags(batch)
        values = {field: self._column(field, batch) for field in self._source if field not in self._rest}
        unfold = self._flags if self._is_flags else self._lists
        rows: list[int] = []
        events: list[Unfolded] = []
        for i in range(len(batch.lines)):
            row = {field: column[i] for field, column in values.items()}
            try:
                some = list(unfold(row, batch, i))
            except BadValue as reason:
                reject(batch.lines[i], str(reason), batch.row(i))
                continue
            events += some
            rows += [i] * len(some)
        varying = zip(*events, strict=True) if events else [()] * len(VARYING)
        made = dict(zip(VARYING, map(list, varying), strict=True))
        columns = {
            origin.column: made[field] for field, origin in self.mapping.items() if field in made and origin.column
        }
        for field in self._rest:
            column = batch.columns[self._source[field].column or ""]
            columns[self.mapping[field].column or ""] = [column[i] for i in rows]
        return Batch([batch.lines[i] for i in rows], columns, [batch.row(i) for i in rows])

    def _column(self, field: str, batch: Batch) -> list[Any]:
        origin = self._source[field]
        return batch.columns[origin.column] if origin.column else [origin.constant] * len(batch.lines)

    def _flags(self, row: dict[str, Any], batch: Batch, i: int) -> Iterator[Unfolded]:
        """An impression if the article was shown, a click if it was clicked."""
        flags = {field: _flag(field, row[field]) for field in ("shown", "clicked") if field in row}
        kinds = ["impression"] if flags.get("shown", True) else []
        kinds += ["click"] if flags.get("clicked", False) else []
        if not kinds:
            self._leave_out("rows neither shown nor clicked", 1)
        for kind in kinds:
            id = f"{row['event_id']}-{kind}" if row.get("event_id") is not None else None
            dwell = row.get("dwell_ms") if kind == "click" else None
            yield Unfolded(id, kind, row["article"], row.get("time"), row.get("position"), row.get("impression"), dwell)

    def _lists(self, row: dict[str, Any], batch: Batch, i: int) -> Iterator[Unfolded]:
        """An impression for each article shown, a click for each clicked, a click for each of a history."""
        shown_ids, clicked, history = (_articles(field, row) for field in ("shown", "clicked", "history"))
        who = {field: batch.columns[self._source[field].column or ""][i] for field in self._rest if field != "context"}
        impression = row.get("impression")
        if impression is None and shown_ids:
            impression = _digest((who, row.get("time"), shown_ids))
        for kind, articles in (("impression", shown_ids), ("click", clicked)):
            beside = {field: _beside(field, row.get(field), articles, kind) for field in ALIGNED if articles}
            for n, article in enumerate(articles):
                time, position, dwell = (beside[field][n] for field in ALIGNED)
                own_dwell = dwell if kind == "click" and (len(clicked) == 1 or _is_list(row.get("dwell_ms"))) else None
                place = position if kind == "impression" else None
                yield Unfolded(None, kind, article, time, place, impression, own_dwell)
        if history:
            yield from self._history(row, history, who, "shown" not in row and "clicked" not in row)

    def _history(
        self, row: dict[str, Any], articles: list[Any], who: dict[str, Any], is_alone: bool
    ) -> Iterator[Unfolded]:
        times = _history_times(row, articles, is_alone)
        dwells = row.get("dwell_ms") if is_alone and _is_list(row.get("dwell_ms")) else None
        if times is not None:
            beside = _beside("dwell_ms", dwells, articles, "history")
            for article, time, dwell in zip(articles, times, beside, strict=True):
                yield Unfolded(None, "click", article, time, None, None, dwell)
            return
        reader = who.get("reader")
        for place, article in self._histories.new(str(reader if reader is not None else sorted(who.items())), articles):
            yield Unfolded(f"history-{reader}-{place}", "click", article, None, None, None, None)

    def _refuse_flags(self, batch: Batch) -> None:
        """Refuse a column of 0 and 1 where lists of articles should be."""
        self._is_checked = True
        for field in ("shown", "clicked"):
            column = self._source[field].column if field in self._source else None
            values = {str(value).strip().lower() for value in batch.columns.get(column or "", ()) if value is not None}
            if (values - {""}) and values - {""} <= FLAGS and len(values - {""}) > 0 and len(batch.lines) > 1:
                raise ImportRefused(
                    f"lists of articles in {column!r}, since no column is the article",
                    "only 0 and 1 in the first rows",
                    f"Say which column is the article: --map article=COLUMN,{field}={column}.",
                )


def unfold_articles(batch: Batch, mapping: Mapping, reject: Reject) -> Batch:
    """One row for each article where ``article`` is a list of them, in the same columns.

    Lists of equally many values beside it are unfolded with it; what else the row says is said of each.
    """
    column = mapping["article"].column or ""
    own_id = mapping["event_id"].column if "event_id" in mapping else None
    aligned = {mapping[field].column: field for field in ALIGNED if field in mapping and mapping[field].column}
    rows: list[int] = []
    columns: dict[str, list[Any]] = {name: [] for name in batch.columns}
    for i in range(len(batch.lines)):
        row = {name: values[i] for name, values in batch.columns.items()}
        try:
            articles = list_of(row[column]) if is_several(row[column]) else [row[column]]
            beside = {name: _beside(field, row[name], articles, "article") for name, field in aligned.items() if name}
        except BadValue as reason:
            reject(batch.lines[i], str(reason), batch.row(i))
            continue
        for n, article in enumerate(articles):
            element = row | {name: values[n] for name, values in beside.items()} | {column: article}
            if own_id is not None and len(articles) > 1 and not is_nothing(row[own_id]):
                element[own_id] = f"{row[own_id]}-{n}"
            for name, value in element.items():
                columns[name].append(value)
        rows += [i] * len(articles)
    return Batch([batch.lines[i] for i in rows], columns, [batch.row(i) for i in rows])


class Histories:
    """What readers are known to have read, so that a history that grows adds its end alone."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, tuple[Any, ...]]] = {}  # of a reader: articles so far, the last ones

    def new(self, reader: str, articles: list[Any]) -> list[tuple[int, Any]]:
        """The articles that were not in the reader's last history, each with its place among all of theirs."""
        count, last = self._known.get(reader, (0, ()))
        now = tuple(articles)
        shared = next((n for n in range(min(len(last), len(now)), 0, -1) if last[-n:] == now[:n]), 0)
        if len(self._known) >= READERS:
            self._known.clear()  # the store drops what comes twice; this only saves the way there
        self._known[reader] = (count + len(now) - shared, now)
        return [(count + n, article) for n, article in enumerate(now[shared:])]


def _made(source: Source, field: str) -> Source:
    return source._replace(column=made_column(field, source.column), constant=None)


def _flag(field: str, value: Any) -> bool:
    try:
        return flag_of(value)
    except BadValue as reason:
        raise BadValue(f"{field}: {reason}") from None


def _articles(field: str, row: dict[str, Any]) -> list[Any]:
    try:
        return list_of(row[field]) if field in row else []
    except BadValue as reason:
        raise BadValue(f"{field}: {reason}") from None


def _beside(field: str, value: Any, articles: list[Any], name: str) -> list[Any]:
    """The value for each article: its own, if there is a list of them."""
    values = aligned_list(value) if _is_list(value) else None
    if values is None:
        return [value] * len(articles)
    if len(values) != len(articles):
        raise BadValue(f"{field}: {len(values)} values beside {len(articles)} articles of {name}: {shown(value)}")
    return values


def _history_times(row: dict[str, Any], articles: list[Any], is_alone: bool) -> list[Any] | None:
    """The own time of each click of a history; the time of the row is none of them."""
    if "history_time" in row:
        value = row["history_time"]
        times = aligned_list(value) or ([value] if len(articles) == 1 else [])
        return _beside("history_time", None if is_nothing(value) else times, articles, "history")
    time = row.get("time")
    return _beside("time", time, articles, "history") if is_alone and _is_list(time) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and value.lstrip()[:1] == "[")


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=ID_BYTES).hexdigest()
