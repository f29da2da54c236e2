"""Speed on synthetic clicks: ours beside DeepCTR-Torch at equal model and batch, and beside the machine's bounds.

Ids are skewed as real ones are; a click's log-odds are a hidden weight of each id and hidden products of pairs. Both
learn from the same rows, once, and are judged on the same rows held out: speed that costs learning would show. Imports
torch and numpy only.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.ctr import bounds
from benchmarks.ctr.beside import deepctr, missing
from benchmarks.ctr.columns import Columns, Pointwise
from recsys.ctr.architecture import CLICK_NETWORKS, Layout
from recsys.ctr.engine import Engine
from recsys.ctr.network import CandidateBatch, network

SKEW = 3.0  # an id's place is a uniform number to this power: a tenth of the ids makes nearly half of the rows
HELD = 50_000  # rows held out
CANDIDATES, SCORED, CLICKS, FIELDS, DENSE = 200, 300, 20, 10, 40  # scoring: one list, lists, clicks, ids, columns


class Shape(NamedTuple):
    """The shape of a training.

    Attributes:
        kind: of ``recsys.ctr.architecture.CLICK_NETWORKS``.
        fields: ids per row.
        vocabulary: rows of the table, all fields together.
        embedding_dim: D.
        hidden: widths of the layers.
        batch_size: rows per step.
    """

    kind: str
    fields: int
    vocabulary: int
    embedding_dim: int
    hidden: tuple[int, ...]
    batch_size: int

    @property
    def name(self) -> str:
        """The name in the results."""
        return f"{self.kind} {'-'.join(map(str, self.hidden))}"


def clicks(rows: int, fields: int, vocabulary: int, seed: int, device: torch.device) -> Columns:
    """Synthetic rows on a device; field k's ids are rows k V / K + 1 and up of the table."""
    size, cpu = vocabulary // fields, torch.Generator().manual_seed(seed)
    weight = torch.randn(fields, size, generator=cpu).to(device) * 0.3
    taste = torch.randn(fields, size, 2, generator=cpu).to(device) * 0.2
    generator = torch.Generator(device).manual_seed(seed)
    ids = torch.empty(rows, fields, dtype=torch.int32, device=device)
    odds, total = torch.full((rows,), -1.5, device=device), torch.zeros(rows, 2, device=device)
    for field in range(fields):
        place = (torch.rand(rows, generator=generator, device=device) ** SKEW * size).long().clamp_(max=size - 1)
        odds += weight[field, place]
        total += taste[field, place]
        ids[:, field] = place + field * size + 1
    odds += 0.5 * (total[:, 0] ** 2 - total[:, 1] ** 2)
    label = (torch.rand(rows, generator=generator, device=device) < odds.sigmoid()).float()
    nothing = torch.zeros(1, 0, dtype=torch.int32, device=device)
    return Columns(
        torch.zeros(rows, 0, device=device),
        ids,
        nothing,
        nothing,
        torch.zeros(rows, dtype=torch.int64, device=device),
        label,
    )


def train(
    data: Columns, shape: Shape, *, bf16: bool, seed: int, least: int = 6, graphs: bool = True
) -> tuple[Engine, float]:
    """One pass over the rows, after a few steps that are not counted; returns samples per second too."""
    torch.manual_seed(seed)
    device = data.label.device
    layout = Layout(0, shape.fields, 0, shape.vocabulary + 1)
    net = network(
        shape.kind,
        layout,
        hidden=shape.hidden,
        embedding_dim=shape.embedding_dim,
        dropout=0.0,
        norm="none",
        cross_layers=3,
    ).to(device)
    engine = Engine(Pointwise(net), bf16=bf16, graphs=graphs)
    generator, seen, began = torch.Generator().manual_seed(seed), 0, 0.0
    steps = len(data.label) // shape.batch_size
    warm = min(least, max(0, steps - 1))
    for number, (batch, label) in enumerate(data.batches(shape.batch_size, generator)):
        if number == warm:
            bounds.wait(device)
            began = time.perf_counter()
        engine.step(batch, label)
        seen += len(label) if number >= warm else 0
    bounds.wait(device)
    return engine, seen / (time.perf_counter() - began)


def scores(engine: Engine, data: Columns) -> torch.Tensor:
    """Log-odds of every row, float32 (N,), on the CPU."""
    assert isinstance(engine.objective, Pointwise)
    net = engine.objective.network.eval()
    with torch.inference_mode():
        parts = torch.split(torch.arange(len(data.label), device=data.label.device), 65_536)
        return torch.cat([net(data.batch(rows)) for rows in parts]).float().cpu()


def auc(scores: torch.Tensor, label: torch.Tensor) -> float:
    """The area under the ROC curve; ties count half."""
    values, place = torch.unique(scores, return_inverse=True)
    clicked = torch.bincount(place, label.double(), len(values))
    other = torch.bincount(place, 1 - label.double(), len(values))
    below = torch.cumsum(other, 0) - other
    return float((clicked * (below + other / 2)).sum() / (clicked.sum() * other.sum()))


def beside(learn: Columns, held: Columns, shape: Shape, *, threads: int, seed: int) -> dict[str, float]:
    """DeepCTR-Torch on the same rows: samples per second, and AUC of the rows held out."""
    size = shape.vocabulary // shape.fields
    ids = torch.cat([learn.ids, held.ids]).cpu().numpy().astype(np.int64) - np.arange(shape.fields) * size - 1
    label = torch.cat([learn.label, held.label]).cpu().numpy()
    part = np.repeat(np.array([0, 2], np.int8), (len(learn.label), len(held.label)))
    arrays = {"dense": np.zeros((len(ids), 0), np.float32), "ids": ids, "sizes": np.full(shape.fields, size)}
    arrays |= {"history": np.zeros((len(ids), 0), np.int64), "label": label, "part": part}
    facts = shape._asdict() | {"threads": threads, "seed": seed, "epochs": 1}
    found = deepctr(arrays, facts)
    rate = len(learn.label) / float(found.seconds[0])
    return {"samples_per_second": round(rate), "auc": round(auc(torch.from_numpy(found.scores), held.label.cpu()), 4)}


def scoring(hidden: Sequence[int], embedding_dim: int) -> dict[str, float]:
    """Milliseconds in which a network scores the candidates of one reader on one CPU thread, from array to array."""
    before, rng, found = torch.get_num_threads(), np.random.default_rng(1), {}
    torch.set_num_threads(1)
    dense = rng.normal(size=(CANDIDATES, DENSE)).astype(np.float32)
    ids, history = rng.integers(0, 50_000, (CANDIDATES, FIELDS)), rng.integers(0, 50_000, (1, CLICKS))
    for kind in CLICK_NETWORKS:
        net = network(
            kind,
            Layout(DENSE, FIELDS, CLICKS, 50_000),
            hidden=hidden,
            embedding_dim=embedding_dim,
            dropout=0.0,
            norm="none",
            cross_layers=3,
        ).eval()
        seconds = []
        with torch.inference_mode():
            for _ in range(SCORED):
                began = time.perf_counter()
                net(CandidateBatch(torch.from_numpy(dense), torch.from_numpy(ids), torch.from_numpy(history))).numpy()
                seconds.append(time.perf_counter() - began)
        found[kind] = round(1e3 * float(np.median(seconds)), 3)
    torch.set_num_threads(before)
    return found


def limits(data: Columns, shape: Shape, *, bf16: bool, rate: float) -> dict[str, float]:
    """The machine's bounds in samples per second, and the share of each that was reached."""
    device, dtype = data.label.device, torch.bfloat16 if bf16 else torch.float32
    widths = (shape.fields * shape.embedding_dim, *shape.hidden, 1)
    found = {"products": shape.batch_size / bounds.products(widths, shape.batch_size, dtype, device)}
    if device.type == "cuda":
        moved = bounds.least_bytes(shape.fields, shape.embedding_dim, shape.hidden, 2 if bf16 else 4)
        found["memory"] = bounds.bytes_per_second(device) / moved
        found["launches"] = shape.batch_size / (operations(data, shape, bf16) * bounds.launch_seconds(device))
    named = {f"{name}_bound": round(value) for name, value in found.items()}
    return named | {f"share_of_{name}_bound": round(rate / value, 3) for name, value in found.items()}


def operations(data: Columns, shape: Shape, bf16: bool) -> int:
    """Launches of one step that is not recorded."""
    few = Columns(*(part[: 4 * shape.batch_size] if len(part) > 1 else part for part in data))
    engine, _ = train(few._replace(label=few.label[: shape.batch_size]), shape, bf16=bf16, seed=1)
    rows = torch.arange(min(shape.batch_size, len(few.label)), device=data.label.device)
    counter = bounds.Launches()
    with counter:
        engine.step(data.batch(rows), data.label[rows])
    return counter.count


def compare(options: dict[str, Any], shapes: Sequence[Shape], device: torch.device) -> dict[str, Any]:
    """Measure every shape, ours and theirs, and print each as soon as it is known."""
    rows, seed = options["rows"], options["seed"]
    first = shapes[0]
    data = clicks(rows + HELD, first.fields, first.vocabulary, seed, device)
    held = Columns(*(part[rows:] if len(part) > 1 else part for part in data))
    equal = min(rows, options["beside_rows"])
    learn, same = (Columns(*(part[:n] if len(part) > 1 else part for part in data)) for n in (rows, equal))
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for shape in shapes:
        for bf16 in options["precisions"]:
            engine, _ = train(same, shape, bf16=bf16, seed=seed)
            figure = round(auc(scores(engine, held), held.label.cpu()), 4)
            rate = train(learn, shape, bf16=bf16, seed=seed)[1]
            name = f"{shape.name} {'bf16' if bf16 else 'fp32'}"
            ours[name] = {"samples_per_second": round(rate), "auc": figure}
            ours[name] |= limits(learn, shape, bf16=bf16, rate=rate)
            print(f"{name:30} {ours[name]}", flush=True)
        if not missing():
            theirs[shape.name] = beside(same, held, shape, threads=options["threads"], seed=seed)
            print(f"deepctr-torch {shape.name:16} {theirs[shape.name]}", flush=True)
    return {"ours": ours, "baselines": theirs, "best": summary(ours, theirs)}


def summary(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float]:
    """The fastest of ours, and how many times as fast as DeepCTR-Torch each of ours is."""
    best = max(ours, key=lambda name: float(ours[name]["samples_per_second"]))
    found = dict(ours[best])
    for name, one in ours.items():
        other = theirs.get(name.rsplit(" ", 1)[0])
        if other:
            found[f"times_as_fast {name}"] = round(one["samples_per_second"] / other["samples_per_second"], 2)
    return found
