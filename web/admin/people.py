"""The admin API for owners: people who sign in, added, given another role or password, and removed.

Reads and writes the store's people; each change is in the audit, ends the person's sessions, and holds in every worker
from the next request on. A password comes in and never goes out: a hash of it is kept.
"""

from typing import Self

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from recsys.errors import UnknownName
from recsys.store import Person, Scope, hashed_password
from recsys.store.passwords import MAX_PASSWORD, MIN_PASSWORD, NO_PASSWORD
from web.access import actor, caller
from web.admin.handlers import never_stored
from web.api.problem_details import Refused
from web.installation import Installation, installation

PERSON = "/people/<path:name>"

blueprint = APIBlueprint("people", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class PersonIn(BaseModel):
    """The role and the password of a person."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"role": "editor", "password": "…"}})

    role: Scope = Field(description="viewer, editor, operator or owner; docs/roles.md lists what each may do")
    password: str | None = Field(
        None,
        max_length=1_024,
        description=(
            f"{MIN_PASSWORD} to {MAX_PASSWORD} characters; null: it stays; a new person then has none, and signs in by"
            " the provider that web.oidc names, without which that is refused"
        ),
    )
    every_site: bool = Field(False, description="for every site of this database, which an owner of every site may say")


class PersonOut(BaseModel):
    """A person as listed."""

    name: str
    role: Scope
    site: str | None = Field(description="the only site that it is for; null: every site")
    created_at: int = Field(description="ms UTC")
    changed_at: int = Field(description="ms UTC, when the role or the password was changed last")

    @classmethod
    def of(cls, person: Person) -> Self:
        """A person of the store."""
        facts = person._asdict()
        return cls(role=facts.pop("scope"), **facts)


class PeopleOut(BaseModel):
    """The people of this site and of all sites, in the order of their names."""

    people: list[PersonOut]


@blueprint.get("/people")
@blueprint.output(PeopleOut)
@blueprint.doc(security="bearer")
def list_people() -> PeopleOut:
    """The people of this site and of all sites."""
    return _people(installation())


@blueprint.put(PERSON, merge_slashes=False)
@blueprint.input(PersonIn)
@blueprint.output(PeopleOut)
@blueprint.doc(security="bearer")
def set_person(name: str, json_data: PersonIn) -> PeopleOut:
    """Add a person, or give one another role and, if one is sent, another password. 409: it is the last owner."""
    here, own = installation(), caller().site
    if json_data.every_site and own is not None:
        got = f"one of the site {own!r}"
        raise Refused(403, "wrong-site", f"Expected an owner of every site; got {got}.", "Leave every_site out.")
    site = None if json_data.every_site else here.live.site
    hash = None if json_data.password is None else _hashed(here, json_data.password)
    if hash is None and here.settings.web.oidc is not None and here.store.password_hash(name) is None:
        hash = NO_PASSWORD
    here.store.set_person(name, json_data.role, site, hash, actor(), within=own, last_owner=False)
    return _people(here)


@blueprint.delete(PERSON, merge_slashes=False)
@blueprint.output({}, status_code=204)
@blueprint.doc(security="bearer")
def remove_person(name: str) -> str:
    """Remove a person, whose sessions end in all workers: 204. 409: it is the last owner."""
    if not installation().store.remove_person(name, actor(), within=caller().site, last_owner=False):
        raise UnknownName("the name of a person", f"{name!r:.80}", "GET /admin/api/people lists them.")
    return ""


def _people(here: Installation) -> PeopleOut:
    return PeopleOut(people=[PersonOut.of(one) for one in here.store.people(here.live.site)])


def _hashed(here: Installation, password: str) -> str:
    """The hash of a new password; few are made at a time, as at sign-in."""
    if not here.bounds.hashing.acquire(blocking=False):
        detail = "Expected fewer passwords at this moment."
        raise Refused(503, "overloaded", detail, "Try again in a second.", Retry_After="1")
    try:
        return hashed_password(password)
    finally:
        here.bounds.hashing.release()
