"""A picture of a forecast: what was expected an hour and a day ahead, the band, and what came.

    python -m benchmarks.forecast.chart --out docs/pictures/forecast.svg [--clicks FILE]

Without a file the site is simulated, and the picture says so.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.forecast.alarms import START, simulated_site
from benchmarks.forecast.data import Judged, judged
from benchmarks.next_click.data import load
from recsys.forecast.backtest import Backtest, backtest
from recsys.forecast.series import ClickSeries
from recsys.forecast.steps import STEP_MS
from recsys.forecast.structural import Structural
from recsys.report.charts import ACCENT, INK, STYLE, as_svg

SIMULATED_DAYS = 12
TITLES = {1: "one hour ahead", 24: "a day ahead"}


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clicks", type=Path, help="Parquet file in G1's format")
    parser.add_argument("--timezone", default="UTC")
    options = parser.parse_args()
    data = judged(load(options.clicks, 1.0, 1), options.timezone, None, None) if options.clicks else simulated()
    options.out.write_text(picture(data, "" if options.clicks else "simulated site, "), encoding="utf-8")


def simulated() -> Judged:
    """A simulated site of which the last five days are judged."""
    minutes = simulated_site(SIMULATED_DAYS, np.random.default_rng(1)).minutes.sum(axis=0)
    clicks = minutes.reshape(-1, 10).sum(axis=1).astype(np.float64)
    series = ClickSeries(START, clicks, np.ones(len(clicks), np.bool_))
    return Judged(series, (SIMULATED_DAYS - 5) * 144, len(clicks))


def picture(data: Judged, said: str) -> str:
    """Two panels, one for each horizon, as an SVG element."""
    tests = backtest(Structural(), data.series, data.begin, data.end, list(TITLES))
    with mpl.rc_context(STYLE):
        sheet = Figure(figsize=(10.5, 6.4), layout="constrained")
        panels = sheet.subplots(len(TITLES), 1, sharex=True, sharey=True)
        for panel, (ahead, test) in zip(panels, tests.items(), strict=True):
            hours = _hours(test, data.series)
            panel.fill_between(hours, test.low, test.high, color=ACCENT, alpha=0.2, linewidth=0, label="90 % band")
            panel.plot(hours, test.median, color=ACCENT, linewidth=1.2, label="expected")
            panel.plot(hours, test.clicks, color=INK, linewidth=1.2, label="clicks of the hour")
            facts = f"WAPE {test.wape():.3f}, {test.coverage():.0%} within the band"
            panel.set_title(f"{said}{TITLES[ahead]}: {facts}", loc="left", fontsize=11)
            panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            panel.set_ylim(bottom=0)
        lines, names = panels[0].get_legend_handles_labels()
        sheet.legend(lines, names, frameon=False, ncols=3, loc="outside lower center")
        return as_svg(sheet)


def _hours(test: Backtest, series: ClickSeries) -> pd.DatetimeIndex:
    """The begins of the judged hours in the site's zone."""
    return pd.to_datetime(series.start + test.target * STEP_MS, unit="ms", utc=True).tz_convert(series.zone)


if __name__ == "__main__":
    main()
