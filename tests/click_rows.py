"""Rows to learn clicks from, with known answers."""

import numpy as np
import numpy.typing as npt

from recsys.features import CANDIDATE_FIELDS, HISTORY, LIST_FIELDS
from recsys.features.rows import LabelledRows

NAMES = ("liking", "noise", "constant")


def some_rows(n: int = 3_000, seed: int = 1) -> LabelledRows:
    """Lists of six; a click is likelier the higher the first column."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((n, 3)).astype(np.float32) * 5 + 2
    matrix[:, 2] = 4.0
    label = (rng.random(n) < 1 / (1 + np.exp(-(matrix[:, 0] - 2) / 2))).astype(np.int8)
    return LabelledRows.dense(matrix, label, (np.arange(n) // 6).astype(np.int32))


def rows_of_ids(
    lists: int = 600, articles: int = 12, seed: int = 1, first: int = 1
) -> tuple[LabelledRows, npt.NDArray[np.float64]]:
    """Lists of four articles, one clicked by how good it is, which nothing but its id says.

    Args:
        lists: how many.
        articles: to draw from.
        seed: of the draws.
        first: the id of the first article; the others follow.

    Returns:
        The rows, columns of noise, and the log-odds of each article, float64 (articles,), the same for every seed.
    """
    rng = np.random.default_rng(seed)
    good = np.random.default_rng(7).permutation(np.linspace(-2, 2, articles))
    shown = np.argsort(rng.random((lists, articles)), axis=1)[:, :4]
    clicked = np.argmax(good[shown] + rng.gumbel(size=shown.shape), axis=1)
    label = (np.arange(4) == clicked[:, None]).astype(np.int8).ravel()
    ids = np.zeros((4 * lists, len(CANDIDATE_FIELDS)), np.int64)
    ids[:, 0] = first + shown.ravel()
    rows = LabelledRows(
        matrix=rng.standard_normal((4 * lists, 3)).astype(np.float32),
        ids=ids,
        context=rng.integers(1_000, 1_003, (lists, len(LIST_FIELDS))),
        history=first + rng.integers(0, articles, (lists, HISTORY)),
        impression=np.repeat(np.arange(lists), 4).astype(np.int32),
        label=label,
        position=np.full(4 * lists, -1, np.int16),
    )
    return rows, good
