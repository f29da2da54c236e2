"""Quality on real clicks: every kind of our networks beside DeepCTR-Torch, on the same columns, ids and rows.

Ours are trained as the project trains: the validation rows say when to stop and how to calibrate, then the network
learns from both parts. ``mean`` is the mean log-odds of all. Theirs keep the epoch that the validation rows like
best, and see the same columns, standardised, with the same ids and last clicks ("ids") or without.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.ctr.beside import deepctr, missing
from benchmarks.ctr.titles import Split, splits
from recsys.ctr.architecture import CLICK_NETWORKS
from recsys.ctr.calibration import calibrated
from recsys.ctr.config import CtrConfig
from recsys.ctr.inference import Calibration
from recsys.ctr.model import ClickModel
from recsys.ctr.scoring import CLIP
from recsys.ctr.training import fit
from recsys.dataset.impressions import FIT, HOLDOUT, VALIDATION
from recsys.dataset.parquet import load_training_set
from recsys.features import NAMES
from recsys.features.rows import LabelledRows, concatenated
from recsys.metrics import auc, calibration_error, calibration_square, impression_metrics, log_loss
from recsys.settings import Settings

Scores = npt.NDArray[np.float32]
Table = dict[str, dict[str, float]]

THEIRS = {
    "deepctr lr": ("logistic", False),
    "deepctr dnn": ("deepfm", False),
    "deepctr lr ids": ("logistic", True),
    "deepctr fm ids": ("fm", True),
    "deepctr deepfm ids": ("deepfm", True),
}
BY_ROW = ("logistic", "dnn", "deepfm")
DEFAULTS = {"hidden": (256, 128), "embedding_dim": 8, "batch_size": 1024, "epochs": 8}
SEEN = 2  # times that an id must stand in the rows to learn from before theirs get it a vector


def ours(split: Split, config: CtrConfig, seed: int) -> tuple[ClickModel, Scores]:
    """A model as the project makes it, and log-odds of the validation rows by the one that had not seen them."""
    found, training = fit(split.names, split.learn, split.validate, config, seed=seed)
    both = concatenated([split.learn, split.validate])
    model, _ = fit(split.names, both, None, config, seed=seed, epochs=training.best_epoch)
    unseen = found.raw(split.validate)
    model.calibration = calibrated(config.calibration, unseen, split.validate.label)
    return model, unseen


def probabilities(raw: Scores, calibration: Calibration | None) -> Scores:
    """Calibrated log-odds as probabilities: float32 (N,)."""
    odds = raw.astype(np.float64) if calibration is None else calibration.apply(raw)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def variants(config: CtrConfig) -> dict[str, CtrConfig]:
    """Every kind of network with the configured loss, and what else is compared.

    A softmax within lists learns the order of a list, and nothing of what makes one list likelier to be clicked than
    another, which the AUC over rows asks for. Where every row is a list, there is only cross-entropy.
    """
    found = {}
    for kind in CLICK_NETWORKS:
        fields = tuple(dict.fromkeys((*config.fields, *(("article", "history") if kind == "din" else ()))))
        found[kind] = config.model_copy(update={"network": kind, "fields": fields})
    more: dict[str, dict[str, Any]] = {}
    if config.loss != "bce":
        more["dnn softmax"] = {"network": "dnn", "loss": "softmax"}
        more |= {f"{kind} bce": {"network": kind, "loss": "bce"} for kind in BY_ROW}
    return found | {name: config.model_copy(update=changed) for name, changed in more.items()}


def all_ours(split: Split, config: CtrConfig, seed: int) -> Iterator[tuple[str, Scores]]:
    """Probabilities of the held-out rows, by every variant and by their mean log-odds."""
    raw, unseen = [], []
    for name, one in variants(config).items():
        model, validated = ours(split, one, seed)
        raw.append(model.raw(split.held))
        unseen.append(validated)
        yield name, model.score(split.held)
    mean, before = np.mean(raw, axis=0), np.mean(unseen, axis=0)
    yield "mean", probabilities(mean, calibrated(config.calibration, before, split.validate.label))


def places(known: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows from 1 of ids, where they stand in ``known`` often enough; 0 for others."""
    values, count = np.unique(known[known > 0], return_counts=True)
    values = values[count >= SEEN]
    if not len(values):
        return np.zeros(wanted.shape, np.int64)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[place] == wanted, place + 1, 0)


def job_of(split: Split, with_ids: bool) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a split that theirs read."""
    parts = (split.learn, split.validate, split.held)
    mean, std = split.learn.matrix.mean(0), np.maximum(split.learn.matrix.std(0), 1e-6)
    dense = np.concatenate([np.clip((part.matrix - mean) / std, -CLIP, CLIP) for part in parts]).astype(np.float32)
    found: dict[str, npt.NDArray[Any]] = {
        "dense": dense,
        "label": np.concatenate([part.label for part in parts]).astype(np.float32),
        "part": np.repeat(np.arange(3, dtype=np.int8), [len(part) for part in parts]),
    }
    none = np.zeros((len(dense), 0), np.int64)
    if not with_ids:
        return found | {"ids": none, "sizes": np.zeros(0, np.int64), "history": none}
    whole = [np.concatenate([part.ids, part.context[part.impression]], 1) for part in parts]
    chosen = [place for place in range(whole[0].shape[1]) if len(np.unique(whole[0][:, place])) > 1]
    ids = [places(whole[0][:, place], np.concatenate(whole)[:, place]) for place in chosen]
    clicks = np.concatenate([part.history[part.impression] for part in parts])
    sizes = np.array([column.max(initial=0) + 1 for column in ids])
    return found | {"ids": np.column_stack(ids), "sizes": sizes, "history": places(whole[0][:, 0], clicks)}


def all_theirs(split: Split, seed: int) -> Iterator[tuple[str, Scores]]:
    """Probabilities of the held-out rows by DeepCTR-Torch's models; none where it is not installed."""
    for name, (kind, with_ids) in THEIRS.items() if not missing() else ():
        facts = DEFAULTS | {"kind": kind, "seed": seed, "threads": 1}
        yield name, deepctr(job_of(split, with_ids), facts).scores


def figures(rows: LabelledRows, scores: Scores, lists: npt.NDArray[Any]) -> dict[str, float]:
    """AUC over rows, log loss, calibration error and square; AUC, MRR and nDCG by list."""
    found = {"auc": auc(rows.label, scores), "log_loss": log_loss(rows.label, scores)}
    found["calibration_error"] = calibration_error(rows.label, scores)
    found["calibration_square"] = calibration_square(rows.label, scores)
    return found | {f"list_{name}": value for name, value in impression_metrics(rows.label, scores, lists).items()}


def judged(cases: Iterable[tuple[Split, npt.NDArray[Any], int]], config: CtrConfig) -> tuple[Table, Table]:
    """Mean and spread of every model over the cases, ours and theirs; each case is printed."""
    found: dict[str, list[dict[str, float]]] = {}
    said: dict[str, list[tuple[Scores, npt.NDArray[np.int8]]]] = {}
    theirs: set[str] = set()
    for number, (split, lists, seed) in enumerate(cases):
        for name, scores in chain(all_ours(split, config, seed), all_theirs(split, seed)):
            found.setdefault(name, []).append(figures(split.held, scores, lists))
            said.setdefault(name, []).append((scores, split.held.label))
            theirs |= {name} & set(THEIRS)
            told = "  ".join(f"{key} {value:.5f}" for key, value in found[name][-1].items())
            print(f"{number}  {name:20} {told}", flush=True)
    table = {name: over_cases(values) | together(said[name]) for name, values in found.items()}
    return {name: one for name, one in table.items() if name not in theirs}, {name: table[name] for name in theirs}


def over_cases(values: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of every figure, the root of the mean square, and the AUC's spread: the largest less the smallest."""
    mean = {name: float(np.mean([one[name] for one in values])) for name in values[0]}
    mean["calibration_without_chance"] = root(mean.pop("calibration_square"))
    mean["auc_spread"] = float(np.ptp([one["auc"] for one in values]))
    return {name: round(value, 4) for name, value in mean.items()}


def root(square: float) -> float:
    """The distance of a mean square that may be below 0: nothing then is left of it but chance."""
    return math.sqrt(max(square, 0.0))


def together(cases: Sequence[tuple[Scores, npt.NDArray[np.int8]]]) -> dict[str, float]:
    """The calibration error of all cases' rows as one: that of a few thousand rows is mostly chance."""
    scores, label = (np.concatenate(parts) for parts in zip(*cases, strict=True))
    error, left = calibration_error(label, scores), root(calibration_square(label, scores))
    return {"calibration_error_together": round(error, 4), "calibration_without_chance_together": round(left, 4)}


def of_titles(file: Path, settings: Settings, folds: int, seed: int) -> dict[str, Any]:
    """Judge on titles, in folds by rows; readers are the lists, and every row is learned from by itself."""
    config = settings.ctr.model_copy(update={"loss": "bce"})
    cases = ((split, reader, seed) for split, reader in splits(file, settings, folds, seed))
    return result(*judged(cases, config))


def of_features(file: Path, settings: Settings, seeds: Sequence[int]) -> dict[str, Any]:
    """Judge on a workspace's training rows, split by time; the cases are seeds."""
    made = load_training_set(file)
    parts = [made.where(made.part == part) for part in (FIT, VALIDATION, HOLDOUT)]
    split = Split(
        NAMES, *(LabelledRows(*(getattr(part, name) for name in LabelledRows.__dataclass_fields__)) for part in parts)
    )
    found = result(*judged(((split, split.held.impression, seed) for seed in seeds), settings.ctr))
    return found | {"score_200_ms_p50": scored(split, settings.ctr, seeds[0])}


def scored(split: Split, config: CtrConfig, seed: int, candidates: int = 200, lists: int = 200) -> float:
    """Milliseconds in which the model scores one list of candidates, from features to probabilities."""
    model, _ = fit(split.names, split.learn, None, config, seed=seed, epochs=1)
    rows = split.held.where(np.arange(len(split.held)) < candidates)
    one = LabelledRows(
        rows.matrix,
        rows.ids,
        rows.context[:1],
        rows.history[:1],
        np.zeros_like(rows.impression),
        rows.label,
        rows.position,
    )
    seconds = []
    for _ in range(lists):
        began = time.perf_counter()
        model.score(one)
        seconds.append(time.perf_counter() - began)
    return round(1e3 * float(np.median(seconds)), 3)


def result(mine: Table, theirs: Table) -> dict[str, Any]:
    """Ours, theirs, and the best of ours with what it gains on the best of theirs."""
    best = max(mine, key=lambda name: mine[name]["auc"])
    found: dict[str, Any] = {"ours": mine, "baselines": theirs, "best": {**mine[best]}, "best_kind": best}
    if theirs:
        other = max(theirs, key=lambda name: theirs[name]["auc"])
        found |= {"best_baseline": other, "gain": round(mine[best]["auc"] - theirs[other]["auc"], 4)}
    return found
