"""One model on its way: weights, their average and the optimiser's memory, moved by one pass over lists at a time.

Source: Polyak and Juditsky 1992 (averaged weights).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from recsys.ctr.checkpoints import Tensors
from recsys.ctr.config import CtrConfig
from recsys.ctr.engine import Engine
from recsys.ctr.inputs import Drawn, Lists, draw
from recsys.ctr.losses import cross_entropy, list_softmax
from recsys.ctr.model import ClickModel
from recsys.ctr.networks import Batch
from recsys.errors import DegenerateInput

AVERAGE = 0.99  # share of the old average kept at each step: about the last hundred steps, less noise than the last one
EXPLODED = 1e4  # nats: a loss that no candidate deserves
BATCH_FILE = "batch.safetensors"
TABLES = "net.embeddings."

Step = Callable[[int, float], None]  # told after each step: its rows, its mean loss


class Objective(nn.Module):
    """The mean loss of a model's parts: of a click among its list, or of a row."""

    def __init__(self, parts: nn.ModuleDict, loss: str) -> None:
        super().__init__()
        self.parts, self._loss = parts, loss

    def forward(
        self,
        batch: Batch,
        label: torch.Tensor,
        group: torch.Tensor,
        lists: torch.Tensor,
        place: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A batch with its labels, the list of each row, a number per list, and the rows' places -> a scalar."""
        logit = log_odds(self.parts, batch, place).float()
        if self._loss == "bce":
            return cross_entropy(logit, label) / len(label)
        return list_softmax(logit, label, group, len(lists)) / label.sum().clamp(min=1)


def log_odds(parts: nn.ModuleDict, batch: Batch, place: torch.Tensor | None) -> torch.Tensor:
    """What network and position tower say of B rows: float32 (B,); without a place, of rows that stand first."""
    out: torch.Tensor = parts["net"](batch)
    return out if place is None or "position" not in parts else out + parts["position"](place)


class Trainer:
    """A model that learns.

    Attributes:
        model: with the weights as they move, on its device.
        done: steps of the running epoch that are behind.
    """

    def __init__(self, model: ClickModel, config: CtrConfig, *, seed: int, folder: Path | None = None) -> None:
        self.model, self.config, self._folder = model, config, folder
        self._engine = Engine(
            Objective(model.parts, config.loss),
            optimiser=config.optimiser,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            embedding_l2=config.embedding_decay,
            clip=config.clip_norm,
            bf16=model.mean.is_cuda,
        )
        self._order = torch.Generator().manual_seed(seed)
        self._began = self._order.get_state()  # of the running epoch
        self._steps = self.done = 0
        self._total = self._clicks = 0.0
        self._average = {name: value for name, value in weights(model).items() if _is_averaged(name, value)}
        self._averaged = [model.parts.state_dict()[name] for name in self._average]  # what it is the average of

    def averaged(self) -> Tensors:
        """A copy of the weights to score with: averages, and the tables of ids as they are.

        A table's steps shrink by themselves, and to average all its rows at each step would cost more than the step.
        """
        return weights(self.model) | {name: value.clone() for name, value in self._average.items()}

    def epoch(self, lists: Lists, factor: float = 1.0, told: Step | None = None) -> float:
        """One pass over the lists, or what is left of one.

        Args:
            lists: on the model's device.
            factor: of the step size.
            told: called after each step.

        Returns:
            The mean loss, dropout on: of a click among its list, or of a row.

        Raises:
            DegenerateInput: the loss is not finite, or has exploded.
        """
        self.model.parts.train()
        if self.done:
            self._order.set_state(self._began)
        else:
            self._began, self._total, self._clicks = self._order.get_state(), 0.0, 0.0
        L = len(lists.size)
        per_batch = lists_a_batch(lists, self.config)
        shuffled = torch.randperm(L, generator=self._order).to(lists.size.device)
        for start in range(self.done * per_batch, L, per_batch):
            self._step(lists, draw(lists, shuffled[start : start + per_batch]), factor, told)
        self.done = 0
        return self._total / max(self._clicks, 1.0)

    def _step(self, lists: Lists, drawn: Drawn, factor: float, told: Step | None) -> None:
        config, rows = self.config, drawn.rows
        label = lists.label[rows]
        warm = min(1.0, (self._steps + 1) / max(1, config.warmup_steps))
        self._engine.learning_rate = config.learning_rate * factor * warm
        batch = Batch(self.model.standardised(lists.dense[rows]), drawn.ids, drawn.history)
        places = () if lists.place is None else (lists.place[rows],)
        loss = float(self._engine.step(batch, label, drawn.group, drawn.lists, *places))
        if not loss <= EXPLODED:
            raise self._fault(lists, rows, loss)
        count = len(rows) if config.loss == "bce" else float(label.sum())
        self._move_average()
        self._steps, self.done = self._steps + 1, self.done + 1
        self._total, self._clicks = self._total + loss * count, self._clicks + count
        if told is not None:
            told(len(rows), loss)

    def _move_average(self) -> None:
        """Towards the weights of now; those of the beginning, drawn at random, fade at once."""
        kept = min(AVERAGE, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.values()), self._averaged, 1 - kept)

    def start_from(self, kept: Tensors) -> None:
        """Go on from other weights, which are the average from now on; the optimiser remembers what it knew."""
        self.model.parts.load_state_dict(kept)
        self._average = {name: kept[name].clone() for name in self._average}

    def _fault(self, lists: Lists, rows: torch.Tensor, loss: float) -> DegenerateInput:
        """What to say of a batch that cannot be learned from: it is saved, and its most extreme value named."""
        dense = lists.dense[rows]
        far = ((dense - self.model.mean) / self.model.std).abs().nan_to_num(nan=torch.inf)  # (B, F)
        place = int(far.argmax())
        row, column = divmod(place, far.shape[1])
        saved = ""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = {"matrix": dense, "label": lists.label[rows], "row": lists.source[rows]}
            save_file({name: value.cpu().contiguous() for name, value in kept.items()}, self._folder / BATCH_FILE)
            saved = f"; the batch is in {self._folder / BATCH_FILE}"
        where = f"column {self.model.names[column]!r}, row {int(lists.source[rows][row])}"
        value = f"{float(dense[row, column]):.6g}, {float(far[row, column]):.3g} deviations"
        got = f"{loss:.3g} after {self._steps} steps; furthest from its mean is {where}: {value}{saved}"
        remedy = "Lower ctr.learning_rate, or set ctr.clip_norm or ctr.warmup_steps; look at that feature."
        return DegenerateInput("a finite loss below 10,000", got, remedy)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """All that the next step depends on: see ``restore``."""
        tensors = {f"weights.{name}": value for name, value in self.model.parts.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self._average.items()}
        tensors |= {f"optimiser.{name}": value for name, value in self._engine.state().items()}
        tensors |= {"generator.order": self._order.get_state(), "generator.began": self._began}
        tensors["generator.torch"] = torch.get_rng_state()
        if self.model.mean.is_cuda:
            tensors["generator.cuda"] = torch.cuda.get_rng_state()
        return tensors, {"steps": self._steps, "done": self.done, "total": self._total, "clicks": self._clicks}

    def restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Stand where ``state`` was taken: the same steps follow, to the last bit."""
        self.model.parts.load_state_dict(under("weights", tensors), strict=False)  # what is empty is not in the file
        self._average |= {name: value.to(self.model.mean.device) for name, value in under("average", tensors).items()}
        self._engine.restore(under("optimiser", tensors))
        self._order.set_state(tensors["generator.order"])
        self._began = tensors["generator.began"]
        torch.set_rng_state(tensors["generator.torch"])
        if self.model.mean.is_cuda:
            torch.cuda.set_rng_state(tensors["generator.cuda"])
        self._steps, self.done = facts["steps"], facts["done"]
        self._total, self._clicks = facts["total"], facts["clicks"]


def under(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose name begins with a prefix, without it."""
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def weights(model: ClickModel) -> Tensors:
    """A copy of all weights by name."""
    return {name: value.detach().clone() for name, value in model.parts.state_dict().items()}


def lists_a_batch(lists: Lists, config: CtrConfig) -> int:
    """Lists that have about ``ctr.batch_size`` rows."""
    return max(1, config.batch_size * len(lists.size) // max(1, len(lists.label)))


def _is_averaged(name: str, value: torch.Tensor) -> bool:
    return value.is_floating_point() and not name.startswith(TABLES)
