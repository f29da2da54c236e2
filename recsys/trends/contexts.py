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

from recsys.trends.state import BUILT_IN, VALUES

Codes = npt.NDArray[np.int16]

OTHERS = VALUES - 1


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
    """What an event's context says of some attributes: a text for each name, None where it says nothing."""
    said = _parsed(context) if context else {}
    return [None if said.get(name) is None else str(said[name]) for name in names]


@lru_cache(maxsize=4096)
def _parsed(context: str) -> dict[str, Any]:
    try:
        said = json.loads(context)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _code(known: dict[str, int], text: str, learn: bool) -> int:
    if learn and text not in known and len(known) < OTHERS - 1:
        known[text] = len(known) + 1
    return known.get(text, OTHERS)
