"""Counting: the store's events -> what a world has learned of them.

Reads events in the order of ``seq``, in batches; moves a world's counts, vectors and running visits. Not safe for
threads: ``LiveState`` locks.
"""

from collections.abc import Callable, Iterator

from recsys.events import UNDATED
from recsys.events.visitors import CountedEvent
from recsys.readers import CLICK
from recsys.serving.reader_memory import KIND
from recsys.serving.snapshot import ModelSnapshot
from recsys.store import Store, StoredEvent
from recsys.units import UNKNOWN_ROW

BATCH = 5_000  # events read from the store at once
READER = "r"  # begins the name of a visitor who is a reader
RUNNING = 50_000  # events that are looked at for visits that go on, and for what was clicked already


def news(store: Store, site: str, world: ModelSnapshot) -> Iterator[list[StoredEvent]]:
    """Events that a world has not seen, in batches; whoever takes a batch moves ``world.through``."""
    while events := store.events_after(site, world.through, BATCH):
        yield events
        if len(events) < BATCH:
            return


def count(world: ModelSnapshot, event: StoredEvent, now: int) -> int | None:
    """Learn from one event, heard of at ``now`` (ms), as far as a person did it.

    Returns:
        Its article's row; None when the catalogue lacks it, or its time lies ahead.
    """
    row = world.catalogue.row_of.get(event.article, UNKNOWN_ROW)
    kind, visitor, trends = KIND[event.kind], _visitor(event), world.recommender.trends
    time = UNDATED if event.time is None else event.time
    ahead = trends.is_ahead(time, now)
    seen = CountedEvent(kind) if ahead else world.visitors.see(kind, row, time, visitor, event.context)
    for click in seen.undone:
        trends.uncount(click.row, click.time)
    if seen.kind is not None:
        world.recommender.observe(
            seen.kind,
            row,
            time,
            position=UNKNOWN_ROW if event.position is None else event.position,
            visitor=visitor,
            context=event.context,
            arrived=now,
        )
    return None if row == UNKNOWN_ROW or ahead else row


def replay(store: Store, site: str, world: ModelSnapshot, until: int, clock: Callable[[], int]) -> None:
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


def resume_visits(store: Store, site: str, world: ModelSnapshot, now: int) -> None:
    """Know what was clicked in the visits that were running when the world's counts end; they are not released."""
    seq = max(0, world.through - RUNNING)
    while seq < world.through and (events := store.events_after(site, seq, BATCH)):
        for event in events:
            row, visitor = world.catalogue.row_of.get(event.article), _visitor(event)
            if row is None or visitor is None or event.time is None or event.seq > world.through:
                continue
            if world.recommender.trends.is_ahead(event.time, now):
                continue
            if KIND[event.kind] == CLICK and world.visitors.see(CLICK, row, event.time, visitor, None).kind == CLICK:
                world.recommender.trends.visits.click(visitor, row, event.time)
        seq = events[-1].seq


def forget_visits(world: ModelSnapshot, gone: Callable[[str], bool]) -> None:
    """Drop the clicks of readers who were forgotten; ``gone`` says of a reader's id whether they were."""

    def left(visitor: str) -> bool:
        return visitor.startswith(READER) and gone(visitor[len(READER) :])

    world.recommender.trends.visits.forget(left)
    world.visitors.forget(left)


def _visitor(event: StoredEvent) -> str | None:
    """Whose visit an event belongs to: the reader's, else the session's; the two never meet."""
    if event.reader is not None:
        return f"{READER}{event.reader}"
    return None if event.session is None else f"s{event.session}"
