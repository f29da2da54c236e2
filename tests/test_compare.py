"""Two releases beside each other: what differs is said, by command and API, and what does not is not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.compare import command
from jobs.runner import Context
from recsys.gate.moved import NEIGHBOURS_SHOWN, compare_releases, neighbour_changes
from recsys.releases import Release
from tests.newsroom import Toy
from tests.service import copy_of, problem, serving
from tests.test_admin import Admin


def changed(toy: Toy) -> Release:
    """The toy's release as if it had been made by other settings, with more words, and without a report."""
    release = toy.release()
    config, stages = release.manifest["config"], release.manifest["stages"]
    more = {
        "config": config | {"ctr": config["ctr"] | {"epochs": 99}},
        "stages": stages | {"words": stages["words"] | {"words": 1, "seconds": 1e6}},
        "files": {name: facts for name, facts in release.manifest["files"].items() if not name.startswith("report/")},
    }
    return replace(release, name="later", manifest=release.manifest | more)


def test_what_differs_between_two_releases_is_said_and_nothing_else(toy: Toy) -> None:
    found = compare_releases(toy.release(), changed(toy))
    assert (found.before, found.after) == (toy.release().name, "later")
    assert found.settings == {"ctr.epochs": (30, 99)}
    assert set(found.counts) == {"release.files", "release.bytes", "words.words"}
    assert found.counts["words.words"].after == 1
    assert found.figures["auc"].before == pytest.approx(found.figures["auc"].after, abs=0.1)
    assert (found.lists.shared, found.lists.sampled, found.lists.kept, found.lists.most) == (16, 16, 1.0, [])
    assert found.words.kept == 1.0


def test_a_release_that_lacks_a_stage_is_compared_by_what_it_has(toy: Toy) -> None:
    release = toy.release()
    files = {name: facts for name, facts in release.manifest["files"].items() if name.startswith("events/")}
    bare = replace(release, manifest={"files": files, "stages": {"events": release.manifest["stages"]["events"]}})
    found = compare_releases(release, bare)
    assert found.figures["auc"].after is None
    assert (found.words.after, found.words.shared, found.words.kept) == (0, 0, None)
    assert json.loads(json.dumps(found.as_json()))["lists"]["most"] == []


def circle(n: int) -> Any:
    angles = np.linspace(0, np.pi, n)
    return np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)


def test_the_word_that_changed_places_has_moved_most_and_its_neighbours_are_named() -> None:
    names, vectors = [f"w{n}" for n in range(40)], circle(40)
    moved = vectors.copy()
    moved[0] = vectors[39]
    found = neighbour_changes((names, vectors), (names, 3 * moved), frequent_first=True)
    assert (found.most[0].name, found.most[0].kept) == ("w0", 0.0)
    assert found.most[0].before == [f"w{n}" for n in range(1, 1 + NEIGHBOURS_SHOWN)]
    assert found.most[0].after[0] == "w39"
    assert all(one.kept < 1 for one in found.most)
    assert found.kept is not None
    assert 0.8 < found.kept < 1
    longer = vectors * np.arange(1, 41, dtype=np.float32)[:, None]
    assert neighbour_changes((names, vectors), (names, longer)).kept == 1.0, "a frequent word's vector is long"
    turned = vectors @ np.array([[0, 1], [-1, 0]], np.float32)
    assert neighbour_changes((names, vectors), (names, turned)).kept == 1.0, "another space, the same neighbours"


def test_names_without_a_vector_have_no_neighbours_and_are_nobody_s() -> None:
    names, vectors = ["a", "b", "c"], circle(3)
    vectors[1] = np.nan
    found = neighbour_changes((names, vectors), (names, circle(3)))
    assert (found.shared, found.sampled) == (3, 2)
    assert [(one.name, one.before) for one in found.most] == [("a", ["c"]), ("c", ["a"])]
    alone = neighbour_changes((["a"], circle(1)), (["a"], circle(1)))
    assert (alone.sampled, alone.kept, alone.most) == (1, 1.0, [])


def test_two_releases_are_compared_by_command_and_over_the_api(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = copy_of(toy, tmp_path)
    context, first = Context(settings, seed=1), toy.release().name
    second = context.releases.add(context.workspace, {"events": ("log.json",)}, {})
    command(context, first, second, as_json=False)
    told = capsys.readouterr().out
    assert f"{first} and then {second}" in told
    assert "Lists beside an article: 16 before, 0 after" in told
    command(context, first, first, as_json=True)
    assert json.loads(capsys.readouterr().out)["settings"] == {}
    with serving(settings) as service:
        admin = Admin(service)
        answer: Any = admin.get(f"/releases:compare?before={first}&after={second}").json
        assert answer["lists"]["before"] == 16
        assert answer["counts"]["release.files"]["after"] == 1
        problem(admin.get(f"/releases:compare?before={first}&after=none"), 404, "missing-artefact")
        problem(admin.get(f"/releases:compare?before={first}"), 422, "invalid")
