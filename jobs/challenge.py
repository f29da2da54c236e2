"""``python -m jobs shadow|canary RELEASE``: a release beside the live one, seen by nobody, or by a share of readers.

Starts a process that serves it, asks what became of its lists again and again, and ends it. Whatever ends this command,
``kill -9`` included, ends that process, and within a second every reader gets the live release's lists. A canary that
is taken back stays a candidate with the reason; one that is good is made live, unless that is left to a person.
"""

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import numpy as np
import typer

from jobs.experiment import odd_readers_of
from jobs.releases import audited
from jobs.runner import Context, open_store
from jobs.terminal import log, who
from recsys.errors import Busy, InputError, LostProcess, RefusedRelease
from recsys.experiments.arms import canary_experiment
from recsys.experiments.report import ExperimentReport, experiment_report
from recsys.gate.canary import VISIT_MS, CanaryMove, CanaryVerdict, canary_verdict
from recsys.releases import ReleaseState
from recsys.serving.challenger import ChallengerFigures, ChallengerFolder, ChallengerMode
from recsys.store import Store, StoredExperiment
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS, now_ms

LOOK_SECONDS = 30.0  # between two looks at what readers did
START_SECONDS = 600.0  # for laying the release out
END_SECONDS = 30.0
LEFT = "the command that watched it has ended"


class Challenger:
    """The process that serves a release beside the live one.

    Args:
        process: started.
        id: of the challenge.
    """

    def __init__(self, process: "subprocess.Popen[str]", id: str) -> None:
        self.process, self.id = process, id
        self._said: dict[str, str | bool] = {}
        self._ready = threading.Event()
        self._listener = threading.Thread(target=self._hear, daemon=True, name="challenger")
        self._listener.start()

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            LostProcess: it has ended, or takes too long.
        """
        self._ready.wait(START_SECONDS)
        if not self._said.get("ready"):
            got = self._said.get("failed", "a process that ended, or is not ready after ten minutes")
            raise LostProcess("a process that serves the release", str(got), "See the log above it.")

    @property
    def ended(self) -> bool:
        """True when it answers nobody any more."""
        return self.process.poll() is not None

    def end(self) -> None:
        """End it, politely at first."""
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._listener.join()

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self._said |= json.loads(line)
            except ValueError:
                continue
            if "ready" in self._said or "failed" in self._said:
                self._ready.set()
        self._ready.set()


@contextmanager
def challenger_of(context: Context, release: str, mode: ChallengerMode, share: float) -> Iterator[Challenger]:
    """Serve a release beside the live one while the block lasts.

    Raises:
        Busy: another one is served so.
        MissingArtefact: there is no such release.
        CorruptArtefact: it does not verify.
        InputError: it is the live one, or the share is none.
        LostProcess: it cannot be served.
    """
    context.releases.open(release)
    if release == context.releases.current():
        raise InputError("a release that is not live", release, "Run: python -m jobs releases")
    if not 0 < share <= 1:
        raise InputError("a share above 0 and at most 1", f"{share:g}", "Correct it.")
    folder = ChallengerFolder(context.settings.data_dir)
    with folder.taken():
        id = secrets.token_hex(8)
        command = [sys.executable, "-m", "web.challenger", release, id, str(mode), str(share)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            started = Challenger(process, id)
            try:
                started.wait_until_ready()
                yield started
            finally:
                started.end()


def shadow(context: Context, release: str, share: float, minutes: float, *, as_json: bool) -> None:
    """Have a release make a share of the lists that readers get, and say how alike they are, and how long they took.

    Raises:
        RecsysError: see ``challenger_of``.
    """
    before, folder = context.releases.state(release), ChallengerFolder(context.settings.data_dir)
    with challenger_of(context, release, ChallengerMode.SHADOW, share) as served:
        context.releases.move(release, ReleaseState.SHADOW, who(), f"for {minutes:g} minutes")
        audited(context, "shadow", release, context.releases.current(), share=share, minutes=minutes)
        try:
            end = time.monotonic() + minutes * MINUTE_MS / SECOND_MS
            while not served.ended and (left := end - time.monotonic()) > 0:
                time.sleep(min(left, 1.0))
            figures = folder.figures(served.id)
        finally:
            context.releases.move(release, before.state, before.by, before.reason)
    if served.ended and time.monotonic() < end:
        raise LostProcess("a shadow that answers until the end", "it ended before", "See the log above.")
    told = _told(figures)
    audited(context, "shadow ended", release, context.releases.current(), reason=told)
    typer.echo(json.dumps(_as_json(release, figures)) if as_json else f"{release} as shadow: {told}")


def canary(
    context: Context, release: str, share: float, hours: float, margin: float, *, promote: bool, force: bool
) -> None:
    """Serve a share of readers by a release until their clicks decide, or the time is over.

    Raises:
        RefusedRelease: the gate refused it, or its readers, its failures or its times speak against it.
        RecsysError: see ``challenger_of``.
    """
    if not force and (said := context.releases.state(release).refusal):
        raise RefusedRelease("a release that the gate lets pass", said, "Add --force to have readers decide.")
    site, verdict = context.settings.site.id, CanaryVerdict(CanaryMove.GO_ON, "it was ended by hand")
    with closing(open_store(context.settings)) as store:
        _end_those_left(context, store)
        experiment = canary_experiment(site, release, share, by=who(), now=now_ms())
        with challenger_of(context, release, ChallengerMode.CANARY, share) as served:
            store.start_experiment(experiment)
            context.releases.move(
                release, ReleaseState.CANARY, who(), f"{share:.0%} of readers for {hours:g} h at most"
            )
            audited(context, "canary", release, context.releases.current(), share=share, hours=hours)
            try:
                verdict = _watched(context, store, experiment, served, hours, margin)
            finally:
                store.stop_experiment(site, experiment.name, who(), now_ms(), verdict.reason)
                context.releases.move(release, ReleaseState.CANDIDATE, who(), f"canary: {verdict.reason}")
                audited(context, f"canary: {verdict.move}", release, context.releases.current(), reason=verdict.reason)
    log.info("decided", job="canary", release=release, move=str(verdict.move), says=verdict.reason)
    if verdict.move is CanaryMove.TAKE_BACK:
        raise RefusedRelease("a canary that is as good as the live release", verdict.reason, "It stays a candidate.")
    if verdict.move is CanaryMove.GOOD and promote:
        before = context.releases.current()
        context.releases.activate(release, who(), f"canary: {verdict.reason}", force=force)
        audited(context, "promote", release, before=before, reason=f"canary: {verdict.reason}")
        log.info("promoted", job="canary", release=release, before=before or "-")


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
    context: Context, store: Store, experiment: StoredExperiment, served: Challenger, hours: float, margin: float
) -> CanaryVerdict:
    """Look again and again until something is decided, or the time is over."""
    folder, odd, said = ChallengerFolder(context.settings.data_dir), odd_readers_of(context), ""
    end = time.monotonic() + hours * HOUR_MS / SECOND_MS
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS, 1.0) if not said else min(left, LOOK_SECONDS))
        if served.ended:
            return CanaryVerdict(CanaryMove.TAKE_BACK, "the process that served it has ended")
        if (by := store.experiment(experiment.site, experiment.name).stopped_by) is not None:
            return CanaryVerdict(CanaryMove.TAKE_BACK, f"stopped by {by}")
        verdict = canary_verdict(_report(store, experiment, odd), folder.figures(served.id), margin)
        if verdict.move is not CanaryMove.GO_ON:
            return verdict
        if verdict.reason != said:
            log.info("goes on", job="canary", release=experiment.arms[1].release, says=verdict.reason)
            said = verdict.reason
    return CanaryVerdict(CanaryMove.GO_ON, f"not decided after {hours:g} h: {said or 'nothing was seen'}")


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


def _told(figures: ChallengerFigures) -> str:
    """Figures of a shadow in words."""
    if not figures.asked:
        return "no list was asked for"
    said = f"{figures.asked} lists, {figures.failed} failed, {figures.dropped} not asked for"
    if figures.overlap is not None:
        said += f"; {figures.overlap:.0%} of the first ten articles are the live list's"
    for of, (half, most) in _times(figures).items():
        said += f"; {of} {half:.1f} ms (p50), {most:.1f} ms (p99)"
    return said


def _times(figures: ChallengerFigures) -> dict[str, tuple[float, float]]:
    """Median and 99th percentile of the times, ms, as far as there are any."""
    known = {"its own": figures.ms, "the live ones": figures.live_ms}
    return {of: (float(np.percentile(ms, 50)), float(np.percentile(ms, 99))) for of, ms in known.items() if ms}


def _as_json(release: str, figures: ChallengerFigures) -> dict[str, object]:
    counts = {"asked": figures.asked, "failed": figures.failed, "dropped": figures.dropped}
    times = dict(zip(("ms", "live_ms"), _times(figures).values(), strict=False))
    return {"release": release, **counts, "overlap": figures.overlap, "same": figures.same, **times}
