"""Hashed ids: a value of a field -> a number that is the same in every process, on every machine, in every release.

A number says nothing of its value: it is a name that fits into an array. Which numbers a model has learned is the
model's own vocabulary. Two values of one field share a number with a chance of about n² / 2⁶⁴ among n values.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def hashed(field: str, value: str) -> int:
    """Id of a value.

    Args:
        field: name of the field, so that equal values of two fields differ.
        value: any text.

    Returns:
        A positive number below 2**63, never ``units.NO_ID``.

    Source: Weinberger et al. 2009 ("Feature hashing for large scale multitask learning"), without folding the numbers.
    """
    digest = blake2b(f"{field}\0{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1 or 1


def hashed_all(field: str, values: Iterable[str]) -> npt.NDArray[np.int64]:
    """Ids of many values of one field, int64 (n,)."""
    return np.array([hashed(field, value) for value in values], np.int64)
