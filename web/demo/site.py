"""The demo site: front page, category pages, article pages, pages of stories, of tags and one that says how it works.

Reads a ``Newsroom`` (``app.extensions["live"]``), the language of the request and ``web/templates``; produces HTML. It
scores nothing itself: the "guess you like" list on its pages is the same widget that any other site installs.
"""

import re
import time
from typing import Any, cast

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.routing import PathConverter

from recsys.languages import language_code
from web import texts
from web.demo.art import art, drawing, tone
from web.demo.making import notice, sentences
from web.demo.own_texts import OWN_TEXTS
from web.demo.pages import Newsroom
from web.widget.script import widget_script

LANG_COOKIE = "lang"
DRAWN_SECONDS = 24 * 3600  # a day: a category may change, a drawing does not
COOKIE_SECONDS = 365 * 24 * 3600  # a year: a reader's language rarely changes
TOP = 8  # the lead, three stories with a picture, four without
SECTION = 3  # stories of one category on the front page: one with a picture, two headlines; the widget needs others
BLOCKS = 5  # categories on the front page; with the further headlines they fill two or three columns
LISTED = 60  # articles on a category page
MORE = 4  # further headlines, about as tall as a block
SHOWN = 60  # characters of an unknown tag that its page repeats
PAGE_NUMBER = re.compile("[1-9][0-9]{0,3}")
PARAGRAPH = 420  # characters after which a body that came without paragraphs gets one
SENTENCE_END = re.compile(
    r"(?<=[a-z0-9)%]{2}[.!?]['\"”’ ]) *(?=[A-Z'\"“‘])|(?<=[。！？])(?![”’」』。！？])|(?<=[。！？][”’」』])"
)
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' http: https: data:; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class PageConverter(PathConverter):
    """Any address but those that answer machines: these keep the service's own 404 and 405."""

    regex = "(?!(?:api|admin)/)[^/].*?"


blueprint = Blueprint("site", __name__)
blueprint.record_once(lambda state: state.app.url_map.converters.update(page=PageConverter))


def newsroom() -> Newsroom:
    """The service's live state, as the pages see it."""
    return cast(Newsroom, current_app.extensions["live"])


def chosen_language() -> str:
    """The language whose articles come first: of ``?lang=``, else of the cookie, else of the browser, else of the site.

    It is the site's own, Chinese or English. Where the site's own is neither, the browser is not asked: many speak
    English wherever they are, and one English agency story would lead a Danish paper.
    """
    return _wished(browser=newsroom().language in texts.LANGUAGES)


def _wished(browser: bool) -> str:
    home = newsroom().language
    wishes = [request.args.get("lang"), request.cookies.get(LANG_COOKIE)]
    codes = map(language_code, [*wishes, *(request.accept_languages.values() if browser else ())])
    return next((code for code in codes if code in (home, *texts.LANGUAGES)), home)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page with what every page needs, and remember the language."""
    room, reads, now = newsroom(), chosen_language(), int(time.time() * 1000)
    lang = texts.said_in(_wished(browser=True))
    response = make_response(
        render_template(
            template,
            room=room,
            lang=lang,
            reads=reads,
            now=now,
            t=texts.TEXTS[lang],
            texts=texts,
            art=art,
            consents=texts.CONSENTS,
            tone=tone,
            site_name=texts.site_name(room.name, lang),
            sections=room.categories(reads),
            **values,
        ),
        status,
    )
    if language_code(request.args.get("lang")) == reads:
        response.set_cookie(LANG_COOKIE, reads, max_age=COOKIE_SECONDS, samesite="Lax")
    response.headers.update(SECURITY)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Accept-Language", "Cookie"))
    return response


@blueprint.app_template_filter()
def web_address(url: str | None) -> str | None:
    """A URL that may stand in ``href`` or ``src``: http, https or an address on this site; None otherwise."""
    if url and (url.startswith(("http://", "https://")) or (url.startswith("/") and not url.startswith("//"))):
        return url
    return None


@blueprint.app_template_filter()
def paragraphs(body: tuple[str, ...]) -> list[str]:
    """A body's paragraphs; one that came in a single long piece is divided after every few sentences."""
    if len(body) != 1:
        return list(body)
    parts = [""]
    for sentence in SENTENCE_END.split(body[0]):
        if len(parts[-1]) >= PARAGRAPH:
            parts.append("")
        parts[-1] += sentence
    return [part.strip() for part in parts if part.strip()]


@blueprint.get("/")
def front() -> Response:
    """The front page: the top stories, the widget, today's most clicked, a block per category."""
    room, lang, now = newsroom(), chosen_language(), int(time.time() * 1000)
    cards = list(room.front(lang, now))
    if not cards:
        return page("empty.html")
    top, used = cards[:TOP], {card.id for card in cards[:TOP]}
    blocks = []
    for category in room.categories(lang)[:BLOCKS]:
        fresh = [card for card in room.by_category(category, lang, now) if card.id not in used][:SECTION]
        if fresh:
            blocks.append((category, fresh))
            used.update(card.id for card in fresh)
    more = [card for card in cards if card.id not in used][:MORE]
    return page("front.html", top=top, blocks=blocks, more=more, today=room.today(lang))


@blueprint.get("/category/<path:category>")
def category(category: str) -> Response:
    """All articles of one category."""
    room, lang = newsroom(), chosen_language()
    cards = room.by_category(category, lang, int(time.time() * 1000))[:LISTED]
    if not cards:
        return page("missing.html", 404)
    return page("category.html", category=category, cards=cards, today=room.today(lang))


@blueprint.get("/article/<path:article_id>", merge_slashes=False)
def article(article_id: str) -> Response:
    """One article with its tags and two widgets: similar stories, and guess you like."""
    found = newsroom().article(article_id)
    if found is None:
        return page("missing.html", 404)
    return page("article.html", article=found)


@blueprint.get("/stories/<path:story_id>", merge_slashes=False)
def story(story_id: str) -> Response:
    """The articles of one event, newest first."""
    found = newsroom().story(story_id)
    if found is None:
        return page("missing.html", 404)
    return page("story.html", story=found)


@blueprint.get("/tags")
def tags() -> Response:
    """The tags of the newest articles, and a field to look for any other."""
    room, lang = newsroom(), chosen_language()
    wish = request.args.get("q", "").strip()
    if wish:
        return cast(Response, redirect(url_for("site.tag", tag=wish)))
    return page("tags.html", tags=room.tags(lang, int(time.time() * 1000)))


@blueprint.get("/tags/<path:tag>", merge_slashes=False)
def tag(tag: str) -> Response:
    """The articles that bear a tag, newest first, and the tags that go with it."""
    room, lang, now = newsroom(), chosen_language(), int(time.time() * 1000)
    number = request.args.get("page", "1")
    found = room.tagged(tag, lang, int(number) if PAGE_NUMBER.fullmatch(number) else 0, now)
    if found is None:
        return page("untagged.html", 404, tag=tag[:SHOWN], meant=room.meant(tag, lang, now))
    return page("tag.html", found=found)


@blueprint.get("/your-data")
def your_data() -> Response:
    """The reader's own page; it asks the API with a token from the address's fragment, which never comes here."""
    lang = texts.said_in(_wished(browser=True))
    response = page("your-data.html", own=OWN_TEXTS[lang])
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/profile")
def profile() -> Response:
    """The address that this page once had."""
    return cast(Response, redirect(url_for("site.your_data")))


@blueprint.get("/about")
def about() -> Response:
    """The page that says in plain words how the site works, and where its clicks come from."""
    lang = texts.said_in(_wished(browser=True))
    facts = newsroom().list_facts
    kept = notice(lang, facts.keep_days)
    return page("about.html", made=sentences(facts, lang), notice=kept, script=widget_script())


@blueprint.get("/art/<path:article_id>", merge_slashes=False)
def drawn(article_id: str) -> Response:
    """The picture of an article that has none, for the widget; ``category`` gives its colour."""
    response = Response(drawing(article_id, request.args.get("category")), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = f"public, max-age={DRAWN_SECONDS}"
    return response


@blueprint.get("/<page:rest>")
def missing(rest: str) -> Response:
    """Any other address: the 404 page."""
    return page("missing.html", 404)
