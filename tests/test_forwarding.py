"""Behind a proxy: every page, call and cookie works below a path prefix and behind TLS; nobody else is believed."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

import web.console
from recsys.store import Scope, hashed_password, passwords
from tests.browser import served
from tests.newsroom import SITE
from tests.proxies import PREFIX, tls_proxy
from tests.service import Service, four
from tests.widgets import CONSENT, inside, stored, titles, until
from web.addresses import client_address
from web.forwarding import Forwarded, clean_prefix, without_prefix
from web.gateway.entry import _own_path
from web.gateway.limits import MAX_BULK_BYTES, body_limit

PASSWORD = "correct horse battery"
BEHIND = {"X-Forwarded-Prefix": PREFIX, "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch, four(tmp_path_factory.mktemp("behind")) as service:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        service.store.set_person("ann", Scope.OWNER, SITE, hashed_password(PASSWORD))
        yield service


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/news", "/news"),
        ("news/", "/news"),
        ("/a/b-c.d~e_f", "/a/b-c.d~e_f"),
        ("/", ""),
        ("//evil.example", "/evil.example"),
        ("/a//b", ""),
        ("/a/../b", ""),
        ("/..", ""),
        ('/"><script>', ""),
        ("/a?b", ""),
        ("/a,/b", ""),
        ("/" + "a" * 200, ""),
    ],
    ids=range(12),
)
def test_a_prefix_is_parts_of_a_path_and_never_another_host(said: str, prefix: str) -> None:
    assert clean_prefix(said) == prefix


def test_a_prefix_is_taken_off_where_it_was_passed() -> None:
    paths = ["/news/tags", "/tags", "/news", "/newsroom", "/"]
    assert [without_prefix(path, "/news") for path in paths] == ["/tags", "/tags", "/", "/newsroom", "/"]
    assert without_prefix("/tags", "") == "/tags"


def test_the_gateway_bounds_bodies_by_the_services_own_path() -> None:
    scope: Any = SimpleNamespace(path="/news/api/v1/articles:bulk", headers={"x-forwarded-prefix": "/news"})
    assert body_limit(_own_path(scope)) == MAX_BULK_BYTES
    bare: Any = SimpleNamespace(path="/console", headers={})
    assert _own_path(bare) == "/console"


@pytest.mark.parametrize("passed", ["", PREFIX], ids=["stripped", "passed"])
def test_addresses_in_answers_have_the_prefix_and_https(site: Service, passed: str) -> None:
    def location(path: str, **more: Any) -> Any:
        return site.client.get(passed + path, headers=BEHIND, **more).headers.get("Location")

    about = site.client.get(f"{passed}/about?lang=en", headers=BEHIND).text
    assert "https://localhost/news/widget.js" in about
    assert 'href="/about"' not in about
    assert 'href="/news/about"' in about
    assert location("/console") == "/news/console/"
    assert location("/console/runs") == "/news/console/sign-in?next=/console/runs"
    assert location("/profile") == "/news/your-data"
    form = {"name": "ann", "password": PASSWORD, "next": "/console/runs"}
    signed = site.client.post(
        f"{passed}/console/sign-in", data=form, headers=BEHIND | {"Sec-Fetch-Site": "same-origin"}
    )
    assert signed.headers["Location"] == "/news/console/runs"
    assert "Secure" in signed.headers["Set-Cookie"]
    site.client.delete_cookie("recsys_session")
    key = {"Authorization": f"Bearer {site.store.add_token(f'feed{passed[1:]}', Scope.WRITE, SITE)}"}
    article = {"title": "New", "body": "Text", "language": "en"}
    put = site.client.put(f"{passed}/api/v1/articles/new{passed[1:]}", json=article, headers=BEHIND | key)
    assert put.headers["Location"].startswith("/news/api/v1/articles/new")
    lists: Any = site.client.get(f"{passed}/api/v1/recommendations?k=2", headers=BEHIND).json
    assert len(lists["items"]) == 2


@pytest.mark.parametrize(("peer", "proxies", "believed"), [("203.0.113.9", 0, False), ("127.0.0.1", 0, True)])
def test_only_a_proxy_says_what_the_prefix_is(site: Service, peer: str, proxies: int, believed: bool) -> None:
    answer = site.client.get("/console", headers=BEHIND, environ_base={"REMOTE_ADDR": peer})
    assert answer.headers["Location"] == f"{PREFIX * believed}/console/"


def test_no_page_of_the_console_has_an_address_without_the_prefix() -> None:
    templates = Path(web.console.__file__).parents[1] / "templates" / "console"
    bare = re.compile(r"""(?:href|action|src|hx-[a-z]+)="/""")
    found = [file.name for file in templates.glob("*.html") if bare.search(file.read_text(encoding="utf-8"))]
    assert found == []


def test_whoever_signs_in_is_counted_by_the_address_that_as_many_proxies_saw_as_the_site_says() -> None:
    app = Flask("behind")
    app.add_url_rule("/", "said", client_address)
    app.wsgi_app = Forwarded(app.wsgi_app, 2)  # type: ignore[method-assign]
    headers = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7, 203.0.113.9"}
    assert app.test_client().get("/", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.2"}).text == "192.0.2.7"
    assert app.test_client().get("/").text == "127.0.0.1"


def test_a_reader_and_an_owner_behind_tls_and_a_prefix(browser: Chrome, site: Service, tmp_path: Path) -> None:
    browser.get_log("browser")
    browser.set_window_size(1280, 1000)
    with served(site.client.application) as inner, tls_proxy(tmp_path, inner, strips=True) as url:
        browser.get(f"{url}/?lang=en")
        titles(browser)
        browser.execute_script(CONSENT, True)
        assert until(lambda: f"gyl-reader@{url}" in stored(browser))
        titles(browser)
        link = inside(browser, "h3 a")[0]
        assert link.get_attribute("href").startswith(f"{url}/article/")
        link.click()
        assert until(lambda: browser.current_url.startswith(f"{url}/article/"))
        browser.get(f"{url}/your-data?lang=en")
        reads = "return [...document.querySelectorAll('.reads a')].map((link) => link.href)"
        assert until(lambda: browser.execute_script(reads)), "the widget's token is found"
        assert browser.execute_script(reads)[0].startswith(f"{url}/article/")
        browser.find_element(By.CSS_SELECTOR, "[data-own=switch]").send_keys(Keys.ENTER)
        assert until(lambda: "Off" in browser.find_element(By.CSS_SELECTOR, "[data-own=switch]").text)

        browser.get(f"{url}/console/schedules")
        for name, value in (("name", "ann"), ("password", PASSWORD)):
            browser.find_element(By.CSS_SELECTOR, f"[name={name}]").send_keys(value)
        browser.find_element(By.CSS_SELECTOR, "form.stack button").click()
        assert until(lambda: browser.current_url == f"{url}/console/schedules"), "where one wanted to go"
        session = browser.get_cookie("recsys_session")
        assert session is not None
        assert (session["secure"], session["httpOnly"]) == (True, True)
        browser.find_element(By.CSS_SELECTOR, "#cron").send_keys("30 3 * * *")
        assert until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "#times li")) == 5), "parts of a page come"
        browser.find_element(By.LINK_TEXT, "Front").click()
        assert until(lambda: browser.find_elements(By.CSS_SELECTOR, "#front [value=pin]"))
        browser.find_elements(By.CSS_SELECTOR, "#front [value=pin]")[1].click()
        assert until(lambda: browser.find_elements(By.CSS_SELECTOR, ".undo"))
        browser.find_element(By.CSS_SELECTOR, "form[action$=sign-out] button").click()
        assert until(lambda: browser.current_url == f"{url}/console/sign-in")
        assert [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
        browser.execute_script("localStorage.clear(); sessionStorage.clear()")
