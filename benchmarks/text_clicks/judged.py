"""Judged: articles that readers liked and did not like -> how much a reader would like another one.

Reads what articles are made of (``Traits``: words, keywords, directions of a vector space) and likes and dislikes;
produces the general taste of all readers, the own taste of one, and scores of candidates. Likes and dislikes count
alike: each is a number to be explained.

The model is a ridge regression in which every trait stands twice, once for everybody and once for each reader, so that
a reader of three judgements is mostly everybody and one of three hundred mostly themselves. A reader's own taste is
solved for against the general one, in a millisecond, and is what the joint problem of all readers would give them.
Nothing is drawn at random.

    general = general_taste(traits, reader, row, liked, Judging())            # nightly
    own = own_taste(traits, general, row of their likes and dislikes, liked, Judging())
    scores = judged_scores(traits, general, own, candidates)

For one answer, ``traits`` may hold the articles of that answer alone, as long as the traits keep their columns.
Source: Daumé III 2007, "Frustratingly Easy Domain Adaptation" (traits twice); Robinson 1991, "That BLUP is a Good
Thing", section 2 (the shrunk estimate of a reader's own part); Hestenes & Stiefel 1952 (conjugate gradients).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.text_clicks.traits import Columns, Places, Traits, Values, sums, traits_of
from recsys.errors import DegenerateInput

STEPS = 200  # of conjugate gradients at most; a few dozen are taken
PRECISE = 1e-6  # what may be left of the labels unexplained by the solver, relative
READER_LAST = 500  # judgements of one reader that count: bounds the time of ``own_taste``
GENERAL_LAST = 50_000  # judgements that the general taste is learned from: bounds its memory to about half a GiB

Scores = npt.NDArray[np.float32]


class Judging(NamedTuple):
    """Reach of judgements; all are variances, compared with the weights that traits were given.

    Attributes:
        shared: of the general taste, as a share of a reader's own.
        noise: of a single judgement, above 0: what a reader likes today and not tomorrow.
    """

    shared: float = 0.2
    noise: float = 1.0


class GeneralTaste(NamedTuple):
    """Taste that everybody shares.

    Attributes:
        mean: share of the judgements that were likes.
        weights: float64 (F,), what a trait adds to it.
    """

    mean: float
    weights: Values


class OwnTaste(NamedTuple):
    """Taste of one reader, more or less than everybody's.

    Attributes:
        rows: int64 (J,), the articles judged, ascending.
        pulls: float64 (J,), how each judgement pulls: up where they liked more than was expected.
        columns: int32, the traits of those articles, ascending.
        weights: float64, what each of ``columns`` adds.
    """

    rows: Places
    pulls: Values
    columns: Columns
    weights: Values


def general_taste(traits: Traits, reader: Places, row: Places, liked: Values, judging: Judging) -> GeneralTaste:
    """Learn what everybody likes from the judgements of all readers, each reader's own taste accounted for.

    Args:
        traits: of A articles, as ``joined_traits`` made them.
        reader: int (N,), whose judgement it is; any numbers.
        row: int (N,), which article; the last ``GENERAL_LAST`` judgements count.
        liked: (N,), 1 for a like and 0 for a dislike.
        judging: how far judgements reach.

    Returns:
        The general taste; of no judgements one that is indifferent to everything, at one half.

    Raises:
        DegenerateInput: arrays of different lengths, another label, a row outside the table.
    """
    _check(traits, row, liked, len(reader))
    if not len(row):
        return GeneralTaste(0.5, np.zeros(traits.size))
    A, last = len(traits.starts) - 1, slice(-GENERAL_LAST, None)
    number = np.unique(reader[last], return_inverse=True)[1].astype(np.int64)
    key, liking = _merged(number * A + row[last], liked[last])
    judged = traits_of(traits, key % A)
    sizes = np.diff(judged.starts)
    copies = np.unique(np.repeat(key // A, sizes) * traits.size + judged.columns, return_inverse=True)[1]
    mean = float(liking.mean())
    pulls = _pulls(judged, copies, liking - mean, judging)
    weights = np.bincount(judged.columns, judged.values * np.repeat(pulls, sizes), traits.size)
    return GeneralTaste(mean, np.asarray(judging.shared * weights, np.float64))


def own_taste(traits: Traits, general: GeneralTaste, row: Places, liked: Values, judging: Judging) -> OwnTaste:
    """Learn what one reader likes beyond the general taste.

    An article that they judged twice counts once, by the mean of both.

    Args:
        traits: see ``general_taste``.
        general: what everybody likes.
        row: int (N,), articles judged, oldest first; the last ``READER_LAST`` count.
        liked: (N,), 1 for a like and 0 for a dislike.
        judging: as for the general taste.

    Returns:
        Their own taste; of no judgements one that changes nothing.

    Raises:
        DegenerateInput: see ``general_taste``.
    """
    _check(traits, row, liked, len(row))
    rows, liking = _merged(row[-READER_LAST:].astype(np.int64), liked[-READER_LAST:])
    judged = traits_of(traits, rows)
    columns, place = np.unique(judged.columns, return_inverse=True)
    beyond = liking - general.mean - sums(judged, general.weights[judged.columns])
    pulls = _pulls(judged, place, beyond, judging._replace(shared=0.0))
    weights: Values = np.bincount(place, judged.values * np.repeat(pulls, np.diff(judged.starts))).astype(np.float64)
    return OwnTaste(rows, pulls, columns, weights)


def judged_scores(traits: Traits, general: GeneralTaste, own: OwnTaste, candidates: Places) -> Scores:
    """Score of each candidate for a reader.

    A judgement tells nothing of the very article that was judged: who liked it has read it, and who judged it again
    mostly judged the other way. Its own pull is therefore left out of a candidate's score.

    Args:
        traits: see ``general_taste``.
        general: what everybody likes.
        own: what this reader likes beyond it.
        candidates: int (B,), article rows.

    Returns:
        float32 (B,), on the scale of the labels, 1 = certainly; a little outside of 0 to 1 at times. Comparable
        between readers.

    Raises:
        DegenerateInput: a row outside the table.
    """
    _check(traits, candidates, np.zeros(len(candidates)), len(candidates))
    asked = traits_of(traits, candidates.astype(np.int64))
    weights, scores = general.weights[asked.columns], np.full(len(candidates), general.mean)
    if len(own.rows):
        place = np.minimum(np.searchsorted(own.columns, asked.columns), len(own.columns) - 1)
        weights = weights + np.where(own.columns[place] == asked.columns, own.weights[place], 0.0)
        judged = np.minimum(np.searchsorted(own.rows, candidates), len(own.rows) - 1)
        scores -= np.where(own.rows[judged] == candidates, own.pulls[judged], 0.0) * sums(asked, asked.values)
    return np.asarray(scores + sums(asked, weights), np.float32)


def _check(traits: Traits, row: Places, liked: Values, readers: int) -> None:
    if not len(row) == len(liked) == readers:
        got = f"{len(row)} rows, {len(liked)} labels and {readers} readers"
        raise DegenerateInput("as many rows as labels and readers", got, "Give one of each per judgement.")
    if not np.isin(liked, (0, 1)).all():
        raise DegenerateInput("labels of 0 and 1", "another one", "Give 1 for a like and 0 for a dislike.")
    if len(row) and not 0 <= int(row.min()) <= int(row.max()) < len(traits.starts) - 1:
        got = f"rows {row.min()} to {row.max()}"
        raise DegenerateInput(f"rows of {len(traits.starts) - 1} articles", got, "Leave unknown articles out.")


def _merged(keys: Places, liked: Values) -> tuple[Places, Values]:
    """Each key once, ascending, and the mean of its labels."""
    found, place, often = np.unique(keys, return_inverse=True, return_counts=True)
    return found, np.bincount(place, liked, len(found)) / often


def _pulls(judged: Traits, copies: Places, wanted: Values, judging: Judging) -> Values:
    """Solve (shared X X' + C C' + noise) pulls = wanted, where X holds traits and C each reader's copies of them.

    Args:
        judged: the traits of J judged articles.
        copies: int64 (N,), the number of the reader's copy of each trait.
        wanted: float64 (J,).
        judging: ``shared`` and ``noise``.

    Returns:
        float64 (J,), by conjugate gradients, each unknown scaled by its diagonal.
    """
    sizes = np.diff(judged.starts)

    def applied(pulls: Values) -> Values:
        parts = judged.values * np.repeat(pulls, sizes)
        weights: Values = np.bincount(copies, parts)[copies].astype(np.float64)
        if judging.shared:
            weights = weights + judging.shared * np.bincount(judged.columns, parts)[judged.columns]
        return sums(judged, weights) + judging.noise * pulls

    diagonal = (1 + judging.shared) * sums(judged, judged.values) + judging.noise
    pulls, left = np.zeros_like(wanted), wanted.copy()
    direction = scaled = left / diagonal
    size = left @ scaled
    for _ in range(STEPS):
        if left @ left <= PRECISE**2 * (wanted @ wanted):
            break
        moved = applied(direction)
        step = size / (direction @ moved)
        pulls, left = pulls + step * direction, left - step * moved
        scaled = left / diagonal
        size, before = left @ scaled, size
        direction = scaled + size / before * direction
    return pulls
