"""A day at the console in a real browser, one person after the other: what each may see, and what they do there."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from recsys.releases import ReleaseState
from recsys.runs.worker import Worker
from recsys.store import ROLES, Scope, hashed_password, passwords
from recsys.units import now_ms
from recsys.workspace import Workspace
from tests.browser import chromium, served
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, four, serving
from tests.test_console import WORDS
from tests.test_serving import NEWER, newer_release
from tests.test_story_edits import done
from tests.test_worker import PROGRAM
from tests.widgets import titles, until

TEXT = "return document.querySelector(arguments[0])?.textContent ?? ''"


class Person:
    """Somebody at the console, in a browser that all of them share."""

    def __init__(self, browser: Any, url: str) -> None:
        self.browser, self.url = browser, url

    def enter(self, role: Scope) -> None:
        """Sign in as somebody of a role."""
        self.browser.delete_all_cookies()
        self.open("sign-in?lang=en")
        self.one("[name=name]").send_keys(role.value)
        self.one("[name=password]").send_keys(WORDS)
        self.one("form.stack button").click()
        assert until(lambda: "sign-in" not in self.browser.current_url)

    def open(self, path: str) -> None:
        self.browser.get(f"{self.url}/console/{path}")

    def one(self, selector: str) -> Any:
        return until(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector))[0]

    def sure(self, selector: str) -> None:
        """Press a button that asks whether it is meant, and say yes."""
        self.one(selector).click()
        self.browser.switch_to.alert.accept()

    def reads(self, selector: str, text: str, seconds: float = 5) -> bool:
        """Whether a part says a text, soon; in one step, since parts are exchanged at any time."""
        return bool(until(lambda: text in self.browser.execute_script(TEXT, selector), seconds))

    def pages(self) -> set[str]:
        return {
            one.get_attribute("href").rsplit("/", 1)[1] for one in self.browser.find_elements(By.CSS_SELECTOR, "nav a")
        }


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are compared at once."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def with_people(service: Service) -> Service:
    for role in ROLES:
        service.store.set_person(role.value, role, SITE, hashed_password(WORDS))
    return service


@pytest.fixture
def person(tmp_path: Path, quick: None) -> Iterator[tuple[Service, Person]]:
    """Four articles, newest first a1, a2, a3, a4, and somebody of each role."""
    with four(tmp_path) as service, served(with_people(service).client.application) as url:
        browser = chromium(tmp_path / "profile")
        try:
            yield service, Person(browser, url)
            said = [entry["message"] for entry in browser.get_log("browser")]
            assert not [text for text in said if "Content Security Policy" in text], said
        finally:
            browser.quit()


def story(site: Service, article: str) -> str:
    return site.live.catalogue.story_of(site.live.catalogue.row_of[article])


def test_each_role_signs_in_and_does_its_work(person: tuple[Service, Person], tmp_path: Path) -> None:
    site, desk = person
    seen = dict[Scope, set[str]]()
    for role in ROLES:
        desk.enter(role)
        seen[role] = desk.pages()
    assert "trace" in seen[Scope.EDITOR] - seen[Scope.VIEWER]
    assert "audit" in seen[Scope.OPERATOR] - seen[Scope.EDITOR]
    assert "tokens" in seen[Scope.OWNER] - seen[Scope.OPERATOR]

    desk.open("tokens")  # the last was the owner
    desk.one("form.row [name=name]").send_keys("the-desk")
    Select(desk.one("form.row [name=role]")).select_by_visible_text("editor")
    desk.one("form.row .act").click()
    assert desk.reads("#tokens", "the-desk")
    secret = desk.one(".secret").text
    assert site.client.get("/admin/api/editorial", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    desk.sure("#tokens form button")
    assert desk.reads(".notice", "The token the-desk is revoked")
    assert site.client.get("/admin/api/editorial", headers={"Authorization": f"Bearer {secret}"}).status_code == 401

    desk.enter(Scope.OPERATOR)
    desk.open("runs")
    Select(desk.one("#job")).select_by_visible_text("stories")
    desk.one("main form .act").click()
    assert desk.reads(".notice", "stories is queued")
    desk.one("#runs a").click()
    assert desk.reads("#live", "queued")
    folder = site.settings.data_dir
    program = (sys.executable, "-c", PROGRAM, str(folder))
    worker = Worker(site.store, SITE, Workspace(folder / "work"), program, folder / "runs")

    def ended() -> bool:
        worker.tick()
        return site.store.runs(1, SITE)[0].state == "succeeded"

    assert until(ended, 30)
    while worker.busy:  # until it has seen its child's end
        worker.tick()
    assert desk.reads("#live", "succeeded"), "the page says so by itself"


def test_an_editor_hides_pins_splits_traces_and_is_told_of_the_other_one(person: tuple[Service, Person]) -> None:
    site, desk = person
    reader = f"{desk.url}/article/a1?lang=en"
    desk.browser.get(reader)
    assert "Title of a3" in titles(desk.browser)
    desk.enter(Scope.EDITOR)
    desk.open("articles/one?id=a3")
    desk.sure("[name=verb][value=hide]")
    assert desk.reads(".notice", "Title of a3")
    desk.browser.get(reader)
    assert "Title of a3" not in titles(desk.browser)

    desk.open("articles/one?id=a4")
    desk.one("[name=verb][value=pin]").click()
    assert desk.reads(".notice", "The cost is not known")
    assert site.ids()[0] == "a4"
    desk.open("front")
    assert desk.reads("[data-column=fixed]", "Title of a4")
    soon = now_ms() + 500
    site.store.pin_article(SITE, "a4", "person editor", place=1, until=soon)
    site.live.take_down()
    assert until(lambda: now_ms() > soon)
    desk.open("front")
    assert desk.reads("[data-column=fixed]", "Nothing is fixed")
    assert site.ids()[0] == "a1"

    done(site, "POST", "/stories/a1:join", {"with": "a2"})
    desk.open("stories/one?id=a1")
    done(site, "PUT", "/stories/a1/name", {"name": "The other one was here"}, by="bob")
    desk.one("#split [name=articles][value=a2]").click()
    desk.one("#split [value=split]").click()
    assert desk.reads(".notice", "bob")
    assert desk.reads("h1", "The other one was here")
    assert desk.one("#split [name=articles][value=a2]").is_selected(), "what was chosen is still chosen"
    desk.one("#split [value=split]").click()
    assert until(lambda: len({story(site, one) for one in ("a1", "a2")}) == 2)

    desk.open("trace?article=a3")
    assert desk.reads("main", "It is hidden, deleted, or was never put.")


def test_an_operator_reads_why_the_gate_held_a_release_back_and_rolls_back(
    toy: Toy, tmp_path: Path, quick: None
) -> None:
    settings = copy_of(toy, tmp_path / "site")
    releases = newer_release(settings)
    older = str(releases.current())
    checks = [{"name": "articles", "passed": False, "found": "3", "wanted": "at least 12", "note": "live: 15"}]
    reason = "refused by the gate: articles: 3, wanted at least 12"
    releases.move(NEWER, ReleaseState.CANDIDATE, "schedule night", "made")
    releases.judged(NEWER, "schedule night", reason, {"passed": False, "checks": checks})
    with serving(settings) as service, served(with_people(service).client.application) as url:
        browser = chromium(tmp_path / "profile")
        desk = Person(browser, url)
        try:
            desk.enter(Scope.OPERATOR)
            desk.open("releases")
            assert desk.reads("#releases", reason)
            desk.open(f"releases/{NEWER}")
            assert desk.reads("#checks", "at least 12")
            assert desk.reads("#compared", "AUC", 20), "the figures stand beside those of the live one"
            desk.open(f"releases/{NEWER}?lang=zh")
            assert desk.reads("#checks", "文章数线上：15")
            desk.open("releases")
            assert desk.reads("#releases", "未通过门禁：文章数：3，应为至少 12"), "an older row is read in Chinese"
            desk.open("releases?lang=en")
            desk.sure(f"form[action*='{NEWER}'] button")
            assert until(lambda: releases.current() == NEWER, 20)
            desk.sure(f"form[action*='{older}'] button")
            assert until(lambda: releases.current() == older, 20), "and back"
            assert releases.state(NEWER).taken_back
        finally:
            browser.quit()
