"""Forecasts of a site's traffic, judged on a rolling origin beside naive ones and statsforecast's AutoETS.

    python -m benchmarks.forecast --clicks ../shared/data/g1/clicks.parquet [--timezone UTC] [--ets-python PYTHON]

Every hour a forecast is made of the hour that begins (``wape_1h``) and of the same hour a day later (``wape_24h``) from
the clicks before it, and later judged: the sum of the errors over the sum of the clicks. ``coverage_90`` is the share
of the hours within the band that was given with the forecast of one hour. Judged are the last three eighths of the
file, or the hours between --from-hour and --to-hour; hours in which nothing was counted are left out. ``best`` is the
model that the system uses, whichever leads here. ``article_log_r2_1h`` and ``_3h`` judge an article's clicks in its
first day, told after one hour and three (``benchmarks.forecast.articles``). ``alerts`` is of a simulated site: how many
on quiet days, and minutes until a planted outage is found. AutoETS needs a Python with statsforecast. Prints a table,
and one JSON object on the last line.
"""

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.forecast.alarms import measure_alarms, replayed_alarms
from benchmarks.forecast.articles import measure_articles
from benchmarks.forecast.baselines import NAIVE, Precomputed, ets_medians, has_statsforecast
from benchmarks.forecast.data import Judged, judged
from benchmarks.next_click.data import load
from recsys.forecast.backtest import backtest
from recsys.forecast.contract import Forecaster
from recsys.forecast.profile import LevelProfile
from recsys.forecast.recurrent import RecurrentForecast
from recsys.forecast.regression import LagRegression, boosted, ridge
from recsys.forecast.structural import Structural

AHEAD = (1, 24)
USED = "structural"
MODELS: dict[str, Forecaster] = {
    "level_profile": LevelProfile(),
    "ridge": LagRegression(ridge),
    "trees": LagRegression(boosted),
    "gru": RecurrentForecast("gru"),
    "lstm": RecurrentForecast("lstm"),
    USED: Structural(),
}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clicks", type=Path, required=True, help="Parquet file in G1's format")
    parser.add_argument("--timezone", default="UTC", help="of the site; it decides days and weekends")
    parser.add_argument("--from-hour", type=float, help="begin of what is judged, hours after the file's")
    parser.add_argument("--to-hour", type=float, help="its end")
    parser.add_argument("--ets-python", default=sys.executable, help="an interpreter that has statsforecast")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    events = load(options.clicks, 1.0, options.seed)
    data = judged(events, options.timezone, options.from_hour, options.to_hour)
    result = measure(data, options.ets_python)
    for name, row in measure_articles(events, data, options.seed).items():
        print(f"articles by {name:8}" + "".join(f"  {key[12:]} {value}" for key, value in row.items()))
        result["best"] |= row if name == "trees" else {}
        result["articles"] = result.get("articles", {}) | {name: row}
    alarms = measure_alarms(options.seed)
    quiet = f"{alarms['alerts_on_quiet_days']} silent, {alarms['rising_on_quiet_days']} rising"
    print(f"alerts on {alarms['quiet_days']} quiet days of a simulated site: {quiet}")
    for name, row in alarms["outages"].items():
        print(f"outage of {name:8}" + "".join(f"  {key} {value}" for key, value in row.items()))
    alarms["of_the_log"] = replayed_alarms(events.before(data.series.end).time)
    print("the log's own site is called silent:", alarms["of_the_log"])
    print(json.dumps(result | {"alerts": alarms, "seed": options.seed}))


def measure(data: Judged, ets_python: str) -> dict[str, Any]:
    """The figures of all models; printed as a table, too."""
    baselines: dict[str, Forecaster] = {**NAIVE}
    if has_statsforecast(ets_python):
        baselines["auto_ets"] = Precomputed(ets_medians(ets_python, data.series, data.begin, data.end))
    else:
        print("auto_ets: left out, statsforecast is not installed here; --ets-python names a Python that has it")
    hours = (data.end - data.begin) // 6
    print(f"{len(data.series) // 6} hours, the last {hours} of them judged")
    told = {name: figures(name, model, data) for name, model in (baselines | MODELS).items()}
    return {
        "ours": {name: told[name] for name in MODELS},
        "baselines": {name: told[name] for name in baselines},
        "best": dict(told[USED]),
        "hours": hours,
    }


def figures(name: str, model: Forecaster, data: Judged) -> dict[str, float | None]:
    """Errors, coverage and CPU seconds of one model; None for what it does not say."""
    began = time.process_time()
    tests = backtest(model, data.series, data.begin, data.end, AHEAD)
    told = {f"wape_{ahead}h": tests[ahead].wape() for ahead in AHEAD}
    told |= {"coverage_90": tests[1].coverage(), "coverage_90_24h": tests[24].coverage()}
    row = {key: None if math.isnan(value) else round(value, 4) for key, value in told.items()}
    row["seconds"] = round(time.process_time() - began, 2)
    print(
        f"{name:13}" + "".join(f"  {key} {'-' if value is None else value}" for key, value in row.items()), flush=True
    )
    return row


if __name__ == "__main__":
    main()
