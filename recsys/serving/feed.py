"""The feed: what every worker wrote to the store, applied to one shared state.

Reads events in the order of ``seq`` and changes of articles; moves counts, vectors, running visits and the catalogue,
while answers are made.
"""

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from recsys.events import UNDATED
from recsys.events.people import REPEAT_CLICK
from recsys.events.visitors import CountedEvent
from recsys.events.vouching import HeldClick, counted_clicks
from recsys.readers import CLICK
from recsys.serving.audiences import NO_PAST, PastClicks, join_audience, read_pasts
from recsys.serving.day_clicks import DayClick, DayClicks, person
from recsys.serving.reader_memory import KIND_INDEX, ReaderMemory
from recsys.serving.state import CatalogueFull, SharedState
from recsys.store import DatedClick, Kind, Store, StoredArticle, StoredEvent
from recsys.trends import MAX_FUTURE_MINUTES
from recsys.units import MINUTE_MS, UNKNOWN_ROW

_CLICKS_OF_A_DAY = 300  # of one reader: who clicks more is a robot
_EVENTS_AT_ONCE = 5_000  # events read from the store at once
PATIENCE_SECONDS = 0.5  # how long a take-down waits for an import, and an answer for events being applied
_BLOCK_MS = 15 * MINUTE_MS  # clicks read from the store at once are those of so long
_READER_PREFIX = "r"  # begins the name of a visitor who is a reader
_MAX_SET_ASIDE = 1_000
_EVENTS_OF_RUNNING_VISITS = 50_000  # events that are looked at for visits that go on, and for what was clicked already

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class VisitEvent(NamedTuple):
    """One event as far as a visit is made of it; fields as ``StoredEvent``."""

    seq: int
    article: str
    reader: str | None
    session: str | None
    time: int | None
    proof: int | None
    dwell_ms: int | None


class StoreFeed:
    """The changes of one site, followed from where a state stands.

    Args:
        store: articles and events.
        site: the site.
        clock: ms, when an event is heard of.

    Attributes:
        set_aside: rows of the store that could not be applied -> why; the first ``_MAX_SET_ASIDE``.
    """

    def __init__(self, store: Store, site: str, clock: Callable[[], int]) -> None:
        self._store, self._site, self._clock = store, site, clock
        self.set_aside: dict[str, str] = {}
        self._placing = threading.Lock()  # one article at a time, whoever takes it over
        self._deciding = threading.Lock()  # the decisions of editors at once, in the order in which they are read

    @contextmanager
    def _setting_aside(self, row: str) -> Iterator[None]:
        """Name a row that cannot be applied and go on: what comes after it must not wait for anybody's repair."""
        try:
            yield
        except CatalogueFull:
            raise
        except Exception as error:
            if row not in self.set_aside:
                log.error("set aside: it cannot be applied", row=row, error=str(error), kind=type(error).__name__)
            if len(self.set_aside) < _MAX_SET_ASIDE:
                self.set_aside[row] = f"{type(error).__name__}: {error}"

    def apply_events(
        self, state: SharedState, memory: ReaderMemory, today: DayClicks, batches: int | None = None
    ) -> None:
        """Learn from the events that are new; the caller lets one thread at a time do so.

        Args:
            state: moved on.
            memory: of readers, moved on.
            today: clicks of the day, moved on.
            batches: at most so many; None: until there are no more.
        """
        if today.turn(self._clock(), state.catalogue.row_of):
            self.count_today(state, today)
        for events in itertools.islice(self._batches(state), batches):
            now, pasts = self._clock(), read_pasts(self._store, self._site, state, events)
            for event in events:
                with self._setting_aside(f"event {event.seq}"):
                    row, kind, confirmed = count(state, event, now, pasts.get(event.reader or "", NO_PAST))
                    if kind is None:
                        today.take_back(_visitor(event) or "", state.catalogue.ids)
                    if row is not None:
                        memory.learn(event, row)
                    if row is not None and kind in (CLICK, REPEAT_CLICK):
                        today.add(_day_click(event), row)
                    for click in confirmed:
                        who = person(_visitor(event), click.time, click.context)
                        today.add(DayClick(who, state.catalogue.ids[click.row], click.time), click.row)
            state.through = events[-1].seq

    def replay(self, state: SharedState, until: int) -> None:
        """Count events up to ``seq`` until in a state that does not answer yet."""
        for events in self._batches(state):
            wanted = [event for event in events if event.seq <= until]
            pasts = read_pasts(self._store, self._site, state, wanted)
            for event in wanted:
                with self._setting_aside(f"event {event.seq}"):
                    count(state, event, self._clock(), pasts.get(event.reader or "", NO_PAST))
            if wanted:
                state.through = wanted[-1].seq
            if len(wanted) < len(events):
                return

    def count_today(self, state: SharedState, today: DayClicks) -> None:
        """Read the clicks of the day that the state has passed already, without robots and strangers."""
        odd, row_of = state.visitors.odd, state.catalogue.row_of
        until = self._clock() + int(MAX_FUTURE_MINUTES * MINUTE_MS) + 1
        for since in range(today.day.since, until, _BLOCK_MS):
            clicks = self._store.clicks_between(self._site, since, min(since + _BLOCK_MS, until), state.through)
            sure = counted_clicks(clicks, functools.partial(self._store.signed_readers, self._site))
            counted = (_day_click(click) for click in sure if _visitor(click) not in odd)
            today.add_all((click, row_of.get(click.article, UNKNOWN_ROW)) for click in counted)

    def count_again(self, state: SharedState, today: DayClicks, left: Iterable[str]) -> None:
        """Take back what visitors who were forgotten clicked today, and count what they clicked since, as new ones."""
        for visitor in left:
            today.take_back(visitor, state.catalogue.ids)
            reader = visitor.removeprefix(_READER_PREFIX)
            for event in self._store.clicks_of(self._site, reader, _CLICKS_OF_A_DAY):
                row = state.catalogue.row_of.get(event.article)
                if row is not None and KIND_INDEX[event.kind] == CLICK and event.seq <= state.through:
                    who = person(visitor, event.time, event.context)
                    today.add(DayClick(who, event.article, event.time), row)

    def resume_running(self, state: SharedState) -> None:
        """Read what was going on when the state's counts end, and is not released.

        These are the clicks of running visits, and outcomes of late, so that none that the counts hold counts again.
        """
        visitors, trends = state.visitors, state.recommender.trends
        for event, row, visitor in self._last_of_visitors(state, Kind.CLICK):
            time = event.time or 0
            if visitors.see(CLICK, row, time, visitor, None, event.proof).kind == CLICK:
                trends.visits.click(visitor, row, time)
            if event.dwell_ms:
                visitors.outcomes.see(CLICK, row, time, visitor, event.dwell_ms)
        for kind in (Kind.DWELL, Kind.DISMISS):
            for event, row, visitor in self._last_of_visitors(state, kind):
                visitors.outcomes.see(KIND_INDEX[kind], row, event.time or 0, visitor, event.dwell_ms)

    def _last_of_visitors(self, state: SharedState, kind: Kind) -> Iterator[tuple[VisitEvent, int, str]]:
        """The dated events of one kind, among the last that a state has passed, with their rows and visitors."""
        seq, now, trends = max(0, state.through - _EVENTS_OF_RUNNING_VISITS), self._clock(), state.recommender.trends
        while seq < state.through:
            block = self._store.event_columns_after(self._site, seq, _EVENTS_AT_ONCE, VisitEvent._fields, kind=kind)
            if not block["seq"]:
                break
            for event in map(VisitEvent._make, zip(*block.values(), strict=True)):
                if event.time is None or event.seq > state.through:
                    continue
                row, visitor = state.catalogue.row_of.get(event.article), _visitor(event)
                if row is not None and visitor is not None and not trends.is_ahead(event.time, now):
                    yield event, row, visitor
            seq = block["seq"][-1]

    def resume_sessions(self, state: SharedState, memory: ReaderMemory) -> None:
        """Read the sessions that go on and began before the state's counts end; they are not released.

        Those without an event for longer than a visit may pause are over: a worker that starts knows nothing of them.
        """
        first, now, trends = max(0, state.through - _EVENTS_OF_RUNNING_VISITS), self._clock(), state.recommender.trends
        running: set[str] = set()
        seq = first
        while seq < state.through:
            block = self._store.event_columns_after(self._site, seq, _EVENTS_AT_ONCE, ("seq", "session", "time"))
            if not block["seq"]:
                break
            dated = zip(block["session"], block["time"], strict=True)
            running |= {name for name, time in dated if name and time and time >= now - trends.visits.gap_ms}
            seq = block["seq"][-1]
        seq = first
        while (
            running and seq < state.through and (events := self._store.events_after(self._site, seq, _EVENTS_AT_ONCE))
        ):
            for event in events:
                row = state.catalogue.row_of.get(event.article) if event.session in running else None
                if row is not None and not trends.is_ahead(UNDATED if event.time is None else event.time, now):
                    memory.learn(event, row)
            seq = events[-1].seq

    def apply_articles(self, state: SharedState, take_down: Callable[[], None]) -> None:
        """Take over articles that are new or changed.

        What was taken down meanwhile comes first: an import of many articles, each of which is encoded, takes longer
        than a take-down may wait.

        Args:
            state: moved on.
            take_down: called at once, and again while there is more to do.
        """
        newest = self._store.last_change(self._site)
        self._decide(state, newest)
        if newest == state.changed:
            return
        take_down()
        looked = time.monotonic()
        for article in self._store.articles(self._site, changed_after=state.changed):
            if time.monotonic() - looked > PATIENCE_SECONDS:
                take_down()
                looked = time.monotonic()
            self._place(state, article, newest)
        state.changed = newest
        state.down = {article_id: change for article_id, change in state.down.items() if change > newest}

    def _place(self, state: SharedState, article: StoredArticle, newest: int, *, new: bool = False) -> None:
        """Take over one article.

        Args:
            state: moved on.
            article: as it was read.
            newest: number of the last change before that.
            new: only if nobody has taken it over yet.
        """
        try:
            with self._placing, self._setting_aside(f"article {article.id!r:.80}"):
                if new and article.id in state.catalogue.row_of:
                    return
                prepared = state.snapshot.prepare(article)
                if article.hidden or state.down.get(article.id, 0) <= newest:  # else it was read before
                    state.place([prepared])
        except CatalogueFull:
            state.full = True

    def _bring(self, state: SharedState, events: list[StoredEvent]) -> None:
        """Take over the new articles of some events, which count: they were put after the last look at articles."""
        unknown = [name for name in {event.article for event in events} if name not in state.catalogue.row_of]
        if unknown and (newest := self._store.last_change(self._site)) != state.changed:
            for article in self._store.articles_named(self._site, unknown):
                self._place(state, article, newest, new=True)

    def take_down(self, state: SharedState) -> None:
        """Stop showing what was hidden or deleted since the last time."""
        newest = self._store.last_change(self._site)
        self._decide(state, newest)
        if newest == state.taken_down:
            return
        hidden = self._store.taken_down(self._site, changed_after=state.taken_down)
        state.catalogue.take_down(*hidden)
        state.down |= dict.fromkeys(hidden, newest)
        state.taken_down = max(state.taken_down, newest)

    def _decide(self, state: SharedState, newest: int) -> None:
        """Let the decisions of editors hold as they are, if anything was changed since the last time.

        Those on lists are few, so that they are read whole: one that an editor ended leaves nothing to be followed.
        Those on stories are only added to, and read as far as they are new.
        """
        if newest == state.decided:
            return
        store, site = self._store, self._site
        with self._deciding:
            state.catalogue.decide(store.decisions(site))
            decisions = store.story_decisions(site, changed_after=state.stories_decided)
            state.decide_stories(
                decisions, store.story_names(site, changed_after=state.catalogue.columns.stories.named)
            )
            state.decided = newest

    def _batches(self, state: SharedState) -> Iterator[list[StoredEvent]]:
        """Events that a state has not seen, with their articles; whoever takes a batch moves ``state.through``."""
        while events := self._store.events_after(self._site, state.through, _EVENTS_AT_ONCE):
            self._bring(state, events)
            yield events
            if len(events) < _EVENTS_AT_ONCE:
                return


class Learned(NamedTuple):
    """Outcome of one event.

    Attributes:
        row: of its article, None when the catalogue lacks it or its time lies ahead.
        kind: that it counts as, see ``CountedEvent``.
        confirmed: clicks of the same visitor that were held and count now.
    """

    row: int | None
    kind: int | None
    confirmed: Sequence[HeldClick] = ()


def count(state: SharedState, event: StoredEvent, now: int, past: PastClicks = NO_PAST) -> Learned:
    """Learn from one event, heard of at ``now`` (ms), as far as a person did it; ``past`` holds the reader's clicks."""
    row = state.catalogue.row_of.get(event.article, UNKNOWN_ROW)
    kind, visitor, trends = KIND_INDEX[event.kind], _visitor(event), state.recommender.trends
    event_time = UNDATED if event.time is None else event.time
    ahead = trends.is_ahead(event_time, now)
    position = UNKNOWN_ROW if event.position is None else event.position
    counted = CountedEvent(kind)
    if not ahead:
        counted = state.visitors.see(
            kind, row, event_time, visitor, event.context, event.proof, position, event.impression, event.dwell_ms
        )
    _observe(state, counted, HeldClick(row, event_time, position, event.context), visitor, now)
    if counted.kind == CLICK and not ahead:
        join_audience(state, row, event_time, event.seq, past)
    confirmed = []
    for click in counted.confirmed:
        again = state.visitors.see(
            CLICK, click.row, click.time, visitor, click.context, event.proof, click.position, event.impression
        )
        _observe(state, again, click, visitor, now)
        if again.kind == CLICK:
            join_audience(state, click.row, click.time, 0, past)
        if again.kind in (CLICK, REPEAT_CLICK) and click.row != UNKNOWN_ROW:
            confirmed.append(click)
    return Learned(None if row == UNKNOWN_ROW or ahead else row, counted.kind, confirmed)


def _observe(state: SharedState, counted: CountedEvent, event: HeldClick, visitor: str | None, now: int) -> None:
    """Move the counts by an event as it counts."""
    for click in counted.undone:
        state.recommender.trends.uncount(click.row, click.time)
    if counted.kind is not None:
        state.recommender.observe(
            counted.kind,
            event.row,
            event.time,
            position=event.position,
            visitor=visitor,
            context=event.context,
            arrived=now,
            outcome=counted.outcome,
        )


def forget_visits(state: SharedState, gone: Callable[[str], bool]) -> set[str]:
    """Drop the clicks of readers who were forgotten; ``gone`` says of a reader's id whether they were.

    Returns:
        Those of them who were remembered, as visitors.
    """

    def left(visitor: str) -> bool:
        return visitor.startswith(_READER_PREFIX) and gone(visitor[len(_READER_PREFIX) :])

    state.recommender.trends.visits.forget(left)
    return state.visitors.forget(left)


def _day_click(event: StoredEvent | DatedClick) -> DayClick:
    time = UNDATED if event.time is None else event.time
    return DayClick(person(_visitor(event), time, event.context), event.article, time)


def _visitor(event: StoredEvent | DatedClick | VisitEvent) -> str | None:
    """The visitor to whose visit an event belongs, see ``visitor_name``."""
    return visitor_name(event.reader, event.session)


def visitor_name(reader: str | None, session: str | None) -> str | None:
    """The name of a visitor: the reader, else the session; the two never meet."""
    if reader is not None:
        return f"{_READER_PREFIX}{reader}"
    return None if session is None else f"s{session}"
