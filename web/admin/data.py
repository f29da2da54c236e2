"""The admin API's data: what there is of articles and events, and what became of the last imports.

Reads the catalogue that is served, the numbers of the store and the records of past imports; produces answers under
``/admin/api``. ``POST /admin/api/imports`` begins one.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from recsys.quality.history import past_imports
from recsys.units import NEVER_MS, UNKNOWN_ROW, now_ms
from web.admin.catalogue_map import language_sizes
from web.admin.handlers import never_stored
from web.installation import installation

IMPORTS = "imports"  # folder of the data folder
LAST_IMPORTS = 50
_COUNTS = ("read", "stored", "updated", "duplicate", "rejected")

blueprint = APIBlueprint("data", __name__, url_prefix="/admin/api", tag="admin")
blueprint.after_request(never_stored)


class ImportOut(BaseModel):
    """An import that has ended."""

    time: int = Field(description="ms UTC")
    file: str = Field(description="name of the file, or the address")
    records: str = Field(description="what its rows were taken for")
    read: int = Field(description="rows")
    stored: int = Field(description="records that were new")
    updated: int
    duplicate: int = Field(description="records that were there already")
    rejected: int = Field(description="rows that could not be used")
    reasons: dict[str, int] = Field(description="why they were rejected")
    repaired: dict[str, int] = Field(description="values that were put right or left out")
    matched_clicks: tuple[int, int] | None = Field(description="clicks whose article is here, and all; null: no clicks")
    dry_run: bool


class DataOut(BaseModel):
    """Articles, events and imports of a site."""

    articles: int
    shown: int = Field(description="that may stand in a list now")
    undated: int = Field(description="without a time of publication")
    without_category: int = Field(description="neither with a category nor classified")
    languages: dict[str, int] = Field(description="articles by language, the most first")
    events: int = Field(description="number of the last event that was taken")
    set_aside: int = Field(description="rows that this worker cannot use")
    imports: list[ImportOut] = Field(description=f"the last {LAST_IMPORTS}, newest first")


@blueprint.get("/data")
@blueprint.output(DataOut)
@blueprint.doc(security="bearer")
def read_data() -> DataOut:
    """Articles, events, and what became of the last imports."""
    here = installation()
    catalogue, columns = here.live.catalogue, here.live.catalogue.columns
    known = np.flatnonzero(columns.language[: len(catalogue.ids)] != UNKNOWN_ROW)  # others are known from clicks alone
    past = past_imports(here.settings.data_dir / IMPORTS, here.live.site)[-LAST_IMPORTS:]
    return DataOut(
        articles=len(known),
        shown=int(catalogue.eligible(now_ms()).showable.sum()),
        undated=int((columns.published[known] == NEVER_MS).sum()),
        without_category=int((columns.category[known] == UNKNOWN_ROW).sum()),
        languages=language_sizes(catalogue, known),
        events=here.store.last_seq(here.live.site),
        set_aside=len(here.live.set_aside),
        imports=[_told(record) for record in reversed(past)],
    )


def _told(record: Mapping[str, Any]) -> ImportOut:
    file, matched = str(record.get("file", "")), record.get("matched_clicks")
    return ImportOut(
        time=int(record.get("time", 0)),
        file=file if "://" in file else PurePath(file).name,
        records=str(record.get("records", "")),
        **{name: int(record.get(name) or 0) for name in _COUNTS},
        reasons=dict(record.get("reasons") or {}),
        repaired=dict(record.get("repaired") or {}),
        matched_clicks=None if not matched else (int(matched[0]), int(matched[1])),
        dry_run=bool(record.get("dry_run")),
    )
