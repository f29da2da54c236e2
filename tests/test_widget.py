"""The widget and the demo site in a real browser, against a small API that answers as the service does."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser import HOSTILE, STORIES, Api, HandNewsroom, articles, chromium, served, site

IN_WIDGET = "return [...document.querySelector('guess-you-like').shadowRoot.querySelectorAll(arguments[0])]"
TITLES = """const widget = document.querySelector("guess-you-like");
return widget.dataset.state === "ready" && widget.items.map((item) => item.title)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    driver = chromium(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def api() -> Api:
    return Api(HandNewsroom(articles(int(time.time() * 1000))))


@pytest.fixture
def url(api: Api) -> Iterator[str]:
    app = site(api.room)
    api.install(app)
    app.add_url_rule("/publisher", "publisher", lambda: PUBLISHER)
    app.add_url_rule("/front", "publishers_front", lambda: FRONT)
    with served(app) as address:
        yield address


@pytest.fixture(autouse=True)
def fresh(browser: Chrome, url: str) -> Iterator[None]:
    """Every test starts as a new reader on a desktop and must leave a clean console."""
    browser.get_log("browser")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.set_window_size(1280, 1000)
    yield
    assert browser.get_log("browser") == []
    browser.get("about:blank")


FRONT = """<!doctype html><title>front</title><link rel="icon" href="data:,">
<script src="/widget.js" defer></script>
<a href="/read/lead?from=top">Lead</a> <a href="/read/%E5%A4%B4,1/">Second</a> <a href="/about">About</a>
<a href="/read/%E0">Broken</a> <a href="https://elsewhere.example/read/other">Elsewhere</a><i data-article="box-1"></i>
<guess-you-like lang="en" reader="r" link="/read/{id}"></guess-you-like>"""
PUBLISHER = """<!doctype html><title>publisher</title><link rel="icon" href="data:,">
<script src="/widget.js" defer></script>
<guess-you-like lang="en" k="3" reader="reader-7" slot-name="end" heading="Read on" link="/read/{id}"></guess-you-like>
<guess-you-like lang="zh" data-personalisation="off" slot="side"></guess-you-like>"""


def until(found: Callable[[], Any], seconds: float = 5) -> Any:
    """The first true value of ``found``; its last value when time is up."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def titles(browser: Chrome) -> list[str]:
    found = until(lambda: browser.execute_script(TITLES))
    assert found, "the widget did not become ready"
    return list(found)


def inside(browser: Chrome, selector: str) -> list[Any]:
    return list(browser.execute_script(IN_WIDGET, selector))


@pytest.mark.parametrize(
    ("lang", "heading", "ago", "reason", "category"),
    [
        ("zh", "猜你喜欢", "6小时前", "因为你读过《头条》", "娱乐"),
        ("en", "Guess you like", "6 hours ago", "Because you read “Lead”", "Technology"),
    ],
)
def test_the_widget_shows_title_category_time_and_reason(
    browser: Chrome, url: str, lang: str, heading: str, ago: str, reason: str, category: str
) -> None:
    browser.get(f"{url}/?lang={lang}")
    shown = titles(browser)
    card = shown.index(STORIES[lang][-1][1])
    assert inside(browser, "h2")[0].text == heading
    assert inside(browser, "li p.over")[card].text == f"{category} {ago}"
    assert inside(browser, "li p:not(.over)")[card].text == reason
    assert inside(browser, "li a")[card].text == STORIES[lang][-1][1]


def test_the_widget_says_what_the_page_shows_already(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/front")
    assert titles(browser)
    assert api.asked[-1]["exclude"].split(",") == ["box-1", "lead", "头%2C1"]


def test_a_click_is_sent_with_what_training_needs_and_changes_the_list(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=zh")
    before = titles(browser)
    inside(browser, "li a")[1].click()
    until(lambda: "/article/" in browser.current_url)
    (click,) = api.of_kind("click")
    asked = api.asked[0]
    assert click.pop("event_id")
    assert click == {
        "kind": "click",
        "article": "zh-4",
        "impression": "impression-1",
        "position": 1,
        "slot": "front",
        "reader": asked["reader"],
        "session": asked["session"],
    }
    seen = [event["article"] for event in api.of_kind("impression") if event["impression"] == "impression-1"]
    assert seen.count("zh-4") == 1, "what was clicked was seen"
    browser.back()
    until(lambda: len(api.asked) >= 3)
    after = until(lambda: (now := titles(browser)) != before and now)
    assert after == [title for title in before if title != STORIES["zh"][4][1]]
    assert api.asked[-1]["reader"] == asked["reader"]


def test_not_interested_is_sent_and_takes_the_card_away(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    before = titles(browser)
    button = inside(browser, "li button")[2]
    assert button.get_attribute("aria-label") == f"Not interested: {before[2]}"
    button.send_keys(Keys.ENTER)
    (dismiss,) = api.of_kind("dismiss")
    assert (dismiss["article"], dismiss["position"], dismiss["slot"]) == ("en-4", 2, "front")
    assert [link.text for link in inside(browser, "li a")] == before[:2] + before[3:]
    focused = browser.execute_script("return document.activeElement.shadowRoot.activeElement.ariaLabel")
    assert focused == f"Not interested: {before[3]}", "the keyboard stays in the list"
    assert browser.current_url == f"{url}/?lang=en"


def test_an_impression_counts_after_a_second_in_view_and_once(browser: Chrome, url: str, api: Api) -> None:
    browser.set_window_size(1280, 640)
    browser.get(f"{url}/?lang=en")
    titles(browser)
    time.sleep(1.6)
    assert api.of_kind("impression", 0) == [], "the list is below the fold"
    browser.execute_script("document.querySelector('guess-you-like').shadowRoot.querySelector('li').scrollIntoView()")
    time.sleep(0.4)
    assert api.of_kind("impression", 0) == [], "not yet a second"
    found = api.of_kind("impression", 4)
    browser.execute_script("scrollTo(0, 0)")
    time.sleep(0.3)
    browser.execute_script("document.querySelector('guess-you-like').shadowRoot.querySelector('li').scrollIntoView()")
    time.sleep(1.6)
    found = api.of_kind("impression", 0)
    keys = [(event["impression"], event["article"]) for event in found]
    assert len(keys) == len(set(keys)) > 0
    assert len({event["event_id"] for event in found}) == len(found)


def test_a_hostile_article_is_text_and_its_address_leads_nowhere(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/publisher")
    assert titles(browser)[0] == HOSTILE
    browser.execute_script("document.querySelector('guess-you-like').removeAttribute('link')")
    browser.execute_script("return document.querySelector('guess-you-like').load()")
    link = until(lambda: [a for a in inside(browser, "a") if "/read/" not in a.get_attribute("href")])[0]
    assert link.text == HOSTILE
    assert link.get_attribute("href") == f"{url}/article/en%2Fhostile%3F%23"
    assert inside(browser, "script, img[onerror]") == []
    link.click()
    assert until(lambda: browser.current_url.startswith(f"{url}/article/"))
    assert browser.find_element(By.CSS_SELECTOR, "h1").text == HOSTILE
    assert "owned" not in browser.title.replace(HOSTILE, "")


def test_two_lines_install_it_anywhere_and_its_attributes_work(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/publisher")
    assert len(titles(browser)) == 3
    assert inside(browser, "h2")[0].text == "Read on"
    assert inside(browser, "a")[1].get_attribute("href") == f"{url}/read/en-5"
    until(lambda: len(api.asked) == 2)
    personal, anonymous = sorted(api.asked, key=lambda query: query["slot"])
    assert (personal["reader"], personal["k"], personal["slot"]) == ("reader-7", "3", "end")
    assert "reader" not in anonymous
    assert "session" not in anonymous
    assert anonymous["lang"] == "zh"
    browser.execute_script("document.querySelectorAll('guess-you-like')[1].shadowRoot.querySelector('button').click()")
    (dismiss,) = api.of_kind("dismiss")
    assert (dismiss["reader"], dismiss["session"], dismiss["slot"]) == (None, None, "side")


def test_it_asks_in_the_language_of_its_page_whatever_that_is(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    browser.execute_script(
        "document.documentElement.lang = 'da-DK'; document.body.append(document.createElement('guess-you-like'))"
    )
    until(lambda: len(api.asked) == 2)
    assert api.asked[1]["lang"] == "da-DK"


def test_it_works_where_storage_is_refused(browser: Chrome, url: str, api: Api) -> None:
    refuse = """for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, { get() { throw new Error("refused"); } })"""
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": refuse})
    try:
        browser.get(f"{url}/?lang=en")
        titles(browser)
        inside(browser, "li button")[0].click()
        (dismiss,) = api.of_kind("dismiss")
        assert dismiss["reader"] == api.asked[0]["reader"], "one identity as long as the page lives"
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_reader_who_asks_not_to_be_tracked_is_sent_without_a_name(browser: Chrome, url: str, api: Api) -> None:
    source = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        browser.get(f"{url}/?lang=en")
        titles(browser)
        assert "reader" not in api.asked[0]
        assert browser.execute_script("return localStorage.getItem('gyl-reader')") is None
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_story_opened_from_the_page_itself_is_a_click_of_the_same_reader(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    browser.find_element(By.CSS_SELECTOR, ".lead h2 a").click()
    (click,) = api.of_kind("click")
    assert (click["article"], click["slot"], click["position"]) == ("en-0", "front", 0)
    assert click["reader"] == api.asked[0]["reader"]
    until(lambda: len(api.asked) == 2)
    assert api.asked[1]["article"] == "en-0"


def test_a_story_reached_from_outside_is_a_click_and_a_reload_is_none(browser: Chrome, url: str, api: Api) -> None:
    story = next(page.id for page in api.room.pages if page.language == "zh")
    browser.get(f"{url}/article/{story}")
    (click,) = api.of_kind("click")
    assert (click["article"], click["slot"]) == (story, "direct")
    browser.refresh()
    time.sleep(0.5)
    assert len(api.of_kind("click")) == 1


def test_theme_and_personalisation_are_remembered(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    browser.find_element(By.CSS_SELECTOR, "[data-act=theme]").click()
    browser.find_element(By.CSS_SELECTOR, "[data-act=personalisation]").click()
    until(lambda: len(api.asked) == 2)
    root = browser.find_element(By.CSS_SELECTOR, "html")
    assert root.get_attribute("data-theme") == "dark"
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    assert "reader" not in api.asked[1]
    assert browser.find_element(By.CSS_SELECTOR, "[data-act=personalisation]").text == "Personalisation: off"


def test_an_outage_leaves_the_page_whole_and_quiet(browser: Chrome, url: str, api: Api) -> None:
    api.broken = True
    browser.get(f"{url}/?lang=en")
    state = "return document.querySelector('guess-you-like').dataset.state === 'error'"
    assert until(lambda: browser.execute_script(state))
    assert not browser.find_element(By.CSS_SELECTOR, ".guess").is_displayed()
    assert browser.find_element(By.CSS_SELECTOR, ".lead h2").is_displayed()
    log = browser.get_log("browser")
    assert all("503" in line["message"] for line in log), "only the browser's own note of the failed request"


PAGES = (
    *("/?lang=zh", "/?lang=en", "/article/en-1?lang=en", "/category/sports?lang=zh", "/about?lang=en"),
    *("/stories/en-1?lang=en", "/stories/zh-0?lang=zh"),
)


@pytest.mark.parametrize("path", PAGES)
def test_nothing_sticks_out_of_a_phone(browser: Chrome, url: str, path: str) -> None:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(url + path)
    if "about" not in path:
        titles(browser)
        assert inside(browser, "li")[0].is_displayed()
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def told(browser: Chrome) -> str:
    """What the page of a reader's tags says, "" while it is being loaded."""
    return str(browser.execute_script("return document.querySelector('.told')?.textContent ?? ''"))


@pytest.mark.parametrize(("lang", "category"), [("zh", "体育"), ("en", "Sports")])
def test_a_readers_own_tags_are_drawn_as_a_t(browser: Chrome, url: str, api: Api, lang: str, category: str) -> None:
    browser.get(f"{url}/profile?lang={lang}")
    until(lambda: browser.find_elements(By.CSS_SELECTOR, ".tee"))
    bar = browser.find_elements(By.CSS_SELECTOR, ".tee .bar a")
    assert [link.text for link in bar] == [category]
    stem = browser.find_elements(By.CSS_SELECTOR, ".tee .stem a")
    assert [link.text for link in stem] == ["alpha", HOSTILE]
    lengths = [part.get_attribute("width") for part in browser.find_elements(By.CSS_SELECTOR, ".stem rect")]
    assert lengths == ["100%", "50%"]
    assert browser.title != "owned"
    stem[0].click()
    assert until(lambda: browser.current_url.endswith("/tags/alpha"))
    assert api.profiles[-1]["lang"] == lang


def test_a_reader_without_clicks_and_one_without_personalisation_are_told_so(
    browser: Chrome, url: str, api: Api
) -> None:
    api.clicks = 0
    browser.get(f"{url}/profile?lang=en")
    assert until(lambda: told(browser).startswith("No clicks yet"))
    asked = len(api.profiles)
    browser.execute_script("document.querySelector('[data-act=personalisation]').click()")
    assert until(lambda: "Personalisation is off" in told(browser))
    assert len(api.profiles) == asked, "nobody was asked about"
    browser.execute_script("document.querySelector('[data-act=personalisation]').click()")
