"""Parts of the Parquet log -> arrays in time order, one column after the other.

A column of all parts is read, numbered and sorted before the next one is, so that beside what is done already no more
than one column is in memory; and what is done may go into files that are mapped, which the kernel takes out of memory
and reads again as it likes.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.events.arrays import KINDS, UNDOUBTED, Events
from recsys.events.parts import read_part, resolved, unified
from recsys.units import UNDATED
from recsys.workspace import mapped_npy, save_npy

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int32]
Keep = Callable[[str, Array], Array]  # a column's name and the column -> the same, wherever it is kept


def in_memory(_: str, column: Array) -> Array:
    """Keep a column where it is."""
    return column


def in_files(folder: Path) -> Keep:
    """Keep columns as files of a folder that are mapped; one of a name takes the place of the one before."""

    def keep(name: str, column: Array) -> Array:
        fresh = folder / f".{name}.npy"
        save_npy(fresh, column)
        fresh.replace(folder / f"{name}.npy")
        return mapped_npy(folder / f"{name}.npy")

    return keep


def load_events(files: Sequence[Path], through: int, aliases: Mapping[str, str], keep: Keep = in_memory) -> Events:
    """Read parts as arrays.

    Args:
        files: the parts.
        through: the highest ``seq``.
        aliases: made identifier -> the article's own.
        keep: where the columns go.

    Raises:
        CorruptArtefact: a part cannot be read.
    """

    def column(name: str) -> pa.ChunkedArray:
        return resolved(unified([read_part(file, [name]) for file in files], [name]), aliases)[name]

    def coded(name: str) -> tuple[Array, list[str]]:
        codes, texts = _dense(column(name))
        return keep(name, codes[order]), texts.to_pylist()

    seq, time = column("seq").to_numpy(), column("time").fill_null(UNDATED).to_numpy()
    order = np.lexsort((seq, time))
    time, seq = keep("time", time[order]), keep("seq", seq[order])
    kinds = column("kind")
    article, article_ids = coded("article")
    reader, reader_ids = coded("reader")
    sessions = _dense(column("session"))[0][order]
    context, contexts = coded("context")
    slot, slots = coded("slot")
    return Events(
        time=time,
        kind=keep("kind", _kinds(kinds)[order]),
        article=article,
        reader=reader,
        session=keep("session", _sessions(sessions, reader)),
        impression=keep("impression", _dense(column("impression"))[0][order]),
        position=keep("position", column("position").fill_null(-1).to_numpy().astype(np.int16)[order]),
        article_ids=article_ids,
        reader_ids=reader_ids,
        through=through,
        context=context,
        contexts=contexts,
        slot=slot,
        slots=slots,
        seq=seq,
        proof=keep("proof", _proofs(column("proof"), order)),
        dwell=keep("dwell", _dwells(column("dwell_ms"), order)),
    )


def _kinds(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    codes, names = _dense(column)
    places = np.array([KINDS.index(name) for name in names.to_pylist()], np.int8)
    return places[codes] if len(places) else codes.astype(np.int8)


def _proofs(column: pa.ChunkedArray, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """The proof of each event, int8 (E,); empty where nothing is to be doubted."""
    if column.null_count == len(column):
        return np.empty(0, np.int8)
    return np.asarray(column.fill_null(UNDOUBTED).to_numpy(), np.int8)[order]


def _dwells(column: pa.ChunkedArray, order: npt.NDArray[np.int64]) -> Rows:
    """The dwell time of each event in ms, int32 (E,), 0 for unknown; empty where no event has one."""
    if column.null_count == len(column):
        return np.empty(0, np.int32)
    return np.asarray(column.fill_null(0).to_numpy(), np.int32)[order]


def _sessions(name: Rows, reader: Rows) -> Rows:
    """Number the sessions: two readers whose sessions have the same name have two, and nobody's is a third."""
    named = np.flatnonzero(name >= 0)
    rows = np.full(len(name), -1, np.int32)
    pair = name[named].astype(np.int64) * (int(reader.max(initial=-1)) + 2) + reader[named] + 1
    rows[named] = np.unique(pair, return_inverse=True)[1]
    return rows


def _dense(column: pa.ChunkedArray) -> tuple[Rows, pa.Array]:
    """Number the texts that occur, in their sorted order.

    Returns:
        int32 (E,) rows, -1 for none; the texts, sorted.
    """
    encoded = column.combine_chunks()
    with contextlib.suppress(AttributeError):  # a chunked array of one chunk or of none
        encoded = encoded.chunk(0) if encoded.num_chunks else encoded
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    used = np.unique(codes[codes >= 0])
    texts = encoded.dictionary.take(pa.array(used))
    order = pc.sort_indices(texts).to_numpy()
    rows = np.full(len(encoded.dictionary) + 1, -1, np.int32)  # the last one is for code -1
    rows[used[order]] = np.arange(len(used), dtype=np.int32)
    return rows[codes], texts.take(pa.array(order))
