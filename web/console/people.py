"""Pages of tokens and people, for owners, and of the audit, for operators."""

from typing import Any

from flask import Blueprint, Response, request

from recsys.store import ROLES, Scope
from web.console.calls import ADMIN_API, ask, part, read
from web.console.pages import done, moment, page
from web.console.tables import csv_answer
from web.installation import installation

EVERY_SITE = "*"  # of a form: the account is for all sites
ENTRIES = 50  # of the audit on one page
TOKEN_COLUMNS = ("name", "role", "site", "valid", "expires_at", "last_used_at", "created_at", "revoked_at")
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


@blueprint.post("/people")
def set_person() -> Response:
    """Add a person, or give one another role or password."""
    form = request.form
    name, password = form.get("name", "").strip(), form.get("password") or None
    everywhere = form.get("site") == EVERY_SITE  # a change keeps it; the API checks who may say so
    body = {"role": form.get("role", ""), "password": password, "every_site": everywhere}
    told = ask("PUT", f"{ADMIN_API}/people/{part(name or ' ')}", body)
    return _tokens(**done(told, "person_set", name=name, role=body["role"]))


@blueprint.post("/people/remove")
def remove_person() -> Response:
    """Remove a person."""
    name = request.form.get("name", "")
    return _tokens(**done(ask("DELETE", f"{ADMIN_API}/people/{part(name or ' ')}"), "person_gone", name=name))


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
    tokens, people = read(f"{ADMIN_API}/tokens")["tokens"], read(f"{ADMIN_API}/people")["people"]
    if request.args.get("format") == "csv":
        rows = ([_cell(one, name) for name in TOKEN_COLUMNS] for one in tokens)
        return csv_answer("tokens", TOKEN_COLUMNS, rows)
    roles = [scope.value for scope in Scope]
    people_roles = [role.value for role in ROLES]
    return page(
        "tokens.html",
        tokens=tokens,
        people=people,
        roles=roles,
        people_roles=people_roles,
        oidc=installation().settings.web.oidc is not None,
        **values,
    )


def _cell(entry: dict[str, Any], name: str) -> object:
    return moment(entry[name]) if name == "time" or name.endswith("_at") else entry[name]
