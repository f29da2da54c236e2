"""Vectors of a whole catalogue by a pre-trained encoder, and the same encoder for articles that come later.

Reads the catalogue's texts and the folder ``encoder`` of the data folder; produces, beside ``ids.parquet``,
``vectors.npy`` and ``space.json``, a copy of the encoder (``encoder/``, whose hashes stand in the release with all
others), the means of the languages, and, for the next night, what each text gave: a text that has not changed is not
read again by the same encoder.
"""

import hashlib
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.articles.config import ArticlesConfig
from recsys.articles.sentences import (
    LIVE_SECONDS,
    NIGHT_SECONDS,
    EncodingOutcome,
    SentenceVectors,
    counted,
    load_sentence_encoder,
    probed,
    readable,
)
from recsys.config import plain
from recsys.errors import ArtefactError, DegenerateInput
from recsys.parallel import BatchFunction, BatchMap, BatchTask
from recsys.tokens.lexicon import load_lexicon
from recsys.words import Matrix
from recsys.workspace import described, digest_of, load_npy, read_json, save_npy, tree

ENCODER = "encoder"  # folder of the data folder, of the artefact and of the release
_RAW, _TEXTS = "encoded.npy", "texts.npy"  # for the next night
_BATCH_TEXTS = 256
_MOST_WITHOUT = 0.5  # of the texts; an encoder that fails more of them is broken
_ID_CHARS = 16  # of a SHA-256, as of a word space
_HASH_BYTES = 8

Hashes = npt.NDArray[np.uint64]


class LastTexts(NamedTuple):
    """Vectors that the encoder gave for the texts of the last night.

    Attributes:
        row_of: hash of a text -> its row.
        encoded: float32 (A, D), unit or NaN rows.
    """

    row_of: dict[int, int]
    encoded: Matrix


class InstalledEncoder(NamedTuple):
    """A pre-trained encoder in its place.

    Attributes:
        config: names it.
        folder: its files.
        dimensions: D.
        space: id of its space: of its name and its files.
        milliseconds: for a long article.
    """

    config: ArticlesConfig
    folder: Path
    dimensions: int
    space: str
    milliseconds: float


def install(config: ArticlesConfig, source: Path, artefact: Path) -> InstalledEncoder:
    """Copy an encoder into the artefact and try it.

    Args:
        config: names it.
        source: the site's folder; it may be missing where a class needs none.
        artefact: folder of the articles artefact.

    Raises:
        MissingArtefact: a library or a file is not there.
        ConfigError: it cannot be made, is too slow, or what it gives is no vector; see ``probed``.
    """
    folder = artefact / ENCODER
    if source.is_dir():
        shutil.copytree(source, folder)
    folder.mkdir(exist_ok=True)
    probe = probed(load_sentence_encoder(config.encoder, folder), config.encoder)
    files = digest_of({name: described(folder / name) for name in tree(folder)})
    space = hashlib.sha256(f"{config.encoder} {probe.dimensions} {files}".encode()).hexdigest()[:_ID_CHARS]
    return InstalledEncoder(config, folder, probe.dimensions, space, probe.milliseconds)


def encoding(encoder: InstalledEncoder) -> BatchTask:
    """Task that encodes texts: rows of ``text`` become rows of ``vector``, float32 (D,), and ``outcome``."""
    settings = {"config": plain(encoder.config), "dimensions": encoder.dimensions}
    return BatchTask(encode_batches, settings, {ENCODER: encoder.folder})


def encode_batches(settings: Mapping[str, Any], files: Mapping[str, Path]) -> BatchFunction:
    """The function of ``encoding``."""
    config = ArticlesConfig.model_validate(settings["config"])
    encoder = load_sentence_encoder(config.encoder, files[ENCODER])
    return partial(_encoded, SentenceVectors(encoder, int(settings["dimensions"]), "", NIGHT_SECONDS))


def _encoded(vectors: SentenceVectors, batch: pa.RecordBatch) -> pa.RecordBatch:
    rows, outcomes = vectors.read(batch.column("text").to_pylist())
    lists = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), pa.float32()), vectors.dimensions)
    return pa.record_batch([lists, pa.array(map(str, outcomes), pa.string())], names=["vector", "outcome"])


def encode_catalogue(
    encoder: InstalledEncoder, events: Path, tokens: Path, languages: list[str], last: Path | None, encode: BatchMap
) -> tuple[Matrix, dict[str, int]]:
    """Encode all texts that the last night did not, and find the mean of each language.

    Args:
        encoder: in the folder of the artefact that is made, which gets the files for serving and the next night.
        events: ``articles.parquet`` of the events artefact, of A articles.
        tokens: folder of the tokens artefact.
        languages: of the A articles.
        last: folder of the last artefact, if there is one.
        encode: see ``encoding``.

    Returns:
        float32 (A, D), unit or NaN rows, and counts: texts that were read, and those without a vector by why.

    Raises:
        DegenerateInput: more than half of the texts got no vector.
    """
    artefact, known = encoder.folder.parent, _last_texts(last, encoder)
    encoded = np.full((len(languages), encoder.dimensions), np.nan, np.float32)
    hashes, outcomes = (
        np.zeros(len(languages), np.uint64),
        np.full(len(languages), str(EncodingOutcome.ENCODED), object),
    )
    asked: deque[npt.NDArray[np.int64]] = deque()  # rows of the batches that are on their way

    def batches() -> Iterator[pa.RecordBatch]:
        for start, texts in _texts(events, load_lexicon(tokens).boilerplate):
            rows = np.arange(start, start + len(texts))
            hashes[rows] = [_hash(text) for text in texts]
            places = np.array([known.row_of.get(one, -1) for one in hashes[rows].tolist()], np.int64)
            encoded[rows[places >= 0]] = known.encoded[places[places >= 0]]
            wanted = np.flatnonzero(places < 0)
            asked.append(rows[wanted])
            yield pa.record_batch([pa.array([texts[place] for place in wanted], pa.string())], names=["text"])

    read = 0
    for batch in encode(batches()):
        rows = asked.popleft()
        encoded[rows] = batch.column("vector").flatten().to_numpy().reshape(len(rows), encoder.dimensions)
        outcomes[rows] = batch.column("outcome").to_pylist()
        read += len(rows)
    counts = counted(outcomes.tolist())
    failed = sum(counts.values()) - counts[EncodingOutcome.EMPTY]
    if failed > _MOST_WITHOUT * max(1, read - counts[EncodingOutcome.EMPTY]):
        remedy = "Check the folder encoder in data_dir, or set articles.encoder to keywords."
        raise DegenerateInput("vectors of most texts", f"none of {failed} of {read}: {counts}", remedy)
    save_npy(artefact / _RAW, encoded)
    save_npy(artefact / _TEXTS, hashes)
    vectors = SentenceVectors(_Nobody(), encoder.dimensions, encoder.space, 0)
    vectors.learn_centre(encoded, languages)
    vectors.save(artefact)
    return vectors.centred(encoded, languages), {"read": read, **counts}


def load_sentences(articles: Path, config: ArticlesConfig) -> SentenceVectors:
    """The encoder of articles that come after the catalogue, from the folder of the articles artefact."""
    space = read_json(articles / "space.json")
    encoder = load_sentence_encoder(config.encoder, articles / ENCODER)
    vectors = SentenceVectors(encoder, int(space["embedding_dim"]), str(space["space"]), LIVE_SECONDS)
    vectors.load_centre(articles)
    return vectors


class _Nobody:
    """Encoder that is not asked: where only the means count."""

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        raise NotImplementedError


def _texts(events: Path, boilerplate: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The catalogue's texts: the row of the first one of a batch, and the batch."""
    start, repeated = 0, frozenset(boilerplate)
    for batch in pq.ParquetFile(events).iter_batches(_BATCH_TEXTS, columns=["title", "body"]):
        columns = batch.column("title").to_pylist(), batch.column("body").to_pylist()
        yield start, [readable(title or "", body or "", repeated) for title, body in zip(*columns, strict=True)]
        start += batch.num_rows


def _last_texts(last: Path | None, encoder: InstalledEncoder) -> LastTexts:
    """Vectors that the same encoder gave for texts, from an earlier artefact; nothing where it cannot be used."""
    try:
        if last is not None and read_json(last / "space.json")["space"] == encoder.space:
            hashes, encoded = load_npy(last / _TEXTS), load_npy(last / _RAW)
            if encoded.shape == (len(hashes), encoder.dimensions):
                has = np.asarray(np.isfinite(encoded).all(axis=1))  # a text that failed is tried again
                return LastTexts({int(one): row for row, one in enumerate(hashes) if has[row]}, encoded)
    except (ArtefactError, FileNotFoundError, KeyError):
        pass
    return LastTexts({}, np.empty((0, encoder.dimensions), np.float32))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest())
