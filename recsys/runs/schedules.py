"""Times at which a schedule is due, from five fields of cron and a time zone.

The fields mean what they mean in a crontab: days of the week are 0 or 7 for Sunday to 6, or names. Where clocks are put
forward, a time that does not exist is due when the gap is over; where they are put back, one that comes twice is due
once.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from recsys.errors import InputError

CRON_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
MAX_JITTER_SECONDS = 3_600
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?")
_REMEDY = 'Write for example "30 3 * * *": every day at 3:30.'


class CronTimes:
    """The times of one schedule.

    Args:
        cron: five fields.
        timezone: name of a time zone, such as Asia/Shanghai.

    Raises:
        InputError: a field cannot be, the time zone is unknown, or no such time ever comes.
    """

    def __init__(self, cron: str, timezone: str) -> None:
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError(
                "the name of a time zone", f"{timezone!r:.80}", "Write for example Europe/Berlin."
            ) from None
        fields = cron.split()
        if len(fields) != len(CRON_FIELDS):
            expected = f"five fields ({', '.join(CRON_FIELDS)})"
            raise InputError(expected, f"{len(fields)} in {cron!r:.80}", _REMEDY)
        minute, hour, day, month, weekday = (field.lower() for field in fields)
        if day != "*" and weekday != "*":
            got = f"{day!r:.40} and {weekday!r:.40}"
            raise InputError("a day of the month or a day of the week, and * for the other", got, "Make two schedules.")
        try:
            self._trigger = CronTrigger(
                minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=self._zone
            )
        except ValueError as error:
            raise InputError(
                f"five fields of cron ({', '.join(CRON_FIELDS)})", f"{cron!r:.80}: {error}", _REMEDY
            ) from None
        if self._trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
            raise InputError("a time that comes some day", f"{cron!r:.80}, which never comes", _REMEDY)

    def next_after(self, time: int) -> int:
        """The first time after a moment, both int ms UTC."""
        moment = datetime.fromtimestamp(time / 1000, UTC) + timedelta(milliseconds=1)
        while True:
            due = self._trigger.get_next_fire_time(None, moment)
            if due is None:
                raise InputError("a time that comes some day", "one that has passed", _REMEDY)
            found = int(due.astimezone(UTC).timestamp() * 1000)
            if found > time and not self._comes_twice(found):
                return found
            moment = due.astimezone(UTC) + timedelta(minutes=1)

    def upcoming(self, time: int, n: int) -> list[int]:
        """The next ``n`` times after a moment, int ms UTC."""
        return list(islice(self._from(time), n))

    def _from(self, time: int) -> Iterator[int]:
        while True:
            time = self.next_after(time)
            yield time

    def _comes_twice(self, time: int) -> bool:
        """True for the second of two moments that the clocks of the zone show alike, unless each hour is meant."""
        local = datetime.fromtimestamp(time / 1000, self._zone)
        hours = next(str(field) for field in self._trigger.fields if field.name == "hour")
        return local.fold == 1 and not hours.startswith("*")


def _weekdays(field: str) -> str:
    """Days of the week as a crontab counts them -> names, which count the same everywhere."""
    if field == "*":
        return "*"
    days: set[int] = set()
    for part in field.split(","):
        matched = _DAY_PART.fullmatch(part)
        if matched is None:
            raise ValueError(f"{part!r} is no day of the week")
        first, last, step = matched.groups()
        days.update(_span(first, last, int(step or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _span(first: str, last: str | None, step: int) -> Sequence[int]:
    if step < 1:
        raise ValueError("a step of 0")
    if first == "*":
        begin, end = 0, 6
    else:
        begin = _day(first)
        end = begin if last is None else _day(last)
    end += 7 if end < begin else 0  # fri-mon
    return [day % 7 for day in range(begin, end + 1, step)]


def _day(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"{text!r} is no day of the week")
