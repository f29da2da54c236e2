"""The trace as a page: a reader, or a newcomer, and an article -> every stage that it passed, or where it fell."""

from flask import Blueprint, Response, request

from web.console.calls import ADMIN_API, ask, read
from web.console.pages import language, page, problem_said
from web.installation import installation

TRACED = ("article", "reader", "lang", "slot")

blueprint = Blueprint("tracing", __name__)


@blueprint.get("/trace")
def trace_page() -> Response:
    """The form, and once an article is named, its way."""
    given = {name: request.args.get(name, "").strip() for name in TRACED}
    if not given["article"]:
        return page("trace.html", given=given, trace=None)
    told = ask("GET", f"{ADMIN_API}/trace", query=given | {"spoken": language()})
    if not told.ok:
        notice = problem_said(told.json["code"], told.json["detail"], told.json["remedy"])
        return page("trace.html", told.status, given=given, trace=None, notice=notice)
    before = read(f"{ADMIN_API}/trace/shown", reader=given["reader"]) if given["reader"] else None
    here = installation()
    titles = {one.id: one.title for one in here.store.articles_named(here.live.site, told.json["items"])}
    return page("trace.html", given=given, trace=told.json, titles=titles, before=before)
