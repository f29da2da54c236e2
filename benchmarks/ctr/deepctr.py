"""DeepCTR-Torch in a process of its own: a job in arrays -> seconds, and scores of the rows held out.

    python -m benchmarks.ctr.deepctr JOB.npz OUT.npz

Needs the optional extra ``benchmarks``. JOB holds "dense" float32 (N, F), "ids" int64 (N, K) with a field's own rows
from 0 and "sizes" int64 (K,), "history" int64 (N, T), rows of field 0 with 0 = none, "label" float32 (N,), "part" int8
(N,): 0 = learn, 1 = validate, 2 = held out; and "facts", JSON: kind, hidden, embedding_dim, batch_size, epochs,
threads, seed. With rows to validate on, the scores are those of the epoch with the least log loss on them, at most
``epochs``.
All else is the package's default: Adam, L2 of 1e-5 on embeddings.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from deepctr_torch.inputs import DenseFeat, SparseFeat, VarLenSparseFeat
from deepctr_torch.models import DCN, DeepFM

HISTORY = "history"
LEARN, VALIDATE, HELD = 0, 1, 2

Job = dict[str, npt.NDArray[Any]]


def columns_of(job: Job, embedding_dim: int) -> list[Any]:
    """The package's description of the columns."""
    found: list[Any] = [DenseFeat(f"dense{place}", 1) for place in range(job["dense"].shape[1])]
    sizes = job["sizes"].tolist()
    found += [SparseFeat(f"id{place}", size, embedding_dim) for place, size in enumerate(sizes)]
    if job["history"].shape[1]:
        clicks = SparseFeat(HISTORY, sizes[0], embedding_dim, embedding_name="id0")
        found.append(VarLenSparseFeat(clicks, job["history"].shape[1], combiner="mean"))
    return found


def inputs_of(job: Job, chosen: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[Any]]:
    """The rows of a mask as the package takes them."""
    found = {f"dense{place}": column[chosen] for place, column in enumerate(job["dense"].T)}
    found |= {f"id{place}": column[chosen] for place, column in enumerate(job["ids"].T)}
    return found | ({HISTORY: job["history"][chosen]} if job["history"].shape[1] else {})


def model_of(facts: dict[str, Any], columns: list[Any]) -> Any:
    """A model of the package: "logistic", "fm", "deepfm" or "dcn"."""
    hidden, seed, kind = tuple(facts["hidden"]), facts["seed"], facts["kind"]
    if kind == "dcn":
        return DCN(columns, columns, cross_num=3, cross_parameterization="matrix", dnn_hidden_units=hidden, seed=seed)
    deep = hidden if kind == "deepfm" else ()
    return DeepFM(columns, columns, use_fm=kind != "logistic", dnn_hidden_units=deep, seed=seed)


def run(job: Job) -> dict[str, npt.NDArray[Any]]:
    """Train and score: "seconds" of training per epoch, "scores" float32 of the rows held out."""
    facts = json.loads(str(job["facts"]))
    torch.set_num_threads(facts["threads"])
    model = model_of(facts, columns_of(job, facts["embedding_dim"]))
    model.compile("adam", "binary_crossentropy")
    learn, validate, held = (inputs_of(job, job["part"] == part) for part in (LEARN, VALIDATE, HELD))
    label, truth = job["label"][job["part"] == LEARN], job["label"][job["part"] == VALIDATE]
    seconds, best, scores = [], np.inf, np.zeros(0, np.float32)
    for _ in range(facts["epochs"]):
        began = time.perf_counter()
        model.fit(learn, label, batch_size=facts["batch_size"], epochs=1, verbose=0)
        seconds.append(time.perf_counter() - began)
        loss = -1.0
        if len(truth):
            guess = np.clip(model.predict(validate, 65_536)[:, 0].astype(np.float64), 1e-7, 1 - 1e-7)
            loss = float(-(truth * np.log(guess) + (1 - truth) * np.log(1 - guess)).mean())
        if loss < best:
            best, scores = loss, model.predict(held, 65_536)[:, 0]
    return {"seconds": np.array(seconds), "scores": scores.astype(np.float32)}


def main() -> None:
    """Read a job, run it, write what came out."""
    source, target = (Path(name) for name in sys.argv[1:3])
    with np.load(source, allow_pickle=False) as job:
        np.savez(target, **run(dict(job)))  # type: ignore[arg-type]  # its stub takes any name for allow_pickle


if __name__ == "__main__":
    main()
