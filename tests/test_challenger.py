"""A release beside the live one: who is served by it, what becomes of its failures, and who ends it."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs import challenge
from jobs.runner import Context, open_store
from recsys.errors import Busy, InputError, LostProcess, RefusedRelease
from recsys.experiments.arms import canary_experiment, checked_experiment
from recsys.experiments.assignment import arm_of
from recsys.experiments.report import ExperimentReport, MeasureEffect
from recsys.experiments.sequential import NOTHING_KNOWN, SequentialInterval
from recsys.gate.canary import CanaryMove, canary_verdict
from recsys.recommend.config import RecommendConfig
from recsys.releases import ReleaseState
from recsys.serving.challenger import ChallengerFigures, ChallengerFolder, ChallengerMode, ChallengerNote
from recsys.store import Event, Exposure, Kind, Store
from recsys.units import HOUR_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, for_children, serving
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
        with challenge.challenger_of(context, NEWER, ChallengerMode.CANARY, 0.5) as served:
            service.store.start_experiment(experiment)
            challenging = look(service)
            releases = served_by(service, READERS)
            assert {reader for reader, release in releases.items() if release == NEWER} == set(others)
            assert {releases[reader] for reader in READERS if reader not in others} == {live}
            assert service.get("/api/v1/recommendations", k=3)["release"] == live  # a stranger takes no part
            service.live.follow()
            exposed = service.store.exposed_readers(SITE, experiment.name)
            assert exposed == {0: len(READERS) - len(own), 1: len(others)}
            with pytest.raises(Busy), challenge.challenger_of(context, NEWER, ChallengerMode.SHADOW, 0.5):
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
        with pytest.raises(InputError), challenge.challenger_of(context, name, ChallengerMode.SHADOW, share):
            pass
    (context.settings.data_dir / "config.yaml").write_text('{"site": {"language": "?"}}')
    with pytest.raises(LostProcess), challenge.challenger_of(context, NEWER, ChallengerMode.SHADOW, 0.1):
        pass
    assert ChallengerFolder(context.settings.data_dir).note() is None


class Challenged:
    """A live release of which every reader is the canary's."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def other_release(self, reader: str | None) -> str | None:
        return NEWER if reader else None

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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        ChallengerFolder(folder).write_note(ChallengerNote("c1", NEWER, mode, 1.0, server.server_address[1]))
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


def test_what_answers_at_the_port_of_a_challenger_that_is_gone_is_shown_to_nobody(tmp_path: Path) -> None:
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


def test_only_the_command_begins_a_canary() -> None:
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
