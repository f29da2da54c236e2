"""Leaders on disk: ``copies.parquet``, one row for each article in the order of joining."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from recsys.stories.leaders import Leaders
from recsys.stories.signatures import HASHES, Signature
from recsys.workspace import read_table, write_table

FILE = "copies.parquet"
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("leader", pa.string()),  # the first copy of the same text
        ("signature", pa.binary(2 * HASHES)),  # of a leader, little-endian; null for a copy, and for hardly any text
    ]
)


class Copies(NamedTuple):
    """What a release knows of near copies.

    Attributes:
        leader: id of a copy -> id of the first copy; articles that are alone or first are not in it.
        leaders: the first copies, to be joined by articles that come later.
    """

    leader: dict[str, str]
    leaders: Leaders


def save_copies(rows: Iterable[tuple[str, str]], signatures: Mapping[str, Signature], folder: Path) -> None:
    """Write leaders.

    Args:
        rows: id and leader's id of each article, in the order of joining.
        signatures: of the leaders that can be joined, by id.
        folder: where.
    """
    ids, leaders = zip(*rows, strict=True) if (rows := list(rows)) else ((), ())
    told = [signatures[one].astype("<u2").tobytes() if one in signatures else None for one in ids]
    write_table(folder / FILE, pa.table([pa.array(column) for column in (ids, leaders, told)], schema=SCHEMA))


def load_copies(folder: Path) -> Copies:
    """Read leaders.

    Args:
        folder: of the stories artefact.
    """
    table = read_table(folder / FILE)
    leaders, leader = Leaders(table.num_rows + 1024), {}
    for one, first, told in zip(*(column.to_pylist() for column in table.columns), strict=True):
        if first != one:
            leader[one] = first
        if told is not None:
            leaders.add(one, np.frombuffer(told, "<u2"))
    return Copies(leader, leaders)
