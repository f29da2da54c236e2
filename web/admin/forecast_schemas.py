"""Schemas of expected clicks."""

from typing import Literal

from pydantic import BaseModel, Field

from web.api.schemas import In

MAX_HOURS = 8 * 24


class ForecastQuery(In):
    """The hours and the section that are asked for."""

    section: str = Field("", max_length=200, description="a category; empty: the whole site")
    hours: int = Field(24, ge=1, le=MAX_HOURS, description="from this hour on")


class SeriesOut(BaseModel):
    """Clicks of a section in the last hour, and those that were expected in it."""

    section: str = Field(description="empty: the whole site")
    clicks: int
    expected: float | None = Field(description="median; null where nothing is expected, as with low and high")
    low: float | None = Field(description="lower end of the 90 % band")
    high: float | None = Field(description="upper end of the 90 % band")


class HourOut(BaseModel):
    """Expected clicks of an hour."""

    start: int = Field(description="begin of the hour, ms UTC")
    expected: float
    low: float
    high: float


class AlertOut(BaseModel):
    """A section below its band, or an article above it."""

    kind: Literal["silent", "rising"] = Field(description="silent: is tracking broken? rising: is it breaking news?")
    name: str = Field(description="the section, empty for the whole site; or the article's id")
    minutes: int = Field(description="over which was counted")
    clicks: int
    expected: float = Field(description="median of the section's clicks in these minutes")
    bound: float = Field(description="clicks from which on it would be ordinary, or up to which")


class ForecastOut(BaseModel):
    """The last hour beside what was expected of it, what is out of the ordinary, and the hours to come."""

    time: int = Field(description="of the counts, ms UTC")
    known_until: int | None = Field(description="ms UTC, up to which the expectation knew the clicks; null without one")
    series: list[SeriesOut]
    alerts: list[AlertOut]
    hours: list[HourOut] = Field(description="of the section that was asked for; empty where nothing is expected")
