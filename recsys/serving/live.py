"""The live state of one worker: what it answers from, and how it stays fresh to the second.

Reads the store (events and articles of every worker) and the releases; produces recommendations. One thread polls. A
new release is laid out aside and takes over by one assignment: requests in flight end on the old one. A release that
does not verify is refused and logged, and the old one goes on serving.
"""

import functools
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from recsys.catalogue.columns import Catalogue
from recsys.errors import StoreError
from recsys.readers import weights
from recsys.recommend.answer import Recommendation
from recsys.recommend.context import RequestContext
from recsys.recommend.reasons import Card
from recsys.releases import Releases
from recsys.serving.artefacts import load_artefacts, no_artefacts
from recsys.serving.config import ServingSettings
from recsys.serving.database import DatabaseFile
from recsys.serving.feed import count, forget_visits, news, replay, resume_visits
from recsys.serving.reader_memory import ReaderMemory
from recsys.serving.snapshot import CatalogueFull, ModelSnapshot
from recsys.store import Event, Store, Written, reader_digest
from recsys.tags import Tags
from recsys.tags.profile import profile
from recsys.units import now_ms

MAX_ODD = 500  # readers that a query leaves out
RETRY_SECONDS = 60.0  # a refused release is tried again, in case it was repaired
PATIENCE_SECONDS = 0.5  # how long an answer waits for the thread that is applying events
WRITE_SECONDS = 2.0  # how long events wait for others of this worker that are being committed

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class Answer:
    """A list, the catalogue whose rows it names, and the time for which it was made (ms)."""

    recommendation: Recommendation
    catalogue: Catalogue
    time: int


class LiveState:
    """What one worker answers from. Safe for threads.

    ``_turn`` lets one thread at a time read events and apply them, in the order of ``seq``; ``_lock`` guards the world
    and the memory for as long as an answer takes, because FAISS must not be searched while it grows. Whoever needs
    both takes ``_turn`` first. ``_writing`` lets one thread at a time commit events, so that a database that is locked
    for long holds up one thread of the worker and not all of them.
    """

    def __init__(
        self, settings: ServingSettings, store: Store, releases: Releases, clock: Callable[[], int] = lambda: now_ms()
    ) -> None:
        """Load the live release.

        Args:
            settings: checked settings.
            store: articles and events.
            releases: of this site.
            clock: gives the time of requests and counts, ms; another one lives through a log or a simulation.
        """
        self.settings, self.store, self.releases, self._clock = settings, store, releases, clock
        self.site = settings.site.id
        self._file = DatabaseFile(settings.database_url)
        self._turn, self._lock, self._writing = threading.Lock(), threading.Lock(), threading.Lock()
        self._stop = threading.Event()
        self._refused, self._retry_at = "", 0.0
        self._trouble = ""
        self._builder: threading.Thread | None = None
        self._poller = threading.Thread(target=self._poll, daemon=True, name="poll")
        self._world = self._first_world()
        self._memory = ReaderMemory(settings.web.max_readers, self._world.recommender.readers)
        self._forgotten = self.store.last_forgotten(self.site)
        self.catch_up()

    def start(self) -> None:
        """Begin to follow the store and the releases."""
        self._poller.start()

    def close(self) -> None:
        """Stop following; a release that is being laid out is finished first."""
        self._stop.set()
        for thread in (self._poller, self._builder):
            if thread is not None and thread.is_alive():
                thread.join()

    @property
    def release(self) -> str | None:
        """The release that is served, None before the first one."""
        return self._world.recommender.release

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that is served."""
        return self._world.catalogue

    @property
    def odd_readers(self) -> list[str]:
        """The readers whom no person could be, the last ones first; they are left out of what is counted."""
        with self._lock:
            odd = [visitor[1:] for visitor in reversed(self._world.visitors.odd) if visitor.startswith("r")]
        return odd[:MAX_ODD]

    def recommend(
        self,
        reader: str | None,
        session: str | None,
        *,
        article: str | None,
        k: int,
        lang: str | None,
        slot: str | None = None,
    ) -> Answer:
        """Make a list; see ``Recommender.recommend``. What the reader did just now counts, whichever worker took it."""
        self._listen(reader, session)
        with self._lock:
            world, now = self._world, self._clock()
            recommendation = world.recommender.recommend(
                *self._memory.states(reader, session),
                article=article,
                k=k,
                now=now,
                lang=lang,
                home=self.settings.site.language,
                request=RequestContext(reader, slot),
            )
        return Answer(recommendation, world.catalogue, now)

    def profile(self, reader: str, session: str | None) -> tuple[Tags, int]:
        """What a reader's last clicks are about, and how many these are; the session's when the reader has none."""
        self._listen(reader, session)
        with self._lock:
            states = self._memory.states(reader, session)
            clicks = next((state.clicks for state in states if state and state.clicks), [])
            half_life = self._world.recommender.readers.half_life_clicks
            catalogue, now = self._world.catalogue, self._clock()
            clicked = [catalogue.articles[row] if catalogue.quotable(row, now) else None for row in clicks]
            return profile(clicked, weights(len(clicks), half_life).tolist()), len(clicks)

    def similar(self, article: str, k: int) -> tuple[list[Card], Catalogue, str | None]:
        """The articles nearest to one; see ``Recommender.similar``.

        Returns:
            The cards, the catalogue whose rows they speak of, the release.
        """
        with self._lock:
            world = self._world
            cards = world.recommender.similar(article, k, self._clock())
        return cards, world.catalogue, world.recommender.release

    def accept(self, events: Sequence[Event]) -> Written:
        """Commit events, then apply them by the same path as everyone else's.

        Raises:
            StoreError: the database refused, or is still busy with others; then none was taken.
        """
        self._file.check()
        if not self._writing.acquire(timeout=WRITE_SECONDS):
            raise StoreError("a database that is free to write", "one that is locked", "Try again in a moment.")
        try:
            written = self.store.add_events(events)
        finally:
            self._writing.release()
        self._hear()
        return written

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
            self._apply_news()

    def refresh(self) -> None:
        """Take over articles that are new or changed since the last time.

        What was taken down meanwhile comes first: an import of many articles, each of which is encoded, takes longer
        than a take-down may wait.
        """
        world, full = self._world, False
        newest = self.store.last_change(self.site)
        if newest == world.changed:
            return
        self.take_down()
        looked = time.monotonic()
        for article in self.store.articles(self.site, changed_after=world.changed):
            if time.monotonic() - looked > PATIENCE_SECONDS:
                self.take_down()
                looked = time.monotonic()
            prepared = world.prepare(article)
            try:
                with self._lock:
                    if article.hidden or world.down.get(article.id, 0) <= newest:  # else it was read before
                        world.place(prepared)
            except CatalogueFull:
                full = True
        with self._lock:
            world.changed = newest
            world.down = {article_id: change for article_id, change in world.down.items() if change > newest}
        if full:
            self._build_aside(self.release)

    def take_down(self, world: ModelSnapshot | None = None) -> None:
        """Stop showing what was hidden or deleted since the last time, by default in the world that is served."""
        world = world or self._world
        newest = self.store.last_change(self.site)
        if newest == world.taken_down:
            return
        down = self.store.taken_down(self.site, changed_after=world.taken_down)
        with self._lock:
            for article_id in down:
                world.catalogue.take_down(article_id)
                world.down[article_id] = newest
            world.taken_down = max(world.taken_down, newest)

    def forget(self) -> None:
        """Drop the readers who were forgotten since the last time."""
        newest = self.store.last_forgotten(self.site)
        if newest == self._forgotten:
            return
        with self._turn:  # whoever read their events before they were deleted has applied them by now
            gone = self._gone_since(self._forgotten)
            with self._lock:
                self._memory.forget(gone)
                forget_visits(self._world, gone)
                self._forgotten = newest

    def _gone_since(self, change: int) -> Callable[[str], bool]:
        """Whether a reader was forgotten after a change, as a function of the id."""
        digests = {one.digest for one in self.store.forgotten_readers(self.site, changed_after=change)}
        return lambda reader: reader_digest(self.site, reader) in digests

    def _listen(self, reader: str | None, session: str | None) -> None:
        """Know of a reader and a session what the database knows."""
        if reader is not None:
            self._meet(reader)
        if reader is not None or session is not None:
            self._hear()

    def _meet(self, reader: str) -> None:
        """Load a reader from the store when they are first seen; out of reach, they have no history for now."""
        while True:
            with self._lock:
                if reader in self._memory:
                    return
                world, through, forgotten = self._world, self._world.through, self._forgotten
            try:
                events = self.store.clicks_of(self.site, reader, self._memory.config.max_seen)
                events += self.store.impressions_of(self.site, reader, self._memory.config.max_impressions)
            except StoreError as error:
                self._complain("reader not loaded", error)
                return
            known = world.recommender.trends
            events = [one for one in events if one.time is None or not known.is_ahead(one.time, self._clock())]
            with self._lock:
                same = world is self._world and through == world.through and forgotten == self._forgotten
                if same:  # else an event may have been applied and not loaded, or loaded and since forgotten
                    self._memory.meet(reader, events, world.catalogue.row_of)
                    return

    def _hear(self) -> None:
        """Apply what is new, one batch at most; an answer waits neither for a bulk import nor for a dead database."""
        if self._trouble:
            return
        try:
            news = self.store.last_seq(self.site) > self._world.through
            if news and self._turn.acquire(timeout=PATIENCE_SECONDS):
                try:
                    self._apply_news(batches=1)
                finally:
                    self._turn.release()
        except StoreError as error:
            self._complain("events not heard", error)

    def _apply_news(self, batches: int | None = None) -> None:
        world = self._world
        for events in itertools.islice(news(self.store, self.site, world), batches):
            with self._lock:
                now = self._clock()
                for event in events:
                    row = count(world, event, now)
                    if row is not None:
                        self._memory.learn(event, row)
                world.through = events[-1].seq

    def _first_world(self) -> ModelSnapshot:
        current = self.releases.current()
        for name in dict.fromkeys([current, *reversed(self.releases.names())]) if current else ():
            try:
                return self._build(name)
            except Exception as error:  # whatever is wrong with it, an older one may serve
                self._refuse(name, error)
        return self._build(None)

    def _build(self, name: str | None) -> ModelSnapshot:
        """Lay out a release, or none, over the catalogue as it is now."""
        parts = no_artefacts(self.settings) if name is None else load_artefacts(self.releases.open(name), self.settings)
        changed = self.store.last_change(self.site)
        stored = functools.partial(self.store.article, self.site)
        world = ModelSnapshot(parts, self.store.articles(self.site), self.settings, stored)
        world.changed = world.taken_down = changed
        oldest = self.store.last_seq(self.site) - self.settings.web.max_catch_up
        if world.through < oldest:
            log.warning("events skipped: the release is old", release=name, events=oldest - world.through)
            world.through = oldest
        resume_visits(self.store, self.site, world, self._clock())
        return world

    def _refuse(self, name: str | None, error: Exception) -> None:
        log.error("release refused", release=name, error=str(error))
        self._refused, self._retry_at = name or "", time.monotonic() + RETRY_SECONDS

    def _mend_counts(self) -> None:
        """Count anew what the release has not counted, if the clock was ahead meanwhile and has been put right."""
        world = self._world
        newest = world.recommender.trends.newest
        if newest > world.newest and world.recommender.trends.is_ahead(newest, self._clock()):
            log.warning("counted by a clock that was ahead: counting anew", release=self.release, newest=newest)
            self._build_aside(self.release)

    def _look_for_release(self) -> None:
        name = self.releases.current()
        waiting = name == self._refused and time.monotonic() < self._retry_at
        if name is not None and name != self.release and not waiting:
            self._build_aside(name)

    def _build_aside(self, name: str | None) -> None:
        """Lay a release out in a thread of its own, so that polling goes on meanwhile."""
        if self._builder is None or not self._builder.is_alive():
            self._builder = threading.Thread(target=self._take_over, args=(name,), daemon=True, name="build")
            self._builder.start()

    def _take_over(self, name: str | None) -> None:
        try:
            forgotten = self._forgotten
            world = self._build(name)
            newest = self.store.last_seq(self.site)
            replay(self.store, self.site, world, newest, self._clock)  # most of it, while nobody waits
            with self._turn:
                self._apply_news()
                replay(self.store, self.site, world, self._world.through, self._clock)
                forget_visits(world, self._gone_since(forgotten))
                self.take_down(world)
                with self._lock:
                    old = self._world.catalogue.ids
                    self._memory.move(old, world.catalogue.row_of, world.recommender.readers)
                    self._world = world
            log.info("release taken over", release=name, articles=len(world.catalogue.ids))
        except Exception as error:  # whatever is wrong with it, the old one goes on serving
            self._refuse(name, error)

    def _complain(self, what: str, error: Exception) -> None:
        """Log a trouble; the same one is told once."""
        if str(error) != self._trouble:
            log.error(what, error=str(error), kind=type(error).__name__)
        self._trouble = str(error)

    def _poll(self) -> None:
        steps: tuple[Callable[[], None], ...] = (
            *(self._file.check, self.forget, self.catch_up, self.refresh, self._mend_counts, self._look_for_release),
        )
        while not self._stop.wait(self.settings.web.poll_seconds):
            try:
                for step in steps:
                    step()
                self._trouble = ""
            except Exception as error:  # the thread must live on
                self._complain("polling failed", error)
