"""The admin API for owners: tokens made, listed and revoked.

Reads and writes the store's tokens; each change is in the audit, and holds in every worker from the next request on.
"""

from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from recsys.errors import UnknownName
from recsys.times.ends import read_end
from recsys.units import now_ms
from web.access import actor, caller
from web.admin.handlers import never_stored
from web.admin.token_schemas import TokenIn, TokenMade, TokenOut, Tokens
from web.api.problem_details import Refused
from web.installation import installation

blueprint = APIBlueprint("tokens", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.get("/tokens")
@blueprint.output(Tokens)
@blueprint.doc(security="bearer")
def list_tokens() -> Tokens:
    """The tokens of this site and of all sites, with their last use to the minute; those that have ended as well."""
    here, now = installation(), now_ms()
    return Tokens(tokens=[TokenOut.of(one, now) for one in here.store.tokens(here.live.site)])


@blueprint.post("/tokens")
@blueprint.input(TokenIn)
@blueprint.output(TokenMade, status_code=201)
@blueprint.doc(security="bearer")
def make_token(json_data: TokenIn) -> TokenMade:
    """Make a token; its secret is in this answer and nowhere else."""
    here = installation()
    if json_data.every_site and caller().site is not None:
        got = f"one of the site {caller().site!r}"
        raise Refused(403, "wrong-site", f"Expected an owner of every site; got {got}.", "Leave every_site out.")
    site = None if json_data.every_site else here.live.site
    zone = ZoneInfo(here.settings.site.timezone)
    end = None if json_data.expires is None else read_end(json_data.expires, zone)
    secret = here.store.add_token(json_data.name, json_data.role, site, expires_at=end, by=actor())
    return TokenMade(name=json_data.name, role=json_data.role, site=site, expires_at=end, token=secret)


@blueprint.delete("/tokens/<path:name>", merge_slashes=False)
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def revoke_token(name: str) -> str:
    """Make a token invalid at once, in all workers: 204. 409: it is the last one of an owner."""
    if not installation().store.revoke_token(name, actor(), site=caller().site, last_owner=False):
        raise UnknownName("the name of a valid token", f"{name!r:.80}", "GET /admin/api/tokens lists them.")
    return ""
