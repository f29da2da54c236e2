"""The console in a real browser: sign in, queue and cancel a run, pin an article, make a schedule, revoke a token."""

from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from recsys.store import Scope, hashed_password, passwords
from recsys.units import now_ms
from tests.browser import chromium, served
from tests.newsroom import SITE
from tests.service import four
from tests.test_console import WORDS
from tests.widgets import until


def test_a_morning_of_an_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path / "site") as service, served(service.client.application) as url:
        service.store.set_person("ann", Scope.OWNER, SITE, hashed_password(WORDS))
        service.store.add_token("desk", Scope.EDITOR, SITE)
        browser = chromium(tmp_path / "profile")

        def one(selector: str) -> Any:
            return until(lambda: browser.find_elements(By.CSS_SELECTOR, selector))[0]

        def shows(selector: str, text: str) -> bool:
            """In one step: parts of the page are exchanged at any time."""
            script = "return document.querySelector(arguments[0])?.textContent ?? ''"
            return bool(until(lambda: text in browser.execute_script(script, selector)))

        def notice(text: str) -> bool:
            return shows(".notice", text)

        try:
            browser.get(f"{url}/console/runs?lang=en")
            one("[name=name]").send_keys("ann")
            one("[name=password]").send_keys(WORDS)
            one("form.stack button").click()
            Select(one("#job")).select_by_visible_text("tokens")
            one("main form .act").click()
            assert notice("tokens is queued")
            assert browser.execute_script("return document.activeElement.className").startswith("notice")

            one("#runs a").click()
            run = service.store.runs(1, SITE)[0]
            until(lambda: run.id in browser.current_url)
            service.store.update_run(
                run.id, state="running", progress={"stage": "words", "stage_number": 3, "stages": 9}
            )
            assert shows("#live", "stage 3 of 9"), "it comes without a reload"
            service.store.update_run(run.id, state="queued")
            one("main form button").click()
            browser.switch_to.alert.accept()
            assert shows("#live", "cancelled")

            browser.get(f"{url}/console/front")
            browser.find_elements(By.CSS_SELECTOR, "#front [value=pin]")[1].click()
            assert notice("The cost is not known")
            assert service.ids()[1] == "a2"
            one(".undo").click()
            assert notice("No longer pinned")
            assert not [one for one in service.store.decisions(SITE) if one.until > now_ms()]

            browser.get(f"{url}/console/schedules")
            one("[name=name]").send_keys("night")
            one("#cron").send_keys("30 3 * * *")
            assert until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#times li")) == 5)
            one("form.grid .act").click()
            assert notice("The schedule night is saved")

            browser.get(f"{url}/console/tokens")
            one("#tokens form button").click()
            browser.switch_to.alert.accept()
            assert notice("The token desk is revoked")
            one("#tokens th button").click()
            assert one("#tokens th").get_attribute("aria-sort") == "ascending"
            one("[data-filter]").send_keys("nobody")
            assert not one("#tokens tbody tr").is_displayed()
            said = [entry["message"] for entry in browser.get_log("browser")]
            assert not [text for text in said if "Content Security Policy" in text or "Error" in text], said
        finally:
            browser.quit()
