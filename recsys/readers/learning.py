"""Learning: the site's log and its released item vectors -> an encoder for them.

The log is walked anew, so that every list is described by vectors that know nothing of what came after it. Such a walk
has a frame of its own: the rotation into the frame of the released vectors is found first, then the walk is repeated
with the articles' texts in it, and what it wrote down is turned.

Source: Schönemann 1966 (orthogonal Procrustes).
"""

from collections.abc import Callable, Iterable

import numpy as np

from recsys.events import Events
from recsys.items.config import ItemsConfig
from recsys.items.online import OnlineItems, empty_online, place_content
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import TrainingLists, Vectors
from recsys.readers.shown import shown
from recsys.readers.trained import TrainedEncoder
from recsys.readers.training import MIN_LISTS, EncoderFit, fit
from recsys.readers.walks import walk, walkable
from recsys.words.alignment import rotation


def learned(
    events: Events,
    released: OnlineItems,
    items: ItemsConfig,
    config: ReadersConfig,
    session_gap_minutes: int,
    *,
    seed: int,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> tuple[TrainedEncoder, EncoderFit] | None:
    """Train the encoder that ``config`` names on a whole log.

    Args:
        events: the log, article rows as in ``released``.
        released: the item vectors that the encoder will be served with.
        items: how item vectors learn.
        config: the encoder.
        session_gap_minutes: see ``walkable``.
        seed: of all randomness.
        track: wraps the loop over epochs, to show progress.

    Returns:
        The encoder and its loss curves; None for a log with too few visits of two clicks to learn from, or too few
        articles with clicks to find the released frame.
    """
    made = lists_in_frame(events, released, items, config, session_gap_minutes, seed=seed)
    if made is None or len(made) < MIN_LISTS:
        return None
    return fit(made, config, seed=seed, track=track)


MAX_TRAINED_LISTS = 40_000  # drawn from the whole log; bounds memory (about 9 KB each at 32 dimensions)


def lists_in_frame(
    events: Events,
    released: OnlineItems,
    items: ItemsConfig,
    config: ReadersConfig,
    session_gap_minutes: int,
    *,
    seed: int,
) -> TrainingLists | None:
    """The lists of a log, with the vectors of their moments in the frame of the released ones; None without a frame."""
    log, A = walkable(events, session_gap_minutes), len(released.pair_counts)
    last = empty_online(A, items, seed=seed)
    walk(last, log, 0, len(log.row))
    turn = frame(last, released)
    if turn is None:
        return None
    state = empty_online(A, items, seed=seed)
    content = (released.content @ turn.T).astype(np.float32)
    for row in np.flatnonzero(~np.isnan(content[:, 0])).tolist():
        place_content(state, row, content[row])
    made = shown(
        state,
        log,
        0,
        len(log.row),
        last=config.sequence_length,
        negatives=config.negatives,
        most=MAX_TRAINED_LISTS,
        rng=np.random.default_rng(seed),
    )
    clicks, candidates = made.clicks @ turn, made.candidates @ turn
    return TrainingLists(clicks.astype(np.float32), made.minutes, made.offsets, candidates.astype(np.float32))


def frame(source: OnlineItems, target: OnlineItems) -> Vectors | None:
    """The rotation that takes item vectors into the frame of others, by the same rows.

    Returns:
        float32 (D, D), orthogonal; None where the dimensions differ or fewer articles are clicked than there are
        dimensions.
    """
    both = np.flatnonzero((source.pair_counts > 0) & (target.pair_counts > 0))
    D = source.input_embeddings.shape[1]
    if target.input_embeddings.shape[1] != D or len(both) < D:
        return None
    here, there = (
        np.concatenate([items.input_embeddings[both], items.output_embeddings[both]]) for items in (source, target)
    )
    return rotation(here, there, np.tile(np.sqrt(np.minimum(source.pair_counts[both], target.pair_counts[both])), 2))
