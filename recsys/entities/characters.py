"""Characters as classes and in lower case, by tables that compiled code reads."""

import functools
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.uint32]
ClassTable = npt.NDArray[np.uint8]
Bounds = npt.NDArray[np.int64]

OTHER, UPPER, LOWER, DIGIT, MARK, HAN = range(6)
_TABLE = 0x10000  # characters behind it, emoji and the rarest Han characters among them, are OTHER


@functools.cache
def character_tables() -> tuple[Points, ClassTable]:
    """Lower case of each character of the basic plane, uint32 (65536,), and its class, uint8 (65536,)."""
    lower = np.arange(_TABLE, dtype=np.uint32)
    classes = np.zeros(_TABLE, np.uint8)
    for point in range(_TABLE):
        character = chr(point)
        small = character.lower()
        if len(small) == 1:
            lower[point] = ord(small)
        classes[point] = _class(character)
    return lower, classes


def _class(character: str) -> int:
    category = unicodedata.category(character)
    if category in ("Lu", "Lt"):
        return UPPER
    if category == "Ll":
        return LOWER
    if category[0] == "N":
        return DIGIT
    if category[0] in "PS":
        return MARK
    return HAN if is_han(character) else OTHER


def is_han(character: str) -> bool:
    """True for a Chinese character of the basic plane."""
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff"


def code_points(tokens: Sequence[str]) -> tuple[Points, Bounds]:
    """Characters of all tokens one behind the other, uint32, and int64 (T + 1,), where each token begins.

    A lone surrogate stays what it is.
    """
    points = np.frombuffer("".join(tokens).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
    return points, bounds_of(tokens)


def bounds_of(parts: Sequence[Sequence[str] | str]) -> Bounds:
    """int64 (N + 1,): where each part begins when they stand one behind the other, and where the last one ends."""
    bounds = np.zeros(len(parts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=bounds[1:])
    return bounds
