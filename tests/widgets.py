"""What the tests of the widget share: how they look into it, and a publisher's pages on another origin."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response
from selenium.webdriver import Chrome
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.browser import Api, served, site

IN_WIDGET = "return [...document.querySelector('guess-you-like').shadowRoot.querySelectorAll(arguments[0])]"
TITLES = """const widget = document.querySelector("guess-you-like");
return widget.dataset.state === "ready" && widget.list.ariaBusy === "false" && widget.items.map((item) => item.title)"""
STATE = "return document.querySelector('guess-you-like')?.dataset.state"
STORED = "return Object.assign({}, localStorage, sessionStorage)"
CONSENT = "GuessYouLike.consent(arguments[0])"
STRICT = (
    "default-src 'self'; script-src 'self' {0}; connect-src {0}; img-src 'self' {0};"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEAD = '<!doctype html><html lang="en"><title>page</title>'


def until(found: Callable[[], Any], seconds: float = 5) -> Any:
    """The first true value of ``found``; its last value when time is up."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.03)
    return value


def titles(browser: Chrome) -> list[str]:
    found = until(lambda: browser.execute_script(TITLES))
    assert found, "the widget did not become ready"
    return list(found)


def inside(browser: Chrome, selector: str) -> list[Any]:
    return list(browser.execute_script(IN_WIDGET, selector))


def stored(browser: Chrome) -> dict[str, str]:
    """Everything that the page's origin keeps in this browser."""
    return dict(browser.execute_script(STORED))


def warnings(browser: Chrome) -> list[str]:
    """What the widget has said in the console since the last look."""
    return [line["message"] for line in browser.get_log("browser") if "guess-you-like: " in line["message"]]


class Publisher:
    """A site of another origin than the recommender, which stands behind a path prefix."""

    def __init__(self, browser: Chrome, address: str, recommender: str) -> None:
        self.browser, self.address, self.recommender = browser, address, recommender
        self.page, self.policy = "", ""

    def open(self, body: str, policy: str = STRICT, *, head: str = "", path: str = "/page") -> None:
        """Show a page that installs the widget in its first line."""
        script = f'<script src="{self.recommender}/widget.js" defer></script>'
        self.page = f"{HEAD}{head}{script}<body>{body}"
        origin = self.recommender.removesuffix("/rec")
        self.policy = policy.format(origin)
        self.browser.get(self.address + path)

    def answer(self, path: str) -> Response:
        return Response(self.page, headers={"Content-Security-Policy": self.policy} if self.policy else {})


@contextmanager
def publisher(browser: Chrome, api: Api) -> Iterator[Publisher]:
    """Serve the recommender at ``/rec`` of one origin, and a publisher's pages on another."""
    recommender = site(api.room)
    api.install(recommender)
    front = Flask("publisher")
    with served(DispatcherMiddleware(NotFound(), {"/rec": recommender})) as there, served(front) as here:
        shown = Publisher(browser, here, f"{there}/rec")
        front.add_url_rule("/<path:path>", "page", shown.answer)
        yield shown
