"""What a training goes on from: the live release before the workspace, and nothing that knows a forgotten reader."""

from pathlib import Path
from typing import Any

import pytest

from jobs.previous import knows_forgotten, last_artefact
from jobs.runner import Context, Job, Stage
from recsys.errors import CorruptArtefact, MissingArtefact, StaleArtefact
from recsys.workspace import write_json
from tests.newsroom import toy_settings


class LoudJob(Job):
    """A job that keeps its warnings."""

    warnings: list[tuple[str, str]]

    @property
    def log(self) -> Any:
        """A logger of one method."""
        return self

    def warning(self, event: str, problem: str) -> None:
        self.warnings.append((event, problem))


@pytest.fixture
def job(tmp_path: Path) -> LoudJob:
    loud = LoudJob(Context(toy_settings(tmp_path), seed=1), Stage("words"), tmp_path)
    loud.warnings = []
    return loud


def make(job: Job, text: str, *, published: bool, forgotten: int = 0) -> None:
    """Write the stages words and events into the workspace, and publish them if that is asked for."""
    workspace = job.context.workspace
    with workspace.write("words", text, {}) as out:
        (out / "text").write_text(text)
    with workspace.write("events", text, {}) as out:
        write_json(out / "log.json", {"forgotten": forgotten})
    if published:
        job.context.releases.publish(workspace, {"words": ("text",), "events": ("log.json",)}, {})


def load(folder: Path) -> str:
    text = (folder / "text").read_text()
    if text.startswith("broken"):
        raise CorruptArtefact("words", text, "Make them again.")
    if text.startswith("other"):
        raise StaleArtefact("words of this kind", text, "New ones are made.")
    if text.startswith("none"):
        raise MissingArtefact("words", "none", "Make some.")
    return text


def last(job: LoudJob) -> str | None:
    found = last_artefact(job, "words", "word space", load)
    return None if found is None else found[0]


def test_without_a_release_and_a_workspace_there_is_nothing_and_nothing_is_said(job: LoudJob) -> None:
    assert last(job) is None
    assert job.warnings == []


def test_the_live_release_comes_before_a_newer_workspace(job: LoudJob) -> None:
    make(job, "served", published=True)
    make(job, "newer", published=False)
    assert last(job) == "served"
    make(job, "newest", published=True)
    assert last(job) == "newest"
    job.context.releases.rollback()
    assert last(job) == "served"
    assert job.warnings == []


@pytest.mark.parametrize(("served", "warned"), [("broken", True), ("other kind", True), ("none", False)])
def test_the_workspace_stands_in_where_the_release_cannot_be_used_and_nobody_fails(
    job: LoudJob, served: str, warned: bool
) -> None:
    make(job, served, published=True)
    make(job, "whole", published=False)
    assert last(job) == "whole"
    assert last(job) == "whole"
    make(job, "broken, too", published=False)
    assert last(job) is None
    assert job.warnings[0][0] == "last word space that cannot be used"
    assert served in job.warnings[-1][1] or not warned  # the first problem is the one that is said


def test_what_was_made_before_a_reader_was_forgotten_knows_them(job: LoudJob) -> None:
    make(job, "one", published=True, forgotten=3)
    name = str(job.context.releases.current())
    released, own = job.context.releases.root / name / "words", job.context.workspace.root / "words"
    assert not knows_forgotten(job, released)  # without the same readers as the log of now
    assert knows_forgotten(job, own)  # the workspace does not say when its words were made
    make(job, "two", published=False, forgotten=4)
    assert knows_forgotten(job, released)


def test_where_nobody_was_forgotten_nothing_knows_anybody(job: LoudJob) -> None:
    make(job, "one", published=True)
    assert not knows_forgotten(job, job.context.workspace.root / "words")
