"""Categories: articles that came with one show what it means, the others are sorted by what they say.

Reads tokens, article vectors and the categories that were given; produces a category, its confidence and the runners-up
for every article. Each language is a world of its own, since word vectors of two languages have none in common.

    config.py       the settings
    __init__.py     the contract: documents, classifiers, what an article is assigned
    documents.py    the catalogue -> documents, a batch in memory at a time
    nearest.py      the nearest mean, which needs no training; whitening.py finds its means
    ngrams.py       words and n-grams as numbers
    sums.py         a weight per n-gram and category: what linear.py and the n-gram bag have learned
    linear.py       squared hinge loss on TF-IDF
    networks.py     n-gram bag, TextCNN, BiLSTM, GRU; training.py trains them, neural.py makes them classifiers
    ensemble.py     several classifiers as one
    topics.py       clusters and their names, for a site without categories
    calibration.py  held-out scores -> temperature, so that confidences are true
    models.py       every classifier by name, as it is read back
    sorting.py      one calibrated classifier per language: assign, save, load
    learning.py     the articles that came with a category -> classifiers
    evaluation.py   how often each is right
    tasks.py        other label sets, by the same means; labels.py reads their files
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.words import Matrix

Vector = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
LabelRows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Documents:
    """B articles of one language.

    Attributes:
        titles: the tokens of each title.
        bodies: the tokens of each body.
        vectors: float32 (B, D), article vectors; NaN rows where an article has none.
    """

    titles: list[list[str]]
    bodies: list[list[str]]
    vectors: Matrix

    def __len__(self) -> int:
        """B."""
        return len(self.titles)

    def where(self, rows: LabelRows) -> "Documents":
        """Some of them, by row, int64."""
        chosen = rows.tolist()
        return Documents([self.titles[row] for row in chosen], [self.bodies[row] for row in chosen], self.vectors[rows])


class Classifier(Protocol):
    """What tells the categories of one language apart.

    A classifier's module has beside it ``fit(documents, label_rows, labels, words, config, seed)``, with label_rows
    int64 (B,), each article's row in ``labels``, and ``load(folder)``.
    """

    @property
    def labels(self) -> list[str]:
        """C categories."""

    def scores(self, documents: Documents) -> Matrix:
        """How well each category fits.

        Returns:
            float32 (B, C), log-probabilities up to a constant per row, not calibrated; NaN rows where there is no
            ground to tell.
        """

    def save(self, folder: Path) -> None:
        """Write what ``load`` reads, in formats that run no code."""


class Assigned(NamedTuple):
    """One article's category.

    Attributes:
        category: None when there is no ground to give one, or when the best guess is too uncertain to be shown.
        confidence: of the best guess, in [0, 1]; 1 when the article came with its category, NaN without any ground.
        bar: the likeliest categories with their confidences, best first; none without any ground.
        topic: whether these are topics, found where no article came with a category.
    """

    category: str | None
    confidence: float
    bar: tuple[tuple[str, float], ...] = ()
    topic: bool = False

    @property
    def uncertain(self) -> bool:
        """Whether there is a best guess that is not sure enough to be shown."""
        return self.category is None and bool(self.bar)
