"""The networks: each beside its sums in float64 numpy, over every layout, and on a click that only pairs explain."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from recsys.ctr.architecture import CLICK_NETWORKS, Layout
from recsys.ctr.network import CandidateBatch, ClickNetwork, network
from recsys.errors import DegenerateInput

LAYOUTS = [
    Layout(dense, fields, history, 0 if fields + history == 0 else 50)
    for dense, fields, history in itertools.product((0, 4), (0, 1, 3), (0, 5))
    if dense + fields + history
]


def made(kind: str, layout: Layout, *, norm: str = "none", hidden: Sequence[int] = (8, 6)) -> ClickNetwork:
    torch.manual_seed(3)
    net = network(kind, layout, hidden=hidden, embedding_dim=4, dropout=0.2, norm=norm, cross_layers=2)
    with torch.no_grad():  # weights large enough for every part to count
        for name, weight in net.named_parameters():
            if name not in ("embeddings.table", "embeddings.bias"):
                weight.add_(torch.randn(weight.shape) * 0.3)
            else:
                weight[1:] += torch.randn(weight[1:].shape)
    return net.eval()


def drawn(layout: Layout, rows: int = 7) -> CandidateBatch:
    rng = np.random.default_rng(5)
    top = max(1, layout.vocabulary)
    dense = torch.from_numpy(rng.normal(size=(rows, layout.dense)).astype(np.float32))
    ids = torch.from_numpy(rng.integers(0, top, (rows, layout.fields)))
    history = torch.from_numpy(rng.integers(0, top, (rows, layout.history)))
    if layout.history:
        history[0], history[1, 2:] = 0, 0
    return CandidateBatch(dense, ids, history)


class Oracle:
    """The same sums, candidate by candidate, field by field, in float64."""

    def __init__(self, kind: str, net: ClickNetwork) -> None:
        self.kind, self.layout = kind, net.layout
        self.w = {name: value.detach().numpy().astype(np.float64) for name, value in net.state_dict().items()}

    def linear(self, name: str, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(self.w[f"{name}.weight"] @ x + self.w.get(f"{name}.bias", 0.0))

    def deep(self, x: np.ndarray[Any, Any]) -> float:
        names = sorted({int(name.split(".")[1]) for name in self.w if name.startswith("deep.")})
        for number in names:
            if self.w[f"deep.{number}.weight"].ndim == 2:
                x = self.linear(f"deep.{number}", x)
            elif f"deep.{number}.running_mean" in self.w:
                x = (x - self.w[f"deep.{number}.running_mean"]) / np.sqrt(self.w[f"deep.{number}.running_var"] + 1e-5)
                x = np.maximum(self.w[f"deep.{number}.weight"] * x + self.w[f"deep.{number}.bias"], 0)
                continue
            else:
                x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
                x = np.maximum(self.w[f"deep.{number}.weight"] * x + self.w[f"deep.{number}.bias"], 0)
                continue
            after_norm = number + 1 in names and self.w[f"deep.{number + 1}.weight"].ndim == 1
            if number != names[-1] and not after_norm:
                x = np.maximum(x, 0)
        return float(x[0])

    def clicks(self, ids: list[int], history: list[int]) -> np.ndarray[Any, Any]:
        read = [self.w["embeddings.table"][row] for row in history if row]
        total = np.zeros(4)
        if self.kind == "din" and ids:
            asked = self.w["embeddings.table"][ids[0]]
            for click in read:
                units = (
                    self.linear("attention.candidate", asked)
                    + self.linear("attention.click", click)
                    + self.linear("attention.both", asked * click)
                )
                total += self.linear("attention.out", np.maximum(units, 0))[0] * click
            return total
        return sum(read, total) / max(1, len(read))

    def __call__(self, dense: np.ndarray[Any, Any], ids: list[int], history: list[int]) -> float:
        w, total = self.w, 0.0
        if self.kind in ("logistic", "fm", "deepfm"):
            total += float(w["first"] @ dense + w["intercept"][0])
            total += sum(float(w["embeddings.bias"][row, 0]) for row in ids)
        if self.kind == "logistic":
            return total
        vectors = [w["embeddings.table"][row] for row in ids]
        if self.layout.history:
            vectors.append(self.clicks(ids, history))
        if self.kind in ("fm", "deepfm"):
            features = [value * factor for value, factor in zip(dense, w["factors"], strict=True)] + vectors
            total += sum(float(a @ b) for a, b in itertools.combinations(features, 2))
        if self.kind == "fm":
            return total
        x0 = x = np.concatenate([dense, *vectors])
        if self.kind == "dcn":
            for number in range(2):
                x = x0 * self.linear(f"cross.layers.{number}", x) + x
            total += float(self.linear("cross.out", x)[0])
        return total + self.deep(x0)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("kind", CLICK_NETWORKS)
def test_every_network_is_its_sums_in_float64(kind: str, layout: Layout) -> None:
    net, batch = made(kind, layout), drawn(layout)
    oracle = Oracle(kind, net)
    expected = [
        oracle(dense.numpy().astype(np.float64), ids.tolist(), history.tolist())
        for dense, ids, history in zip(*batch, strict=True)
    ]
    with torch.inference_mode():
        np.testing.assert_allclose(net(batch).numpy(), expected, rtol=2e-4, atol=2e-4)
    if "logistic" not in kind and layout.dense:
        assert np.std(expected) > 0.01  # the comparison is of something


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_norms_stand_before_the_relu(norm: str) -> None:
    layout = Layout(4, 2, 3, 50)
    net, batch = made("dnn", layout, norm=norm), drawn(layout)
    for name, value in net.named_buffers():
        if name.endswith("running_mean"):
            value.copy_(torch.linspace(-1, 1, len(value)))
        elif name.endswith("running_var"):
            value.copy_(torch.linspace(0.5, 2, len(value)))
    oracle = Oracle("dnn", net)
    expected = [
        oracle(a.numpy().astype(np.float64), b.tolist(), c.tolist())
        for a, b, c in zip(batch.dense, batch.ids, batch.history, strict=True)
    ]
    with torch.inference_mode():
        np.testing.assert_allclose(net(batch).numpy(), expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("kind", CLICK_NETWORKS)
def test_one_readers_clicks_may_be_given_once(kind: str) -> None:
    layout = Layout(2, 2, 5, 50)
    net, batch = made(kind, layout), drawn(layout)
    once = batch._replace(history=batch.history[2:3])
    with torch.inference_mode():
        apart = net(batch._replace(history=batch.history[2:3].expand(7, -1)))
        torch.testing.assert_close(net(once), apart)


@pytest.mark.parametrize("kind", CLICK_NETWORKS)
def test_an_unknown_id_is_never_learned(kind: str) -> None:
    layout = Layout(2, 2, 3, 50)
    net = network(kind, layout, hidden=(8,), embedding_dim=4, dropout=0.0, norm="none", cross_layers=1)
    batch = drawn(layout)
    torch.autograd.backward(net(batch).sum())
    assert net.embeddings is not None
    for table in (net.embeddings.table, net.embeddings.bias):
        if table is not None and table.shape[1]:
            assert (table[0] == 0).all()
            assert table.grad is not None
            assert (table.grad[0] == 0).all()
            assert (table.grad != 0).any()


def click_of_pairs() -> tuple[CandidateBatch, torch.Tensor]:
    """A click where article and category are of the same parity: neither of them says anything alone."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 8, (2000, 2))
    label = (ids[:, 0] + ids[:, 1]) % 2 == 0
    rows = torch.from_numpy(ids + np.array([1, 9]))
    return CandidateBatch(torch.zeros(2000, 1), rows, torch.zeros(2000, 0, dtype=torch.long)), torch.from_numpy(
        label
    ).float()


@pytest.mark.parametrize("kind", CLICK_NETWORKS)
def test_all_but_logistic_learn_what_only_two_ids_together_tell(kind: str) -> None:
    batch, label = click_of_pairs()
    torch.manual_seed(2)
    layout = Layout(1, 2, 0, 17)
    net = network(kind, layout, hidden=(16,), embedding_dim=4, dropout=0.0, norm="none", cross_layers=2)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(150):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(batch), label)
        torch.autograd.backward(loss)
        optimiser.step()
    right = float(((net(batch) > 0) == (label > 0)).float().mean())
    assert right < 0.65 if kind == "logistic" else right > 0.95


def test_din_tells_a_candidate_like_the_last_clicks_from_another() -> None:
    rng = np.random.default_rng(4)
    camp = rng.integers(0, 2, 3000)
    article = rng.integers(0, 20, 3000)
    history = np.where(rng.random((3000, 4)) < 0.5, 1 + 2 * rng.integers(0, 10, (3000, 4)) + camp[:, None], 0)
    label = torch.from_numpy((article % 2 == camp) & (history > 0).any(1)).float()
    batch = CandidateBatch(torch.zeros(3000, 0), torch.from_numpy(article + 1)[:, None], torch.from_numpy(history))
    torch.manual_seed(2)
    net = network("din", Layout(0, 1, 4, 21), hidden=(16,), embedding_dim=8, dropout=0.0, norm="none", cross_layers=1)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(80):
        optimiser.zero_grad()
        torch.autograd.backward(torch.nn.functional.binary_cross_entropy_with_logits(net(batch), label))
        optimiser.step()
    assert float(((net(batch) > 0) == (label > 0)).float().mean()) > 0.95


@pytest.mark.parametrize(
    ("kind", "norm", "layout"),
    [("dnnn", "none", Layout(2, 0, 0, 0)), ("dnn", "group", Layout(2, 0, 0, 0)), ("fm", "none", Layout(0, 3, 0, 0))],
)
def test_a_network_of_nothing_is_refused(kind: str, norm: str, layout: Layout) -> None:
    with pytest.raises(DegenerateInput):
        network(kind, layout, hidden=(8,), embedding_dim=4, dropout=0.0, norm=norm, cross_layers=1)
