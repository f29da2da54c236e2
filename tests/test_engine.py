"""The fast path: its steps beside plain torch, rows it may not touch, stopping and going on."""

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.ctr.columns import Columns, Pointwise
from recsys.ctr.architecture import CLICK_NETWORKS, Layout
from recsys.ctr.engine import ADAGRAD_EPSILON, OPTIMISERS, ROW_RATE, Engine, distinct
from recsys.ctr.network import CandidateBatch, ClickNetwork, network
from recsys.errors import DegenerateInput

LAYOUT = Layout(2, 3, 4, 40)


def made(kind: str = "deepfm", *, dropout: float = 0.0, layout: Layout = LAYOUT) -> ClickNetwork:
    torch.manual_seed(7)
    return network(kind, layout, hidden=(8,), embedding_dim=4, dropout=dropout, norm="none", cross_layers=2)


def columns(rows: int = 60, top: int = 40) -> Columns:
    rng = np.random.default_rng(3)
    lists = rows // 3
    return Columns.of(
        rng.normal(size=(rows, 2)).astype(np.float32),
        rng.integers(0, top, (rows, 1)),
        rng.integers(0, top, (lists, 2)),
        rng.integers(0, top, (lists, 4)),
        np.repeat(np.arange(lists, dtype=np.int32), 3),
        (rng.random(rows) < 0.4).astype(np.int8),
        "cpu",
    )


def tables(net: ClickNetwork) -> list[torch.Tensor]:
    assert net.embeddings is not None
    return [table for table in (net.embeddings.table, net.embeddings.bias) if table is not None and table.shape[1]]


def test_a_batch_holds_the_candidates_with_what_their_lists_share() -> None:
    data = columns()
    batch = data.batch(torch.tensor([4, 0, 59]))
    assert batch.dense.tolist() == data.dense[[4, 0, 59]].tolist()
    assert batch.ids.tolist() == [[int(data.ids[row, 0]), *data.context[row // 3].tolist()] for row in (4, 0, 59)]
    assert batch.history.tolist() == data.history[[1, 0, 19]].tolist()


def test_every_candidate_comes_once_per_epoch() -> None:
    data = columns()
    data = data._replace(dense=torch.arange(60.0)[:, None].expand(60, 2).contiguous())
    generator = torch.Generator().manual_seed(1)
    first, second = ([batch.dense[:, 0].tolist() for batch, _ in data.batches(17, generator)] for _ in range(2))
    assert [len(part) for part in first] == [17, 17, 17, 9]
    for epoch in (first, second):
        assert sorted(number for part in epoch for number in part) == list(range(60))
    assert first != second


@pytest.mark.parametrize("static", [False, True])
def test_distinct_rows_are_looked_up_in_their_place(static: bool) -> None:
    batch = CandidateBatch(torch.zeros(2, 1), torch.tensor([[7, 3], [0, 7]]), torch.tensor([[9, 0], [3, 3]]))
    rows, small = distinct(batch, static)
    assert rows[small.ids].tolist() == batch.ids.tolist()
    assert rows[small.history].tolist() == batch.history.tolist()
    assert (small.ids[batch.ids == 0] == 0).all()
    assert sorted(rows[rows > 0].tolist()) == [3, 7, 9]  # each once
    assert len(rows) == 9 if static else len(rows) <= 5


def test_no_known_id_at_all_is_a_batch_like_any_other() -> None:
    for static in (False, True):
        rows, small = distinct(
            CandidateBatch(torch.zeros(1, 1), torch.zeros(1, 2).long(), torch.zeros(1, 0).long()), static
        )
        assert (rows == 0).all()
        assert small.ids.tolist() == [[0, 0]]


def by_hand(net: ClickNetwork, batch: CandidateBatch, label: torch.Tensor, l2: float, steps: int) -> None:
    """Adam of whole tensors, and AdaGrad of whole tables in which only the batch's rows move."""
    held = {id(table) for table in tables(net)}
    adam = torch.optim.Adam([weight for weight in net.parameters() if id(weight) not in held], 0.01)
    squares = [torch.zeros(len(table)) for table in tables(net)]
    read = torch.zeros(LAYOUT.vocabulary, dtype=torch.bool)
    read[torch.cat([batch.ids.flatten(), batch.history.flatten()]).long()] = True
    for _ in range(steps):
        net.zero_grad()
        torch.autograd.backward(binary_cross_entropy_with_logits(net(batch), label))
        adam.step()
        with torch.no_grad():
            for table, total in zip(tables(net), squares, strict=True):
                assert table.grad is not None
                gradient = torch.where(read[:, None], table.grad + l2 * table, 0)
                total += gradient.square().mean(1)
                table -= ROW_RATE * 0.01 * gradient / (total + ADAGRAD_EPSILON).sqrt()[:, None]


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("kind", CLICK_NETWORKS)
def test_steps_are_those_of_whole_tables(kind: str, static: bool) -> None:
    data = columns(top=30)  # rows 30 to 39 are never read
    batch, label = data.batch(torch.arange(60)), data.label
    ours, plain = made(kind), made(kind)
    engine = Engine(Pointwise(ours), optimiser="adam", learning_rate=0.01, embedding_l2=0.1, static=static)
    before = [table.clone() for table in tables(ours)]
    for _ in range(4):
        loss = engine.step(batch, label)
    by_hand(plain, batch, label, 0.1, 4)
    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, plain.state_dict()[name], rtol=2e-3, atol=2e-5)
    for table, old in zip(tables(ours), before, strict=True):
        assert (table[0] == 0).all()
        assert torch.equal(table[30:], old[30:])
        assert not torch.equal(table[1:30], old[1:30])
    assert loss.shape == ()


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_every_optimiser_learns(optimiser: str) -> None:
    data, net = columns(), made()
    rate = 0.05 if optimiser in ("sgd", "momentum") else 0.01
    engine = Engine(Pointwise(net), optimiser=optimiser, learning_rate=rate)
    losses = [float(engine.step(data.batch(torch.arange(60)), data.label)) for _ in range(40)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_learning_rate_of_zero_changes_nothing_and_can_be_raised() -> None:
    data, net = columns(), made()
    engine = Engine(Pointwise(net), learning_rate=0.01)
    engine.learning_rate = 0.0
    before = {name: value.clone() for name, value in net.state_dict().items()}
    engine.step(data.batch(torch.arange(60)), data.label)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    engine.learning_rate = 0.02
    assert engine.learning_rate == pytest.approx(0.02)
    engine.step(data.batch(torch.arange(60)), data.label)
    assert not torch.equal(net.state_dict()["deep.0.weight"], before["deep.0.weight"])


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_goes_on_from_its_state_as_if_it_had_not_stopped(optimiser: str) -> None:
    data = columns()
    batch = data.batch(torch.arange(60))
    whole = made()
    engine = Engine(Pointwise(whole), optimiser=optimiser, learning_rate=0.01)
    for _ in range(3):
        engine.step(batch, data.label)
    state, weights = engine.state(), {name: value.clone() for name, value in whole.state_dict().items()}
    engine.step(batch, data.label)
    again = made()
    again.load_state_dict(weights)
    second = Engine(Pointwise(again), optimiser=optimiser, learning_rate=0.01)
    second.restore(state)
    second.step(batch, data.label)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_bfloat16_learns_the_same_within_its_three_digits() -> None:
    data = columns()
    losses = {}
    for bf16 in (False, True):
        engine = Engine(Pointwise(made()), learning_rate=0.01, bf16=bf16)
        losses[bf16] = [float(engine.step(data.batch(torch.arange(60)), data.label)) for _ in range(20)]
    assert losses[True] == pytest.approx(losses[False], rel=0.03)
    assert losses[True] != losses[False]
    assert losses[True][-1] < losses[True][0]


def test_a_network_without_ids_trains() -> None:
    layout = Layout(2, 0, 0, 0)
    net = made("dnn", layout=layout)
    rng = np.random.default_rng(1)
    dense, nothing = rng.normal(size=(50, 2)).astype(np.float32), np.zeros((1, 0), np.int64)
    label = (dense[:, 0] > 0).astype(np.int8)
    none = np.zeros((50, 0), np.int64)
    data = Columns.of(dense, none, nothing, nothing, np.zeros(50, np.int32), label, "cpu")
    engine = Engine(Pointwise(net), learning_rate=0.05)
    losses = [float(engine.step(data.batch(torch.arange(50)), data.label)) for _ in range(60)]
    assert losses[-1] < 0.2


def test_an_unknown_optimiser_is_refused() -> None:
    with pytest.raises(DegenerateInput, match="adamw"):
        Engine(Pointwise(made()), optimiser="adagrad")


class Weighted(torch.nn.Module):
    """A loss whose gradient is the row, whatever the weights are."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([[0.3, -0.3, -0.04, 0.02, 0.2, 0.0, 0.0, 0.0]]))
        self.bias = torch.nn.Parameter(torch.tensor([0.02]))

    def forward(self, batch: CandidateBatch) -> torch.Tensor:
        return (batch.dense @ self.weight.T + self.bias).mean()


def test_an_l1_step_by_hand_moves_weights_towards_zero_and_stops_there() -> None:
    objective, none = Weighted(), torch.zeros(1, 0, dtype=torch.int64)
    engine = Engine(objective, optimiser="sgd", learning_rate=0.1, l1=0.5)
    row = torch.tensor([[1.0, -1.0, 0.0, 0.0, 1.6, 0.4, -0.5, 2.0]])
    engine.step(CandidateBatch(row, none, none))
    # .3 - .1 (1 + .5), the same below zero; three would cross zero; .4 and .5 pull no harder than .5; 0 - .1 (2 - .5)
    expected = torch.tensor([[0.15, -0.15, 0.0, 0.0, 0.0, 0.0, 0.0, -0.15]])
    torch.testing.assert_close(objective.weight.detach(), expected, rtol=0, atol=1e-7)
    assert (objective.weight == 0).sum() == 5
    assert objective.bias.item() == pytest.approx(-0.08)  # a bias has no penalty


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_optimum_of_l1_is_the_same_behind_every_optimiser(optimiser: str) -> None:
    """Least squares of two columns that are one another's opposite halves: the soft threshold of plain means."""
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    target = 0.8 * x[:, 0] + 0.3 * x[:, 1]

    class Squares(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([[0.1, 0.1]]))

        def forward(self, batch: CandidateBatch) -> torch.Tensor:
            return 0.5 * (batch.dense @ self.weight[0] - target).square().mean()

    objective, none = Squares(), torch.zeros(4, 0, dtype=torch.int64)
    rate = 0.02 if optimiser == "momentum" else 0.2  # ten steps of which add up
    engine = Engine(objective, optimiser=optimiser, learning_rate=rate, l1=0.5)
    for step in range(2_000):
        engine.learning_rate = rate / (1 + step / 50)
        engine.step(CandidateBatch(x, none, none))
    assert objective.weight[0, 0].item() == pytest.approx(0.3, abs=5e-3)  # .8 - .5
    assert objective.weight[0, 1].item() == pytest.approx(0.0, abs=5e-3)  # .3 is less than .5


@pytest.mark.parametrize("kind", ["logistic", "deepfm", "dcn"])
def test_l1_leaves_biases_and_ids_alone(kind: str) -> None:
    data, plain, sparse = columns(), made(kind), made(kind)
    for net, l1 in ((plain, 0.0), (sparse, 0.2)):
        engine = Engine(Pointwise(net), optimiser="sgd", learning_rate=0.02, l1=l1)
        engine.step(data.batch(torch.arange(60)), data.label)
    for name, weight in plain.named_parameters():
        penalised = name.endswith(".weight") or name in ("first", "factors")
        assert torch.equal(sparse.get_parameter(name), weight) != penalised, name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_recorded_step_learns_what_a_plain_one_does() -> None:
    data = Columns(*(tensor.cuda() for tensor in columns()))
    batch, losses = data.batch(torch.arange(60, device="cuda")), []
    for plain in (True, False):
        engine = Engine(Pointwise(made().cuda()), learning_rate=0.01)
        step = engine._step if plain else engine.step
        losses.append([float(step(batch, data.label)) for _ in range(12)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
