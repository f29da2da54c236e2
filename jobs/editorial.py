"""``python -m jobs pin|boost|bury|unpin|unboost|unbury|editorial``: what editors decide on lists, each with an end.

Reads and writes the store; every worker follows within a second. Each decision is in the audit with who made it.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

from jobs.operators import identified
from jobs.runner import Context, opened_store
from jobs.terminal import log, who
from recsys.store import Decided, DecisionKind
from recsys.times import iso
from recsys.times.ends import read_end
from recsys.units import now_ms


def pin(context: Context, id: str, place: int | None, until: str, slot: str | None) -> None:
    """Let an article stand at a place, from 1, or for sure, in every list or those of a slot, until a time."""
    with opened_store(context) as store:
        moment = read_end(until, ZoneInfo(context.settings.site.timezone))
        article = identified(id, "an article")
        decided = store.pin_article(context.settings.site.id, article, who(), place=place, until=moment, slot=slot)
    where: dict[str, object] = {name: value for name, value in (("place", place), ("slot", slot)) if value}
    _say("guaranteed" if place is None else "pinned", decided, **where)


def boost(context: Context, id: str, factor: float, until: str) -> None:
    """Multiply an article's odds of a click by a factor, until a time or for a span."""
    with opened_store(context) as store:
        moment = read_end(until, ZoneInfo(context.settings.site.timezone))
        article = identified(id, "an article")
        decided = store.boost_article(context.settings.site.id, article, who(), factor=factor, until=moment)
    _say("boosted", decided, factor=factor)


def bury(context: Context, id: str, until: str) -> None:
    """Take an article out of all lists, until a time or for a span."""
    with opened_store(context) as store:
        moment = read_end(until, ZoneInfo(context.settings.site.timezone))
        decided = store.bury_article(context.settings.site.id, identified(id, "an article"), who(), until=moment)
    _say("buried", decided)


def end(context: Context, id: str, kind: DecisionKind) -> None:
    """End a decision on an article before its time."""
    with opened_store(context) as store:
        outcome = store.end_decision(context.settings.site.id, identified(id, "an article"), who(), kind)
    log.info(outcome.value, job=f"un{kind}", article=id)


def show(context: Context) -> None:
    """Print what holds now, the last decision first."""
    with opened_store(context) as store:
        held = [one for one in store.decisions(context.settings.site.id) if one.until > now_ms()]
    if not held:
        log.info("nothing holds", job="editorial", site=context.settings.site.id)
    for one in reversed(held):
        named = {"place": one.place, "slot": one.slot, "factor": one.factor}
        details = " ".join(f"{name}={value}" for name, value in named.items() if value)
        until = datetime.fromtimestamp(one.until / 1000, UTC)
        line = f"{one.kind:5}  until {until:%Y-%m-%d %H:%M:%S}  {one.set_by:20}  {one.article}  {details}"
        typer.echo(line.rstrip())


def _say(done: str, decided: Decided, **facts: object) -> None:
    decision = decided.decision
    if decided.ended:
        facts["ends"] = ", ".join(decided.ended)
    log.info(done, job=decision.kind.value, article=decision.article, until=iso(decision.until), **facts)
