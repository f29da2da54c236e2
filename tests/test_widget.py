"""The widget and the demo site in a real browser, against a small API that answers as the service does."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from tests.browser import HOSTILE, STORIES, Api, served, site
from tests.widgets import CONSENT, STATE, inside, stored, titles, until, warnings


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


DRAWN = "return arguments[0].every((one) => one.complete && one.naturalWidth)"
FRONT = """<!doctype html><title>front</title><link rel="icon" href="data:,">
<script src="/widget.js" defer></script>
<a href="/read/lead?from=top">Lead</a> <a href="/read/%E5%A4%B4,1/">Second</a> <a href="/about">About</a>
<a href="/read/%E0">Broken</a> <a href="https://elsewhere.example/read/other">Elsewhere</a><i data-article="box-1"></i>
<guess-you-like lang="en" link="/read/{id}"></guess-you-like>"""
PUBLISHER = """<!doctype html><title>publisher</title><link rel="icon" href="data:,">
<script src="/widget.js" defer></script>
<guess-you-like lang="en" k="3" consent="given" reader="reader-7" reader-token="signed" slot-name="end"
  heading="Read on" link="/read/{id}"></guess-you-like>
<guess-you-like lang="zh" data-personalisation="off" slot="side"></guess-you-like>"""


def reader_of(browser: Chrome, api: Api) -> dict[str, str]:
    """Agree, and return the query of the list that a known reader gets."""
    browser.execute_script(CONSENT, True)
    asked = until(lambda: [query for query in api.asked if "reader" in query])
    assert asked, "no list was asked for under an id"
    titles(browser)
    return dict(asked[0])


def menu_button(browser: Chrome, card: int, text: str) -> Any:
    """A button of the menu of one card, which is opened."""
    inside(browser, "li .dots")[card].click()
    return next(button for button in inside(browser, ".menu button") if button.text == text)


@pytest.mark.parametrize(
    ("lang", "heading", "ago", "reason", "category"),
    [
        ("zh", "猜你喜欢", "6小时前", "因为你读过《头条》", "娱乐"),
        ("en", "You might like", "6 hours ago", "Because you read “Lead”", "Technology"),
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
    assert inside(browser, "li .reason")[card].text == reason
    assert inside(browser, "li h3 a")[card].text == STORIES[lang][-1][1]


def test_the_widget_says_what_the_page_shows_already(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/front")
    assert titles(browser)
    assert api.asked[-1]["exclude"].split(",") == ["box-1", "lead", "头%2C1"]


def test_a_click_is_sent_with_what_training_needs_and_changes_the_list(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=zh")
    titles(browser)
    asked = reader_of(browser, api)
    before = titles(browser)
    inside(browser, "li h3 a")[1].click()
    until(lambda: "/article/" in browser.current_url)
    (click,) = api.of_kind("click")
    assert click.pop("event_id")
    assert click == {
        "kind": "click",
        "article": "zh-4",
        "impression": "impression-2",
        "position": 1,
        "slot": "front",
        "reader": asked["reader"],
        "session": asked["session"],
    }
    assert api.beacons[-1]["reader_token"] == f"token-of-{asked['reader']}"
    seen = [event["article"] for event in api.of_kind("impression") if event["impression"] == "impression-2"]
    assert seen.count("zh-4") == 1, "what was clicked was seen"
    browser.back()
    after = until(lambda: (now := titles(browser)) != before and now)
    assert STORIES["zh"][4][1] not in after
    assert api.asked[-1]["reader"] == asked["reader"]


def test_a_story_that_is_reached_from_elsewhere_counts_by_the_list_that_stands_beside_it(
    browser: Chrome, url: str, api: Api
) -> None:
    browser.get("about:blank")
    api.delay = 0.3
    browser.get(f"{url}/article/en-1?lang=en")
    (click,) = api.of_kind("click")
    api.delay = 0.0
    facts = ("article", "slot", "impression", "reader", "session")
    assert [click.get(name) for name in facts] == ["en-1", "direct", "impression-1", None, None]
    api.broken = True
    browser.get("about:blank")
    browser.get(f"{url}/article/en-2?lang=en")
    click = api.of_kind("click", 2)[1]
    assert (click["article"], click.get("impression")) == ("en-2", None), "it is told all the same"
    assert until(lambda: warnings(browser))
    browser.get_log("browser")


def test_less_of_this_is_replaced_and_said_and_can_be_taken_back(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/article/en-0?lang=en")
    before = titles(browser)
    menu_button(browser, 1, "Less of this").send_keys(Keys.ENTER)
    said = until(lambda: inside(browser, "[role=status]")[0].text)
    assert said == f"Removed: “{before[1]}”."
    focused = browser.execute_script("return document.activeElement.shadowRoot.activeElement.ariaLabel")
    assert focused == f"About this card: {before[2]}", "the keyboard stays in the list"
    after = until(lambda: (now := [link.text for link in inside(browser, "li h3 a")]) and len(now) == 4 and now)
    assert after == [before[0], STORIES["en"][1][1], *before[2:]], "another one in its place"
    assert api.of_kind("dismiss", 0) == [], "not while it can be taken back"
    next(button for button in inside(browser, ".bar button") if button.text == "Undo").click()
    assert [link.text for link in inside(browser, "li h3 a")] == before
    menu_button(browser, 2, "Less of this").click()
    browser.execute_script("dispatchEvent(new PageTransitionEvent('pagehide'))")
    (dismiss,) = api.of_kind("dismiss")
    assert (dismiss["article"], dismiss["position"], dismiss["slot"]) == ("en-4", 2, "article")


def test_an_impression_counts_after_a_second_in_view_and_once(browser: Chrome, url: str, api: Api) -> None:
    browser.set_window_size(700, 640)
    browser.get(f"{url}/?lang=en")
    titles(browser)
    time.sleep(1.6)
    assert api.of_kind("impression", 0) == [], "the list is below the fold"
    browser.execute_script("document.querySelector('guess-you-like').shadowRoot.querySelector('li').scrollIntoView()")
    time.sleep(0.4)
    assert api.of_kind("impression", 0) == [], "not yet a second"
    api.of_kind("impression", 2)
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
    link = until(lambda: [a for a in inside(browser, "h3 a") if "/read/" not in a.get_attribute("href")])[0]
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
    assert inside(browser, "h3 a")[1].get_attribute("href") == f"{url}/read/en-5"
    until(lambda: len(api.asked) == 2)
    personal, anonymous = sorted(api.asked, key=lambda query: query["slot"])
    assert (personal["reader"], personal["k"], personal["slot"]) == ("reader-7", "3", "end")
    assert "reader" not in anonymous
    assert "session" not in anonymous
    assert anonymous["lang"] == "zh"
    assert api.tokens[api.asked.index(personal)] == "signed"
    browser.execute_script("document.querySelectorAll('guess-you-like')[1].shadowRoot.querySelector('h3 a').click()")
    (click,) = api.of_kind("click")
    assert (click["reader"], click["session"], click["slot"]) == (None, None, "side")


def test_it_asks_in_the_language_of_its_page_whatever_that_is(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    browser.execute_script(
        "document.documentElement.lang = 'da-DK'; document.body.append(document.createElement('guess-you-like'))"
    )
    until(lambda: len(api.asked) == 2)
    assert api.asked[1]["lang"] == "da-DK"


def test_a_story_opened_from_the_page_itself_is_a_click_of_the_same_reader(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    asked = reader_of(browser, api)
    browser.find_element(By.CSS_SELECTOR, ".lead h2 a").click()
    (click,) = api.of_kind("click")
    assert (click["article"], click["slot"], click["position"]) == ("en-0", "front", 0)
    assert click["reader"] == asked["reader"]
    until(lambda: "article" in api.asked[-1])
    assert (api.asked[-1]["article"], api.asked[-1]["reader"]) == ("en-0", asked["reader"])


def test_a_story_reached_from_outside_is_a_click_and_a_reload_is_none(browser: Chrome, url: str, api: Api) -> None:
    story = next(page.id for page in api.room.pages if page.language == "zh")
    browser.get(f"{url}/article/{story}")
    (click,) = api.of_kind("click")
    assert (click["article"], click["slot"]) == (story, "direct")
    browser.refresh()
    time.sleep(0.5)
    assert len(api.of_kind("click")) == 1


def test_theme_and_the_readers_choice_are_remembered(browser: Chrome, url: str, api: Api) -> None:
    browser.get(f"{url}/?lang=en")
    titles(browser)
    bar = browser.find_element(By.CSS_SELECTOR, ".consent")
    assert bar.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "[data-act=theme]").click()
    browser.find_element(By.CSS_SELECTOR, "[data-act=yes]").click()
    assert until(lambda: "reader" in api.asked[-1])
    assert not bar.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "[data-act=personalisation]").click()
    browser.find_element(By.CSS_SELECTOR, "[data-act=no]").click()
    browser.get(f"{url}/?lang=en")
    titles(browser)
    root = browser.find_element(By.CSS_SELECTOR, "html")
    assert root.get_attribute("data-theme") == "dark"
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    assert "reader" not in api.asked[-1]
    assert browser.find_element(By.CSS_SELECTOR, "[data-act=personalisation]").text == "Personalisation: off"
    assert "What was stored under a number before stays" in browser.find_element(By.CSS_SELECTOR, ".kept").text
    assert stored(browser) == {"theme": "dark", "gyl-consent": "no"}


def test_an_outage_leaves_the_page_whole_and_says_why_in_the_console(browser: Chrome, url: str, api: Api) -> None:
    api.broken = True
    browser.get(f"{url}/?lang=en")
    assert until(lambda: browser.execute_script(STATE) == "error")
    assert browser.find_element(By.CSS_SELECTOR, ".lead h2").is_displayed()
    assert inside(browser, "[role=status]")[0].text == "The list is out of reach just now."
    (said,) = until(lambda: warnings(browser))
    assert "got status 503: look at the recommender's log." in said
    api.broken = False
    inside(browser, ".bar button")[0].click()
    assert titles(browser)
    browser.get_log("browser")


def test_the_list_stands_where_a_reader_sees_it_with_pictures(browser: Chrome, url: str) -> None:
    top = "return document.querySelector('guess-you-like').getBoundingClientRect().top + scrollY"
    for width, front, article in ((1280, 400, 400), (390, 844, 1100)):
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for path, most in (("/", front), ("/article/en-1", article)):
            browser.get(f"{url}{path}?lang=en")
            titles(browser)
            assert browser.execute_script(top) < most, (width, path)
            assert until(lambda: browser.execute_script(DRAWN, inside(browser, "img")[:1]))
            assert len(inside(browser, "img")) == 4


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


def test_the_menu_covers_nothing_that_has_the_focus(browser: Chrome, url: str) -> None:
    browser.set_window_size(1280, 700)
    browser.get(f"{url}/?lang=en")
    titles(browser)
    browser.find_element(By.CSS_SELECTOR, "[data-act=no]").click()
    browser.execute_script("scrollTo(0, document.body.scrollHeight); document.querySelector('.foot a').focus()")
    covered = """let at = document.activeElement;
        while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
        const { top, bottom } = at.getBoundingClientRect();
        const menu = document.querySelector(".sections").getBoundingClientRect();
        return !at.closest(".sections") && top < menu.bottom && bottom > menu.top ? at.textContent : "";"""
    for _ in range(30):  # upwards: what comes into view comes in under the menu
        browser.switch_to.active_element.send_keys(Keys.SHIFT, Keys.TAB)
        assert browser.execute_script(covered) == ""
