"""The stage ``readers``: it trains only what is asked for, and what it trained is served."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.runner import Context, run_stages
from jobs.stages import stage_of
from recsys.errors import SpaceMismatch
from recsys.readers.config import ReadersConfig
from recsys.readers.trained import TrainedEncoder
from recsys.settings import Settings
from recsys.workspace import load_npy, read_json
from tests.newsroom import QUICK, fill_almost_nothing, fill_toy, toy_settings

UNTIL = ("events", "tokens", "words", "keywords", "articles", "items", "readers")
SMALL: dict[str, Any] = {"last": 6, "hidden": 8, "heads": 2, "negatives": 8, "epochs": 3}


def made(folder: Path, **readers: Any) -> Context:
    """The toy newsroom up to the stage ``readers``."""
    settings = toy_settings(folder, readers=readers)
    if not (folder / "store.db").exists():
        fill_toy(settings)
    context = Context(settings, seed=1)
    run_stages(context, [stage_of(name) for name in UNTIL])
    return context


@pytest.mark.parametrize("encoder", ["mean", "interests"])
def test_an_encoder_without_training_leaves_nothing_but_its_name(encoder: str, tmp_path: Path) -> None:
    folder = made(tmp_path, encoder=encoder).workspace.path("readers")
    assert read_json(folder / "readers.json") == {"encoder": encoder}
    assert not (folder / "encoder.json").exists()


@pytest.mark.parametrize("encoder", ["gru", "attention"])
def test_a_trained_encoder_knows_its_readers_subject(encoder: str, tmp_path: Path) -> None:
    context = made(tmp_path, encoder=encoder, **SMALL)
    folder, items = context.workspace.path("readers"), context.workspace.path("items")
    facts = read_json(folder / "readers.json")
    assert facts["encoder"] == encoder
    assert facts["validation_loss"][facts["best_epoch"]] <= facts["validation_loss"][0]
    loaded = TrainedEncoder.load(folder, read_json(items / "space.json")["space"])
    vectors = load_npy(items / "vectors.npy")  # rows 0 to 7 are football, 8 to 15 markets
    near = loaded.encode(vectors, [8, 9, 10], [1, 2, 3]).nearness(vectors)
    assert near[11:].min() > near[:8].max()
    with pytest.raises(SpaceMismatch):
        TrainedEncoder.load(folder, "another space")


def test_the_same_log_gives_the_same_encoder_and_another_setting_a_new_one(tmp_path: Path) -> None:
    digests = []
    for name, dropout in (("one", 0.1), ("two", 0.1), ("three", 0.5)):
        context = made(tmp_path / name, encoder="attention", dropout=dropout, **SMALL)
        digests.append(context.workspace.record("readers").digest)
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_a_log_with_too_little_to_learn_from_is_served_by_the_mean(tmp_path: Path) -> None:
    settings = Settings(**(QUICK | {"data_dir": tmp_path, "readers": {"encoder": "gru"}}))
    fill_almost_nothing(settings)
    context = Context(settings, seed=1)
    run_stages(context, [stage_of(name) for name in UNTIL])
    assert read_json(context.workspace.path("readers") / "readers.json") == {"encoder": "mean"}


def test_every_encoder_that_may_be_asked_for_is_known() -> None:
    assert [ReadersConfig(encoder=name).is_trained for name in ("mean", "interests", "gru", "attention")] == [
        *(False, False),
        *(True, True),
    ]
    with pytest.raises(ValueError, match="encoder"):
        ReadersConfig(encoder="oracle")


def test_encoders_do_not_mind_that_the_table_has_grown(tmp_path: Path) -> None:
    context = made(tmp_path, encoder="gru", **SMALL)
    items = context.workspace.path("items")
    loaded = TrainedEncoder.load(context.workspace.path("readers"), read_json(items / "space.json")["space"])
    vectors = load_npy(items / "vectors.npy")
    grown = np.vstack([vectors, np.full((5, vectors.shape[1]), np.nan, np.float32)])
    one, two = (loaded.encode(table, [0, 1, 18], [1, 2, 3]) for table in (vectors, grown))
    assert one.vectors.tobytes() == two.vectors.tobytes()
