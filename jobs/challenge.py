"""``python -m jobs shadow|canary RELEASE``: a release beside the live one, seen by nobody, or by a share of readers.

Given as a command, or by a worker that took a run of that name. Starts a process that serves the release, asks what
became of its lists again and again, says so in its run's row, and ends it. Whatever ends this command, ``kill -9``
included, ends that process, and within a second every reader gets the live release's lists. A canary that is taken back
stays a candidate with the reason; one that is good is made live, unless that is left to a person.
"""

import json
import socket
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import typer

from jobs.challenger_process import Challenger, challenger_of
from jobs.experiment import odd_readers_of
from jobs.releases import audited
from jobs.runner import Context, open_store
from jobs.runs import challenging_run, set_release
from jobs.terminal import log, who
from recsys.errors import Busy, LostProcess, RefusedRelease
from recsys.experiments.arms import VISIT_MS, canary_experiment
from recsys.experiments.report import ExperimentReport, experiment_report
from recsys.gate.canary import CanaryMove, CanaryVerdict, canary_verdict
from recsys.gate.texts import TRIAL
from recsys.languages.phrases import JOINED
from recsys.releases import ReleaseState
from recsys.runs.commands import CANARY, SHADOW
from recsys.serving.challenger import ChallengerFigures, ChallengerFolder, ChallengerMode
from recsys.store import Run, Store, StoredExperiment
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS, now_ms

LOOK_SECONDS = 30.0  # between two looks at what readers did
LEFT = TRIAL("left")


def shadow(
    context: Context, release: str, share: float, minutes: float, *, as_json: bool = False, run_id: str | None = None
) -> None:
    """Have a release make a share of the lists that readers get, and say how alike they are, and how long they took.

    Args:
        context: the invocation.
        release: that is tried.
        share: of the lists.
        minutes: for so long.
        as_json: one JSON object instead of a line.
        run_id: the row that a worker claimed; None for a command.

    Raises:
        RecsysError: see ``challenger_of``.
    """
    params = {"release": release, "share": share, "minutes": minutes}
    with challenging_run(context, SHADOW, params, run_id) as run:
        context.follow_live_release()
        before, folder, by = context.releases.state(release), ChallengerFolder(context.settings.data_dir), _by(run)
        with challenger_of(context, release, ChallengerMode.SHADOW, share) as served:
            try:
                context.releases.move(release, ReleaseState.SHADOW, by, TRIAL("for_minutes", minutes=minutes))
                audited(context, "shadow", release, context.releases.current(), by=by, share=share, minutes=minutes)
                end = time.monotonic() + minutes * MINUTE_MS / SECOND_MS
                while not served.ended and (left := end - time.monotonic()) > 0:
                    time.sleep(min(left, 1.0))
                    _say(context, folder.figures(served.id))
                figures = folder.figures(served.id)
            finally:
                context.releases.move(release, before.state, before.by, before.reason)
        if served.ended and time.monotonic() < end:
            raise LostProcess("a shadow that answers until the end", "it ended before", "See the log above.")
        told = _told(figures)
        _say(context, figures, told)
        audited(context, "shadow ended", release, context.releases.current(), by=by, reason=told)
        log.info("ended", job=SHADOW, release=release, says=told)
    typer.echo(json.dumps(_as_json(release, figures)) if as_json else f"{release} as shadow: {told}")


@dataclass(frozen=True)
class Trial:
    """A canary as it is asked for; see ``canary``."""

    release: str
    share: float
    hours: float
    margin: float
    promote: bool
    force: bool


def canary(
    context: Context,
    release: str,
    share: float,
    hours: float,
    margin: float,
    *,
    promote: bool = True,
    force: bool = False,
    run_id: str | None = None,
) -> None:
    """Serve a share of readers by a release until their clicks decide, or the time is over.

    Args:
        context: the invocation.
        release: that is tried.
        share: of the readers.
        hours: at most so long.
        margin: share of the live click rate that it may be worse by.
        promote: make it live when it is good.
        force: one that the gate refused, too.
        run_id: the row that a worker claimed; None for a command.

    Raises:
        RefusedRelease: the gate refused it, or its readers, its failures or its times speak against it.
        RecsysError: see ``challenger_of``.
    """
    trial = Trial(release, share, hours, margin, promote, force)
    with challenging_run(context, CANARY, vars(trial), run_id) as run, closing(open_store(context.settings)) as store:
        context.follow_live_release()
        if not trial.force and (said := context.releases.state(release).refusal):
            raise RefusedRelease("a release that the gate lets pass", said, "Say force to have readers decide.")
        by = _by(run)
        verdict = _tried_by_readers(context, store, trial, run)
        log.info("decided", job=CANARY, release=release, move=str(verdict.move), says=verdict.reason)
        if verdict.move is CanaryMove.TAKE_BACK:
            wanted = TRIAL("as_good")
            raise RefusedRelease(wanted, verdict.reason, "It stays a candidate.")
        if verdict.move is CanaryMove.GOOD and trial.promote:
            before = context.releases.current()
            context.releases.activate(release, by, TRIAL("canary", said=verdict.reason), force=trial.force)
            set_release(context, run, release)
            audited(context, "promote", release, before=before, by=by, reason=TRIAL("canary", said=verdict.reason))
            log.info("promoted", job=CANARY, release=release, before=before or "-")


def _tried_by_readers(context: Context, store: Store, trial: Trial, run: Run) -> CanaryVerdict:
    """Serve the release to its readers until something is decided; whatever ends this ends the experiment."""
    site, release, by = context.settings.site.id, trial.release, _by(run)
    _end_those_left(context, store)
    experiment = canary_experiment(site, release, trial.share, by=by, now=now_ms())
    verdict: CanaryVerdict | None = None
    with challenger_of(context, release, ChallengerMode.CANARY, trial.share) as served:
        store.start_experiment(experiment)
        try:
            context.progress["experiment"] = experiment.name
            about = TRIAL("for_readers", share=trial.share, hours=trial.hours)
            context.releases.move(release, ReleaseState.CANARY, by, about)
            live = context.releases.current()
            audited(context, "canary", release, live, by=by, share=trial.share, hours=trial.hours)
            verdict = _watched(context, store, experiment, served, trial)
            return verdict
        finally:
            end = verdict or CanaryVerdict(CanaryMove.GO_ON, _why_ended(store, run))
            store.stop_experiment(site, experiment.name, by, now_ms(), end.reason)
            context.releases.move(release, ReleaseState.CANDIDATE, by, TRIAL("canary", said=end.reason))
            live = context.releases.current()
            audited(context, f"canary: {end.move}", release, live, by=by, reason=end.reason)


def _by(run: Run) -> str:
    """Whoever wants a run: of a command its user with the machine, of a worker's the one who asked for it."""
    return who() if run.attempt == 0 else str(run.asked_by)


def _why_ended(store: Store, run: Run) -> str:
    """The reason why a run ends before anything was decided."""
    row = store.run(run.id)
    return TRIAL("cancelled", by=row.cancelled_by) if row is not None and row.cancelled_by else TRIAL("ended")


def end_unwatched(context: Context, store: Store) -> None:
    """End the canary, or the shadow, of a command that was killed: of this data folder, and only where none goes on."""
    tried = _tried(context)
    if not tried:
        return
    with suppress(Busy), ChallengerFolder(context.settings.data_dir).taken():
        _end_those_left(context, store, tried)
        for name in tried:
            log.warning("ended", job="canary", release=name, reason=LEFT)


def _watched(
    context: Context, store: Store, experiment: StoredExperiment, served: Challenger, trial: Trial
) -> CanaryVerdict:
    """Look again and again until something is decided, or the time is over."""
    folder, odd, said = ChallengerFolder(context.settings.data_dir), odd_readers_of(context), ""
    end = time.monotonic() + trial.hours * HOUR_MS / SECOND_MS
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS, 1.0) if not said else min(left, LOOK_SECONDS))
        if served.ended:
            return CanaryVerdict(CanaryMove.TAKE_BACK, TRIAL("lost"))
        if (by := store.experiment(experiment.site, experiment.name).stopped_by) is not None:
            return CanaryVerdict(CanaryMove.TAKE_BACK, TRIAL("stopped", by=by))
        report, figures = _report(store, experiment, odd), folder.figures(served.id)
        verdict = canary_verdict(report, figures, trial.margin)
        if verdict.move is CanaryMove.GO_ON and not figures.asked:
            unasked = TRIAL("nobody_asks", host=socket.gethostname())
            verdict = verdict._replace(reason=f"{verdict.reason}{JOINED}{unasked}")
        _say(context, figures, verdict.reason, exposed=report.exposed, measured=report.measured)
        if verdict.move is not CanaryMove.GO_ON:
            return verdict
        if verdict.reason != said:
            log.info("goes on", job="canary", release=experiment.arms[1].release, says=verdict.reason)
            said = verdict.reason
    undecided = TRIAL("undecided", hours=trial.hours, said=said or TRIAL("nothing_seen"))
    return CanaryVerdict(CanaryMove.GO_ON, undecided)


def _report(store: Store, experiment: StoredExperiment, odd: frozenset[str]) -> ExperimentReport:
    about = (experiment.site, experiment.name)
    outcomes = store.outcomes(*about, VISIT_MS, now_ms() - VISIT_MS)
    return experiment_report(experiment, store.exposed_readers(*about), {}, outcomes, odd=odd)


def _end_those_left(context: Context, store: Store, of: Sequence[str] | None = None) -> None:
    """End what a command began that was killed: nobody watches it any more; of some releases, or of any."""
    for one in store.experiments(context.settings.site.id, running=True):
        if any(arm.release and (of is None or arm.release in of) for arm in one.arms):
            store.stop_experiment(one.site, one.name, who(), now_ms(), LEFT)
    for name in _tried(context):
        context.releases.move(name, ReleaseState.CANDIDATE, who(), LEFT)


def _tried(context: Context) -> list[str]:
    """The releases that are shadow or canary by their records."""
    trying = (ReleaseState.SHADOW, ReleaseState.CANARY)
    return [name for name in context.releases.names() if context.releases.state(name).state in trying]


def _say(context: Context, figures: ChallengerFigures, says: str = "", **more: Any) -> None:
    """Put what is known into the run's row, where it can be seen from any host."""
    counts = {"asked": figures.asked, "failed": figures.failed, "dropped": figures.dropped}
    times = {f"{of}_ms": list(ends) for of, ends in _times(figures).items()}
    context.progress.update({**counts, "overlap": figures.overlap, **times, "says": says, **more})


def _told(figures: ChallengerFigures) -> str:
    """Figures of a shadow in words."""
    if not figures.asked:
        return TRIAL("no_list")
    said = [TRIAL("lists", asked=figures.asked, failed=figures.failed, dropped=figures.dropped)]
    if figures.overlap is not None:
        said.append(TRIAL("overlap", share=figures.overlap))
    said += [TRIAL(f"{of}_times", half=half, most=most) for of, (half, most) in _times(figures).items()]
    return JOINED.join(said)


def _times(figures: ChallengerFigures) -> dict[str, tuple[float, float]]:
    """Median and 99th percentile of the times, ms, as far as there are any."""
    known = {"own": figures.ms, "live": figures.live_ms}
    return {of: (float(np.percentile(ms, 50)), float(np.percentile(ms, 99))) for of, ms in known.items() if ms}


def _as_json(release: str, figures: ChallengerFigures) -> dict[str, object]:
    counts = {"asked": figures.asked, "failed": figures.failed, "dropped": figures.dropped}
    times = dict(zip(("ms", "live_ms"), _times(figures).values(), strict=False))
    return {"release": release, **counts, "overlap": figures.overlap, "same": figures.same, **times}
