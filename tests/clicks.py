"""Small logs of clicks for the tests of the rooms that learn from behaviour."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.events import KINDS, UNDATED, Events

HOUR = 3_600_000
START = 1_790_000_000_000


def click(reader: str | None, article: str, time: int, **more: Any) -> tuple[Any, ...]:
    """A click; ``session`` and ``impression`` are optional."""
    return ("click", reader, article, time, more.get("session"), more.get("impression"))


def shown(reader: str | None, article: str, time: int, impression: str) -> tuple[Any, ...]:
    """An impression of one article in a list."""
    return ("impression", reader, article, time, None, impression)


def _dense(values: Sequence[Any]) -> tuple[np.ndarray[Any, np.dtype[np.int32]], list[str]]:
    ids = sorted({value for value in values if value is not None})
    row_of = {value: row for row, value in enumerate(ids)}
    return np.array([row_of.get(value, -1) for value in values], np.int32), ids


def log_of(events: Sequence[tuple[Any, ...]]) -> Events:
    """Events in time order, ties in the order given."""
    ordered = sorted(events, key=lambda event: int(event[3]))
    kinds, readers, articles, times, sessions, impressions = zip(*ordered, strict=True) if ordered else ((),) * 6
    article, article_ids = _dense(articles)
    reader, reader_ids = _dense(readers)
    return Events(
        time=np.array(times, np.int64),
        kind=np.array([KINDS.index(kind) for kind in kinds], np.int8),
        article=article,
        reader=reader,
        session=_dense(sessions)[0],
        impression=_dense(impressions)[0],
        position=np.full(len(ordered), -1, np.int16),
        article_ids=article_ids,
        reader_ids=reader_ids,
        through=len(ordered),
    )


def toy_log(lists: int = 120) -> Events:
    """Lists of five articles shown hourly to twelve readers with a history; readers click articles of their camp."""
    rng = np.random.default_rng(7)
    events: list[tuple[Any, ...]] = []
    for number in range(12):
        own = 2 * rng.permutation(10)[:4] + number % 2
        events += [click(f"r{number:02}", f"a{row:02}", UNDATED) for row in own]
    for number in range(lists):
        reader, time = number % 12, START + number * HOUR // 4
        for row in rng.permutation(20)[:5]:
            events.append(shown(f"r{reader:02}", f"a{row:02}", time, f"i{number:04}"))
            if row % 2 == reader % 2 and rng.random() < 0.7:
                late = int(rng.integers(0, 2)) * 1_000  # half of the clicks carry the list's own time, as in MIND
                events.append(click(f"r{reader:02}", f"a{row:02}", time + late, impression=f"i{number:04}"))
    return log_of(events)
