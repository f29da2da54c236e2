"""The demo in a real browser over the real service: open an article, go back, and the list has changed and says why."""

from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.browser import chromium, served
from tests.newsroom import Toy
from tests.service import copy_of, serving
from tests.widgets import until

WIDGET = """const widget = document.querySelector("guess-you-like");
return widget && widget.dataset.state === "ready" && widget.list.ariaBusy === "false" && widget.items"""
LINKS = "return [...document.querySelector('guess-you-like').shadowRoot.querySelectorAll('li h3 a')]"


def test_open_an_article_go_back_and_the_list_says_why(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path / "site")) as service, served(service.client.application) as url:
        browser = chromium(tmp_path / "profile")
        try:
            browser.get(f"{url}/?lang=en")
            assert until(lambda: browser.execute_script(WIDGET))
            browser.find_element(By.CSS_SELECTOR, "[data-act=yes]").click()
            assert until(lambda: browser.execute_script("return GuessYouLike.identity().token")), "of the service's own"
            site, reader = service.live.site, browser.execute_script("return GuessYouLike.identity().reader")
            before: list[dict[str, Any]] = until(lambda: browser.execute_script(WIDGET))
            items, opened = before, list[str]()

            def changed() -> Any:
                there = browser.execute_script(WIDGET) if browser.current_url.startswith(f"{url}/?") else None
                return there if there and not {one["id"] for one in there} & set(opened) else None

            for number in (1, 2):
                section = before[1]["category"]
                place = next(n for n, one in enumerate(items) if one["category"] == section and n >= 2 - number)
                opened.append(items[place]["id"])
                browser.execute_script("arguments[0].click()", browser.execute_script(LINKS)[place])
                assert until(lambda: f"/article/{opened[-1]}" in browser.current_url)
                assert items[place]["title"] in browser.find_element(By.TAG_NAME, "h1").text
                assert until(lambda: len(service.store.clicks_of(site, reader, 5)) == len(opened)), "the click came"
                browser.back()
                items = until(changed)
                assert items, "the list is the same as before"
            assert not any(one["reason"]["text"].startswith("Because you") for one in before)
            assert any(one["reason"]["text"].startswith("Because you") for one in items), (
                "two of a section: they like it"
            )
        finally:
            browser.quit()
