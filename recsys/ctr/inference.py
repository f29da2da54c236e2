"""The networks' forward pass and the calibration, without torch: standardised columns, rows of ids -> log-odds.

Reads the weights of ``recsys.ctr.network`` by their names there, and computes what its ``forward`` does without
dropout. No row's value depends on the other rows, to the last bit: a matrix product of BLAS adds in another order by a
row's place and the number of rows, so products are compiled here, and take twice its time: 0.1 ms of a request.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import compiled
from recsys.ctr.architecture import ATTENTION_UNITS, CLICK_NETWORKS, CROSS_LAYERS, Layout
from recsys.ctr.config import CtrConfig
from recsys.ctr.ids import PADDING_ROW, IdRows
from recsys.errors import CorruptArtefact

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

NORM_EPSILON = np.float32(1e-5)  # added to a variance; torch's default, under which the weights were learned


class Weights:
    """The weights in a file, each taken once under the shape that the architecture gives it.

    Attributes:
        left: what nobody has taken, by name.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        self.left = dict(arrays)

    def take(self, name: str, *shape: int) -> Floats:
        """A weight, float32 and contiguous; an empty one needs not be there.

        Raises:
            ValueError: it is not there, or has another shape.
        """
        value = np.zeros(shape, np.float32) if 0 in shape and name not in self.left else self.left.pop(name, None)
        if value is None or value.shape != shape:
            raise ValueError(f"{name} of shape {'none' if value is None else value.shape}, expected {shape}")
        return np.array(value, np.float32, order="C")

    def affine(self, name: str, width: int, units: int, *, bias: bool = True) -> tuple[Floats, Floats]:
        """A linear layer as ``x @ first + second``: float32 (width, units), (units,)."""
        weight = np.ascontiguousarray(self.take(f"{name}.weight", units, width).T)
        return weight, self.take(f"{name}.bias", units) if bias else np.zeros(units, np.float32)


class HiddenLayer(NamedTuple):
    """A layer of U units with ReLU: float32 (W, U), (U,); scale and shift (U,) where each row is normalised before."""

    weight: Floats
    bias: Floats
    scale: Floats | None = None
    shift: Floats | None = None

    def __call__(self, x: Floats) -> Floats:
        """float32 (B, W) -> (B, U)."""
        out = affine(x, self.weight, self.bias)
        if self.scale is not None and self.shift is not None:
            out -= out.mean(axis=1, keepdims=True)
            out *= 1 / np.sqrt(np.square(out).mean(axis=1, keepdims=True) + NORM_EPSILON)
            out *= self.scale
            out += self.shift
        return np.maximum(out, 0, out=out)


class Perceptron(NamedTuple):
    """Hidden layers, and one unit: float32 (W,) with its bias."""

    layers: list[HiddenLayer]
    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        """float32 (B, W) -> (B,)."""
        for layer in self.layers:
            x = layer(x)
        return weighted_sum(x, self.weight) + self.bias


class CrossLayers(NamedTuple):
    """Cross layers, float32 (W, W) with (W,) each, and the weights of what they give, (W,)."""

    layers: list[tuple[Floats, Floats]]
    weight: Floats

    def __call__(self, x0: Floats) -> Floats:
        """float32 (B, W) -> (B,)."""
        x = x0
        for weight, bias in self.layers:
            step = affine(x, weight, bias)
            step *= x0
            step += x
            x = step
        return weighted_sum(x, self.weight)


class ClickAttention(NamedTuple):
    """Weights of the last clicks by candidate: three times (D, U) with (U,), and (U,) with (1,)."""

    candidate: tuple[Floats, Floats]
    click: tuple[Floats, Floats]
    both: tuple[Floats, Floats]
    weight: Floats
    bias: Floats

    def __call__(self, candidate: Floats, clicks: Floats, there: npt.NDArray[np.bool_]) -> Floats:
        """Candidates (B, D), clicks (B or 1, T, D), which of them there are, bool (B or 1, T) -> float32 (B, D)."""
        T, D = clicks.shape[1:]
        products = candidate[:, None] * clicks  # (B, T, D)
        units = affine(products.reshape(-1, D), *self.both).reshape(len(candidate), T, -1)  # (B T, U) -> (B, T, U)
        units += affine(clicks.reshape(-1, D), *self.click).reshape(len(clicks), T, -1)
        units += affine(candidate, *self.candidate)[:, None]
        weight = (weighted_sum(np.maximum(units, 0, out=units), self.weight) + self.bias) * there  # (B, T)
        pooled: Floats = (weight[:, :, None] * clicks).sum(axis=1)
        return pooled


class NetworkInference:
    """One network's weights, ready to score.

    Attributes:
        layout: what it reads.
    """

    def __init__(self, layout: Layout, config: CtrConfig, weights: Weights) -> None:
        """Take the weights.

        Raises:
            ValueError: a weight is missing or has another shape.
            DegenerateInput: there is nothing to read.
        """
        parts, D, self.layout = CLICK_NETWORKS[config.network], config.embedding_dim, layout.read()
        F, V, width = self.layout.dense, self.layout.vocabulary, self.layout.width(D)
        self._first = (weights.take("first", F), weights.take("intercept", 1)) if parts.first else None
        self._table = self._bias = None
        if parts.embeds(self.layout):
            self._table = weights.take("embeddings.table", V, D) if parts.vectors else None
            self._bias = weights.take("embeddings.bias", V, 1)[:, 0] if parts.first else None
        self._factors = weights.take("factors", F, D) if parts.pairs else None
        self._attention = _attention(weights, D) if parts.attends(self.layout) else None
        self._deep = _perceptron(weights, width, config) if parts.deep else None
        self._cross = _cross(weights, width) if parts.cross else None

    def __call__(self, dense: Floats, rows: IdRows | None) -> Floats:
        """Log-odds of a click.

        Args:
            dense: float32 (B, F), standardised, contiguous.
            rows: of the table; None for a network without ids and clicks.

        Returns:
            float32 (B,).
        """
        odds = np.zeros(len(dense), np.float32)
        if self._first is not None:
            odds += weighted_sum(dense, self._first[0]) + self._first[1]
            if self._bias is not None and rows is not None and self.layout.fields:
                odds += self._bias[rows.ids].sum(axis=1)
        vectors = None if self._table is None or rows is None else self._vectors(self._table, rows)
        if self._factors is not None:
            odds += pairwise_products(dense, self._factors, vectors)
        if self._deep is not None:
            read = dense if vectors is None else np.concatenate([dense, vectors.reshape(len(dense), -1)], 1)
            odds += self._deep(read)
            if self._cross is not None:
                odds += self._cross(read)
        return odds

    def _vectors(self, table: Floats, rows: IdRows) -> Floats:
        """float32 (B, K, D), or (B, K + 1, D) with the last clicks behind."""
        vectors = table[rows.ids]  # (B, K, D)
        if not self.layout.history:
            return vectors
        clicks, there = table[rows.history], rows.history != PADDING_ROW  # (B or 1, T, D), (B or 1, T)
        if self._attention is not None:
            pooled = self._attention(np.ascontiguousarray(vectors[:, 0]), clicks, there)
        else:
            pooled = clicks.sum(axis=1) / np.maximum(there.sum(axis=1, keepdims=True), 1).astype(np.float32)
        pooled = np.broadcast_to(pooled, (len(vectors), pooled.shape[1]))
        return np.concatenate([vectors, pooled[:, None]], 1)


class Calibration(NamedTuple):
    """A rising line through points, in log-odds.

    Attributes:
        raw: K scores, rising.
        odds: K calibrated log-odds, rising.
        slope: before the first and after the last point; above 0.
    """

    raw: tuple[float, ...]
    odds: tuple[float, ...]
    slope: float

    def apply(self, raw: Floats) -> Doubles:
        """Calibrated log-odds: float32 (N,) -> float64 (N,)."""
        x = raw.astype(np.float64)
        beyond = np.minimum(x - self.raw[0], 0) + np.maximum(x - self.raw[-1], 0)
        return np.asarray(np.interp(x, *_points(self)) + self.slope * beyond)

    @classmethod
    def of(cls, facts: dict[str, object]) -> "Calibration":
        """Read what ``_asdict`` gave.

        Raises:
            CorruptArtefact: the points do not rise.
        """
        calibration = cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()})  # type: ignore[arg-type]  # checked below
        values = np.array([calibration.raw, calibration.odds], np.float64)
        if not (values.size and np.isfinite(values).all() and (np.diff(values) > 0).all() and calibration.slope > 0):
            raise CorruptArtefact("a calibration that rises", str(facts), "Run: python -m jobs ctr --fresh")
        return calibration


@lru_cache(8)
def _points(line: Calibration) -> tuple[Doubles, Doubles]:
    """The points of a line as arrays: making them takes longer than what is done with them."""
    return np.array(line.raw, np.float64), np.array(line.odds, np.float64)


@compiled
def affine(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """``x @ weight + bias``, each row by the same sums in the same order on every machine.

    Args:
        x: float32 (B, W), contiguous.
        weight: float32 (W, U), contiguous.
        bias: float32 (U,).

    Returns:
        float32 (B, U).
    """
    B, W = x.shape
    U = len(bias)
    out = np.empty((B, U), np.float32)
    for b in range(B):
        row, to = x[b], out[b]
        for u in range(U):
            to[u] = bias[u]
        for w in range(0, W - 3, 4):  # four at a time: ``to`` is read and written a quarter as often
            x0, x1, x2, x3 = row[w], row[w + 1], row[w + 2], row[w + 3]
            w0, w1, w2, w3 = weight[w], weight[w + 1], weight[w + 2], weight[w + 3]
            for u in range(U):
                to[u] = to[u] + x0 * w0[u] + x1 * w1[u] + x2 * w2[u] + x3 * w3[u]
        for w in range(W - W % 4, W):
            x0, w0 = row[w], weight[w]
            for u in range(U):
                to[u] += x0 * w0[u]
    return out


def weighted_sum(x: Floats, weight: Floats) -> Floats:
    """Sums of the last axis under weights: float32 (..., W) and (W,) -> (...)."""
    total: Floats = (x * weight).sum(axis=-1)
    return total


def pairwise_products(dense: Floats, factors: Floats, vectors: Floats | None) -> Floats:
    """The sum of ``x_i x_j <v_i, v_j>`` over all pairs; see ``recsys.ctr.network.pairs``."""
    total = affine(dense, factors, np.zeros(factors.shape[1], np.float32))  # (B, D)
    squares = weighted_sum(dense * dense, (factors * factors).sum(axis=1))  # (B,)
    if vectors is not None:
        total += vectors.sum(axis=1)
        squares += (vectors * vectors).sum(axis=(1, 2))
    products: Floats = np.float32(0.5) * ((total * total).sum(axis=1) - squares)
    return products


def _perceptron(weights: Weights, width: int, config: CtrConfig) -> Perceptron:
    """The multilayer perceptron; its layers are numbered as in ``recsys.ctr.network.perceptron``."""
    layers, number = [], 0
    for units in config.hidden_units:
        weight, bias = weights.affine(f"deep.{number}", width, units)
        layers.append(_normalised(weights, f"deep.{number + 1}", HiddenLayer(weight, bias), config.norm))
        number += 2 + (config.norm != "none") + (config.dropout > 0)
        width = units
    weight, bias = weights.affine(f"deep.{number}", width, 1)
    return Perceptron(layers, weight[:, 0], bias)


def _normalised(weights: Weights, name: str, layer: HiddenLayer, norm: str) -> HiddenLayer:
    """The layer with its norm; a learned batch norm is a scale and a shift, and becomes part of the layer."""
    if norm == "none":
        return layer
    units = len(layer.bias)
    scale, shift = weights.take(f"{name}.weight", units), weights.take(f"{name}.bias", units)
    if norm == "layer":
        return layer._replace(scale=scale, shift=shift)
    mean, variance = weights.take(f"{name}.running_mean", units), weights.take(f"{name}.running_var", units)
    scale = scale / np.sqrt(variance + NORM_EPSILON)
    return HiddenLayer(layer.weight * scale, (layer.bias - mean) * scale + shift)


def _cross(weights: Weights, width: int) -> CrossLayers:
    crossed = [weights.affine(f"cross.layers.{number}", width, width) for number in range(CROSS_LAYERS)]
    return CrossLayers(crossed, weights.affine("cross.out", width, 1, bias=False)[0][:, 0])


def _attention(weights: Weights, D: int) -> ClickAttention:
    click, both = (weights.affine(f"attention.{name}", D, ATTENTION_UNITS, bias=False) for name in ("click", "both"))
    weight, bias = weights.affine("attention.out", ATTENTION_UNITS, 1)
    return ClickAttention(weights.affine("attention.candidate", D, ATTENTION_UNITS), click, both, weight[:, 0], bias)
