"""One import -> a JSON file of the data folder, and all of them again."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recsys.errors import CorruptArtefact
from recsys.imports import Summary
from recsys.quality.phrases import moment
from recsys.units import MINUTE_MS
from recsys.workspace import read_json, replace_json

ImportRecord = Mapping[str, Any]  # the members of a Summary, and file, site, time (int ms UTC)


def keep(folder: Path, summary: Summary, path: str, site: str, now: int) -> Path:
    """Write what an import did, so that the data page can tell it later.

    Args:
        folder: ``imports/`` of the data folder.
        summary: the import in numbers.
        path: what was imported.
        site: whose records these are.
        now: int ms UTC.

    Returns:
        The file, ``<UTC time>-<name>.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = asdict(summary) | {"rejects": str(summary.rejects) if summary.rejects else None}
    stamp = moment(now, "UTC").translate({ord("-"): None, ord(":"): None, ord(" "): "T"})
    name = f"{stamp}{now % MINUTE_MS:05d}Z-{Path(path).name[:100] or 'import'}.json"
    replace_json(folder / name, values | {"file": path, "site": site, "time": now})
    return folder / name


def past_imports(folder: Path, site: str) -> list[ImportRecord]:
    """Records of a site's imports, the oldest first.

    A file that cannot be read is left out: a record of the past is no reason to stop.
    """
    records = []
    for file in sorted(folder.glob("*.json")):
        try:
            values = read_json(file)
        except (CorruptArtefact, OSError):
            continue
        if isinstance(values, dict) and values.get("site") == site:
            records.append(values)
    return sorted(records, key=lambda record: record.get("time", 0))
