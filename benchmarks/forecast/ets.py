"""AutoETS of statsforecast on a rolling origin, run as a program of its own.

    python benchmarks/forecast/ets.py JOB.npz OUT.npz

Smooths the logarithm of the clicks, on which it errs less than on the clicks themselves.

It imports numpy and statsforecast only, because statsforecast and this project need different versions of pandas.
Reads ``clicks`` float64 (H,), ``begin``, ``end``, ``season``, ``refit`` (hours); writes ``median`` float64 (H, 24): of
each origin, an hour, the 24 hours from it on.
"""

import sys

import numpy as np
from statsforecast.models import AutoETS

AHEAD = 24


def main() -> None:
    """Fit each ``refit`` hours, and go on with the same form and smoothing in between."""
    with np.load(sys.argv[1]) as job:
        clicks, begin, end = np.log1p(job["clicks"]), int(job["begin"]), int(job["end"])
        season, refit = int(job["season"]), int(job["refit"])
    median = np.full((len(clicks), AHEAD), np.nan)
    model = None
    for origin in range(max(2 * season, begin - AHEAD), end):
        known = clicks[:origin]
        if model is None or (origin - begin) % refit == 0:
            model = AutoETS(season_length=season).fit(known)
        median[origin] = model.forward(known, h=AHEAD)["mean"]
    np.savez(sys.argv[2], median=np.maximum(0.0, np.expm1(median)))


if __name__ == "__main__":
    main()
