"""The benchmark of the service: its visits, its client on answers of every kind, its figures, and a small whole run."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serve.__main__ import arguments
from benchmarks.serve.clicks import CARDS, Articles, simulated_events, visitor_is_nameless
from benchmarks.serve.client import BROKEN, COMPLETE, EVENT, LIST, REFUSED, SHED, TIMEOUT, WRONG, Outcomes, Run, drive
from benchmarks.serve.data import MARKER, Size, built, copied
from benchmarks.serve.freshness import StorePublisher, freshness
from benchmarks.serve.ingestion import ingestion, stored
from benchmarks.serve.load import Setting, at_rate, driven, summary
from benchmarks.serve.noise import watched
from benchmarks.serve.report import best_of
from benchmarks.serve.service import Service, owner_of
from benchmarks.serve.soak import FED, Seen, feed, growth
from benchmarks.serve.swaps import Swap, append, publish_other, split
from benchmarks.serve.workload import Visitors, arrivals, asked, workload
from recsys.errors import ImportRefused
from recsys.imports import Target, import_feed
from recsys.releases import Releases
from recsys.store import Article, Store
from recsys.units import DAY_MS, HOUR_MS, now_ms
from recsys.workspace import Workspace
from tests.newsroom import Toy
from tests.service import copy_of

END = 1_790_000_000_000
LIST_OF_TWO = b'{"release": null, "items": [%s]}' % b", ".join(
    b'{"id": "%d", "title": "T", "reason": {"text": "fresh"}}' % number for number in range(2)
)


def small_site(number: int = 200) -> Articles:
    rng = np.random.default_rng(3)
    published = np.sort(rng.integers(END - 20 * DAY_MS, END, number))
    return Articles([f"a{row}" for row in range(number)], published, rng.integers(4, size=number))


def test_simulated_visits_are_about_as_many_as_asked_for_and_the_same_again() -> None:
    one, two = (
        simulated_events(small_site(), 9_000, 500, END - 5 * DAY_MS, END, np.random.default_rng(1)) for _ in range(2)
    )
    assert one.equals(two)
    assert 8_500 < one.num_rows < 9_500
    assert len(set(one["event_id"].to_pylist())) == one.num_rows
    times = one["time"].to_numpy()
    assert (np.diff(times) >= 0).all()
    assert END - 5 * DAY_MS <= times[0] < times[-1] < END


def test_a_simulated_list_holds_different_cards_that_are_out_and_its_clicks_are_of_them() -> None:
    site = small_site()
    published = dict(zip(site.ids, site.published.tolist(), strict=True))
    lists: dict[str, list[dict[str, Any]]] = {}
    for row in simulated_events(site, 5_000, 300, END - 5 * DAY_MS, END, np.random.default_rng(2)).to_pylist():
        lists.setdefault(row["impression"], []).append(row)
        assert published[row["article"]] <= row["time"] + HOUR_MS, "shown before it was published"
    for rows in lists.values():
        shown = {row["position"]: row["article"] for row in rows if row["kind"] == "impression"}
        assert sorted(shown) == list(range(len(shown))), "from the top, without a gap"
        assert len(set(shown.values())) == len(shown) <= CARDS
        assert all(shown[row["position"]] == row["article"] for row in rows if row["kind"] == "click")
        assert len({(row["reader"], row["session"], row["context"]) for row in rows}) == 1


def test_some_visitors_give_a_session_alone() -> None:
    table = simulated_events(small_site(), 9_000, 500, END - 5 * DAY_MS, END, np.random.default_rng(1))
    nameless = np.array([reader is None for reader in table["reader"].to_pylist()])
    assert 0.2 < nameless.mean() < 0.5
    assert visitor_is_nameless(np.arange(1_000)).mean() == pytest.approx(0.33)
    assert None not in table["session"].to_pylist()


@pytest.mark.parametrize("asked_for", [(0, 5), (5, 0)])
def test_visits_of_nobody_are_refused(asked_for: tuple[int, int]) -> None:
    with pytest.raises(ImportRefused, match="visitors"):
        simulated_events(small_site(), *asked_for, END - 1, END, np.random.default_rng(1))


def test_a_folder_is_built_once_and_never_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ImportRefused, match=MARKER):
        built(tmp_path, Size(10))
    (tmp_path / MARKER).write_text(json.dumps({"format": 0}))
    with pytest.raises(ImportRefused, match="another one"):
        built(tmp_path, Size(10))


def answer(status: int, body: bytes, head: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


@contextmanager
def server(reply: Callable[[bytes, socket.socket], bytes | None]) -> Iterator[int]:
    """A server that answers each request with some bytes, or closes its connection where there are none."""

    def talk(line: socket.socket) -> None:
        with line:
            while request := line.recv(65_536):
                said = reply(request, line)
                if said is None:
                    return
                line.sendall(said)

    def accept() -> None:
        while True:
            try:
                line = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=talk, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def one_request(
    reply: Callable[[bytes, socket.socket], bytes | None], kind: int = LIST, deadline: float = 60.0
) -> Outcomes:
    with server(reply) as port:
        return drive(Run(port, [asked("/")], [kind], [0.0], 1.0, 1, deadline, 2))


@pytest.mark.parametrize(
    ("said", "kind", "outcome"),
    [
        (answer(200, LIST_OF_TWO), LIST, COMPLETE),
        (answer(200, LIST_OF_TWO.replace(b'"reason"', b'"r"', 1)), LIST, WRONG),
        (answer(202, b'{"accepted": 1}'), EVENT, COMPLETE),
        (answer(202, b'{"accepted": 0}'), EVENT, WRONG),
        (answer(200, LIST_OF_TWO), EVENT, REFUSED),
        (answer(500, b"{}"), LIST, REFUSED),
        (answer(503, b"{}"), LIST, REFUSED),
        (answer(503, b"{}", "Retry-After: 1\r\n"), LIST, SHED),
        (answer(200, LIST_OF_TWO, "Connection: close\r\n"), LIST, COMPLETE),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + LIST_OF_TWO + b"\r\n0\r\n\r\n",
            LIST,
            COMPLETE,
        ),
        (None, LIST, BROKEN),
    ],
)
def test_an_answer_counts_as_what_it_is(said: bytes | None, kind: int, outcome: int) -> None:
    outcomes = one_request(lambda request, line: said, kind)
    assert outcomes.outcome == [outcome], outcomes.faults
    assert outcomes.kind == [kind]
    assert bool(outcomes.faults) == (outcome not in (COMPLETE, SHED))


def test_an_answer_that_breaks_off_is_broken_and_one_that_never_comes_is_given_up() -> None:
    whole = answer(200, LIST_OF_TWO)

    def half(request: bytes, line: socket.socket) -> None:
        line.sendall(whole[:-5])

    assert one_request(half).outcome == [BROKEN]
    assert one_request(lambda request, line: whole[:-5], deadline=0.2).outcome == [TIMEOUT]


def test_an_answer_in_pieces_is_one_answer() -> None:
    def slow(request: bytes, line: socket.socket) -> bytes:
        whole = answer(200, LIST_OF_TWO)
        for byte in range(len(whole) - 1):
            line.sendall(whole[byte : byte + 1])
        return whole[-1:]

    assert one_request(slow).outcome == [COMPLETE]


def test_a_request_on_a_kept_connection_that_was_closed_is_sent_once_more() -> None:
    seen: list[bytes] = []

    def every_other(request: bytes, line: socket.socket) -> bytes | None:
        seen.append(request)
        return None if len(seen) == 2 else answer(200, LIST_OF_TWO)

    with server(every_other) as port:
        outcomes = drive(Run(port, [asked("/1"), asked("/2")], [LIST, LIST], [0.0, 0.2], 1.0, 1, 60.0, 2))
    assert (outcomes.outcome, outcomes.retried) == ([COMPLETE, COMPLETE], 1)
    assert seen == [asked("/1"), asked("/2"), asked("/2")]


def test_a_service_that_stalls_is_charged_for_everybody_who_came_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.serve.client.MAX_CONNECTIONS", 1)
    seen: list[bytes] = []

    def stall(request: bytes, line: socket.socket) -> bytes:
        seen.append(request)
        time.sleep(0.5 if len(seen) == 1 else 0)
        return answer(200, LIST_OF_TWO)

    with server(stall) as port:
        outcomes = drive(Run(port, [asked("/")] * 5, [LIST] * 5, [0.0, 0.1, 0.2, 0.3, 0.4], 1.0, 1, 60.0, 2))
    assert outcomes.outcome == [COMPLETE] * 5
    for planned, latency in zip(outcomes.planned, outcomes.latency, strict=True):
        assert latency > 0.45 - planned


def test_a_closed_run_keeps_its_connections_busy_and_a_stopped_one_ends(tmp_path: Path) -> None:
    with server(lambda request, line: answer(200, LIST_OF_TWO)) as port:
        run = Run(port, [asked("/")] * 300, [LIST] * 300, (), 600.0, 4, 60.0, 2)
        outcomes = driven(run)  # in a process of its own
        assert outcomes.outcome == [COMPLETE] * 300
        assert outcomes.releases == {None}, "one list in a hundred is read"
        (tmp_path / "stop").touch()
        times = [0.0, *np.linspace(30, 59, 299)]
        assert drive(run._replace(times=times, stop=str(tmp_path / "stop"))).outcome == [COMPLETE]
    assert summary(outcomes)["errors"] == 0


def test_requests_come_at_random_and_as_often_as_said() -> None:
    times = np.array(arrivals(200, 50, np.random.default_rng(1)))
    gaps = np.diff(times)
    assert times[-1] < 50
    assert len(times) == pytest.approx(10_000, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05), "an exponential law"


def test_a_request_in_ten_is_a_click_of_the_same_visitors() -> None:
    visitors = Visitors(["r1", None], ["v1", "v2"], ["a1"])
    requests, kinds = workload(visitors, 3_000, 20, np.random.default_rng(1))
    assert kinds.count(EVENT) == pytest.approx(300, rel=0.2)
    clicks = [json.loads(text.partition(b"\r\n\r\n")[2]) for text, kind in zip(requests, kinds, strict=True) if kind]
    assert len({click["event_id"] for click in clicks}) == len(clicks)
    assert {(click.get("reader"), click["session"]) for click in clicks} == {("r1", "v1"), (None, "v2")}
    lists = [text for text, kind in zip(requests, kinds, strict=True) if not kind]
    assert sum(b"session=new" in text for text in lists) == pytest.approx(len(lists) / 10, rel=0.2)


def made_outcomes(began: float, latencies: list[float]) -> Outcomes:
    n = len(latencies)
    planned = [float(number) for number in range(n)]
    return Outcomes(list(range(n)), [LIST] * n, [COMPLETE] * n, planned, latencies, [9] * n, began=began)


def test_latency_during_swaps_is_that_of_requests_that_came_meanwhile() -> None:
    outcomes = made_outcomes(100.0, [0.001, 0.001, 0.004, 0.001])
    append(outcomes, made_outcomes(200.0, [0.001, 0.008]))
    assert outcomes.planned == [0, 1, 2, 3, 100, 101]
    swaps = [Swap("one", 101.5, 101.6, 102.5), Swap("two", 200.5, 200.6, 202.0)]
    assert split(outcomes, swaps) == {
        "p99_during_ms": pytest.approx(7.96),
        "p99_between_ms": 1.0,
        "p99_ratio": pytest.approx(7.96),
    }


def test_every_publish_of_one_workspace_is_another_release(toy: Toy, tmp_path: Path) -> None:
    data = copy_of(toy, tmp_path / "data").data_dir
    releases = Releases(data / "releases")
    names = [releases.current(), *(publish_other(releases, Workspace(data / "work")) for _ in range(3))]
    assert len(set(names)) == 4
    assert releases.current() == names[-1]
    releases.open()


def test_growth_counts_from_when_readers_are_known_and_not_from_the_start() -> None:
    steady = [Seen(100, 200, 40, 20, 0), *[Seen(300, 500, 60, 30, 0)] * 11]
    assert growth(steady)["rss_growth"] == growth(steady)["descriptors_growth"] == 1
    assert growth(steady)["shared_growth"] is None, "none then, none now"
    leaking = [Seen(300 + number, 500, 60 + number, 30, 0) for number in range(60)]
    table = growth(leaking)
    assert (table["rss_early"], table["rss_late"]) == (314.5, 354.5)
    assert table["rss_growth"] == pytest.approx(354.5 / 314.5, abs=1e-3)
    assert table["descriptors_growth"] > 1.5
    assert table["pss_growth"] == 1


def test_a_feed_brings_other_articles_in_every_piece(target: Target, store: Store, tmp_path: Path) -> None:
    with feed(["One text of several words & signs.", "Another <text>."]) as (address, bring):
        for piece in range(2):
            names = bring(piece)
            assert import_feed(target, address, tmp_path / "feeds", allow_private=True).stored == FED
            assert [bool(store.article(target.site, name)) for name in names] == [True] * FED


def test_figures_without_a_part_are_null() -> None:
    best = best_of({"rate": {"cpu_ms": 1.5, "p99_ms": float("nan")}})
    assert best["cpu_ms"] == 1.5
    assert best["p99_ms"] is None
    assert best["put_p99_ms"] is None


def test_the_machines_own_noise_is_measured_beside() -> None:
    with watched() as noise:
        time.sleep(0.3)
    assert 0 < noise["loop_p50_ms"] <= noise["loop_p99_ms"]


def test_an_unknown_part_is_refused() -> None:
    assert arguments(["--only", "rate,swaps"]).only == ["rate", "swaps"]
    with pytest.raises(SystemExit):
        arguments(["--only", "rates"])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``built`` leaves it, but for the release: forty articles."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "data").mkdir()
    store = Store.open(f"sqlite:///{folder / 'data' / 'store.db'}")
    now = now_ms()
    store.put_articles(
        [
            Article(f"a{n}", "default", f"Title {n}", "Some text.", language="en", published_at=now - n * HOUR_MS)
            for n in range(40)
        ]
    )
    store.close()
    return folder


@pytest.mark.slow
def test_a_small_service_is_measured_from_its_start_to_a_kill(kept: Path, tmp_path: Path) -> None:
    data = copied(kept, tmp_path / "copy")
    url = f"sqlite:///{data / 'store.db'}"
    visitors = Visitors(["r1", "r2", None], ["v1", "v2", "v3"], [f"a{n}" for n in range(40)])
    with Service(data, 2, tmp_path / "web.log", {"RECSYS_WEB__POLL_SECONDS": "0.1"}) as service:
        setting = Setting(service, visitors, 5, np.random.default_rng(1))
        assert 0 < service.first_seconds <= service.ready_seconds
        lines = service.one_per_worker()
        assert len(lines) == 2
        assert {owner_of(line.port, service.port, service.family()) for line in lines.values()} == set(lines)
        for line in lines.values():
            line.close()
        assert all(0 < one.pss <= one.rss for one in service.memory())
        rate = at_rate(setting, 20, 2)
        assert rate["faults"] == []
        assert rate["cpu_ms"] > 0
        assert rate["p50_ms"] <= rate["p99_ms"] <= rate["max_ms"]
        fresh = freshness(setting, StorePublisher(url), ["One text.", "Another text."], 10, 3)
        assert fresh["never"] == []
        assert min(fresh[f"{name}_samples"] for name in ("put", "hide", "click_same", "click_all")) > 0
        events = ingestion(setting, url, 1.5, guess=500)
        assert events["killed_lost"] == 0, "what was refused may come again; what was acknowledged is there"
        assert events["killed_acknowledged"] > 0
        assert events["killed_back_seconds"] is not None
    store = Store.open(f"sqlite:///{kept / 'data' / 'store.db'}")
    assert store.last_seq("default") == 0, "a run works on a copy"
    store.close()


def test_events_that_are_not_there_are_missed(kept: Path) -> None:
    assert stored(f"sqlite:///{kept / 'data' / 'store.db'}", ["nobody's"]) == 0
