"""``python -m jobs compare BEFORE AFTER``: two releases beside each other.

Reads the files of both, after verifying every byte; prints tables, or one JSON object.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import typer

from jobs.runner import Context
from recsys.gate.moved import NEIGHBOURS_SHOWN, ReleaseComparison, ValueChange, compare_releases


def command(context: Context, before: str, after: str, *, as_json: bool) -> None:
    """Print what differs.

    Raises:
        MissingArtefact: there is no such release.
        CorruptArtefact: one of them does not verify.
        StaleArtefact: another version of this program made one of them.
    """
    found = compare_releases(*(context.releases.open(name) for name in (before, after)))
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else "\n\n".join(parts_of(found)))


def parts_of(found: ReleaseComparison) -> Iterator[str]:
    """Tables and lists for people, one below the other."""
    yield f"{found.before} and then {found.after}"
    for title, changes in (("Figures", found.figures), ("Settings", found.settings), ("Counts", found.counts)):
        yield f"{title}\n{_table(changes)}" if changes else f"{title}: no difference"
    for title, near in (("Words", found.words), ("Lists beside an article", found.lists)):
        kept = "unknown" if near.kept is None else f"the same to {near.kept:.0%}"
        here = f"{near.before} before, {near.after} after, {near.shared} in both"
        yield f"{title}: {here}; of {near.sampled} the nearest {NEIGHBOURS_SHOWN} are {kept}"
        for one in near.most:
            old, new = ", ".join(one.before), ", ".join(one.after)
            yield f"  {one.name} ({one.kept:.0%} kept)\n    before: {old}\n    after:  {new}"


def _table(changes: Mapping[str, ValueChange]) -> str:
    rows = [tuple(_shown(value) for value in change) for change in changes.values()]
    return str(pd.DataFrame(rows, index=list(changes), columns=["before", "after"]).to_string(justify="left"))


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"
