"""Attempts: a bound on what may fail, or come, by whoever tries, that delays and never locks.

So many at once, then one each so many seconds: whoever waits may go on, however often it went wrong before. Whoever is
forgotten for want of room begins anew, those first who have used least of what they may.
Source: the generic cell rate algorithm (ITU-T I.371, annex A).
"""

import hashlib
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address

MAX_KEYS = 10_000  # that are remembered at once; those who may try soonest are forgotten first
MAX_KNOWN = 1_024  # tokens that were valid lately
_INSTANT = 1e-6  # s: what is lost when seconds are added up
_V6_PREFIX = 64  # bits: what one household has of IPv6 addresses


class Attempts:
    """Failures, or whatever else is bounded, by key.

    Args:
        at_once: that may fail in a row.
        seconds: after which one more may.
        clock: in seconds from any start.
        size: keys that are remembered at once.
    """

    def __init__(
        self, at_once: int, seconds: float, clock: Callable[[], float] = time.monotonic, size: int = MAX_KEYS
    ) -> None:
        self._most, self._seconds, self._clock, self._size = at_once * seconds, seconds, clock, size
        self._busy_until: dict[str, float] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._busy_until)

    def wait(self, key: str, amount: int = 1) -> float:
        """Seconds that a key has to wait before so many more; 0 for none. More than may be at once count as these."""
        free_at = max(self._busy_until.get(key, 0.0), self._clock()) + min(amount * self._seconds, self._most)
        wait = free_at - self._clock() - self._most
        return wait if wait > _INSTANT else 0.0

    def take(self, key: str, amount: int = 1) -> float:
        """Count attempts as failed before they are made, so that many at the same time are bounded as well.

        Returns:
            Seconds that they have to wait instead; 0: they may be made.
        """
        with self._lock:
            if wait := self.wait(key, amount):
                return wait
            now = self._clock()
            self._busy_until[key] = max(self._busy_until.get(key, 0.0), now) + amount * self._seconds
            if len(self._busy_until) > self._size:
                self._forget(now)
        return 0.0

    def give_back(self, key: str, amount: int = 1) -> None:
        """Count attempts no longer: they did not fail."""
        with self._lock:
            if key in self._busy_until:
                self._busy_until[key] -= amount * self._seconds

    def _forget(self, now: float) -> None:
        kept = {key: until for key, until in self._busy_until.items() if until > now}
        for key in sorted(kept, key=kept.__getitem__)[: max(0, len(kept) - self._size // 2)]:
            del kept[key]
        self._busy_until = kept


class Bounds:
    """Bounds of one worker on wrong tokens and passwords.

    Attributes:
        tokens: wrong tokens, by address.
        addresses: wrong passwords, by address.
        accounts: wrong passwords, by account, from addresses from which it has not signed in lately.
        hashing: passwords that are compared at the same time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.tokens = Attempts(20, 1.0, clock)
        self.addresses = Attempts(10, 10.0, clock)
        self.accounts = Attempts(20, 30.0, clock)
        self.hashing = threading.BoundedSemaphore(2)
        self._known: dict[bytes, None] = {}

    def remember(self, secret: str) -> None:
        """Note that a token is valid: the failures of others at its address do not delay it."""
        self._known[_digest(secret)] = None
        while len(self._known) > MAX_KNOWN:
            self._known.pop(next(iter(self._known)), None)

    def is_known(self, secret: str) -> bool:
        """True for a token that was valid lately in this worker."""
        return _digest(secret) in self._known


def network_of(address: str) -> str:
    """The address by which a caller is counted: of IPv6 the first half."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else parsed.exploded[: _V6_PREFIX // 4 + 3]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
