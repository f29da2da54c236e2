"""``make chaos``: faults on purpose against real processes, counted in a table and one JSON object on the last line.

    make chaos
    python -m tests.chaos --tries 20 --seed 3

Exit code 1 when anything was lost, torn, doubled or left behind.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from tests.chaos import runs

TRIES, QUICK_TRIES = 100, 12
UNWANTED = ("lost", "doubled", "without result", "torn", "orphans", "published by a run that was given up")


def main() -> None:
    """Read the command line, do the tries, print what they left."""
    quick = os.environ.get("CHAOS") == "quick"
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tries", type=int, default=QUICK_TRIES if quick else TRIES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recsys-chaos-") as folder:
        counts = runs.measure(Path(folder), options.tries, options.seed, print)
    print(f"\n{'kill -9 of workers and their runs':45}  count")
    for name in ("tries", *sorted(name for name in counts if name.startswith("killed")), "attempts", *UNWANTED):
        print(f"{name:45}  {counts[name]:5}")
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"runs": dict(counts), "seed": options.seed, "seconds": seconds}))
    if any(counts[name] for name in UNWANTED):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
