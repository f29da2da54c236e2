"""Sequence tagger: sentences -> a label per token, by the best path through a linear chain.

Reads and produces ``tagger.json``, ``keys.npy``, ``weights.npy`` and ``transitions.npy``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.entities.attributes import TokenAttributes
from recsys.entities.chain import Scores, best_paths, emission_scores
from recsys.entities.characters import bounds_of
from recsys.entities.features import STYLES, FeatureTable, feature_hashes, feature_table, templates_of
from recsys.entities.labels import as_bio
from recsys.errors import CorruptArtefact
from recsys.tokens.segmenter import ChineseDictionary
from recsys.workspace import load_npy, read_json, save_npy, write_json

_AT_ONCE = 50_000  # tokens tagged at a time, which bounds memory
_FORMAT = 1  # of the saved files, and of the attributes and templates that they were made with

Labels = list[list[str]]


@dataclass(frozen=True, eq=False)
class Tagger:
    """Conditional random field of L labels over R features.

    Attributes:
        labels: L labels, as the chain has them: BIOES where they mark spans.
        style: of the templates, see ``recsys.entities.features``.
        spans: labels mark spans, and no span is ever cut.
        table: the R features.
        weights: float32 (R, L).
        transitions: float32 (L + 1, L + 1), -inf where a label may not follow.
        chinese: dictionary that cuts Chinese texts.
    """

    labels: list[str]
    style: str
    spans: bool
    table: FeatureTable
    weights: Scores
    transitions: Scores
    chinese: ChineseDictionary

    @cached_property
    def _attributes(self) -> TokenAttributes:
        return TokenAttributes(self.chinese)

    def tag(self, sentences: Sequence[Sequence[str]]) -> Labels:
        """Labels of each token of each sentence; BIO where they mark spans."""
        return [labels for batch in _batches(sentences) for labels in self._tagged(batch)]

    def _tagged(self, sentences: Sequence[Sequence[str]]) -> Iterator[list[str]]:
        bounds = bounds_of(sentences)
        hashes = feature_hashes(self._attributes.of(sentences), bounds, templates_of(self.style))
        emissions = emission_scores(self.table.rows(hashes), self.weights)
        names = as_bio(self.labels) if self.spans else self.labels
        tagged = [names[label] for label in best_paths(emissions, self.transitions, bounds).tolist()]
        return (tagged[begin:end] for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))

    def save(self, folder: Path) -> None:
        """Write the tagger to ``folder``."""
        about = {"format": _FORMAT, "labels": self.labels, "style": self.style, "spans": self.spans}
        write_json(folder / "tagger.json", about)
        save_npy(folder / "keys.npy", self.table.keys)
        save_npy(folder / "weights.npy", self.weights)
        save_npy(folder / "transitions.npy", self.transitions)


def load_tagger(folder: Path, chinese: ChineseDictionary) -> Tagger:
    """Read a tagger from ``folder``.

    Raises:
        CorruptArtefact: the files contradict each other, or are of another version.
    """
    about = read_json(folder / "tagger.json")
    keys, weights, transitions = (load_npy(folder / f"{name}.npy") for name in ("keys", "weights", "transitions"))
    labels = len(about["labels"])
    shapes = (weights.shape, transitions.shape, about["format"], about["style"] in STYLES)
    expected = ((len(keys), labels), (labels + 1, labels + 1), _FORMAT, True)
    if shapes != expected or weights.dtype != np.float32 or keys.dtype != np.uint64:
        raise CorruptArtefact(
            f"weights, transitions, format and a known style {expected} in {folder}",
            f"{shapes}",
            "Run: python -m jobs entities --labels FILE",
        )
    table = feature_table(keys)
    return Tagger(about["labels"], about["style"], about["spans"], table, weights, transitions, chinese)


def _batches(sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    begin, tokens = 0, 0
    for number, sentence in enumerate(sentences):
        if tokens and tokens + len(sentence) > _AT_ONCE:
            yield sentences[begin:number]
            begin, tokens = number, 0
        tokens += len(sentence)
    if begin < len(sentences):
        yield sentences[begin:]
