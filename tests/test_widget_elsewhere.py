"""The widget on another origin, under a strict policy: what it needs, says and keeps, and what it withstands."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys

from tests.browser import Api
from tests.widgets import CONSENT, STATE, STRICT, Publisher, inside, publisher, stored, titles, until, warnings

WIDGET = '<guess-you-like k="3" link="/read/{id}" picture="/art/{id}"></guess-you-like>'
GIVEN = WIDGET.replace(" k=", " consent=given k=")
ALL = """return [...document.querySelectorAll("guess-you-like")].map((one) => one.items?.map(({ id }) => id))"""
CONTRAST = """const [one, behind] = arguments;
const linear = (part) => (part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
const bright = (text) => text.match(/[\\d.]+/g).slice(0, 3)
    .reduce((sum, part, n) => sum + [.2126, .7152, .0722][n] * linear(part / 255), .05);
const pair = [bright(getComputedStyle(one).color), bright(getComputedStyle(behind).backgroundColor)];
return Math.max(...pair) / Math.min(...pair)"""  # of a text and what is behind it, WCAG 2.2
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => shifts.push(one.value)))
    .observe({ type: "layout-shift", buffered: true })"""


@pytest.fixture
def site(browser: Chrome, api: Api) -> Iterator[Publisher]:
    browser.get_log("browser")
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.set_window_size(1280, 900)
    with publisher(browser, api) as shown:
        yield shown
        browser.get("about:blank")


def reader(browser: Chrome) -> Any:
    """What is kept of the reader, None for nothing."""
    found = [value for key, value in stored(browser).items() if key.startswith("gyl-reader@")]
    return json.loads(found[0]) if found else None


def test_three_directives_are_enough_and_one_that_is_missing_is_named(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    pictures = f'<guess-you-like k="3" picture="{site.recommender}/art/{{id}}"></guess-you-like>'
    site.open(pictures)
    assert len(titles(browser)) == 3
    widths = "return arguments[0].map((one) => one.complete && one.naturalWidth)"
    assert until(lambda: all(browser.execute_script(widths, inside(browser, "img"))))
    styled = "return getComputedStyle(arguments[0]).position"
    assert browser.execute_script(styled, inside(browser, "li")[0]) == "relative"
    link = inside(browser, "h3 a")[1].get_attribute("href")
    assert link == f"{site.recommender}/article/en-5", "below the prefix of the script"
    assert browser.get_log("browser") == []
    origin = site.recommender.removesuffix("/rec")
    site.open(pictures, STRICT.replace("connect-src {0};", ""))
    assert until(lambda: browser.execute_script(STATE) == "error")
    assert any(f"add {origin} to its connect-src" in line for line in warnings(browser))
    site.open(pictures, STRICT.replace("img-src 'self' {0};", ""))
    titles(browser)
    assert until(lambda: any(f"add {origin} to its img-src" in line for line in warnings(browser)))
    assert inside(browser, "img") == []
    assert inside(browser, ".picture")[1].text == "T", "the first letter of Technology stands in"


def test_without_consent_nothing_is_kept_and_nothing_names_the_reader(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    site.open(WIDGET)
    titles(browser)
    browser.execute_script("GuessYouLike.record('click', 'en-1')")
    until(lambda: api.of_kind("impression", 3))
    assert stored(browser) == {}
    assert browser.get_cookies() == []
    assert [event["reader"] or event["session"] for event in api.events] == [None] * len(api.events)
    assert not any("reader=" in path or "session=" in path or "/readers" in path for path in api.paths)
    assert (api.tokens, api.cookies) == ([None], [])
    assert all("reader_token" not in body for body in api.beacons)


def test_consent_is_given_taken_and_given_again(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(WIDGET)
    titles(browser)
    browser.execute_script(CONSENT, True)
    assert until(lambda: api.tokens[-1] == "token-of-random-0")
    assert reader(browser) == {
        "reader": "random-0",
        "token": "token-of-random-0",
        "at": pytest.approx(1e3 * time.time(), abs=1e5),
    }
    browser.execute_script(CONSENT, True)
    assert reader(browser)["reader"] == "random-0", "said twice it is the same reader"
    browser.execute_script(CONSENT, False)
    assert stored(browser) == {"gyl-consent": "no"}, "at once"
    until(lambda: api.tokens[-1] is None)
    assert "session" not in api.asked[-1]
    api.delay, asked = 0.3, sum("/readers" in path for path in api.paths)
    browser.execute_script(CONSENT, True)
    assert until(lambda: sum("/readers" in path for path in api.paths) > asked)
    browser.execute_script(CONSENT, False)
    time.sleep(0.5)
    api.delay = 0.0
    assert stored(browser) == {"gyl-consent": "no"}, "an id that comes too late is dropped"
    browser.execute_script(CONSENT, True)
    assert until(lambda: reader(browser))["reader"] == api.readers[-1] != "random-0"
    site.open(WIDGET)
    titles(browser)
    assert api.asked[-1]["reader"] == api.readers[-1], "and lasts"


def test_off_in_a_cards_menu_is_immediate_and_says_what_is_kept(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(GIVEN)
    titles(browser)
    inside(browser, ".dots")[0].click()
    menu = inside(browser, ".menu")[0].text
    assert "Because you read “Lead”" in menu
    assert "keeps a random number for you" in menu
    places = {link.text: link.get_attribute("href") for link in inside(browser, ".menu a")}
    assert places == {
        "How this list is made": f"{site.recommender}/about",
        "Your data": f"{site.recommender}/your-data#token=token-of-random-0",
    }
    next(button for button in inside(browser, ".menu button") if "off" in button.text).click()
    assert stored(browser) == {"gyl-consent": "no"}
    assert until(lambda: api.tokens[-1] is None)
    assert "stays there until you have it deleted" in inside(browser, "[role=status]")[0].text
    assert inside(browser, ".bar a")[0].get_attribute("href").endswith("#token=token-of-random-0")
    titles(browser)
    inside(browser, ".dots")[0].click()
    assert "Not personalised" in inside(browser, ".menu")[0].text
    next(button for button in inside(browser, ".menu button") if button.text == "Turn it on again").click()
    assert until(lambda: reader(browser))


def test_the_profile_can_stay_in_the_browser(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(WIDGET.replace(" k=", " consent=browser k="))
    titles(browser)
    for article in [*(f"old-{n}" for n in range(20)), "a,b", "en-1"]:
        browser.execute_script("GuessYouLike.record('click', arguments[0])", article)
    api.of_kind("click", 22)
    assert {event["reader"] or event["session"] for event in api.events} == {None}
    site.open(WIDGET.replace(" k=", " consent=browser k="))
    titles(browser)
    recent = api.asked[-1]["recent"].split(",")
    assert (recent[:3], len(recent)) == (["en-1", "a%2Cb", "old-19"], 20)
    assert {"reader", "session"}.isdisjoint(api.asked[-1])
    assert list(stored(browser)) == ["gyl-recent"]
    browser.execute_script(CONSENT, False)
    assert stored(browser) == {"gyl-consent": "no"}
    assert until(lambda: "recent" not in api.asked[-1])


@pytest.mark.parametrize("signal", ["doNotTrack: {get: () => '1'}", "globalPrivacyControl: {get: () => true}"])
def test_a_browser_that_asks_not_to_be_tracked_gets_no_id(
    browser: Chrome, site: Publisher, api: Api, signal: str
) -> None:
    source = f"Object.defineProperties(Navigator.prototype, {{{signal}}})"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        site.open(GIVEN)
        titles(browser)
        browser.execute_script(CONSENT, True)
        until(lambda: len(api.asked) == 2)
        titles(browser)
        assert (api.readers, api.tokens) == ([], [None, None])
        assert stored(browser) == {"gyl-consent": "yes"}
        inside(browser, ".dots")[0].click()
        assert "asks not to be tracked" in inside(browser, ".menu")[0].text
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_where_storage_is_forbidden_the_reader_lasts_as_long_as_the_page(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    refuse = """for (const name of ["localStorage", "sessionStorage"])
        Object.defineProperty(window, name, { get() { throw new Error("refused"); } })"""
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": refuse})
    try:
        site.open(GIVEN)
        titles(browser)
        browser.execute_script("GuessYouLike.record('click', 'en-1')")
        (click,) = api.of_kind("click")
        assert (click["reader"], click["session"]) == (api.asked[0]["reader"], api.asked[0]["session"])
        browser.execute_script(CONSENT, False)
        assert until(lambda: "reader" not in api.asked[-1])
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_token_that_is_not_taken_is_replaced_once_and_the_sites_own_left_out(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    api.refused = {"token-of-random-0", "stale"}
    site.open(GIVEN)
    titles(browser)
    assert api.tokens == ["token-of-random-0", "token-of-random-1"]
    assert reader(browser)["reader"] == "random-1"
    api.refused.add("token-of-random-1")
    api.refused.add("token-of-random-2")
    browser.execute_script("document.querySelector('guess-you-like').load()")
    assert until(lambda: len(api.tokens) == 4)
    time.sleep(0.2)
    assert len(api.tokens) == 4, "no more than twice in a row"
    browser.get_log("browser")
    site.open(GIVEN.replace(" k=", ' reader="ann" reader-token="stale" k='))
    titles(browser)
    assert (api.tokens[-2:], "reader" in api.asked[-1]) == (["stale", None], False)
    assert any("sign a new one" in line for line in warnings(browser))


def test_a_token_is_renewed_once_a_week(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(GIVEN)
    titles(browser)
    name = next(key for key in stored(browser) if key.startswith("gyl-reader@"))
    older = "localStorage.setItem(arguments[0], JSON.stringify({...JSON.parse(localStorage[arguments[0]]), at: 1e12}))"
    browser.execute_script(older, name)
    site.open(GIVEN)
    titles(browser)
    assert (api.readers, api.tokens) == (["random-0"], ["token-of-random-0", "token-of-random-0+"])


def test_two_widgets_are_one_reader_and_show_no_article_twice(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(GIVEN + GIVEN.replace(" k=", " layout=compact slot-name=end k="))
    assert until(lambda: all(browser.execute_script(ALL)))
    above, below = browser.execute_script(ALL)
    assert len({*above, *below}) == 6
    assert len(api.readers) == 1
    assert {query["reader"] for query in api.asked} == {"random-0"}


def test_a_widget_that_is_removed_while_it_loads_does_nothing_more(browser: Chrome, site: Publisher, api: Api) -> None:
    api.delay = 0.3
    site.open(WIDGET)
    until(lambda: api.asked)
    browser.execute_script("window.gone = document.querySelector('guess-you-like'); gone.remove()")
    time.sleep(0.5)
    assert browser.execute_script("return gone.dataset.state") == "loading"
    assert browser.get_log("browser") == []
    browser.execute_script("document.body.append(gone)")
    assert titles(browser), "put back it asks again"
    inside(browser, ".dots")[0].click()
    next(button for button in inside(browser, ".menu button") if button.text == "Less of this").click()
    browser.execute_script("gone.remove()")
    assert api.of_kind("dismiss"), "what was dismissed is sent"


def test_a_slow_list_moves_nothing_and_an_offline_one_comes_back(browser: Chrome, site: Publisher, api: Api) -> None:
    api.delay = 0.4
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHIFTS})
    try:
        browser.set_window_size(1280, 1100)
        for layout, k, rem in (("cards", 3, 18.2), ("list", 3, 3 * 9.1), ("compact", 8, 8 * 6)):  # the last has seven
            reserved = f"<style>guess-you-like:not(:defined){{display:block;min-height:{2.375 + rem}rem}}</style>"
            site.open(WIDGET.replace('k="3"', f"layout={layout} k={k}") + "<p>below</p>", "", head=reserved)
            until(lambda: browser.execute_script(STATE) == "loading")
            assert len(inside(browser, "li.wait")) == k
            assert len(titles(browser)) == min(k, 7)
            time.sleep(0.2)
            assert browser.execute_script("return shifts") == [], layout
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", network | {"offline": True})
    browser.execute_script("document.querySelector('guess-you-like').load()")
    try:
        assert until(lambda: any("this browser is offline" in line for line in warnings(browser)))
        assert len(titles(browser)) == 7, "what is shown stays"
        browser.execute_script("const one = document.querySelector('guess-you-like'); one.replaceWith(one.cloneNode())")
        assert until(lambda: browser.execute_script(STATE) == "error")
    finally:
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", network | {"offline": False})
        browser.execute_cdp_cmd("Network.disable", {})
    assert titles(browser), "by itself"


def focused(browser: Chrome) -> str | None:
    """The name of what has the focus in the widget."""
    script = (
        "const at = document.activeElement.shadowRoot?.activeElement; return at && (at.ariaLabel || at.textContent)"
    )
    name: str | None = browser.execute_script(script)
    return name


def test_the_keyboard_alone_does_everything(browser: Chrome, site: Publisher, api: Api) -> None:
    def press(key: str) -> None:
        browser.switch_to.active_element.send_keys(key)

    site.open(GIVEN)
    first = titles(browser)[0]
    press(Keys.TAB)
    assert focused(browser) == f"About this card: {first}"
    press(Keys.ENTER)
    for words in ("How this list is made", "Less of this", "Turn personalisation off", "Your data"):
        press(Keys.TAB)
        assert focused(browser) == words
    press(Keys.ESCAPE)
    assert focused(browser) == f"About this card: {first}"
    assert inside(browser, ".menu") == []
    press(Keys.TAB)
    assert focused(browser) == first
    press(Keys.ENTER)
    assert until(lambda: browser.current_url.endswith("/read/en%2Fhostile%3F%23"))
    assert api.of_kind("click")[0]["article"] == "en/hostile?#"


def test_a_card_opened_in_a_new_tab_counts(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(WIDGET)
    titles(browser)
    place = "const { x, y, width } = arguments[0].getBoundingClientRect(); return [x + width / 2, y + 8]"
    for card, (button, modifiers) in enumerate([("middle", 0), ("left", 2)]):
        x, y = browser.execute_script(place, inside(browser, "h3 a")[card])
        about = {"x": x, "y": y, "button": button, "clickCount": 1, "modifiers": modifiers}
        for kind in ("mousePressed", "mouseReleased"):
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **about})
    clicks = api.of_kind("click", 2)
    here = browser.current_window_handle
    for tab in set(browser.window_handles) - {here}:
        browser.switch_to.window(tab)
        browser.close()
    browser.switch_to.window(here)
    assert sorted(event["article"] for event in clicks) == ["en-5", "en/hostile?#"]


def test_a_page_that_changes_its_address_or_the_article_gets_another_list(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    site.open(WIDGET)
    titles(browser)
    browser.execute_script(
        "history.pushState(null, '', '/other');"
        " document.querySelector('guess-you-like').setAttribute('article', 'en-5')"
    )
    assert until(lambda: "article" in api.asked[-1])
    browser.execute_script("history.pushState(null, '', '/third')")
    assert until(lambda: len(api.asked) == 3)
    browser.execute_script("location.hash = 'top'")
    time.sleep(0.3)
    assert len(api.asked) == 3, "once for each, and not for a place on the page"


def test_how_long_an_article_is_looked_at_is_told_by_stretches_of_readers_who_agreed(
    browser: Chrome, site: Publisher, api: Api
) -> None:
    of_two = WIDGET.replace(" k=", ' article="en-1" k=') * 2
    change = "for (const one of document.querySelectorAll('guess-you-like')) one.setAttribute('article', arguments[0])"
    hide = """Object.defineProperty(document, "hidden", { value: arguments[0], configurable: true });
    document.dispatchEvent(new Event("visibilitychange"))"""
    site.open(of_two)
    titles(browser)
    time.sleep(1.1)
    browser.execute_script(CONSENT, True)
    titles(browser)
    browser.execute_script(change, "en-2")
    time.sleep(0.3)
    assert api.of_kind("dwell", 0) == [], "neither before the reader agreed nor at a glance"
    assert until(lambda: api.asked[-1].get("article") == "en-2" and titles(browser))
    time.sleep(1.1)
    browser.execute_script(hide, True)
    time.sleep(1.1)
    browser.execute_script(hide, False)
    assert 1_000 <= api.of_kind("dwell")[0]["dwell_ms"] < 5_000
    time.sleep(1.1)
    browser.execute_script(change, "en-3")
    time.sleep(1.1)
    browser.get("about:blank")
    told = api.of_kind("dwell", 3)
    assert [event["article"] for event in told] == ["en-2", "en-2", "en-3"], "whatever widgets name it, and not unseen"
    assert {event["reader"] for event in told} == {api.asked[-1]["reader"]}
    assert all(event["impression"] for event in told), "the list that stands beside it vouches for it"


def test_a_list_of_another_article_vouches_for_no_reading(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(GIVEN.replace(" k=", ' article="en-1" mode="similar" k='))
    time.sleep(1.5)
    browser.get("about:blank")
    (told,) = api.of_kind("dwell")
    assert (told["article"], told.get("impression")) == ("en-1", None), "it is told all the same"


def test_a_page_that_tells_itself_how_long_is_not_told_twice(browser: Chrome, site: Publisher, api: Api) -> None:
    site.open(GIVEN.replace(" k=", ' article="en-1" k='))
    titles(browser)
    time.sleep(1.1)
    browser.execute_script("GuessYouLike.record('dwell', 'en-1', { dwell_ms: 7 })")
    browser.get("about:blank")
    time.sleep(0.5)
    assert [event["dwell_ms"] for event in api.of_kind("dwell", 0)] == [7]


def test_a_clock_that_is_a_day_off_changes_no_time(browser: Chrome, site: Publisher, api: Api) -> None:
    source = "const now = Date.now; Date.now = () => now() + 86400000"
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    try:
        site.open(WIDGET)
        titles(browser)
        assert inside(browser, "li .over")[1].text == "Technology 6 hours ago"
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("look", [{"prefers-color-scheme": "dark"}, {"forced-colors": "active"}])
def test_it_can_be_read_in_the_dark_in_forced_colours_and_on_a_phone(
    browser: Chrome, site: Publisher, look: dict[str, str]
) -> None:
    features = [{"name": name, "value": value} for name, value in look.items()]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    phone = "<meta name=viewport content='width=device-width'><meta name=color-scheme content='light dark'>"
    try:
        site.open(WIDGET, head=phone)
        titles(browser)
        inside(browser, ".dots")[0].click()
        menu = inside(browser, ".menu")[0]
        for button in inside(browser, ".menu :is(a, p, button)"):
            assert browser.execute_script(CONTRAST, button, menu) > 4.5
        tops = {one.location["y"] for one in inside(browser, "li")}
        assert len(tops) == 1, "one row, which scrolls"
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
