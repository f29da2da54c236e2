"""Network classifiers: the n-gram bag, TextCNN, BiLSTM and GRU with attention.

Read documents and word vectors; produce ``LinearNgramModel`` (the bag, whose matrices are multiplied after training),
or ``NetworkClassifier`` with ``network.safetensors`` and ``network.json``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from recsys.classifiers import EncodedDocuments, LabelRows
from recsys.classifiers.config import ClassifiersConfig
from recsys.classifiers.linear_ngram_model import MAX_TOKENS, LinearNgramModel, NgramBlock, NgramSpec, block_of
from recsys.classifiers.network_training import DROPOUT, train
from recsys.classifiers.networks import BiLstm, Gru, NgramBag, RaggedBatch, TextCnn, TextNetwork
from recsys.classifiers.ngrams import Bags, NgramVocabulary, hashes_of, in_batches, is_spaceless, joined, texts_of
from recsys.devices import one_thread
from recsys.errors import CorruptArtefact
from recsys.words import Matrix, WordVectors
from recsys.workspace import read_json, write_json

_MAX_NGRAMS = 1 << 19  # n-grams with a vector while the bag is trained: 200 MiB at 100 dimensions
_MAX_WORDS = 1 << 17  # words and characters with a vector in the other networks
_SEQUENCE_TOKENS = 200  # of a document that a network reads one after the other: bounds the hours
_NEW_VECTOR = 0.1  # standard deviation of the vectors of n-grams that have none yet, in units of our words' length
BAGS = 3  # that are averaged, each held back from other documents; one alone is half a point worse
_SCORED = 256  # documents scored at once
MakeNetwork = Callable[[torch.Tensor, int, float], TextNetwork]
NETWORKS: dict[str, MakeNetwork] = {
    "text-cnn": TextCnn,
    "bilstm": BiLstm,
    "gru": Gru,
}


@dataclass(frozen=True, eq=False)
class NetworkClassifier:
    """Classifier by a network over the words of a text, and over its characters behind them where words are a guess.

    Attributes:
        labels: C labels.
        kind: a key of ``NETWORKS``.
        blocks: words, and characters if they are read; their rows stand behind each other.
        network: on the CPU, not training.
    """

    labels: list[str]
    kind: str
    blocks: list[NgramBlock]
    network: TextNetwork

    def scores(self, documents: EncodedDocuments) -> Matrix:
        """See ``Classifier``; NaN rows for documents without a known word."""
        bags = _sequences(self.blocks, texts_of(documents, _SEQUENCE_TOKENS))
        scores = np.full((len(documents), len(self.labels)), np.nan, np.float32)
        known = np.flatnonzero(np.diff(bags.starts))
        with torch.inference_mode(), one_thread("cpu"):
            for some in (known[start : start + _SCORED] for start in range(0, len(known), _SCORED)):
                sizes = np.diff(bags.starts)[some]
                starts = np.concatenate([[0], np.cumsum(sizes)])
                rows = np.concatenate([bags.values[bags.starts[row] : bags.starts[row + 1]] for row in some])
                batch = RaggedBatch(torch.from_numpy(rows), torch.from_numpy(starts))
                scores[some] = torch.log_softmax(self.network(batch), dim=1).numpy()
        return scores

    def save(self, folder: Path) -> None:
        """See ``Classifier``."""
        tensors = {f"net.{name}": value.contiguous() for name, value in self.network.state_dict().items()}
        for number, block in enumerate(self.blocks):
            tensors[f"hashes.{number}"] = torch.from_numpy(block.vocabulary.hashes.view(np.int64))
        save_file(tensors, folder / "network.safetensors")
        grams = [vars(block.grams) for block in self.blocks]
        write_json(folder / "network.json", {"grams": grams, "kind": self.kind, "labels": self.labels})


def load(folder: Path) -> NetworkClassifier:
    """Read what ``NetworkClassifier.save`` wrote.

    Raises:
        CorruptArtefact: the files are not a network.
    """
    facts = read_json(folder / "network.json")
    try:
        tensors = load_file(folder / "network.safetensors")
        blocks = []
        for number, grams in enumerate(facts["grams"]):
            hashes = tensors.pop(f"hashes.{number}").numpy().view(np.uint64)
            blocks.append(NgramBlock(NgramSpec(**grams), NgramVocabulary(hashes), np.ones(len(hashes), np.float32)))
        vectors = torch.empty_like(tensors["net.vectors.weight"])
        network = NETWORKS[facts["kind"]](vectors, len(facts["labels"]), 0.0)
        network.load_state_dict({name.removeprefix("net."): value for name, value in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise CorruptArtefact(f"a network in {folder}", str(error), "Run: python -m jobs categories --fresh") from None
    return NetworkClassifier(facts["labels"], facts["kind"], blocks, network.eval())


def fit_bag(
    documents: EncodedDocuments,
    label_rows: LabelRows,
    labels: list[str],
    words: WordVectors,
    config: ClassifiersConfig,
    seed: int,
    bags: int = BAGS,
) -> LinearNgramModel:
    """Train some n-gram bags and average them; see ``Classifier``.

    Each bag is stopped by another part of the documents, so that together they have learned from all.
    """
    texts = texts_of(documents, MAX_TOKENS)
    grams = NgramSpec(words=2, characters=3 if is_spaceless(texts) else 0, tfidf=False)
    block = block_of(texts, grams, 1, _MAX_NGRAMS)
    ngrams = _sequences([block], texts)
    weights, constant = np.zeros((len(block.vocabulary), len(labels)), np.float32), np.zeros(len(labels), np.float32)
    for member in range(bags):
        make = partial(_network, NgramBag, [block], words, len(labels), DROPOUT)
        bag = train(make, ngrams, label_rows, config, seed + member)
        with torch.inference_mode():
            weights += bag.out(bag.vectors.weight).numpy() - bag.out.bias.numpy()
            constant += bag.out.bias.numpy()
    half = (weights / bags).astype(np.float16)
    return LinearNgramModel(labels, [block], half, constant / np.float32(bags), MAX_TOKENS)


def fit_sequence(
    kind: str,
    documents: EncodedDocuments,
    label_rows: LabelRows,
    labels: list[str],
    words: WordVectors,
    config: ClassifiersConfig,
    seed: int,
) -> NetworkClassifier:
    """Train one of ``NETWORKS``; see ``Classifier``."""
    texts = texts_of(documents, _SEQUENCE_TOKENS)
    kinds = [NgramSpec(words=1, characters=0, tfidf=False)]
    if is_spaceless(texts):
        kinds.append(NgramSpec(words=0, characters=1, tfidf=False))
    blocks = [block_of(texts, grams, 1, _MAX_WORDS) for grams in kinds]
    make = partial(_network, NETWORKS[kind], blocks, words, len(labels), DROPOUT)
    network = train(make, _sequences(blocks, texts), label_rows, config, seed)
    return NetworkClassifier(labels, kind, blocks, network)


def _network(
    kind: MakeNetwork,
    blocks: Sequence[NgramBlock],
    words: WordVectors,
    categories: int,
    dropout: float,
) -> TextNetwork:
    """Fresh network whose rows start as our word vectors, or small and random where we have none."""
    hashes = np.concatenate([block.vocabulary.hashes for block in blocks])
    vectors = torch.randn(max(1, len(hashes)), words.embedding_dim) * (_NEW_VECTOR / words.embedding_dim**0.5)
    known = hashes_of(words.words)
    order = np.argsort(hashes)
    place = order[np.minimum(np.searchsorted(hashes, known, sorter=order), len(hashes) - 1)] if len(hashes) else order
    ours = np.flatnonzero(hashes[place] == known) if len(hashes) else order
    vectors[torch.from_numpy(place[ours])] = torch.from_numpy(words.centred[ours])
    return kind(vectors, categories, dropout)


def _concatenated(parts: Sequence[Bags]) -> Bags:
    """Bags of several parts of the documents, one part behind the other."""
    sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.starts) for part in parts)])
    values = np.concatenate([np.empty(0, np.int64), *(part.values for part in parts)])
    return Bags(values, np.concatenate([[0], np.cumsum(sizes)]))


def _sequences(blocks: Sequence[NgramBlock], texts: Sequence[list[str]]) -> Bags:
    """Each document's known words in their order, and its characters behind them, if they are read."""
    parts = []
    for some in in_batches(texts):
        known, first = [], 0
        for block in blocks:
            bags = block.vocabulary.known(block.grams.bags(some))
            known.append(Bags(bags.values + first, bags.starts))
            first += len(block.vocabulary)
        parts.append(joined(known))
    return _concatenated(parts)
