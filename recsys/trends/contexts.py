"""Contexts: what an event says of its circumstances -> small numbers.

Reads the text of a JSON object; produces codes by which lifts are counted. Values are numbered from 1 in the order in
which they come; 0 is unknown, and what comes when there are no numbers left is one of the others.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.trends.state import BUILT_IN, CONTEXT_VALUES, TrendState
from recsys.units import HOUR_MS

Codes = npt.NDArray[np.int16]

OTHER_VALUES = CONTEXT_VALUES - 1  # the code of all that have no number of their own


def codes_of(context: str | None, names: Sequence[str], values: Sequence[dict[str, int]], *, learn: bool) -> Codes:
    """The values of an event's context as small numbers.

    Args:
        context: text of a JSON object; anything else says nothing.
        names: of the site's own attributes.
        values: value -> code of each.
        learn: see ``Trends.codes``.

    Returns:
        int16 (C,), 0 for unknown; the last two, hour and category before, are left 0.
    """
    out = np.zeros(len(values) + BUILT_IN, np.int16)
    for place, value in enumerate(values_of(context, names)):
        if value is not None:
            out[place] = _code(values[place], value, learn)
    return out


def values_of(context: str | None, names: Sequence[str]) -> list[str | None]:
    """Values of some attributes in an event's context: a text for each name, None where it says nothing."""
    attributes = _parsed(context) if context else {}
    return [None if attributes.get(name) is None else str(attributes[name]) for name in names]


@compiled
def fill_codes(state: TrendState, before: int, time: int, codes: Codes) -> None:
    """Write the last two codes: 1 + the hour of ``time`` (ms, UTC), 1 + the category of article row ``before``."""
    C = len(codes)
    codes[C - 2] = 1 + (time // HOUR_MS) % 24
    codes[C - 1] = 0
    if before >= 0 and state.category[before] >= 0:
        codes[C - 1] = min(state.category[before] + 1, OTHER_VALUES)


@lru_cache(maxsize=4096)
def _parsed(context: str) -> dict[str, Any]:
    try:
        attributes = json.loads(context)
    except ValueError:
        return {}
    return attributes if isinstance(attributes, dict) else {}


def _code(codes: dict[str, int], text: str, learn: bool) -> int:
    if learn and text not in codes and len(codes) < OTHER_VALUES - 1:
        codes[text] = len(codes) + 1
    return codes.get(text, OTHER_VALUES)
