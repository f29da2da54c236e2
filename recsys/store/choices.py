"""Readers' choices: personalisation on or off, and tags that say less of them or nothing.

Reads and writes the table ``reader_choices``, one row per reader who chose anything. Each choice has a number of the
site's changes, given under the write lock, so that every worker follows it. A reader who is forgotten leaves none.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from recsys.errors import InputError
from recsys.store import schema
from recsys.store.articles import next_change
from recsys.store.engine import Database
from recsys.store.records import compact_json
from recsys.units import now_ms

MAX_TAGS = 200  # that one reader may weaken or remove: more than anybody goes through by hand
FOLLOWED_AT_ONCE = 1_000  # rows that a worker reads at once

choices = schema.reader_choices


class TagChoice(NamedTuple):
    """Choice about one tag: how it was written, and the weight in [0, 1] of what was read because of it."""

    name: str
    weight: float


class ReaderChoices(NamedTuple):
    """Choices of one reader.

    Attributes:
        reader: their id.
        personal: False where personalisation is off.
        tags: folded tag -> the choice, of those that weigh less than 1.
        set_at: int ms UTC, when the last one was made.
        change: the number of that change of the site.
    """

    reader: str
    personal: bool = True
    tags: Mapping[str, TagChoice] = {}
    set_at: int = 0
    change: int = 0


class ChoiceStore(Database):
    """The table of choices."""

    def choices_of(self, site: str, reader: str) -> ReaderChoices | None:
        """Choices of a reader; None where they never chose anything."""
        with self.reading() as connection:
            return _stored(connection, site, reader)

    def choosers(self, site: str) -> set[str]:
        """Readers who ever chose anything: few, so that nobody need be asked about the others."""
        with self.reading() as connection:
            return set(connection.scalars(select(choices.c.reader).where(choices.c.site == site)))

    def choices_after(self, site: str, change: int) -> list[ReaderChoices]:
        """Choices that were made after a change of the site, the first ones first, ``FOLLOWED_AT_ONCE`` at most."""
        query = select(choices).where(choices.c.site == site, choices.c.change > change)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(choices.c.change).limit(FOLLOWED_AT_ONCE)).all()
        return [_choices(row) for row in rows]

    def choose_personalisation(self, site: str, reader: str, *, on: bool) -> ReaderChoices:
        """Switch personalisation on or off; what others send of a reader who switched it off is kept without them."""
        with self.writing() as connection:
            before = _stored(connection, site, reader) or ReaderChoices(reader)
            return _write(connection, site, before._replace(personal=on))

    def choose_tag(self, site: str, reader: str, tag: str, choice: TagChoice | None) -> ReaderChoices:
        """Weaken or remove a tag, or undo that.

        Args:
            site: the site.
            reader: whose choice it is.
            tag: folded.
            choice: None, or a weight of 1, undoes it.

        Raises:
            InputError: there would be too many.
        """
        with self.writing() as connection:
            before = _stored(connection, site, reader) or ReaderChoices(reader)
            tags = {name: made for name, made in before.tags.items() if name != tag}
            if choice is not None and choice.weight < 1:
                tags[tag] = choice
            if len(tags) > MAX_TAGS:
                remedy = "Undo some: DELETE /api/v1/reader/tags/{tag}."
                raise InputError(f"at most {MAX_TAGS} tags that are weakened or removed", f"{len(tags)}", remedy)
            return _write(connection, site, before._replace(tags=tags))


def _stored(connection: Connection, site: str, reader: str) -> ReaderChoices | None:
    row = connection.execute(select(choices).where(choices.c.site == site, choices.c.reader == reader)).first()
    return None if row is None else _choices(row)


def _choices(row: Any) -> ReaderChoices:
    tags = {tag: TagChoice(*choice) for tag, choice in json.loads(row.tags).items()}
    return ReaderChoices(row.reader, bool(row.personal), tags, row.set_at, row.change)


def _write(connection: Connection, site: str, chosen: ReaderChoices) -> ReaderChoices:
    chosen = chosen._replace(set_at=now_ms(), change=next_change(connection, site))
    values = {
        "personal": chosen.personal,
        "tags": compact_json({tag: list(choice) for tag, choice in chosen.tags.items()}),
        "set_at": chosen.set_at,
        "change": chosen.change,
    }
    this = (choices.c.site == site) & (choices.c.reader == chosen.reader)
    if not connection.execute(update(choices).where(this).values(values)).rowcount:
        connection.execute(insert(choices).values(site=site, reader=chosen.reader, **values))
    return chosen
