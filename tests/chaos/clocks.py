"""Clocks that are wrong: of the service, of the jobs, or of both, ahead and behind, and put right again."""

import time
from pathlib import Path

from recsys.releases import Releases
from tests.chaos.lab import Lab, Outcome, Reply, Served, event
from tests.newsroom import SITE

DAY, HOUR = 86_400, 3_600
SHIFTED = '''
"""The clock of a process, moved by as many seconds as a file says."""
import os, time
_file, _real, _real_ns = os.environ["CHAOS_CLOCK"], time.time, time.time_ns
_last = [-1.0, 0]
def _shift():
    if time.monotonic() - _last[0] > 0.1:
        _last[:] = time.monotonic(), int(open(_file).read() or 0)
    return _last[1]
time.time = lambda: _real() + _shift()
time.time_ns = lambda: _real_ns() + _shift() * 10**9
'''
LIST = "/api/v1/recommendations?k=5&reader="


def clocks(lab: Lab) -> Outcome:
    """By a day, a year and 25 years: lists and events go on, and when it is put right, nothing of it lasts."""
    outcome = Outcome()
    shifts = [sign * days * DAY for days in (1, 365) for sign in (1, -1)] + [25 * 365 * DAY]
    for shift in shifts if not lab.quick else (-365 * DAY,):
        for whose in ("web", "jobs", "both") if not lab.quick else ("both",):
            outcome.tries += 1
            _wrong(lab, outcome, shift, whose)
    return outcome


def _wrong(lab: Lab, outcome: Outcome, shift: int, whose: str) -> None:
    folder, what = lab.copy(), f"{shift // DAY:+} days at {whose}"
    clock, module = folder / "clock", folder / "clocks"
    module.mkdir()
    (module / "sitecustomize.py").write_text(SHIFTED)
    clock.write_text("0")
    more = {"CHAOS_CLOCK": str(clock), "PYTHONPATH": str(module)}
    wrong = {who: more if whose in (who, "both") else dict[str, str]() for who in ("web", "jobs")}
    acknowledged: set[str] = set()
    with lab.serving(folder, env=wrong["web"]) as service:
        clock.write_text(str(shift))
        time.sleep(0.3)
        for number in range(20):
            answer = service.post_events([event(number, reader="traveller")])
            outcome.expect(answer.status == 202, "wrong", f"{what}: an event {answer.status} {answer.body[:150]!r}")
            if answer.status == 202:
                acknowledged.add(f"chaos-{number}")
        outcome.expect(_lists(service.get(LIST + "traveller")), "wrong", f"{what}: no list")
        off = _dated(lab, folder) - time.time()
        outcome.expect(
            abs(off - (shift if wrong["web"] else 0)) < HOUR, "wrong", f"{what}: the clock is off by {off} s"
        )
        if not lab.quick or whose != "web":
            done = lab.job(folder, "all", env=wrong["jobs"])
            outcome.expect(done.returncode in (0, 2), "wrong", f"{what}: all {done.returncode} {done.stderr[-300:]}")
            outcome.expect("Traceback" not in done.stderr, "wrong", f"{what}: a traceback {done.stderr[-300:]}")
        clock.write_text("0")
        time.sleep(1.0)
        _right_again(lab, outcome, folder, what, service, acknowledged)
        done = lab.job(folder, "all")
        outcome.expect(
            done.returncode == 0, "wrong", f"{what}: all when it is right: {(done.stdout + done.stderr)[-300:]}"
        )
        outcome.expect(service.wait(60), "wrong", f"{what}: not ready when it is right")
    live = Releases(folder / "releases")
    outcome.expect(live.open().name == live.current(), "torn", f"{what}: the live release")
    for name in sorted(acknowledged - lab.stored(folder)):
        outcome.fault("lost", f"{what}: {name}")


def _dated(lab: Lab, folder: Path) -> float:
    """The time of the newest event of a store, in seconds."""
    with lab.store(folder) as store:
        return float(store.event_columns_after(SITE, 0, 1_000_000, ("time",))["time"][-1]) / 1000


def _right_again(lab: Lab, outcome: Outcome, folder: Path, what: str, service: Served, acknowledged: set[str]) -> None:
    """What a reader does counts at once, as on any day."""
    before = _listed(service, "somebody-new")
    opened = before[0] if before else "football-1"
    answer = service.post_events([event("right", opened, reader="somebody-new")])
    outcome.expect(answer.status == 202, "wrong", f"{what}: an event afterwards {answer.status}")
    acknowledged.add("chaos-right")
    deadline = time.monotonic() + 5
    while opened in (after := _listed(service, "somebody-new")) and time.monotonic() < deadline:
        time.sleep(0.1)
    outcome.expect(bool(after) and opened not in after, "wrong", f"{what}: a click afterwards changes no list")


def _listed(service: Served, reader: str) -> list[str]:
    answer = service.get(LIST + reader)
    return [item["id"] for item in answer.json["items"]] if answer.status == 200 else []


def _lists(answer: Reply) -> bool:
    return answer.status == 200 and len(answer.json["items"]) == 5
