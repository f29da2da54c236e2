"""The console: every page for whom the table says, in both languages; what it does is what the API does."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys import languages
from recsys.store import ROLES, Scope, hashed_password, passwords
from recsys.units import DAY_MS, HOUR_MS, now_ms
from tests.newsroom import SITE
from tests.service import FOUR, Service, article, fill, plain_settings, serving
from web import roles
from web.console import figures, front, pages, recent, signing, tables
from web.console.figures import Totals, TrafficWindow
from web.console.pages import span_text
from web.console.words import PARTS, words

WORDS = "correct horse battery"
PAGE = {"Sec-Fetch-Site": "same-origin"}
PAYLOADS = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    '" onfocus=alert(1) autofocus x="',
    "' onmouseover=alert(1) x='",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<math><mtext><script>alert(1)</script>",
    "<!--<script>alert(1)</script>-->",
    "<style>*{background:url(javascript:alert(1))}</style>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<div hx-get=/console/sign-out hx-trigger=load>",
    "<form action=javascript:alert(1)><button>x",
    "{{ 7 * 7 }}<script>alert(1)</script>",
    "&lt;script&gt;<script>alert(1)</script>",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Four articles, one for each payload, and a person of each role."""
    settings = plain_settings(tmp_path_factory.mktemp("console"))
    hostile = [article(f"h{n}<b>", title=text, category=text) for n, text in enumerate(PAYLOADS)]
    fill(settings, *FOUR, *hostile)
    with pytest.MonkeyPatch.context() as patch, serving(settings) as service:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        for role in ROLES:
            service.store.set_person(role.value, role, SITE, hashed_password(WORDS))
        yield service


def enter(site: Service, role: Scope = Scope.OWNER) -> Any:
    """A browser in which somebody of a role has signed in."""
    browser = site.client.application.test_client()
    answer = browser.post("/console/sign-in", data={"name": role.value, "password": WORDS}, headers=PAGE)
    assert (answer.status_code, answer.location) == (303, "/console/")
    return browser


def send(browser: Any, path: str, **form: Any) -> str:
    """The page that answers a form of the same site."""
    answer = browser.post(path, data=form, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def routes_of(method: str) -> list[str]:
    entries = [entry.split(" ") for entry in roles.ALLOWED if f" {roles.CONSOLE}" in entry]
    return [rule for verb, rule in entries if verb == method]


def filled(rule: str) -> str:
    return re.sub(r"<[^>]*>", "none.html", rule)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_the_pages_of_the_table_and_is_told_so_at_the_others(site: Service, role: Scope) -> None:
    browser = enter(site, role)
    stranger = site.client.application.test_client()
    for rule in routes_of("GET"):
        if not (allowed := roles.ALLOWED[f"GET {rule}"]):
            continue
        named = {"id": "a1"} if rule.endswith("/one") else {}
        for lang in ("zh", "en"):
            answer = browser.get(filled(rule), query_string={"lang": lang} | named)
            expected = 403 if role not in allowed else 404 if "<" in rule else 200
            assert answer.status_code == expected, rule
            assert answer.mimetype == "text/html"
            assert "'unsafe" not in answer.headers["Content-Security-Policy"]
            assert len(answer.data) < 150_000
            if expected == 403:
                assert words(lang)["refused_title"] in answer.text
                assert f">{role}<" in answer.text
        outside = stranger.get(filled(rule))
        assert (outside.status_code, outside.location[:21]) == (303, "/console/sign-in?next")
    for rule in routes_of("POST"):
        if allowed := roles.ALLOWED[f"POST {rule}"]:
            assert (browser.post(filled(rule), headers=PAGE).status_code == 403) == (role not in allowed), rule
            if rule == "/console/sign-out":
                browser = enter(site, role)


def test_a_form_of_another_site_changes_nothing(site: Service) -> None:
    browser = enter(site)
    for rule in routes_of("POST"):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            if rule == "/console/sign-in" and not headers:
                continue  # a program may sign in
            form = {"job": "tokens", "name": "owner", "password": WORDS, "verb": "hide", "article": "a1"}
            answer = browser.post(filled(rule), data=form, headers=headers)
            assert answer.status_code == 403, rule
            assert "Set-Cookie" not in answer.headers
    assert site.store.runs(9, SITE) == []
    assert not site.store.article(SITE, "a1").hidden  # type: ignore[union-attr]


def test_sign_in_says_what_is_wrong_goes_where_one_was_and_never_to_another_site(site: Service) -> None:
    browser = site.client.application.test_client()
    wrong = browser.post("/console/sign-in", data={"name": "owner", "password": "wrong"}, headers=PAGE)
    assert (wrong.status_code, "Expected the name and the password" in wrong.text) == (401, True)
    assert "jobs person" not in wrong.text.split("</form>")[0].split("<h1>")[1]
    asked = browser.get("/console/audit?actor=x")
    assert asked.location == "/console/sign-in?next=/console/audit%3Factor%3Dx"
    stranger = site.client.application.test_client()
    asked = stranger.get("/console/audit?lang=zh")
    assert asked.location == "/console/sign-in?next=/console/audit%3Flang%3Dzh&lang=zh"
    assert '<html lang="zh-CN"' in stranger.get(asked.location).text
    assert "&" not in stranger.get("/console/audit?lang=%22%3E").location
    given = {"name": "owner", "password": WORDS, "next": "/console/audit?actor=x"}
    assert browser.post("/console/sign-in", data=given, headers=PAGE).location == "/console/audit?actor=x"
    part = browser.get("/console/runs", headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert browser.post("/console/sign-out", headers=PAGE).location == "/console/sign-in"
    part = browser.get("/console/runs", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (401, "/console/sign-in?next=/console/runs")
    for bad in ("https://evil.example/console/", "//evil.example", "/\\evil.example", "/console/../x\\", "", "/admin"):
        assert signing.inside(bad).startswith("/console/"), bad


def test_an_installation_without_people_says_how_to_make_the_first(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serving(plain_settings(tmp_path_factory.mktemp("nobody"))) as service:
        assert "python -m jobs person NAME --role owner" in service.client.get("/console/sign-in").text


def test_a_run_is_queued_seen_and_cancelled(site: Service) -> None:
    browser = enter(site, Scope.OPERATOR)
    told = send(browser, "/console/runs?lang=en", job="tokens", fresh="1")
    assert "tokens is queued" in told
    run = site.store.runs(1, SITE)[0]
    assert (run.job, run.params, run.asked_by) == ("tokens", {"fresh": True}, "person operator")
    assert "no other run of 'tokens'" in send(browser, "/console/runs", job="tokens")
    assert run.id in browser.get("/console/").text
    assert [entry.origin for entry in site.store.audit(SITE, 1)] == ["127.0.0.1"]
    assert "tokens,queued,person operator" in browser.get("/console/runs?format=csv").text
    cancelled = send(browser, f"/console/runs/{run.id}/cancel")
    assert 'class="state cancelled"' in cancelled
    assert 'hx-trigger="every 2s"' not in cancelled  # it has ended: nothing is asked again


def test_a_schedule_is_made_paused_and_removed_and_its_times_are_shown_before(site: Service) -> None:
    browser = enter(site, Scope.OPERATOR)
    times = browser.get("/console/schedules/times", query_string={"cron": "30 3 * * *", "timezone": "UTC"}).text
    assert times.count("<li>") == 5
    assert times.count("03:30") == 5
    assert "five fields" in browser.get("/console/schedules/times?cron=30+3").text
    form = {"name": "night", "job": "all", "cron": "30 3 * * *", "timezone": "UTC", "jitter_seconds": "60"}
    assert "night" in send(browser, "/console/schedules", **form)
    made = site.store.schedules(SITE)[0]
    assert (made.name, made.cron, made.jitter_seconds, made.paused) == ("night", "30 3 * * *", 60, False)
    send(browser, "/console/schedules", **form, paused="1")
    assert site.store.schedules(SITE)[0].paused
    assert "jitter_seconds" in send(browser, "/console/schedules", **(form | {"jitter_seconds": "many"}))
    send(browser, "/console/schedules/remove", name="night")
    assert site.store.schedules(SITE) == []


def test_a_token_is_shown_once_and_revoked(site: Service) -> None:
    browser = enter(site)
    shown = send(browser, "/console/tokens", name="desk", role="editor", expires="90d")
    secret = re.search(r'class="secret">([^<]+)<', shown)
    assert secret is not None
    assert site.store.token(secret[1]) is not None
    assert secret[1] not in browser.get("/console/tokens").text
    send(browser, "/console/tokens/revoke", name="desk")
    assert site.store.token(secret[1]) is None
    assert "GET /admin/api/tokens" in send(browser, "/console/tokens/revoke", name="desk")


def test_an_article_is_pinned_with_its_cost_moved_and_let_go(site: Service) -> None:
    browser = enter(site, Scope.EDITOR)
    told = send(browser, "/console/front?lang=en", verb="pin", article="a4", title="T", place="1", span="3h")
    assert "Pinned: T" in told
    assert words("en")["cost_unknown"] in told  # nothing was shown here yet
    assert site.ids()[0] == "a4"
    decision = site.store.decisions(SITE)[0]
    assert abs(decision.until - now_ms() - 3 * HOUR_MS) < HOUR_MS / 2
    assert re.search(r'name="verb" value="unpin">.*class="undo"', told)
    assert "No longer pinned" in send(browser, "/console/front", verb="unpin", article="a4")
    assert site.ids()[0] != "a4"
    assert "Expected what to do" in send_wrong(browser, verb="explode", article="a4")
    assert send_wrong(browser, verb="pin", article="a4", place="0")
    assert send_wrong(browser, verb="pin", article="nobody", place="1")


def send_wrong(browser: Any, **form: str) -> str:
    """A page that says why something was not done."""
    told = send(browser, "/console/front", **form)
    assert 'class="notice bad"' in told
    return told


def test_an_article_is_found_hidden_and_its_history_read(site: Service) -> None:
    browser = enter(site, Scope.EDITOR)
    found = browser.get("/console/articles?q=tITLE of a2").text
    assert "Title of a2" in found
    assert "Title of a3" not in found
    assert "Title of a3" in browser.get("/console/articles?q=a3").text
    assert words("en")["no_articles"] in browser.get("/console/articles?q=%25&lang=en").text  # % is a letter
    told = send(browser, "/console/articles/one?lang=en", verb="hide", article="a2", title="T")
    assert "Hidden: T" in told
    assert 'value="show"' in told
    assert "person editor" in told.split("<h2>")[-1]
    assert "a2" not in site.ids()
    send(browser, "/console/articles/one", verb="show", article="a2")
    assert browser.get("/console/articles/one?id=nobody").status_code == 404


def test_a_trace_is_a_table_of_stages(site: Service) -> None:
    browser = enter(site, Scope.EDITOR)
    for lang in ("zh", "en"):
        told = html.unescape(browser.get(f"/console/trace?article=a1&lang={lang}").text)
        asked: Any = site.client.get(f"/admin/api/trace?article=a1&spoken={lang}", headers=owner(site)).json
        assert asked["steps"]
        for step in asked["steps"]:
            assert step["says"] in told
            assert words(lang)[f"way_{step['stage']}"] in told
            assert re.search("[\u4e00-\u9fff]", step["says"]) or lang == "en"
    wrong = browser.get("/console/trace?article=a1&lang=en&reader=%01")
    assert (wrong.status_code, "control character" in wrong.text) == (422, True)


def owner(site: Service) -> dict[str, str]:
    site.store.revoke_token("asks")
    return {"Authorization": f"Bearer {site.store.add_token('asks')}"}


def test_no_title_and_no_name_runs_anything(site: Service) -> None:
    browser = enter(site)
    for n, text in enumerate(PAYLOADS):
        site.store.add_token(text, Scope.VIEWER, SITE)
        pages = [
            browser.get("/console/articles", query_string={"q": text}).text,
            browser.get("/console/articles/one", query_string={"id": f"h{n}<b>"}).text,
            browser.get("/console/trace", query_string={"article": text, "reader": text}).text,
            browser.get("/console/audit", query_string={"actor": text, "since": text}).text,
            browser.get("/console/schedules", query_string={"change": text}).text,
            browser.get("/console/schedules/times", query_string={"cron": text, "timezone": text}).text,
            browser.post("/console/runs", data={"job": text}, headers=PAGE).text,
            browser.post("/console/front", data={"verb": text, "article": text, "title": text}, headers=PAGE).text,
        ]
        assert all(text not in page for page in pages), text
        site.store.pin_article(SITE, f"h{n}<b>", "person x", place=1, until=now_ms() + HOUR_MS)
    for path in ("", "front", "articles", "tokens", "audit"):
        page = browser.get(f"/console/{path}").text
        assert not [text for text in PAYLOADS if text in page], path
        assert "<script>" not in page


def test_cells_that_a_spreadsheet_would_calculate_are_text(site: Service) -> None:
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1"):
        assert tables.csv_cell(cell) == f"'{cell}"
    assert [tables.csv_cell(value) for value in ("a=1", -1, 2.5, None, "")] == ["a=1", "-1", "2.5", "", ""]
    for table in ("schedules", "releases", "tokens"):
        answer = enter(site).get(f"/console/{table}?format=csv")
        assert (answer.mimetype, answer.text[:5]) == ("text/csv", "\ufeffname")
    answer = enter(site).get("/console/audit?format=csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'


def test_a_report_is_shown_without_its_scripts_and_nothing_else_of_the_folder(site: Service) -> None:
    root = site.settings.data_dir / "releases" / "20260101T000000Z-0000"
    (root / "report").mkdir(parents=True)
    (root / "manifest.json").write_text('{"created_at": 1}')
    (root / "report" / "index.html").write_text("<p>report")
    (root / "report" / "metrics.json").write_text("{}")
    browser, address = enter(site, Scope.VIEWER), "/console/releases/20260101T000000Z-0000"
    report = browser.get(f"{address}/report/index.html")
    assert report.text == "<p>report"
    assert "sandbox" in report.headers["Content-Security-Policy"]
    assert "script" not in report.headers["Content-Security-Policy"]
    for other in ("metrics.json", "..%2fmanifest.json", "missing.html"):
        assert browser.get(f"{address}/report/{other}").status_code == 404
    assert 'src="/console/releases/20260101T000000Z-0000/report/index.html"' in browser.get(address).text


def test_a_report_is_shown_in_the_readers_language_and_says_where_it_has_only_english(site: Service) -> None:
    folder = site.settings.data_dir / "releases" / "20260102T000000Z-0001" / "report"
    folder.mkdir(parents=True)
    (folder.parent / "manifest.json").write_text('{"created_at": 1}')
    (folder / "words.html").write_text("<p>words")
    browser, address = enter(site, Scope.VIEWER), "/console/releases/20260102T000000Z-0001"
    said = {lang: words(lang)["report_english"] for lang in ("en", "zh")}
    for lang in ("en", "zh"):
        text = browser.get(f"{address}?lang={lang}").text
        assert (f'src="{address}/report/words.html"' in text, said["zh"] in text) == (True, lang == "zh")
        assert said["en"] not in text
    assert browser.get(f"{address}/report/words.zh.html").status_code == 404
    (folder / "words.zh.html").write_text("<p>词")
    for lang, file in (("en", "words.html"), ("zh", "words.zh.html")):
        text = browser.get(f"{address}?lang={lang}").text
        assert re.findall(f'{address}/report/([^"]+)"', text) == [file, file]
        assert (said["en"] in text, said["zh"] in text) == (False, False)
    assert browser.get(f"{address}/report/words.zh.html").text == "<p>词"


def test_events_are_counted_by_article_slot_and_day() -> None:
    now = 1_790_000_000_000
    rows = [
        ("impression", "a", now - 1, "front"),
        ("impression", "a", now - DAY_MS, "front"),
        ("click", "a", now - 1, "front"),
        ("click", "b", now - HOUR_MS + 1, None),
        ("click", "b", now + 1, "front"),  # not yet
        ("click", "b", None, "front"),
        ("dismiss", "a", now - 1, "front"),
    ]
    counts = recent.counted(rows, {"a"}, now, "UTC")
    assert counts.clicks == {"a": [0] * 11 + [1], "b": [1] + [0] * 11}
    assert (counts.shown, counts.clicked_at, counts.since) == ({"a": 1}, now - 1, now - DAY_MS)
    assert (counts.events, counts.all_clicks, counts.unmatched) == (7, 4, 3)
    assert [(one.slot, one.shown, one.clicked) for one in counts.slots] == [
        ("front", 1, 1),
        ("", 0, 1),
        ("front", 1, 0),
    ]
    low, high = recent.SlotDay("", "", 100, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.055, 0.174)  # Wilson's table


def test_times_of_lists_are_those_of_the_last_minutes() -> None:
    window = TrafficWindow()
    assert window.after(Totals(0, 10, 1, ((0.1, 8), (float("inf"), 10)))) == (None, 10, 1, 10, 0.0625, 0.1, 0)
    later = window.after(Totals(100, 30, 1, ((0.1, 28), (float("inf"), 30))))
    assert (later.seconds, later.requests, later.errors, later.lists) == (100, 20, 0, 20)
    assert (later.p50, later.p99) == (0.05, 0.099)
    assert window.after(Totals(101, 30, 1, ((0.1, 28), (float("inf"), 30)))).seconds == 101
    assert window.after(Totals(500, 30, 1, ())).seconds == 399
    assert window.after(Totals(600, 5, 0, ())).requests == 5  # figures were lost
    text = (
        'recsys_requests_total{method="GET",route="/x",status="503"} 2\n'
        'recsys_request_seconds_bucket{route="/api/v1/recommendations",le="+Inf"} 3\n'
        'recsys_events_total{outcome="strangers"} 5\nrecsys_events_total{outcome="signed"} 7\n'
    )
    counted = figures.totals_of(f"# TYPE recsys_request_seconds histogram\n{text}", 1)
    assert (counted.requests, counted.errors, counted.lists) == (2, 2, ((float("inf"), 3),))
    assert (counted.flooded, window.after(Totals(700, 9, 0, (), 150)).flooded) == (5, 150)


def test_spans_and_ends_are_those_of_the_site() -> None:
    spans = (5, 90, 5_400, 200_000, None)
    assert [span_text(span, "en") for span in spans] == ["5 s", "2 min", "1.5 h", "2 d", "–"]
    assert [span_text(span, "zh") for span in spans] == ["5 秒", "2 分钟", "1.5 小时", "2 天", "–"]
    noon = 1_796_126_400_000  # 2026-12-01 12:00 UTC
    assert front.end_of("3h", noon, "UTC") == noon + 3 * HOUR_MS
    assert front.end_of("today", noon, "UTC") == noon + 12 * HOUR_MS
    assert front.end_of("today", noon, "Asia/Shanghai") == noon + 4 * HOUR_MS


def test_both_languages_say_everything() -> None:
    chinese, english = words("zh"), words("en")
    assert len(chinese) == sum(map(len, PARTS)), "no word is said twice"
    assert all(chinese.values())
    assert all(english.values())
    named = re.compile(r"\{(\w+)\}")
    assert all(set(named.findall(chinese[word])) == set(named.findall(english[word])) for word in chinese)


def test_the_audit_says_in_words_whatever_a_change_holds(site: Service) -> None:
    arms = [{"name": "live", "settings": {}, "share": 0.5}, {"name": "<b>", "settings": {"k": None}, "share": 0.5}]
    with site.client.application.test_request_context():
        parts: Any = site.client.application.jinja_env.get_template("console/parts.html").module
        said = re.sub("<[^>]*>", "", str(parts.pairs({"arms": arms, "days": 1})))
    expected = "arms name live, settings –, share 0.5; name &lt;b&gt;, settings k –, share 0.5 days 1"
    assert " ".join(said.split()) == expected


def test_no_title_makes_a_page_wait_for_the_model_of_languages(site: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(*_: object) -> None:
        raise AssertionError("the model was asked for")

    monkeypatch.setattr(languages, "_model", loaded)
    with site.client.application.test_request_context():
        titles = ("Shares of shipyard jump", "Привет мир", "卫星通信下放千元手机", "こんにちは世界", "안녕하세요", "7")
        assert [pages.tongue(title) for title in titles] == ["en", "en", "zh", "ja", "ko", "en"]
