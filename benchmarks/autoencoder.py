"""Article vectors by a denoising autoencoder that is told which articles share a category, beside the keyword mean.

    python -m benchmarks.autoencoder --articles ../shared/data/bbc/articles.jsonl.gz
    python -m benchmarks.autoencoder --stories ../shared/data/stories/en_stream.jsonl.gz
    python -m benchmarks.news --mind FOLDER --models autoencoder gru_autoencoder gru

A text is the set of its words. Some are left out; a hidden layer is to give back all of them, and to lie nearer to a
text of the same category than to one of another. A text without words has the vector 0; once it has learned, the noise
is replaced by its mean. With ``--articles`` the categories of every second article are learned from, and the others are
judged: whether the nearest ten share the category, and whether a title finds its body. With ``--stories`` each headline
looks for another of its story. Prints a line for each encoder, and one JSON object on the last line.

Source: Okura et al. 2017, "Embedding-based News Recommendation for Millions of Users", section 4.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import torch
from torch import nn

from benchmarks.categories.data import as_corpus, encode, read_articles
from recsys.articles.vectors import keyword_means
from recsys.keywords import KeywordRanker, load_frequencies
from recsys.settings import load_settings
from recsys.tokens import load_tokenizer
from recsys.words import Matrix, unit_rows
from recsys.workspace import load_npy

WORDS = 10_000  # the commonest ones, less those in a tenth of all texts; the paper has as many
TOO_COMMON = 0.1
UNITS = 100  # dimensions of a vector, as many as ours; the paper has 500
NOISE = 0.3  # share of the words that are left out in training, the paper's
TRIPLET = 1.0  # weight of the categories beside the words
EPOCHS, STEPS, TEXTS_PER_STEP, LEARNING_RATE = 5, 1000, 128, 2e-3  # at least so many epochs and so many steps
NEAREST, QUERIES = 10, 1000

Tokens = Sequence[Sequence[str]]
Rows = npt.NDArray[np.int64]


class DenoisingAutoencoder(nn.Module):
    """One hidden layer between a text's words and the same words; ``shares``: of the texts, that have each word."""

    def __init__(self, shares: npt.NDArray[np.float32], units: int) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(len(shares), units), nn.Linear(units, len(shares))
        with torch.no_grad():  # else a layer's first lesson, the same for every text, is that words are rare
            self.decoder.bias.copy_(torch.logit(torch.from_numpy(shares), eps=1e-4))

    def hidden(self, words: torch.Tensor) -> torch.Tensor:
        """float (B, V) of which words are there -> (B, UNITS); 0 for no word."""
        out: torch.Tensor = torch.tanh(self.encoder(words)) - torch.tanh(self.encoder.bias)
        return out

    def loss(self, words: torch.Tensor, same: torch.Tensor, other: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the words, and softplus of how much nearer another category is than the same.

        Args:
            words: float (B, V), 0 or 1; ``same`` and ``other`` likewise, of texts of the same and another category.
            known: bool (B,), where there are such texts.
        """
        seen = [part * (torch.rand_like(part) >= NOISE) for part in (words, same, other)]
        mine, near, far = (self.hidden(part) for part in seen)
        given = nn.functional.binary_cross_entropy_with_logits(self.decoder(mine), words, reduction="none").sum(1)
        farther = nn.functional.softplus((mine * far).sum(1) - (mine * near).sum(1))
        return (given + TRIPLET * farther * known).mean()


class Vocabulary:
    """The words that texts are read as."""

    def __init__(self, texts: Tokens) -> None:
        counts = Counter(chain.from_iterable(set(text) for text in texts))
        kept = [word for word, count in counts.most_common() if count <= TOO_COMMON * len(texts)][:WORDS]
        self.row_of = {word: row for row, word in enumerate(kept)}
        self.shares = np.array([counts[word] / len(texts) for word in kept], np.float32)

    def sparse(self, texts: Tokens) -> list[Rows]:
        """Rows of the words that each text has."""
        rows = ({self.row_of[word] for word in text if word in self.row_of} for text in texts)
        return [np.array(sorted(one), np.int64) for one in rows]

    def dense(self, rows: Sequence[Rows]) -> torch.Tensor:
        """float32 (B, V), 0 or 1."""
        out = torch.zeros(len(rows), len(self.row_of))
        for place, one in enumerate(rows):
            out[place, torch.from_numpy(one)] = 1
        return out


class Autoencoder:
    """An autoencoder with its vocabulary."""

    def __init__(self, vocabulary: Vocabulary, network: DenoisingAutoencoder) -> None:
        self.vocabulary, self.network = vocabulary, network

    @torch.no_grad()
    def vectors(self, texts: Tokens) -> Matrix:
        """float32 (A, UNITS), unit rows; 0 for a text without a known word. The noise is its mean."""
        rows, out = self.vocabulary.sparse(texts), []
        for start in range(0, len(rows), TEXTS_PER_STEP):
            part = self.vocabulary.dense(rows[start : start + TEXTS_PER_STEP])
            out.append(self.network.hidden(part * (1 - NOISE)).numpy())
        return unit_rows(np.concatenate([np.empty((0, UNITS), np.float32), *out]))


def trained(texts: Tokens, categories: Sequence[str | None], seed: int) -> Autoencoder:
    """Learn from texts, and from the categories of those that have one."""
    torch.manual_seed(seed)
    rng, vocabulary = np.random.default_rng(seed), Vocabulary(texts)
    rows, network = vocabulary.sparse(texts), DenoisingAutoencoder(vocabulary.shares, UNITS)
    members: dict[str, list[int]] = {}
    for row, category in enumerate(categories):
        if category is not None and len(rows[row]):
            members.setdefault(category, []).append(row)
    optimiser, labelled = torch.optim.Adam(network.parameters(), LEARNING_RATE), [*chain(*members.values())]
    epochs = max(EPOCHS, STEPS * TEXTS_PER_STEP // max(len(rows), 1))
    for _ in range(epochs):
        order = rng.permutation([row for row in range(len(rows)) if len(rows[row])])
        for start in range(0, len(order), TEXTS_PER_STEP):
            batch = order[start : start + TEXTS_PER_STEP].tolist()
            drawn = [_partners(categories[row], categories, members, labelled, rng) for row in batch]
            same, other = (
                [pair[side] if pair else row for row, pair in zip(batch, drawn, strict=True)] for side in (0, 1)
            )
            words, near, far = (vocabulary.dense([rows[row] for row in some]) for some in (batch, same, other))
            loss = network.loss(words, near, far, torch.tensor([pair is not None for pair in drawn]))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
    return Autoencoder(vocabulary, network)


def _partners(
    category: str | None,
    categories: Sequence[str | None],
    members: dict[str, list[int]],
    labelled: list[int],
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """A text of the same category and one of another; None where there are none."""
    if category is None or len(members) <= 1 or category not in members:
        return None
    same = members[category][int(rng.integers(len(members[category])))]
    while categories[other := labelled[int(rng.integers(len(labelled)))]] == category:
        pass
    return same, other


def on_articles(file: Path, seed: int) -> dict[str, dict[str, float]]:
    """Purity of the nearest ten among articles whose category nobody was told, and retrieval of bodies by titles."""
    rows, settings = read_articles(file), load_settings()
    corpus = as_corpus(rows, np.zeros(len(rows), np.int64))
    told = np.arange(len(rows)) % 2 == 0
    with tempfile.TemporaryDirectory() as name:
        folder, encoded = Path(name), encode(corpus, Path(name), settings, seed)
        table = pq.read_table(folder / "articles.parquet", columns=["title", "body"])
        titles, bodies = table["title"].to_pylist(), table["body"].to_pylist()
        texts = [title + body for title, body in zip(titles, bodies, strict=True)]
        learned = trained(texts, [label if told[row] else None for row, label in enumerate(corpus.labels)], seed)
        labels = np.unique(np.array(corpus.labels), return_inverse=True)[1][~told]
        chosen = np.random.default_rng(seed).permutation(len(rows))[:QUERIES].tolist()
        ranker = KeywordRanker(encoded.words, load_frequencies(folder, encoded.words), settings.keywords)
        tokenizer = load_tokenizer(folder, settings.tokens)

        def means(parts: Sequence[str]) -> Matrix:
            keywords = [ranker.extract(tokenizer.tokenize("", parts[row], corpus.language)) for row in chosen]
            return np.nan_to_num(keyword_means(keywords, encoded.words, 40))

        keyword = np.nan_to_num(load_npy(folder / "articles" / "vectors.npy"))
        ours = purity(keyword[~told], labels) | retrieval(means(corpus.titles), means(corpus.bodies))
        theirs = purity(learned.vectors(texts)[~told], labels)
        sides = (learned.vectors([side[row] for row in chosen]) for side in (titles, bodies))
        return {"keywords": ours, "autoencoder": theirs | retrieval(*sides)}


def on_stories(file: Path, seed: int) -> dict[str, dict[str, float]]:
    """Share of headlines whose nearest one, or one of the nearest ten, is of the same story."""
    rows, settings = read_articles(file), load_settings()
    corpus = as_corpus(rows, np.zeros(len(rows), np.int64))
    with tempfile.TemporaryDirectory() as name:
        encode(corpus, Path(name), settings, seed)
        keyword = np.nan_to_num(load_npy(Path(name) / "articles" / "vectors.npy"))
        texts = pq.read_table(Path(name) / "articles.parquet", columns=["title"])["title"].to_pylist()
    learned = trained(texts, [str(row["category"]) for row in rows], seed)
    stories = np.unique([str(row["story"]) for row in rows], return_inverse=True)[1]
    return {"keywords": same_story(keyword, stories), "autoencoder": same_story(learned.vectors(texts), stories)}


def nearest(vectors: Matrix) -> Rows:
    """The nearest ten of each row, nearest first: int64 (A, NEAREST)."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]


def purity(vectors: Matrix, labels: Rows) -> dict[str, float]:
    """Share of the nearest ten that have the same label."""
    return {"purity@10": float((labels[nearest(vectors)] == labels[:, None]).mean())}


def same_story(vectors: Matrix, stories: Rows) -> dict[str, float]:
    """Of headlines whose story has another: whether the first, and one of ten, is of it, and the reciprocal rank."""
    several = np.bincount(stories)[stories] > 1
    hits = (stories[nearest(vectors)] == stories[:, None])[several]
    first = np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)
    return {"hit@1": float(hits[:, 0].mean()), "hit@10": float(hits.any(axis=1).mean()), "mrr@10": float(first.mean())}


def retrieval(titles: Matrix, bodies: Matrix) -> dict[str, float]:
    """The rank of a title's own body among all."""
    cosines = titles @ bodies.T
    ranks = (cosines > np.diag(cosines)[:, None]).sum(axis=1) + 1
    return {"mrr": float((1 / ranks).mean()), "recall@10": float((ranks <= NEAREST).mean())}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.autoencoder", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--articles", type=Path, help="JSON lines with category, title and body")
    parser.add_argument("--stories", type=Path, help="JSON lines with title, category and story")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    result: dict[str, Any] = {}
    for name, file, measure in (("articles", asked.articles, on_articles), ("stories", asked.stories, on_stories)):
        if file is not None:
            result[name] = measure(file, asked.seed)
            for encoder, figures in result[name].items():
                print(f"{name} {encoder:12} " + "  ".join(f"{one} {value:.3f}" for one, value in figures.items()))
    print(json.dumps(result | {"seed": asked.seed}))


if __name__ == "__main__":
    main()
