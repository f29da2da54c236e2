"""A release beside the live one: who is served by it, what becomes of its failures, and who ends it."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import challenge
from jobs.challenger_process import challenger_of
from jobs.runner import Context, open_store
from jobs.worker import PROGRAM
from recsys.errors import Busy, InputError, LostProcess, RefusedRelease
from recsys.experiments.arms import (
    LEAST_ARM_SHARE,
    MOST_CANARY_SHARE,
    VISIT_MS,
    canary_experiment,
    checked_experiment,
)
from recsys.experiments.assignment import arm_of
from recsys.experiments.report import ExperimentReport, MeasureEffect, experiment_report
from recsys.experiments.sequential import NOTHING_KNOWN, SequentialInterval
from recsys.gate.canary import CanaryMove, canary_verdict
from recsys.recommend.config import RecommendConfig
from recsys.releases import ReleaseState
from recsys.runs.commands import CHALLENGES, command_line
from recsys.runs.lifecycle import challenger_holder
from recsys.runs.worker import Worker
from recsys.serving.challenger import ChallengerFigures, ChallengerFolder, ChallengerMode, ChallengerNote
from recsys.store import LEFT_OUT, Event, Exposure, Kind, Place, Run, Scope, Store
from recsys.units import HOUR_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, for_children, problem, serving
from tests.test_serving import NEWER, eventually, newer_release
from web.api.challenging import LOOK_SECONDS, Challenging
from web.api.schemas import RecommendationsQuery
from web.installation import KEY

READERS = [f"visitor-{number:03d}" for number in range(60)]
QUERY = RecommendationsQuery(reader="r1", k=5)


@pytest.fixture
def context(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A toy newsroom with a second release that is a candidate; child processes read its settings."""
    settings = copy_of(toy, tmp_path)
    for_children(settings, monkeypatch)
    newer_release(settings)
    context = Context(settings, seed=1)
    context.releases.move(NEWER, ReleaseState.CANDIDATE, "me", "made")
    return context


def served_by(service: Service, readers: list[str]) -> dict[str, str]:
    """The release that makes each reader's list."""
    return {reader: service.get("/api/v1/recommendations", reader=reader, k=3)["release"] for reader in readers}


def look(service: Service) -> Challenging:
    """Have a worker look at what runs, and at who answers beside it."""
    service.live.follow()
    challenging: Challenging = service.client.application.extensions[KEY].challenging
    challenging._look()
    return challenging


def test_a_canary_serves_its_readers_and_nobody_misses_it(context: Context) -> None:
    live, experiment = context.releases.current(), canary_experiment(SITE, NEWER, 0.5, by="me", now=now_ms())
    with serving(context.settings) as service:
        own = [reader for reader in READERS if arm_of(experiment.salt, reader, (0.5, 0.5)) == 1]
        off, *others = own
        service.store.choose_personalisation(SITE, off, on=False)
        with challenger_of(context, NEWER, ChallengerMode.CANARY, 0.5) as served:
            service.store.start_experiment(experiment)
            challenging = look(service)
            releases = served_by(service, READERS)
            assert {reader for reader, release in releases.items() if release == NEWER} == set(others)
            assert {releases[reader] for reader in READERS if reader not in others} == {live}
            assert service.get("/api/v1/recommendations", k=3)["release"] == live  # a stranger takes no part
            service.live.follow()
            exposed = service.store.exposed_readers(SITE, experiment.name)
            assert exposed == {0: len(READERS) - len(own), 1: len(others)}
            with pytest.raises(Busy), challenger_of(context, NEWER, ChallengerMode.SHADOW, 0.5):
                pass
            os.kill(served.process.pid, signal.SIGKILL)
            served.process.wait()
            assert set(served_by(service, READERS).values()) == {live}
            challenging.close()
            assert context_figures(context, served.id).failed == 1  # who failed once is left alone for a while
        assert look(service)._note is None
        assert set(served_by(service, READERS).values()) == {live}


def context_figures(context: Context, id: str) -> ChallengerFigures:
    """The figures that workers have left."""
    return ChallengerFolder(context.settings.data_dir).figures(id)


def test_a_release_that_cannot_be_served_is_no_challenger(context: Context) -> None:
    live = str(context.releases.current())
    for name, share in ((live, 0.1), (NEWER, 0.0), (NEWER, 1.5)):
        with pytest.raises(InputError), challenger_of(context, name, ChallengerMode.SHADOW, share):
            pass
    (context.settings.data_dir / "config.yaml").write_text('{"site": {"language": "?"}}')
    with pytest.raises(LostProcess), challenger_of(context, NEWER, ChallengerMode.SHADOW, 0.1):
        pass
    assert ChallengerFolder(context.settings.data_dir).note() is None


class Challenged:
    """A live release of which every reader is the canary's."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def other_release(self, reader: str | None) -> str | None:
        return NEWER if reader else None

    def has_beside(self, release: str | None) -> None:
        self.beside = release

    def exposed(self, reader: str) -> None:
        self.seen.append(reader)


@contextmanager
def answering(
    folder: Path, mode: ChallengerMode, status: int = 200, seconds: float = 0.0, release: str = NEWER
) -> Iterator[list[str]]:
    """A challenger that answers with two articles; the addresses that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(seconds)
            said = {"release": release, "items": [{"id": "a"}, {"id": "z"}]}
            body = json.dumps(said, separators=(",", ":")).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingUnixStreamServer("", Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = ChallengerFolder(folder).bind()
    server.server_activate()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        ChallengerFolder(folder).write_note(ChallengerNote("c1", NEWER, mode, 1.0))
        yield asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "seconds"), [(500, 0.0), (200, 0.4)])
def test_a_challenger_that_fails_or_is_slow_keeps_nobody_waiting(tmp_path: Path, status: int, seconds: float) -> None:
    live: Any = Challenged()
    with answering(tmp_path, ChallengerMode.CANARY, status, seconds) as asked:
        challenging = Challenging(live, tmp_path)
        began = time.monotonic()
        assert [challenging.answer("r1", QUERY, None) for _ in range(20)] == [None] * 20
        assert time.monotonic() - began < 1.0
        challenging.close()
    assert len(asked) == 1
    assert live.seen == ["r1"] * 20  # they are its readers, whoever answers
    figures = ChallengerFolder(tmp_path).figures("c1")
    assert (figures.asked, figures.failed, figures.ms) == (1, 1, [])


def test_what_answers_in_the_place_of_a_challenger_that_is_gone_is_shown_to_nobody(tmp_path: Path) -> None:
    live: Any = Challenged()
    for release, taken in ((NEWER, True), ("another", False)):
        with answering(tmp_path, ChallengerMode.CANARY, release=release):
            challenging = Challenging(live, tmp_path)
            assert (challenging.answer("r1", QUERY, None) is not None) is taken
            challenging.close()


def test_a_shadow_is_compared_and_never_answers(tmp_path: Path) -> None:
    live: Any = Challenged()
    with answering(tmp_path, ChallengerMode.SHADOW) as asked:
        challenging = Challenging(live, tmp_path)
        assert challenging.answer("r1", QUERY, None) is None
        assert challenging.has_shadow
        challenging.shadow(QUERY, None, ["a", "b"], 3.0)
        eventually(lambda: challenging._figures.overlap is not None, 5)
        challenging.close()
    assert asked == ["/api/v1/recommendations?reader=r1&k=5"]
    figures = ChallengerFolder(tmp_path).figures("c1")
    assert (figures.overlap, figures.live_ms, figures.asked, len(figures.ms)) == (0.5, [3.0], 1, 1)
    assert ChallengerFolder(tmp_path).figures("c0") == ChallengerFigures()


def test_a_worker_stops_to_look_at_once(tmp_path: Path) -> None:
    live: Any = Challenged()
    began = time.monotonic()
    for _ in range(3):
        Challenging(live, tmp_path).close()
    assert time.monotonic() - began < LOOK_SECONDS


def test_a_shadow_that_cannot_follow_is_asked_for_less(tmp_path: Path) -> None:
    live: Any = Challenged()
    with answering(tmp_path, ChallengerMode.SHADOW, seconds=0.1):
        challenging = Challenging(live, tmp_path)
        for _ in range(200):
            challenging.shadow(QUERY, None, ["a"], 1.0)
        challenging.close()
    assert ChallengerFolder(tmp_path).figures("c1").dropped >= 140


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mode": "canary"}', '{"mode": "king", "id": "x"}'])
def test_a_note_of_nobody_is_none(tmp_path: Path, text: str) -> None:
    folder = ChallengerFolder(tmp_path)
    folder.root.mkdir(parents=True)
    (folder.root / "note.json").write_text(text)
    assert folder.note() is None


def effects(low: float, high: float, control: float = 0.1) -> ExperimentReport:
    """A report of an interval of the difference of click rates."""
    interval = SequentialInterval((low + high) / 2, low, high) if low > -1 else NOTHING_KNOWN._replace(mean=0.0)
    effect = MeasureEffect("click_rate", "canary", control, control + interval.mean, interval, 1.0, breach=False)
    return ExperimentReport({}, {}, 1.0, "", [effect], {})


@pytest.mark.parametrize(
    ("low", "high", "move"),
    [
        (-0.02, -0.001, CanaryMove.TAKE_BACK),
        (-0.02, 0.001, CanaryMove.GO_ON),
        (-0.0051, 0.02, CanaryMove.GO_ON),
        (-0.0049, 0.02, CanaryMove.GOOD),
        (-2.0, 0.0, CanaryMove.GO_ON),
    ],
)
def test_clicks_decide(low: float, high: float, move: CanaryMove) -> None:
    assert canary_verdict(effects(low, high), ChallengerFigures()).move is move


def test_failures_times_and_broken_exposure_decide_at_once() -> None:
    good = effects(-0.001, 0.02)
    failing = ChallengerFigures(asked=200, failed=3, ms=[1.0] * 197)
    slow = ChallengerFigures(asked=200, ms=[1.0] * 190 + [200.0] * 10)
    few = ChallengerFigures(asked=50, failed=50)
    assert canary_verdict(good, failing) == (CanaryMove.TAKE_BACK, "1.5% of its 200 answers failed")
    assert canary_verdict(good, slow).reason == "99 of 100 answers took up to 200 ms"
    assert canary_verdict(good, few).move is CanaryMove.GOOD
    assert canary_verdict(good._replace(broken="uneven"), few) == (CanaryMove.TAKE_BACK, "uneven")
    assert canary_verdict(good._replace(effects=[]), few).move is CanaryMove.GO_ON
    assert canary_verdict(effects(-0.001, 0.02, control=0.0), few).reason == "nobody has clicked yet"


def test_an_arm_of_settings_is_no_release() -> None:
    arms = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "settings": {"release": NEWER}}]
    with pytest.raises(InputError, match="python -m jobs canary"):
        checked_experiment(SITE, "e", arms, RecommendConfig(), window_days=1, by="me", now=0)


def visits(store: Store, experiment: Any, clicks: dict[int, int]) -> None:
    """An hour ago 150 readers saw ten cards each, and clicked so many by their arm."""
    began, exposed, events = now_ms() - HOUR_MS, [], []
    for number in range(150):
        reader = f"visitor-{number:03d}"
        arm = arm_of(experiment.salt, reader, (0.5, 0.5))
        exposed.append(Exposure(reader, arm, began))
        for card in range(10):
            about = (f"football-{card % 8}", reader, None, began + card)
            events.append(Event(f"{reader}-i{card}", SITE, Kind.IMPRESSION, *about))
            if card < clicks[arm] + number % 2:
                events.append(Event(f"{reader}-c{card}", SITE, Kind.CLICK, *about[:3], began + MINUTE_MS))
    store.add_exposures(SITE, experiment.name, exposed)
    store.add_events(events)


@pytest.fixture
def begun(context: Context, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The command without its process; clicks of each arm are taken from what the test says."""
    said: dict[str, Any] = {"clicks": {0: 2, 1: 2}, "ended": False}
    monkeypatch.setattr(challenge, "LOOK_SECONDS", 0.01)

    @contextmanager
    def served(*_: Any) -> Iterator[Any]:
        yield SimpleNamespace(id="c1", ended=said["ended"])

    start = Store.start_experiment

    def started(store: Store, experiment: Any) -> None:
        start(store, experiment)
        if said["clicks"]:
            visits(store, experiment, said["clicks"])
        if said.get("stopped"):
            store.stop_experiment(SITE, experiment.name, "token ops", now_ms())

    monkeypatch.setattr(challenge, "challenger_of", served)
    monkeypatch.setattr(Store, "start_experiment", started)
    return said


def canary(context: Context, hours: float = 0.0003, **more: Any) -> None:
    challenge.canary(context, NEWER, 0.5, hours, 0.05, **({"promote": True, "force": False} | more))


def test_a_canary_whose_readers_click_less_is_taken_back(context: Context, begun: dict[str, Any]) -> None:
    live, begun["clicks"] = context.releases.current(), {0: 5, 1: 2}
    with pytest.raises(RefusedRelease, match="click less"):
        canary(context)
    record = context.releases.state(NEWER)
    assert (context.releases.current(), record.state) == (live, ReleaseState.CANDIDATE)
    assert record.reason.startswith("canary: its readers click less")
    with closing(open_store(context.settings)) as store:
        assert store.experiments(SITE, running=True) == []
        verbs = [entry.verb for entry in store.audit(SITE, 10) if entry.object == f"release {NEWER}"]
    assert verbs == ["canary: take back", "canary"]


def test_a_good_canary_is_made_live_unless_that_is_left_to_a_person(context: Context, begun: dict[str, Any]) -> None:
    live, begun["clicks"] = context.releases.current(), {0: 2, 1: 5}
    canary(context, promote=False)
    assert context.releases.current() == live
    assert context.releases.state(NEWER).reason.startswith("canary: not worse")
    canary(context)
    assert context.releases.current() == NEWER


def test_a_canary_that_decides_nothing_stays_a_candidate(context: Context, begun: dict[str, Any]) -> None:
    live = context.releases.current()
    canary(context)
    assert context.releases.current() == live
    assert context.releases.state(NEWER).reason.startswith("canary: not decided after 0.0003 h")


def test_a_canary_whose_process_ends_is_taken_back(context: Context, begun: dict[str, Any]) -> None:
    begun["ended"] = True
    with pytest.raises(RefusedRelease, match="has ended"):
        canary(context)


def test_a_canary_that_an_operator_stops_is_taken_back(context: Context, begun: dict[str, Any]) -> None:
    begun["stopped"] = True
    with pytest.raises(RefusedRelease, match="stopped by token ops"):
        canary(context)


def test_what_a_killed_command_left_is_ended_by_the_next(context: Context, begun: dict[str, Any]) -> None:
    left, begun["clicks"] = canary_experiment(SITE, NEWER, 0.1, by="me", now=1), {}
    with closing(open_store(context.settings)) as store:
        store.start_experiment(left)
    context.releases.move(NEWER, ReleaseState.CANARY, "me", "10% of readers")
    begun["clicks"] = {0: 5, 1: 2}
    with pytest.raises(RefusedRelease, match="click less"):
        canary(context)
    with closing(open_store(context.settings)) as store:
        assert store.experiment(SITE, left.name).stopped_at is not None


def test_the_worker_ends_what_a_killed_command_left_and_nothing_that_goes_on(context: Context) -> None:
    left, elsewhere = (canary_experiment(SITE, name, 0.1, by="me", now=1) for name in (NEWER, "of another host"))
    context.releases.move(NEWER, ReleaseState.CANARY, "me", "10% of readers")
    with closing(open_store(context.settings)) as store:
        store.start_experiment(left)
        with ChallengerFolder(context.settings.data_dir).taken():
            challenge.end_unwatched(context, store)
        assert store.experiment(SITE, left.name).stopped_at is None, "the command holds the lock"
        challenge.end_unwatched(context, store)
        assert store.experiment(SITE, left.name).stopped_at is not None
        assert context.releases.state(NEWER).reason == challenge.LEFT
        store.start_experiment(elsewhere)
        challenge.end_unwatched(context, store)
        assert store.experiment(SITE, elsewhere.name).stopped_at is None, "its release is tried elsewhere"


def test_a_candidate_that_the_gate_refused_needs_force(context: Context, begun: dict[str, Any]) -> None:
    context.releases.judged(NEWER, "gate", "ranks worse", {"passed": False})
    with pytest.raises(RefusedRelease, match="ranks worse"):
        canary(context)
    begun["clicks"] = {0: 2, 1: 5}
    canary(context, force=True)
    assert context.releases.current() == NEWER


# by API: queued, taken by a worker's second place, seen from anywhere, ended


def json_of(answer: Any) -> Any:
    """The JSON of an answer."""
    return answer.json


def trial(answer: Any) -> Any:
    """The trial of an answer."""
    return json_of(answer)["challenge"]


def operator(service: Service) -> dict[str, str]:
    return {"Authorization": f"Bearer {service.store.add_token(f'ops {now_ms()}', Scope.OPERATOR, SITE)}"}


CHALLENGE = "/admin/api/challenge"


def test_a_trial_is_queued_seen_and_ended_by_api(context: Context) -> None:
    live = context.releases.current()
    with serving(context.settings) as service:
        head = operator(service)
        assert service.client.get(CHALLENGE, headers=head).json == {"challenge": None}
        assert service.client.delete(CHALLENGE, headers=head).status_code == 404
        asked: dict[str, Any] = {"release": NEWER, "mode": "canary", "share": 0.2, "promote": False}
        for wrong, status in (
            ({"release": live}, 422),
            ({"release": "of-nobody"}, 404),
            ({"release": "../CURRENT"}, 422),
            ({"share": 0.9}, 422),
            ({"share": "much"}, 422),
            ({"minutes": 5}, 422),
            ({"mode": "king"}, 422),
            ({"hours": float("inf")}, 422),
        ):
            answer = service.client.post(CHALLENGE, json=asked | wrong, headers=head)
            assert answer.status_code == status, (wrong, answer.text)
        key = head | {"Idempotency-Key": "once"}
        first, again = (service.client.post(CHALLENGE, json=asked, headers=key) for _ in range(2))
        assert (first.status_code, first.json) == (202, again.json)
        shadow = {"release": NEWER, "mode": "shadow"}
        problem(service.client.post(CHALLENGE, json=shadow, headers=head), 409, "busy")
        told = trial(service.client.get(CHALLENGE, headers=head))
        assert (told["mode"], told["release"], told["active"]) == ("canary", NEWER, True)
        assert told["run"]["state"] == "queued"
        assert told["run"]["asked_by"].startswith("token ops")
        ended = service.client.delete(CHALLENGE, headers=head)
        assert (ended.status_code, trial(ended)["run"]["state"]) == (202, "cancelled")
        assert not trial(service.client.get(CHALLENGE, headers=head))["active"]
        context.releases.judged(NEWER, "gate", "ranks worse", {"passed": False})
        problem(service.client.post(CHALLENGE, json=asked, headers=head), 409, "refused-release")
        assert service.client.post(CHALLENGE, json=asked | {"force": True}, headers=head).status_code == 202
        for role in (Scope.VIEWER, Scope.EDITOR):
            reading = {"Authorization": f"Bearer {service.store.add_token(role.value, role, SITE)}"}
            assert service.client.get(CHALLENGE, headers=reading).status_code == 200
            problem(service.client.post(CHALLENGE, json=asked, headers=reading), 403, "wrong-scope")


def test_the_page_of_a_release_begins_shows_and_ends_a_trial(context: Context) -> None:
    page = f"/console/releases/{NEWER}"
    with serving(context.settings) as service:
        head = operator(service)
        begin = service.client.get(f"{page}?lang=en", headers=head).text
        assert f'action="{page}/try"' in begin
        wrong = service.client.post(f"{page}/try?lang=en", data={"mode": "canary", "share": "x"}, headers=head).text
        assert "Input should be a valid number" in wrong or "number" in wrong
        assert service.store.active_runs(SITE) == []
        form = {"mode": "shadow", "share": "5", "limit": "0.5", "promote": "on"}
        begun = service.client.post(f"{page}/try?lang=en", data=form, headers=head).text
        (run,) = service.store.active_runs(SITE)
        assert (run.job, run.params) == ("shadow", {"release": NEWER, "share": 0.05, "minutes": 30})
        assert f'action="{page}/untry"' in begun
        assert f'action="{page}/try"' not in begun
        other = service.client.get(f"/console/releases/{context.releases.current()}?lang=en", headers=head).text
        assert f"{NEWER} is being tried" in other
        ended = service.client.post(f"{page}/untry?lang=en", headers=head).text
        assert "is ending" in ended
        assert service.store.active_runs(SITE) == []
        form = {"mode": "canary", "share": "10", "limit": "2"}
        service.client.post(f"{page}/try?lang=en", data=form, headers=head)
        (run,) = service.store.active_runs(SITE)
        params = {"release": NEWER, "share": 0.1, "hours": 2, "promote": False, "force": False}
        assert (run.job, run.params) == ("canary", params)


@pytest.fixture
def worker(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker whose children are what they are in service."""
    monkeypatch.setenv("RECSYS_DATA_DIR", str(context.settings.data_dir))
    with closing(open_store(context.settings)) as store:
        logs, has = context.settings.data_dir / "runs", context.releases.names()
        one = Worker(store, SITE, context.workspace, PROGRAM, logs, has_release=has.__contains__)
        yield one
        one.close()


def until(worker: Worker, happened: Callable[[], Any], seconds: float = 180.0) -> Any:
    """Let a worker work until something has happened; what that gives."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline
        worker.tick()
        time.sleep(0.1)
    return found


def test_a_worker_serves_a_canary_beside_its_other_runs_until_the_api_ends_it(context: Context, worker: Worker) -> None:
    live = str(context.releases.current())
    with serving(context.settings) as service:
        head = operator(service)
        asked = {"release": NEWER, "mode": "canary", "share": 0.5}
        run_id = json_of(service.client.post(CHALLENGE, json=asked, headers=head))["run_id"]

        def told() -> Any:
            return trial(service.client.get(CHALLENGE, headers=head))

        until(worker, lambda: told()["experiment"])
        assert context.releases.state(NEWER).state is ReleaseState.CANARY
        look(service)
        assert set(served_by(service, READERS).values()) == {live, NEWER}
        service.live.follow()
        other = service.store.queue_run(Run.asked(SITE, "trends", {}, "me", now_ms()))
        until(worker, lambda: (service.store.run(other.id) or other).state == "succeeded")  # it waits for no trial
        said = until(worker, lambda: told() if told()["exposed"].get("canary") else None)
        assert (said["active"], said["run"]["state"], said["run"]["host"]) == (True, "running", socket.gethostname())
        service.client.delete(CHALLENGE, headers=head)
        until(worker, lambda: not told()["active"] and not worker.busy)
        said = told()
        assert said["run"]["state"] == "cancelled"
        assert said["says"].startswith("cancelled by token ops")
        assert service.store.experiments(SITE, running=True) == []
        assert context.releases.state(NEWER).reason.startswith("canary: cancelled by token ops")
        assert look(service)._note is None
        assert set(served_by(service, READERS).values()) == {live}
        (move,) = [one for one in service.store.audit(SITE, 50) if one.verb == "canary"]
        assert move.actor.startswith("token ops")
        log = [line["event"] for line in json_of(service.client.get(f"/admin/api/runs/{run_id}", headers=head))["log"]]
        assert "goes on" in log


def test_a_trial_waits_for_a_worker_whose_machine_has_the_release(context: Context) -> None:
    with closing(open_store(context.settings)) as store:
        run = store.queue_run(Run.asked(SITE, "shadow", {"release": NEWER}, "me", now_ms()))
        there = Worker(store, SITE, context.workspace, ("false",), context.settings.data_dir / "runs",
                       has_release=lambda name: name != NEWER)  # fmt: skip
        there.tick()
        assert (store.run(run.id) or run).state == "queued"
        here = Worker(store, SITE, context.workspace, ("false",), context.settings.data_dir / "runs")
        here.tick()
        assert (store.run(run.id) or run).state == "running"
        here.close()


def test_a_worker_that_is_told_to_end_leaves_its_trial_to_the_next_one(context: Context, worker: Worker) -> None:
    with closing(open_store(context.settings)) as store:
        run = store.queue_run(Run.asked(SITE, "shadow", {"release": NEWER, "minutes": 60}, "token ops", now_ms()))
        until(worker, lambda: context.releases.state(NEWER).state is ReleaseState.SHADOW)
        worker.close()
        assert (store.run(run.id) or run).state == "interrupted"
        (again,) = store.active_runs(SITE)
        assert (again.job, again.attempt, again.params, again.asked_by) == ("shadow", 2, run.params, "token ops")
        assert context.releases.state(NEWER).state is ReleaseState.CANDIDATE
        assert ChallengerFolder(context.settings.data_dir).note() is None


@pytest.mark.parametrize("job", ["shadow", "canary"])
def test_a_trial_that_is_told_to_end_as_it_begins_leaves_nothing_behind(
    context: Context, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    @contextmanager
    def served(*_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(id="x", ended=False)

    def told(context: Context, action: str, *_: object, **__: object) -> None:
        if action == job:
            assert context.releases.state(NEWER).state is ReleaseState(job)
            raise SystemExit(128 + signal.SIGTERM)

    monkeypatch.setattr(challenge, "challenger_of", served)
    monkeypatch.setattr(challenge, "audited", told)
    with pytest.raises(SystemExit):
        canary(context) if job == "canary" else challenge.shadow(context, NEWER, 0.5, 1.0)
    assert context.releases.state(NEWER).state is ReleaseState.CANDIDATE
    with closing(open_store(context.settings)) as store:
        assert not store.experiments(SITE, running=True)


def test_a_second_trial_of_the_site_is_refused_wherever_it_is_asked_for(context: Context) -> None:
    with closing(open_store(context.settings)) as store:
        store.queue_run(Run.asked(SITE, "canary", {"release": NEWER}, "me", now_ms()))
        other = store.claim_run(SITE, CHALLENGES, challenger_holder(SITE), Place("w2", "host-2"), now_ms())
        assert other is not None
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(0.2):
                store.beat(other, {}, now_ms())

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            with pytest.raises(Busy, match="host-2"):
                canary(context)
        finally:
            stop.set()
            thread.join()


# several hosts: who counts


def test_only_readers_whom_one_machine_served_count(context: Context) -> None:
    experiment = canary_experiment(SITE, NEWER, 0.5, by="me", now=now_ms())
    own = [reader for reader in READERS if arm_of(experiment.salt, reader, (0.5, 0.5)) == 1]
    others = [reader for reader in READERS if reader not in own]
    with serving(context.settings) as here, serving(context.settings) as elsewhere:
        here.store.start_experiment(experiment)
        for service, release in ((here, NEWER), (elsewhere, None)):
            service.live.follow()
            service.live.has_beside(release)  # as the note in the data folder of its machine says
        for reader in READERS[:50]:
            here.live.exposed(reader)
        here.live.follow()
        hopped = [*own[:5], *others[:4], *READERS[50:]]  # the last ten were here only after that
        served_by(elsewhere, hopped)
        for reader in READERS[50:]:
            here.live.exposed(reader)
        here.live.follow()
        elsewhere.live._experiments._looked_at = 0
        elsewhere.live.follow()
        exposed = here.store.exposed_readers(SITE, experiment.name)
        assert exposed.pop(LEFT_OUT) == len(set(hopped))
        assert exposed == {
            0: len([one for one in others if one not in hopped]),
            1: len([one for one in own if one not in hopped]),
        }
        (rows,) = here.store.outcomes(SITE, experiment.name, MINUTE_MS, now_ms() + HOUR_MS)
        assert {row.reader for row in rows} == set(READERS) - set(hopped)
        report = experiment_report(experiment, here.store.exposed_readers(SITE, experiment.name), {}, [rows])
        assert (report.left_out, report.broken) == (len(set(hopped)), "")
        served_by(here, hopped)  # and who is left out stays so
        here.live.follow()
        assert here.store.exposed_readers(SITE, experiment.name)[LEFT_OUT] == len(set(hopped))


def test_a_list_of_another_machine_after_the_visit_changes_nothing(context: Context) -> None:
    experiment = canary_experiment(SITE, NEWER, 0.5, by="me", now=now_ms())
    with closing(open_store(context.settings)) as store:
        store.start_experiment(experiment)
        old = now_ms() - VISIT_MS - HOUR_MS
        store.add_exposures(SITE, experiment.name, [Exposure("r1", 0, old), Exposure("r2", 1, now_ms())])
        with serving(context.settings) as elsewhere:
            elsewhere.live.follow()
            served_by(elsewhere, ["r1", "r2", "r3"])
            elsewhere.live.follow()
        assert store.exposed_readers(SITE, experiment.name) == {0: 1, LEFT_OUT: 1}


def test_the_bounds_of_a_trial_are_the_command_s_and_the_experiment_s() -> None:
    assert command_line("canary", {"release": "r"}) == ["canary", "r"]
    full = {"release": "r", "share": 0.1, "hours": 2, "margin": 0.02, "promote": False, "force": True}
    wanted = ["canary", "r", "--share", "0.1", "--hours", "2", "--margin", "0.02", "--no-promote", "--force"]
    assert command_line("canary", full) == wanted
    for share in (LEAST_ARM_SHARE, MOST_CANARY_SHARE):
        assert command_line("canary", {"release": "r", "share": share})
        assert canary_experiment(SITE, "r", share, by="me", now=0)
    for wrong in ({"share": 0.009}, {"share": 0.51}, {"share": True}, {"hours": 673}, {"promote": "no"}, {"x": 1}):
        with pytest.raises(InputError):
            command_line("canary", {"release": "r"} | wrong)
    for name in ("", "-x", "a/b", "a" * 200, 3):
        with pytest.raises(InputError):
            command_line("shadow", {"release": name})
