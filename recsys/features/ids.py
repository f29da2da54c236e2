"""Ids: a value of a field -> a number that is the same in every process, on every machine, in every release.

A number says nothing of its value: it is a name that fits into an array. Which numbers a model has learned is the
model's own vocabulary. Two values of one field share a number with a chance of about n² / 2⁶⁴ among n values.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

NONE = 0  # the id of what is not known


def hashed(field: str, value: str) -> int:
    """The id of a value.

    Args:
        field: name of the field, so that equal values of two fields differ.
        value: any text.

    Returns:
        A positive number below 2**63, never ``NONE``.

    Source: Weinberger et al. 2009 ("Feature hashing for large scale multitask learning"), without folding the numbers.
    """
    digest = blake2b(f"{field}\0{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1 or 1


def hashed_all(field: str, values: Iterable[str]) -> npt.NDArray[np.int64]:
    """The ids of many values of one field: int64 (n,)."""
    return np.array([hashed(field, value) for value in values], np.int64)


def table_ids(articles: Sequence[str], category: npt.NDArray[np.int16], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """The ids of articles, by row.

    Args:
        articles: A identifiers.
        category: int16 (A,), codes; -1 for none.
        names: of the categories, by code.

    Returns:
        int64 (A, S), fields as ``CANDIDATE_FIELDS``; ``NONE`` for no category.
    """
    sorts = np.append(hashed_all("category", names), NONE)  # the last one is for code -1
    return np.column_stack([hashed_all("article", articles), sorts[category]])
