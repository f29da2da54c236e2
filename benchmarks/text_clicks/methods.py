"""Judgements and titles -> a score for every judgement held out: ours, its parts, and single baselines.

A method sees the labels of its training judgements only; of the held-out ones it sees reader and title. A reader's
judgement of a title is not used to score the same reader's second judgement of that title, in any method.
Source: Rocchio 1971 (liked minus disliked).
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.text_clicks.data import Judgements
from benchmarks.text_clicks.judged import GeneralTaste, Judging, general_taste, judged_scores, own_taste
from benchmarks.text_clicks.traits import Places, Traits, Values, joined_traits, traits_of

# How far a judgement reaches in each space. Chosen on other folds; half or double of one costs at most .005 AUC.
WEIGHTS = {"words": 0.8, "entities": 0.6, "vectors": 0.4, "keywords": 0.6}
LIKING = 0.1  # readers differ in how much they click; half or double costs .001
PRIOR = 5.0  # judgements that a reader's or a title's own share is shrunk by, in the baselines

Method = Callable[[Places, Places], Values]


class Ours(NamedTuple):
    """One form of the model.

    Attributes:
        spaces: which are read.
        general: whether other readers' judgements are used, beyond their mean.
        own: whether the reader's own judgements are.
        dislikes: whether dislikes count as well as likes.
    """

    spaces: tuple[str, ...] = ("words", "vectors", "entities")
    general: bool = True
    own: bool = True
    dislikes: bool = True


OURS = {
    "ours": Ours(),
    "titles_only": Ours(("words", "vectors")),
    "titles_and_keywords": Ours(("words", "vectors", "keywords")),
    "own_judgements_only": Ours(general=False),
    "general_taste_only": Ours(own=False),
    "no_dislikes": Ours(dislikes=False),
}


def ours(log: Judgements, spaces: dict[str, Traits], form: Ours) -> Method:
    """The project's judged scores, as a method."""
    parts = [_weighted(spaces[name], WEIGHTS[name]) for name in form.spaces]
    traits, judging = joined_traits(parts, LIKING), Judging()

    def scores(train: Places, test: Places) -> Values:
        general = general_taste(traits, log.reader[train], log.row[train], log.liked[train], judging)
        if not form.general:
            general = GeneralTaste(general.mean, np.zeros_like(general.weights))
        found = np.empty(len(test))
        for known, asked in _readers(log, train, test):
            known = known[log.liked[known] >= (0 if form.dislikes else 1)] if form.own else known[:0]
            own = own_taste(traits, general, log.row[known], log.liked[known], judging)
            found[asked] = judged_scores(traits, general, own, log.row[test[asked]])
        return found

    return scores


def profile(log: Judgements, space: Traits, *, dislikes: bool) -> Method:
    """Cosine to the sum of the liked titles; less the cosine to that of the disliked ones if ``dislikes``."""

    def scores(train: Places, test: Places) -> Values:
        found = np.empty(len(test))
        for known, asked in _readers(log, train, test):
            rows = np.concatenate([log.row[known], log.row[test[asked]]])
            alike = _products(space, rows)
            other = log.row[test[asked]][:, None] != log.row[known]  # (B, J)
            found[asked] = _cosines(alike, other * log.liked[known])
            if dislikes:
                found[asked] -= _cosines(alike, other * (1 - log.liked[known]))
        return found

    return scores


def share(log: Judgements, key: Places) -> Method:
    """The share of likes among the training judgements of equal ``key``, shrunk to that of all."""

    def scores(train: Places, test: Places) -> Values:
        size, mean = int(key.max()) + 1, log.liked[train].mean()
        number, likes = np.bincount(key[train], minlength=size), np.bincount(key[train], log.liked[train], size)
        return np.asarray(((likes + PRIOR * mean) / (number + PRIOR))[key[test]])

    return scores


def baselines(log: Judgements, spaces: dict[str, Traits]) -> dict[str, Method]:
    """Every single baseline."""
    names = {"tfidf": "words", "word_vectors": "word_vectors", "entities": "entities"}
    found: dict[str, Method] = {}
    for name, space in names.items():
        found[f"{name}_liked"] = profile(log, spaces[space], dislikes=False)
        found[f"{name}_liked_minus_disliked"] = profile(log, spaces[space], dislikes=True)
    return found | {"share_of_reader": share(log, log.reader), "share_of_title": share(log, log.row)}


def _weighted(space: Traits, weight: float) -> Traits:
    return space._replace(values=np.sqrt(weight) * space.values)


def _readers(log: Judgements, train: Places, test: Places) -> Iterator[tuple[Places, Places]]:
    """Of each reader who is asked for: their training judgements, and the places in ``test`` that are theirs."""
    train = train[np.argsort(log.reader[train], kind="stable")]
    places = np.argsort(log.reader[test], kind="stable")
    readers, first = np.unique(log.reader[test[places]], return_index=True)
    starts = np.searchsorted(log.reader[train], readers)
    stops = np.searchsorted(log.reader[train], readers, side="right")
    for start, stop, asked in zip(starts, stops, np.split(places, first[1:]), strict=True):
        yield train[start:stop], asked


def _products(space: Traits, rows: Places) -> Values:
    """(R, R), the products of all pairs of rows: cosines, since the rows have length 1 or 0."""
    own = traits_of(space, rows)
    columns, place = np.unique(own.columns, return_inverse=True)
    dense = np.zeros((len(rows), len(columns)))
    dense[np.repeat(np.arange(len(rows)), np.diff(own.starts)), place] = own.values
    return np.asarray(dense @ dense.T)


def _cosines(alike: Values, wanted: Values) -> Values:
    """(B,), each candidate's cosine to the sum of its wanted titles (B, J); 0 where there is none."""
    J = wanted.shape[1]
    dot = (wanted * alike[J:, :J]).sum(axis=1)
    length = np.sqrt(np.maximum(((wanted @ alike[:J, :J]) * wanted).sum(axis=1), 0))
    return np.asarray(np.divide(dot, length, out=np.zeros_like(dot), where=length > 1e-9))
