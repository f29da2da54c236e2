"""Lists that one reader was shown, as their page reported them: which cards, at which places, and which were opened.

Reads the events by the index on reader, site and time. A list that no page reported is not there, and of strangers,
who have no id, there are none.
"""

from typing import NamedTuple

from sqlalchemy import select

from recsys.store import schema
from recsys.store.engine import Database
from recsys.store.records import Kind

MAX_CARDS = 200  # impressions that are looked through
events = schema.events


class ShownCard(NamedTuple):
    """A card: the article, its place from 0 (None where the page did not say), and whether the reader opened it."""

    article: str
    position: int | None
    clicked: bool


class ShownList(NamedTuple):
    """A list: when its last card was seen (int ms UTC), the slot, and its cards by place."""

    at: int
    slot: str | None
    cards: list[ShownCard]


class ShownListStore(Database):
    """Lists in the table of events."""

    def lists_shown(self, site: str, reader: str, until: int, limit: int) -> list[ShownList]:
        """The last lists of one reader whose cards were seen by some moment, newest first.

        Args:
            site: the site.
            reader: id.
            until: ms UTC.
            limit: lists at most.
        """
        own = (events.c.site == site) & (events.c.reader == reader)
        seen = own & (events.c.kind == Kind.IMPRESSION.value) & (events.c.time <= until)
        columns = (events.c.impression, events.c.time, events.c.slot, events.c.article, events.c.position)
        newest = select(*columns).where(seen).order_by(events.c.time.desc(), events.c.seq).limit(MAX_CARDS)
        with self.reading() as connection:
            rows = connection.execute(newest).all()
            names = {row.impression for row in rows if row.impression is not None}
            opened = own & (events.c.kind == Kind.CLICK.value) & events.c.impression.in_(names)
            query = select(events.c.impression, events.c.article).where(opened)
            clicks = {(row.impression, row.article) for row in connection.execute(query)}
        lists: dict[tuple[str | None, int], list[tuple[int, str | None, ShownCard]]] = {}
        for row in rows:
            card = ShownCard(row.article, row.position, (row.impression, row.article) in clicks)
            key = row.impression, 0 if row.impression is not None else row.time  # one without a name: by its moment
            lists.setdefault(key, []).append((row.time, row.slot, card))
        return [_list(cards) for cards in list(lists.values())[:limit]]


def _list(cards: list[tuple[int, str | None, ShownCard]]) -> ShownList:
    once = {card.article: card for _, _, card in reversed(cards)}
    ordered = sorted(once.values(), key=lambda card: (card.position is None, card.position or 0))
    return ShownList(max(time for time, _, _ in cards), cards[0][1], ordered)
