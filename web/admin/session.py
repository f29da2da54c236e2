"""The admin API's sessions: a person signs in and out, and any caller asks who it is."""

from typing import Literal

from apiflask import APIBlueprint
from flask import Response, current_app, request
from pydantic import BaseModel, ConfigDict, Field

from recsys.store import Scope
from web.access import Caller, caller
from web.admin.handlers import never_stored
from web.installation import installation
from web.sessions import COOKIE, check_same_origin, clear_cookie, set_cookie, sign_in

blueprint = APIBlueprint("session", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class SignIn(BaseModel):
    """An account and its password."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=256)
    password: str = Field(min_length=1, max_length=1_024)


class Who(BaseModel):
    """The caller."""

    kind: Literal["token", "person"]
    name: str
    role: Scope = Field(description="docs/roles.md lists what each may do")
    site: str | None = Field(description="the only site that it is for; null: every site")
    expires_at: int | None = Field(description="ms UTC; null: never")

    @classmethod
    def of(cls, one: Caller) -> "Who":
        """A caller in words."""
        return cls(kind=one.kind, name=one.name, role=one.scope, site=one.site, expires_at=one.expires_at)


@blueprint.post("/session")
@blueprint.input(SignIn)
@blueprint.output(Who)
def begin(json_data: SignIn) -> Response:
    """Sign in: a cookie for this address, until the browser is closed and for 12 hours at most.

    401: the name or the password is wrong. 429: too many were, by address or by account; Retry-After says for how long.
    """
    check_same_origin(said=False)
    here = installation()
    secret, person = sign_in(here, json_data.name, json_data.password)
    if before := request.cookies.get(COOKIE):
        here.store.end_session(before)
    who = Who.of(Caller("person", *person))
    response = Response(current_app.json.dumps(who.model_dump()) + "\n", mimetype="application/json")
    set_cookie(response, secret)
    return response


@blueprint.get("/session")
@blueprint.output(Who)
@blueprint.doc(security="bearer")
def read() -> Who:
    """The caller: its kind, name and role."""
    return Who.of(caller())


@blueprint.delete("/session")
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def end() -> Response:
    """Sign out: the session ends in all workers."""
    if secret := request.cookies.get(COOKIE):
        installation().store.end_session(secret)
    response = Response(status=204)
    clear_cookie(response)
    return response
