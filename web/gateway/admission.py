"""Admission: who is let in, from how long the one who comes now would wait.

Reads how many are inside and how long an answer took lately; produces a decision. A queue that is bounded by length
alone is too short for quick answers or too long for slow ones; what a reader notices is the wait.
"""

from enum import Enum

CHEAP_SECONDS = 0.1  # expected wait from which an answer should be made the cheaper way
REFUSE_SECONDS = 0.25  # expected wait from which an answer is refused
STALE_SECONDS = 2.0  # real wait after which nobody reads the answer any more
FIRST_SECONDS = 0.005  # taken for the time of an answer before there was one
WEIGHT = 0.05  # of the newest answer in the mean time of an answer


class Verdict(Enum):
    """Decision about one request."""

    TAKEN = "taken"
    REFUSED = "refused"


class Admission:
    """Count of the requests inside one lane and the mean time of an answer. Not safe for threads."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.inside = 0
        self.seconds = FIRST_SECONDS

    def wait(self) -> float:
        """Seconds that one who comes now would wait for a free thread."""
        ahead = self.inside - self.threads + 1
        return max(ahead, 0) * self.seconds / self.threads

    def enter(self) -> Verdict:
        """Let one in, or not; as long as a thread is free nobody is refused."""
        if self.wait() > REFUSE_SECONDS:
            return Verdict.REFUSED
        self.inside += 1
        return Verdict.TAKEN

    def leave(self, seconds: float | None) -> None:
        """One has been answered, in so many seconds of a thread; None: without the work."""
        self.inside -= 1
        if seconds is not None:
            self.seconds += WEIGHT * (seconds - self.seconds)

    def is_cheap(self) -> bool:
        """True if those who are taken up now should be answered the cheaper way."""
        return self.wait() > CHEAP_SECONDS
