"""Features of tokens: attributes of the token and its neighbours, and which of them are known to a model.

A feature is a hash of the attributes at a template's places. The model keeps the hashes of those that it learned: two
features share one with a chance of n² / 2⁶⁵ among n, and a feature that was never seen weighs nothing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.entities.attributes import (
    ABSENT,
    AFFIX,
    CUT_PLACE,
    CUT_SIZE,
    CUT_TAG,
    CUT_TAG_PLACE,
    CUT_WORD,
    CUT_WORD_PLACE,
    LONG_SHAPE,
    PREFIX,
    SHAPE,
    SUFFIX,
    WORD,
    WRITTEN,
    Bounds,
    Hashes,
    mixed,
)

Rows = npt.NDArray[np.int32]
Templates = npt.NDArray[np.int64]

_STEP, _ONE = np.uint64(0x9E3779B97F4A7C15), np.uint64(1)
_NO_PART = -1
_AROUND = (-2, -1, 0, 1, 2)
Part = tuple[int, int]  # attribute and offset

_EITHER_STYLE: list[tuple[Part, ...]] = [
    *(((WORD, offset),) for offset in _AROUND),
    ((WORD, -1), (WORD, 0)),
    ((WORD, 0), (WORD, 1)),
    ((WORD, -1), (WORD, 1)),
    ((SHAPE, 0),),
    ((SHAPE, -1), (SHAPE, 0), (SHAPE, 1)),
    *(((CUT_TAG_PLACE, offset),) for offset in (-1, 0, 1)),
]
_WORDS = [
    *_EITHER_STYLE,
    ((WRITTEN, 0),),
    *(((SHAPE, offset),) for offset in (-2, -1, 1, 2)),
    ((LONG_SHAPE, 0),),
    ((SHAPE, -1), (SHAPE, 0)),
    ((SHAPE, 0), (SHAPE, 1)),
    *(((PREFIX + size, 0),) for size in range(AFFIX)),
    *(((SUFFIX + size, 0),) for size in range(AFFIX)),
    *(((affix + 2, offset),) for affix in (PREFIX, SUFFIX) for offset in (-1, 1)),
    ((WORD, -1), (SHAPE, 0)),
    ((SHAPE, 0), (WORD, 1)),
    ((SUFFIX + 2, -1), (SHAPE, 0)),
    ((SHAPE, 0), (SUFFIX + 2, 1)),
]
_CHARACTERS = [
    *_EITHER_STYLE,
    ((WORD, -2), (WORD, -1)),
    ((WORD, 1), (WORD, 2)),
    ((WORD, -1), (WORD, 0), (WORD, 1)),
    ((WORD, -2), (WORD, -1), (WORD, 0)),
    ((WORD, 0), (WORD, 1), (WORD, 2)),
    *(((CUT_TAG_PLACE, offset),) for offset in (-2, 2)),
    ((CUT_PLACE, 0),),
    ((CUT_TAG, 0),),
    *(((CUT_WORD, offset),) for offset in _AROUND),
    ((CUT_WORD_PLACE, 0),),
    ((CUT_SIZE, 0),),
    ((CUT_TAG_PLACE, -1), (CUT_TAG_PLACE, 0)),
    ((CUT_TAG_PLACE, 0), (CUT_TAG_PLACE, 1)),
    ((CUT_TAG_PLACE, -1), (CUT_TAG_PLACE, 0), (CUT_TAG_PLACE, 1)),
    ((CUT_TAG_PLACE, 0), (WORD, 0)),
]
STYLES = {"words": _WORDS, "characters": _CHARACTERS}


def templates_of(style: str) -> Templates:
    """Templates of a style, int64 (F, P, 2): attribute and offset of each part; -1 where there is no further part."""
    features = STYLES[style]
    templates = np.full((len(features), max(map(len, features)), 2), _NO_PART, np.int64)
    for row, parts in enumerate(features):
        templates[row, : len(parts)] = parts
    return templates


@compiled
def feature_hashes(attributes: Hashes, bounds: Bounds, templates: Templates) -> Hashes:
    """Hash of each feature of each token, uint64 (T, F); 0 where an attribute is absent.

    Args:
        attributes: uint64 (T, K), 0 where absent.
        bounds: int64 (S + 1,), sentences; on either side of one stands an edge, and nothing behind it.
        templates: int64 (F, P, 2).
    """
    hashes = np.zeros((len(attributes), len(templates)), np.uint64)
    for sentence in range(len(bounds) - 1):
        begin, end = bounds[sentence], bounds[sentence + 1]
        for token in range(begin, end):
            for number in range(len(templates)):
                value = np.uint64(number + 1) * _STEP
                for part in range(templates.shape[1]):
                    attribute = templates[number, part, 0]
                    if attribute == _NO_PART:
                        break
                    place = token + templates[number, part, 1]
                    edge = place == begin - 1 or place == end
                    one = attributes[place, attribute] if begin <= place < end else _ONE if edge else ABSENT
                    if one == ABSENT:
                        value = ABSENT
                        break
                    value = mixed(value * _STEP + one)
                hashes[token, number] = value
    return hashes


@compiled
def _fill(keys: Hashes, slots: Rows) -> None:
    mask = np.uint64(len(slots) - 1)
    for row in range(len(keys)):
        slot = keys[row] & mask
        while slots[slot] >= 0:
            slot = (slot + _ONE) & mask
        slots[slot] = row


@compiled
def _look_up(hashes: Hashes, keys: Hashes, slots: Rows) -> Rows:
    rows = np.full(hashes.shape, -1, np.int32)
    mask = np.uint64(len(slots) - 1)
    for token in range(hashes.shape[0]):
        for number in range(hashes.shape[1]):
            value = hashes[token, number]
            slot = value & mask
            while value != ABSENT and slots[slot] >= 0:
                if keys[slots[slot]] == value:
                    rows[token, number] = slots[slot]
                    break
                slot = (slot + _ONE) & mask
    return rows


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Known features: R hashes, each with its row.

    Attributes:
        keys: uint64 (R,), all different, none 0.
        slots: int32 (2^n,), the row of the key that stands there, -1 where none does; at most half are taken.
    """

    keys: Hashes
    slots: Rows

    def rows(self, hashes: Hashes) -> Rows:
        """Row of each feature, int32 (T, F); -1 for an unknown one."""
        return _look_up(hashes, self.keys, self.slots)


def feature_table(keys: Hashes) -> FeatureTable:
    """Table of the features ``keys``."""
    slots = np.full(1 << int(2 * len(keys) + 1).bit_length(), -1, np.int32)
    _fill(keys, slots)
    return FeatureTable(keys, slots)
