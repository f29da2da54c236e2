"""Label files: JSON lines or columns -> sentences of labelled tokens; odd rows have a rule each and are counted.

JSON lines have ``tokens`` and ``labels`` (or ``tags``) of equal length. In columns, as CoNLL has them, a line is a
token with its label last, an empty line ends a sentence, and a line that begins with ``-DOCSTART-`` is passed over. A
name that ends in .gz is unpacked. The rules:

    bad_row          no such row, or tokens and labels of different length: left out
    empty_token      a token without characters, or of spaces alone: left out with its label
    bad_label        where spans are asked for, what is neither O nor a letter of BIOES with a type: outside
    broken_span      a label goes on with what nothing began: it begins it
    long_sentence    of more than 1,000 tokens: trained on in pieces that cut no span
    rare_type        types with fewer than five spans: learned, and named, since they will hardly be found
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from recsys.entities.labels import OUTSIDE, encoded, parsed, spans_of
from recsys.entities.training import LONGEST
from recsys.errors import ImportRefused

_RARE = 5  # spans
MAX_TYPES = 200  # of entities, or of tags: more are no label set, and each costs memory for every feature
_DOCUMENT = "-DOCSTART-"


class LabelledSentences(NamedTuple):
    """Sentences of label files.

    Attributes:
        tokens: of each sentence.
        labels: as many; BIOES where spans were asked for.
        odd: how often each rule was used, of those that were.
    """

    tokens: list[list[str]]
    labels: list[list[str]]
    odd: dict[str, int]


def read_labelled(files: Iterable[Path], *, spans: bool = True) -> LabelledSentences:
    """Read label files.

    Args:
        files: JSON lines or columns, told apart by the first character.
        spans: labels mark spans; else each token has a label of its own.

    Raises:
        ImportRefused: a file cannot be read, has no usable sentence, or the files have more than 200 types.
    """
    tokens: list[list[str]] = []
    labels: list[list[str]] = []
    odd: Counter[str] = Counter()
    for file in files:
        before = len(tokens)
        for words, marks in _rows(file, odd):
            kept = [(word, mark) for word, mark in zip(words, marks, strict=True) if word.strip()]
            odd["empty_token"] += len(words) - len(kept)
            if kept:
                tokens.append([word for word, _ in kept])
                labels.append(_marks([mark for _, mark in kept], odd) if spans else [mark for _, mark in kept])
        if len(tokens) == before:
            raise ImportRefused(
                "sentences of tokens and labels, as JSON lines or columns", f"none in {file}", "See docs/entities.md."
            )
    types = Counter(mark[2:] for sentence in labels for mark in sentence if mark[0] in "BS") if spans else Counter()
    kinds = types if spans else Counter(mark for sentence in labels for mark in sentence)
    if len(kinds) > MAX_TYPES:
        raise ImportRefused(
            f"at most {MAX_TYPES} types", f"{len(kinds)}, such as {sorted(kinds)[:3]}", "Is the last column the label?"
        )
    odd["long_sentence"] = sum(len(sentence) > LONGEST for sentence in tokens)
    odd["rare_type"] = sum(count < _RARE for count in types.values())
    return LabelledSentences(tokens, labels, {rule: count for rule, count in sorted(odd.items()) if count})


def _marks(labels: list[str], odd: Counter[str]) -> list[str]:
    known = [label if parsed(label) else OUTSIDE for label in labels]
    odd["bad_label"] += sum(before != after for before, after in zip(labels, known, strict=True))
    spans, broken = spans_of(known)
    odd["broken_span"] += broken
    return encoded(spans, len(labels))


def _rows(file: Path, odd: Counter[str]) -> Iterator[tuple[list[str], list[str]]]:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            text = stream.read().decode("utf-8-sig", "replace")
    except (OSError, EOFError) as problem:
        raise ImportRefused("a label file", f"{file}: {problem}", "Check the name and the file.") from problem
    lines = text.replace("\r\n", "\n").split("\n")
    return _json_rows(lines, odd) if text.lstrip()[:1] == "{" else _column_rows(lines, odd)


def _json_rows(lines: Iterable[str], odd: Counter[str]) -> Iterator[tuple[list[str], list[str]]]:
    for line in filter(str.strip, lines):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        row = row if isinstance(row, dict) else {}
        tokens, labels = row.get("tokens"), row.get("labels", row.get("tags"))
        if _are_words(tokens) and _are_words(labels) and len(tokens) == len(labels):
            yield tokens, labels
        else:
            odd["bad_row"] += 1


def _are_words(items: object) -> TypeGuard[list[str]]:
    """True for a list of texts; an empty one is none, and an empty label is no label."""
    return isinstance(items, list) and bool(items) and all(isinstance(item, str) for item in items)


def _column_rows(lines: Iterable[str], odd: Counter[str]) -> Iterator[tuple[list[str], list[str]]]:
    tokens: list[str] = []
    labels: list[str] = []
    for line in [*lines, ""]:
        columns = line.split()
        if columns and columns[0] == _DOCUMENT:
            continue
        if len(columns) > 1:
            tokens.append(columns[0])
            labels.append(columns[-1])
        elif columns:
            odd["bad_row"] += 1
        elif tokens:
            yield tokens, labels
            tokens, labels = [], []
