"""Counting: the store's events -> what a world has learned of them.

Reads events in the order of ``seq``, in batches; moves a world's counts, vectors and running visits. Not safe for
threads: ``web.live`` locks.
"""

from collections.abc import Callable, Iterator

from recsys.events import UNDATED
from recsys.readers import CLICK
from recsys.recommend.catalogue import NONE
from recsys.store import Store, StoredEvent
from web.memory import KIND
from web.world import World

BATCH = 5_000  # events read from the store at once
READER = "r"  # begins the name of a visitor who is a reader
RUNNING = 20_000  # events that are looked at for visits that go on


def news(store: Store, site: str, world: World) -> Iterator[list[StoredEvent]]:
    """Events that a world has not seen, in batches; whoever takes a batch moves ``world.through``."""
    while events := store.events_after(site, world.through, BATCH):
        yield events
        if len(events) < BATCH:
            return


def count(world: World, event: StoredEvent, now: int) -> int | None:
    """Learn from one event, heard of at ``now`` (ms); returns its article's row, None when the catalogue lacks it."""
    row = world.catalogue.row_of.get(event.article, NONE)
    world.recommender.observe(
        KIND[event.kind],
        row,
        UNDATED if event.time is None else event.time,
        position=NONE if event.position is None else event.position,
        visitor=_visitor(event),
        context=event.context,
        arrived=now,
    )
    return None if row == NONE else row


def replay(store: Store, site: str, world: World, until: int, clock: Callable[[], int]) -> None:
    """Count events in a world that does not answer yet.

    Args:
        store: where they are.
        site: whose.
        world: moved on.
        until: ``seq`` of the last one.
        clock: ms, when an event is heard of.
    """
    for events in news(store, site, world):
        wanted = [event for event in events if event.seq <= until]
        for event in wanted:
            count(world, event, clock())
        if wanted:
            world.through = wanted[-1].seq
        if len(wanted) < len(events):
            return


def resume_visits(store: Store, site: str, world: World) -> None:
    """Know what was clicked in the visits that were running when the world's counts end; they are not released."""
    seq = max(0, world.through - RUNNING)
    while seq < world.through and (events := store.events_after(site, seq, BATCH)):
        for event in events:
            row, visitor = world.catalogue.row_of.get(event.article), _visitor(event)
            if row is None or visitor is None or event.time is None or event.seq > world.through:
                continue
            if KIND[event.kind] == CLICK:
                world.recommender.trends.visits.click(visitor, row, event.time)
        seq = events[-1].seq


def forget_visits(world: World, gone: Callable[[str], bool]) -> None:
    """Drop the running visits of readers who were forgotten; ``gone`` says of a reader's id whether they were."""
    world.recommender.trends.visits.forget(lambda visitor: visitor.startswith(READER) and gone(visitor[len(READER) :]))


def _visitor(event: StoredEvent) -> str | None:
    """Whose visit an event belongs to: the reader's, else the session's; the two never meet."""
    if event.reader is not None:
        return f"{READER}{event.reader}"
    return None if event.session is None else f"s{event.session}"
