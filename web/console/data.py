"""The page of data: what there is, what became of the last imports, and a way to begin one. It refreshes by itself."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from recsys.runs.commands import FORMATS, IMPORT
from recsys.units import now_ms
from web.console.calls import ADMIN_API, ask, read
from web.console.overview import recent_events
from web.console.pages import done, moment, page
from web.console.tables import csv_answer
from web.gateway.limits import MAX_FORM_BYTES

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
ENDINGS = {".csv": "csv", ".tsv": "csv", ".json": "jsonl", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
LAST_RUNS = 50  # among which the imports that go on, or failed, stand

blueprint = Blueprint("data", __name__)


@blueprint.get("/data")
def data_page() -> Response:
    """Articles, events and imports; the imports as CSV with ``?format=csv``."""
    return _data()


@blueprint.post("/data")
def begin_import() -> Response:
    """Queue an import of a file, or of what stands at an address; what could not be queued stays in the fields."""
    request.max_content_length = MAX_FORM_BYTES
    form, file = request.form, request.files.get("file")
    typed = {name: form.get(name, "").strip() for name in ("format", "url", "map", "language")}
    name = file.filename or "" if file else ""
    query = typed | {"format": typed["format"] or format_of(name or urlsplit(typed["url"]).path)}
    content = None
    if file and name:
        with closing(file):  # of a large one it is a file on the disk
            content = file.read()
    told = ask("POST", f"{ADMIN_API}/imports", query=query, file=content)
    return _data(**done(told, "import_queued", url=name or typed["url"]), typed={} if told.ok else typed)


def format_of(name: str) -> str:
    """The format that a file's name says, packed or not; a feed where it says none."""
    endings = [ending.lower() for ending in PurePath(name).suffixes]
    return next((ENDINGS[ending] for ending in reversed(endings) if ending in ENDINGS), "feed")


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
