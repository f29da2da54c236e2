"""Two releases beside each other: figures, settings, counts, the words whose meaning moved, the lists that changed.

Reads the files of two verified releases and nothing else: neither the store nor a workspace; produces the differences.
What one of them was made without is compared with nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.releases import Release
from recsys.workspace import load_npy, read_json, read_table

NEIGHBOURS_SHOWN = 10  # of a word or an article
SAMPLED = 300  # the most frequent words; articles evenly over the catalogue
MOST_MOVED = 10  # that are named
COMPARED_AT_ONCE = 32  # of the sample at once: 50 MB beside 400,000 words
NOT_COUNTED = ("seconds", "peak_mib", "new")  # of a stage's record: what says nothing of the release
CLICK_MODEL = "ctr"
UNJUDGED = ("calibration_error", "log_loss", "auc", "impressions", "clicks")  # where there is no report

Table = npt.NDArray[np.float32]


class ValueChange(NamedTuple):
    """A value of the one release and of the other; None where it has none."""

    before: Any
    after: Any


class MovedNeighbours(NamedTuple):
    """A word or an article with its nearest ones, before and after.

    Attributes:
        name: the word, or the article's id.
        kept: share of its neighbours that it still has, 0 to 1.
        before: names, nearest first.
        after: likewise.
    """

    name: str
    kept: float
    before: list[str]
    after: list[str]


class NeighbourChanges(NamedTuple):
    """The neighbourhoods of two tables of vectors.

    Attributes:
        before: rows of the one; after: of the other; shared: names that stand in both.
        sampled: of the shared ones, that were looked at.
        kept: share of the neighbours that they still have, on the mean; None without any.
        most: those that kept fewest, fewest first.
    """

    before: int
    after: int
    shared: int
    sampled: int
    kept: float | None
    most: list[MovedNeighbours]


class ReleaseComparison(NamedTuple):
    """All that differs between two releases.

    Attributes:
        before: name of the one; after: of the other.
        figures: of the click model, each on the lists that its own training held out.
        settings: ``section.key`` -> values that differ.
        counts: ``stage.count`` -> numbers that differ.
        words: by the word vectors.
        lists: of articles, by the item vectors: what stands beside an article before anything is known of a reader.
    """

    before: str
    after: str
    figures: dict[str, ValueChange]
    settings: dict[str, ValueChange]
    counts: dict[str, ValueChange]
    words: NeighbourChanges
    lists: NeighbourChanges

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON-ready values."""
        changes = {
            name: {key: change._asdict() for key, change in getattr(self, name).items()}
            for name in ("figures", "settings", "counts")
        }
        moved = {
            name: found._asdict() | {"most": [one._asdict() for one in found.most]}
            for name, found in (("words", self.words), ("lists", self.lists))
        }
        return {"before": self.before, "after": self.after} | changes | moved


def compare_releases(before: Release, after: Release) -> ReleaseComparison:
    """Compare two releases, each of them verified.

    Raises:
        CorruptArtefact: a file is not what its name says.
    """
    both = (before, after)
    words, lists = ([table(release) for release in both] for table in (_word_vectors, _item_vectors))
    return ReleaseComparison(
        before.name,
        after.name,
        _changes(*map(_figures, both), all_of_them=True),
        _changes(*map(_settings, both)),
        _changes(*map(_counts, both)),
        neighbour_changes(*words, frequent_first=True),
        neighbour_changes(*lists),
    )


def neighbour_changes(
    before: tuple[list[str], Table], after: tuple[list[str], Table], *, frequent_first: bool = False
) -> NeighbourChanges:
    """Compare the neighbourhoods of two tables, whose spaces need have nothing to do with each other.

    Args:
        before: names, and float32 (A, D), rows of any length; NaN rows have no neighbours.
        after: names, and float32 (A2, D2).
        frequent_first: the first names are looked at, else some evenly over all.
    """
    row_of = {name: row for row, name in enumerate(before[0])}
    known = [_finite(vectors) for _, vectors in (before, after)]
    shared = [(row_of[name], row) for row, name in enumerate(after[0]) if name in row_of]
    rows = np.array([pair for pair in shared if known[0][pair[0]] and known[1][pair[1]]], np.int64).reshape(-1, 2)
    if len(rows) > SAMPLED:
        rows = rows[:SAMPLED] if frequent_first else rows[np.linspace(0, len(rows) - 1, SAMPLED).astype(np.int64)]
    found = [_nearest(*table, rows[:, side]) for side, table in enumerate((before, after))]
    moved = [
        MovedNeighbours(after[0][row], _share_kept(old, new), old, new)
        for row, old, new in zip(rows[:, 1].tolist(), *found, strict=True)
    ]
    moved.sort(key=lambda one: one.kept)  # stable: of equals the first, that is the most frequent word
    kept = float(np.mean([one.kept for one in moved])) if moved else None
    most = [one for one in moved if one.kept < 1][:MOST_MOVED]
    return NeighbourChanges(len(before[0]), len(after[0]), len(shared), len(rows), kept, most)


def _share_kept(old: Sequence[str], new: Sequence[str]) -> float:
    most = max(len(old), len(new))
    return len(set(old) & set(new)) / most if most else 1.0


def _finite(vectors: Table) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    return found


def _nearest(names: Sequence[str], vectors: Table, rows: npt.NDArray[np.int64]) -> list[list[str]]:
    """Names of the nearest others by cosine, nearest first, of each row."""
    length = np.linalg.norm(vectors, axis=1)
    k, nearest = min(NEIGHBOURS_SHOWN, len(names) - 1), []
    for start in range(0, len(rows) if k > 0 else 0, COMPARED_AT_ONCE):
        here = rows[start : start + COMPARED_AT_ONCE]
        with np.errstate(divide="ignore", invalid="ignore"):
            cosine = (vectors[here] @ vectors.T) / length
        cosine = np.where(np.isfinite(cosine), cosine, -np.inf)
        cosine[np.arange(len(here)), here] = -np.inf
        first = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        for scores, chosen in zip(cosine, first, strict=True):
            order = chosen[np.lexsort((chosen, -scores[chosen]))]
            nearest.append([names[row] for row in order.tolist() if np.isfinite(scores[row])])
    return nearest if k > 0 else [[] for _ in rows]


def _word_vectors(release: Release) -> tuple[list[str], Table]:
    return _vectors(release, "words", "vocabulary.parquet", "word")


def _item_vectors(release: Release) -> tuple[list[str], Table]:
    return _vectors(release, "items", "ids.parquet", "id")


def _vectors(release: Release, stage: str, file: str, column: str) -> tuple[list[str], Table]:
    names, vectors = _file(release, stage, file), _file(release, stage, "vectors.npy")
    if names is None or vectors is None:
        return [], np.empty((0, 0), np.float32)
    return read_table(names)[column].to_pylist(), load_npy(vectors, mapped=True)


def _file(release: Release, stage: str, name: str) -> Path | None:
    """A file of a release; None where it was made without it."""
    return release.root / stage / name if f"{stage}/{name}" in release.manifest["files"] else None


def _figures(release: Release) -> dict[str, Any]:
    """Figures of the click model on its held-out lists, as the report has them, or as its training said them."""
    report = _file(release, "report", "metrics.json")
    if report is not None and (figures := read_json(report).get("figures", {}).get(CLICK_MODEL)):
        return dict(figures)
    if (file := _file(release, CLICK_MODEL, "judged.json")) is not None:
        judged = read_json(file)
        return {name: judged[name] for name in UNJUDGED if judged.get(name) is not None}
    return {}


def _settings(release: Release) -> dict[str, Any]:
    return dict(_flat(release.manifest.get("config", {})))


def _counts(release: Release) -> dict[str, Any]:
    files = release.manifest["files"].values()
    counts = {"release.files": len(files), "release.bytes": sum(file["bytes"] for file in files)}
    for stage, record in release.manifest["stages"].items():
        for name, value in record.items():
            if isinstance(value, int | float) and name not in NOT_COUNTED and not name.endswith("_per_second"):
                counts[f"{stage}.{name}"] = value
    return counts


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], *, all_of_them: bool = False
) -> dict[str, ValueChange]:
    names = dict.fromkeys([*before, *after])
    pairs = {name: ValueChange(before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if all_of_them or pair.before != pair.after}
