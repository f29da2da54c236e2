"""Items: clicks of one visit -> item vectors; an article that nobody clicked yet gets its vector from its content.

Reads clicks and article vectors; produces unit item vectors, the two learned tables that the service goes on learning
from, and the ridge projection from content to behaviour, with which it places a new article.

This file needs numpy only.

    config.py     the settings
    online.py     one click -> the vectors after it
    next_item.py  a visit's clicks -> the score of each article as the next click
    training.py   a log of clicks -> item vectors, from the start or from the previous ones
    files.py      item vectors <-> the files of a release
    alignment.py  new item vectors -> the frame of the previous ones, and their drift

Source: ridge regression, Hoerl and Kennard 1970; content to behaviour for cold articles, van den Oord et al. 2013.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

NO_VECTOR, BEHAVIOUR, CONTENT = range(3)  # the source of an item vector


def is_known(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """True for the rows that are vectors and not NaN: bool (A,)."""
    if not vectors.shape[1]:
        return np.zeros(len(vectors), bool)
    return np.asarray(np.isfinite(vectors).all(axis=1))


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row has no direction and becomes NaN."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, norms, out=np.full_like(vectors, np.nan), where=norms > 1e-8)
    return np.asarray(scaled, np.float32)


def learn_projection(content: Vectors, behaviour: Vectors, ridge: float, weights: Vectors | None = None) -> Vectors:
    """Ridge regression of behaviour on content: the place that readers will give an article, from its text.

    Args:
        content: float32 (A, D), unit or NaN rows.
        behaviour: float32 (A, D2), unit or NaN rows.
        ridge: penalty on the squared weights, in articles; the bias is free.
        weights: float32 (A,), how much each article counts, in [0, 1]; None: all the same.

    Returns:
        float32 (D + 1, D2), the last row is the bias. Without an article that has both vectors it is all zero, so that
        ``project`` gives NaN.
    """
    both = is_known(content) & is_known(behaviour)
    X = np.column_stack([content[both], np.ones(int(both.sum()))]).astype(np.float64)  # (N, D + 1)
    weighted = X if weights is None else X * weights[both, None]
    penalty = np.full(X.shape[1], ridge)
    penalty[-1] = 1e-6  # keeps the system solvable without any article
    return np.asarray(np.linalg.solve(weighted.T @ X + np.diag(penalty), weighted.T @ behaviour[both]), np.float32)


def principal_projection(content: Vectors, embedding_dim: int) -> Vectors:
    """The projection of a site without clicks: content alone, seen in the directions in which it differs most.

    Args:
        content: float32 (A, D), unit or NaN rows.
        embedding_dim: D2; with D2 ≥ D the cosines stay what they are, and the rest is 0.

    Returns:
        float32 (D + 1, D2), see ``learn_projection``.
    """
    D = content.shape[1]
    projection = np.zeros((D + 1, embedding_dim), np.float32)
    known_content = content[is_known(content)].astype(np.float64)
    if embedding_dim < D:
        _, axes = np.linalg.eigh(known_content.T @ known_content)  # ascending
        projection[:D] = axes[:, ::-1][:, :embedding_dim]
    else:
        projection[:D, :D] = np.eye(D)
    return projection


def project(content: Vectors, projection: Vectors) -> Vectors:
    """Place articles among the item vectors by their content alone.

    Args:
        content: float32 (A, D), unit or NaN rows.
        projection: float32 (D + 1, D2).

    Returns:
        float32 (A, D2), unit rows; NaN where the content is unknown or says nothing.
    """
    return unit((content @ projection[:-1] + projection[-1]).astype(np.float32))


def aligned(vectors: Vectors, ids: Sequence[str], wanted: Sequence[str]) -> Vectors:
    """Reorder a table of vectors.

    Args:
        vectors: float32 (N, D), one row per id of ``ids``.
        ids: identifiers.
        wanted: identifiers in the order asked for.

    Returns:
        float32 (A, D), NaN for an identifier that ``ids`` lacks.
    """
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    rows = np.array([row_of.get(article_id, len(ids)) for article_id in wanted], np.int64)
    padded = np.vstack([vectors, np.full((1, vectors.shape[1]), np.nan, np.float32)])
    return np.asarray(padded[rows], np.float32)


def item_space(vectors: Vectors) -> str:
    """A name for the space that these vectors live in: equal bytes, equal name."""
    return "items-" + hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).hexdigest()[:16]
