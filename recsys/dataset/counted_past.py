"""The past that counts go on from: what it was, and the files in which it waits for the next night.

Reads and writes, in one folder, the counts (``recsys.trends.files``), ``tail.npy`` (int64, the numbers of the clicks by
which later ones are counted) and ``past.json``: the digest of each day that was counted, and what else decides whether
a later count may go on. The rule: it may if every day is as it was, down to the vectors of the articles that were
clicked; a late event, a forgotten reader, one who turned out odd, new categories or vectors have the whole log
counted anew. Days that a site prunes stay counted.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.dataset.log_counts import STRETCH_EVENTS, CountedPast, LogTables, days_of
from recsys.events import UNDATED, Events
from recsys.hashing import hashed_all
from recsys.trends.config import TrendsConfig
from recsys.trends.files import load_trends, save_trends
from recsys.workspace import load_npy, read_json, save_npy, write_json

Longs = npt.NDArray[np.int64]
Arrays = tuple[npt.NDArray[Any], ...]

FILE = "past.json"


class PastTerms(NamedTuple):
    """Terms beside its days on which a past may be gone on from: they must be equal.

    Attributes:
        settings: JSON-ready, all that counts depend on.
        categories: names by code.
        forgotten: number of the last reader who was forgotten.
    """

    settings: Mapping[str, Any]
    categories: Sequence[str]
    forgotten: int


def save_past(past: CountedPast, events: Events, tables: LogTables, terms: PastTerms, folder: Path) -> None:
    """Write a past.

    Args:
        past: of this log.
        events: the log.
        tables: that it was counted with.
        terms: of going on.
        folder: where to; it is made.
    """
    folder.mkdir()
    through = int(events.seq[: past.place].max(initial=0))
    save_trends(past.trends, events.article_ids, terms.categories, through, None, folder)
    save_npy(folder / "tail.npy", events.seq[past.tail])
    taught = [[int(events.seq[place]), values] for place, values in past.taught.items()]
    days = day_digests(events, past.place, tables)
    write_json(folder / FILE, {"place": past.place, "days": days, "taught": taught, **_plain(terms)})


def load_past(
    folder: Path,
    events: Events,
    tables: LogTables,
    terms: PastTerms,
    config: TrendsConfig,
    session_gap_minutes: int,
    *,
    pruned: bool,
) -> CountedPast | None:
    """Read a past that a log may be counted on from.

    Args:
        folder: where ``save_past`` wrote.
        events: the log as it is now.
        tables: of its articles, now.
        terms: of now.
        config: of the counts.
        session_gap_minutes: the longest pause inside a visit.
        pruned: see ``same_past``.

    Returns:
        None where there is none, and where anything of it is not as it was.

    Raises:
        ArtefactError: its files are damaged.
    """
    if not (folder / FILE).is_file():
        return None
    facts = read_json(folder / FILE)
    if {name: facts.get(name) for name in PastTerms._fields} != _plain(terms):
        return None
    place = int(np.searchsorted(events.time, _end_of(max(facts["days"], default=""))))
    if not place or not same_past(facts["days"], day_digests(events, place, tables), pruned=pruned):
        return None
    restored = load_trends(folder, events.article_ids, config, session_gap_minutes)
    tail = places_of(events, load_npy(folder / "tail.npy"))
    taught = [(places_of(events, np.array([number])), values) for number, values in facts["taught"]]
    return CountedPast(
        restored.trends, place, tail, {int(places[0]): values for places, values in taught if len(places)}
    )


def day_digests(events: Events, stop: int, tables: LogTables) -> dict[str, str]:
    """Digests of what is counted of each day of the first ``stop`` events: day -> hex.

    They hold number, time and kind of each event (the rest of an event never changes) and its article, with all that
    is counted of that: another category or vector of one article is another past.
    """
    names = hashed_all("article", events.article_ids)
    vectors = np.zeros((len(names), 0), np.float32) if tables.vectors is None else tables.vectors
    digests = {}
    for first, last in days_of(events.time[:stop]):
        digest, seen = hashlib.sha256(), np.zeros(len(names), np.bool_)
        for start in range(first, last, STRETCH_EVENTS):
            part = slice(start, min(last, start + STRETCH_EVENTS))
            article = events.article[part]
            seen[article] = True
            outcome = events.outcome[part]  # of a reader who is vouched for later it is another one
            columns: Arrays = (events.seq[part], events.time[part], events.kind[part], names[article], outcome)
            for column in columns:
                digest.update(column.tobytes())
        known: Arrays = (names, tables.category, tables.published, vectors)
        for table in known:
            digest.update(table[seen].tobytes())
        digests[_name_of(int(events.time[first]))] = digest.hexdigest()
    return digests


def same_past(then: Mapping[str, str], now: Mapping[str, str], *, pruned: bool) -> bool:
    """True where a count of the past may be gone on from: every day of it is as it was.

    Args:
        then: digests of the days that were counted.
        now: of the same time, as the log is now; a day of it that was not there then is a late event's.
        pruned: the site keeps no event for ever: days before the log's second one may be gone, whole or in part, and
            stay counted.
    """
    dated = sorted(day for day in now if day)
    first = dated[1] if pruned and len(dated) > 1 else ""
    return all(then.get(day) == now.get(day) for day in {*then, *now} if not day or day >= first)


def _name_of(time: int) -> str:
    return "" if time == UNDATED else str(np.datetime64(time, "ms").astype("datetime64[D]"))


def places_of(events: Events, numbers: Longs) -> Longs:
    """Rising places of the events of some numbers (``seq``) that are still in the log, int64."""
    wanted = np.sort(numbers)
    parts: list[Any] = [np.empty(0, np.int64)]
    for start in range(0, len(events), STRETCH_EVENTS):
        seq = events.seq[start : start + STRETCH_EVENTS]
        at = np.minimum(np.searchsorted(wanted, seq), max(len(wanted) - 1, 0))
        parts.append(start + np.flatnonzero(wanted[at] == seq) if len(wanted) else parts[0])
    return np.concatenate(parts)


def _end_of(day: str) -> int:
    """The time, ms, at which a day of ``day_digests`` ends."""
    return UNDATED + 1 if not day else int((np.datetime64(day, "D") + 1).astype("datetime64[ms]").astype(np.int64))


def _plain(terms: PastTerms) -> dict[str, Any]:
    return {"settings": dict(terms.settings), "categories": list(terms.categories), "forgotten": terms.forgotten}
