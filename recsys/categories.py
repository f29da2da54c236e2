"""Categories by the nearest mean: articles that came with a category show where it lies, the others go to the nearest.

Reads article vectors and the categories that were given; produces a category and a confidence for every article. Each
language is a frame of its own, since word vectors of two languages have none in common. Before distances are taken, the
vectors are whitened: directions in which articles of one category differ anyway count less.
Source: Fisher 1936 (linear discriminants); Friedman 1989, "Regularized Discriminant Analysis" (the shrinkage).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field

from recsys.config import Section
from recsys.words import Matrix, unit_rows
from recsys.workspace import load_npy, read_json, save_npy, write_json, write_table

MIN_CATEGORIES = 2  # with one category in a language everything would be put there, which says nothing

Vector = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class CategoriesConfig(Section):
    """How articles without a category get one."""

    min_articles: int = Field(2, ge=1)
    shrinkage: float = Field(0.1, gt=0, le=1)
    temperature: float = Field(0.08, gt=0)


class Label(NamedTuple):
    """One category in one language, and how many articles its mean was made from."""

    category: str
    language: str
    articles: int


class Assigned(NamedTuple):
    """One article's category.

    Attributes:
        category: None when there is no ground to give one.
        confidence: in [0, 1]; 1 when the article came with its category, NaN without a category.
    """

    category: str | None
    confidence: float


@dataclass(frozen=True, eq=False)
class Categories:
    """The means of C categories in L frames, one frame per language.

    Attributes:
        labels: C of them, sorted by language and category; none when no article came with a category.
        means: float32 (C, D), unit rows, each in its language's frame.
        languages: L of them, sorted.
        frames: float32 (L, D + 1, D), an article vector with a 1 behind it -> its place in the frame.
        space: the articles' word space.
        temperature: of the softmax over cosines.
    """

    labels: list[Label]
    means: Matrix
    languages: list[str]
    frames: npt.NDArray[np.float32]
    space: str
    temperature: float

    def assign(self, vectors: Matrix, language: str) -> list[Assigned]:
        """Find the nearest category of articles in one language.

        Args:
            vectors: float32 (B, D), article vectors; NaN rows get no category.
            language: one without a frame gives no category to anybody.
        """
        if language not in self.languages:
            return [Assigned(None, float("nan"))] * len(vectors)
        rows = [row for row, label in enumerate(self.labels) if label.language == language]
        frame = self.frames[self.languages.index(language)]
        cosines = unit_rows(vectors @ frame[:-1] + frame[-1]) @ self.means[rows].T  # (B, C of this language)
        shares = np.exp((cosines - cosines.max(axis=1, keepdims=True)) / self.temperature)
        shares /= shares.sum(axis=1, keepdims=True)
        best = shares.argmax(axis=1)
        return [
            Assigned(self.labels[rows[place]].category, float(share[place]))
            if np.isfinite(share[place])
            else Assigned(None, float("nan"))
            for place, share in zip(best, shares, strict=True)
        ]


def fit(
    vectors: Matrix, given: Sequence[str | None], languages: Sequence[str], space: str, config: CategoriesConfig
) -> Categories:
    """Learn where the categories lie.

    A category with fewer than ``min_articles`` articles in a language has no mean there, and a language with fewer than
    two categories has no frame: nothing is put into them, and their own articles keep what they came with.

    Args:
        vectors: float32 (A, D), article vectors; NaN rows teach nothing.
        given: the category that each article came with, or None.
        languages: each article's language.
        space: the articles' word space.
        config: the rules.
    """
    known: Flags = np.isfinite(vectors.sum(axis=1))
    groups = [
        (language, category) if category and usable else None
        for language, category, usable in zip(languages, given, known, strict=True)
    ]
    labels = _labels([group for group in groups if group], config.min_articles)
    row_of = {(label.language, label.category): row for row, label in enumerate(labels)}
    label_rows = np.array([row_of.get(group, -1) if group else -1 for group in groups], dtype=np.int64)
    framed = sorted({label.language for label in labels})
    D = vectors.shape[1]
    means, frames = np.zeros((len(labels), D), np.float32), np.zeros((len(framed), D + 1, D), np.float32)
    for i, language in enumerate(framed):
        rows = [row for row, label in enumerate(labels) if label.language == language]
        teachers = np.isin(label_rows, rows)
        means[rows], frames[i] = _whitened_means(vectors[teachers], label_rows[teachers] - rows[0], config.shrinkage)
    return Categories(labels, means, framed, frames, space, config.temperature)


def _labels(groups: list[tuple[str, str]], min_articles: int) -> list[Label]:
    """The (language, category) pairs with enough articles, in the languages that have two of them."""
    enough = {group: count for group, count in Counter(groups).items() if count >= min_articles}
    per_language = Counter(language for language, _ in enough)
    return [
        Label(category, language, enough[language, category])
        for language, category in sorted(enough)
        if per_language[language] >= MIN_CATEGORIES
    ]


def _whitened_means(vectors: Matrix, label: npt.NDArray[np.int64], shrinkage: float) -> tuple[Matrix, Matrix]:
    """Category means in the frame in which the pooled covariance inside the categories is the identity.

    The covariance is mixed with a round one; the fewer articles there are for its D * D numbers, the more.

    Args:
        vectors: float32 (N, D).
        label: int64 (N,), each article's category, 0 to C - 1, none of them empty.
        shrinkage: the least share of the round covariance.

    Returns:
        float32 (C, D), unit rows; float32 (D + 1, D), the frame.
    """
    N, D = vectors.shape
    x = vectors.astype(np.float64)
    means = np.array([x[label == row].mean(axis=0) for row in range(label.max() + 1)])  # (C, D)
    centre = means.mean(axis=0)
    inside = x - means[label]
    covariance = inside.T @ inside / N
    share = max(shrinkage, D / (N + D))
    roundness = max(np.trace(covariance) / D, np.finfo(np.float32).tiny)  # articles all alike: any round one will do
    values, axes = np.linalg.eigh((1 - share) * covariance + share * roundness * np.eye(D))
    whiten = axes / np.sqrt(values)  # (D, D)
    frame = np.vstack([whiten, -centre @ whiten]).astype(np.float32)
    return unit_rows(((means - centre) @ whiten).astype(np.float32)), frame


def assign_all(
    model: Categories, vectors: Matrix, given: Sequence[str | None], languages: Sequence[str]
) -> list[Assigned]:
    """Give every article its category: the one that it came with, else the nearest.

    Args:
        model: the means.
        vectors: float32 (A, D), article vectors.
        given: the category that each article came with, or None.
        languages: each article's language.
    """
    result = [Assigned(category, 1.0 if category else float("nan")) for category in given]
    for language in model.languages:
        rows = [row for row, name in enumerate(languages) if name == language and not given[row]]
        for row, assigned in zip(rows, model.assign(vectors[rows], language), strict=True):
            result[row] = assigned
    return result


def save_categories(model: Categories, folder: Path) -> None:
    """Write the means and frames."""
    save_npy(folder / "means.npy", model.means)
    save_npy(folder / "frames.npy", model.frames)
    labels = [label._asdict() for label in model.labels]
    facts = {"labels": labels, "languages": model.languages, "space": model.space, "temperature": model.temperature}
    write_json(folder / "categories.json", facts)


def load_categories(folder: Path) -> Categories:
    """Read the means and frames."""
    facts = read_json(folder / "categories.json")
    labels = [Label(**label) for label in facts["labels"]]
    arrays = load_npy(folder / "means.npy"), load_npy(folder / "frames.npy")
    return Categories(labels, arrays[0], facts["languages"], arrays[1], facts["space"], facts["temperature"])


def save_assigned(ids: Sequence[str], assigned: Sequence[Assigned], given: Flags, folder: Path) -> None:
    """Write every article's category."""
    columns = {
        "id": pa.array(ids, pa.string()),
        "category": pa.array([row.category for row in assigned], pa.string()),
        "confidence": pa.array([row.confidence for row in assigned], pa.float32()),
        "given": pa.array(given),
    }
    write_table(folder / "articles.parquet", pa.table(columns))
