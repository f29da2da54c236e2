"""Pages of releases: what there is, which one is live, and the report that each was published with."""

from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from recsys.report.files import LANGUAGES, PAGES, file_name
from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, language, moment, page
from web.console.tables import csv_answer
from web.installation import installation

RELEASE_COLUMNS = ("name", "state", "current", "created_at", "parent", "by", "reason")
CHALLENGE = f"{ADMIN_API}/challenge"
REPORT = "report"  # folder of a release
# No script is allowed; of its own origin, so that its links are followed with the session.
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-same-origin"
)

blueprint = Blueprint("releases", __name__)


@blueprint.get("/releases")
def releases_page() -> Response:
    """All releases, newest first."""
    return _releases()


@blueprint.post("/releases/<string:name>/activate")
def activate(name: str) -> Response:
    """Make a release the live one; of one that the gate refused the page has asked whether that is meant."""
    query = {"force": "true"} if "force" in request.form else None
    moved = ask("POST", f"{ADMIN_API}/releases/{part(name)}/activate", query=query)
    return _releases(**done(moved, "activated", name=name))


@blueprint.get("/releases/<string:name>")
def release_page(name: str) -> Response:
    """One release with its report inside, and how it does beside the live one while it is tried."""
    return _release(name)


@blueprint.post("/releases/<string:name>/try")
def try_release(name: str) -> Response:
    """Try a release beside the live one, as a shadow or as a canary."""
    form = request.form
    mode, share, limit = form.get("mode", ""), form.get("share", "").strip(), form.get("limit", "").strip()
    body: dict[str, Any] = {"release": name, "mode": mode}
    if share:
        body["share"] = _number(share, 0.01)
    if limit:  # typed in hours; a shadow's is said in minutes
        body |= {"minutes": _number(limit, 60)} if mode == "shadow" else {"hours": _number(limit, 1)}
    if mode == "canary":
        body |= {"promote": "promote" in form, "force": "force" in form}
    return _release(name, **done(ask("POST", CHALLENGE, body), "try_begun", name=name))


@blueprint.post("/releases/<string:name>/untry")
def end_trial(name: str) -> Response:
    """End the trial of a release."""
    return _release(name, **done(ask("DELETE", CHALLENGE), "try_ended", name=name))


def _release(name: str, **values: Any) -> Response:
    releases, release = _named(name)
    trial = read(CHALLENGE)["challenge"]
    lang, report = _report(name)
    given = {
        "release": release,
        "report": report,
        "report_lang": lang,
        "live": _beside(releases, release),
        "trial": trial,
    }
    return page("release.html", **given, **values)


def _number(text: str, unit: float) -> float | str:
    """A number that was typed, times its unit; what is none goes on as it is, and the API says so."""
    try:
        return round(float(text) * unit, 6)
    except ValueError:
        return text


def _named(name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """All releases, and the one of a name."""
    releases: list[dict[str, Any]] = read(f"{ADMIN_API}/releases")["releases"]
    release = next((one for one in releases if one["name"] == name), None)
    if release is None:
        raise NotFound
    return releases, release


@blueprint.get("/releases/<string:name>/compare")
def compared_part(name: str) -> Response:
    """A release beside the live one, which stands beside the one that it came from: a part of its own, for its time."""
    releases, release = _named(name)
    other = _beside(releases, release)
    if other is None:
        return page("compared.html", release=release, told=None)
    told = ask("GET", f"{ADMIN_API}/releases:compare", query={"before": other, "after": name})
    if not told.ok:  # of an older format, or damaged: said in its place, the page stands
        return page("compared.html", release=release, told=None, refused=done(told, "")["notice"])
    return page("compared.html", release=release, told=told.json)


@blueprint.get("/releases/<string:name>/report/<string:file>")
def report_page(name: str, file: str) -> Response:
    """A page of a release's report: no script of it runs, whatever it holds."""
    if file not in (file_name(one, lang) for lang in LANGUAGES for one in _report_pages(name, lang)):
        raise NotFound
    response = Response((installation().releases.root / name / REPORT / file).read_bytes(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"  # the page of the release shows it in a frame
    response.headers["Cache-Control"] = "no-store"
    return response


def _beside(releases: list[dict[str, Any]], release: dict[str, Any]) -> str | None:
    """The release that one is compared with: the live one; of that the one that it came from, else the one before."""
    names = [one["name"] for one in releases]
    if not release["current"]:
        return next((one["name"] for one in releases if one["current"]), None)
    older = names[names.index(release["name"]) + 1 :]
    return release["parent"] if release["parent"] in names else next(iter(older), None)


def _releases(**values: Any) -> Response:
    told = read(f"{ADMIN_API}/releases")
    releases = told["releases"]
    if request.args.get("format") == "csv":
        rows = ([_cell(one, name) for name in RELEASE_COLUMNS] for one in releases)
        return csv_answer("releases", RELEASE_COLUMNS, rows)
    reports = {one["name"]: bool(_report(one["name"])[1]) for one in releases}
    return page("releases.html", releases=releases, current=told["current"], reports=reports, **values)


def _cell(release: dict[str, Any], name: str) -> object:
    return moment(release[name]) if name == "created_at" else release[name]


def _report(name: str) -> tuple[str, dict[str, str]]:
    """A release's report: its language, and page -> file; English where it has none in that of the console's page."""
    wished = language()
    lang = wished if _report_pages(name, wished) else "en"
    return lang, {page: file_name(page, lang) for page in _report_pages(name, lang)}


def _report_pages(name: str, lang: str) -> list[str]:
    releases = installation().releases
    if name not in releases.names():
        return []
    folder = releases.root / name / REPORT
    return [page for page in PAGES if (folder / file_name(page, lang)).is_file()]
