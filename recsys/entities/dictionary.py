"""The dictionary of names that editors grow: ``entities.csv`` among the labels of the data folder.

A line is a name as it is written and, behind a comma or a tab, its type; a line that begins with # is passed over.
"""

import csv
from pathlib import Path
from typing import NamedTuple

MAX_NAMES = 100_000
_LONGEST = 100  # characters of a name


class NameDictionary(NamedTuple):
    """Names and their types, and the number of lines that were left out: without a name, or one too long."""

    types: dict[str, str]
    left_out: int


def read_dictionary(file: Path) -> NameDictionary:
    """Read the file; without one there are no names. A name that stands twice has the type of its last line."""
    if not file.is_file():
        return NameDictionary({}, 0)
    types: dict[str, str] = {}
    left_out = 0
    lines = file.read_bytes().decode("utf-8-sig", "replace").replace("\0", "").splitlines()
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [""])
        name = " ".join(row[0].split())
        if name and len(name) <= _LONGEST and (len(types) < MAX_NAMES or name in types):
            types[name] = row[1].strip() if len(row) > 1 else ""
        else:
            left_out += 1
    return NameDictionary(types, left_out)
