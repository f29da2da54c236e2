"""The fast path of training: a step that costs what its batch holds.

Of the embedding table, a step copies the batch's distinct rows into a small table, runs the network over that, and
writes these rows back: neither gradient nor optimiser ever walks the whole table. All other weights are updated by
torch's fused optimisers. On a GPU a step has no size that depends on the data, so that it is recorded once as a CUDA
graph and replayed with one launch. Imports torch only: it runs on a bare GPU machine too.

L1 adds the subgradient of the penalty to a weight's gradient: at zero the one of least norm, so that a weight stays
there unless the loss pulls harder than the penalty; and a step that would cross zero ends at zero. So the optimum is
the same behind every optimiser. A proximal step behind an optimiser's own has that optimum with plain SGD alone: Adam
and RMSProp divide gradients by their size, and the penalty would weigh next to nothing.

Source: Duchi et al. 2011 (AdaGrad), one accumulator per row as in Mudigere et al. 2022; Zhou et al. 2018, section 5.2
(penalty on the rows of the batch only); Andrew and Gao 2007, section 3 (the subgradient of L1 at zero, and steps that
end there).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import nn
from torch.func import functional_call

from recsys.ctr.network import CandidateBatch, Embeddings
from recsys.errors import DegenerateInput

ROW_RATE = 10.0  # AdaGrad's step for a row, in learning rates: its steps shrink with every click seen, Adam's do not
EAGER_STEPS = 3  # before a CUDA graph is recorded: libraries allocate at their first call
ADAGRAD_EPSILON = 1e-10  # keeps a row's first step finite

OPTIMISERS = ("sgd", "momentum", "rmsprop", "adam", "adamw")


class GradientExchange(Protocol):
    """The exchange of gradients between processes before a step; see ``recsys.ctr.distributed``."""

    def mean(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its mean over processes."""

    def rows(self, rows: torch.Tensor, gradients: Sequence[torch.Tensor]) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Gather everyone's distinct rows (U,) and sum their gradients (U, D), over the number of processes."""


class Engine:
    """A network, its loss, and the memory of its optimiser.

    Attributes:
        objective: holds a ``ClickNetwork``; ``objective(batch, *targets)`` is the mean loss, targets any tensors.
    """

    def __init__(
        self,
        objective: nn.Module,
        *,
        optimiser: str = "adam",
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        l1: float = 0.0,
        embedding_l2: float = 0.0,
        bf16: bool = False,
        exchange: GradientExchange | None = None,
        static: bool | None = None,
        graphs: bool = True,
    ) -> None:
        """Prepare to train ``objective`` where its weights are.

        Args:
            objective: see the class.
            optimiser: of ``OPTIMISERS``, for all weights but the table's; rows of the table learn by AdaGrad.
            learning_rate: step size; a row's is ``ROW_RATE`` times as large.
            weight_decay: of all weights but the table's; decoupled in "adamw", L2 in the others.
            l1: of the weights that multiply an input: not of biases, norms and positions.
            embedding_l2: L2 on the rows of a batch, each once per step.
            bf16: matrix products in bfloat16, weights and sums in float32.
            exchange: gradients between processes; None with one process.
            static: true if no tensor's size may depend on the data; by default on a GPU.
            graphs: false to run a step on a GPU launch by launch, which measures the worth of recording it.

        Raises:
            DegenerateInput: an unknown optimiser.
        """
        self.objective, self._bf16, self._exchange = objective, bf16, exchange
        self._l1, self._embedding_l2 = l1, embedding_l2
        self._tables = tables_of(objective)
        table_ids = {id(table) for table in self._tables.values()}
        self._dense = [weight for weight in objective.parameters() if id(weight) not in table_ids]
        self._sparse = [weight for weight in multipliers_of(objective) if id(weight) not in table_ids]
        self._device = next(objective.parameters()).device
        self._static = self._device.type == "cuda" if static is None else static
        self._squares = {name: table.new_zeros(len(table)) for name, table in self._tables.items()}
        self._rate = torch.tensor(learning_rate, device=self._device)
        self._optimiser = _optimiser(optimiser, self._dense, self._rate, weight_decay)
        self._records = graphs and self._device.type == "cuda" and exchange is None
        self._graph: RecordedStep | None = None
        self._steps = 0

    @property
    def learning_rate(self) -> float:
        """The step size; may be set between steps."""
        return float(self._rate)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._rate.fill_(value)
        if self._device.type != "cuda":
            self._optimiser.param_groups[0]["lr"] = value

    def step(self, batch: CandidateBatch, *targets: torch.Tensor) -> torch.Tensor:
        """Learn from one batch.

        Returns:
            The loss before the step, a scalar on the device.
        """
        if not self._records:
            return self._step(batch, *targets)
        self._steps += 1
        if self._graph is None and self._steps > EAGER_STEPS:
            self._graph = RecordedStep(self._step_of, (*batch, *targets))
        if self._graph is not None and self._graph.fits((*batch, *targets)):
            return self._graph((*batch, *targets))
        return self._step(batch, *targets) if self._graph is not None else self._beside(batch, *targets)

    def _step_of(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self._step(CandidateBatch(*inputs[:3]), *inputs[3:])

    def state(self) -> dict[str, torch.Tensor]:
        """The optimiser's memory by name: with the weights, all that training goes on from."""
        state = {f"squares.{name}": value for name, value in self._squares.items()}
        for place, weight in enumerate(self._dense):
            memory = self._optimiser.state.get(weight, {})
            state |= {f"dense.{place}.{key}": value for key, value in memory.items() if torch.is_tensor(value)}
        return {name: value.detach().cpu().clone() for name, value in state.items()}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Take up a memory that ``state`` gave, of an engine of the same objective and optimiser."""
        for name, value in self._squares.items():
            value.copy_(state[f"squares.{name}"])
        for name, value in state.items():
            kind, _, rest = name.partition(".")
            if kind == "dense":
                place, _, key = rest.partition(".")
                device = "cpu" if key == "step" and self._device.type == "cpu" else self._device
                self._optimiser.state[self._dense[int(place)]][key] = value.to(device, copy=True)

    def _beside(self, batch: CandidateBatch, *targets: torch.Tensor) -> torch.Tensor:
        """A step in a stream of its own: what it leaves behind must not tie a later recording to the default stream."""
        stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            loss = self._step(batch, *targets)
        torch.cuda.current_stream(self._device).wait_stream(stream)
        return loss

    def _step(self, batch: CandidateBatch, *targets: torch.Tensor) -> torch.Tensor:
        for weight in self._dense:
            weight.grad = None
        rows, small = distinct(batch, self._static) if self._tables else (batch.ids, batch)
        own = {name: table.detach().index_select(0, rows).requires_grad_() for name, table in self._tables.items()}
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16, cache_enabled=False):
            loss: torch.Tensor = functional_call(self.objective, own, (small, *targets))
        torch.autograd.backward(loss)
        mean = loss.detach()
        with torch.no_grad():
            self._update(rows, own, mean)
        return mean

    def _update(self, rows: torch.Tensor, own: dict[str, torch.Tensor], loss: torch.Tensor) -> None:
        """Make the step; with other processes, all make the same, and the loss becomes that of all."""
        read = {name: weight for name, weight in own.items() if weight.grad is not None}
        gradients = [weight.grad for weight in read.values() if weight.grad is not None]
        weights = [weight.detach() for weight in read.values()]
        dense = [weight.grad for weight in self._dense if weight.grad is not None]
        if self._exchange is not None:
            self._exchange.mean([*dense, loss])
            if gradients:
                rows, gradients = self._exchange.rows(rows, gradients)
                weights = [self._tables[name].detach().index_select(0, rows) for name in read]
        signs = self._add_l1() if self._l1 else []
        self._optimiser.step()
        for weight, sign in zip(self._sparse, signs, strict=bool(signs)):
            weight.mul_(weight.sign() * sign >= 0)  # across zero: stop there
        for name, held, gradient in zip(read, weights, gradients, strict=True):
            self._update_rows(name, rows, held, gradient)

    def _add_l1(self) -> list[torch.Tensor]:
        """Add the subgradient of L1 to the gradients; the signs of the weights before the step."""
        signs = [weight.sign() for weight in self._sparse]
        for weight, sign in zip(self._sparse, signs, strict=True):
            if (gradient := weight.grad) is not None:
                at_zero = gradient - gradient.clamp(-self._l1, self._l1)
                gradient.copy_(torch.where(sign == 0, at_zero, gradient + self._l1 * sign))
        return signs

    def _update_rows(self, name: str, rows: torch.Tensor, weights: torch.Tensor, gradient: torch.Tensor) -> None:
        """AdaGrad with one accumulator per row; row 0, which ``rows`` may hold several times, has no gradient."""
        squares = self._squares[name]
        if self._embedding_l2:
            gradient = gradient.add(weights, alpha=self._embedding_l2)
        total = squares.index_select(0, rows).add_(gradient.square().mean(1))  # (U,)
        squares.index_copy_(0, rows, total)
        rate = -ROW_RATE * self._rate * total.add(ADAGRAD_EPSILON).rsqrt_()
        self._tables[name].detach().index_copy_(0, rows, weights.addcmul_(gradient, rate[:, None]))


class RecordedStep:
    """A step recorded as a CUDA graph: one launch instead of one per operation."""

    def __init__(self, step: Callable[..., torch.Tensor], inputs: Sequence[torch.Tensor]) -> None:
        self._inputs = [tensor.clone() for tensor in inputs]
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._loss = step(*self._inputs)

    def fits(self, inputs: Sequence[torch.Tensor]) -> bool:
        """True for inputs of the recorded shapes."""
        return [tensor.shape for tensor in inputs] == [tensor.shape for tensor in self._inputs]

    def __call__(self, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """Run the step on other values."""
        for held, tensor in zip(self._inputs, inputs, strict=True):
            held.copy_(tensor)
        self._graph.replay()
        return self._loss.clone()


def tables_of(objective: nn.Module) -> dict[str, nn.Parameter]:
    """The embedding tables with columns inside a module, by their full names."""
    tables = {}
    for path, module in objective.named_modules():
        if isinstance(module, Embeddings):
            for name, table in module.named_parameters(recurse=False):
                if table.shape[1]:
                    tables[f"{path}.{name}" if path else name] = table
    return tables


def multipliers_of(objective: nn.Module) -> list[nn.Parameter]:
    """The weights that multiply an input: matrices, and the first-order weights of the columns."""
    named = objective.named_parameters()
    return [weight for name, weight in named if weight.ndim > 1 or name.rpartition(".")[2] == "first"]


def distinct(batch: CandidateBatch, static: bool) -> tuple[torch.Tensor, CandidateBatch]:
    """The distinct rows that a batch reads, and the batch with places among them instead of rows.

    Args:
        batch: ids and history are rows of the table.
        static: true to fill the rows up with row 0 to the number of all ids: their number then depends on no data.

    Returns:
        int64 (U,), ascending behind row 0 at place 0; and the batch.
    """
    ids, history = batch.ids.flatten(), batch.history.flatten()
    rows = torch.cat([ids, history])
    ordered, origin = torch.sort(rows)
    new = torch.ones_like(ordered)
    new[1:] = ordered[1:] != ordered[:-1]
    place = torch.cumsum(new, 0)  # from 1
    place *= ordered > 0
    size = len(rows) + 1 if static or not len(rows) else int(place[-1]) + 1
    distinct_rows = torch.zeros(size, dtype=torch.int64, device=rows.device).scatter_(0, place, ordered.long())
    places = torch.empty_like(place).scatter_(0, origin, place)
    ids, history = places[: len(ids)], places[len(ids) :]
    return distinct_rows, CandidateBatch(batch.dense, ids.view(batch.ids.shape), history.view(batch.history.shape))


def _optimiser(
    name: str, weights: list[nn.Parameter], rate: torch.Tensor, weight_decay: float
) -> torch.optim.Optimizer:
    graphs = rate.device.type == "cuda"  # a recorded step reads its rate from the device
    lr = rate if graphs else float(rate)
    if name == "adam":
        return torch.optim.Adam(weights, lr, weight_decay=weight_decay, fused=True, capturable=graphs)
    if name == "adamw":
        return torch.optim.AdamW(weights, lr, weight_decay=weight_decay, fused=True, capturable=graphs)
    if name == "rmsprop":
        return torch.optim.RMSprop(weights, lr, weight_decay=weight_decay, foreach=True, capturable=graphs)
    if name in OPTIMISERS:
        momentum = 0.9 if name == "momentum" else 0.0
        return torch.optim.SGD(weights, lr, momentum, weight_decay=weight_decay, fused=True)
    expected = f"an optimiser of {', '.join(OPTIMISERS)}"
    raise DegenerateInput(expected, repr(name), "Correct the ctr section of the configuration.")
