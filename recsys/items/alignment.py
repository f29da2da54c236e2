"""Alignment of new item vectors with the previous ones, and the drift of the articles.

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

_MOVED_MOST = 20  # articles that the report names
_UNMOVED = 1e-5  # difference up to which two spaces are the same

Longs = npt.NDArray[np.int64]


class ItemDrift(NamedTuple):
    """Movement of the articles since the previous item vectors.

    Attributes:
        shared: articles with clicks in both.
        mean_cosine: of their unit vectors before and after, each article counting the same; NaN without any.
        moved: rows of the articles that moved most, among the half with more pairs.
        cosines: float32, theirs.
    """

    shared: int
    mean_cosine: float
    moved: Longs
    cosines: npt.NDArray[np.float32]


def trained_in_frame(
    events: Events,
    content: Vectors,
    config: ItemsConfig,
    previous: OnlineItems | None,
    fresh: npt.NDArray[np.bool_],
    *,
    seed: int,
) -> tuple[ItemVectors, ItemDrift | None]:
    """Item vectors in the frame of the previous ones: gone on from them, or learned anew and turned.

    Args:
        events: the whole log.
        content: float32 (A, D), article vectors by the log's rows, unit or NaN.
        config: ``start`` says which of the two.
        previous: the previous vectors by the same rows, or None; changed in place when they are gone on from.
        fresh: bool (E,), the events that the previous vectors do not know; only asked for when ``continues``.
        seed: of a new start.

    Returns:
        The vectors, and how far they have drifted; None where there is no previous frame, or none that they could be
        turned into.

    Raises:
        DegenerateInput: the vectors have grown beyond all bounds.
    """
    if previous is not None and continues(config, previous):
        before = previous._replace(vectors=previous.vectors.copy(), pair_counts=previous.pair_counts.copy())
        after = updated(previous, events, fresh, content, config)
        return after, drift(after.online, before)
    items = learned(events, len(content), config, seed=seed)
    in_frame = aligned_with(items, previous) if previous is not None else None
    trained = with_content(items if in_frame is None else in_frame, content, config)
    return trained, drift(trained.online, previous) if previous is not None and in_frame is not None else None


def continues(config: ItemsConfig, previous: OnlineItems | None) -> bool:
    """True where training goes on from the previous vectors: it is asked for, and their dimension is the same."""
    return (
        config.start == "last" and previous is not None and previous.input_embeddings.shape[1] == config.embedding_dim
    )


def aligned_with(items: OnlineItems, previous: OnlineItems) -> OnlineItems | None:
    """Item vectors in the frame of the previous ones.

    The rotation is found on both tables' rows of the articles clicked in both, each with the root of its smaller pair
    count: a vector is surer the more pairs it was learned from, but two big stories shall not decide alone. A space
    that has not moved at all keeps the bytes of the previous one, and with them its name.

    Args:
        items: the new vectors; the unit vectors and the content in them are to be made anew.
        previous: the previous vectors, by the same rows.

    Returns:
        The new vectors, turned; None where the dimensions differ, or fewer articles are shared than there are
        dimensions.
    """
    D = items.input_embeddings.shape[1]
    shared = _shared(items, previous)
    if previous.input_embeddings.shape[1] != D or len(shared) < D:
        return None
    weights = np.sqrt(np.minimum(items.pair_counts[shared], previous.pair_counts[shared]))
    source = np.concatenate([items.input_embeddings[shared], items.output_embeddings[shared]])
    target = np.concatenate([previous.input_embeddings[shared], previous.output_embeddings[shared]])
    turn = rotation(source, target, np.tile(weights, 2))
    new = items._replace(
        input_embeddings=items.input_embeddings @ turn, output_embeddings=items.output_embeddings @ turn
    )
    learned = ("input_embeddings", "output_embeddings", "pair_counts")
    if not all(np.allclose(getattr(new, name), getattr(previous, name), atol=_UNMOVED) for name in learned):
        return new
    return items._replace(
        input_embeddings=previous.input_embeddings.copy(), output_embeddings=previous.output_embeddings.copy()
    )


def drift(items: OnlineItems, previous: OnlineItems) -> ItemDrift:
    """Compare item vectors with the previous ones, in the same frame and by the same rows."""
    shared = _shared(items, previous)
    if not len(shared) or items.vectors.shape[1] != previous.vectors.shape[1]:
        return ItemDrift(0, float("nan"), np.empty(0, np.int64), np.empty(0, np.float32))
    cosines = np.einsum("nd,nd->n", items.vectors[shared], previous.vectors[shared])
    many_pairs = np.flatnonzero(items.pair_counts[shared] >= np.median(items.pair_counts[shared]))
    most = many_pairs[np.argsort(cosines[many_pairs], kind="stable")[:_MOVED_MOST]]
    return ItemDrift(len(shared), round(float(cosines.mean()), 4), shared[most], cosines[most])


def drift_summary(drifted: ItemDrift | None, previous: str | None, ids: Sequence[str]) -> dict[str, Any]:
    """Drift for ``training.json``.

    Args:
        drifted: the drift, or None.
        previous: the name of the previous vectors, or None.
        ids: the articles' identifiers.
    """
    if drifted is None or previous is None:
        return {"parent": previous, "aligned": False}
    moved_most = [
        [ids[row], round(float(cosine), 4)] for row, cosine in zip(drifted.moved, drifted.cosines, strict=True)
    ]
    mean = drifted.mean_cosine if drifted.shared else None
    return {
        "parent": previous,
        "aligned": True,
        "shared": drifted.shared,
        "mean_cosine": mean,
        "moved_most": moved_most,
    }


def _shared(items: OnlineItems, previous: OnlineItems) -> Longs:
    return np.flatnonzero((items.pair_counts > 0) & (previous.pair_counts > 0))
