"""Files of logged recommendations -> logs with one numbering of articles and positions.

Columns as in the Open Bandit Dataset: item_id, position, click, propensity_score; others are ignored.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.errors import ImportRefused
from recsys.metrics.logged_bandit import LoggedBandit
from recsys.units import UNKNOWN_ROW

COLUMNS = ("item_id", "position", "click", "propensity_score")
SMOOTHING = 100.0  # shows at the position's click rate that every article's rate begins with

Matrix = npt.NDArray[np.float64]


class Logs(NamedTuple):
    """Logs of the same site.

    Attributes:
        logs: each with articles 0 to A - 1 and positions 0 to P - 1.
        articles: A, of all logs together.
        positions: P, the same.
    """

    logs: list[LoggedBandit]
    articles: int
    positions: int


def read_logs(files: Sequence[Path]) -> Logs:
    """Read comma-separated files, which may be compressed.

    Raises:
        ImportRefused: a file that is no table, or without one of the columns.
        DegenerateInput: a value that ``LoggedBandit`` refuses, no rows included.
    """
    tables = [_read(file) for file in files]
    articles = pd.Index(np.unique(np.concatenate([table["item_id"].dropna().to_numpy() for table in tables])))
    numbers = pd.concat([table["position"] for table in tables]).dropna().unique()
    positions = pd.Index(np.sort(numbers))
    logs = [
        LoggedBandit(
            articles.get_indexer(table["item_id"]) if len(articles) else np.full(len(table), UNKNOWN_ROW),
            positions.get_indexer(table["position"]) if len(positions) else np.full(len(table), UNKNOWN_ROW),
            table["click"].to_numpy(),
            table["propensity_score"].to_numpy(),
        )
        for table in tables
    ]
    return Logs(logs, len(articles), len(positions))


def _read(file: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(file, dtype={"item_id": object})
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise ImportRefused("a table of comma-separated values", f"{file.name}: {error}", "Give a CSV file.") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        got = f"{file.name} without {' and '.join(missing)}"
        remedy = "Log where each article stood and the probability with which it was put there."
        raise ImportRefused(f"the columns {', '.join(COLUMNS)}", got, remedy)
    for name in COLUMNS[1:]:
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def shown_shares(log: LoggedBandit, positions: int, articles: int) -> Matrix:
    """Empirical distribution of a log's articles at each position, float64 (P, A): the policy that made it.

    Positions at which the log shows nothing have equal shares.
    """
    shown = np.zeros((positions, articles))
    np.add.at(shown, (log.position, log.article), 1.0)
    shown[shown.sum(axis=1) == 0] = 1.0
    return np.asarray(shown / shown.sum(axis=1, keepdims=True))


def cross_fitted_rates(log: LoggedBandit, positions: int, articles: int, half: npt.NDArray[np.int64]) -> Matrix:
    """Click rates by half, position and article, float64 (2 P, A): each half's from the rows of the other.

    Args:
        log: N rows.
        positions: P.
        articles: A.
        half: 0 or 1 (N,), the half of each row.
    """
    return np.concatenate([_rates(log, positions, articles, half != which) for which in (0, 1)])


def _rates(log: LoggedBandit, positions: int, articles: int, chosen: npt.NDArray[np.bool_]) -> Matrix:
    shown, clicked = np.zeros((2, positions, articles))
    np.add.at(shown, (log.position[chosen], log.article[chosen]), 1.0)
    np.add.at(clicked, (log.position[chosen], log.article[chosen]), log.click[chosen])
    mean = clicked.sum(axis=1, keepdims=True) / np.maximum(shown.sum(axis=1, keepdims=True), 1.0)
    return np.asarray((clicked + SMOOTHING * mean) / (shown + SMOOTHING))
