"""A click model that would do harm is not published, and the live release goes on serving."""

from pathlib import Path

import numpy as np
import pytest

from jobs.publish import publish
from jobs.runner import Context
from recsys.errors import CorruptArtefact, DegenerateInput, RecsysError
from recsys.runs.stages import STAGES
from recsys.store import Run
from recsys.workspace import read_json, save_npy, write_json
from tests.newsroom import Toy
from tests.service import copy_of


@pytest.mark.parametrize(
    ("harm", "error", "told"),
    [
        ("cut", CorruptArtefact, "click model"),
        ("worse than chance", DegenerateInput, "AUC of 0.200"),
        ("no probability", DegenerateInput, "held-out rows"),
    ],
)
def test_a_harmful_model_is_refused_and_the_old_release_stays_live(
    toy: Toy, tmp_path: Path, harm: str, error: type[RecsysError], told: str
) -> None:
    copy_of(toy, tmp_path)
    settings = toy.settings.model_copy(update={"data_dir": tmp_path})
    context, run = Context(settings, seed=1), Run(id="bad", job="publish", created_at=0)
    live = (settings.data_dir / "releases" / "CURRENT").read_text()
    assert publish(context, list(STAGES), run) == live.strip()  # unharmed, it is what is served already
    folder = context.workspace.path("ctr")
    if harm == "cut":
        model = folder / "model.safetensors"
        model.write_bytes(model.read_bytes()[:100])
    elif harm == "no probability":
        save_npy(folder / "holdout.npy", np.full(3, np.nan, np.float32))
    else:
        write_json(folder / "judged.json", read_json(folder / "judged.json") | {"auc": 0.2, "rows": 900, "clicks": 199})
    with pytest.raises(error, match=told):
        publish(context, list(STAGES), run)
    assert (settings.data_dir / "releases" / "CURRENT").read_text() == live
