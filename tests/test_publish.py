"""What is published is what is served, and what would do harm is not: the live release goes on serving."""

import json
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from jobs.previous import EVALUATION
from jobs.publish import publish
from jobs.runner import Context, open_store, run_stages
from jobs.runs import exclusive_run
from jobs.stages import stage_of
from recsys.errors import Busy, CorruptArtefact, DegenerateInput, RecsysError, StaleArtefact
from recsys.metrics import auc_error
from recsys.releases import MANIFEST, RELEASE_FORMAT
from recsys.runs.lifecycle import give_up
from recsys.runs.stages import STAGES
from recsys.workspace import Workspace, read_json, save_npy, write_json
from tests.newsroom import SITE, Toy, published, toy_settings, train
from tests.service import copy_of, serving


@pytest.mark.parametrize(
    ("harm", "error", "message"),
    [
        ("cut", CorruptArtefact, "click model"),
        ("worse than chance", DegenerateInput, "AUC of 0.200"),
        ("no probability", DegenerateInput, "held-out rows"),
    ],
)
def test_a_harmful_model_is_refused_and_the_old_release_stays_live(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str, error: type[RecsysError], message: str
) -> None:
    copy_of(toy, tmp_path)
    context = Context(toy.settings.model_copy(update={"data_dir": tmp_path}), seed=1)
    live = context.releases.current()
    assert published(context) == live  # unharmed, it is what is served already
    folder = context.workspace.path("ctr")
    if harm == "cut":
        model = folder / "model.safetensors"
        model.write_bytes(model.read_bytes()[:100])
    elif harm == "no probability":
        save_npy(folder / "holdout.npy", np.full(3, np.nan, np.float32))
    else:
        facts = {"auc": 0.2, "rows": 900, "clicks": 199}
        write_json(folder / EVALUATION, read_json(folder / EVALUATION) | facts)
    with pytest.raises(CorruptArtefact, match="as its stage wrote it"):
        published(context)
    monkeypatch.setattr(Workspace, "verified", Workspace.path)  # as if the stage itself had written it
    with pytest.raises(error, match=message):
        published(context)
    assert context.releases.current() == live


def gate(folder: Path, auc: float | None, clicks: int, rows: int) -> None:
    """The check before publishing, of a model with that evaluation."""
    write_json(folder / EVALUATION, read_json(folder / EVALUATION) | {"auc": auc, "clicks": clicks, "rows": rows})
    check = stage_of("ctr")[0].check
    assert check is not None
    check(folder)


def test_the_gate_stands_at_three_standard_errors_below_chance(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "ctr"
    shutil.copytree(toy.context.workspace.path("ctr"), folder)
    clicks, rows = 200, 2_000
    edge = 0.4
    for _ in range(50):  # the AUC that lies three of its own standard errors below chance
        edge = 0.5 - 3 * auc_error(edge, clicks, rows - clicks)
    gate(folder, edge + 1e-6, clicks, rows)
    with pytest.raises(DegenerateInput, match="better than chance"):
        gate(folder, edge - 1e-6, clicks, rows)
    gate(folder, None, clicks, rows)


def test_the_gate_says_nothing_of_fewer_than_a_hundred_clicks(toy: Toy, tmp_path: Path) -> None:
    folder = tmp_path / "ctr"
    shutil.copytree(toy.context.workspace.path("ctr"), folder)
    gate(folder, 0.0, 99, 2_000)
    with pytest.raises(DegenerateInput, match="better than chance"):
        gate(folder, 0.0, 100, 2_000)


def test_a_release_carries_the_files_that_are_served_and_every_pattern_names_some(toy: Toy) -> None:
    release = set(toy.release().manifest["files"])
    optional = {("readers", "encoder.json"), ("readers", "encoder.safetensors")}  # where an encoder is trained
    optional.add(("articles", "encoder/*"))  # where a pre-trained encoder is chosen
    optional.add(("ctr", "vocabulary.npy"))  # where the network reads identifiers
    optional |= {("tasks", pattern) for pattern in STAGES["tasks"].served[1:]}  # where there are labels
    for stage, entry in STAGES.items():
        files = toy.context.workspace.record(stage).files
        matched = {pattern: {file for file in files if fnmatchcase(file, pattern)} for pattern in entry.served}
        assert {(stage, pattern) for pattern, names in matched.items() if not names} <= optional
        served = {f"{stage}/{name}" for names in matched.values() for name in names}
        assert served == {file for file in release if file.startswith(f"{stage}/")}
    heavy = {"features/features.parquet", "tokens/corpus.txt", "tokens/articles.parquet", "events/articles.parquet"}
    assert not release & (heavy | {"baselines/holdout.safetensors", "ctr/holdout.npy"})


def test_the_service_needs_the_release_and_not_the_workspace(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    shutil.rmtree(tmp_path / "work")
    shutil.rmtree(tmp_path / "log")
    readers = list(toy.withheld)[::12]
    with serving(settings) as service:
        assert service.live.release == toy.release().name
        answers = [service.get("/api/v1/recommendations", reader=reader, k=5) for reader in readers]
    assert [answer["tier"] for answer in answers] == ["personal"] * len(readers)
    assert [answer["items"][0]["id"] for answer in answers] == [toy.withheld[reader] for reader in readers]


def test_training_goes_on_from_the_release_where_the_workspace_is_gone(toy: Toy, tmp_path: Path) -> None:
    copy_of(toy, tmp_path)
    shutil.rmtree(tmp_path / "work")
    before = toy.release()
    last = {
        section: getattr(toy.settings, section).model_copy(update={"start": "last", "epochs": 2})
        for section in ("words", "items", "ctr")
    }
    settings = toy.settings.model_copy(update={"data_dir": tmp_path} | last)
    name = train(settings)
    context = Context(settings, seed=1)
    assert name != before.name
    assert context.releases.manifest(name)["parent"] == before.name
    made = {stage: context.workspace.record(stage).facts for stage in ("words", "items", "ctr")}
    assert made["words"]["new_articles"] == 0  # the release says which articles its words were learned from
    assert made["words"]["mean_cosine_with_last"] > 0.99
    assert read_json(context.workspace.path("items") / "training.json")["start"] == "last"
    assert made["items"]["mean_cosine_with_last"] > 0.99
    assert before.name in (context.workspace.path("report") / "click_model.html").read_text(encoding="utf-8")


def test_a_release_of_the_version_before_is_refused_and_neither_service_nor_training_breaks(
    toy: Toy, tmp_path: Path
) -> None:
    settings = copy_of(toy, tmp_path)
    context = Context(toy.settings.model_copy(update={"data_dir": tmp_path}), seed=1)
    old = str(context.releases.current())
    file = tmp_path / "releases" / old / MANIFEST
    file.write_text(json.dumps(read_json(file) | {"format": RELEASE_FORMAT - 1, "digest": "of other files"}))
    with pytest.raises(StaleArtefact, match="another version of this program"):
        context.releases.open()
    with serving(settings) as service:
        assert service.live.release is None
        assert len(service.ids(reader="football-fan-00")) > 0  # popular and fresh ones, until there is a release
        new = published(context)
        assert new != old
        service.live.refresh()
    with serving(settings) as service:
        assert service.live.release == new
    assert settings.site.id == SITE == toy_settings(tmp_path).site.id


def test_a_run_that_was_given_up_while_it_slept_publishes_nothing(toy: Toy, tmp_path: Path) -> None:
    settings = copy_of(toy, tmp_path)
    context = Context(settings.model_copy(update={"ctr": settings.ctr.model_copy(update={"epochs": 2})}), seed=1)
    run_stages(context, [stage_of(name) for name in STAGES])
    before = sorted(path.name for path in (tmp_path / "releases").iterdir())
    with exclusive_run(context, "publish", None) as run:
        store = open_store(settings)
        row = store.run(run.id)
        assert row is not None
        assert give_up(store, row, "its host slept")
        store.close()
        with pytest.raises(Busy, match="Nothing was published"):
            publish(context, list(STAGES), run)
    assert sorted(path.name for path in (tmp_path / "releases").iterdir()) == before
    assert context.releases.current() == toy.release().name
