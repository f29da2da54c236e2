"""Training of a tagger: labelled sentences -> the weights of a conditional random field.

The loss is the log-likelihood of the labels; a step of AdaGrad per sentence gives a rare feature a long one, which is
worth more here than any penalty of its weight that was tried (docs/entities.md). The weights of the last passes are
averaged, and those of several trainings: the order of the sentences, which decides the long first steps, is chance.
Source: Lafferty et al. 2001; Duchi et al. 2011 (AdaGrad).
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.entities.attributes import TokenAttributes
from recsys.entities.chain import Ints, Rows, Scores, chain_marginals
from recsys.entities.characters import bounds_of, is_han
from recsys.entities.features import feature_hashes, feature_table, templates_of
from recsys.entities.labels import ENCODING, OUTSIDE, encoded, may_follow, spans_of
from recsys.entities.tagger import Tagger
from recsys.errors import DegenerateInput
from recsys.tokens.segmenter import ChineseDictionary

EPOCHS = 10
AVERAGED_EPOCHS = 4  # the last ones
TRAININGS = 3  # of names, in other orders of the sentences; tags have so many tokens that the order counts for little
RATE = 0.05
LONGEST = 1_000  # tokens that are trained on as one sentence: memory is tokens × labels
_SURE = 5e-4  # a token whose probabilities are nearer to the truth teaches nothing
_SOFTENED = np.float32(1e-3)  # of AdaGrad's first steps
_CHARACTERS = 0.5  # share of tokens that are one Chinese character, from which on a set is one of characters

Forbidden = npt.NDArray[np.bool_]


class _Steps(NamedTuple):
    """Arrays that the training of one model moves.

    Attributes:
        weights: float32 (R, L), of each feature and label.
        transitions: float32 (L + 1, L + 1).
        weight_squares: float32 (R, L), sums of squared slopes.
        transition_squares: float32 (L + 1, L + 1).
    """

    weights: Scores
    transitions: Scores
    weight_squares: Scores
    transition_squares: Scores


def train(
    sentences: Sequence[Sequence[str]],
    labels: Sequence[Sequence[str]],
    *,
    chinese: ChineseDictionary,
    seed: int,
    spans: bool = True,
    epochs: int = EPOCHS,
) -> Tagger:
    """Train a tagger.

    Args:
        sentences: tokens of each.
        labels: as many labels of each: of spans, see ``recsys.entities.labels``; else any words.
        chinese: rjieba, or its dictionary with the user's words.
        seed: of the order of the sentences.
        spans: labels mark spans; else each token has a label of its own, such as its part of speech.
        epochs: passes over the sentences.

    Raises:
        DegenerateInput: fewer than two labels, or a loss that is not finite.
    """
    tokens, marks = _trained_on(sentences, labels, spans)
    names = _names(marks, spans)
    style = style_of(tokens)
    bounds = bounds_of(tokens)
    hashes = feature_hashes(TokenAttributes(chinese).of(tokens), bounds, templates_of(style))
    table = feature_table(_known(hashes))
    rows = table.rows(hashes)
    del hashes
    row_of = {name: row for row, name in enumerate(names)}
    gold = np.array([row_of[mark] for sentence in marks for mark in sentence], np.int64)
    forbidden = _forbidden(names) if spans else np.zeros((len(names) + 1,) * 2, bool)
    trainings = TRAININGS if spans else 1
    weights, transitions = _fit(rows, bounds, gold, forbidden, epochs, trainings, seed)
    return Tagger(names, style, spans, table, weights, transitions, chinese)


def style_of(sentences: Sequence[Sequence[str]]) -> str:
    """The style of a set's features: "characters" where most tokens are single Chinese characters, else "words"."""
    tokens = Counter(len(token) == 1 and is_han(token) for sentence in sentences for token in sentence)
    return "characters" if tokens[True] > _CHARACTERS * tokens.total() else "words"


def _trained_on(
    sentences: Sequence[Sequence[str]], labels: Sequence[Sequence[str]], spans: bool
) -> tuple[list[Sequence[str]], list[Sequence[str]]]:
    """Sentences of at most ``LONGEST`` tokens and their labels, those of spans as BIOES."""
    tokens: list[Sequence[str]] = []
    marks: list[Sequence[str]] = []
    for sentence, given in zip(sentences, labels, strict=True):
        whole = encoded(spans_of(given)[0], len(given)) if spans else given
        begin = 0
        while begin < len(sentence):
            end = _end(whole, begin) if spans else min(begin + LONGEST, len(whole))
            tokens.append(sentence[begin:end])
            marks.append(encoded(spans_of(whole[begin:end])[0], end - begin) if spans else whole[begin:end])
            begin = end
    return tokens, marks


def _end(whole: Sequence[str], begin: int) -> int:
    """End of the piece that begins at a token: it cuts no span, but for one that is longer than any piece."""
    end = min(begin + LONGEST, len(whole))
    return next((place for place in range(end, begin, -1) if may_follow(whole[place - 1], None)), end)


def _names(marks: Sequence[Sequence[str]], spans: bool) -> list[str]:
    names = sorted({mark for sentence in marks for mark in sentence})
    if spans:
        types = sorted({name[2:] for name in names if name != OUTSIDE})
        names = [OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in ENCODING)]
    if len(names) < 2:
        raise DegenerateInput(
            "labelled sentences with at least one entity, or two parts of speech",
            f"{len(marks)} sentences with the labels {names}",
            "Give a file in which something is labelled.",
        )
    return names


def _known(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    keys = np.unique(hashes)
    known: npt.NDArray[np.uint64] = keys[keys != 0]
    return known


def _forbidden(names: Sequence[str]) -> Forbidden:
    """bool (L + 1, L + 1): transitions that would cut a span."""
    sides = [*names, None]
    return np.array([[not may_follow(before, after) for after in sides] for before in sides])


def _fit(
    rows: Rows, bounds: Ints, gold: Ints, forbidden: Forbidden, epochs: int, trainings: int, seed: int
) -> tuple[Scores, Scores]:
    shapes = (int(rows.max(initial=0)) + 1, len(forbidden) - 1), forbidden.shape
    weights, transitions = (np.zeros(shape, np.float32) for shape in shapes)
    generator = np.random.default_rng(seed)
    averaged = np.float32(min(AVERAGED_EPOCHS, epochs) * trainings)
    for _ in range(trainings):
        steps = _Steps(*(np.zeros(shape, np.float32) for shape in shapes * 2))
        for epoch in range(epochs):
            loss = _epoch(rows, bounds, gold, generator.permutation(len(bounds) - 1), steps, forbidden, RATE)
            if not np.isfinite(loss):
                raise DegenerateInput("a finite loss", f"{loss} in pass {epoch + 1}", "Look at the labelled sentences.")
            if epoch >= epochs - AVERAGED_EPOCHS:
                weights += steps.weights / averaged
                transitions += steps.transitions / averaged
    transitions[forbidden] = -np.inf
    return weights, transitions


@compiled
def _epoch(
    rows: Rows, bounds: Ints, gold: Ints, order: Ints, steps: _Steps, forbidden: Forbidden, rate: float
) -> float:
    """One pass over the sentences in the given order; returns the summed loss."""
    weights, transitions, weight_squares, transition_squares = steps
    labels, loss, step = weights.shape[1], 0.0, np.float32(rate)
    pairs, potentials = np.zeros_like(transitions), np.zeros_like(transitions)
    for sentence in order:
        begin, end = bounds[sentence], bounds[sentence + 1]
        if begin == end:
            continue
        emissions = np.zeros((end - begin, labels), np.float32)
        for token in range(begin, end):
            for row in rows[token]:
                if row >= 0:
                    for label in range(labels):
                        emissions[token - begin, label] += weights[row, label]
        for before in range(labels + 1):
            for label in range(labels + 1):
                pairs[before, label] = 0.0
                potentials[before, label] = 0.0 if forbidden[before, label] else np.exp(transitions[before, label])
        slopes = np.zeros_like(emissions)
        loss += chain_marginals(emissions, potentials, slopes, pairs)
        before = labels
        for token in range(end - begin):
            label = gold[begin + token]
            loss -= float(emissions[token, label] + transitions[before, label])
            slopes[token, label] -= np.float32(1.0)
            pairs[before, label] -= np.float32(1.0)
            before = label
        loss -= float(transitions[before, labels])
        pairs[before, labels] -= np.float32(1.0)
        for token in range(end - begin):
            largest = 0.0
            for label in range(labels):
                largest = max(largest, abs(slopes[token, label]))
            if largest < _SURE:
                continue
            for row in rows[begin + token]:
                if row >= 0:
                    for label in range(labels):
                        slope = slopes[token, label]
                        weight_squares[row, label] += slope * slope
                        weights[row, label] -= step * slope / (np.sqrt(weight_squares[row, label]) + _SOFTENED)
        for before in range(labels + 1):
            for label in range(labels + 1):
                slope = pairs[before, label]
                transition_squares[before, label] += slope * slope
                transitions[before, label] -= step * slope / (np.sqrt(transition_squares[before, label]) + _SOFTENED)
    return loss
