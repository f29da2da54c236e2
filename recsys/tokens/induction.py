"""Induction of word classes: expectation maximisation over an even sample of a catalogue's English tokens.

Reads token tables; produces ``WordClasses``. A word's class is learned from how often which function words stand beside
it ("the", "to", "of" ...) and from its ending, starting from a grammar's common knowledge
(``recsys.tokens.grammar``): a word has one share per class, and each neighbour one likelihood per class.
Source: Merialdo 1994, "Tagging English Text with a Probabilistic Model", with the neighbours' commonest classes in
place of hidden ones.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.tokens.classes import (
    CONTEXT_ROWS,
    ENDING_TOKENS,
    LONGEST_ENDING,
    NO_CLASSES,
    OPEN_COUNT,
    OPEN_KIND,
    Codes,
    Mask,
    Table,
    WordClasses,
    in_parts,
    neighbour_rows,
    normalised,
    prior_contexts,
    shares_by_ending,
    sure_evidence,
    word_kinds,
)
from recsys.tokens.table import JOINT, token_arrays

SAMPLE_TOKENS = 2_000_000  # more text changes no word's class that matters
_ROUNDS = 6  # of expectation maximisation; the tags hardly change after the fourth
_MIN_WORDS = 3  # words that share an ending, from which it is kept
_MIN_COUNT = 2  # tokens from which a word is kept; a rarer one is judged by its ending
_LEAST_SHARE = 0.01  # of all tokens that a class is taken to have; in a few lines there may be no adverb at all


class TokenSample(NamedTuple):
    """T tokens of V words.

    Attributes:
        words: V words.
        codes: int64 (T,), the word of each token, in reading order, one text after the other.
        starts: bool (T,), tokens that nothing stands before: of a text, or behind punctuation.
    """

    words: list[str]
    codes: Codes
    starts: Mask


def sample_tokens(batches: Iterable[pa.RecordBatch], max_tokens: int = SAMPLE_TOKENS) -> TokenSample:
    """Take all English tokens, or those of every second, fourth ... batch where there are too many.

    Args:
        batches: rows of the tokens table.
        max_tokens: held at most, give or take a batch.
    """
    code_of: dict[str, int] = {}
    codes, starts = [np.empty(0, np.int64)], [np.empty(0, bool)]
    step = 1
    for number, batch in enumerate(batches):
        if number % step:
            continue
        text = token_arrays(batch.filter(pc.equal(batch.column("language"), "en")))
        rows = np.array([code_of.setdefault(word, len(code_of)) for word in text.words], np.int64)
        codes.append(rows[text.codes])
        starts.append(text.starts)
        while sum(map(len, codes)) > max_tokens and len(codes) > 2:
            codes, starts, step = [codes[0], *codes[1::2]], [starts[0], *starts[1::2]], step * 2
    return TokenSample(list(code_of), np.concatenate(codes), np.concatenate(starts))


def induce(batches: Iterable[pa.RecordBatch]) -> WordClasses:
    """Learn the classes of English words.

    Args:
        batches: rows of the tokens table; only the English ones are read, and of many an even sample.

    Returns:
        The classes; without any English text those of the grammar.
    """
    text = sample_tokens(batches)
    kinds = word_kinds(text.words)
    if not (kinds == OPEN_KIND).any():
        return NO_CLASSES
    prior = prior_contexts()
    sure = sure_evidence(text.words)
    contexts = prior / prior.mean(axis=1, keepdims=True)
    shares = normalised(sure + ENDING_TOKENS * shares_by_ending(text.words, {}, np.empty((0, OPEN_COUNT))))
    endings: list[str] = []
    evidence = np.empty((0, OPEN_COUNT))
    for _ in range(_ROUNDS):
        counts, beside = _expected(text, kinds, shares, contexts)
        endings, evidence = _learned_endings(text.words, counts)
        by_ending = shares_by_ending(text.words, {ending: row for row, ending in enumerate(endings)}, evidence)
        shares = normalised(counts + ENDING_TOKENS * by_ending + sure)
        contexts = normalised(beside + prior) / np.maximum(normalised(counts.sum(axis=0)), _LEAST_SHARE)
    kept = np.flatnonzero((kinds == OPEN_KIND) & (np.bincount(text.codes, minlength=len(kinds)) >= _MIN_COUNT))
    return WordClasses([text.words[row] for row in kept.tolist()], shares[kept], endings, evidence, contexts)


def _expected(text: TokenSample, kinds: Codes, shares: Table, contexts: Table) -> tuple[Table, Table]:
    """One expectation: tokens of each word by class (V, 4), and tokens behind and before each neighbour (2, K, 4)."""
    counts, beside = np.zeros_like(shares), np.zeros((2, CONTEXT_ROWS, OPEN_COUNT))
    neighbours = neighbour_rows(text.words, kinds, shares)
    for _, part, *sides in in_parts(text.codes, text.starts, neighbours):
        able = kinds[part] == OPEN_KIND
        part, left, right = part[able], sides[0][able], sides[1][able]
        likely = normalised(shares[part] * contexts[0, left] * contexts[1, right])
        for c in range(OPEN_COUNT):
            counts[:, c] += np.bincount(part, likely[:, c], len(counts))
            beside[0, :, c] += np.bincount(left, likely[:, c], CONTEXT_ROWS)
            beside[1, :, c] += np.bincount(right, likely[:, c], CONTEXT_ROWS)
    return counts, beside


def _learned_endings(words: Sequence[str], counts: Table) -> tuple[list[str], Table]:
    """Endings that several words share, and how many of those are of each class; frequent words count a little more."""
    total = counts.sum(axis=1, keepdims=True)
    weight = counts / np.maximum(total, 1e-9) * np.minimum(total, np.maximum(1, np.log1p(total)))  # (V, 4)
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(total[:, 0] > 0).tolist():
        name = words[row].rpartition(JOINT)[2]
        for length in range(1, min(LONGEST_ENDING, len(name) - 2) + 1):
            groups.setdefault(name[-length:], []).append(row)
    kept = {ending: rows for ending, rows in groups.items() if len(rows) >= _MIN_WORDS}
    evidence = [weight[rows].sum(axis=0) for rows in kept.values()]
    return list(kept), np.array(evidence).reshape(-1, OPEN_COUNT)
