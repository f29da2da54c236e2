"""Calibration, learned: log-odds and clicks of rows that the model had not seen -> a ``Calibration``.

Isotonic: the clicks of neighbouring scores are pooled until the click rate rises with the score (PAV), and log-odds go
straight from one pool's mean to the next one's, so that two different scores stay different; beyond the ends they run
on with slope 1. Platt: a line.

Source: Ayer et al. 1955 (PAV); Zadrozny and Elkan 2002 (isotonic calibration); Platt 1999 and Lin et al. 2007
(logistic calibration, smoothed targets); Niculescu-Mizil and Caruana 2005 (which for how many rows).
"""

import numpy as np
import numpy.typing as npt

from recsys.ctr.inference import Calibration

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

CALIBRATION_CLICKS = 20  # clicked, and other, rows below which nothing is learned
ISOTONIC_CLICKS = 200  # below which a line is learned where pools were asked for: their ends would be chance
POOL_ROWS = 100  # rows of a pool, at least
NEWTON_STEPS = 100  # of Newton's method; it needs about ten
STEEPEST = 20.0


def calibrated(kind: str, raw: Floats, label: npt.NDArray[np.int8]) -> Calibration | None:
    """Learn a calibration.

    Args:
        kind: "none", "platt" or "isotonic"; of few clicks a line is learned in any case, of very few nothing.
        raw: float32 (N,), log-odds of rows that the model did not learn from.
        label: int8 (N,), whether they were clicked.

    Returns:
        The calibration; None where there is none to learn.
    """
    rarer = min(int(label.sum(dtype=np.int64)), int((label == 0).sum()))
    if kind == "none" or rarer < CALIBRATION_CLICKS or np.ptp(raw) == 0:
        return None
    return isotonic(raw, label) if kind == "isotonic" and rarer >= ISOTONIC_CLICKS else platt(raw, label)


def platt(raw: Floats, label: npt.NDArray[np.int8]) -> Calibration:
    """The line ``a raw + b`` under which the labels are likeliest, by Newton's method; a slope that falls becomes 1."""
    clicked = int(label.sum(dtype=np.int64))
    target = np.where(label == 1, (clicked + 1) / (clicked + 2), 1 / (len(label) - clicked + 2))
    x, slope = raw.astype(np.float64), None
    a, b = _likeliest(x, target, slope)
    if not 1 / STEEPEST <= a <= STEEPEST:
        a, b = _likeliest(x, target, 1.0)
    return Calibration((0.0,), (b,), a)


def _likeliest(x: Doubles, target: Doubles, slope: float | None) -> tuple[float, float]:
    """Slope (unless it is given) and intercept of the logistic regression on one column."""
    middle = float(x.mean())
    columns = np.column_stack([x - middle, np.ones(len(x))])[:, 0 if slope is None else 1 :]
    fixed = 0.0 if slope is None else slope * (x - middle)
    weight = np.zeros(columns.shape[1])
    weight[-1] = np.log(target.mean() / (1 - target.mean()))
    loss = np.inf
    step = np.zeros_like(weight)
    for _ in range(NEWTON_STEPS):
        odds = columns @ (weight + step) + fixed
        now = float((np.logaddexp(0, odds) - target * odds).mean())
        if not now <= loss:
            step /= 2  # too far: the likelihood is concave, half a step is nearer
            continue
        weight, done, loss = weight + step, loss - now < 1e-12, now
        if done:
            break
        p = 1 / (1 + np.exp(-odds))
        hessian = columns.T @ (columns * (p * (1 - p))[:, None]) + 1e-9 * np.eye(len(weight))
        step = np.asarray(np.linalg.solve(hessian, columns.T @ (target - p)), np.float64)
    a = float(weight[0]) if slope is None else slope
    return a, float(weight[-1] - a * middle)


def isotonic(raw: Floats, label: npt.NDArray[np.int8]) -> Calibration:
    """Pools of scores whose click rate rises, each at least ``POOL_ROWS`` rows, as points of a line."""
    order = np.argsort(raw, kind="stable")
    x, y = raw[order].astype(np.float64), label[order].astype(np.float64)
    starts = np.flatnonzero(np.append(True, np.diff(x) != 0))  # equal scores are one
    weight = np.diff(np.append(starts, len(x))).astype(np.float64)
    centre, clicks = np.add.reduceat(x, starts) / weight, np.add.reduceat(y, starts)
    pool = _at_least(pav(clicks / weight, weight), weight)
    rows = np.bincount(pool, weight)
    clicks = np.bincount(pool, clicks)
    centre = np.bincount(pool, weight * centre) / rows
    rate = (clicks + y.mean()) / (rows + 1)  # one more row of the mean rate: no pool is certain
    pool = pav(rate, np.asarray(rows + 1, np.float64))
    centre = np.bincount(pool, centre * rows) / np.bincount(pool, rows)
    rate = np.bincount(pool, rate * (rows + 1)) / np.bincount(pool, rows + 1)
    odds = np.log(rate / (1 - rate))
    return Calibration(tuple(centre.tolist()), tuple(odds.tolist()), 1.0)


def pav(value: Doubles, weight: Doubles) -> npt.NDArray[np.int64]:
    """Pool neighbours until the weighted means of the pools rise strictly.

    Args:
        value: float64 (n,).
        weight: float64 (n,), above 0.

    Returns:
        int64 (n,), number of each one's pool, from 0: the means of the pools are the isotonic least squares.
    """
    total: list[float] = []
    mass: list[float] = []
    size: list[int] = []
    for v, w in zip((value * weight).tolist(), weight.tolist(), strict=True):
        n = 1
        while total and total[-1] * w >= v * mass[-1]:
            v, w, n = v + total.pop(), w + mass.pop(), n + size.pop()
        total.append(v)
        mass.append(w)
        size.append(n)
    return np.repeat(np.arange(len(size)), size)


def _at_least(pool: npt.NDArray[np.int64], weight: Doubles) -> npt.NDArray[np.int64]:
    """Join pools, from the lowest, until each holds ``POOL_ROWS`` rows."""
    number, held = 0, 0.0
    rows = np.bincount(pool, weight)
    left = float(rows.sum())
    numbers = np.empty(len(rows), np.int64)
    for place, n in enumerate(rows.tolist()):
        numbers[place], held, left = number, held + n, left - n
        if held >= POOL_ROWS and left >= POOL_ROWS:
            number, held = number + 1, 0.0
    return numbers[pool]
