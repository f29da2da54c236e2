"""The browser that the tests share: one that crashes is replaced."""

from collections.abc import Callable
from contextlib import suppress

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome

from tests.browser import has_crashed


def test_a_browser_whose_tab_has_crashed_is_replaced_and_a_living_one_is_not(
    living_browser: Callable[[], Chrome],
) -> None:
    first = living_browser()
    assert not has_crashed(first)
    assert living_browser() is first
    with suppress(WebDriverException):
        first.get("chrome://crash")
    assert has_crashed(first)
    second = living_browser()
    assert second is not first
    second.get("data:text/html,<title>alive</title>")
    assert second.title == "alive"
