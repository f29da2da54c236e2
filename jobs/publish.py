"""``python -m jobs publish|rollback|releases``: what the service serves.

Reads the workspace's finished stages; produces a release, or makes an older one live again.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from jobs.runner import GAPS, Context, check_made, run_stage, stage_fingerprint
from jobs.runs import check_holds, set_release
from jobs.stages import stage_of
from jobs.terminal import end_if_asked, log, peak_mib, reset_peak_memory
from recsys import __version__
from recsys.config import plain
from recsys.errors import StaleArtefact
from recsys.runs.stages import served_files
from recsys.store import Run
from recsys.workspace import read_json


def publish(context: Context, stages: Sequence[str], run: Run) -> str:
    """Make a release of the stages and make it live.

    Returns:
        The release's name.

    Raises:
        MissingArtefact: a stage has not been made.
        StaleArtefact: a stage was made from other inputs, or with other settings or another seed than those of now,
            which the manifest would name; or a click model over other features.
        CorruptArtefact: the click model cannot be loaded.
        DegenerateInput: the click model ranks worse than chance, or says what is no probability.
        Busy: the run was given up meanwhile.
    """
    settings = plain(context.settings)
    settings.pop("data_dir")
    settings["store"].pop("url")  # it may hold a password
    facts: dict[str, Any] = {"code_version": __version__, "seed": context.seed, "config": settings, "run": run.id}
    end_if_asked()
    releases = context.releases
    before, began = releases.current(), time.monotonic()
    log.info("start", job="publish")
    context.progress.update({"stage": "publish", "done": 0, "total": None})
    reset_peak_memory()
    if "catalogue" in stages:
        run_stage(context, *stage_of("catalogue"))  # a stage made anew by itself is in it, too
    _check(context, stages)
    facts["gaps"] = read_json(context.workspace.path("report") / GAPS) if "report" in stages else []
    name = releases.publish(context.workspace, served_files(*stages), facts, lambda: check_holds(context, run))
    set_release(context, run, name)
    if name == before:
        log.info("up to date", job="publish", release=name)
        return name
    files = releases.manifest(name)["files"].values()
    log.info(
        "done",
        job="publish",
        release=name,
        parent=before or "-",
        gaps=f"[{','.join(facts['gaps'])}]",
        files=len(files),
        mib=round(sum(file["bytes"] for file in files) / 2**20, 1),
        seconds=round(time.monotonic() - began, 2),
        peak_mib=peak_mib(),
    )
    return name


def _check(context: Context, stages: Sequence[str]) -> None:
    """Refuse what belongs to other settings, and what would do harm: the live release then goes on serving."""
    if old := context.workspace.stale(stages):
        raise StaleArtefact("stages made from each other", old, "Run: python -m jobs all")
    for name in stages:
        stage, made_with = stage_of(name)[0], context.workspace.record(name).fingerprint
        if stage_fingerprint(context, stage)[0] != made_with:
            raise StaleArtefact(
                f"the stage {name!r} made with the settings of now and the seed {context.seed}",
                "one made with others",
                "Run: python -m jobs all",
            )
        check_made(context, stage)


def rollback(context: Context) -> str:
    """Make the release before the live one live again.

    Returns:
        Its name.
    """
    releases = context.releases
    before = releases.current()
    name = releases.rollback()
    log.info("rolled back", job="rollback", release=name, before=before)
    return name


def show(context: Context) -> None:
    """Print the releases, newest first, the live one marked."""
    releases = context.releases
    names = releases.names()
    for name in releases.damaged():
        log.error("damaged: its manifest cannot be read, nobody serves it", release=name, remedy="Remove its folder.")
    if not names:
        log.info("none yet", job="releases", remedy="Run: python -m jobs all")
        return
    typer.echo(f"{'':4}  {'release':21}  {'made (UTC)':19}  {'files':>5}  {'MiB':>7}  parent")
    for name in reversed(names):
        manifest = releases.manifest(name)
        since = datetime.fromtimestamp(manifest["created_at"] / 1000, UTC)
        mebibytes = sum(file["bytes"] for file in manifest["files"].values()) / 2**20
        mark, files = "live" if name == releases.current() else "", len(manifest["files"])
        typer.echo(
            f"{mark:4}  {name:21}  {since:%Y-%m-%d %H:%M:%S}  {files:5}  {mebibytes:7.1f}  {manifest['parent'] or '-'}"
        )
