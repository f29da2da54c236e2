"""Written times: every form by hand, and what is refused rather than guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recsys.imports.moments import TimeColumn, day_order_of
from recsys.imports.values import BadValue, ParseOptions
from recsys.missing import is_missing
from recsys.times import EARLIEST, AmbiguousDay, BadTime, NoTime, believable, day_order, read_time

TOKYO = ZoneInfo("Asia/Tokyo")  # nine hours ahead of UTC, all year
HOUR = 3_600_000


def at(*fields: int, hours: float = 0) -> int:
    """Ms UTC of a clock that is ``hours`` ahead of UTC."""
    return int(datetime(*fields, tzinfo=timezone(timedelta(hours=hours))).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_000, 1_700_000_000_000),
        ("1700000000", 1_700_000_000_000),
        (1_700_000_000.25, 1_700_000_000_250),
        (Decimal("1700000000"), 1_700_000_000_000),
        ("1.7e9", 1_700_000_000_000),
        (1_700_000_000_123, 1_700_000_000_123),
        (1_700_000_000_123_456, 1_700_000_000_123),
        ("1700000000123456789", 1_700_000_000_123),
    ],
)
def test_an_epoch_numbers_unit_is_told_by_its_size(value: Any, expected: int) -> None:
    assert read_time(value, zone=TOKYO) == expected


@pytest.mark.parametrize("value", ["20230609", 20230609, 20230609.0, date(2023, 6, 9)])
def test_a_compact_day_begins_at_midnight_of_the_zone(value: Any) -> None:
    assert read_time(value, zone=TOKYO) == at(2023, 6, 9, hours=9)


@pytest.mark.parametrize("value", ["20230609201500", 20230609201500, "202306092015", 202306092015, "20230609T201500"])
def test_a_compact_time_is_no_epoch_number(value: Any) -> None:
    assert read_time(value, zone=TOKYO) == at(2023, 6, 9, 20, 15, hours=9)


@pytest.mark.parametrize(
    "text",
    [
        "2023-06-09T20:15:00",
        "2023-06-09 20:15",
        "2023/06/09 20:15:00",
        "2023/6/9 20:15",
        "2023.06.09 20:15",
        "09.06.2023 20:15",
        "9.6.2023, 20:15",
        "6/9/2023 8:15:00 PM",
        "2023-06-09 08:15 PM",
        "June 9, 2023 8:15 p.m.",
        "Fri, June 9th, 2023 at 20:15",
        "9 June 2023 20:15",
        "09-JUN-23 08.15.00.000000 PM",
        "Fri Jun  9 20:15:00 2023",
        "2023年6月9日 20:15",
        "2023年06月09日 星期五 20:15:00",
        "2023年6月9日 下午8点15分",
        "2023年6月9日20时15分",
        "２０２３年６月９日　２０：１５",
    ],
)
def test_a_time_without_a_zone_is_of_the_zone_that_was_said(text: str) -> None:
    assert read_time(text, zone=TOKYO) == at(2023, 6, 9, 20, 15, hours=9)
    assert read_time(text, zone=UTC) == at(2023, 6, 9, 20, 15)


@pytest.mark.parametrize(
    "text",
    [
        "2023-06-09T20:15:00Z",
        "2023-06-09 20:15:00 UTC",
        "2023-06-09 20:15:00.000000 UTC",
        "2023-06-09T20:15:00,000Z",
        "2023-06-10T05:15:00+09:00",
        "2023-06-10T05:15:00+0900",
        "2023-06-10 05:15:00+09",
        "2023-06-10 05:15:00 +0900 JST",
        "2023-06-10T05:15:00+09:00[Asia/Tokyo]",
        "2023-06-10 05:15:00 Asia/Tokyo",
        "2023-06-10 05:15:00 UTC+9",
        "Fri, 09 Jun 2023 20:15:00 GMT",
        "Fri, 9 Jun 2023 16:15 EDT",
        "Fri, 09 Jun 2023 14:15:00 CST",
        "10/Jun/2023:05:15:00 +0900",
        "Sat Jun 10 2023 05:15:00 GMT+0900 (Japan Standard Time)",
        "Fri Jun 09 20:15:00 +0000 2023",
        "Fri Jun  9 20:15:00 UTC 2023",
        "2023-06-09 22:15:00 CEST",
    ],
)
def test_a_zone_that_is_there_is_never_dropped(text: str) -> None:
    assert read_time(text, zone=ZoneInfo("America/Lima")) == at(2023, 6, 9, 20, 15)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("下午12点", 12),
        ("凌晨12:30", 0),
        ("中午1点", 13),
        ("晚上11点", 23),
        ("12:00 AM", 0),
        ("12:00 PM", 12),
        ("24:00", 24),
    ],
)
def test_halves_of_a_day(text: str, hour: int) -> None:
    half_hour = 30 * 60_000 if ":30" in text else 0
    assert read_time(f"2023年6月9日 {text}", zone=UTC) == at(2023, 6, 9) + hour * HOUR + half_hour


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("yesterday", "--time-format"),
        ("", "not a time"),
        ("20:15", "known form"),
        ("2023-06", "known form"),
        (2023, "only a year"),
        ("2023-02-30", "calendar"),
        ("Fri, 31 Feb 2023 10:00 GMT", "calendar"),
        ("2023-06-09 25:00", "no time of a day"),
        ("2023-06-09 10:00:00 CST", "names several"),
        ("Fri Jun 09 20:15:00 CST 2023", "names several"),
        ("3 Nov 18:30", "known form"),
        (-1, "negative"),
        (float("inf"), "not a time"),
        ("9" * 300, "not a time"),
        (True, "not a time"),
        ([1], "not a time"),
        ("x" * 5_000, "not a time"),
    ],
)
def test_what_is_no_time_is_refused_with_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(BadTime, match=reason):
        read_time(value, zone=UTC)


@pytest.mark.parametrize("value", [0, "0", 0.0, "0000-00-00", "0000-00-00 00:00:00"])
def test_what_a_database_writes_for_no_time_is_told_apart(value: Any) -> None:
    with pytest.raises(NoTime):
        read_time(value, zone=UTC)


def test_a_day_that_could_be_two_is_refused_unless_its_column_says_which() -> None:
    with pytest.raises(AmbiguousDay, match="day first or month first"):
        read_time("09/06/2023", zone=UTC)
    assert read_time("09/06/2023", zone=UTC, day_first=True) == at(2023, 6, 9)
    assert read_time("09/06/2023", zone=UTC, day_first=False) == at(2023, 9, 6)
    assert read_time("13/06/2023", zone=UTC) == at(2023, 6, 13)
    assert [day_order(text) for text in ("13/06/2023", "06/13/2023", "06/06/2023", "2023-06-13", 7)] == [
        True,
        False,
        None,
        None,
        None,
    ]
    assert day_order_of(["01/02/2023", "13/02/2023"]) is True
    assert day_order_of(["13/02/2023", "02/13/2023"]) is None


def test_a_form_that_is_said_is_the_only_one_for_texts() -> None:
    assert read_time("230609-2015", zone=UTC, format="%y%m%d-%H%M") == at(2023, 6, 9, 20, 15)
    assert read_time("09/06/2023", zone=UTC, format="%d/%m/%Y") == at(2023, 6, 9)
    assert read_time("2023-06-09 20:15 +0900", zone=UTC, format="%Y-%m-%d %H:%M %z") == at(2023, 6, 9, 11, 15)
    with pytest.raises(BadTime, match="form %d"):
        read_time("06/13/2023", zone=UTC, format="%d/%m/%Y")


def test_a_window_has_two_ends() -> None:
    assert believable(EARLIEST, EARLIEST, EARLIEST) == EARLIEST
    with pytest.raises(BadTime, match="before 1995-01-01: 1994-12-31"):
        believable(EARLIEST - 1, EARLIEST, EARLIEST)
    with pytest.raises(BadTime, match="in the future"):
        believable(EARLIEST + 1, EARLIEST, EARLIEST)


@pytest.mark.parametrize(
    "value", [None, float("nan"), "", "  ", "NULL", "null", "NaN", "NaT", "None", "N/A", "\\N", "<NA>"]
)
def test_words_for_nothing_are_nothing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, False, "0", "Nan's house", "nullify", "no", [], {}])
def test_values_are_not_nothing(value: Any) -> None:
    assert not is_missing(value)


NOW = at(2023, 6, 9, 12)


def moments(zone: Any = TOKYO, latest: int = NOW) -> TimeColumn:
    return TimeColumn(ParseOptions(zone=zone), "time", EARLIEST, latest, NOW)


def test_a_column_that_lies_ahead_says_by_how_much_and_names_the_remedy() -> None:
    column = moments(UTC)
    for minutes in (2, 60, 200):  # how old the rows of a newsroom in Tokyo are
        local = datetime.fromtimestamp(NOW / 1000, TOKYO) - timedelta(minutes=minutes)
        with pytest.raises(BadValue, match="future"):
            column(local.strftime("%Y-%m-%d %H:%M:%S"))
    notes = " ".join(column.notes())
    assert "seem to lie 9 hours ahead" in notes
    assert "--timezone" in notes
    assert "3 times" in notes


def test_a_column_in_the_right_zone_has_nothing_to_say_but_the_zone() -> None:
    column = moments()
    assert column("2023-06-09 20:00:00") == NOW - HOUR
    assert column.notes() == ["Times without a zone were read as Asia/Tokyo (--timezone says another)."]
    column = moments()
    assert column("2023-06-09T10:00:00Z") == NOW - 2 * HOUR
    assert column.notes() == []


def test_a_column_is_asked_for_its_order_once_and_only_when_needed() -> None:
    asked: list[int] = []

    def order() -> bool:
        asked.append(1)
        return True

    column = TimeColumn(ParseOptions(), "time", EARLIEST, NOW, NOW, order)
    assert column("2023-06-01") == at(2023, 6, 1)
    assert asked == []
    assert [column("02/06/2023"), column("03/06/2023")] == [at(2023, 6, 2), at(2023, 6, 3)]
    assert asked == [1]
    assert "day first" in column.notes()[-1]


def test_a_batch_that_fails_leaves_no_trace_in_what_a_column_remembers() -> None:
    column = moments()
    with pytest.raises(BadValue):
        column.column(["2023-06-09 10:00", "never"])
    assert column.naive == 0


def test_days_of_a_spreadsheet_are_read_when_they_are_said_to_be_such() -> None:
    assert read_time("45601.34375", zone=UTC, format="excel") == at(2024, 11, 5, 8, 15)
    assert read_time(45601, zone=TOKYO, format="excel") == at(2024, 11, 5, hours=9)
    assert read_time("2024-11-05 08:15", zone=UTC, format="excel") == at(2024, 11, 5, 8, 15)
    with pytest.raises(BadTime, match="excel"):
        read_time("45601.34375", zone=UTC)


@pytest.mark.parametrize(
    "text", ["2024-11-05 8h15", "5.11.2024, 08:15 Uhr", "'2024-11-05 08:15'", "2024-11-05 8:15 a. m."]
)
def test_times_as_newsrooms_of_europe_write_them(text: str) -> None:
    assert read_time(text, zone=UTC) == at(2024, 11, 5, 8, 15)
