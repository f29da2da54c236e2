"""Linear chains of labels: best paths, and marginals by scaled forward and backward sums.

Transitions are (L + 1, L + 1): from a label, or from the edge of a sentence (the last row), to a label or the edge.
Source: Lafferty et al. 2001, "Conditional random fields"; Rabiner 1989, section V.A (scaling).
"""

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


@compiled
def emission_scores(rows: Rows, weights: Scores) -> Scores:
    """Sum of the weights of each token's features, float32 (T, L); rows int32 (T, F), -1 for none."""
    scores = np.zeros((rows.shape[0], weights.shape[1]), np.float32)
    for token in range(rows.shape[0]):
        for number in range(rows.shape[1]):
            row = rows[token, number]
            if row >= 0:
                for label in range(weights.shape[1]):
                    scores[token, label] += weights[row, label]
    return scores


@compiled
def best_paths(emissions: Scores, transitions: Scores, bounds: Ints) -> Ints:
    """Best label of each token, sentence by sentence (Viterbi), int64 (T,).

    Args:
        emissions: float32 (T, L).
        transitions: float32 (L + 1, L + 1); -inf where a label may not follow.
        bounds: int64 (S + 1,), where each sentence begins.
    """
    labels = emissions.shape[1]
    path = np.zeros(len(emissions), np.int64)
    back = np.zeros((len(emissions), labels), np.int16)
    score, fresh = np.zeros(labels, np.float32), np.zeros(labels, np.float32)
    for sentence in range(len(bounds) - 1):
        begin, end = bounds[sentence], bounds[sentence + 1]
        if begin == end:
            continue
        for label in range(labels):
            score[label] = emissions[begin, label] + transitions[labels, label]
        for token in range(begin + 1, end):
            fresh[:] = -np.inf
            for before in range(labels):
                for label in range(labels):
                    reached = score[before] + transitions[before, label]
                    if reached > fresh[label]:
                        fresh[label], back[token, label] = reached, before
            for label in range(labels):
                score[label] = fresh[label] + emissions[token, label]
        for label in range(labels):
            fresh[label] = score[label] + transitions[label, labels]
        label = int(np.argmax(fresh))
        for token in range(end - 1, begin - 1, -1):
            path[token] = label
            label = back[token, label]
    return path


@compiled
def _forward(emissions: Scores, potentials: Scores, local: Scores, forward: Scores) -> float:
    """Write scaled forward sums and the exp of the emissions; returns the logarithm of the scales."""
    length, labels = emissions.shape
    log_sum = 0.0
    for token in range(length):
        highest = emissions[token, 0]
        for label in range(labels):
            highest = max(highest, emissions[token, label])
        if token == 0:
            for label in range(labels):
                forward[0, label] = potentials[labels, label]
        else:
            for before in range(labels):
                for label in range(labels):
                    forward[token, label] += forward[token - 1, before] * potentials[before, label]
        total = np.float32(0.0)
        for label in range(labels):
            local[token, label] = np.exp(emissions[token, label] - highest)
            forward[token, label] *= local[token, label]
            total += forward[token, label]
        for label in range(labels):
            forward[token, label] /= total
        log_sum += highest + np.log(total)
    return log_sum


@compiled
def chain_marginals(emissions: Scores, potentials: Scores, marginals: Scores, pairs: Scores) -> float:
    """Marginals of one sentence.

    Args:
        emissions: float32 (n, L), n ≥ 1.
        potentials: float32 (L + 1, L + 1), exp of the transitions, 0 where a label may not follow.
        marginals: float32 (n, L), overwritten with the probability of each label.
        pairs: float32 (L + 1, L + 1); the expected number of each transition is added.

    Returns:
        The logarithm of the sum over all paths.
    """
    length, labels = emissions.shape
    local, forward = np.zeros((length, labels), np.float32), np.zeros((length, labels), np.float32)
    log_sum = _forward(emissions, potentials, local, forward)
    backward, onward = np.zeros(labels, np.float32), np.zeros(labels, np.float32)
    ending = np.float32(0.0)
    for label in range(labels):
        ending += forward[length - 1, label] * potentials[label, labels]
    for label in range(labels):
        backward[label] = potentials[label, labels] / ending
        marginals[length - 1, label] = forward[length - 1, label] * backward[label]
        pairs[label, labels] += marginals[length - 1, label]
    for token in range(length - 1, 0, -1):
        total = np.float32(0.0)
        for label in range(labels):
            onward[label] = backward[label] * local[token, label]
        for before in range(labels):
            backward[before] = 0.0
            for label in range(labels):
                backward[before] += potentials[before, label] * onward[label]
            total += backward[before] * forward[token - 1, before]
        for before in range(labels):
            share = forward[token - 1, before] / total
            for label in range(labels):
                pairs[before, label] += share * potentials[before, label] * onward[label]
            backward[before] /= total
            marginals[token - 1, before] = forward[token - 1, before] * backward[before]
    for label in range(labels):
        pairs[labels, label] += marginals[0, label]
    return log_sum + float(np.log(ending))
