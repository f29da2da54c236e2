"""The admin API: who may, and releases.

Reads a bearer token and releases; produces answers under ``/admin/api``. No token exists by default.
"""

import contextlib
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response

from recsys.errors import MissingArtefact, StoreError
from recsys.gate.moved import compare_releases
from recsys.releases import Releases
from recsys.releases.texts import MOVES
from web.access import actor
from web.admin.schemas import (
    ReleaseComparisonOut,
    ReleaseOut,
    ReleasePromotion,
    ReleaseRollback,
    ReleasesCompared,
    ReleasesOut,
)
from web.installation import installation

blueprint = APIBlueprint("admin", __name__, url_prefix="/admin/api", tag="admin")
log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


@blueprint.after_request
def never_stored(response: Response) -> Response:
    """No cache may keep an admin answer."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/releases")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def list_releases() -> ReleasesOut:
    """All releases with their states, newest first."""
    return _listed(installation().releases)


@blueprint.get("/releases:compare")
@blueprint.input(ReleasesCompared, location="query", arg_name="query")
@blueprint.output(ReleaseComparisonOut)
@blueprint.doc(security="bearer")
def compare(query: ReleasesCompared) -> Any:
    """Two releases beside each other: figures, settings and counts, words that moved, lists that changed."""
    releases = installation().releases
    return compare_releases(*(releases.open(name) for name in (query.before, query.after))).as_json()


@blueprint.post("/releases/<string:name>/activate")
@blueprint.input(ReleasePromotion, location="query", arg_name="query")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def activate(name: str, query: ReleasePromotion) -> ReleasesOut:
    """Verify a release and make it the live one; every worker takes it over as soon as it has loaded it."""
    releases = installation().releases
    before, said = releases.current(), releases.state(name).refusal if query.force else ""
    releases.activate(name, actor(), query.reason or MOVES("promoted"), force=query.force)
    _audit("promote", name, before, query.reason, **({"forced": said} if said else {}))
    return _listed(releases)


@blueprint.post("/releases:rollback")
@blueprint.input(ReleaseRollback, location="query", arg_name="query")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def roll_back(query: ReleaseRollback) -> ReleasesOut:
    """Make an older release live again; no night publishes the one that was live, until somebody activates it."""
    releases = installation().releases
    before = releases.current()
    name = releases.rollback(query.name, actor(), query.reason)
    _audit("rollback", name, before, query.reason)
    return _listed(releases)


def _audit(verb: str, name: str, before: str | None, reason: str, **details: str) -> None:
    """Write a move into the audit; the way back must not wait for a database, and ``states.json`` has it too."""
    here = installation()
    try:
        live = {"live": before}, {"live": here.releases.current()}
        said: dict[str, Any] = {"before": live[0], "after": live[1], "reason": reason, **details}
        here.store.record(here.live.site, actor(), verb, f"release {name}", **said)
    except StoreError as error:
        log.error("not in the audit", release=name, verb=verb, error=str(error))


def _listed(releases: Releases) -> ReleasesOut:
    current = releases.current()
    listed = []
    for name in reversed(releases.names()):
        with contextlib.suppress(MissingArtefact):  # pruned between the two looks
            about, record = releases.manifest(name), releases.state(name)
            facts = {"created_at": about.get("created_at"), "parent": about.get("parent")}
            moved = {key: getattr(record, key) for key in ("state", "since", "by", "reason", "taken_back")}
            moved |= {"refused": bool(record.refusal), "checks": record.verdict.get("checks", [])}
            listed.append(ReleaseOut(name=name, current=name == current, **facts, **moved))
    return ReleasesOut(current=current, releases=listed)
