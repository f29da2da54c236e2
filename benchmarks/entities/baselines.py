"""Baselines: a dictionary of what the training file marks, the commonest label of each word, and python-crfsuite.

python-crfsuite is the common package for this: its features here are those of its own tutorial for words, and the
characters around for Chinese, with the tutorial's penalties and 60 rounds of L-BFGS.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pycrfsuite

from recsys.entities import LabelledSentences, Span, spans_of
from recsys.entities.labels import encoded
from recsys.entities.training import style_of

_ROUNDS = 60
_PENALTIES = {"c1": 0.1, "c2": 0.1}

Sentences = Sequence[Sequence[str]]
Labels = list[list[str]]


def dictionary(train: LabelledSentences, sentences: Sentences) -> Labels:
    """The longest entries from left to right, each with its commonest type; an entry is as often marked as not."""
    types: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for tokens, labels in zip(train.tokens, train.labels, strict=True):
        for begin, end, kind in spans_of(labels)[0]:
            types[tuple(tokens[begin:end])][kind] += 1
    longest = max(map(len, types), default=0)
    seen = _occurrences(train.tokens, set(types), longest)
    entries = {
        words: counts.most_common(1)[0][0] for words, counts in types.items() if 2 * counts.total() >= seen[words]
    }
    return [encoded(_matches(tokens, entries, longest), len(tokens)) for tokens in sentences]


def _occurrences(sentences: Sentences, entries: set[tuple[str, ...]], longest: int) -> Counter[tuple[str, ...]]:
    sizes = sorted({len(words) for words in entries})
    return Counter(
        words
        for tokens in sentences
        for size in sizes
        for begin in range(len(tokens) - size + 1)
        if (words := tuple(tokens[begin : begin + size])) in entries
    )


def _matches(tokens: Sequence[str], entries: dict[tuple[str, ...], str], longest: int) -> list[Span]:
    spans: list[Span] = []
    begin = 0
    while begin < len(tokens):
        for end in range(min(begin + longest, len(tokens)), begin, -1):
            if kind := entries.get(tuple(tokens[begin:end])):
                spans.append(Span(begin, end, kind))
                begin = end - 1
                break
        begin += 1
    return spans


def commonest_label(train: LabelledSentences, sentences: Sentences) -> Labels:
    """The commonest label of each word; of an unknown word, that of all words that were seen once."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tokens, labels in zip(train.tokens, train.labels, strict=True):
        for token, label in zip(tokens, labels, strict=True):
            counts[token][label] += 1
    best = {token: count.most_common(1)[0][0] for token, count in counts.items()}
    once = Counter(label for count in counts.values() if count.total() == 1 for label in count)
    unknown = (once or Counter(best.values())).most_common(1)[0][0]
    return [[best.get(token, unknown) for token in tokens] for tokens in sentences]


def crfsuite(train: LabelledSentences, sentences: Sentences) -> Labels:
    """python-crfsuite with its tutorial's features."""
    features = _of_character if style_of(train.tokens) == "characters" else _of_word
    trainer = pycrfsuite.Trainer(verbose=False)
    for tokens, labels in zip(train.tokens, train.labels, strict=True):
        trainer.append([features(tokens, place) for place in range(len(tokens))], labels)
    trainer.set_params({**_PENALTIES, "max_iterations": _ROUNDS})
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model")
        trainer.train(file)
        tagger = pycrfsuite.Tagger()
        tagger.open(file)
        return [tagger.tag([features(tokens, place) for place in range(len(tokens))]) for tokens in sentences]


def _of_word(tokens: Sequence[str], place: int) -> list[str]:
    word = tokens[place]
    features = ["bias", f"low={word.lower()}", f"end3={word[-3:]}", f"end2={word[-2:]}"]
    features += [f"upper={word.isupper()}", f"title={word.istitle()}", f"digit={word.isdigit()}"]
    for offset in (-1, 1):
        if 0 <= place + offset < len(tokens):
            near = tokens[place + offset]
            features += [f"{offset}:low={near.lower()}", f"{offset}:title={near.istitle()}"]
            features += [f"{offset}:upper={near.isupper()}"]
        else:
            features.append(f"{offset}:edge")
    return features


def _of_character(tokens: Sequence[str], place: int) -> list[str]:
    around = {offset: tokens[place + offset] for offset in range(-2, 3) if 0 <= place + offset < len(tokens)}
    features = ["bias", *(f"{offset}={token}" for offset, token in around.items())]
    pairs = [offset for offset in range(-2, 2) if offset in around and offset + 1 in around]
    return features + [f"{offset},{offset + 1}={around[offset]}{around[offset + 1]}" for offset in pairs]
