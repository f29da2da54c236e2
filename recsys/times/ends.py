"""Ends as people write them: a span from now, such as 90m, 2h or 3d, or a time -> int milliseconds UTC."""

import re
from datetime import tzinfo

from recsys.errors import InputError
from recsys.times import BadTime, read_time
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS, now_ms

_SPAN = re.compile(r"(\d{1,6})\s*([mhd])")
_UNITS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


def read_end(written: float | str, zone: tzinfo) -> int:
    """The end that is written.

    Args:
        written: a span from now, or a time in any form of ``read_time``.
        zone: of a time that names none.

    Returns:
        int ms UTC.

    Raises:
        InputError: it is neither.
    """
    span = _SPAN.fullmatch(written.strip().lower()) if isinstance(written, str) else None
    if span:
        return now_ms() + int(span[1]) * _UNITS[span[2]]
    try:
        return read_time(written, zone=zone)
    except BadTime as error:
        remedy = "Write it as 90m, 2h or 3d, or as 2026-03-02T18:00."
        raise InputError("a span from now, or a time", str(error), remedy) from None
