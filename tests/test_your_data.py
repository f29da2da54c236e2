"""The reader's own page in a real browser over the real service: what is known, choices, export, forgetting."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from recsys.store import Event, Kind
from recsys.units import now_ms
from tests.browser import chromium, served
from tests.newsroom import SITE
from tests.service import Service, article, fill, plain_settings, serving
from tests.widgets import until

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    made = chromium(tmp_path_factory.mktemp("browser"))
    yield made
    made.quit()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    settings = plain_settings(tmp_path)
    fill(settings, article("a1", category="sports"), article("a2", category="world"), article("h", title=HOSTILE))
    with serving(settings) as service:
        yield service


def seen(browser: Chrome, selector: str = ".facts") -> str:
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def status(browser: Chrome) -> str:
    return seen(browser, ".status")


def press(browser: Chrome, name: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"[data-own={name}]").send_keys(Keys.ENTER)


def known_reader(site: Service) -> tuple[str, dict[str, str]]:
    made: Any = site.client.post("/api/v1/readers", json={}).json
    names = ("a1", "a2", "a1", "h")
    events = [Event(f"e{n}", SITE, Kind.CLICK, name, made["reader"], "s", now_ms()) for n, name in enumerate(names)]
    site.store.add_events([*events, Event("d", SITE, Kind.DWELL, "a1", made["reader"], time=1, dwell_ms=120_000)])
    site.live.catch_up()
    return made["token"], {"Reader-Token": made["token"]}


def test_less_than_a_minute_is_not_no_time(browser: Chrome, site: Service) -> None:
    made: Any = site.client.post("/api/v1/readers", json={}).json
    site.store.add_events([Event("d", SITE, Kind.DWELL, "a1", made["reader"], time=1, dwell_ms=6_000)])
    site.live.catch_up()
    with served(site.client.application) as url:
        browser.get(f"{url}/your-data?lang=en#token={made['token']}")
        assert until(lambda: "< 1 min" in seen(browser, "dl"))


def picture(browser: Chrome, name: str) -> None:
    """Save what is seen where somebody wants to look at it (OWN_PAGE_PICTURES)."""
    if folder := os.environ.get("OWN_PAGE_PICTURES"):
        browser.set_window_size(*((1280, 1500) if "1280" in name else (500, 2000)))
        if "390" in name:
            browser.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": 390, "height": 1900, "deviceScaleFactor": 1, "mobile": True},
            )
        browser.save_screenshot(f"{folder}/{name}.png")
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(("lang", "switch"), [("en", "Off"), ("zh", "已关闭")])
def test_a_reader_sees_chooses_takes_along_and_is_forgotten(
    browser: Chrome, site: Service, lang: str, switch: str
) -> None:
    token, header = known_reader(site)
    with served(site.client.application) as url:
        browser.get(f"{url}/your-data?lang={lang}#token={token}")
        assert until(lambda: "Title of a1" in seen(browser))
        assert token not in browser.current_url, "whoever looks over the shoulder, or at the history, sees no token"
        assert browser.title != "owned"
        assert HOSTILE in seen(browser, ".reads")
        assert "4" in seen(browser, "dl")
        assert "2 min" in seen(browser, "dl") or "2 分钟" in seen(browser, "dl")
        buttons = browser.find_elements(By.CSS_SELECTOR, ".yours button")
        colours = {(b.value_of_css_property("color"), b.value_of_css_property("background-color")) for b in buttons}
        assert all(ink != paper for ink, paper in colours), "what stands on a button can be read"
        browser.execute_script("document.documentElement.removeAttribute('data-ask')")  # the bar would hide the end
        for width in (1280, 390):
            picture(browser, f"your-data-{lang}-{width}")
        scrolls = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
        browser.set_window_size(500, 900)
        assert not browser.execute_script(scrolls), "nothing stands beside the page"
        browser.find_element(By.CSS_SELECTOR, '[data-tag="sports"] .do:last-of-type').send_keys(Keys.ENTER)
        assert until(lambda: "sports" in str(site.store.choices_after(SITE, 0)))
        assert until(lambda: browser.find_elements(By.CSS_SELECTOR, '.gone[data-tag="sports"]'))
        assert until(lambda: status(browser) != "")
        assert until(lambda: browser.switch_to.active_element.get_attribute("type") == "button"), (
            "the focus stays there"
        )
        press(browser, "switch")
        assert until(lambda: switch in seen(browser, "[data-own=switch]"))
        assert site.client.get("/api/v1/reader", headers=header).json["personalisation"] is False  # type: ignore[index]
        press(browser, "forget")
        assert site.client.get("/api/v1/reader", headers=header).json["clicks"] == 4, "asked first"  # type: ignore[index]
        browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        assert not browser.find_element(By.ID, "sure").is_displayed()
        press(browser, "forget")
        press(browser, "forget-yes")
        assert until(lambda: not browser.find_element(By.CSS_SELECTOR, ".facts").is_displayed())
        assert site.client.get("/api/v1/reader", headers=header).json["clicks"] == 0  # type: ignore[index]
        assert "python" not in status(browser), "it is a reader who is spoken to"
        picture(browser, f"forgotten-{lang}-390")
        assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


def test_without_a_good_token_the_page_says_what_to_do(browser: Chrome, site: Service) -> None:
    with served(site.client.application) as url:
        browser.get(f"{url}/your-data?lang=en")
        browser.execute_script("sessionStorage.clear(); localStorage.clear()")
        browser.refresh()
        assert until(lambda: "no reader token" in status(browser))
        picture(browser, "nobody-en-390")
        browser.get(f"{url}/tags")
        browser.get(f"{url}/your-data?lang=en#token=1.forged")
        assert until(lambda: "not taken any more" in status(browser))
        made: Any = site.client.post("/api/v1/readers", json={}).json
        browser.execute_script(
            "sessionStorage.clear(); localStorage.setItem('gyl-reader@' + location.origin, arguments[0])",
            f'{{"token": "{made["token"]}"}}',
        )
        browser.refresh()
        assert until(lambda: "No story has been opened yet" in seen(browser)), "the widget's own token is taken"
        assert "No tags yet" in seen(browser)
        browser.execute_script("localStorage.clear()")
        answer = site.client.get("/your-data")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
