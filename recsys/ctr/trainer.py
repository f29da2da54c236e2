"""Training of one model, pass by pass: weights, their average and the optimiser's memory.

``Trainer`` makes a pass over impressions, in one process or in several. ``OnlineTrainer`` goes on learning from one
stretch of a log after another: columns are standardised as the first stretch says and stay so, because weights learned
on one scale mean nothing on another, and it reads columns only, since ids of articles are gone before they are learned.

Source: Polyak and Juditsky 1992 (averaged weights); McFadden 1974 (softmax over the list).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from recsys.ctr.config import CtrConfig
from recsys.ctr.data import ImpressionTensors, InMemoryWindows, Windows, training_mask
from recsys.ctr.distributed import ProcessGroup
from recsys.ctr.engine import Engine
from recsys.ctr.losses import Objective, resolved_loss
from recsys.ctr.model import ClickModel, Matrix
from recsys.ctr.network import CandidateBatch
from recsys.ctr.warm_start import dataset_statistics
from recsys.dataset.chunks import chunks_of
from recsys.devices import device_of, one_thread
from recsys.errors import DegenerateInput
from recsys.features.rows import CandidateRows, LabelledRows

_EMBEDDING_DECAY = 1e-4  # pull towards 0 of the vectors of the ids in a batch
AVERAGE_DECAY = 0.99  # share of the old average kept at each step: over about a hundred, less noise than in the last
EXPLODED = 1e4  # nats: a loss that no candidate deserves
FAULT_FILE = "batch.safetensors"
EMBEDDINGS = "net.embeddings."  # how the names of the tables' weights begin

Tensors = dict[str, torch.Tensor]
StepWatch = Callable[[int, float], None]  # called after each step with its rows and its mean loss


class Trainer:
    """A model in training, in one process or in each of several from its part of every batch.

    Attributes:
        model: with the weights as they move, on its device.
        group: the processes that learn together; None for one alone.
        length_exponent: see ``recsys.ctr.losses.loss_of``.
        steps_done: of the running epoch.
        rows_done: of the running epoch.
    """

    def __init__(
        self,
        model: ClickModel,
        config: CtrConfig,
        *,
        seed: int,
        folder: Path | None = None,
        group: ProcessGroup | None = None,
        length_exponent: float = 0.0,
    ) -> None:
        self.model, self.config, self.group, self._folder, self._seed = model, config, group, folder, seed
        self.length_exponent = length_exponent
        if group is not None:
            group.broadcast_weights(model.parts)
        self._engine = Engine(
            Objective(model.parts, config.loss, length_exponent),
            optimiser=config.optimiser,
            learning_rate=config.learning_rate,
            weight_decay=config.l2,
            l1=config.l1,
            embedding_l2=_EMBEDDING_DECAY,
            bf16=model.mean.is_cuda,
            exchange=group,
        )
        self._order = torch.Generator().manual_seed(seed)
        self._began = self._order.get_state()  # of the running epoch
        self._steps = self.steps_done = self.rows_done = 0
        self._loss = self._count = 0.0  # of the running epoch: sum, and clicks or rows
        self._average = {name: value for name, value in weights_of(model).items() if _is_averaged(name, value)}
        self._averaged = [model.parts.state_dict()[name] for name in self._average]  # the weights themselves

    def averaged(self) -> Tensors:
        """A copy of the weights to score with: averages, and the tables of ids as they are.

        A table's steps shrink by themselves, and to average all its rows at each step would cost more than the step.
        """
        return weights_of(self.model) | {name: value.clone() for name, value in self._average.items()}

    def epoch(self, data: Windows, factor: float = 1.0, watch: StepWatch | None = None) -> float:
        """One pass over all impressions, or the rest of one that was interrupted.

        Args:
            data: the impressions.
            factor: of the learning rate.
            watch: called after each step.

        Returns:
            The mean loss, dropout on: of a click among its list, or of a row.

        Raises:
            DegenerateInput: the loss is not finite, or has exploded.
        """
        self.model.parts.train()
        if self.steps_done:
            self._order.set_state(self._began)
        else:
            self._began, self._loss, self._count = self._order.get_state(), 0.0, 0.0
        skip = self.steps_done
        for impressions in data.windows(self._order):
            batches = self._batches(impressions)
            for numbers in batches[skip:]:
                self._step(impressions, numbers, factor, watch)
            skip = max(0, skip - len(batches))
        self.steps_done = self.rows_done = 0
        return self._loss / max(self._count, 1.0)

    def _batches(self, impressions: ImpressionTensors) -> list[torch.Tensor]:
        """Numbers in a drawn order; a last batch of fewer than there are processes waits for another epoch."""
        shuffled = torch.randperm(len(impressions.size), generator=self._order).to(impressions.size.device)
        smallest, size = 1 if self.group is None else self.group.size, impressions_per_batch(impressions, self.config)
        return [numbers for numbers in torch.split(shuffled, size) if len(numbers) >= smallest]

    def _step(
        self, impressions: ImpressionTensors, numbers: torch.Tensor, factor: float, watch: StepWatch | None
    ) -> None:
        config, group = self.config, self.group
        processes = 1 if group is None else group.size
        if group is not None:  # each drops other units, and one that goes on the same as one that was not interrupted
            torch.manual_seed(hash((self._seed, self._steps, group.rank)))
        mine = impressions.gather(numbers if group is None else group.shard(numbers))
        rows, label = mine.rows, impressions.label[mine.rows]
        counted = impressions.size if config.loss == "bce" else impressions.clicks
        count = counted[numbers].sum(dtype=torch.float32)
        self._engine.learning_rate = config.learning_rate * factor
        batch = CandidateBatch(self.model.standardised(impressions.dense[rows]), mine.ids, mine.history)
        positions = () if impressions.position is None else (impressions.position[rows],)
        share = count.clamp(min=1) / processes  # then the mean over processes is that of the batch
        loss = float(self._engine.step(batch, label, mine.group, mine.impressions, share, *positions))
        if not loss <= EXPLODED:  # true for NaN as well
            raise self._fault(impressions, impressions.gather(numbers).rows, loss)
        self._move_average()
        self._steps, self.steps_done = self._steps + 1, self.steps_done + 1
        self._loss, self._count = self._loss + loss * float(count), self._count + float(count)
        size = int(impressions.size[numbers].sum())
        self.rows_done += size
        if watch is not None:
            watch(size, loss)

    def _move_average(self) -> None:
        """Move the average towards the weights; those of the beginning, drawn at random, fade at once."""
        decay = min(AVERAGE_DECAY, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.values()), self._averaged, 1 - decay)

    def _fault(self, impressions: ImpressionTensors, rows: torch.Tensor, loss: float) -> DegenerateInput:
        """The error for a batch that cannot be learned from: it is saved, and its most extreme value named."""
        dense = impressions.dense[rows]
        deviation = ((dense - self.model.mean) / self.model.std).abs().nan_to_num(nan=torch.inf)  # (B, F)
        row, column = divmod(int(deviation.argmax()), deviation.shape[1])
        saved = ""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            batch = {"matrix": dense, "label": impressions.label[rows], "row": impressions.source[rows]}
            save_file({name: value.cpu().contiguous() for name, value in batch.items()}, self._folder / FAULT_FILE)
            saved = f"; the batch is in {self._folder / FAULT_FILE}"
        where = f"column {self.model.names[column]!r}, row {int(impressions.source[rows][row])}"
        value = f"{float(dense[row, column]):.6g}, {float(deviation[row, column]):.3g} deviations"
        got = f"{loss:.3g} after {self._steps} steps; furthest from its mean is {where}: {value}{saved}"
        remedy = "Lower ctr.learning_rate; look at that feature."
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
        counts = {"steps": self._steps, "steps_done": self.steps_done, "rows_done": self.rows_done}
        return tensors, counts | {"loss": self._loss, "count": self._count}

    def restore(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Stand where ``state`` was taken: the same steps follow, to the last bit."""
        device = self.model.mean.device
        self.model.parts.load_state_dict(with_prefix("weights", tensors), strict=False)  # the file has no empty ones
        self._average |= {name: value.to(device) for name, value in with_prefix("average", tensors).items()}
        self._engine.restore(with_prefix("optimiser", tensors))
        self._order.set_state(tensors["generator.order"])
        self._began = tensors["generator.began"]
        torch.set_rng_state(tensors["generator.torch"])
        if self.model.mean.is_cuda:
            torch.cuda.set_rng_state(tensors["generator.cuda"])
        self._steps, self.steps_done, self.rows_done = facts["steps"], facts["steps_done"], facts["rows_done"]
        self._loss, self._count = facts["loss"], facts["count"]


def with_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """The tensors whose name begins with a prefix, without it."""
    return {name.removeprefix(f"{prefix}."): value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def weights_of(model: ClickModel) -> Tensors:
    """A copy of all weights by name."""
    return {name: value.detach().clone() for name, value in model.parts.state_dict().items()}


def impressions_per_batch(impressions: ImpressionTensors, config: CtrConfig) -> int:
    """Impressions that have about ``ctr.batch_size`` rows."""
    return max(1, config.batch_size * len(impressions.size) // max(1, len(impressions.label)))


def _is_averaged(name: str, value: torch.Tensor) -> bool:
    return value.is_floating_point() and not name.startswith(EMBEDDINGS)


class OnlineTrainer:
    """A click model that goes on learning from one stretch of a log after another.

    Attributes:
        model: with the averaged weights, for scoring; before the first rows it knows nothing.
        ready: true once it has learned from any rows.
    """

    reads_ids = False

    def __init__(self, names: Sequence[str], config: CtrConfig, *, seed: int) -> None:
        loss = resolved_loss(config.loss, sampled=True)
        self.config, self.ready = config.model_copy(update={"fields": (), "loss": loss}), False
        self._device = device_of(config.device)
        torch.manual_seed(seed)
        learning = ClickModel(names, self.config).to(self._device)
        self.model = ClickModel(names, self.config)
        self._trainer = Trainer(learning, self.config, seed=seed)

    def learn(self, rows: LabelledRows, *, epochs: int = 1, learning_rate: float | None = None) -> float:
        """Learn from more impressions.

        Args:
            rows: N rows, columns as the model's names.
            epochs: passes over them.
            learning_rate: step size; ``ctr.learning_rate`` without one.

        Returns:
            The mean negative log likelihood of a click among its list, in the last pass, before it was learned from.

        Raises:
            DegenerateInput: see ``recsys.ctr.training.fit``.
        """
        statistics = dataset_statistics(self.model.names, chunks_of(rows), self.config)
        statistics.check(self.config)
        learning, loss = self._trainer.model, 0.0
        factor = (learning_rate or self.config.learning_rate) / self.config.learning_rate
        with one_thread(self._device):
            if not self.ready:
                learning.mean, learning.std = (part.to(self._device) for part in statistics.scale)
            data = InMemoryWindows(learning.encoder, self._device, rows, self.config, training_mask)
            for _ in range(epochs):
                loss = self._trainer.epoch(data, factor)
        self.model.mean, self.model.std = learning.mean.cpu(), learning.std.cpu()
        self.model.parts.load_state_dict({name: value.cpu() for name, value in self._trainer.averaged().items()})
        self.model.parts.eval()
        self.ready = True
        return loss

    def raw(self, candidates: CandidateRows) -> Matrix:
        """Log-odds of a click, up to one constant: float32 (N,); NaN before anything was learned."""
        return self.model.raw(candidates) if self.ready else np.full(len(candidates), np.nan, np.float32)
