"""Small logs of clicks for the tests of the rooms that learn from behaviour."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.events import KINDS, UNDATED, UNDOUBTED, Events

MINUTE = 60_000
HOUR = 3_600_000
START = 1_790_000_000_000


def click(reader: str | None, article: str, time: int, **more: Any) -> tuple[Any, ...]:
    """A click; ``session``, ``impression``, ``position``, ``context`` (text of JSON) and ``proof`` are optional."""
    named = [more.get(name) for name in ("session", "impression", "position", "context", "proof")]
    return ("click", reader, article, time, *named)


def shown(
    reader: str | None,
    article: str,
    time: int,
    impression: str,
    position: int | None = None,
    proof: int | None = None,
) -> tuple[Any, ...]:
    """An impression of one article in a list."""
    return ("impression", reader, article, time, None, impression, position, None, proof)


def _dense(values: Sequence[Any]) -> tuple[np.ndarray[Any, np.dtype[np.int32]], list[str]]:
    ids = sorted({value for value in values if value is not None})
    row_of = {value: row for row, value in enumerate(ids)}
    return np.array([row_of.get(value, -1) for value in values], np.int32), ids


def log_of(events: Sequence[tuple[Any, ...]]) -> Events:
    """Events in time order, ties in the order given."""
    ordered = sorted(events, key=lambda event: int(event[3]))
    columns = zip(*ordered, strict=True) if ordered else ((),) * 9
    kinds, readers, articles, times, sessions, impressions, positions, contexts, proofs = columns
    article, article_ids = _dense(articles)
    reader, reader_ids = _dense(readers)
    context, texts = _dense(contexts)
    return Events(
        time=np.array(times, np.int64),
        kind=np.array([KINDS.index(kind) for kind in kinds], np.int8),
        article=article,
        reader=reader,
        session=_dense(sessions)[0],
        impression=_dense(impressions)[0],
        position=np.array([-1 if position is None else position for position in positions], np.int16),
        article_ids=article_ids,
        reader_ids=reader_ids,
        through=len(ordered),
        context=context if texts else np.empty(0, np.int32),
        contexts=texts,
        proof=np.array([UNDOUBTED if proof is None else proof for proof in proofs], np.int8),
    )


def toy_log(lists: int = 120, per_visit: int = 1) -> Events:
    """Four lists of five articles an hour for twelve readers with a history, who click articles of their camp.

    Each reader in turn is shown ``per_visit`` lists.
    """
    rng = np.random.default_rng(7)
    events: list[tuple[Any, ...]] = []
    for number in range(12):
        own = 2 * rng.permutation(10)[:4] + number % 2
        events += [click(f"r{number:02}", f"a{row:02}", UNDATED) for row in own]
    for number in range(lists):
        reader, time = number // per_visit % 12, START + number * HOUR // 4
        for row in rng.permutation(20)[:5]:
            events.append(shown(f"r{reader:02}", f"a{row:02}", time, f"i{number:04}"))
            if row % 2 == reader % 2 and rng.random() < 0.7:
                late = int(rng.integers(0, 2)) * 1_000  # half of the clicks carry the list's own time, as in MIND
                events.append(click(f"r{reader:02}", f"a{row:02}", time + late, impression=f"i{number:04}"))
    return log_of(events)


def camps(visits: int = 150, articles: int = 20) -> Events:
    """Visits of four clicks: readers of even articles and of odd ones, a visit every ten minutes."""
    rng = np.random.default_rng(5)
    events = []
    for number in range(visits):
        rows = 2 * rng.permutation(articles // 2)[:4] + number % 2
        for step, row in enumerate(rows.tolist()):
            time = START + number * 10 * MINUTE + step * MINUTE
            events.append(click(f"r{number % 40:02}", f"a{row:02}", time, session=f"s{number}"))
    return log_of(events)
