"""The reader vector: the mean of the last clicks' vectors, in which the newest weighs most."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def weights(n: int, half_life_clicks: float) -> Vectors:
    """How much each of the last ``n`` clicks counts: half as much every ``half_life_clicks`` clicks back.

    Args:
        n: number of clicks, oldest first.
        half_life_clicks: in clicks.

    Returns:
        float32 (n,), rising, sums to 1; empty for n = 0.
    """
    back = np.arange(n - 1, -1, -1, dtype=np.float32)
    raw = np.exp2(-back / np.float32(half_life_clicks))
    return np.asarray(raw / raw.sum() if n else raw, np.float32)


def reader_vector(vectors: Vectors, rows: Sequence[int] | npt.NDArray[np.int32], half_life_clicks: float) -> Vectors:
    """The direction in which a reader's last clicks lie.

    Args:
        vectors: float32 (A, D), unit or NaN rows.
        rows: article rows clicked, oldest first; rows without a vector or outside the table are skipped.
        half_life_clicks: see ``weights``.

    Returns:
        float32 (D,), unit length; NaN when no clicked article has a vector, or when they cancel out.
    """
    unknown = np.full(vectors.shape[1], np.nan, np.float32)
    inside = np.asarray(rows, np.int64)
    known = vectors[inside[(inside >= 0) & (inside < len(vectors))]]
    known = known[~np.isnan(known[:, 0])] if vectors.shape[1] else known  # (n, D)
    if not len(known) or not vectors.shape[1]:
        return unknown
    mean = weights(len(known), half_life_clicks) @ known
    norm = float(np.linalg.norm(mean))
    return (mean / norm).astype(np.float32) if norm > 1e-6 else unknown
