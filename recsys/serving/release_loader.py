"""Releases for serving: the live release laid out as a shared state, and the one that was refused.

Reads the releases and the store; produces ``SharedState``. A release that does not verify is refused and logged, and is
tried again after a minute, in case it was repaired.
"""

import functools
import time
from collections.abc import Callable

import structlog

from recsys.errors import RecsysError, StoreError
from recsys.releases import Release, Releases
from recsys.serving.artefacts import load_artefacts, no_artefacts
from recsys.serving.checkpoint import LiveCheckpoint, LiveCheckpoints
from recsys.serving.config import ServingSettings
from recsys.serving.feed import StoreFeed
from recsys.serving.snapshot import ModelSnapshot
from recsys.serving.state import SharedState
from recsys.store import Store

RETRY_SECONDS = 60.0  # a refused release is tried again

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class ReleaseLoader:
    """Lays releases out over the catalogue as it is now.

    Args:
        settings: checked settings.
        store: articles and events.
        releases: of this site.
        feed: of this site.
        checkpoints: of this site.
        timer: seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        settings: ServingSettings,
        store: Store,
        releases: Releases,
        feed: StoreFeed,
        checkpoints: LiveCheckpoints,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._store, self._releases, self._feed = settings, store, releases, feed
        self._checkpoints, self._timer = checkpoints, timer
        self._refused, self._retry_at = "", 0.0

    def first(self) -> SharedState:
        """The live release, else the newest one that verifies, else none."""
        current = self._releases.current()
        named = [current] if current else []
        for name in self._releases.damaged():
            log.error("release set aside: its manifest cannot be read", release=name, remedy="Remove its folder.")
        for name in dict.fromkeys([*named, *reversed(self._releases.names())]):
            try:
                state = self._load(name)
            except Exception as error:  # whatever is wrong with it, an older one may serve
                self.refuse(name, error)
                continue
            if name != current:
                said = f"CURRENT names {current!r:.80}" if current else "CURRENT names none"
                log.error("another release than the live one is served", release=name, reason=said)
            return state
        return self._load(None)

    def _load(self, name: str | None) -> SharedState:
        """See ``load``; without a database the articles and clicks are those of the checkpoint, or of the release."""
        try:
            return self.load(name)
        except StoreError as error:
            log.error("the database is out of reach: what it has is followed as soon as it is back", error=str(error))
            return self._laid_out(name, alone=True)

    def load(self, name: str | None) -> SharedState:
        """Lay a release, or none, out, from its checkpoint if there is one; the last events are left to the feed.

        Raises:
            StoreError: the database is out of reach.
        """
        return self._laid_out(name, alone=False)

    def _laid_out(self, name: str | None, *, alone: bool) -> SharedState:
        release = None if name is None else self._releases.open(name)
        checkpoint = self._checkpoints.newest(name)
        last = None if alone else self._last()
        if checkpoint and last and (checkpoint.through > last[0] or checkpoint.changed > last[1]):
            log.error("checkpoint set aside: it was made from another database", folder=str(checkpoint.folder))
            checkpoint = None
        state = None if checkpoint is None else self._from_checkpoint(release, checkpoint, alone=alone)
        state = state or self._new_state(release, None, alone=alone)
        if not alone:
            self.follow(state)
        return state

    def follow(self, state: SharedState) -> None:
        """Take over what the store has, but for the events after ``state.through``.

        Raises:
            StoreError: the database is out of reach.
        """
        event, change = self._last()
        if state.through > event or state.changed > change:
            log.error("the release was made from another database, or this one is older", release=state.release)
            state.through = min(state.through, event)
            state.changed = state.taken_down = state.stories_decided = 0
        self._feed.apply_articles(state, lambda: self._feed.take_down(state))
        self._feed.resume_running(state)
        state.followed = True

    def _last(self) -> tuple[int, int]:
        """The store's last event and last change of an article."""
        site = self._settings.site.id
        return self._store.last_seq(site), self._store.last_change(site)

    def _from_checkpoint(
        self, release: Release | None, checkpoint: LiveCheckpoint, *, alone: bool
    ) -> SharedState | None:
        try:
            return self._new_state(release, checkpoint, alone=alone)
        except StoreError:
            raise
        except (RecsysError, OSError, ValueError, KeyError) as error:
            folder = str(checkpoint.folder)
            log.error("checkpoint set aside: the release is laid out without it", folder=folder, error=str(error))
            return None

    def _new_state(self, release: Release | None, checkpoint: LiveCheckpoint | None, *, alone: bool) -> SharedState:
        settings, site = self._settings, self._settings.site
        artefacts = no_artefacts(settings) if release is None else load_artefacts(release, settings)
        snapshot = ModelSnapshot.of(artefacts, site.language, functools.partial(self._store.article, site.id))
        since = artefacts.catalogue.change
        if checkpoint is not None:
            artefacts = checkpoint.over(artefacts)
        later = len(artefacts.items.pair_counts) - len(artefacts.catalogue)
        expected = later if alone else self._store.count_changed(site.id, since)
        state = SharedState(snapshot, artefacts, settings, max(later, expected))
        if checkpoint is not None:
            checkpoint.bring_back(state)
        return state

    def refuse(self, name: str | None, error: Exception) -> None:
        """Log a release that cannot be served, and leave it alone for a while."""
        log.error("release refused", release=name, error=str(error))
        self._refused, self._retry_at = name or "", self._timer() + RETRY_SECONDS

    def newer(self, served: str | None) -> str | None:
        """The live release, when it is another one than is served and was not refused just now."""
        name = self._releases.current()
        waiting = name == self._refused and self._timer() < self._retry_at
        return None if waiting or name == served else name
