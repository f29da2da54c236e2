"""Lanes: groups of threads that answer, each with its bounded queue.

Answers from memory and calls that wait for the database are different lanes, so that a locked database delays no list.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import perf_counter
from typing import Generic, TypeVar

from web.gateway.admission import STALE_SECONDS, Admission, Verdict

Work = TypeVar("Work")


class Lane(Generic[Work]):
    """A few threads and a queue whose expected wait is bounded."""

    def __init__(
        self, name: str, threads: int, answer: Callable[[Work, bool], None], refuse: Callable[[Work], None]
    ) -> None:
        """Start the threads.

        Args:
            name: of the threads.
            threads: how many requests are answered at the same time.
            answer: answers one request, the cheaper way if the flag says so; raises nothing.
            refuse: answers that there is no time; raises nothing.
        """
        self._answer, self._refuse = answer, refuse
        self._admission = Admission(threads)
        self._lock = threading.Lock()
        self._queue: SimpleQueue[tuple[Work, float] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def offer(self, work: Work) -> None:
        """Have a request answered, or refused at once."""
        with self._lock:
            verdict = self._admission.enter()
        if verdict is Verdict.REFUSED:
            self._refuse(work)
        else:
            self._queue.put((work, perf_counter()))

    def insist(self, work: Work) -> None:
        """Have a request answered however long the queue is: for the rare one that must not be refused."""
        with self._lock:
            self._admission.inside += 1
        self._queue.put((work, perf_counter()))

    def close(self, seconds: float) -> None:
        """Answer what was taken, and end the threads; give up after so many seconds."""
        for _ in self._threads:
            self._queue.put(None)
        deadline = perf_counter() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - perf_counter()))

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            work, came = item
            began = perf_counter()
            if began - came > STALE_SECONDS:
                self._refuse(work)
                self._left(None)
                continue
            self._answer(work, self._admission.is_cheap())
            self._left(perf_counter() - began)

    def _left(self, seconds: float | None) -> None:
        with self._lock:
            self._admission.leave(seconds)
