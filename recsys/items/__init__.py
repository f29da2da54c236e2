"""Items: what is clicked together -> item vectors; what nobody clicked yet gets its vector from its content.

Reads behaviour vectors (``recsys.items.training``) and article vectors; produces unit item vectors and the ridge
projection from content to behaviour, with which the service places a new article. Light: numpy only.

Source: ridge regression, Hoerl and Kennard 1970; content to behaviour for cold articles, van den Oord et al. 2013.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Section

Vectors = npt.NDArray[np.float32]

NONE, BEHAVIOUR, CONTENT = 0, 1, 2


class ItemsConfig(Section):
    """item2vec over click sessions, and the projection from content."""

    embedding_dim: int = Field(32, ge=2, le=2000)
    window: int = Field(5, ge=1)
    negative: int = Field(5, ge=1)
    ns_exponent: float = Field(0.5, ge=-2, le=2)
    epochs: int = Field(6, ge=1)
    learning_rate: float = Field(0.08, gt=0)
    min_count: int = Field(2, ge=1)
    ridge: float = Field(1.0, gt=0)


@dataclass(frozen=True)
class ItemVectors:
    """Item vectors of A articles and how they were come by.

    Attributes:
        vectors: float32 (A, D2), unit rows, NaN where nothing is known.
        source: uint8 (A,), NONE, BEHAVIOUR or CONTENT.
        projection: float32 (D + 1, D2), see ``learn_projection``.
    """

    vectors: Vectors
    source: npt.NDArray[np.uint8]
    projection: Vectors


def known(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Which rows are vectors and not NaN: bool (A,)."""
    if not vectors.shape[1]:
        return np.zeros(len(vectors), bool)
    return np.asarray(np.isfinite(vectors).all(axis=1))


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; a zero row has no direction and becomes NaN."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.divide(vectors, norms, out=np.full_like(vectors, np.nan), where=norms > 1e-8)
    return np.asarray(scaled, np.float32)


def learn_projection(content: Vectors, behaviour: Vectors, ridge: float) -> Vectors:
    """Learn to tell where an article's readers will put it from what it says.

    Args:
        content: float32 (A, D), unit or NaN rows.
        behaviour: float32 (A, D2), unit or NaN rows.
        ridge: penalty on the squared weights, in units of one article's evidence; the bias is free.

    Returns:
        float32 (D + 1, D2), the last row is the bias. Without an article that has both vectors it is all zero, so that
        ``project`` gives NaN.
    """
    both = known(content) & known(behaviour)
    X = np.column_stack([content[both], np.ones(int(both.sum()))]).astype(np.float64)  # (N, D + 1)
    penalty = np.full(X.shape[1], ridge)
    penalty[-1] = 1e-6  # keeps the system solvable without any article
    return np.asarray(np.linalg.solve(X.T @ X + np.diag(penalty), X.T @ behaviour[both]), np.float32)


def project(content: Vectors, projection: Vectors) -> Vectors:
    """Place articles among the item vectors by their content alone.

    Args:
        content: float32 (A, D), unit or NaN rows.
        projection: float32 (D + 1, D2).

    Returns:
        float32 (A, D2), unit rows; NaN where the content is unknown or says nothing.
    """
    return unit((content @ projection[:-1] + projection[-1]).astype(np.float32))


def combine(behaviour: Vectors, content: Vectors, ridge: float) -> ItemVectors:
    """Give every article the best vector there is: behaviour, else projected content, else NaN.

    Without any behaviour the item vectors are the article vectors themselves: a site without a click recommends by
    content.

    Args:
        behaviour: float32 (A, D2), unit or NaN rows.
        content: float32 (A, D), unit or NaN rows.
        ridge: see ``learn_projection``.
    """
    clicked, written = known(behaviour), known(content)
    if not clicked.any():
        D = content.shape[1]
        identity = np.eye(D + 1, D, dtype=np.float32)
        return ItemVectors(content, np.where(written, CONTENT, NONE).astype(np.uint8), identity)
    projection = learn_projection(content, behaviour, ridge)
    vectors = np.where(clicked[:, None], behaviour, project(content, projection))
    source = np.where(clicked, BEHAVIOUR, np.where(known(vectors), CONTENT, NONE))
    return ItemVectors(vectors.astype(np.float32), source.astype(np.uint8), projection)


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
