"""``make chaos``: faults on purpose against real processes, counted in a table and one JSON object on the last line.

    make chaos
    CHAOS=quick make chaos
    python -m tests.chaos --only disk --only lock --seed 3
    python -m tests.chaos --write

``--write`` puts the table into ``docs/reliability.md``. Exit code 1 when anything was lost, torn or answered wrongly.
"""

import argparse
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import structlog

from recsys import __version__
from tests.chaos.cases import CASES
from tests.chaos.lab import ROOT, Lab, Outcome

DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- table of python -m tests.chaos -->", "<!-- end of the table -->"


def main() -> None:
    """Read the command line, run the cases, print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=sorted(CASES), help="this case; may be given again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    quick, folder, began = (
        os.environ.get("CHAOS") == "quick",
        Path(tempfile.mkdtemp(prefix="recsys-chaos-")),
        time.monotonic(),
    )
    try:
        lab = Lab(folder, options.seed, quick=quick, told=lambda line: print(line, flush=True))
        lab.build()
        outcomes = {name: _run(lab, name) for name in options.only or CASES}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table = as_table(outcomes)
    print(f"\n{table}")
    if options.write:
        write(table, options.seed, quick=quick)
    seconds = round(time.monotonic() - began, 1)
    told = {name: asdict(outcome) for name, outcome in outcomes.items()}
    print(json.dumps({"cases": told, "seed": options.seed, "quick": quick, "seconds": seconds}, ensure_ascii=False))
    if any(outcome.lost or outcome.torn or outcome.wrong for outcome in outcomes.values()):
        raise SystemExit(1)


def _run(lab: Lab, name: str) -> Outcome:
    began = time.monotonic()
    try:
        outcome = CASES[name](lab)
    except Exception as error:  # the others are counted all the same
        outcome = Outcome(wrong=1, said=[f"wrong: the case ended with {type(error).__name__}: {error}"])
    outcome.seconds = round(time.monotonic() - began, 1)
    told = f"{outcome.tries} tries, {outcome.lost} lost, {outcome.torn} torn, {outcome.wrong} wrong"
    lab.told(f"{name}: {outcome.skipped or told} ({outcome.seconds} s)")
    for line in outcome.said:
        lab.told(f"  {line}")
    return outcome


def as_table(outcomes: Mapping[str, Outcome]) -> str:
    """Rows of case, tries, lost, torn, wrong answers and seconds, as Markdown."""
    rows = ["| case | tries | lost | torn | wrong answers | seconds |", "|---|---|---|---|---|---|"]
    for name, one in outcomes.items():
        counts = "not run: " + one.skipped if one.skipped else f"{one.tries:,}"
        rows.append(f"| {name} | {counts} | {one.lost} | {one.torn} | {one.wrong} | {one.seconds:.0f} |")
    return "\n".join(rows)


def write(table: str, seed: int, *, quick: bool) -> None:
    """Put a table into the document, between its marks."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    command = f"{'CHAOS=quick ' if quick else ''}python -m tests.chaos --write --seed {seed}"
    said = f"{__version__}, {datetime.now(UTC):%Y-%m-%d}, by `{command}` on {os.cpu_count()} cores:"
    DOCUMENT.write_text(f"{before}{BEGIN}\n{said}\n\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
