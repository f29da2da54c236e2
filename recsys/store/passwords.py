"""Passwords -> argon2id hashes, and back to yes or no.

A hash costs some 20 MiB and 30 ms of a core on purpose; whoever answers requests makes few of them at a time.
Source: RFC 9106; the parameters are the ones that the OWASP Password Storage Cheat Sheet names for argon2id.
"""

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from recsys.errors import InputError

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # KiB; one thread: the library takes four
MIN_PASSWORD, MAX_PASSWORD = 12, 256  # characters
NO_PASSWORD = "-"  # in the place of a hash: whoever signs in by a provider alone
BY_CLAIM = "-claim"  # the same, of an account that a claim of the provider made, and whose role follows it


def hashed_password(password: str) -> str:
    """The hash of a new password, with its salt and parameters.

    Raises:
        InputError: it is too short or too long.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        wanted = f"a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise InputError(wanted, f"{len(password)}", "Choose another one; several words are easily kept in mind.")
    return HASHER.hash(_normal(password))


def is_password(hash: str | None, given: str) -> bool:
    """True where a password is the one of a hash; without one it takes as long and is never true."""
    none = hash is None or hash in (NO_PASSWORD, BY_CLAIM)
    try:
        HASHER.verify(_nobody() if hash is None or none else hash, _normal(given[:MAX_PASSWORD]))
    except (VerificationError, InvalidHashError):
        return False
    return not none


@lru_cache(maxsize=1)
def _nobody() -> str:
    return HASHER.hash("")


def _normal(password: str) -> str:
    """The same for every keyboard: é is one character on some and two on others."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
