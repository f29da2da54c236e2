"""``python -m jobs gate``: a candidate beside the live release, judged by the lists that its training held out.

Reads two releases, the workspace that the candidate was made in, and the store; prints a table, or one JSON object.
Nothing moves: ``publish`` and ``all`` ask the same, write the verdict down, and act on it.
"""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import typer

from jobs.inputs import split_log, whole_log
from jobs.runner import Context, Job, Stage, open_store
from jobs.terminal import log
from recsys.dataset.impressions import HOLDOUT, VALIDATION
from recsys.dataset.parquet import load_training_set
from recsys.dataset.replay import NO_IMPRESSIONS
from recsys.dataset.training_set import TrainingSet
from recsys.errors import ArtefactError, InputError, RefusedRelease, StaleArtefact
from recsys.gate.judging import JudgingLists, judge_release
from recsys.gate.replay import GateLog
from recsys.gate.texts import GATE
from recsys.gate.verdict import GateVerdict
from recsys.releases import Release, ReleaseState
from recsys.workspace import load_npy, read_json

JUDGED_STAGES = ("features", "ctr")  # whose files hold the lists, and the scores of a model that never saw them
NO_LISTS = GATE("no_lists")


def verdict_of(context: Context, name: str) -> GateVerdict:
    """Judge a release beside the live one.

    Raises:
        MissingArtefact: there is no such release.
        StaleArtefact: the workspace's held-out rows are not those of its log.
        StoreError: the database is out of reach.
    """
    releases, settings = context.releases, context.settings
    candidate = releases.open(name)
    live = _live(context) if releases.current() not in (None, name) else None
    with closing(open_store(settings)) as store:
        held_out = _held_out(context, candidate)
        return judge_release(candidate, live, held_out, settings, store, margin=settings.gate.margin)


def _live(context: Context) -> Release | None:
    """The live release; one that cannot be opened serves nobody, and nothing is compared with it."""
    try:
        return context.releases.open()
    except ArtefactError as error:
        log.warning("nothing to compare with: the live release cannot be opened", job="gate", error=str(error))
        return None


def _held_out(context: Context, candidate: Release) -> JudgingLists:
    """The lists that the training of a release held out, with its scores, or the reason for which there are none."""
    settings, work, job = context.settings, context.workspace.root, Job(context, Stage("gate"), Path())
    newest = int(read_json(job.path("events") / "log.json")["newest"])
    facts = (settings.events.session_gap_minutes, settings.trends, newest)
    if missing := _missing_lists(context, candidate):
        log_alone = GateLog(whole_log(job), NO_IMPRESSIONS, *facts)
        return JudgingLists(log_alone, TrainingSet.empty(), np.empty(0, np.float32), missing=missing)
    events, lists = split_log(job)
    rows = load_training_set(work / "features" / "features.parquet", HOLDOUT)
    held = lists.cut(int(np.searchsorted(lists.part, HOLDOUT)), len(lists))
    if len(rows) != len(held.article):
        got = f"{len(rows)} rows of {len(held.article)} candidates"
        raise StaleArtefact("the held-out rows of the log", got, "Run: python -m jobs all --fresh")
    scores = load_npy(work / "ctr" / "holdout.npy")
    log_and_lists, missing = GateLog(events, held, *facts), "" if len(scores) else NO_LISTS
    unseen = lists.time[np.searchsorted(lists.part, VALIDATION) :]
    return JudgingLists(log_and_lists, rows, scores, int(unseen[0]) if len(unseen) else 0, missing)


def _missing_lists(context: Context, candidate: Release) -> str:
    """The reason for which the workspace has no lists of a release's training; empty where it may have some."""
    made = candidate.manifest["stages"]
    if absent := [stage for stage in JUDGED_STAGES if stage not in made]:
        return GATE("made_without", stages=" and ".join(absent))
    kept = [context.workspace.finished(stage) for stage in JUDGED_STAGES]
    if any(one is None or one.digest != made[stage]["digest"] for stage, one in zip(JUDGED_STAGES, kept, strict=True)):
        return GATE("gone_lists")
    return ""


def command(context: Context, name: str | None, *, as_json: bool) -> None:
    """Print the verdict on a release, by default the newest candidate.

    Raises:
        InputError: there is no candidate.
        RefusedRelease: the gate refuses it.
    """
    releases = context.releases
    candidates = [one for one in releases.names() if releases.state(one).state is ReleaseState.CANDIDATE]
    if name is None and not candidates:
        raise InputError("a candidate", "none", "Name a release: python -m jobs releases")
    verdict = verdict_of(context, name or candidates[-1])
    if as_json:
        typer.echo(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        typer.echo(f"{verdict.release}, beside {verdict.live or 'none'}\n")
        typer.echo(verdict.as_table().to_string(justify="left"))
    if not verdict.passed:
        raise RefusedRelease("a candidate that may be served", verdict.reason, "Nothing was moved.")
