"""Pages of experiments: begun, looked at with their intervals over time, a verdict in a sentence, stopped.

The picture is a part of its own, fetched after the page: it costs as many reports as it has looks.
"""

import json
from typing import Any

from flask import Blueprint, Response, request

from recsys.experiments.arms import ARM_SETTINGS
from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, page, stored_text
from web.console.tables import csv_answer
from web.console.verdicts import PRIMARY, RATES, shown, verdicts

TREATMENTS = 2  # arms of the form beside the control; the API takes more
EFFECT_COLUMNS = ("measure", "arm", "control", "treatment", "low", "high", "breach")

blueprint = Blueprint("experiments", __name__)


@blueprint.get("/experiments")
def experiments_page() -> Response:
    """All experiments, and a form for one."""
    return _experiments()


@blueprint.post("/experiments")
def start_experiment() -> Response:
    """Begin an experiment; a form that cannot be taken keeps what was typed."""
    form = request.form
    days = form.get("window_days", "")
    arms = [_arm(n) for n in range(TREATMENTS + 1) if n < 2 or form.get(f"name{n}", "").strip()]
    body = {"name": form.get("name", "").strip(), "arms": arms, "window_days": int(days) if days.isdecimal() else days}
    told = ask("POST", f"{ADMIN_API}/experiments", body)
    return _experiments(**done(told, "experiment_begun", name=body["name"]), typed={} if told.ok else form)


@blueprint.get("/experiments/<string:name>")
def experiment_page(name: str) -> Response:
    """One experiment: its verdict, its arms, its figures; as CSV with ``?format=csv``."""
    return _experiment(name)


@blueprint.get("/experiments/<string:name>/looks")
def looks_part(name: str) -> Response:
    """The intervals of a measure over time, for the picture, and as a table."""
    looks = read(f"{ADMIN_API}/experiments/{part(name)}/looks")["looks"]
    measure = request.args.get("measure") or PRIMARY
    rows = [
        (look["at"], one["arm"], one["effect"]["mean"], one["effect"]["low"], one["effect"]["high"])
        for look in looks
        for one in look["report"]["effects"]
        if one["measure"] == measure and one["effect"]["low"] is not None
    ]
    series = {arm: [row for row in rows if row[1] == arm] for arm in dict.fromkeys(row[1] for row in rows)}
    data = json.dumps({"scale": 100 if measure in RATES else 1, "arms": series})
    return page("looks.html", name=name, measure=measure, rows=rows, data=data, shown=shown)


@blueprint.post("/experiments/<string:name>/stop")
def stop_experiment(name: str) -> Response:
    """Stop an experiment."""
    query = {"reason": request.form.get("reason", "").strip()}
    told = ask("POST", f"{ADMIN_API}/experiments/{part(name)}/stop", query=query)
    return _experiment(name, **done(told, "experiment_stopped", name=name))


def _experiments(**values: Any) -> Response:
    experiments = read(f"{ADMIN_API}/experiments")["experiments"]
    running = any(one["stopped_at"] is None for one in experiments)
    given = {"experiments": experiments, "running": running, "settings": ARM_SETTINGS, "treatments": TREATMENTS}
    return page("experiments.html", **({"typed": {}} | given | values))


def _experiment(name: str, **values: Any) -> Response:
    one = read(f"{ADMIN_API}/experiments/{part(name)}")
    effects = one["report"]["effects"]
    if request.args.get("format") == "csv":
        flat = [effect | effect["effect"] for effect in effects]
        return csv_answer("experiment", EFFECT_COLUMNS, ([row[column] for column in EFFECT_COLUMNS] for row in flat))
    told = one["report"] | {"broken": stored_text(one["report"]["broken"])}
    said = list(verdicts(told, one["window_days"]))
    measures = list(dict.fromkeys(effect["measure"] for effect in effects))
    return page("experiment.html", one=one, verdicts=said, measures=measures, shown=shown, **values)


def _arm(number: int) -> dict[str, Any]:
    """An arm of the form: the control is its number 0, and has no settings."""
    form = request.form
    share, settings = form.get(f"share{number}", ""), {}
    for setting in ARM_SETTINGS:
        if number and (text := form.get(f"{setting}{number}", "").strip()):
            settings[setting] = int(text) if text.isdecimal() else text
    try:
        percent: float | str = float(share) / 100
    except ValueError:
        percent = share
    return {"name": form.get(f"name{number}", "").strip(), "share": percent, "settings": settings}
