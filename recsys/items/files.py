"""Item vectors <-> the files of a release: all that training and service need to go on exactly where they were.

Reads and writes, in one folder, ``ids.parquet``; ``input_embeddings.npy``, ``output_embeddings.npy``,
``pair_counts.npy``, ``content.npy``, ``vectors.npy``, ``recent.npy``, ``state.npy`` and ``settings.npy``, with what
``OnlineItems`` says of each; and ``source.npy``, ``projection.npy``, ``space.json``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from recsys.errors import CorruptArtefact
from recsys.items import item_space
from recsys.items.config import ItemsConfig
from recsys.items.online import FILLED, HEAD, OnlineItems, Rows, empty_like, online_settings, ring_counts_of
from recsys.items.training import ItemVectors
from recsys.units import UNKNOWN_ROW
from recsys.workspace import Array, load_npy, read_json, read_table, save_npy, write_json, write_table


class PreviousItems(NamedTuple):
    """Item vectors as they were released.

    Attributes:
        items: the vectors by the rows of ``ids``.
        ids: the articles.
        space: the vectors' name.
        through: the highest ``seq`` of the log that they were learned from.
    """

    items: OnlineItems
    ids: list[str]
    space: str
    through: int


_SAVED = ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors", "recent", "state", "settings")
_BY_ARTICLE = ("input_embeddings", "output_embeddings", "pair_counts", "content", "vectors")
_REMEDY = "Run: python -m jobs items --fresh"
_DTYPES = {"recent": np.int32, "state": np.int64}  # all others are float32


def save_items(trained: ItemVectors, ids: Sequence[str], through: int, folder: Path) -> None:
    """Write item vectors, their source, the projection and ``space.json``.

    Args:
        trained: the vectors of A articles.
        ids: A identifiers.
        through: the highest ``seq`` of the log that they were learned from.
        folder: where to.
    """
    save_online(trained.online, ids, folder)
    save_npy(folder / "source.npy", trained.source)
    save_npy(folder / "projection.npy", trained.projection)
    space = {"space": item_space(trained.vectors), "embedding_dim": int(trained.vectors.shape[1]), "through": through}
    write_json(folder / "space.json", space)


def load_previous(folder: Path) -> PreviousItems:
    """Read what ``save_items`` wrote, as far as training goes on from it.

    Raises:
        CorruptArtefact: the files contradict each other, or were written by an older version.
    """
    try:
        space = read_json(folder / "space.json")
        return PreviousItems(*load_online(folder), str(space["space"]), int(space["through"]))
    except (FileNotFoundError, KeyError) as error:
        raise CorruptArtefact(f"item vectors to go on from in {folder}", f"no {error}", _REMEDY) from None


def save_online(items: OnlineItems, ids: Sequence[str], folder: Path) -> None:
    """Write the vectors of the articles ``ids``, and what is needed to learn on."""
    write_table(folder / "ids.parquet", pa.table({"id": pa.array(ids, pa.string())}))
    for name, array in snapshot(items).items():
        save_npy(folder / f"{name}.npy", array)


def load_online(folder: Path) -> tuple[OnlineItems, list[str]]:
    """Read what ``save_online`` wrote.

    Returns:
        The vectors with the same bytes, and the articles' identifiers.

    Raises:
        MissingArtefact: a file is not there.
        CorruptArtefact: the files contradict each other.
    """
    ids: list[str] = read_table(folder / "ids.parquet", columns=["id"])["id"].to_pylist()
    items = restored({name: load_npy(folder / f"{name}.npy") for name in _SAVED})
    if len(items.pair_counts) != len(ids):
        raise CorruptArtefact(f"{len(ids)} articles in {folder}", f"vectors of {len(items.pair_counts)}", _REMEDY)
    return items, ids


def snapshot(items: OnlineItems) -> dict[str, Array]:
    """The arrays that say everything; how often an article stands in the ring is counted again."""
    return {name: getattr(items, name) for name in _SAVED}


def restored(arrays: Mapping[str, Array]) -> OnlineItems:
    """Item vectors from a snapshot: learning on from here gives the same bytes as never having stopped.

    Raises:
        CorruptArtefact: an array is missing, of another type, or of a shape that contradicts the others.
    """
    if missing := [name for name in _SAVED if name not in arrays]:
        raise CorruptArtefact("a snapshot of item vectors", f"one without {', '.join(missing)}", _REMEDY)
    A, D = arrays["input_embeddings"].shape if arrays["input_embeddings"].ndim == 2 else (-1, -1)
    R = len(arrays["recent"])
    shapes = dict.fromkeys(_BY_ARTICLE, (A, D)) | {"pair_counts": (A,), "recent": (R,), "state": (4,), "settings": (6,)}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != _DTYPES.get(name, np.float32):
            raise CorruptArtefact(f"{name} of shape {shape}", f"{array.dtype} {array.shape}", _REMEDY)
    recent, state = arrays["recent"], arrays["state"]
    head, filled = int(state[HEAD]), int(state[FILLED])
    if not (0 <= head < R and 0 <= filled <= R and (recent[:filled] >= 0).all() and (recent[:filled] < A).all()):
        raise CorruptArtefact(f"a ring of rows below {A}", "one that points elsewhere", _REMEDY)
    kept = {name: np.array(arrays[name]) for name in _SAVED}  # a copy: it changes in place
    return OnlineItems(**kept, ring_counts=ring_counts_of(recent[:filled], A))


def reordered(items: OnlineItems, ids: Sequence[str], wanted: Sequence[str], config: ItemsConfig) -> OnlineItems:
    """The same vectors by the rows of another list of articles, to be learned on with the settings of now.

    Args:
        items: vectors by the rows of ``ids``.
        ids: identifiers.
        wanted: identifiers in the order asked for; one that ``ids`` lacks starts untouched.
        config: learning settings; the dimensions stay what they are.

    Returns:
        Vectors of the articles ``wanted``; clicks in the ring on an article that is not wanted any more are forgotten.
    """
    row_of = {article_id: row for row, article_id in enumerate(ids)}
    source = np.array([row_of.get(article_id, UNKNOWN_ROW) for article_id in wanted], np.int64)
    there = source >= 0
    moved = empty_like(items, len(wanted))
    for name in _BY_ARTICLE:
        getattr(moved, name)[there] = getattr(items, name)[source[there]]
    ring = _by_age(items)
    row = np.full(len(ids) + 1, UNKNOWN_ROW, np.int32)
    row[source[there]] = np.flatnonzero(there)
    ring = row[ring]
    ring = ring[ring >= 0][-config.recent_clicks :]
    recent, state = np.zeros(config.recent_clicks, np.int32), items.state.copy()
    recent[: len(ring)] = ring
    state[:2] = len(ring) % len(recent), len(ring)
    ring_counts, settings = ring_counts_of(ring, len(wanted)), online_settings(config)
    return moved._replace(recent=recent, state=state, ring_counts=ring_counts, settings=settings)


def _by_age(items: OnlineItems) -> Rows:
    """The rows in the ring, the oldest first: int32 (filled,)."""
    head, filled = int(items.state[HEAD]), int(items.state[FILLED])
    return np.roll(items.recent, -head) if filled == len(items.recent) else items.recent[:filled]
