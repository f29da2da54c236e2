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
from recsys.ctr.distributed import Group
from recsys.ctr.engine import Engine
from recsys.ctr.inputs import Lists, draw
from recsys.ctr.losses import loss_of
from recsys.ctr.model import ClickModel
from recsys.ctr.networks import Batch
from recsys.ctr.sources import Source
from recsys.errors import DegenerateInput

AVERAGE = 0.99  # share of the old average kept at each step: about the last hundred steps, less noise than the last one
EXPLODED = 1e4  # nats: a loss that no candidate deserves
BATCH_FILE = "batch.safetensors"
TABLES = "net.embeddings."

Step = Callable[[int, float], None]  # told after each step: its rows, its mean loss


class Objective(nn.Module):
    """The mean loss of a model's parts, per click or per row."""

    def __init__(self, parts: nn.ModuleDict, loss: str) -> None:
        super().__init__()
        self.parts, self._loss = parts, loss

    def forward(
        self,
        batch: Batch,
        label: torch.Tensor,
        group: torch.Tensor,
        lists: torch.Tensor,
        count: torch.Tensor,
        place: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A batch -> a scalar.

        Args:
            batch: B rows.
            label: float32 (B,).
            group: int64 (B,), the list of each row.
            lists: int64 (L,), a number per list.
            count: float32 (), rows or clicks that the loss is the mean over.
            place: int64 (B,), where the rows stood.
        """
        logit = log_odds(self.parts, batch, place).float()
        return loss_of(self._loss, logit, label, group, len(lists)) / count


def log_odds(parts: nn.ModuleDict, batch: Batch, place: torch.Tensor | None) -> torch.Tensor:
    """What network and position tower say of B rows: float32 (B,); without a place, of rows that stand first."""
    out: torch.Tensor = parts["net"](batch)
    return out if place is None or "position" not in parts else out + parts["position"](place)


class Trainer:
    """A model that learns, in one process or in each of several from its part of every batch.

    Attributes:
        model: with the weights as they move, on its device.
        group: the processes that learn together; None for one alone.
        done: steps of the running epoch that are behind.
        seen: rows of the running epoch that are.
    """

    def __init__(
        self,
        model: ClickModel,
        config: CtrConfig,
        *,
        seed: int,
        folder: Path | None = None,
        group: Group | None = None,
    ) -> None:
        self.model, self.config, self.group, self._folder, self._seed = model, config, group, folder, seed
        if group is not None:
            group.start(model.parts)
        self._engine = Engine(
            Objective(model.parts, config.loss),
            optimiser=config.optimiser,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            embedding_l2=config.embedding_decay,
            clip=config.clip_norm,
            bf16=model.mean.is_cuda,
            exchange=group,
        )
        self._order = torch.Generator().manual_seed(seed)
        self._began = self._order.get_state()  # of the running epoch
        self._steps = self.done = self.seen = 0
        self._total = self._clicks = 0.0
        self._average = {name: value for name, value in weights(model).items() if _is_averaged(name, value)}
        self._averaged = [model.parts.state_dict()[name] for name in self._average]  # what it is the average of

    def averaged(self) -> Tensors:
        """A copy of the weights to score with: averages, and the tables of ids as they are.

        A table's steps shrink by themselves, and to average all its rows at each step would cost more than the step.
        """
        return weights(self.model) | {name: value.clone() for name, value in self._average.items()}

    def epoch(self, source: Source, factor: float = 1.0, told: Step | None = None) -> float:
        """One pass over all lists, or what is left of one.

        Args:
            source: of the lists.
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
        behind = self.done
        for lists in source.windows(self._order):
            batches = self._batches(lists)
            for numbers in batches[behind:]:
                self._step(lists, numbers, factor, told)
            behind = max(0, behind - len(batches))
        self.done = self.seen = 0
        return self._total / max(self._clicks, 1.0)

    def _batches(self, lists: Lists) -> list[torch.Tensor]:
        """Numbers of lists in a drawn order; a last batch of fewer than there are processes waits for another epoch."""
        shuffled = torch.randperm(len(lists.size), generator=self._order).to(lists.size.device)
        least = 1 if self.group is None else self.group.size
        return [some for some in torch.split(shuffled, lists_a_batch(lists, self.config)) if len(some) >= least]

    def _step(self, lists: Lists, numbers: torch.Tensor, factor: float, told: Step | None) -> None:
        config, group = self.config, self.group
        processes = 1 if group is None else group.size
        if group is not None:  # each drops other units, and one that goes on the same as one that was not interrupted
            torch.manual_seed(hash((self._seed, self._steps, group.rank)))
        drawn = draw(lists, numbers if group is None else group.part(numbers))
        rows, label = drawn.rows, lists.label[drawn.rows]
        count = (lists.size if config.loss == "bce" else lists.clicks)[numbers].sum(dtype=torch.float32)
        warm = min(1.0, (self._steps + 1) / max(1, config.warmup_steps))
        self._engine.learning_rate = config.learning_rate * factor * warm
        batch = Batch(self.model.standardised(lists.dense[rows]), drawn.ids, drawn.history)
        places = () if lists.place is None else (lists.place[rows],)
        share = count.clamp(min=1) / processes  # then the mean over processes is that of the batch
        loss = float(self._engine.step(batch, label, drawn.group, drawn.lists, share, *places))
        if not loss <= EXPLODED:
            raise self._fault(lists, draw(lists, numbers).rows, loss)
        self._move_average()
        self._steps, self.done = self._steps + 1, self.done + 1
        self._total, self._clicks = self._total + loss * float(count), self._clicks + float(count)
        size = int(lists.size[numbers].sum())
        self.seen += size
        if told is not None:
            told(size, loss)

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
        counts = {"steps": self._steps, "done": self.done, "seen": self.seen}
        return tensors, counts | {"total": self._total, "clicks": self._clicks}

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
        self._steps, self.done, self.seen = facts["steps"], facts["done"], facts["seen"]
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
