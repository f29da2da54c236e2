"""The live state of one worker: its answers, and how they stay fresh to the second.

Reads the store (events and articles of every worker) and the releases; produces recommendations. One thread polls. A
new release is left to a successor, another process, where there is somebody to start one; else it is laid out aside and
takes over by one assignment: requests in flight end on the old one. A release that does not verify is refused and
logged, and the old one goes on serving.
"""

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from recsys.catalogue.catalogue import Catalogue
from recsys.errors import StoreError
from recsys.readers.config import MAX_IMPRESSIONS
from recsys.readers.encoders import weights
from recsys.readers.state import MAX_SEEN
from recsys.recommend.answer import Recommendation
from recsys.recommend.pin_cost import PinCost, pin_cost
from recsys.recommend.reasons import Card
from recsys.recommend.trace import Trace, trace
from recsys.releases import Releases
from recsys.serving.asker import asker_of
from recsys.serving.checkpoint import LiveCheckpoints
from recsys.serving.config import ServingSettings
from recsys.serving.database import DatabaseFile
from recsys.serving.day_clicks import DayClicks
from recsys.serving.feed import PATIENCE_SECONDS, StoreFeed, forget_visits, visitor_name
from recsys.serving.live_experiments import LiveExperiments
from recsys.serving.memory import give_back, laying_out
from recsys.serving.reader_memory import ReaderMemory
from recsys.serving.release_loader import ReleaseLoader
from recsys.serving.state import SharedState
from recsys.serving.today import TodaysClicks, todays_clicks
from recsys.store import Event, EventWriter, Store, Written, reader_digest
from recsys.stories.decisions import EditorDecisions
from recsys.tags import Tags
from recsys.tags.profile import profile
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, UNKNOWN_ROW, now_ms

AWAY_SECONDS = 1.0  # for which no reader is looked for in a database that was out of reach

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class Answer:
    """A list.

    Attributes:
        recommendation: the list.
        catalogue: whose rows it names.
        time: for which it was made, ms.
        personal: False where its reader switched personalisation off.
    """

    recommendation: Recommendation
    catalogue: Catalogue
    time: int
    personal: bool = True


class Frame(NamedTuple):
    """The state, the readers and the day's clicks that one answer is made from: their rows belong together."""

    state: SharedState
    memory: ReaderMemory
    today: DayClicks


class LiveState:
    """Everything that one worker answers from. Safe for threads.

    An answer takes one ``Frame`` and no lock: what is learned meanwhile is written by one call into machine code at a
    time, or takes the place of what was there by one assignment. ``_turn`` lets one thread at a time read events and
    apply them, in the order of ``seq``. ``_writer`` lets one thread at a time commit, for all that wait, so that a
    locked database holds up one thread of the worker and not all of them.

    Attributes:
        succeed: asks for a successor that lays a release out (None: none) and takes this state's place; told, too,
            whether somebody waits for it, and called again and again while it is wanted. None: there is nobody to ask.
    """

    def __init__(
        self,
        settings: ServingSettings,
        store: Store,
        releases: Releases,
        clock: Callable[[], int] = lambda: now_ms(),
        release: str | None = None,
        *,
        pinned: bool = False,
    ) -> None:
        """Load a release.

        Args:
            settings: checked settings.
            store: articles and events.
            releases: of this site.
            clock: gives the time of requests and counts, ms; another one lives through a log or a simulation.
            release: this one and no other, "" for none; None takes the live one, or what can stand in for it.
            pinned: stay with it, whichever is live.

        Raises:
            RecsysError: the release that was asked for cannot be served, or the database is out of reach meanwhile.
        """
        self.settings, self.store, self.releases, self._clock = settings, store, releases, clock
        self.site = settings.site.id
        self._pinned, self._file = pinned, DatabaseFile(settings.database_url)
        self._turn = threading.Lock()
        self._writer = EventWriter(store)
        self.succeed: Callable[[str | None, bool], None] | None = None
        self._stop = threading.Event()
        self._trouble, self._ahead = "", 0
        self._builder: threading.Thread | None = None
        self._poller = threading.Thread(target=self._poll, daemon=True, name="poll")
        self._ahead_reader = threading.Thread(target=self._read_ahead, daemon=True, name="read ahead")
        self._feed = StoreFeed(store, self.site, clock)
        self._checkpoints = LiveCheckpoints(settings.data_dir / "live")
        self._experiments = LiveExperiments(store, self.site, settings.recommend, clock)
        self._loader = ReleaseLoader(settings, store, releases, self._feed, self._checkpoints)
        state = self._loader.first() if release is None else self._loader.load(release or None)
        readers = ReaderMemory(settings.web.max_readers, state.recommender.readers, state.catalogue.row_of)
        today = DayClicks(clock(), settings.site.timezone, len(state.recommender.trends))
        self._frame = Frame(state, readers, today)
        self._forgotten = self._chosen = 0
        self._choosers = set[str]()
        self._resumed = False
        self._begun = 0  # times that whoever sent events began to apply what is new
        self._away_until = 0.0
        self._followed_at = time.monotonic()
        try:
            self.catch_up()
            self._file.check()  # from now on it is this file
        except StoreError as error:
            self._complain("nothing is followed yet", error)
        give_back()

    def start(self) -> None:
        """Begin to follow the store and the releases."""
        self._poller.start()
        self._ahead_reader.start()

    def close(self, *, succeeded: bool = False) -> None:
        """Stop following, and leave a checkpoint; a release that is being laid out is finished first.

        Args:
            succeeded: another one has taken this state's place; a checkpoint of what is over would replace its own.
        """
        self._stop.set()
        for thread in (self._poller, self._ahead_reader, self._builder):
            if thread is not None and thread.is_alive():
                thread.join()
        try:
            self._experiments.follow()  # first lists since the last poll
        except StoreError as error:
            self._complain("exposures not written", error)
        try:
            if not succeeded and self._checkpoints.worth(self._frame.state):
                self._checkpoints.write(self._frame.state, self._turn)
        except OSError as error:
            self._complain("no checkpoint", error)

    @property
    def release(self) -> str | None:
        """The release that is served, None before the first one."""
        return self._frame.state.recommender.release

    @property
    def odd_readers(self) -> frozenset[str]:
        """Readers who are left out of the counts, as far as this worker knows."""
        return frozenset(visitor[1:] for visitor in list(self._frame.state.visitors.odd) if visitor.startswith("r"))

    def vouches_for(self, reader: str | None, session: str | None) -> bool:
        """True for a reader, else a session, of whom this worker remembers that they saw a card of a list."""
        visitor = visitor_name(reader, session)
        return visitor is not None and visitor in self._frame.state.visitors.vouching

    def is_new(self, reader: str | None, session: str | None) -> bool:
        """True for a reader, else a session, of whom this worker remembers nothing that is older than an hour."""
        memory, before = self._frame.memory, self._clock() - HOUR_MS
        state = memory.session(None, session) if reader is None else memory.reader(reader)
        times = () if state is None else (state.times, state.impressions.times)
        return not any(len(one) and one[0] < before for one in times)

    @property
    def story_decisions(self) -> EditorDecisions:
        """Decisions of editors on stories, as far as they were followed."""
        return self._frame.state.snapshot.stories.decisions

    @property
    def trends(self) -> Trends:
        """The live counts."""
        return self._frame.state.recommender.trends

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that is served."""
        return self._frame.state.catalogue

    def recommend(
        self,
        reader: str | None,
        session: str | None,
        *,
        article: str | None,
        k: int,
        lang: str | None,
        slot: str | None = None,
        exclude: Sequence[str] = (),
        recent: Sequence[str] = (),
        cheap: bool = False,
    ) -> Answer:
        """Make a list; see ``Recommender.recommend``.

        What the reader did just now counts: at once where this worker took it, else within ``web.poll_seconds``.
        ``recent`` are ids of articles that somebody unknown opened last, newest first; nothing of them is kept.
        """
        (state, memory, _), now = self._frame_with(reader), self._now()
        asker = asker_of(memory, reader, session, slot).passing(memory, recent, now)
        taking_part = reader if asker.personal else None
        recommendation = self._experiments.recommender_for(taking_part, state.recommender, now).recommend(
            *asker.states,
            article=article,
            k=k,
            now=now,
            lang=lang,
            home=self.settings.site.language,
            request=asker.request,
            exclude=exclude,
            cheap=cheap,
        )
        return Answer(recommendation, state.catalogue, now, asker.personal)

    def _now(self) -> int:
        """The time, ms; by a clock by which nothing is out yet, that of the last event that the release counted."""
        now, state = self._clock(), self._frame.state
        counted = state.snapshot.counted_until
        if counted <= now or state.catalogue.eligible(now).listed:
            return now
        return counted

    def other_release(self, reader: str | None) -> str | None:
        """The release that a reader's list is to come from instead; None for nearly everybody. See ``challenger``."""
        if reader is None or not self._experiments.has_releases:
            return None
        release = self._experiments.release_of(reader)
        if release is None:
            return None
        choices = self._frame_with(reader).memory.choices(reader)
        return release if choices is None or choices.personal else None

    def has_beside(self, release: str | None) -> None:
        """Say which release a process of this machine serves beside the live one; None for none."""
        self._experiments.beside = release

    def exposed(self, reader: str) -> None:
        """Note that another release has made a reader's list."""
        self._experiments.expose(reader, self._clock())

    def trace(
        self,
        target: str,
        reader: str | None,
        session: str | None,
        *,
        article: str | None,
        k: int,
        lang: str | None,
        slot: str | None = None,
        exclude: Sequence[str] = (),
        spoken: str = "en",
    ) -> tuple[Trace, Catalogue]:
        """The way of one article towards a list that ``recommend`` would make now; see ``recsys.recommend.trace``."""
        (state, memory, _), now = self._frame_with(reader), self._now()
        asker = asker_of(memory, reader, session, slot)
        followed = trace(
            state.recommender,
            target,
            *asker.states,
            article=article,
            k=k,
            now=now,
            lang=lang,
            home=self.settings.site.language,
            request=asker.request,
            exclude=exclude,
            spoken=spoken,
        )
        return followed, state.catalogue

    def profile(self, reader: str, session: str | None) -> tuple[Tags, int]:
        """The tags of a reader's last clicks, and the number of these; the session's when the reader has none."""
        (state, memory, _), now = self._frame_with(reader), self._now()
        states = [state for state in memory.states(reader, session) if state is not None and len(state.clicks)]
        clicks = states[0].clicks.tolist() if states else []
        half_life, catalogue = state.recommender.readers.half_life_clicks, state.catalogue
        clicked = [catalogue.articles[row] if catalogue.quotable(row, now) else None for row in clicks]
        return profile(clicked, weights(len(clicks), half_life).tolist()), len(clicks)

    def today(self, k: int, lang: str | None) -> TodaysClicks:
        """The most clicked articles of today; see ``todays_clicks``."""
        frame = self._frame
        return todays_clicks(frame.today, frame.state.catalogue, k, self._now(), lang)

    def similar(self, article: str, k: int) -> tuple[list[Card], Catalogue, str | None]:
        """The articles nearest to one; see ``Recommender.similar``.

        Returns:
            The cards, the catalogue whose rows they name, the release.
        """
        state = self._frame.state
        return state.recommender.similar(article, k, self._now()), state.catalogue, state.recommender.release

    def pin_cost(self, article: str, place: int) -> PinCost | None:
        """The estimated cost of an article at a place; see ``pin_cost``."""
        state = self._frame.state
        row = state.catalogue.row_of.get(article, UNKNOWN_ROW)
        return pin_cost(state.recommender.trends, row, place, self._clock())

    def accept(self, events: Sequence[Event]) -> Written:
        """Commit events, then apply them by the same path as everyone else's.

        Raises:
            StoreError: see ``EventWriter.add``.
        """
        self._file.check()
        written = self._writer.add(events)
        self._apply_next()
        return written

    @property
    def behind_seconds(self) -> float:
        """Seconds since everything that was in the store had been taken over."""
        return max(0.0, time.monotonic() - self._followed_at)

    @property
    def set_aside(self) -> list[str]:
        """Rows of the store that could not be applied, by name."""
        return list(self._feed.set_aside)

    def check_store(self) -> None:
        """Make sure that the database answers.

        Raises:
            StoreError: it is out of reach, or its file was taken away.
        """
        self._file.check()
        self.store.last_seq(self.site)

    def catch_up(self) -> None:
        """Apply what was committed since the last time, by any worker."""
        with self._turn:
            self._resume()
            self._feed.apply_events(*self._frame)
        self._away_until = 0.0

    def _resume(self) -> None:
        """Once, as soon as the database is in reach: what goes on over a start, and what a release does not hold."""
        if self._resumed:
            return
        state, memory, today = self._frame
        if not state.followed:
            self._loader.follow(state)
        self._feed.resume_sessions(state, memory)
        self._feed.count_today(state, today)
        self._forgotten, newest = self.store.last_forgotten(self.site), self.store.last_change(self.site)
        if memory.is_empty():  # whoever comes from now on comes with what they chose; else all choices are looked at
            self._chosen = newest
        self._choosers |= self.store.choosers(self.site)
        self._resumed = True

    def refresh(self) -> None:
        """Take over articles that are new or changed since the last time."""
        state = self._frame.state
        self._feed.apply_articles(state, self.take_down)
        if state.full:
            self._build_aside(self.release)

    def take_down(self) -> None:
        """Stop showing what was hidden or deleted since the last time."""
        self._feed.take_down(self._frame.state)

    def forget(self) -> None:
        """Drop the readers who were forgotten since the last time."""
        newest = self.store.last_forgotten(self.site)
        if newest == self._forgotten or not self._resumed:
            return
        with self._turn:  # whoever read their events before they were deleted has applied them by now
            gone = self._gone_since(self._forgotten)
            self._frame.memory.forget(gone)
            self._choosers = {reader for reader in self._choosers if not gone(reader)}
            state, _, today = self._frame
            self._feed.count_again(state, today, forget_visits(state, gone))
            self._forgotten = newest

    def follow_choices(self) -> None:
        """Let hold what readers chose since the last time."""
        if not self._resumed:
            return
        with self._turn:
            while made := self.store.choices_after(self.site, self._chosen):
                for choices in made:
                    self._choosers.add(choices.reader)
                    self._frame.memory.choose(choices)
                self._chosen = made[-1].change

    def _gone_since(self, change: int) -> Callable[[str], bool]:
        """A function that says of a reader's id whether they were forgotten after a change."""
        digests = {reader.digest for reader in self.store.forgotten_readers(self.site, changed_after=change)}
        return lambda reader: reader_digest(self.site, reader) in digests

    def _frame_with(self, reader: str | None) -> Frame:
        """The frame to answer from; a reader who is new to this worker is loaded, without a database they are new."""
        frame = self._frame
        if reader is None or reader in frame.memory or time.monotonic() < self._away_until:
            return frame
        trends, now = frame.state.recommender.trends, self._clock()
        try:
            with frame.memory.meeting(reader) as meet:
                past = self.store.history_of(self.site, reader, MAX_SEEN, MAX_IMPRESSIONS)
                unsure = not self._resumed or reader in self._choosers
                if unsure and (choices := self.store.choices_of(self.site, reader)) is not None:
                    frame.memory.choose(choices)
                n = len(past.times)
                while n and trends.is_ahead(past.times[n - 1], now):
                    n -= 1
                meet(past.first(n))
        except StoreError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            self._complain("reader not loaded", error)
        return frame

    def _apply_next(self) -> None:
        """Apply what is new, one batch at most; whoever sent events does not wait for a bulk import.

        Who waited for another thread that began after their own commit finds everything done.
        """
        begun = self._begun
        try:
            if self._resumed and self._turn.acquire(timeout=PATIENCE_SECONDS):
                try:
                    if self._begun == begun:
                        self._begun += 1
                        self._feed.apply_events(*self._frame, batches=1)
                finally:
                    self._turn.release()
        except StoreError as error:
            self._complain("events not applied", error)

    def _mend_counts(self) -> None:
        """Count anew what the release has not counted, if the clock was ahead meanwhile and has been put right."""
        state = self._frame.state
        trends = state.recommender.trends
        if trends.newest > state.snapshot.counted_until and trends.is_ahead(trends.newest, self._clock()):
            if trends.newest != self._ahead:
                said = "counted by a clock that was ahead: counting anew"
                log.warning(said, release=self.release, newest=trends.newest)
            self._ahead = trends.newest
            self._build_aside(self.release)

    def _keep(self) -> None:
        self._frame.state.recommender.keep(self._clock())

    def _checkpoint(self) -> None:
        state = self._frame.state
        if self._checkpoints.due(state):
            self._checkpoints.write(state, self._turn)

    def _look_for_release(self) -> None:
        name = None if self._pinned else self._loader.newer(self.release)
        if name is not None:
            self._build_aside(name)

    def _build_aside(self, name: str | None) -> None:
        """Have a release laid out by a successor, else in a thread of its own, so that polling goes on meanwhile."""
        if self.succeed is not None:
            served = self.release
            self.succeed(name, name is not None and served is not None and name < served)  # back: by a person alone
        elif self._builder is None or not self._builder.is_alive():
            self._builder = threading.Thread(target=self._take_over, args=(name,), daemon=True, name="build")
            self._builder.start()

    def _take_over(self, name: str | None) -> None:
        try:
            self._swap(name)
        except Exception as error:  # whatever is wrong with it, the old one goes on serving
            self._loader.refuse(name, error)

    def _swap(self, name: str | None) -> None:
        forgotten = self._forgotten
        state = self._loader.load(name)
        state.snapshot.read_ahead()
        self._feed.replay(state, self.store.last_seq(self.site))  # most of it, while nobody waits
        self._feed.apply_articles(state, functools.partial(self._feed.take_down, state))
        with self._turn:
            old = self._frame
            self._feed.apply_events(*old)
            self._feed.replay(state, old.state.through)
            gone = self._gone_since(forgotten)
            left = forget_visits(state, gone) | forget_visits(old.state, gone)
            self._feed.apply_articles(state, functools.partial(self._feed.take_down, state))
            rows, readers = state.catalogue.row_of, state.recommender.readers
            today = old.today.moved(old.state.catalogue.ids, rows, len(state.recommender.trends))
            self._feed.count_again(state, today, left)
            for visitor in state.visitors.odd:  # the release may know more of them
                today.take_back(visitor, state.catalogue.ids)
            self._frame = Frame(state, old.memory.moved(old.state.catalogue.ids, rows, readers), today)
        log.info("release taken over", release=name, articles=len(state.catalogue.ids))
        del old, state
        give_back()

    def _complain(self, what: str, error: Exception) -> None:
        """Log a trouble; the same one is logged once."""
        if str(error) != self._trouble:
            log.error(what, error=str(error), kind=type(error).__name__)
        self._trouble = str(error)

    def follow(self) -> None:
        """Take over everything that is new; a step that fails holds up no other.

        Once before a successor answers, so that it shows nothing that its predecessor has taken down.
        """
        steps: tuple[Callable[[], None], ...] = (
            self._file.check,
            self.forget,
            self.follow_choices,
            self._experiments.follow,
            self.catch_up,
            self.refresh,
            self._keep,
            self._mend_counts,
            self._look_for_release,
            self._checkpoint,
        )
        trouble = False
        for step in steps:
            try:
                step()
            except Exception as error:  # the thread that polls must live on
                self._complain("polling failed", error)
                trouble = True
        if not trouble:
            self._trouble, self._followed_at = "", time.monotonic()

    def _read_ahead(self) -> None:
        try:
            with laying_out():
                self._frame.state.snapshot.read_ahead()
        except Exception as error:  # the first article will read it, and say so again
            self._complain("not read ahead", error)

    def _poll(self) -> None:
        while not self._stop.wait(self.settings.web.poll_seconds):
            self.follow()
