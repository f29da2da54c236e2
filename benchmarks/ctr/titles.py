"""Judged titles -> rows of a click model, in folds by rows, without a look at what is held out.

A column that is made of labels is made for the held-out rows from all other rows; for the rows to validate on from
those to learn from; and for these in parts, each from the labels of the other parts. So no row knows its own label, and
no label that stops or judges a training was known to it. The file has no times; last clicks are those before a row in a
drawn order, in which rows to validate on come last and held-out ones after them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.text_clicks.data import Judgements, folds_of, read_judgements, spaces_of
from benchmarks.text_clicks.methods import OURS, Method, ours, profile, share
from benchmarks.text_clicks.traits import Places, Traits
from recsys.features import HISTORY, LIST_FIELDS
from recsys.features.rows import LabelledRows
from recsys.hashing import hashed_all
from recsys.settings import Settings
from recsys.units import NO_ID

PARTS = 10  # in which columns made of labels are made for the rows to learn from
VALIDATE, HELD = PARTS, PARTS + 1  # the numbers of the parts behind them
VALIDATED = 0.1  # of the rows to learn from, for early stopping and calibration


class Split(NamedTuple):
    """Rows to learn from, to stop and calibrate by, and to judge by; ``names`` are their columns."""

    names: tuple[str, ...]
    learn: LabelledRows
    validate: LabelledRows
    held: LabelledRows


def methods_of(log: Judgements, spaces: dict[str, Traits]) -> dict[str, Method]:
    """The columns that are made of labels."""
    return {
        "taste": ours(log, spaces, OURS["ours"]),
        "own_taste": ours(log, spaces, OURS["own_judgements_only"]),
        "general_taste": ours(log, spaces, OURS["general_taste_only"]),
        "like_words": profile(log, spaces["words"], dislikes=True),
        "like_entities": profile(log, spaces["entities"], dislikes=True),
        "share_of_reader": share(log, log.reader),
        "share_of_title": share(log, log.row),
    }


def columns_of(log: Judgements, methods: dict[str, Method], known: Places, asked: Places) -> npt.NDArray[np.float32]:
    """The columns of some rows, of the labels of others: float32 (N, F), two counts behind the methods."""
    counts = [
        np.log1p(np.bincount(key[known], minlength=int(key.max()) + 1)[key[asked]]) for key in (log.reader, log.row)
    ]
    return np.column_stack([*(method(known, asked) for method in methods.values()), *counts]).astype(np.float32)


def rows_of(log: Judgements, matrix: npt.NDArray[np.float32], asked: Places, time: Places) -> LabelledRows:
    """The rows ``asked``, ordered by reader and time, with ids and with titles that the reader liked.

    Args:
        log: all judgements.
        matrix: float32 (N, F), columns of the rows ``asked``.
        asked: int64 (N,).
        time: int64 (J,), of every judgement; rows of one reader and time are a list, which knows the likes before it.
            Were only a row's own like left out, the number of likes would tell its label.
    """
    order = np.lexsort((time[asked], log.reader[asked]))
    asked = asked[order]
    reader, when = log.reader[asked], time[asked]
    first = np.append(True, (np.diff(reader) != 0) | (np.diff(when) != 0))
    starts = np.flatnonzero(first)
    titles = hashed_all("article", log.titles)
    readers = hashed_all("reader", map(str, range(int(log.reader.max()) + 1)))
    context = np.full((len(starts), len(LIST_FIELDS)), NO_ID, np.int64)
    context[:, LIST_FIELDS.index("reader")] = readers[reader[starts]]
    history = np.full((len(starts), HISTORY), NO_ID, np.int64)
    liked = np.flatnonzero(log.liked > 0)
    liked = liked[np.argsort(-time[liked], kind="stable")]
    for place, row in enumerate(starts.tolist()):
        before = (log.reader[liked] == reader[row]) & (time[liked] < when[row])
        clicks = log.row[liked[before]][:HISTORY]
        history[place, : len(clicks)] = titles[clicks]
    ids = np.column_stack([titles[log.row[asked]], np.full(len(asked), NO_ID)])
    label, unknown = log.liked[asked].astype(np.int8), np.full(len(asked), -1, np.int16)
    return LabelledRows(matrix[order], ids, context, history, (np.cumsum(first) - 1).astype(np.int32), label, unknown)


def splits(file: Path, settings: Settings, folds: int, seed: int) -> Iterator[tuple[Split, Places]]:
    """Every fold, and the reader of each row that it holds out."""
    log = read_judgements(file)
    methods = methods_of(log, spaces_of(log, settings, seed))
    fold = folds_of(len(log.liked), folds, seed)
    for number in range(folds):
        rng = np.random.default_rng((seed, 1 + number))  # with a 0 it would draw the folds once more
        yield split_of(log, methods, fold == number, rng)


def split_of(
    log: Judgements, methods: dict[str, Method], held: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Split, Places]:
    """The split that holds out the rows of a mask, bool (J,), and the reader of each of them."""
    part = rng.permutation(len(held)) % PARTS
    part[rng.random(len(held)) < VALIDATED] = VALIDATE
    part[held] = HELD
    names = (*methods, "judgements_of_reader", "judgements_of_title")
    matrix = np.empty((len(held), len(names)), np.float32)
    for asked in range(HELD + 1):
        known = (part < asked) if asked >= VALIDATE else (part != asked) & (part < VALIDATE)
        matrix[part == asked] = columns_of(log, methods, np.flatnonzero(known), np.flatnonzero(part == asked))
    time = np.where(part < VALIDATE, rng.permutation(len(held)), len(held) + part)
    chosen = [np.flatnonzero(mask) for mask in (part < VALIDATE, part == VALIDATE, part == HELD)]
    rows = [rows_of(log, matrix[asked], asked, time) for asked in chosen]
    return Split(names, *rows), np.sort(log.reader[chosen[2]], kind="stable")
