"""``kill -9`` of the service while events are posted: web workers, the parent, and both at once."""

import os
import signal
import threading
import time
from contextlib import suppress

from tests.chaos import runs
from tests.chaos.lab import Lab, Outcome, Served, event

BATCH = 40
LOST = ("lost", "without result", "orphans")
WRONG = ("doubled", "published by a run that was given up")
LONGEST_PAUSE = 1.5  # seconds between two kills
GONE_SECONDS = 20.0


def service(lab: Lab) -> Outcome:
    """Web workers and parents killed while events are posted: what was acknowledged is in the store, once."""
    outcome, folder = Outcome(), lab.copy()
    key, acknowledged, stop = lab.key(folder), set[str](), threading.Event()
    held: list[Served] = []
    numbers = iter(range(10**9))
    lock = threading.Lock()

    def post() -> None:
        while not stop.is_set():
            with lock:
                batch = [event(next(numbers)) for _ in range(BATCH)]
            while not stop.is_set():  # as a widget does: again, until it is acknowledged
                answer = held[-1].post_events(batch, key, seconds=10.0)
                if answer.status == 202:
                    with lock:
                        acknowledged.update(str(one["event_id"]) for one in batch)
                    break
                outcome.expect(
                    answer.status in (0, 503, 429), "wrong", f"an event {answer.status} {answer.body[:100]!r}"
                )
                time.sleep(0.05)

    tries, orphans = lab.many(140, 10), set[int]()
    with lab.serving(folder) as first:
        held.append(first)
        threads = [threading.Thread(target=post, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        least = lab.many(20_000, 2_000)
        try:
            while outcome.tries < tries or (len(acknowledged) < least and outcome.tries < 2 * tries):
                time.sleep(lab.rng.uniform(0.1, LONGEST_PAUSE))
                orphans |= _killed(lab, held, outcome)
                outcome.tries += 1
                outcome.expect(held[-1].wait(90), "wrong", "it does not answer again")
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
            for one in held[1:]:
                one.close()
    deadline = time.monotonic() + GONE_SECONDS
    while (left := [process for process in orphans if _lives(process)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    for process in left:
        outcome.fault("lost", f"process {process} was left behind")
    missing = acknowledged - lab.stored(folder)
    for name in sorted(missing)[:5]:
        outcome.fault("lost", f"event {name} was acknowledged")
    outcome.lost += max(0, len(missing) - 5)
    outcome.said.append(f"{len(acknowledged)} events acknowledged")
    return outcome


def _killed(lab: Lab, held: list[Served], outcome: Outcome) -> set[int]:
    """Kill somebody; a parent that was killed is started anew. Returns the processes that must end by themselves."""
    now = held[-1]
    family = now.family()
    whom = lab.rng.choice(("worker", "worker", "any", "parent", "both"))
    doomed = {
        "worker": family[-1:],
        "any": [lab.rng.choice(family)],
        "parent": family[:1],
        "both": [family[0], family[-1]],
    }
    for process in doomed[whom]:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    if now.process.pid not in doomed[whom]:
        return set()
    now.process.wait()
    held.append(Served(now.folder, lab.env(now.folder), (), now.log, 2))
    return set(family[1:])


def _lives(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def workers(lab: Lab) -> Outcome:
    """The worker, its child or both killed while runs are queued; see ``tests.chaos.runs``."""
    outcome, folder = Outcome(), lab.folder / "runs"
    folder.mkdir()
    counts = runs.measure(folder, lab.many(200, 6), lab.rng.randrange(10**6), lab.told)
    outcome.tries = runs.killed_in(counts)
    for kind, names in (("lost", LOST), ("torn", ("torn",)), ("wrong", WRONG)):
        for name in names:
            if counts[name]:
                setattr(outcome, kind, getattr(outcome, kind) + counts[name])
                outcome.said.append(f"{counts[name]} {name}")
    outcome.said.append(f"{counts['tries']} runs in {counts['attempts']} attempts")
    return outcome
