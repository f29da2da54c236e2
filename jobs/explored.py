"""``python -m jobs explored``: the log of the exploration slot, as a table that off-policy estimates read.

Reads the store; writes a CSV file, or prints it.
"""

import csv
import sys
from contextlib import closing
from pathlib import Path
from typing import TextIO

from jobs.runner import Context, open_store
from jobs.terminal import log
from recsys.evaluate.exploration_log import ExploredRow, explored_rows
from recsys.recommend.impressions import ImpressionTokens


def command(context: Context, *, out: Path | None) -> None:
    """Write every impression of an explored article, with its propensity and whether it was opened."""
    settings = context.settings
    with closing(open_store(settings)) as store:
        tokens = ImpressionTokens.of(settings.data_dir, settings.site.id)
        rows = list(explored_rows(store, settings.site.id, tokens))
    if out is None:
        _write(rows, sys.stdout)
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            _write(rows, file)
    clicks, articles = sum(row.click for row in rows), len({row.item_id for row in rows})
    log.info("done", job="explored", impressions=len(rows), clicks=clicks, articles=articles)


def _write(rows: list[ExploredRow], file: TextIO) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(ExploredRow._fields)
    table.writerows(rows)
