"""axe on every page that is served: the demo's, the reader's own, the API's, the console's and a release's report.

Source: axe-core, whose findings of impact "serious" and "critical" are barriers to somebody.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from argon2 import PasswordHasher
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from recsys.report import files as report
from recsys.store import Article, Scope, Store, hashed_password, passwords
from recsys.units import now_ms
from tests.browser import served
from tests.newsroom import SITE, Toy
from tests.service import HOUR, Service, copy_of, serving
from tests.widgets import until
from web.console.releases import REPORT

PASSWORD = "correct horse battery"
AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
FOUND = """const done = arguments[arguments.length - 1];
const usual = { resultTypes: ["violations"], iframes: false, rules: { region: { enabled: false } } };
axe.run(document, { ...usual, ...arguments[0] }).then(({ violations }) => done(
    violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
        .flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => [id, node.target.join(" "), node.failureSummary]))),
    (error) => done([[String(error)]]))"""  # pages in frames are walked by themselves; "region" is slow, and moderate
LAYOUT = {"runOnly": ["color-contrast", "scrollable-region-focusable"], "rules": {}}  # what width and theme change
SETTLED = """return document.readyState === "complete"
    && !document.querySelector("[data-state=loading], .htmx-request, .yours > .facts[hidden]")"""
REPEATED = """if (location.pathname === "/docs")
    document.querySelectorAll("article:nth-of-type(n + 9)").forEach((one) => one.remove())"""  # each is as the others
STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"
MISSING = ("tags/nothing", "missing")
PAGES = ("", "category/football", "article/football-1", "stories/zh-1", "tags", "tags/football", "about", *MISSING)
CHINESE = ("", "article/football-1", "tags", "about")
CONSOLE = (
    "?lang=zh",
    "front?lang=en",
    "articles?lang=zh",
    "articles/one?id=football-1&lang=en",
    "stories?lang=en",
    "stories/one?id=football-1&lang=zh",
    "words?lang=zh",
    "map?lang=en",
    "trace?article=football-1&lang=zh",
    "runs?lang=en",
    "pipeline?lang=en",
    "schedules?lang=zh",
    "releases?lang=en",
    "experiments?lang=zh",
    "data?lang=en",
    "tokens?lang=zh",
    "audit?lang=en",
)


@pytest.fixture(scope="module")
def site(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The trained toy newsroom with two Chinese articles and an owner."""
    settings = copy_of(toy, tmp_path_factory.mktemp("site"))
    store = Store.open(settings.database_url, settings.store)
    chinese: Any = {"site": SITE, "language": "zh", "category": "football", "published_at": now_ms() - HOUR}
    titles = ("汐州飞鱼补时绝杀，时隔四轮重返榜首", "青训教练接过教鞭，首要目标是保级")
    store.put_articles([Article(f"zh-{n}", title=title, body=title, **chinese) for n, title in enumerate(titles)])
    store.close()
    with pytest.MonkeyPatch.context() as patch, serving(settings) as service:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        service.store.set_person("ann", Scope.OWNER, SITE, hashed_password(PASSWORD))
        yield service


def addresses(site: Service, url: str) -> Iterator[str]:
    """Every page, with what a query decides of it."""
    made: Any = site.client.post("/api/v1/readers", json={}).json
    site.click("football-1", reader=made["reader"])
    release = str(site.live.release)
    for lang, pages in (("en", PAGES), ("zh", CHINESE)):
        yield from (f"{url}/{path}?lang={lang}" for path in pages)
        yield f"{url}/your-data?lang={lang}#token={made['token']}"
    yield f"{url}/docs"
    yield from (f"{url}/console/{path}" for path in CONSOLE)
    yield f"{url}/console/runs/{site.store.runs(1, SITE)[0].id}"
    yield f"{url}/console/releases/{release}"
    folder = site.settings.data_dir / "releases" / release / REPORT
    for name in report.PAGES:  # as files, since no script runs where they are served
        yield from ((folder / report.file_name(name, lang)).as_uri() for lang in report.LANGUAGES)


def sign_in(browser: Chrome, url: str) -> None:
    browser.get(f"{url}/console/sign-in")
    for name, value in (("name", "ann"), ("password", PASSWORD)):
        browser.find_element(By.CSS_SELECTOR, f"[name={name}]").send_keys(value)
    browser.find_element(By.CSS_SELECTOR, "form.stack button").click()
    assert until(lambda: browser.current_url == f"{url}/console/")


def findings(browser: Chrome, url: str) -> list[Any]:
    """Barriers of one page: on a desk and on a phone, light and dark."""
    browser.get("about:blank")
    browser.get(url)
    assert until(lambda: browser.execute_script(SETTLED)), url
    expected = 404 if any(f"/{path}?" in url for path in MISSING) else 200
    assert browser.execute_script(STATUS) == expected, url
    browser.execute_script(REPEATED)
    browser.execute_script(AXE)
    found: list[Any] = []
    for width, theme in ((1280, "light"), (1280, "dark"), (390, "dark"), (390, "light")):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
        only = {} if (width, theme) == (1280, "light") else LAYOUT
        found += [[url, width, theme, *one] for one in browser.execute_async_script(FOUND, only)]
    return found


@pytest.mark.slow
def test_axe_finds_no_barrier_on_any_page(browser: Chrome, site: Service) -> None:
    with served(site.client.application) as url:
        try:
            found = findings(browser, f"{url}/console/sign-in")
            sign_in(browser, url)
            for page in addresses(site, url):
                found += findings(browser, page)
        finally:
            browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {})
            browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    assert found == []


def test_a_barrier_would_be_found(browser: Chrome, site: Service) -> None:
    with served(site.client.application) as url:
        browser.get(f"{url}/tags")
        assert until(lambda: browser.execute_script(SETTLED))
        browser.execute_script(
            "document.querySelector('h1').style.color = '#f8f8f8'; document.body.append(new Image())"
        )
        browser.execute_script(AXE)
        found = {one[0] for one in browser.execute_async_script(FOUND, {})}
    assert found == {"color-contrast", "image-alt"}
