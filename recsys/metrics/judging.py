"""A click model and held-out rows -> what the report shows of it. Knows no model: only what scores rows.

Every AUC is over rows. What a group of features is worth is the AUC lost when the group is shuffled among the held-out
rows: the model still gets values as it knows them, but those of another row. A group's columns are shuffled together,
and a context or history goes as a whole to another list.

Source: Breiman 2001, section 10 (permutation importance); Fisher, Rudin and Dominici 2019 (of groups).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.features import NAMES
from recsys.features.rows import LabelledRows
from recsys.metrics.probabilities import auc, calibration_error, log_loss, reliability

Score = Callable[[LabelledRows], npt.NDArray[np.float32]]
Found = dict[str, Any]
Span = tuple[float | None, float | None, npt.NDArray[np.bool_]]  # from, to, and which of the rows: bool (N,)

MOST_ROWS = 2_000_000  # scored once; of more, whole lists are drawn
SHUFFLED_ROWS = 30_000  # scored again for every group and repeat: some 1.5 million scores for 16 groups
REPEATS = 3  # shuffles of each group
AGE_HOURS = (0.0, 1.0, 6.0, 24.0, 72.0, 168.0)  # where the spans of ages begin
HISTORY_CLICKS = (0, 1, 3, 10, 30)  # where the spans of histories begin; 0 clicks, a cold reader, stands alone


def judge(
    score: Score, rows: LabelledRows, groups: Mapping[str, Sequence[int]], *, seed: int, names: Sequence[str] = NAMES
) -> Found:
    """Judge a click model on held-out rows.

    Args:
        score: rows -> float32 (N,), probabilities of a click in [0, 1].
        rows: N held-out rows of I lists; of more than ``MOST_ROWS``, whole lists are drawn.
        groups: group of features -> its columns of the matrix. "ids", "context" and "history" join them where rows hold
            ids, contexts and histories.
        seed: of drawing and shuffling.
        names: the matrix's F columns; ages and history lengths are read from "age", "age_known" and "history".

    Returns:
        "auc", "log_loss", "calibration_error": None where rows, or clicks, are missing.
        "rows", "clicks", "impressions": how many were judged.
        "reliability": "predicted", "observed", "rows" of each bin.
        "importance": "group", "auc_lost" and its "spread" (standard deviation over the shuffles), the largest first;
        empty where there is no AUC.
        "by_age": "from_hours", "to_hours" (None: open), "rows", "clicks", "auc"; unknown ages last, without hours.
        "by_history": "from_clicks", "to_clicks" (None: open; the first not in it), "rows", "clicks", "auc".
        Spans without rows are left out.

    Raises:
        DegenerateInput: a label other than 0 and 1, or a score that is no probability.
    """
    rng = np.random.default_rng(seed)
    rows = sample_lists(rows, MOST_ROWS, rng)
    said = score(rows) if len(rows) else np.empty(0, np.float32)
    return {
        "auc": _known(auc(rows.label, said)),
        "log_loss": _known(log_loss(rows.label, said)),
        "calibration_error": _known(calibration_error(rows.label, said)),
        "impressions": len(np.unique(rows.impression)),
        **_counted(rows.label),
        "reliability": [
            {"predicted": predicted, "observed": observed, "rows": count}
            for predicted, observed, count in reliability(rows.label, said)
        ],
        "importance": _importance(score, sample_lists(rows, SHUFFLED_ROWS, rng), groups, rng),
        "by_age": _by_age(rows, said, names),
        "by_history": _by_history(rows, said, names),
    }


def sample_lists(rows: LabelledRows, most: int, rng: np.random.Generator) -> LabelledRows:
    """Whole lists at random, of at most so many rows together, but always one list; all rows where they are fewer."""
    if len(rows) <= most:
        return rows
    _, number, size = np.unique(rows.impression, return_inverse=True, return_counts=True)
    order = rng.permutation(len(size))
    n = max(1, int(np.searchsorted(np.cumsum(size[order]), most, side="right")))
    chosen = np.zeros(len(size), np.bool_)
    chosen[order[:n]] = True
    return rows.where(chosen[number])


def _importance(
    score: Score, rows: LabelledRows, groups: Mapping[str, Sequence[int]], rng: np.random.Generator
) -> list[Found]:
    if not 0 < np.count_nonzero(rows.label) < len(rows):
        return []
    whole = auc(rows.label, score(rows))
    lost: dict[str, list[float]] = {}
    for _ in range(REPEATS):  # one shuffle for all groups, so that they differ by what they hold alone
        for group, shuffled in _shuffled(rows, groups, rng):
            lost.setdefault(group, []).append(whole - auc(rows.label, score(shuffled)))
    found = [
        {"group": group, "auc_lost": float(np.mean(values)), "spread": float(np.std(values))}
        for group, values in lost.items()
    ]
    return sorted(found, key=lambda one: (-one["auc_lost"], one["group"]))


def _shuffled(
    rows: LabelledRows, groups: Mapping[str, Sequence[int]], rng: np.random.Generator
) -> Iterator[tuple[str, LabelledRows]]:
    """The rows once per group, with that group's values from other rows or, of a list, from other lists."""
    other = rng.permutation(len(rows))
    lists = np.unique(rows.impression)  # the only ones to be shuffled: the tables may hold lists of other parts
    other_list = rng.permutation(lists)
    for group, numbers in groups.items():
        matrix, columns = rows.matrix.copy(), np.array(numbers, np.int64)
        matrix[:, columns] = rows.matrix[other][:, columns]
        yield group, replace(rows, matrix=matrix)
    if rows.ids.shape[1]:
        yield "ids", replace(rows, ids=rows.ids[other])
    for group in ("context", "history"):
        table = getattr(rows, group)
        if table.shape[1]:
            moved = table.copy()
            moved[lists] = table[other_list]
            yield group, replace(rows, **{group: moved})


def _by_age(rows: LabelledRows, said: npt.NDArray[np.float32], names: Sequence[str]) -> list[Found]:
    if not {"age", "age_known"} <= set(names):
        return []
    hours = _column(rows, names, "age")
    known = rows.matrix[:, list(names).index("age_known")] > 0
    spans: list[Span] = [(low, high, known & inside) for low, high, inside in _spans(hours, AGE_HOURS)]
    spans.append((None, None, ~known))
    found = [{"from_hours": low, "to_hours": high, **_judged(rows.label, said, inside)} for low, high, inside in spans]
    return [one for one in found if one["rows"]]


def _by_history(rows: LabelledRows, said: npt.NDArray[np.float32], names: Sequence[str]) -> list[Found]:
    if "history" not in names:
        return []
    spans = _spans(np.rint(_column(rows, names, "history")), HISTORY_CLICKS)
    found = [
        {"from_clicks": low, "to_clicks": high, **_judged(rows.label, said, inside)} for low, high, inside in spans
    ]
    return [one for one in found if one["rows"]]


def _column(rows: LabelledRows, names: Sequence[str], name: str) -> npt.NDArray[np.float64]:
    """A column that holds log(1 + x): x, float64 (N,)."""
    return np.expm1(rows.matrix[:, list(names).index(name)].astype(np.float64))


def _spans(values: npt.NDArray[np.float64], starts: Sequence[float]) -> Iterator[Span]:
    """Each span: its first value, the first of the next (None for the last span), and which values lie in it."""
    for low, high in zip(starts, (*starts[1:], None), strict=True):
        yield low, high, (values >= low) & (values < (np.inf if high is None else high))


def _judged(label: npt.NDArray[np.int8], said: npt.NDArray[np.float32], chosen: npt.NDArray[np.bool_]) -> Found:
    return {**_counted(label[chosen]), "auc": _known(auc(label[chosen], said[chosen]))}


def _counted(label: npt.NDArray[np.int8]) -> Found:
    return {"rows": len(label), "clicks": int(np.count_nonzero(label))}


def _known(value: float) -> float | None:
    """NaN is no JSON."""
    return None if np.isnan(value) else value
