"""Where a training begins: at nothing, or at the model of yesterday with the ids of today."""

from collections.abc import Sequence

import torch

from recsys.ctr.config import CtrConfig
from recsys.ctr.inputs import Reads
from recsys.ctr.model import SHAPE, ClickModel
from recsys.ctr.survey import Survey
from recsys.ctr.vocabulary import DAY_MS, Longs, Vocabulary

TABLES = ("net.embeddings.table", "net.embeddings.bias")


def continues(last: ClickModel, names: Sequence[str], config: CtrConfig) -> bool:
    """Whether training can go on from a model: it has the same columns and the same network; dropout may differ."""
    same = all(getattr(last.config, name) == getattr(config, name) for name in SHAPE if name != "dropout")
    return same and last.names == tuple(names)


def begun(names: Sequence[str], found: Survey, config: CtrConfig, last: ClickModel | None, through: int) -> ClickModel:
    """A model that has learned nothing of these rows yet.

    Args:
        names: the F columns.
        found: what it will learn from: the ids make the vocabulary, or make that of ``last`` grow.
        config: the network.
        last: a model that ``continues``; its weights, scale and rows of the table stay, but for ids that have expired.
        through: ms of the last row.

    Returns:
        The model; without ``last``, torch's global generator draws its weights and its scale is that of the rows.
    """
    known = Vocabulary.empty() if last is None else last.vocabulary
    reads, day = Reads.of(config.fields), through // DAY_MS
    grown, fresh = known, torch.zeros(0, dtype=torch.int64).numpy()
    if reads.any:
        rules = {"day": day, "min_seen": config.min_seen, "expire_days": config.expire_days}
        grown, fresh = known.grown(found.ids, found.times, **rules)
    model = ClickModel(names, config, grown)
    model.through, (model.mean, model.std) = through, found.scale
    if last is not None:
        model.mean, model.std = last.mean.clone(), last.std.clone()
        _take_over(model, last, grown, fresh)
    return model


def _take_over(model: ClickModel, last: ClickModel, grown: Vocabulary, fresh: Longs) -> None:
    """Copy weights; rows of the table with a new owner keep what the new model drew for them, free ones as well."""
    mine, theirs = model.parts.state_dict(), last.parts.state_dict()
    kept = torch.from_numpy(grown.hashes[: len(last.vocabulary)] != 0)
    kept[torch.from_numpy(fresh[fresh < len(kept)])] = False
    for name, value in theirs.items():
        if name in TABLES:
            mine[name][: len(kept)][kept] = value[kept]
        else:
            mine[name].copy_(value)
