"""Live counts <-> the files of a release: what the service goes on counting from.

Reads and writes, in one folder, ``state.safetensors`` (the arrays of ``TrendState``, without the slots that are free),
``ids.parquet`` (whose rows these are) and ``trends.json``: how far the log was counted, the codes of categories and of
context values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import CorruptArtefact, StaleArtefact
from recsys.trends.config import TrendsConfig
from recsys.trends.state import HALF_LIVES_HOURS, HAND, PER_ARTICLE, PER_SLOT, UNTOUCHED, USED, TrendState
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW
from recsys.workspace import load_arrays, read_json, read_table, save_arrays, write_json, write_table

Array = npt.NDArray[Any]

_LATER = ("outcomes", "category_outcomes")  # of 0.16.0: counts of before know nothing of them, and begin
_REMEDY = "Run: python -m jobs trends --fresh"


class RestoredTrends(NamedTuple):
    """Live counts as they were saved.

    Attributes:
        trends: the counts by the rows asked for.
        categories: the names of the categories, by their codes in the counts.
        through: the highest ``seq`` of the log that was counted.
        odd: identifiers of the readers who were left out of the counts.
    """

    trends: Trends
    categories: list[str]
    through: int
    odd: list[str]


def save_trends(
    trends: Trends,
    ids: Sequence[str],
    categories: Sequence[str],
    through: int,
    as_of: int | None,
    folder: Path,
    odd: Sequence[str] = (),
) -> None:
    """Write the counts.

    Args:
        trends: of A articles.
        ids: A identifiers.
        categories: the names of the category codes 0, 1, … that were counted with.
        through: the highest ``seq`` of the log that was counted.
        as_of: ms, the newest event; None without any.
        folder: where to.
        odd: identifiers of the readers who were left out of the counts.
    """
    arrays, used = trends.arrays(), int(trends.state.room[USED])
    arrays |= {name: arrays[name][:used] for name in PER_SLOT}
    save_arrays(folder / "state.safetensors", arrays)
    write_table(folder / "ids.parquet", pa.table({"id": pa.array(ids, pa.string())}))
    facts = {
        "through": through,
        "as_of": as_of,
        "half_lives_hours": list(HALF_LIVES_HOURS),
        "categories": list(categories),
        "context": list(trends.config.context),
        "values": dict(zip(trends.config.context, map(list, trends.values), strict=True)),
        "odd": trends.odd,
        "odd_readers": list(odd),
    }
    write_json(folder / "trends.json", facts)


def load_trends(folder: Path, ids: Sequence[str], config: TrendsConfig, session_gap_minutes: int) -> RestoredTrends:
    """Read what ``save_trends`` wrote, by the rows of another list of articles.

    Args:
        folder: where from.
        ids: A identifiers; what was counted of others is forgotten, with its co-visits.
        config: the settings that it was counted with.
        session_gap_minutes: the longest pause inside a visit.

    Raises:
        CorruptArtefact: the files contradict each other.
        StaleArtefact: it was counted with other settings.
    """
    arrays, facts = load_arrays(folder / "state.safetensors"), read_json(folder / "trends.json")
    counted: list[str] = read_table(folder / "ids.parquet", columns=["id"])["id"].to_pylist()
    if len(arrays.get("last", ())) != len(counted):
        raise CorruptArtefact(f"counts of {len(counted)} articles in {folder}", "of another number", _REMEDY)
    if facts.get("context") != list(config.context):
        raise StaleArtefact(f"counts by context {list(config.context)}", f"by {facts.get('context')}", _REMEDY)
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    rows = np.array([row_of.get(article_id, UNKNOWN_ROW) for article_id in counted], np.int64)
    arrays = rearranged(arrays, rows, len(ids))
    values = tuple({value: code for code, value in enumerate(facts["values"][name], 1)} for name in config.context)
    trends = restore(arrays, config, values, session_gap_minutes)
    return RestoredTrends(trends, facts["categories"], int(facts["through"]), list(facts["odd_readers"]))


def restore(
    arrays: Mapping[str, Array],
    config: TrendsConfig,
    values: tuple[dict[str, int], ...] | None = None,
    session_gap_minutes: int = 30,
) -> Trends:
    """Restore what ``Trends.arrays`` gave.

    Args:
        arrays: of the slots, those in use are enough.
        config: the settings that it was counted with.
        values: the codes of the context attributes.
        session_gap_minutes: see ``RunningVisits``.

    Raises:
        StaleArtefact: it was counted with other half-lives, for more live articles, or by another version.
    """
    missing = set(TrendState._fields) - {"category", "published", *_LATER} - set(arrays)
    if missing:
        raise StaleArtefact("all counts of this version", f"none of {', '.join(sorted(missing))}", _REMEDY)
    trends = Trends(len(arrays["last"]), config, session_gap_minutes, len(arrays["all_audience"]) - 1)
    for name, own in trends.state._asdict().items():
        if name in ("category", "published") or (name in _LATER and name not in arrays):
            continue
        given = arrays[name]
        part = own[: len(given)] if name in PER_SLOT else own
        same = name not in ("per_ms", "pair_per_ms", "slow_per_ms") or np.array_equal(given, own)
        if given.shape != part.shape or not same:
            raise StaleArtefact(
                f"counts at half-lives {HALF_LIVES_HOURS} ({name}: shape {own.shape})",
                f"others ({name}: shape {given.shape})",
                _REMEDY,
            )
        part[...] = given
    trends.values = values if values is not None else trends.values
    return trends


def rearranged(arrays: Mapping[str, Array], rows: npt.NDArray[np.int64], n_articles: int) -> dict[str, Array]:
    """The same counts by other rows.

    Args:
        arrays: see ``TrendState``; of the slots only those in use.
        rows: int64 (A,), the new row of each article, each once; UNKNOWN_ROW for one that is forgotten.
        n_articles: how many rows there are to be.

    Returns:
        New arrays. Forgotten articles leave no free place before a neighbour that is still there.
    """
    moved = dict(arrays)
    there = rows >= 0
    for name in PER_ARTICLE:
        if name in arrays and name != "slot_of":
            spread = np.full((n_articles, *arrays[name].shape[1:]), UNTOUCHED.get(name, 0), arrays[name].dtype)
            spread[rows[there]] = arrays[name][there]
            moved[name] = spread
    to = np.append(rows, UNKNOWN_ROW)  # UNKNOWN_ROW is the last place
    kept = to[arrays["article_of"]] >= 0
    article_of = to[arrays["article_of"]][kept]
    neighbour = to[arrays["neighbour"][kept]]
    order = np.argsort(neighbour < 0, axis=1, kind="stable")
    moved["article_of"] = article_of.astype(np.int32)
    moved["neighbour"] = np.take_along_axis(neighbour, order, axis=1).astype(np.int32)
    pairs = np.take_along_axis(arrays["pairs"][kept], order[:, :, None], axis=1)
    moved["pairs"] = np.where(moved["neighbour"][:, :, None] >= 0, pairs, np.float32(0))
    for name in ("lifts", "slot_landmark", "audience", "audience_clicks"):
        moved[name] = arrays[name][kept]
    moved["slot_of"] = np.full(n_articles, UNKNOWN_ROW, np.int32)
    moved["slot_of"][article_of] = np.arange(len(article_of))
    moved["room"] = np.array(arrays["room"])
    moved["room"][USED], moved["room"][HAND] = len(article_of), arrays["room"][HAND] if kept.all() else 0
    return moved
