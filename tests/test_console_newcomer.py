"""A new editor, who has read nothing: from what ``make run`` prints to a pinned story, in both languages.

The steps are those of somebody who reads what stands on the screen; their time is that of the keystroke-level model,
and, for each page that is seen for the first time, as long as it takes to read forty words.

Source: Card, Moran and Newell 1980, "The keystroke-level model for user performance time with interactive systems".
"""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from selenium.webdriver.common.by import By

from jobs import people
from jobs.runner import Context
from recsys.store import passwords
from recsys.units import now_ms
from tests.browser import chromium, served
from tests.newsroom import SITE
from tests.service import Service, four
from tests.widgets import until

KEY, POINT, PRESS, THINK, HOME = 0.28, 1.1, 0.2, 1.35, 0.4  # s, of the model: a typist of 40 words a minute
READ = 40 / 4  # s, for a page that is seen for the first time: slow readers read four words a second
MOST_SECONDS = 180


class Newcomer:
    """Somebody at a browser, and the time that their hands and eyes take.

    Attributes:
        clicks: buttons and links that were pressed; keys: that were typed; pages: that were read.
    """

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.clicks = self.keys = self.pages = 0

    def sees(self, selector: str, text: str = "") -> Any:
        """The first thing in sight that matches, and reads so."""

        def found() -> list[Any]:
            shown = [one for one in self.browser.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]
            return [one for one in shown if text in one.text]

        return until(found)[0]

    def reads(self) -> None:
        self.pages += 1

    def click(self, selector: str, text: str = "") -> None:
        self.sees(selector, text).click()
        self.clicks += 1

    def types(self, text: str) -> None:
        """Into the field that has the focus."""
        self.browser.switch_to.active_element.send_keys(text)
        self.keys += len(text)

    @property
    def seconds(self) -> float:
        """By the model: a thought before each step, the way to the mouse and back."""
        return self.pages * READ + self.clicks * (THINK + HOME + POINT + PRESS) + self.keys * KEY


@pytest.mark.parametrize(
    ("language", "front", "fixed", "width"), [("en", "Front", "Fixed", 1280), ("zh", "版面", "固定", 390)]
)
def test_a_new_editor_pins_a_story_within_three_minutes_without_reading_documentation(
    language: str,
    front: str,
    fixed: str,
    width: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path / "site") as service, served(service.client.application) as url:
        people.set_first_person(Context(service.settings, 0), "editor")
        printed = capsys.readouterr().out
        told = re.search(r"(http://\S+)\s+sign in as (\S+) with the password (\S+)", printed)
        assert told, printed
        browser = chromium(tmp_path / "profile")
        try:
            browser.set_window_size(width, 900)
            agent = browser.execute_script("return navigator.userAgent")
            browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent, "acceptLanguage": language})
            newcomer = Newcomer(browser)
            began = time.monotonic()
            _walk(newcomer, url + told[1].partition(":8080")[2], told[2], told[3], front)
            took = time.monotonic() - began
            assert _pinned(service) == ["a1"]
            assert "a1" in newcomer.sees("section[data-column=fixed]", fixed).get_attribute("innerHTML")
        finally:
            browser.quit()
    print(f"{newcomer.clicks} clicks, {newcomer.keys} keys, {newcomer.pages} pages: {newcomer.seconds:.0f} s, ", end="")
    print(f"of which the service and the browser took {took:.1f} s")
    assert newcomer.seconds + took < MOST_SECONDS


def _walk(newcomer: Newcomer, address: str, name: str, password: str, front: str) -> None:
    """Open the address that was printed, sign in, find the front, fix its newest story."""
    newcomer.browser.get(address)
    newcomer.reads()
    newcomer.types(name)  # the field has the focus
    newcomer.click("[name=password]")
    newcomer.types(password)
    newcomer.click("form.stack button")
    newcomer.sees("nav a[aria-current]")
    newcomer.reads()
    newcomer.click("nav a", front)
    newcomer.sees("section[data-column=latest]")
    newcomer.reads()
    newcomer.click("section[data-column=latest] li [value=pin]")
    newcomer.sees(".notice.good")


def _pinned(service: Service) -> list[str]:
    return [one.article for one in service.store.decisions(SITE) if one.until > now_ms()]
