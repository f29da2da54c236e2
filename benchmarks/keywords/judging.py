"""Predicted keys against given ones: exact match, macro F1 at k. Knows no method.

English keys match when their words do after lower-casing and Porter stemming; Chinese keys when they do after
lower-casing and without spaces. Source: Kim et al. 2010, "SemEval-2010 Task 5", section 4 (matching by stems).
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from gensim.parsing.porter import PorterStemmer

from benchmarks.keywords.data import Document

CUTS = (5, 10, 15)
AROUND = ".,;:!?\"'`()[]{}<>“”‘’"  # stripped from both ends of a word

Vector = npt.NDArray[np.float64]
Form = Callable[[str], str]

_porter = PorterStemmer()


@functools.lru_cache(maxsize=1 << 18)
def stem(word: str) -> str:
    """A lower-cased word's Porter stem."""
    return str(_porter.stem(word))


def stemmed(text: str) -> str:
    """Lower-cased stems with one space between; words are what stands between spaces, without surrounding marks."""
    words = (word.strip(AROUND) for word in text.lower().split())
    return " ".join(stem(word) for word in words if word)


def squeezed(text: str) -> str:
    """Lower-cased, without any space."""
    return "".join(text.lower().split())


def form_of(language: str) -> Form:
    """The form in which keys of a language are compared."""
    return squeezed if language == "zh" else stemmed


class Judged(NamedTuple):
    """A method's figures, one per document.

    Attributes:
        values: figure name (``f1@10``, ``f1@10_present``) -> float64 (N,); NaN where a document has no key to find.
    """

    values: dict[str, Vector]

    def means(self) -> dict[str, float]:
        """The macro averages, over the documents that have a figure."""
        return {
            name: float(np.nanmean(row)) if np.isfinite(row).any() else float("nan")
            for name, row in self.values.items()
        }


def f1(predicted: Sequence[str], gold: frozenset[str] | set[str], k: int) -> float:
    """F1 of the first k different predictions.

    Precision counts the predictions that were made, so that a headline with three words is not asked for ten keys.

    Returns:
        The harmonic mean of precision and recall, 0 when nothing is right.
    """
    first = list(dict.fromkeys(predicted))[:k]
    right = len(gold.intersection(first))
    return 2 * right / (len(first) + len(gold)) if right else 0.0


def judge(predicted: Sequence[Sequence[str]], documents: Sequence[Document], language: str) -> Judged:
    """Compare every document's predicted keys, best first, with its given ones.

    Args:
        predicted: one list per document.
        documents: what people gave.
        language: decides the form in which keys are compared.

    Returns:
        For each cut k ``f1@k``; of CUTS' middle one also ``f1@k_present``, which counts only keys that stand in the
        text.
    """
    form, middle = form_of(language), CUTS[len(CUTS) // 2]
    values: dict[str, list[float]] = {name: [] for name in (*(f"f1@{k}" for k in CUTS), f"f1@{middle}_present")}
    for keys, document in zip(predicted, documents, strict=True):
        found, gold = _forms(keys, form), set(_forms(document.keys, form))
        present = _present(gold, document, language)
        for k in CUTS:
            values[f"f1@{k}"].append(f1(found, gold, k) if gold else float("nan"))
        values[f"f1@{middle}_present"].append(f1(found, present, middle) if present else float("nan"))
    return Judged({name: np.array(row, dtype=np.float64) for name, row in values.items()})


def _forms(keys: Iterable[str], form: Form) -> list[str]:
    return list(dict.fromkeys(shape for key in keys if (shape := form(key))))


def _present(gold: set[str], document: Document, language: str) -> set[str]:
    """The keys that stand in the text: as a run of stems, in Chinese as characters."""
    text = form_of(language)(f"{document.title}\n{document.body}")
    if language == "zh":
        return {key for key in gold if key in text}
    return {key for key in gold if f" {key} " in f" {text} "}
