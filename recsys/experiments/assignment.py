"""Assignment: a reader -> an arm of an experiment, the same in every process, on every machine, without a table.

Source: Kohavi, Tang and Xu 2020, chapter 14 (hash of the experiment's salt and the unit).
"""

from collections.abc import Sequence
from hashlib import blake2b

BUCKETS = 10_000


def bucket_of(salt: str, reader: str) -> int:
    """The bucket of a reader, 0 to ``BUCKETS`` - 1; another salt draws independently."""
    digest = blake2b(f"{salt}\0{reader}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") * BUCKETS >> 64


def arm_of(salt: str, reader: str, shares: Sequence[float]) -> int:
    """The number of a reader's arm.

    Args:
        salt: of the experiment; an experiment that begins anew takes another one.
        reader: id.
        shares: of the arms, positive, summing to at most 1.

    Returns:
        0 to len(shares) - 1; -1 for a reader who takes no part.
    """
    bucket, upper = bucket_of(salt, reader), 0.0
    for number, share in enumerate(shares):
        upper += share
        if bucket < round(upper * BUCKETS):
            return number
    return -1
