"""Script payloads in titles, texts, sources, tags and addresses run nothing, without the pages' own policy."""

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle

import pytest
from selenium.webdriver import Chrome

from tests.browser import Api, HandNewsroom, served, site, tee
from tests.widgets import inside, titles
from web.demo.pages import ArticlePage

RUN = "top.owned=1"
PAYLOADS = (
    *(f"<script{attributes}>{RUN}</script>" for attributes in ("", " type=module", " defer", " x='>'", "/x")),
    *(
        f"<img src=x {event}={RUN}>"
        for event in ("onerror", "ONERROR", "onload", "onpointerenter", "onfocus autofocus")
    ),
    *(f"<svg {event}={RUN}>" for event in ("onload", "onbegin", "onfocusin tabindex=1 autofocus")),
    *(f"<{tag} onload={RUN}>" for tag in ("body", "iframe", "object", "link rel=stylesheet href=/static/site.css")),
    *(f"<{tag} src=x onerror={RUN}>" for tag in ("audio", "video", "script", "input type=image", "embed")),
    *(f"{quote}><script>{RUN}</script>" for quote in ('"', "'", "`", "</a>", "</title>", "</textarea>", "-->", "]]>")),
    *(f'{quote} onmouseover={RUN} style="position:fixed;inset:0" x={quote}' for quote in ('"', "'")),
    *(
        f"<a href='{scheme}{RUN}'>x</a>"
        for scheme in ("javascript:", "JaVaScRiPt:", "java&#10;script:", "data:text/html,")
    ),
    *(
        f"{scheme}{RUN}"
        for scheme in ("javascript:", " javascript:", "\tjavascript:", "JAVASCRIPT:", "vbscript:", "view-source:")
    ),
    *(f"data:{kind},<script>{RUN}</script>" for kind in ("text/html", "image/svg+xml", "application/xhtml+xml")),
    f'//evil.invalid/"onerror={RUN}',
    f'https://evil.invalid/"><script>{RUN}</script>',
    f"<iframe srcdoc='<script>{RUN}</script>'>",
    f"<math><mi xlink:href='javascript:{RUN}'>x</mi></math>",
    f"<details open ontoggle={RUN}>x</details>",
    f"<template><script>{RUN}</script></template>",
    f"<guess-you-like endpoint='javascript:{RUN}'></guess-you-like>",
    f"<form action='javascript:{RUN}'><button>x</button></form>",
    f"<base href='javascript:{RUN}//'>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"\u2028{RUN}//",
    f"<x onclick={RUN} id=heading>x</x>",
)


@pytest.fixture
def room() -> HandNewsroom:
    now = int(time.time() * 1000)
    return HandNewsroom(
        [
            ArticlePage(
                f"a{number}",
                payload,
                (payload, payload),
                url=other,
                image=payload,
                source=payload,
                language="en",
                category=payload,
                tags=tee(((payload, 0.6),), ((payload, 0.5), (other, 0.2))),
                published_at=now - number,
            )
            for number, (payload, other) in enumerate(zip(PAYLOADS, cycle(PAYLOADS[::-1]), strict=False))
        ]
    )


@pytest.fixture
def address(browser: Chrome, room: HandNewsroom) -> Iterator[str]:
    app = site(room)
    Api(room).install(app)
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    with served(app) as url:
        yield url
        browser.get("about:blank")
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
    browser.get_log("browser")


class Dangers(HTMLParser):
    """What of a page could run: scripts of its own text, handlers, addresses of another scheme."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = tag not in {"iframe", "object", "embed", "base", "math", "audio", "video"}
        at = dict(attrs)
        if tag == "script" and not (at.get("src") or "").startswith("/"):
            allowed = False
        for name, value in attrs:
            scheme = (value or "").strip().lower()
            if name.startswith("on") or name == "srcdoc":
                allowed = False
            if name in ("href", "src", "action") and not scheme.startswith(("/", "#", "?", "http://", "https://")):
                allowed = False
        if not allowed:
            self.found.append(str(self.get_starttag_text()))


def test_no_page_of_fifty_payloads_holds_anything_that_could_run(room: HandNewsroom) -> None:
    assert len(PAYLOADS) >= 50
    client = site(room).test_client()
    paths = ["/", "/tags", *(f"/article/{page.id}" for page in room.pages), "/stories/a0"]
    for path in paths:
        answer = client.get(f"{path}?lang=en")
        assert answer.status_code == 200, path
        assert Dangers(answer.text).found == [], path


def test_no_payload_runs_in_the_widget_or_beside_it(browser: Chrome, room: HandNewsroom, address: str) -> None:
    for path in ("/", "/tags", "/article/a7", "/article/a12", "/category/%22%3E%3Cscript%3Etop.owned=1%3C%2Fscript%3E"):
        browser.get(f"{address}{path}?lang=en")
        time.sleep(0.2)
        assert browser.execute_script("return window.owned === undefined && !/^owned/.test(document.title)"), path
    browser.get(f"{address}/about?lang=en")
    browser.execute_script(
        "const one = document.createElement('guess-you-like');"
        " one.setAttribute('k', 99); one.lang = 'en'; document.body.prepend(one)"
    )
    unread = {page.title for page in room.pages if page.id not in ("a7", "a12")}  # these were opened
    assert set(titles(browser)) == unread
    for dots in inside(browser, ".dots")[:12]:
        browser.execute_script("arguments[0].click()", dots)
    assert inside(browser, "script, iframe, svg, object, form, [onerror], [onload], [onclick]") == []
    hrefs = browser.execute_script("return arguments[0].map((one) => one.protocol)", inside(browser, "a[href]"))
    assert set(hrefs) <= {"http:", "https:"}
    shown = browser.execute_script("return arguments[0].map((one) => one.textContent)", inside(browser, "h3"))
    assert set(shown) == unread, "as text, whole"
    assert browser.execute_script("return window.owned === undefined")
