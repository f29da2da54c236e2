"""Article vectors by an encoder that reads texts: one that was trained elsewhere, or a class of the site's.

Reads the texts of articles and a folder with the encoder; produces unit vectors seen from the mean of their language,
because the vectors of such encoders all point one way, and those of a language another. Keywords, stories and tags go
on living in the space of the words; nothing ties the two dimensions together.

An encoder is no part of this project, so nothing that it does may stop a worker: what it does not answer in time, or
answers with something that is no vector, leaves one article without a vector, and is counted. What shows at once (no
tokeniser, vectors that are no numbers, seconds for a text) is refused by the night.
"""

import importlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter as Metric

from recsys.errors import ConfigError, MissingArtefact, RecsysError
from recsys.telemetry import REGISTRY
from recsys.tokens.clean import clean
from recsys.words import Matrix, unit_rows
from recsys.workspace import load_arrays, save_arrays

REGISTERED = {"onnx": "recsys.articles.onnx_encoder:OnnxEncoder"}
ENCODED_CHARS = 4000  # of an article: more than 512 tokens in any language
LIVE_SECONDS = 1.0  # for one live article, ten times what it may take: a busy machine is no broken encoder
NIGHT_SECONDS = 10.0  # for one article at night
SLOWEST_MS = 1000.0  # for an article of ENCODED_CHARS; an encoder that takes longer is refused
BUDGET_MS = 100.0  # and one that takes longer than this is warned of
MOST_DIMENSIONS = 4096  # 16 KB of each article in each worker
_MIN_ARTICLES = 50  # articles of a language, or of all, that tell where their mean lies
_PROBES = 3  # times that the probe is read; the fastest counts
_ANY = ""  # key of the mean of all languages
_PROBE_TEXTS = (
    "The council of Saltby voted on Tuesday to rebuild the harbour wall, which the storms of January had broken. ",
    "霁州市议会周二投票决定重建一月风暴冲毁的海堤，预计明年春天完工。",
)
_ODD = "Check the folder encoder in data_dir, or set articles.encoder to keywords."

Vector = npt.NDArray[np.float32]


class TextEncoder(Protocol):
    """Encoder of texts, made from the path of its folder; a class of a site's is one by having this method."""

    def encode(self, text: str) -> Vector:
        """The vector of one text, float32 (D,), of any length but zero; D is always the same."""


class EncodingOutcome(StrEnum):
    """Outcome of the text of one article."""

    ENCODED = "encoded"
    EMPTY = "empty"  # no text
    LATE = "late"  # no answer in time
    FAILED = "failed"  # the encoder raised
    NO_VECTOR = "no_vector"  # not finite, all zero, or of another dimension


OUTCOMES = Metric(
    "recsys_encoded_articles",
    "Live articles that a pre-trained encoder was asked for, by outcome.",
    ["outcome"],
    registry=REGISTRY,
)


class Probe(NamedTuple):
    """Facts that an encoder shows at once.

    Attributes:
        dimensions: D.
        milliseconds: for an article of ``ENCODED_CHARS`` characters, the fastest of three.
    """

    dimensions: int
    milliseconds: float


def load_sentence_encoder(name: str, folder: Path) -> TextEncoder:
    """Make an encoder from its folder.

    Args:
        name: a registered one, or ``module:Class``.
        folder: its files; a class of the site's may do without any.

    Raises:
        MissingArtefact: a library or a file is not there.
        ConfigError: there is no such class, or it cannot be made.
    """
    module, _, made = REGISTERED.get(name, name).partition(":")
    try:
        kind = getattr(importlib.import_module(module), made)
    except ModuleNotFoundError as error:
        remedy = "Run: pip install -c constraints.txt --editable '.[encoder]'" if name in REGISTERED else _ODD
        raise MissingArtefact(f"what articles.encoder {name!r} needs", str(error), remedy) from None
    except AttributeError as error:
        raise ConfigError(f"a class that articles.encoder {name!r} names", str(error), _ODD) from None
    try:
        encoder: TextEncoder = kind(folder)
    except RecsysError:
        raise
    except Exception as error:
        raise ConfigError(f"an encoder made by {name}({str(folder)!r})", f"{error!r:.200}", _ODD) from error
    return encoder


class TimedEncoder:
    """Encoder that answers in time or not at all: it works in a thread of its own, which may be left behind.

    While it still works on a text that came too late, every other one is too late at once: one broken encoder costs
    a worker one wait, and not one for each article.
    """

    def __init__(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._asked: queue.SimpleQueue[tuple[str, queue.SimpleQueue[Vector | Exception]]] | None = None
        self._working = threading.Event()
        self._lock = threading.Lock()  # one text at a time

    def encode(self, text: str, seconds: float) -> tuple[Vector | None, EncodingOutcome]:
        """The vector of a text, None where there is none, and what came of it."""
        with self._lock:
            if self._working.is_set():
                return None, EncodingOutcome.LATE
            if self._asked is None:  # with the first text: a thread would not outlive a fork
                self._asked = queue.SimpleQueue()
                threading.Thread(target=self._work, args=(self._asked,), daemon=True, name="encoder").start()
            answer: queue.SimpleQueue[Vector | Exception] = queue.SimpleQueue()
            self._working.set()
            self._asked.put((text, answer))
            try:
                vector = answer.get(timeout=seconds)
            except queue.Empty:
                return None, EncodingOutcome.LATE
        return (None, EncodingOutcome.FAILED) if isinstance(vector, Exception) else (vector, EncodingOutcome.ENCODED)

    def _work(self, asked: "queue.SimpleQueue[tuple[str, queue.SimpleQueue[Vector | Exception]]]") -> None:
        while True:
            text, answer = asked.get()
            result: Vector | Exception
            try:
                result = np.asarray(self._encoder.encode(text), np.float32)
            except Exception as error:  # of a library or of the site's own code: whatever it is, it is no vector
                result = error
            self._working.clear()
            answer.put(result)


class SentenceVectors:
    """Article vectors of an encoder of texts.

    Args:
        encoder: of texts.
        dimensions: D.
        space: the id of the encoder's space.
        seconds: for one text.

    Attributes:
        centre: float32 (D,) by language, the mean of its articles' unit vectors; "" for the others.
    """

    def __init__(self, encoder: TextEncoder, dimensions: int, space: str, seconds: float) -> None:
        self.dimensions, self.space = dimensions, space
        self._encoder, self._seconds = TimedEncoder(encoder), seconds
        self.centre: dict[str, Vector] = {}

    def read(self, texts: Sequence[str]) -> tuple[Matrix, list[EncodingOutcome]]:
        """Encode B texts.

        Returns:
            float32 (B, D), unit rows as the encoder gives them, or NaN; and what came of each.
        """
        rows, outcomes = np.full((len(texts), self.dimensions), np.nan, np.float32), []
        for row, text in enumerate(texts):
            vector, outcome = self._encoder.encode(text, self._seconds) if text else (None, EncodingOutcome.EMPTY)
            if vector is not None:
                if vector.shape == (self.dimensions,) and np.isfinite(vector).all() and vector.any():
                    rows[row] = unit_rows(vector[None])[0]
                else:
                    outcome = EncodingOutcome.NO_VECTOR
            outcomes.append(outcome)
        return rows, outcomes

    def live(self, text: str, language: str) -> Vector:
        """The vector of one live article, float32 (D,), unit or NaN; its outcome is counted."""
        rows, outcomes = self.read([text])
        OUTCOMES.labels(outcomes[0].value).inc()
        vector: Vector = self.centred(rows, [language])[0]
        return vector

    def learn_centre(self, vectors: Matrix, languages: Sequence[str]) -> None:
        """Find the mean of the articles of each language, from unit vectors float32 (A, D) or NaN."""
        spoken, known = np.array(languages, object), np.isfinite(vectors).all(axis=1)
        for language in (_ANY, *sorted(set(languages))):
            rows = vectors[known & ((spoken == language) | (language == _ANY))]
            if len(rows) >= _MIN_ARTICLES:
                self.centre[language] = rows.mean(axis=0, dtype=np.float64).astype(np.float32)

    def centred(self, vectors: Matrix, languages: Sequence[str]) -> Matrix:
        """float32 (B, D) rows seen from the mean of their language, unit or NaN."""
        other = self.centre.get(_ANY, np.zeros(self.dimensions, np.float32))
        centres = np.array([self.centre.get(language, other) for language in languages]).reshape(vectors.shape)
        rows = unit_rows(vectors - centres)
        rows[~rows.any(axis=1)] = np.nan
        return rows

    def save(self, folder: Path) -> None:
        """Write the means."""
        save_arrays(folder / "centre.safetensors", {f"language {name}": mean for name, mean in self.centre.items()})

    def load_centre(self, folder: Path) -> None:
        """Read the means."""
        arrays = load_arrays(folder / "centre.safetensors")
        self.centre = {name.removeprefix("language "): mean for name, mean in arrays.items()}


def readable(title: str, body: str, boilerplate: frozenset[str]) -> str:
    """The text of an article as an encoder reads it: without markup and repeated lines, at most ``ENCODED_CHARS``."""
    parts = clean(title[:ENCODED_CHARS]).text, clean(body[: 2 * ENCODED_CHARS], boilerplate).text
    return "\n".join(kept for part in parts if (kept := " ".join(part.split())))[:ENCODED_CHARS]


def probed(encoder: TextEncoder, name: str, seconds: float = NIGHT_SECONDS) -> Probe:
    """Read three texts and see what kind of encoder it is.

    Args:
        encoder: of texts.
        name: for messages.
        seconds: to wait for a text.

    Raises:
        ConfigError: it raises, takes longer than ``SLOWEST_MS``, gives something that is no vector, vectors of several
            dimensions or of more than ``MOST_DIMENSIONS``, or the same vector for different texts.
    """
    timed, vectors, fastest = TimedEncoder(encoder), [], np.inf
    long = (_PROBE_TEXTS[0] * ENCODED_CHARS)[:ENCODED_CHARS]
    for text in (*_PROBE_TEXTS, *[long] * _PROBES):
        began = time.perf_counter()
        vector, outcome = timed.encode(text, seconds)
        spent = 1000 * (time.perf_counter() - began)
        if vector is None:
            raise ConfigError(f"a vector from {name} within {seconds:g} s", outcome.value, _ODD)
        if vector.ndim != 1 or not 1 < len(vector) <= MOST_DIMENSIONS:
            raise ConfigError(f"2 to {MOST_DIMENSIONS} numbers from {name}", f"shape {vector.shape}", _ODD)
        if not np.isfinite(vector).all() or not vector.any():
            raise ConfigError(f"finite vectors from {name} that are not all zero", str(EncodingOutcome.NO_VECTOR), _ODD)
        vectors.append(vector)
        fastest = min(fastest, spent) if text is long else fastest
    if len({len(vector) for vector in vectors}) > 1:
        raise ConfigError(f"vectors of one dimension from {name}", str([len(vector) for vector in vectors]), _ODD)
    if np.allclose(vectors[0], vectors[1]):
        raise ConfigError(f"different vectors of different texts from {name}", "one and the same", _ODD)
    if fastest > SLOWEST_MS:
        got = f"{fastest:.0f} ms; {BUDGET_MS:g} ms are what a live article may take"
        raise ConfigError(f"an encoder that reads {ENCODED_CHARS} characters within {SLOWEST_MS:g} ms", got, _ODD)
    return Probe(len(vectors[0]), round(float(fastest), 1))


def counted(outcomes: Sequence[str]) -> dict[str, int]:
    """Articles without a vector, by why."""
    counts = Counter(outcomes)
    return {name.value: counts[name.value] for name in EncodingOutcome if name is not EncodingOutcome.ENCODED}
