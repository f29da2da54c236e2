"""Challenging: a worker's side of a challenger; see ``recsys.serving.challenger``.

Reads the note in the data folder once a second; produces a canary's answers, which the challenger makes, and a shadow's
figures, which nobody sees. Nothing of it may keep a reader waiting: a canary has a quarter of a second, and after a
failure nobody asks it for five; a shadow is asked by a thread of its own, from a short queue that drops what it cannot
hold.
"""

import http.client
import json
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue
from random import random
from typing import NamedTuple
from urllib.parse import urlencode

import structlog

from recsys.serving.challenger import ChallengerFigures, ChallengerFolder, ChallengerMode, ChallengerNote
from recsys.serving.live import LiveState
from web.api.schemas import RecommendationsQuery

LISTS = "/api/v1/recommendations"
READER_TOKEN = "Reader-Token"
PATIENCE_SECONDS = 0.25  # for a canary's answer; the live release makes one in the time that is left
REST_SECONDS = 5.0  # without a question after one that failed
LOOK_SECONDS = 1.0
WRITE_SECONDS = 5.0
_HEAD_BYTES = 4_096  # of an answer, in which it names its release: before the articles, behind the longest token
WAITING = 50  # lists of a shadow; of those beyond it is only counted how many there were

log: structlog.stdlib.BoundLogger = structlog.get_logger("web")


class Question(NamedTuple):
    """A list that the live release has made, for a shadow to make, too.

    Attributes:
        path: address of the list.
        token: of its reader.
        articles: of the list, in their order.
        ms: that it took.
    """

    path: str
    token: str | None
    articles: list[str]
    ms: float


class _Connection(http.client.HTTPConnection):
    """A connection to the challenger of a folder; ``id``: of the challenge."""

    def __init__(self, folder: ChallengerFolder, id: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self._folder, self.id = folder, id

    def connect(self) -> None:
        self.sock = self._folder.connect(PATIENCE_SECONDS)


class Challenging:
    """Asks a challenger, if there is one. Safe for threads.

    Args:
        live: the live release.
        data: the data folder; None for a challenger itself, which asks nobody.
    """

    def __init__(self, live: LiveState, data: Path | None) -> None:
        self._live, self._folder = live, None if data is None else ChallengerFolder(data)
        self._note: ChallengerNote | None = None
        self._figures, self._lock = ChallengerFigures(), threading.Lock()
        self._connections = threading.local()
        self._opened: set[_Connection] = set()  # of all threads
        self._queue: Queue[Question | None] = Queue(WAITING)  # None wakes the thread, which is to end
        self._rest_until = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="challenger")
        if self._folder is not None:
            self._look()
            self._thread.start()

    def close(self) -> None:
        """Stop asking, and leave the figures."""
        self._stop.set()
        with suppress(Full):  # then it does not wait for a question
            self._queue.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def answer(self, reader: str | None, query: RecommendationsQuery, token: str | None) -> bytes | None:
        """The answer of a canary to one of its readers; None where the live release is to answer.

        Args:
            reader: who asks, as far as it is proven.
            query: checked.
            token: of the reader, as it came.
        """
        note = self._note
        if note is None or note.mode is not ChallengerMode.CANARY or reader is None:
            return None
        if self._live.other_release(reader) != note.release:
            return None
        self._live.exposed(reader)  # whoever answers: who is left out for a failure would make the readers unlike
        if time.monotonic() < self._rest_until:
            return None
        return self._ask(note, _path(query), token)

    @property
    def has_shadow(self) -> bool:
        """True for one in so many lists that a shadow is to make, too."""
        note = self._note
        return note is not None and note.mode is ChallengerMode.SHADOW and random() < note.share

    def shadow(self, query: RecommendationsQuery, token: str | None, articles: Sequence[str], ms: float) -> None:
        """Have a shadow make a list that the live release has made."""
        try:
            self._queue.put_nowait(Question(_path(query), token, list(articles), ms))
        except Full:
            with self._lock:
                self._figures.dropped += 1

    def _ask(self, note: ChallengerNote, path: str, token: str | None, live_ms: float | None = None) -> bytes | None:
        assert self._folder is not None  # a note comes from it
        began, body = time.monotonic(), None
        try:
            body = self._asked(self._folder, note, path, token)
        except (OSError, http.client.HTTPException, ValueError):
            self._rest_until = time.monotonic() + REST_SECONDS
            self._hang_up()
        with self._lock:
            self._figures.asked += 1
            if body is None:
                self._figures.failed += 1
            else:
                self._figures.took((time.monotonic() - began) * 1000, live_ms)
        return body

    def _asked(self, folder: ChallengerFolder, note: ChallengerNote, path: str, token: str | None) -> bytes:
        connection: _Connection | None = getattr(self._connections, "open", None)
        if connection is None or connection.id != note.id:
            self._hang_up()
            connection = self._connections.open = _Connection(folder, note.id)
            with self._lock:
                self._opened.add(connection)
        connection.request("GET", path, headers={} if token is None else {READER_TOKEN: token})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or f'"release":"{note.release}"'.encode() not in body[:_HEAD_BYTES]:
            raise ValueError(f"the challenger answered {answer.status}")  # or its socket is another one's by now
        return body

    def _hang_up(self) -> None:
        connection: _Connection | None = getattr(self._connections, "open", None)
        if connection is not None:
            connection.close()
            self._connections.open = None
            with self._lock:
                self._opened.discard(connection)

    def _run(self) -> None:
        look_at = write_at = 0.0
        while not self._stop.is_set():
            with suppress(Empty):
                self._shadowed(self._queue.get(timeout=LOOK_SECONDS))
            now = time.monotonic()
            if now >= look_at:
                self._look()
                look_at = now + LOOK_SECONDS
            if now >= write_at:
                self._write()
                write_at = now + WRITE_SECONDS
        self._write()

    def _shadowed(self, question: Question | None) -> None:
        note = self._note
        if question is None or note is None or time.monotonic() < self._rest_until:
            return
        body = self._ask(note, question.path, question.token, question.ms)
        if body is not None:
            with suppress(ValueError, KeyError, TypeError):
                articles = [item["id"] for item in json.loads(body)["items"]]
                with self._lock:
                    self._figures.compare(question.articles, articles)

    def _look(self) -> None:
        assert self._folder is not None
        note = self._folder.note()
        if note == self._note:
            return
        with self._lock:
            self._note, self._figures, self._rest_until = note, ChallengerFigures(), 0.0
        canary = note is not None and note.mode is ChallengerMode.CANARY
        self._live.has_beside(note.release if note is not None and canary else None)
        log.info("challenger", release=note and note.release, mode=note and note.mode)

    def _write(self) -> None:
        assert self._folder is not None
        note = self._note
        if note is None:
            return
        try:
            with self._lock:
                self._folder.write_figures(note, os.getpid(), self._figures)
        except OSError as error:
            log.error("figures of the challenger not written", error=str(error))


def _path(query: RecommendationsQuery) -> str:
    """The address of a list, with what was asked for."""
    asked = {name: str(value) for name, value in vars(query).items() if value is not None}
    return f"{LISTS}?{urlencode(asked)}" if asked else LISTS
