"""Pages of articles: found by words of the title or by id; one with its state, its neighbours and its history."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from recsys.store import StoredArticle
from recsys.units import now_ms
from web.console.calls import ADMIN_API, ask, part, read
from web.console.front import SPANS, acted
from web.console.overview import recent_events
from web.console.pages import done, language, moment, page
from web.console.tables import csv_answer
from web.installation import installation

FOUND = 50  # articles on one page
NEIGHBOURS = 6
HISTORY = 30  # entries of the audit
FILES = {"file": "category", "unfile": "category", "tag": "tags", "untag": "tags"}  # verb -> the field it is about
ARTICLE_COLUMNS = ("id", "title", "category", "language", "published_at", "hidden", "clicks_last_hour")

blueprint = Blueprint("articles", __name__)


@blueprint.get("/articles")
def articles_page() -> Response:
    """Articles that are looked for, or the newest; as CSV with ``?format=csv``."""
    return _articles()


@blueprint.get("/articles/one")
def article_page() -> Response:
    """One article; its id is a parameter, since it may hold anything."""
    return _article(request.args.get("id", ""))


@blueprint.post("/articles/one")
def act_on_article() -> Response:
    """Pin, boost, bury, hide or show it, or end that; say its category or its tags, or take that back."""
    form = request.form
    does = _filed if form.get("verb") in FILES else acted
    return _article(form.get("article", ""), **does(form))


def _articles() -> Response:
    here, now = installation(), now_ms()
    wanted = request.args.get("q", "").strip()
    if wanted:
        stored = here.store.find_articles(here.live.site, wanted, FOUND)
    else:
        catalogue = here.live.catalogue
        newest = [catalogue.ids[row] for row in catalogue.latest(now, FOUND, language()).tolist()]
        order = {id: place for place, id in enumerate(newest)}
        stored = sorted(here.store.articles_named(here.live.site, newest), key=lambda one: order[one.id])
    recent = recent_events(now)
    if request.args.get("format") == "csv":
        return csv_answer("articles", ARTICLE_COLUMNS, (_cells(one, recent.clicks.get(one.id, [])) for one in stored))
    shown = [(one, _category(one), _is_out(one, now)) for one in stored]
    return page("articles.html", articles=shown, wanted=wanted, found=FOUND, recent=recent)


def _article(id: str, **values: Any) -> Response:
    here, now = installation(), now_ms()
    stored = here.store.article(here.live.site, id)
    if stored is None:
        raise NotFound
    catalogue = here.live.catalogue
    row = catalogue.row_of.get(id)
    entry = None if row is None or not catalogue.articles.known(row) else catalogue.article(row)
    similar = (
        read(f"/api/v1/articles/{part(id)}/similar", k=NEIGHBOURS, lang=language())["items"]
        if _is_out(stored, now)
        else []
    )
    facts: dict[str, Any] = {
        "article": stored,
        "category": _category(stored),
        "categories": sorted(set(catalogue.category_names)),
        "story": None if row is None else catalogue.story_of(row),
        "tags": [] if entry is None else [tag.name for tag in entry.tags.stem],
        "typed": {},
        "out": _is_out(stored, now),
        "neighbours": similar,
        "held": [one for one in here.store.decisions(here.live.site) if one.article == id and one.until > now],
        "history": here.store.audit(here.live.site, HISTORY, object=id),
        "recent": recent_events(now),
        "spans": SPANS,
    }
    return page("article.html", **facts | values)


def _filed(form: Mapping[str, str]) -> dict[str, Any]:
    """Do what a form says to an article's category or tags; what could not be done stays in the field."""
    id, verb, version = form.get("article", ""), form.get("verb", ""), form.get("version", "")
    field = FILES[verb]
    address, typed = f"{ADMIN_API}/articles/{part(id or ' ')}/{field}", form.get(field, "")
    seen, undoes = int(version) if version.isdecimal() else None, verb.startswith("un")
    if undoes:
        told = ask("DELETE", address, query={"version": seen})
    else:
        told = ask("PUT", address, {field: tags_of(typed) if field == "tags" else typed, "version": seen})
    said = done(told, f"did_{verb}", title=form.get("title") or id, category=typed)
    if not told.ok:
        return said | {"typed": {field: typed}}
    says = verb.removeprefix("un")
    before = [("verb", says), (field, form["before"])] if form.get("before") else [("verb", f"un{says}")]
    return said | {"undo_fields": [("article", id), ("title", form.get("title", "")), *before]}


def tags_of(text: str) -> list[str]:
    """Tags as they are typed: with commas between them, Chinese ones as well."""
    return [tag for tag in map(str.strip, re.split("[,，、;；\n]", text)) if tag]


def _is_out(article: StoredArticle, now: int) -> bool:
    """True for one that may be shown now."""
    row = installation().live.catalogue.row_of.get(article.id)
    return row is not None and not article.hidden and bool(installation().live.catalogue.eligible(now).showable[row])


def _category(article: StoredArticle) -> str | None:
    """The category that it came with or an editor said, else the classifier's."""
    catalogue = installation().live.catalogue
    row = catalogue.row_of.get(article.id)
    return article.category if article.category or row is None else catalogue.category(row)


def _cells(article: StoredArticle, clicks: list[int]) -> list[object]:
    facts = [article.id, article.title, _category(article), article.language]
    return [*facts, moment(article.published_at), article.hidden, sum(clicks)]
