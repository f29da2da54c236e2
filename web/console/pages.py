"""Pages: what every page of the console needs (its words, who looks), and how an error is said.

Reads the request; produces HTML whose scripts and styles are files of this address alone.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from flask import Response, current_app, g, make_response, redirect, render_template, request
from markupsafe import Markup, escape
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from recsys.errors import RecsysError, StoreError
from recsys.experiments.texts import EXPOSURE
from recsys.gate.texts import GATE, TRIAL
from recsys.languages import detect, language_code
from recsys.languages.phrases import Phrases
from recsys.releases.texts import MOVES
from recsys.units import now_ms
from web import roles, texts
from web.access import Caller
from web.api.problem_details import STATUS, Refused, said
from web.console.calls import Told
from web.console.problem_words import PROBLEMS
from web.console.words import LANGUAGE_NAMES, words
from web.demo.site import COOKIE_SECONDS, LANG_COOKIE
from web.installation import installation

CONSOLE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
NAVIGATION = (  # word of a page, and its address
    ("overview", "/console/"),
    ("front", "/console/front"),
    ("articles", "/console/articles"),
    ("stories", "/console/stories"),
    ("vocabulary", "/console/words"),
    ("map", "/console/map"),
    ("trace", "/console/trace"),
    ("runs", "/console/runs"),
    ("pipeline", "/console/pipeline"),
    ("schedules", "/console/schedules"),
    ("releases", "/console/releases"),
    ("experiments", "/console/experiments"),
    ("data", "/console/data"),
    ("tokens", "/console/tokens"),
    ("audit", "/console/audit"),
)
STORED = Phrases.of((GATE, TRIAL, MOVES, EXPOSURE))  # what is stored or answered in English
ACTORS = {"person": "人员", "token": "令牌", "command": "命令", "schedule": "定时"}  # kinds of whoever does something
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, Han, Hangul: the script says the language
SEE_OTHER, UNAUTHORIZED, FORBIDDEN = 303, 401, 403


def language() -> str:
    """The language of the page, zh or en: of ``?lang=``, else of the cookie, the browser, the site."""
    wishes = [request.args.get("lang"), request.cookies.get(LANG_COOKIE), *request.accept_languages.values()]
    codes = [language_code(wish) for wish in wishes if wish]
    home = installation().settings.site.language
    return next((code for code in codes if code in texts.LANGUAGES), texts.said_in(home))


def tongue(title: str) -> str:
    """The language of a title that stands without its article, for who reads it aloud and for its letters' shapes.

    By its letters alone: the model that tells languages of one script apart takes a worker seconds to load. What no
    script decides is of the site's language, or English where that has characters of its own.
    """
    if _EAST_ASIAN.search(title):
        return detect(title)
    home = language_code(installation().settings.site.language) or "en"
    return "en" if home in ("zh", "ja", "ko") else home


def root() -> str:
    """The path prefix of this service, such as ``/news``; empty without one."""
    return request.script_root


def zone() -> str:
    """The site's time zone, an IANA name."""
    return installation().settings.site.timezone


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page.

    Args:
        template: below ``templates/console``.
        status: of HTTP.
        values: what the template needs beside what every page has.
    """
    lang, here = language(), installation()
    shown = {
        "t": words(lang),
        "lang": lang,
        "languages": LANGUAGE_NAMES,
        "site": texts.site_name(here.settings.site.name, lang),
        "who": g.get("caller"),
        "navigation": list(_navigation()),
        "may": may,
        "now": now_ms(),
        "zone": zone(),
        "texts": texts,
    }
    response = make_response(render_template(f"console/{template}", **(shown | values)), status)
    if language_code(request.args.get("lang")) == lang:
        response.set_cookie(LANG_COOKIE, lang, max_age=COOKIE_SECONDS, samesite="Lax")
    response.headers["Content-Security-Policy"] = CONSOLE_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def done(told: Told, word: str, **facts: Any) -> dict[str, Any]:
    """The outcome of a call for the top of a page: what was done, or why it was not, and what to do."""
    if told.ok:
        return {"notice": {"good": True, "text": words(language())[word].format(**facts)}}
    return {"notice": problem_said(told.json.get("code", ""), told.json["detail"], told.json["remedy"])}


def problem_said(code: str, detail: str, remedy: str) -> dict[str, Any]:
    """A problem of the API for the top of a page: in a Chinese one by its code, beside the API's own sentence."""
    said = PROBLEMS.get(code) if language() == "zh" else None
    if said is None:
        return {"good": False, "text": detail, "remedy": remedy}
    return {"good": False, "text": said[0], "remedy": said[1], "detail": detail}


def extension(name: str) -> Any:
    """A part of the console that one application shares: ``recent`` or ``traffic``."""
    return current_app.extensions[f"console.{name}"]


def may(route: str) -> bool:
    """True for whoever may call a route of the table of roles, such as ``POST /console/runs``."""
    one: Caller | None = g.get("caller")
    return one is not None and one.scope in roles.ALLOWED.get(route, ())


def _navigation() -> Iterator[tuple[str, str, bool]]:
    """The pages that the caller may see: word, address, and whether it is this one."""
    for word, address in NAVIGATION:
        if may(f"GET {address}"):
            rest = request.path.removeprefix(address)
            here = request.path == address if address.endswith("/") else rest != request.path and rest[:1] in ("", "/")
            yield word, address, here


def refused(error: Refused) -> AnyResponse:
    """The answer to a refusal: the reasons, or, where nobody is signed in, the way to the sign-in page and back."""
    if error.status != UNAUTHORIZED:
        return problem_page(error.status, problem_said(error.code, error.detail, error.remedy))
    sent_from = urlsplit(request.referrer or "").path.removeprefix(root())
    here = request.full_path if request.method == "GET" else sent_from
    back = f"{root()}/console/sign-in?next={quote(here.rstrip('?'), safe='/')}"
    back += f"&lang={language()}" if request.args.get("lang") in texts.LANGUAGES else ""
    if "HX-Request" in request.headers:  # part of a page: the whole page has to go there
        return Response(status=UNAUTHORIZED, headers={"HX-Redirect": back})
    return redirect(back, SEE_OTHER)


def failed(error: RecsysError) -> Response:
    """An error of the project as a page."""
    if isinstance(error, StoreError):  # what the database said may name hosts
        t = words(language())
        return problem_page(503, {"text": t["no_database"], "remedy": t["try_again"]})
    status, code = next(((status, code) for kind, status, code in STATUS if isinstance(error, kind)), (500, ""))
    return problem_page(status, problem_said(code, said(error), error.remedy))


def missing(error: NotFound) -> Response:
    """An address that leads nowhere."""
    t = words(language())
    return problem_page(404, {"text": t["nothing_here"], "remedy": t["nothing_here_remedy"]})


def problem_page(status: int, problem: Mapping[str, Any]) -> Response:
    """A page that says what happened, and what to do about it; see ``problem_said``."""
    return page("problem.html", status, problem=problem, forbidden=status == FORBIDDEN)


def stored(sentence: str) -> Markup:
    """A sentence that was stored, in the language of the page; what a person typed stays, with its language."""
    if language() == "en" or not sentence:
        return escape(sentence)
    if STORED.knows(sentence):
        return escape(STORED.in_chinese(sentence))
    return Markup('<span lang="{}">{}</span>').format(tongue(sentence), sentence)


def stored_text(sentence: str) -> str:
    """The same as a value of another sentence."""
    return STORED.in_chinese(sentence) if language() == "zh" else sentence


def actor(by: str | None) -> str:
    """Name of somebody who did something, as the audit has it: ``person ann``, in Chinese ``人员 ann``."""
    kind, _, name = (by or "").partition(" ")
    word = ACTORS.get(kind)
    return f"{word} {name}" if word and name and language() == "zh" else by or ""


def counted(name: str) -> str:
    """A count or a figure, as ``clicks`` or ``ctr.clicks``, in words."""
    stage, _, count = name.rpartition(".")
    said = words(language()).get(f"count_{count}", count.replace("_", " "))
    return f"{stage} · {said}" if stage else said


def moment(time: int | None) -> str:
    """A time in the site's zone: ``2026-12-01 08:45``; a dash for none."""
    if time is None:
        return "–"
    return f"{datetime.fromtimestamp(time / 1000, ZoneInfo(zone())):%Y-%m-%d %H:%M}"


def seconds(span: float | None) -> str:
    """A span of time as the page's reader reads it, see ``span_text``."""
    return span_text(span, language())


def span_text(span: float | None, spoken: str) -> str:
    """A span of time, s: ``45 s``, ``3 min``, ``2.5 h``, ``4 d``, in Chinese ``45 秒``; a dash for none."""
    if span is None:
        return "–"
    units = ("天", "小时", "分钟", "秒") if spoken == "zh" else ("d", "h", "min", "s")
    for least, size, unit in zip((172_800, 3_600, 60), (86_400, 3_600, 60), units, strict=False):
        if span >= least:
            return f"{span / size:.1f} {unit}" if span < 10 * size and size == 3_600 else f"{span / size:.0f} {unit}"
    return f"{span:.0f} {units[-1]}"
