"""A table of events -> how many there are, when they came, and what is odd in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from recsys.events import KINDS, UNDATED
from recsys.quality.reading import EventTable
from recsys.store import Kind
from recsys.units import DAY_MS, MINUTE_MS

_QUARTER_MS = 15 * MINUTE_MS  # days begin at a quarter hour of UTC in every time zone
_MAX_HOURS = 16 * DAY_MS  # a longer log is drawn by day: more bars than pixels say nothing
_MAX_DAYS = 800 * DAY_MS  # and one that is longer still by month
_TAIL = 0.001  # share of the events at each end that may lie outside the picture
_STRETCH = 1.5  # if it would be so many times as long with them
_MARGIN = 0.03  # of the picture that is left at each end for those near by
_FREQUENCIES = {"hour": "h", "day": "D", "month": "MS"}

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """Events by time and kind.

    Attributes:
        step: hour, day or month, on the site's clock.
        starts: when each begins, int ms UTC.
        counts: kind -> events in each.
        outside: events before and after, which are few and far away.
    """

    step: str
    starts: list[int]
    counts: dict[str, list[int]]
    outside: int


@dataclass(frozen=True)
class EventFacts:
    """Figures of a site's events.

    Attributes:
        total: events.
        kinds: kind -> events, those that occur.
        undated: kind -> events of which only the order is known.
        first: time of the first dated event, int ms UTC; None without any.
        last: that of the last one that is not ahead of the clock.
        timeline: events over time, None without a dated one.
        readers: how many there are.
        missing: field -> events without it.
        late: events that came after ones that are newer by more than a given time.
        ahead: events dated after now.
        repeated: clicks of a reader on an article that they had opened already.
        unknown: articles that were clicked and are not in the catalogue, with their clicks, most first, some of them.
    """

    total: int
    kinds: dict[str, int]
    undated: dict[str, int]
    first: int | None
    last: int | None
    timeline: Timeline | None
    readers: int
    missing: dict[str, int]
    late: int
    ahead: int
    repeated: int
    unknown: dict[str, int]


@dataclass(frozen=True)
class TimeRules:
    """Rules by which a time is odd: now (int ms UTC), the site's zone, and the minutes that are let pass."""

    now: int
    zone: str
    late_minutes: float
    max_future_minutes: float


def event_facts(read: EventTable, articles: Sequence[str], clock: TimeRules, shown: int) -> EventFacts:
    """Count events.

    Args:
        read: the events.
        articles: identifiers of the catalogue.
        clock: which time is odd.
        shown: unknown articles that are named.
    """
    table = read.table
    time, (kind, names) = _times(table), _codes(table["kind"])
    article, ids = _codes(table["article"])
    reader, readers = _codes(table["reader"])
    click = kind == names.index(Kind.CLICK) if Kind.CLICK in names else np.zeros(len(kind), bool)
    dated, ahead = time != UNDATED, time > clock.now + clock.max_future_minutes * MINUTE_MS
    in_catalogue = pd.Index(ids).isin(articles)[article] if len(ids) else np.zeros(len(article), bool)
    past = time[dated & ~ahead]
    pairs = pd.DataFrame({"reader": reader, "article": article})[click & (reader >= 0)]
    lost = Counter(article[click & ~in_catalogue].tolist()).most_common(shown)
    return EventFacts(
        total=len(table),
        kinds=_by_kind(kind, names),
        undated=_by_kind(kind[~dated], names),
        first=int(past.min()) if len(past) else None,
        last=int(past.max()) if len(past) else None,
        timeline=timeline(time[dated & ~ahead], kind[dated & ~ahead], names, clock.zone),
        readers=len(readers),
        missing=read.lacking if len(table) else {},
        late=_late(table["seq"].to_numpy(), np.where(ahead, UNDATED, time), clock.late_minutes),
        ahead=int(ahead.sum()),
        repeated=int(pairs.duplicated().sum()),
        unknown={ids[row]: count for row, count in lost},
    )


def timeline(time: Ints, kind: npt.NDArray[Any], names: Sequence[str], zone: str) -> Timeline | None:
    """Events by hour, by day in a log of weeks, by month in one of years.

    A few events that lie so far away that the others would shrink to a line are counted, not drawn.

    Args:
        time: int64 (E,), ms UTC, all dated.
        kind: int (E,), rows of ``names``.
        names: names of the kinds.
        zone: the site's time zone: when its days begin.
    """
    if not len(time):
        return None
    low, high = np.quantile(time, [_TAIL, 1 - _TAIL])
    inside = np.ones(len(time), bool)
    if np.ptp(time) > _STRETCH * max(high - low, DAY_MS):
        margin = _MARGIN * max(high - low, DAY_MS)
        inside = (time >= low - margin) & (time <= high + margin)
    time, kind = time[inside], kind[inside]
    span = int(np.ptp(time))
    step = "hour" if span <= _MAX_HOURS else "day" if span <= _MAX_DAYS else "month"
    counted = pd.DataFrame({"quarter": time // _QUARTER_MS, "kind": kind}).value_counts().unstack("kind", fill_value=0)
    counted.index = pd.to_datetime(counted.index.to_numpy() * _QUARTER_MS, unit="ms", utc=True).tz_convert(zone)
    table = counted.sort_index().resample(_FREQUENCIES[step]).sum()
    starts = pd.DatetimeIndex(table.index).tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ms]")
    code_of = {name: names.index(name) for name in KINDS if name in names and names.index(name) in table.columns}
    counts = {name: table[code].astype(int).to_list() for name, code in code_of.items()}
    return Timeline(step, starts.astype(np.int64).tolist(), counts, int((~inside).sum()))


def _times(table: pa.Table) -> Ints:
    return np.asarray(table["time"].fill_null(UNDATED).to_numpy(), np.int64)


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A dictionary-encoded column as int64 rows of its texts, -1 for null; every text occurs."""
    whole = column.combine_chunks()
    whole = whole if isinstance(whole, pa.DictionaryArray) else pa.concat_arrays(whole.chunks or [_EMPTY])
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    texts = whole.dictionary.to_pylist()
    used = np.unique(codes[codes >= 0])
    rows = np.full(len(texts) + 1, -1, np.int64)  # the last one is for code -1
    rows[used] = np.arange(len(used))
    return rows[codes], [texts[code] for code in used]


_EMPTY = pa.array([], pa.string()).dictionary_encode()


def _by_kind(kind: Ints, names: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(kind, minlength=len(names)) if len(kind) else np.zeros(len(names), int)
    count_of = dict(zip(names, counts.tolist(), strict=True))
    return {name: count_of[name] for name in KINDS if count_of.get(name)}


def _late(seq: Ints, time: Ints, minutes: float) -> int:
    """Events that came when one that is newer by more than some minutes had come already."""
    times = time[np.argsort(seq)]
    newest = np.maximum.accumulate(times) if len(times) else times
    return int(((times != UNDATED) & (times < newest - int(minutes * MINUTE_MS))).sum())
