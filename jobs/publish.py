"""``python -m jobs publish``: what the service serves.

Reads the workspace's finished stages; produces a candidate, and makes it live if the gate lets it pass and nobody took
it back.
"""

import functools
import time
from collections.abc import Sequence
from typing import Any

from jobs.gate import verdict_of
from jobs.releases import audited
from jobs.runner import GAPS, Context, check_made, run_stage, stage_fingerprint
from jobs.runs import check_holds, set_release
from jobs.stages import stage_of
from jobs.terminal import end_if_asked, log, peak_mib, reset_peak_memory, who
from recsys import __version__
from recsys.config import plain
from recsys.errors import RefusedRelease, StaleArtefact
from recsys.releases.texts import MOVES
from recsys.runs.stages import served_files
from recsys.store import Run
from recsys.workspace import read_json


def publish(context: Context, stages: Sequence[str], run: Run, *, force: bool = False) -> str:
    """Make a release of the stages, and make it live if the gate lets it.

    Args:
        context: the invocation.
        stages: names of those that the release is made of.
        run: that holds the workspace.
        force: the gate is not asked; the audit says so.

    Returns:
        The name of the live release, which is another one where an operator took this one back.

    Raises:
        MissingArtefact: a stage has not been made.
        StaleArtefact: a stage was made from other inputs, or with other settings or another seed than those of now,
            which the manifest would name; or a click model over other features.
        CorruptArtefact: the click model cannot be loaded.
        DegenerateInput: the click model ranks worse than chance, or says what is no probability.
        RefusedRelease: the gate refuses it; it stays a candidate, and the live release goes on serving.
        Busy: the run was given up meanwhile.
    """
    settings = plain(context.settings)
    settings.pop("data_dir")
    settings["store"].pop("url")  # it may hold a password
    settings["releases"].pop("url")  # and this one a key
    facts: dict[str, Any] = {"code_version": __version__, "seed": context.seed, "config": settings, "run": run.id}
    end_if_asked()
    context.follow_live_release()
    releases = context.releases
    before, began = releases.current(), time.monotonic()
    log.info("start", job="publish")
    context.progress.update({"stage": "publish", "done": 0, "total": None})
    reset_peak_memory()
    if "catalogue" in stages:
        run_stage(context, *stage_of("catalogue"))  # a stage made anew by itself is in it, too
    _check(context, stages)
    facts["gaps"] = read_json(context.workspace.verified("report") / GAPS) if "report" in stages else []
    check = functools.partial(check_holds, context, run)
    name = releases.add(context.workspace, served_files(*stages), facts, who(), check)
    set_release(context, run, name)
    if name == before:
        log.info("up to date", job="publish", release=name)
        return name
    if before and releases.state(name).taken_back:
        said = "the same inputs gave the release that was rolled back: it stays a candidate; promote it by name"
        log.warning(said, job="publish", release=name, live=before, remedy=f"Run: python -m jobs promote {name}")
        return before
    forced: dict[str, Any] = {"forced": True} if force else {}
    if not force:
        _pass_gate(context, name)
    releases.activate(name, who(), MOVES("published_forced" if force else "published"), check, force=force)
    audited(context, "publish", name, before=before, **forced)
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


def _pass_gate(context: Context, name: str) -> None:
    """Let a candidate be judged; the verdict stays with its state.

    Raises:
        RefusedRelease: it is not to be served.
    """
    began = time.monotonic()
    context.progress.update({"stage": "gate", "done": 0, "total": None})
    verdict = verdict_of(context, name)
    context.releases.judged(name, who(), verdict.reason, verdict.as_json())
    seconds = round(time.monotonic() - began, 2)
    log.info("judged", job="gate", release=name, passed=verdict.passed, says=verdict.reason, seconds=seconds)
    if not verdict.passed:
        tells, serves = f"python -m jobs gate {name}", f"python -m jobs promote {name} --force"
        remedy = f"It stays a candidate, the live release goes on serving. {tells} tells more; {serves} serves it."
        raise RefusedRelease("a release that may be served", verdict.reason, remedy)


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
