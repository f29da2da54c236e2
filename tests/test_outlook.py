"""The last hour beside what was expected of it: in the admin API and on the console's first page, with its alerts."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.forecast.expected import WHOLE_SITE, ExpectedClicks, save_expected
from recsys.forecast.steps import STEP_MS
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from tests.service import Service, four
from web import outlook
from web.installation import KEY


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles in the sections x and y, of which nothing is expected yet."""
    with four(tmp_path) as service:
        yield service


def expecting(per_step: float) -> ExpectedClicks:
    """Clicks expected of the site and of the section x in each step of the days around now, with a narrow band."""
    start = now_ms() // HOUR_MS * HOUR_MS - DAY_MS
    median = np.full((2, 2 * DAY_MS // STEP_MS), per_step, np.float32)
    names = [WHOLE_SITE, "x"]
    return ExpectedClicks(start, names, median, np.full_like(median, 0.1), dict.fromkeys(names, 1.645), {})


def released(site: Service, folder: Path, per_step: float) -> None:
    """Lay an expectation where the live release has it."""
    app = site.client.application
    here = app.extensions[KEY]
    home = here.releases.root / "r1" / outlook.STAGE
    home.mkdir(parents=True)
    save_expected(expecting(per_step), home)
    counter = app.extensions[outlook.EXTENSION] = outlook.OutlookCounter()
    counter._release, counter._expected = here.live.release, outlook._read(home)


def clicked(site: Service, article: str, times: int, minutes: float) -> None:
    """Clicks of different readers some minutes ago."""
    at = round(now_ms() - minutes * MINUTE_MS)
    for number in range(times):
        site.click(article, reader=f"r{article}{number}{minutes}", time=at)


def forecast(site: Service, **query: Any) -> Any:
    site.store.revoke_token("ann")
    headers = {"Authorization": f"Bearer {site.store.add_token('ann')}"}
    answer = site.client.get("/admin/api/forecast", headers=headers, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_without_an_expectation_clicks_stand_alone(site: Service) -> None:
    clicked(site, "a1", 3, minutes=2)
    clicked(site, "a2", 1, minutes=50)
    told = forecast(site)
    assert (told["known_until"], told["alerts"], told["hours"]) == (None, [], [])
    rows = {one["section"]: (one["clicks"], one["expected"]) for one in told["series"]}
    assert rows == {"": (4, None), "x": (3, None), "y": (1, None)}


def test_the_last_hour_stands_beside_its_band_and_the_hours_to_come(site: Service, tmp_path: Path) -> None:
    released(site, tmp_path, per_step=2.0)
    clicked(site, "a1", 3, minutes=2)
    told = forecast(site, hours=3)
    whole, section = told["series"][:2]
    assert (whole["section"], whole["clicks"], whole["expected"]) == ("", 3, 12.0)
    assert (section["section"], section["clicks"]) == ("x", 3)
    assert 3 < whole["low"] < 12 < whole["high"]
    assert [one["expected"] for one in told["hours"]] == [12.0] * 3
    assert told["hours"][1]["start"] - told["hours"][0]["start"] == HOUR_MS
    assert forecast(site, section="nothing")["hours"] == []
    assert told["alerts"] == []


def test_a_silent_site_and_a_rising_article_are_alerts(site: Service, tmp_path: Path) -> None:
    released(site, tmp_path, per_step=40.0)
    (alert,) = forecast(site)["alerts"]
    assert (alert["kind"], alert["name"], alert["clicks"]) == ("silent", "", 0)
    clicked(site, "a1", 80, minutes=2)
    counter = site.client.application.extensions[outlook.EXTENSION]
    counter._made_at = float("-inf")
    (alert,) = forecast(site)["alerts"]
    assert (alert["kind"], alert["name"], alert["clicks"], alert["minutes"]) == ("rising", "a1", 80, 10)


def test_the_first_page_says_both_in_both_languages(
    site: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(site, tmp_path, per_step=40.0)
    header = {"Authorization": f"Bearer {site.store.add_token('desk')}"}
    for lang, said in (("en", "is tracking broken?"), ("zh", "统计是否中断")):
        page = html.unescape(site.client.get("/console/", headers=header, query_string={"lang": lang}).text)
        assert said in page
        assert "240" in page.split('id="expected"')[1].split("</table>")[0]  # six steps of forty


def test_an_expectation_that_cannot_be_read_is_none_and_no_failure(site: Service, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "forecast.json").write_text("{")
    assert outlook._read(tmp_path / "bad") is None
    assert outlook._read(tmp_path / "absent") is None
