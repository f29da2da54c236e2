"""The admin API: who may, and releases.

Reads a bearer token and releases; produces answers under ``/admin/api``. No token exists by default.
"""

import contextlib

from apiflask import APIBlueprint
from flask import Response

from recsys.errors import MissingArtefact
from recsys.releases import Releases
from web.admin.schemas import ReleaseOut, ReleasesOut
from web.installation import installation

blueprint = APIBlueprint("admin", __name__, url_prefix="/admin/api", tag="admin")


@blueprint.after_request
def never_stored(response: Response) -> Response:
    """No cache may keep an admin answer."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/releases")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def list_releases() -> ReleasesOut:
    """All releases, newest first; the live one is marked."""
    return _listed(installation().releases)


@blueprint.post("/releases/<string:name>/activate")
@blueprint.output(ReleasesOut)
@blueprint.doc(security="bearer")
def activate(name: str) -> ReleasesOut:
    """Verify a release and make it the live one; every worker takes it over as soon as it has loaded it."""
    releases = installation().releases
    releases.activate(name)
    return _listed(releases)


def _listed(releases: Releases) -> ReleasesOut:
    current = releases.current()
    listed = []
    for name in reversed(releases.names()):
        with contextlib.suppress(MissingArtefact):  # pruned between the two looks
            about = releases.manifest(name)
            facts = {"created_at": about.get("created_at"), "parent": about.get("parent")}
            listed.append(ReleaseOut(name=name, current=name == current, **facts))
    return ReleasesOut(current=current, releases=listed)
