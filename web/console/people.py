"""Pages of tokens and people, for owners, and of the audit, for operators."""

from typing import Any

from flask import Blueprint, Response, request

from recsys.store import Scope
from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, moment, page
from web.console.tables import csv_answer
from web.installation import installation

ENTRIES = 50  # of the audit on one page
AUDIT_COLUMNS = ("number", "time", "actor", "origin", "verb", "object", "before", "after", "details")

blueprint = Blueprint("people", __name__)


@blueprint.get("/tokens")
def tokens_page() -> Response:
    """Tokens and people."""
    return _tokens()


@blueprint.post("/tokens")
def make_token() -> Response:
    """Make a token, whose secret the answer shows once."""
    form = request.form
    body = {"name": form.get("name", ""), "role": form.get("role", ""), "expires": form.get("expires") or None}
    told = ask("POST", f"{ADMIN_API}/tokens", body)
    said = done(told, "token_made", name=body["name"])
    if told.ok:
        said["notice"]["secret"] = told.json["token"]
    return _tokens(**said)


@blueprint.post("/tokens/revoke")
def revoke_token() -> Response:
    """Revoke a token."""
    name = request.form.get("name", "")
    return _tokens(**done(ask("DELETE", f"{ADMIN_API}/tokens/{part(name or ' ')}"), "revoked", name=name))


@blueprint.get("/audit")
def audit_page() -> Response:
    """The entries that fit, newest first; as CSV with ``?format=csv``."""
    given = {name: request.args.get(name, "").strip() for name in ("object", "actor", "since", "below")}
    told = read(f"{ADMIN_API}/audit", last=ENTRIES, **given)
    if request.args.get("format") == "csv":
        rows = ([_cell(entry, name) for name in AUDIT_COLUMNS] for entry in told["entries"])
        return csv_answer("audit", AUDIT_COLUMNS, rows)
    return page("audit.html", entries=told["entries"], next=told["next"], given=given)


def _tokens(**values: Any) -> Response:
    here = installation()
    tokens = read(f"{ADMIN_API}/tokens")["tokens"]
    people = here.store.people(here.live.site)
    return page("tokens.html", tokens=tokens, people=people, roles=[scope.value for scope in Scope], **values)


def _cell(entry: dict[str, Any], name: str) -> object:
    return moment(entry[name]) if name == "time" else entry[name]
