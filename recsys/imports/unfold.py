"""One row -> several events: whether an article was shown and clicked, or lists of those that were, or a history.

Produces batches in which each row is one event, for ``RecordBuilder``. What a row says of the list as a whole (reader,
session, context) is said of each of its events.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from recsys.imports.lists import aligned_list, is_several, list_of
from recsys.imports.mapping import UNFOLDED_FIELDS, FieldMap, FieldSource
from recsys.imports.tables import Reject, RowBatch, made_column
from recsys.imports.values import BadValue, id_of, shown
from recsys.missing import is_missing

_READERS = 50_000  # whose history is remembered, so that it is not sent again with each row
_ID_BYTES = 10
_YES, _NO = frozenset(("1", "1.0", "true", "yes", "y", "t")), frozenset(("", "0", "0.0", "false", "no", "n", "f"))
_VARYING = ("event_id", "kind", "article", "time", "position", "impression", "dwell_ms")
_ALIGNED = ("time", "position", "dwell_ms")  # may be lists beside a list of articles


class UnfoldedEvent(NamedTuple):
    """Fields that vary between the events of one row; ``None`` in ``event_id`` makes one of the other fields."""

    event_id: str | None
    kind: str
    article: Any
    time: Any
    position: Any
    impression: Any
    dwell_ms: Any


class Unfolder:
    """Turns rows into events.

    Args:
        source: the map of a file's columns, with ``shown``, ``clicked`` or ``history``.
        leave_out: counts rows that are not wanted.

    Attributes:
        mapping: the map of the batches that are made, for ``RecordBuilder``.
    """

    def __init__(self, source: FieldMap, leave_out: Callable[[str, int], None]) -> None:
        self._source, self._leave_out = source, leave_out
        self._rest = [
            field for field, origin in source.items() if origin.column and field not in _VARYING + UNFOLDED_FIELDS
        ]
        self.mapping: FieldMap = {field: origin for field, origin in source.items() if origin.column is None}
        self.mapping |= {field: _made(source[field], field) for field in self._rest}
        self._beside_article = lists = [field for field in ("shown", "clicked", "history") if field in source]
        for field in _VARYING:
            if field in source or field in ("event_id", "kind", "article", "impression", "time"):
                self.mapping[field] = _made(source.get(field, FieldSource(None, None)), field)
        if any(source[field].is_address for field in lists):
            self.mapping["article"] = self.mapping["article"]._replace(is_address=True)
        self._unfold = self._flags if "article" in source else self._lists
        self._histories = HistoryClicks()
        self._has_labels: bool | None = None if "shown" in source and "clicked" not in source else False

    def batch(self, batch: RowBatch, reject: Reject) -> RowBatch:
        """The events of a batch of rows; a row that cannot be unfolded goes to ``reject``."""
        if self._has_labels is None:
            self._has_labels = _are_labelled(self._column("shown", batch))
        values = {field: self._column(field, batch) for field in self._source if field not in self._rest}
        rows: list[int] = []
        events: list[UnfoldedEvent] = []
        for i in range(len(batch.lines)):
            row = {field: column[i] for field, column in values.items()}
            try:
                who = {field: batch.columns[self._source[field].column or ""][i] for field in self._rest}
                some = [*self._unfold(row, who), *self._history(row, who)]
            except BadValue as reason:
                reject(batch.lines[i], str(reason), batch.row(i))
                continue
            events += some
            rows += [i] * len(some)
        varying = zip(*events, strict=True) if events else [()] * len(_VARYING)
        values_of = dict(zip(_VARYING, map(list, varying), strict=True))
        columns = {
            origin.column: values_of[field]
            for field, origin in self.mapping.items()
            if field in values_of and origin.column
        }
        for field in self._rest:
            column = batch.columns[self._source[field].column or ""]
            columns[self.mapping[field].column or ""] = [column[i] for i in rows]
        return RowBatch([batch.lines[i] for i in rows], columns, [batch.row(i) for i in rows])

    def _column(self, field: str, batch: RowBatch) -> list[Any]:
        origin = self._source[field]
        return batch.columns[origin.column] if origin.column else [origin.constant] * len(batch.lines)

    def _flags(self, row: dict[str, Any], who: dict[str, Any]) -> Iterator[UnfoldedEvent]:
        """An impression if the article was shown, a click if it was clicked; without either the row's kind."""
        if is_several(row["article"]):
            raise BadValue(f"article: a list beside {' and '.join(self._beside_article)}: {shown(row['article'])}")
        flags = {field: _flag(field, row[field]) for field in ("shown", "clicked") if field in row}
        if flags:
            kinds = ["impression"] if flags.get("shown", True) else []
            kinds += ["click"] if flags.get("clicked", False) else []
        else:
            kinds = [row.get("kind", "click")]
        if not kinds:
            self._leave_out("rows neither shown nor clicked", 1)
        id = row.get("event_id")
        for kind in kinds:
            own = None if is_missing(id) else f"{id}-{kind}" if flags else id
            dwell = None if kind == "impression" else row.get("dwell_ms")
            place, impression = row.get("position"), row.get("impression")
            yield UnfoldedEvent(own, kind, row["article"], row.get("time"), place, impression, dwell)

    def _lists(self, row: dict[str, Any], who: dict[str, Any]) -> Iterator[UnfoldedEvent]:
        """An impression for each article shown, and a click for each clicked."""
        shown_ids, clicked = _articles("shown", row), _articles("clicked", row)
        if self._has_labels:
            clicked = [_without_label(article) for article in shown_ids if str(article).endswith("-1")]
            shown_ids = [_without_label(article) for article in shown_ids]
        impression = row.get("impression")
        if is_missing(impression) and shown_ids:
            impression = _digest((who, row.get("time"), shown_ids))
        times, places = (_beside(field, row.get(field), shown_ids, "shown") for field in ("time", "position"))
        for article, time, place in zip(shown_ids, times, places, strict=True):
            yield UnfoldedEvent(None, "impression", article, time, place, impression, None)
        # One dwell time of a row with several clicks is that of none of them.
        dwell = row.get("dwell_ms") if len(clicked) == 1 or _is_list(row.get("dwell_ms")) else None
        times, dwells = (
            _beside("time", row.get("time"), clicked, "clicked"),
            _beside("dwell_ms", dwell, clicked, "clicked"),
        )
        for article, time, dwell in zip(clicked, times, dwells, strict=True):
            yield UnfoldedEvent(None, "click", article, time, None, impression, dwell)

    def _history(self, row: dict[str, Any], who: dict[str, Any]) -> Iterator[UnfoldedEvent]:
        """A click for each article of a history, with its own time if there is one."""
        articles = _articles("history", row)
        if not articles:
            return
        is_alone = not row.keys() & {"shown", "clicked", "article"}
        times = _history_times(row, articles, is_alone)
        if times is None:
            reader = _text(who.get("reader"))
            for id, article in self._histories.new(reader or _digest(who), articles):
                yield UnfoldedEvent(id, "click", article, None, None, None, None)
            return
        dwell = row.get("dwell_ms") if is_alone and _is_list(row.get("dwell_ms")) else None
        dwells = _beside("dwell_ms", dwell, articles, "history")
        for article, time, dwell in zip(articles, times, dwells, strict=True):
            yield UnfoldedEvent(None, "click", article, time, None, None, dwell)


def unfold_articles(batch: RowBatch, mapping: FieldMap, reject: Reject) -> RowBatch:
    """One row for each article where ``article`` is a list of them, in the same columns.

    Lists of equally many values beside it are unfolded with it; what else the row says is said of each.
    """
    column = mapping["article"].column or ""
    own_id = mapping["event_id"].column if "event_id" in mapping else None
    aligned = {mapping[field].column: field for field in _ALIGNED if field in mapping and mapping[field].column}
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
            if own_id is not None and len(articles) > 1 and not is_missing(row[own_id]):
                element[own_id] = f"{row[own_id]}-{n}"
            for name, value in element.items():
                columns[name].append(value)
        rows += [i] * len(articles)
    return RowBatch([batch.lines[i] for i in rows], columns, [batch.row(i) for i in rows])


class HistoryClicks:
    """Histories without times, which often come with each row again: each click of a reader is handed out once.

    A click's identifier is made of the reader, the article and how often it came before in the history: a history that
    grows, or of which only the last part is kept, adds what is new, in whichever file it stands.
    """

    def __init__(self) -> None:
        self._last_histories: dict[str, frozenset[str]] = {}

    def new(self, reader: str, articles: list[Any]) -> list[tuple[str, Any]]:
        """The identifiers and articles of a history that were not in the reader's last one."""
        counts: Counter[str] = Counter()
        clicks: dict[str, Any] = {}
        for article in map(_text, articles):
            clicks[f"history-{reader}-{article}-{counts[article]}"] = article
            counts[article] += 1
        earlier = self._last_histories.get(reader, frozenset())
        if len(self._last_histories) >= _READERS:
            self._last_histories.clear()  # the store drops what comes twice; this only saves the way there
        self._last_histories[reader] = frozenset(clicks)
        return [(id, article) for id, article in clicks.items() if id not in earlier]


def _text(value: Any) -> str:
    """An identifier in its normal form; what can be none is left for others to reject."""
    try:
        return id_of(value) or ""
    except BadValue:
        return str(value)


def _made(source: FieldSource, field: str) -> FieldSource:
    return source._replace(column=made_column(field, source.column), constant=None)


def _flag(field: str, value: Any) -> bool:
    text = "" if is_missing(value) else str(value).strip().lower()
    if text not in _YES and text not in _NO:
        raise BadValue(f"{field}: not yes or no: {shown(value)}")
    return text in _YES


def _articles(field: str, row: dict[str, Any]) -> list[Any]:
    try:
        return list_of(row[field]) if field in row else []
    except BadValue as reason:
        raise BadValue(f"{field}: {reason}") from None


def _beside(field: str, value: Any, articles: list[Any], name: str) -> list[Any]:
    """The value for each article: its own, if there is a list of them."""
    values = aligned_list(value) if articles and _is_list(value) else None
    if values is None:
        return [value] * len(articles)
    if len(values) != len(articles):
        raise BadValue(f"{field}: {len(values)} values beside {len(articles)} articles of {name}: {shown(value)}")
    return values


def _are_labelled(cells: list[Any]) -> bool:
    """True if lists are of candidates with a label, as in MIND: most end in -0 or -1, and both occur."""
    try:
        candidates = [str(article) for cell in cells for article in list_of(cell)]
    except BadValue:
        return False
    labels = Counter(candidate[-2:] for candidate in candidates)
    return labels["-0"] > 0 and labels["-1"] > 0 and 2 * (labels["-0"] + labels["-1"]) > len(candidates)


def _without_label(article: Any) -> str:
    text = str(article)
    if text[-2:] not in ("-0", "-1"):
        raise BadValue(f"shown: a candidate without the label that the others have: {shown(article)}")
    return text[:-2]


def _history_times(row: dict[str, Any], articles: list[Any], is_alone: bool) -> list[Any] | None:
    """The own time of each click of a history; the time of the row is none of them."""
    if "history_time" in row:
        value = row["history_time"]
        times = aligned_list(value) or ([value] if len(articles) == 1 else [])
        return _beside("history_time", None if is_missing(value) else times, articles, "history")
    time = row.get("time")
    return _beside("time", time, articles, "history") if is_alone and _is_list(time) else None


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and value.lstrip()[:1] == "[")


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=_ID_BYTES).hexdigest()
