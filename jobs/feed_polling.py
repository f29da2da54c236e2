"""``python -m jobs import feed ADDRESS --every 60``: a feed that is read again and again until the job is told to end.

Reads the feed, only when it has changed; produces articles in the store, and one line for each time that brought
something. A feed that cannot be read is asked ever less often, up to an hour, and as before once it answers again.
"""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from jobs.terminal import log
from recsys.errors import ImportRefused, StoreError
from recsys.imports import Summary

LONGEST_WAIT_SECONDS = 3_600.0


def poll(
    address: str,
    every: float,
    read: Callable[[], Summary],
    remember: Callable[[Summary], None],
    wait: Callable[[float], bool],
) -> None:
    """Read a feed until it is time to end.

    Args:
        address: of the feed, for the log.
        every: seconds between two times.
        read: reads it once and stores what is new.
        remember: keeps what a time brought that brought something.
        wait: waits for some seconds; True when it is time to end.
    """
    log.info("start", job="import", feed=address, every=every)
    failures = times = rejected = 0
    seconds = 0.0
    while not wait(seconds):
        times += 1
        try:
            summary = read()
        except (ImportRefused, StoreError) as error:
            seconds = min(every * 2 ** min(failures, 20), max(every, LONGEST_WAIT_SECONDS))
            failures += 1
            log.warning("not read", job="import", feed=address, because=str(error), again_in=round(seconds))
            continue
        if failures:
            log.info("read again", job="import", feed=address, after_failures=failures)
        failures, seconds = 0, every
        if summary.stored or summary.updated or summary.rejected not in (0, rejected):
            _say(address, summary)
            remember(summary)
        elif summary.rejects:  # the same entries as last time: one file with them is enough
            summary.rejects.unlink(missing_ok=True)
        rejected = summary.rejected or rejected
    log.info("done", job="import", feed=address, times=times)


def _say(address: str, summary: Summary) -> None:
    counts = {"stored": summary.stored, "updated": summary.updated, "rejected": summary.rejected}
    rejects = {"first_reject": summary.first_reason, "rejects": str(summary.rejects)} if summary.rejects else {}
    log.info("read", job="import", feed=address, **counts, **rejects)


@contextmanager
def ended_by_signal() -> Iterator[Callable[[float], bool]]:
    """A wait that ends early, and for good, with SIGTERM or an interrupt.

    A signal while the feed is read waits for that, so that what was read is stored whole. It is written to a pipe, for
    a handler that takes a lock may meet itself.
    """
    reader, writer = os.pipe()

    def note(_number: int, _frame: FrameType | None) -> None:
        os.write(writer, b"!")

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda seconds: bool(select.select([reader], [], [], seconds)[0])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
