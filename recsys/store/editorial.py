"""Editors' decisions on lists: pins, boosts and buries, each with an end.

Reads and writes the table ``editorial``; each decision, with its line in the audit, is one transaction. It has a
number of the site's changes, given under the write lock, so that every worker follows it by the feed of the articles.
"""

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from recsys.errors import Busy, HiddenArticle, InputError
from recsys.store import schema
from recsys.store.articles import next_change
from recsys.store.audit import write_audit
from recsys.store.engine import Database
from recsys.store.operators import Outcome, any_version, article_row
from recsys.units import DAY_MS, now_ms

MAX_DAYS = 30  # until the end: what should stand longer is a matter of the page, and is forgotten by whoever set it
MAX_FACTOR = 10.0  # of a boost: what should be shown more surely than that is a pin
MAX_PLACE = 1_000  # the longest list that any site may allow
MAX_SLOT = 64  # characters of a slot's name, as a list and an event may have
MAX_HELD = 1_000  # decisions of a site at once: each worker reads all of them whenever one changes

editorial = schema.editorial


class DecisionKind(enum.StrEnum):
    """Kind of a decision."""

    PIN = "pin"  # the article stands at a place, or for sure wherever it is ranked
    BOOST = "boost"  # its score is raised
    BURY = "bury"  # it is in no list


_ENDS = {  # what a decision ends, of the same article: nobody wants both
    DecisionKind.PIN: (DecisionKind.PIN, DecisionKind.BURY),
    DecisionKind.BOOST: (DecisionKind.BOOST, DecisionKind.BURY),
    DecisionKind.BURY: tuple(DecisionKind),
}


class Decision(NamedTuple):
    """One decision.

    Attributes:
        article: its id.
        kind: what was decided.
        until: int ms UTC, the first moment at which it no longer holds, by the clock of whoever answers.
        set_at: int ms UTC.
        set_by: ``token NAME`` or ``command USER``.
        change: the number of that change of the site; of two decisions the later one has the larger number.
        place: of a pin, from 1; None: the article stands in every list, and the ranking says where.
        slot: of a pin: the only one in whose lists it stands; None: every list.
        factor: of a boost, by which the odds of a click are multiplied.
    """

    article: str
    kind: DecisionKind
    until: int
    set_at: int
    set_by: str
    change: int
    place: int | None = None
    slot: str | None = None
    factor: float | None = None

    @classmethod
    def of(cls, values: Iterable[Any]) -> "Decision":
        """A decision as a row, or a file, has it."""
        decision = cls(*values)
        return decision._replace(kind=DecisionKind(decision.kind))


class Decided(NamedTuple):
    """Answer to a decision: the decision, and the kinds of those of the same article that it ended."""

    decision: Decision
    ended: tuple[DecisionKind, ...]


class EditorialStore(Database):
    """The table of decisions."""

    def pin_article(
        self, site: str, id: str, by: str, *, place: int | None, until: int, slot: str | None = None
    ) -> Decided:
        """Let an article stand at a place, or without one for sure, of every list or of one slot's; see ``_decide``.

        Raises:
            HiddenArticle: it is hidden.
        """
        if place is not None and not 1 <= place <= MAX_PLACE:
            remedy = "Name a place, 1 is the first; or none, and the ranking says where it stands."
            raise InputError(f"a place from 1 to {MAX_PLACE}", str(place), remedy)
        if slot is not None and not 1 <= len(slot) <= MAX_SLOT:
            raise InputError(f"a slot of 1 to {MAX_SLOT} characters", f"{len(slot)}", "Name it as the lists do.")
        return self._decide(site, id, by, DecisionKind.PIN, until, place=place, slot=slot)

    def boost_article(self, site: str, id: str, by: str, *, factor: float, until: int) -> Decided:
        """Multiply an article's odds of a click by a factor in (1, ``MAX_FACTOR``]; see ``_decide``."""
        if not 1 < factor <= MAX_FACTOR:
            remedy = "Name a factor, such as 2; a pin shows it for sure, a bury takes it out."
            raise InputError(f"a factor above 1 and at most {MAX_FACTOR:g}", str(factor), remedy)
        return self._decide(site, id, by, DecisionKind.BOOST, until, factor=factor)

    def bury_article(self, site: str, id: str, by: str, *, until: int) -> Decided:
        """Take an article out of every list; its page and whatever asks for it stay. See ``_decide``."""
        return self._decide(site, id, by, DecisionKind.BURY, until)

    def end_decision(self, site: str, id: str, by: str, kind: DecisionKind) -> Outcome:
        """End a decision before its time.

        Raises:
            UnknownArticle: there is no article by that id.
            DeletedArticle: it is deleted, and every decision on it with it.
        """
        with self.writing() as connection:
            row = article_row(connection, site, id, any_version)
            if (held := _end(connection, site, id, kind, now_ms())) is None:
                return Outcome.UNCHANGED
            next_change(connection, site)
            write_audit(connection, site, by, f"un{kind}", id, before=_state(held), title=row.title)
        return Outcome.ENDED

    def decisions(self, site: str) -> list[Decision]:
        """The decisions of a site, the first one first; those that are over are among them for a while."""
        columns = [editorial.c[name] for name in Decision._fields]
        query = select(*columns).where(editorial.c.site == site).order_by(editorial.c.change)
        with self.reading() as connection:
            rows = connection.execute(query).all()
        return [Decision.of(row) for row in rows]

    def _decide(
        self,
        site: str,
        id: str,
        by: str,
        kind: DecisionKind,
        until: int,
        *,
        place: int | None = None,
        slot: str | None = None,
        factor: float | None = None,
    ) -> Decided:
        """Write a decision, which holds from now on; an earlier one of the same article that it contradicts ends.

        Raises:
            InputError: the end is not in the future, or too far away.
            UnknownArticle: there is no article by that id.
            DeletedArticle: it is deleted.
            Busy: too many decisions hold.
        """
        now = now_ms()
        _check_end(until, now)
        with self.writing() as connection:
            row = article_row(connection, site, id, any_version)
            if row.hidden and kind is DecisionKind.PIN:
                raise HiddenArticle("an article that is shown", f"{id!r:.300}, which is hidden", "`show` it first.")
            held = [one for other in _ENDS[kind] if (one := _end(connection, site, id, other, now)) is not None]
            ended = tuple(one.kind for one in held if one.kind is not kind)
            _make_room(connection, site, now)
            change = next_change(connection, site)
            decision = Decision(id, kind, until, now, by, change, place, slot, factor)
            connection.execute(insert(editorial).values(site=site, **decision._asdict()))
            before = {one.kind.value: _state(one) for one in held} or None
            ends = {"ends": ended} if ended else {}
            write_audit(
                connection, site, by, kind.value, id, before=before, after=_state(decision), title=row.title, **ends
            )
        return Decided(decision, ended)


def _check_end(until: int, now: int) -> None:
    if until <= now:
        remedy = "Name an end in the future; the clock of this machine decides."
        raise InputError("an end after now", f"{until} ms UTC, {now - until} ms ago", remedy)
    if until > now + MAX_DAYS * DAY_MS:
        got = f"{until} ms UTC, {(until - now) / DAY_MS:.1f} days from now"
        raise InputError(f"an end within {MAX_DAYS} days", got, "Name an earlier end, and set it again then.")


def _end(connection: Connection, site: str, id: str, kind: DecisionKind, now: int) -> Decision | None:
    """Drop a decision; returns it where it held until now."""
    this = (editorial.c.site == site) & (editorial.c.article == id) & (editorial.c.kind == kind.value)
    columns = [editorial.c[name] for name in Decision._fields]
    row = connection.execute(delete(editorial).where(this).returning(*columns)).first()
    return Decision.of(row) if row is not None and row.until > now else None


def _state(decision: Decision) -> dict[str, Any]:
    """A decision as the audit shows it."""
    facts = {"until": decision.until, "place": decision.place, "slot": decision.slot, "factor": decision.factor}
    return {name: value for name, value in facts.items() if value is not None}


def _make_room(connection: Connection, site: str, now: int) -> None:
    """Drop what was over so long ago that no clock can be so wrong, and count what is left.

    Raises:
        Busy: too many decisions hold.
    """
    of_site = editorial.c.site == site
    connection.execute(delete(editorial).where(of_site, editorial.c.until < now - MAX_DAYS * DAY_MS))
    held = connection.scalar(select(func.count()).where(of_site, editorial.c.until > now)) or 0
    if held >= MAX_HELD:
        raise Busy(f"at most {MAX_HELD} decisions at once", f"{held} that hold", "End some: `editorial` lists them.")
