"""The command line that the benchmarks of entities and of parts of speech share."""

import argparse
from pathlib import Path
from typing import Any

from recsys.entities import LabelledSentences, read_labelled


def options_of(program: str, about: str) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=about.splitlines()[0])
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="JSON lines or columns of labelled tokens")
    parser.add_argument("--test", type=Path, help="the same; default: the last part of the training files")
    parser.add_argument("--part", type=float, default=0.1, help="share that is held out without --test")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.test and not 0 < options.part < 1:
        parser.error("--part is a share between 0 and 1")
    return options


def read(options: argparse.Namespace, *, spans: bool) -> tuple[LabelledSentences, LabelledSentences]:
    """Sentences that are learned from, and those that are tested."""
    learned = read_labelled(options.train, spans=spans)
    if options.test:
        return learned, read_labelled([options.test], spans=spans)
    cut = round(len(learned.tokens) * (1 - options.part))
    return (
        LabelledSentences(learned.tokens[:cut], learned.labels[:cut], learned.odd),
        LabelledSentences(learned.tokens[cut:], learned.labels[cut:], {}),
    )


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    for name, row in (result["ours"] | result["baselines"]).items():
        cells = {figure: value for figure, value in row.items() if figure != "by_type"}
        print(f"{name:16}" + "".join(f"  {figure} {value}" for figure, value in cells.items()))
        if "by_type" in row:
            print(" " * 16 + "".join(f"  {kind} {value}" for kind, value in row["by_type"].items()))
