"""Options that the imports share, and what they say of how values are read."""

from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer

from recsys.errors import InputError
from recsys.imports import ParseOptions
from recsys.imports.mapping import ARTICLE_FIELDS, CONTEXT_PREFIX, EVENT_FIELDS
from recsys.languages import language_code
from recsys.names import nearest
from recsys.settings import Settings
from recsys.units import MINUTE_MS, SECOND_MS

DWELL_UNITS = {"ms": 1, "s": SECOND_MS, "min": MINUTE_MS}  # ms in one
EPILOG = "\n\n".join(
    (
        f"An article has: {', '.join(ARTICLE_FIELDS)}. Only the title is needed; without an id, the address or "
        "title and date make one. Fields that a file does not have stay as they are.",
        f"An event has: {', '.join(EVENT_FIELDS)}, or {CONTEXT_PREFIX}NAME for a part of the context. Only kind and "
        "article are needed; in a file of clicks only article. article=@COLUMN finds articles by their addresses.",
        "Beside an article, shown and clicked are columns of 0 and 1. Without one they are lists of articles, one list "
        "a row, and so is history, with history_time for the time of each.",
        "A column with a field's own name needs no --map. Times are read in every common form; without a zone they are "
        "of the site's (site.timezone).",
        "For example: --map reader=user_id,article=story,time=clicked_at,kind=:click",
        "Values get their meaning in the same option; kinds without one are left out: "
        "--map kind=eventType,kind.VIEW=click,kind.LIKE=click",
    )
)

Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="field=column or field=:constant, several with commas between; see below"),
]
What = Annotated[
    str | None,
    typer.Option(
        "--kind",
        help="articles, events, clicks, or both (events that describe their articles); default: by the columns",
    ),
]
Site = Annotated[str | None, typer.Option(help="The site that the records belong to; default: site.id")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write only the rejects")]
Encoding = Annotated[str, typer.Option(help="Of a text file without a byte order mark")]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The columns have no names: count, as in title=5")]
Records = Annotated[str | None, typer.Option(help="Where the list is inside a wrapper object: articles, or data.items")]
Timezone = Annotated[str | None, typer.Option(help="Zone of times that name none; default: site.timezone")]
UtcTimezone = Annotated[str | None, typer.Option("--timezone", help="Zone of times that name none; default: UTC")]
TimeFormat = Annotated[
    str | None,
    typer.Option(
        help="Form of times in no known form, such as '%d.%m.%Y %H:%M'; excel: days as a spreadsheet counts them"
    ),
]
Language = Annotated[str | None, typer.Option(help="Code of articles that name no language: en, zh-Hant-TW, nob")]
DwellUnit = Annotated[str, typer.Option(help=f"Unit of dwell times: {', '.join(DWELL_UNITS)}")]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Hosts of this machine and its network may be asked, too")
]
Every = Annotated[
    float | None,
    typer.Option(min=1, help="Seconds: read it again and again at this pace, until the job is told to end (SIGTERM)"),
]
Config = Annotated[Path | None, typer.Option(help="Configuration file; default: $RECSYS_CONFIG, else ./config.yaml")]


def reading(
    settings: Settings,
    timezone: str | None = None,
    time_format: str | None = None,
    language: str | None = None,
    dwell_unit: str = "ms",
    *,
    default_zone: str | None = None,
) -> ParseOptions:
    """Rules for values that do not say themselves how they are read.

    Args:
        settings: the configuration.
        timezone: of times that name none.
        time_format: strptime's form of times.
        language: of articles that name none.
        dwell_unit: ms, s or min.
        default_zone: instead of the site's.

    Raises:
        InputError: an option has no such value.
    """
    if dwell_unit not in DWELL_UNITS:
        raise InputError(f"one of {', '.join(DWELL_UNITS)}", repr(dwell_unit), "Correct --dwell-unit.")
    code = language_code(language) if language is not None else None
    if language is not None and code is None:
        raise InputError("a code of a language, such as en, zh-Hant-TW or nob", repr(language), "Correct --language.")
    return ParseOptions(
        zone=_zone(timezone or default_zone or settings.site.timezone),
        time_format=time_format,
        base_url=settings.site.base_url,
        dwell_unit_ms=DWELL_UNITS[dwell_unit],
        language=code,
    )


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    zones = available_timezones()
    if name not in zones:
        raise InputError("an IANA time zone such as Europe/Berlin", repr(name), nearest(name, zones)[:200])
    return ZoneInfo(name)
