"""New item vectors, turned into the frame of the last ones, and how far the articles have drifted.

A full training gives the same cosines in another frame. Readers' stored vectors, and what the click model learned of
cosines to them, go on meaning something only after the best rotation between the two. Turned are both learned tables by
one rotation, so that every product inside a space stays what it was.

Source: Schönemann 1966 (orthogonal Procrustes); Hamilton et al. 2016, "Diachronic Word Embeddings", section 3.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.events import Events
from recsys.items import Vectors
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems
from recsys.items.training import ItemVectors, learned, updated, with_content
from recsys.words.alignment import rotation

MOVED = 20  # articles that the report names
UNMOVED = 1e-5  # difference up to which two spaces are the same

Longs = npt.NDArray[np.int64]


class ItemDrift(NamedTuple):
    """How far the articles have moved since the last item vectors.

    Attributes:
        shared: articles with clicks in both.
        mean_cosine: of their unit vectors before and after, each article counting the same; NaN without any.
        moved: rows of the articles that moved most, among the half with more evidence.
        cosines: float32, theirs.
    """

    shared: int
    mean_cosine: float
    moved: Longs
    cosines: npt.NDArray[np.float32]


def descended(
    events: Events,
    content: Vectors,
    config: ItemsConfig,
    parent: OnlineItems | None,
    fresh: npt.NDArray[np.bool_],
    *,
    seed: int,
) -> tuple[ItemVectors, ItemDrift | None]:
    """Item vectors in the frame of the last ones: gone on from them, or learned anew and turned.

    Args:
        events: the whole log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: ``start`` says which of the two.
        parent: the last vectors by the same rows, or None; changed in place when they are gone on from.
        fresh: bool (E,), the events that the last vectors do not know; only asked for when ``continues``.
        seed: of a new start.

    Returns:
        The vectors, and how far they have drifted; None where there is no last frame, or none that they could be
        turned into.

    Raises:
        DegenerateInput: the vectors have grown beyond all bounds.
    """
    if parent is not None and continues(config, parent):
        before = parent._replace(vectors=parent.vectors.copy(), pair_counts=parent.pair_counts.copy())
        made = updated(parent, events, fresh, content, config)
        return made, drift(made.online, before)
    items = learned(events, len(content), config, seed=seed)
    in_frame = turned(items, parent) if parent is not None else None
    made = with_content(items if in_frame is None else in_frame, content, config)
    return made, drift(made.online, parent) if parent is not None and in_frame is not None else None


def continues(config: ItemsConfig, parent: OnlineItems | None) -> bool:
    """Whether training goes on from the last vectors: it is asked for, and there are some of the same dimension."""
    return config.start == "last" and parent is not None and parent.input_embeddings.shape[1] == config.embedding_dim


def turned(items: OnlineItems, parent: OnlineItems) -> OnlineItems | None:
    """Item vectors in the frame of the last ones.

    The rotation is found on both tables' rows of the articles clicked in both, each with the root of its smaller
    evidence: a vector is surer the more clicks it was learned from, but two big stories shall not decide alone. A space
    that has not moved at all keeps the bytes of the last one, and with them its name.

    Args:
        items: the new vectors; the unit vectors and the content in them are to be made anew.
        parent: the last vectors, by the same rows.

    Returns:
        The new vectors, turned; None where the dimensions differ, or fewer articles are shared than there are
        dimensions.
    """
    D = items.input_embeddings.shape[1]
    both = _shared(items, parent)
    if parent.input_embeddings.shape[1] != D or len(both) < D:
        return None
    weights = np.sqrt(np.minimum(items.pair_counts[both], parent.pair_counts[both]))
    source = np.concatenate([items.input_embeddings[both], items.output_embeddings[both]])
    target = np.concatenate([parent.input_embeddings[both], parent.output_embeddings[both]])
    turn = rotation(source, target, np.tile(weights, 2))
    new = items._replace(
        input_embeddings=items.input_embeddings @ turn, output_embeddings=items.output_embeddings @ turn
    )
    learned = ("input_embeddings", "output_embeddings", "pair_counts")
    if not all(np.allclose(getattr(new, name), getattr(parent, name), atol=UNMOVED) for name in learned):
        return new
    return items._replace(
        input_embeddings=parent.input_embeddings.copy(), output_embeddings=parent.output_embeddings.copy()
    )


def drift(items: OnlineItems, parent: OnlineItems) -> ItemDrift:
    """Compare item vectors with the last ones, in the same frame and by the same rows."""
    both = _shared(items, parent)
    if not len(both) or items.vectors.shape[1] != parent.vectors.shape[1]:
        return ItemDrift(0, float("nan"), np.empty(0, np.int64), np.empty(0, np.float32))
    cosines = np.einsum("nd,nd->n", items.vectors[both], parent.vectors[both])
    sure = np.flatnonzero(items.pair_counts[both] >= np.median(items.pair_counts[both]))
    most = sure[np.argsort(cosines[sure], kind="stable")[:MOVED]]
    return ItemDrift(len(both), round(float(cosines.mean()), 4), both[most], cosines[most])


def told(moved: ItemDrift | None, parent: str | None, ids: Sequence[str]) -> dict[str, Any]:
    """What ``training.json`` says of the last item vectors.

    Args:
        moved: the drift, or None.
        parent: the name of the last vectors, or None.
        ids: the articles' identifiers.
    """
    if moved is None or parent is None:
        return {"parent": parent, "aligned": False}
    most = [[ids[row], round(float(cosine), 4)] for row, cosine in zip(moved.moved, moved.cosines, strict=True)]
    mean = moved.mean_cosine if moved.shared else None
    return {"parent": parent, "aligned": True, "shared": moved.shared, "mean_cosine": mean, "moved_most": most}


def _shared(items: OnlineItems, parent: OnlineItems) -> Longs:
    return np.flatnonzero((items.pair_counts > 0) & (parent.pair_counts > 0))
