"""The admin API for editors: pins, boosts and buries with an end, and what holds now.

Reads a bearer token, whose name is written to the audit; produces answers under ``/admin/api``. A decision is in the
lists of every worker within a second, of this one at once.
"""

from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from recsys.catalogue.editorial import Pin
from recsys.errors import InputError
from recsys.recommend.editorial import placed
from recsys.store import Decided, Decision, DecisionKind
from recsys.times import BadTime, read_time
from recsys.units import now_ms
from web.access import actor
from web.admin.editorial_schemas import (
    BoostIn,
    BuryIn,
    DecisionCosted,
    DecisionMade,
    DecisionOut,
    Editorial,
    PinCostOut,
    PinIn,
    PinMade,
)
from web.admin.handlers import never_stored
from web.admin.schemas import VerbDone
from web.api.bodies import id_of_address
from web.installation import Installation, installation

ONE = "/articles/<path:article_id>"

blueprint = APIBlueprint("editorial", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


@blueprint.post(f"{ONE}:pin", merge_slashes=False)
@blueprint.input(PinIn)
@blueprint.output(PinMade)
@blueprint.doc(security="bearer")
def pin(article_id: str, json_data: PinIn) -> PinMade:
    """Let an article stand at a place, or for sure wherever it is ranked, until a time; says what that costs."""
    here, id = installation(), id_of_address(article_id)
    until, place, slot = _moment(here, json_data.until), json_data.place, json_data.slot
    decided = here.store.pin_article(here.live.site, id, actor(), place=place, until=until, slot=slot)
    made = _made(here, decided)
    k = here.settings.recommend.k
    pins = [one for one in _held(here, slot) if one.kind is DecisionKind.PIN]
    return PinMade(**made.model_dump(), pins=pins, note=_note(pins, k), cost=_cost(here, id, place or k))


@blueprint.post(f"{ONE}:boost", merge_slashes=False)
@blueprint.input(BoostIn)
@blueprint.output(DecisionMade)
@blueprint.doc(security="bearer")
def boost(article_id: str, json_data: BoostIn) -> DecisionMade:
    """Multiply an article's odds of a click by a factor until a time."""
    here, id = installation(), id_of_address(article_id)
    until = _moment(here, json_data.until)
    return _made(here, here.store.boost_article(here.live.site, id, actor(), factor=json_data.factor, until=until))


@blueprint.post(f"{ONE}:bury", merge_slashes=False)
@blueprint.input(BuryIn)
@blueprint.output(DecisionMade)
@blueprint.doc(security="bearer")
def bury(article_id: str, json_data: BuryIn) -> DecisionMade:
    """Take an article out of all lists until a time; its page, its tags and today's clicks still show it."""
    here, id = installation(), id_of_address(article_id)
    return _made(here, here.store.bury_article(here.live.site, id, actor(), until=_moment(here, json_data.until)))


@blueprint.post(f"{ONE}:unpin", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def unpin(article_id: str) -> VerbDone:
    """End a pin before its time."""
    return _ended(article_id, DecisionKind.PIN)


@blueprint.post(f"{ONE}:unboost", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def unboost(article_id: str) -> VerbDone:
    """End a boost before its time."""
    return _ended(article_id, DecisionKind.BOOST)


@blueprint.post(f"{ONE}:unbury", merge_slashes=False)
@blueprint.output(VerbDone)
@blueprint.doc(security="bearer")
def unbury(article_id: str) -> VerbDone:
    """End a bury before its time."""
    return _ended(article_id, DecisionKind.BURY)


@blueprint.get("/editorial")
@blueprint.output(Editorial)
@blueprint.doc(security="bearer")
def editorial() -> Editorial:
    """The pins, boosts and buries that hold now, the last one first: until when, and who set them."""
    here = installation()
    held = _held(here, None, every_slot=True)
    k = here.settings.recommend.k

    def cost(one: DecisionOut) -> PinCostOut | None:
        place = one.stands_at or (k if one.kind is DecisionKind.PIN and one.place is None else None)
        return None if place is None else _cost(here, one.article, place)

    return Editorial(k=k, decisions=[DecisionCosted(**one.model_dump(), cost=cost(one)) for one in held])


def _moment(here: Installation, until: float | str) -> int:
    """The end that a request names.

    Raises:
        InputError: it is no time.
    """
    try:
        return read_time(until, zone=ZoneInfo(here.settings.site.timezone))
    except BadTime as error:
        remedy = "Send ms UTC, or ISO 8601 such as 2026-03-02T18:00:00Z."
        raise InputError("the time of the end", str(error), remedy) from None


def _made(here: Installation, decided: Decided) -> DecisionMade:
    here.live.take_down()
    decision = decided.decision
    return DecisionMade(**_fields(decision), ended=list(decided.ended))


def _ended(article_id: str, kind: DecisionKind) -> VerbDone:
    here, id = installation(), id_of_address(article_id)
    outcome = here.store.end_decision(here.live.site, id, actor(), kind)
    here.live.take_down()
    return VerbDone(article=id, outcome=outcome)


def _held(here: Installation, slot: str | None, *, every_slot: bool = False) -> list[DecisionOut]:
    """The decisions that hold now, the last one first, with the places where the pins stand.

    Args:
        here: the installation.
        slot: of the lists; the pins of these and of every list are meant.
        every_slot: all pins are meant, each with its place in the lists of its own slot.
    """
    now, k = now_ms(), here.settings.recommend.k
    held = [one for one in reversed(here.store.decisions(here.live.site)) if one.until > now]
    catalogue = here.live.catalogue
    showable = catalogue.eligible(now).showable

    def is_shown(decision: Decision) -> bool:
        row = catalogue.row_of.get(decision.article)
        return row is not None and bool(showable[row])

    pins = [(number, one) for number, one in enumerate(held) if one.place is not None and is_shown(one)]

    def places(slot: str | None) -> dict[int, int]:
        here_pins = [Pin(number, one.place, one.slot) for number, one in pins if one.slot in (None, slot)]
        return dict(placed(here_pins, k))

    said = []
    for number, one in enumerate(held):
        if every_slot or one.kind is not DecisionKind.PIN or one.slot in (None, slot):
            stands_at = places(one.slot if every_slot else slot).get(number)
            said.append(DecisionOut(**_fields(one), stands_at=stands_at))
    return said


def _cost(here: Installation, id: str, place: int) -> PinCostOut | None:
    cost = here.live.pin_cost(id, place)
    return None if cost is None else PinCostOut.of(cost)


def _fields(decision: Decision) -> dict[str, object]:
    return {name: value for name, value in decision._asdict().items() if name != "change"}


def _note(pins: list[DecisionOut], k: int) -> str | None:
    """Effects of a pin and the other pins on each other, in words; None where every pin stands at its place."""
    moved = [one for one in pins if one.stands_at not in (None, one.place)]
    out = [one for one in pins if one.stands_at is None and one.place is not None]
    said = [f"{one.article!r} stands at place {one.stands_at}, for a later pin has place {one.place}." for one in moved]
    said += [
        f"{one.article!r} is not shown: it is beyond the {k} places of a list that names no length, or not out, "
        "expired or hidden."
        for one in out
    ]
    return " ".join(said) or None
