"""The page of data: what there is, what became of the last imports, and a way to begin one. It refreshes by itself."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from recsys.runs.commands import FORMATS, IMPORT
from recsys.units import now_ms
from web.console.calls import ADMIN_API, ask, read
from web.console.overview import recent_events
from web.console.pages import done, moment, page
from web.console.tables import csv_answer

IMPORT_COLUMNS = (
    "time",
    "file",
    "records",
    "read",
    "stored",
    "updated",
    "duplicate",
    "rejected",
    "reasons",
    "repaired",
)
LAST_RUNS = 50  # among which the imports that go on, or failed, stand

blueprint = Blueprint("data", __name__)


@blueprint.get("/data")
def data_page() -> Response:
    """Articles, events and imports; the imports as CSV with ``?format=csv``."""
    return _data()


@blueprint.post("/data")
def begin_import() -> Response:
    """Queue an import of what stands at an address; what could not be queued stays in the fields."""
    form = request.form
    query = {name: form.get(name, "").strip() for name in ("format", "url", "map", "language")}
    told = ask("POST", f"{ADMIN_API}/imports", query=query)
    return _data(**done(told, "import_queued", url=query["url"]), typed={} if told.ok else query)


def _data(**values: Any) -> Response:
    told = read(f"{ADMIN_API}/data")
    if request.args.get("format") == "csv":
        rows = ([_cell(one, name) for name in IMPORT_COLUMNS] for one in told["imports"])
        return csv_answer("imports", IMPORT_COLUMNS, rows)
    runs = [run for run in read(f"{ADMIN_API}/runs", last=LAST_RUNS)["runs"] if run["job"] == IMPORT]
    given: dict[str, Any] = {"data": told, "runs": runs[:5], "formats": FORMATS, "typed": {}}
    return page("data.html", **given | {"recent": recent_events(now_ms())} | values)


def _cell(one: Mapping[str, Any], name: str) -> object:
    if name == "time":
        return moment(one[name])
    return "; ".join(f"{why} ({n})" for why, n in one[name].items()) if name in ("reasons", "repaired") else one[name]
