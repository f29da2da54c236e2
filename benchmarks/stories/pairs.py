"""Pairs of texts of one topic or two: ours beside TF-IDF of words and of characters, and MinHash."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.stories.data import LabelledPair
from benchmarks.stories.judging import auc, best_f1
from recsys.stories.signatures import HASHES, signature
from recsys.stories.similarity import TermRarity, similarity, weighted_terms
from recsys.stories.terms import terms
from recsys.stories.text import units

Scores = npt.NDArray[np.float64]
Scorer = Callable[[Sequence[LabelledPair]], Scores]


def ours(pairs: Sequence[LabelledPair]) -> Scores:
    """Similarity of the room; rarity is that among the texts of the pairs."""
    texts = [(weighted_terms(pair.one), weighted_terms(pair.other)) for pair in pairs]
    rarity = TermRarity(text for both in texts for text in both)
    return np.array([similarity(one, other, rarity) for one, other in texts])


def tf_idf_terms(pairs: Sequence[LabelledPair]) -> Scores:
    """Cosine of TF-IDF over words, or pairs of characters where there are no blanks."""
    return _cosines(pairs, TfidfVectorizer(analyzer=terms))


def tf_idf_characters(pairs: Sequence[LabelledPair]) -> Scores:
    """Cosine of TF-IDF over single characters and pairs of them."""
    return _cosines(pairs, TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True))


def min_hash(pairs: Sequence[LabelledPair]) -> Scores:
    """Estimated resemblance of the shingles."""
    signed = [[signature(units(text).keys, units(text).spaced) for text in pair[:2]] for pair in pairs]
    return np.array([(one == other).sum() / HASHES for one, other in signed])


def _cosines(pairs: Sequence[LabelledPair], vectorizer: TfidfVectorizer) -> Scores:
    rows = vectorizer.fit_transform([text for pair in pairs for text in pair[:2]])
    return np.asarray(rows[0::2].multiply(rows[1::2]).sum(axis=1)).ravel()


BASELINES: dict[str, Scorer] = {
    "tf_idf_terms": tf_idf_terms,
    "tf_idf_characters": tf_idf_characters,
    "min_hash": min_hash,
}


def pair_figures(pairs: Sequence[LabelledPair], scorer: Scorer) -> dict[str, float]:
    """AUC, F1 at the best threshold, and pairs per CPU second of one method."""
    same = np.array([pair.same for pair in pairs])
    scorer([pairs[0], pairs[0]])  # dictionaries load at the first call
    began = time.process_time()
    scores = scorer(pairs)
    seconds = time.process_time() - began
    return {
        "auc": round(auc(scores, same), 4),
        "f1": round(best_f1(scores, same), 4),
        "pairs_per_second": round(len(pairs) / max(seconds, 1e-9)),
    }
