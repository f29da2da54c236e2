"""Data for operators: what there is, past imports, an import that is begun; and problems in the page's language."""

import html
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from recsys.imports import Summary
from recsys.quality.history import keep
from recsys.runs.uploads import upload_file
from recsys.store import Scope, hashed_password, passwords
from tests.newsroom import SITE
from tests.service import Service, article, fill, plain_settings, serving
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import done
from web.api.problem_details import CODES, STATUS
from web.console.data import format_of
from web.console.problem_words import PROBLEMS
from web.console.words import words
from web.gateway.limits import MAX_BULK_BYTES


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Articles in two languages, one without a date, and an operator."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    settings = plain_settings(tmp_path)
    rows = [article("a1", category="x"), article("a2", language="zh"), article("a3", published_at=None)]
    fill(settings, *rows)
    with serving(settings) as service:
        service.store.set_person("operator", Scope.OPERATOR, SITE, hashed_password(WORDS))
        yield service


def enter(site: Service) -> Any:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "operator", "password": WORDS}, headers=PAGE)
    return browser


def test_the_data_says_what_there_is_and_what_became_of_imports(site: Service) -> None:
    folder = site.settings.data_dir / "imports"
    more: dict[str, Any] = {"reasons": {"=no article": 3}, "matched_clicks": (5, 6)}
    summary = Summary("clicks", "", 10, 6, 0, 1, 3, 0.5, None, "no article", dry_run=False, **more)
    keep(folder, summary, "/x/c.csv", SITE, 1_000)
    keep(folder, summary, "/x/other.csv", "another-site", 2_000)
    told = done(site, "GET", "/data")
    assert (told["articles"], told["undated"], told["without_category"]) == (3, 1, 2)
    assert told["languages"] == {"en": 2, "zh": 1}
    (one,) = told["imports"]
    assert (one["file"], one["read"], one["stored"], one["rejected"]) == ("c.csv", 10, 6, 3)
    assert one["matched_clicks"] == [5, 6]
    browser = enter(site)
    page = html.unescape(browser.get("/console/data?lang=en").text)
    assert "5 of 6 clicks match an article." in page
    assert "'=no article (3)" in browser.get("/console/data?format=csv").text, "no formula"


def test_an_import_is_begun_and_what_cannot_be_stays_in_the_form(site: Service) -> None:
    browser = enter(site)
    form = {"format": "feed", "url": "ftp://example.org/x", "map": "", "language": "zh"}
    refused = html.unescape(browser.post("/console/data?lang=en", data=form, headers=PAGE).text)
    assert "Expected an http or https address" in refused
    assert 'value="ftp://example.org/x"' in refused
    begun = browser.post("/console/data", data=form | {"url": "https://example.org/rss.xml"}, headers=PAGE).text
    assert "The import of https://example.org/rss.xml is queued" in html.unescape(begun)
    (run,) = site.store.runs(9, SITE)
    assert (run.job, run.params["language"]) == ("import", "zh")


def test_a_file_is_uploaded_on_the_page_and_its_name_says_its_format(site: Service) -> None:
    browser = enter(site)

    def send(content: bytes, name: str, **form: str) -> str:
        given = {"format": "", "url": "", "map": "", "language": ""} | form | {"file": (io.BytesIO(content), name)}
        answer = browser.post("/console/data?lang=en", data=given, headers=PAGE, content_type="multipart/form-data")
        return html.unescape(answer.text)

    content = b'{"id": "u1", "title": "A ferry", "body": "It sails."}\n'
    assert "The import of new articles.jsonl is queued" in send(content, "new articles.jsonl", map="title=title")
    (run,) = site.store.runs(9, SITE)
    assert (run.params["format"], run.params["map"], run.asked_by) == ("jsonl", "title=title", "person operator")
    kept = upload_file(site.settings.data_dir, str(run.params["upload"]), "jsonl")
    assert kept.read_bytes() == content
    assert f"/console/runs/{run.id}" in browser.get("/console/data").text, "its progress stands on the page"
    assert "Expected a url, or of other formats than feed a file" in send(b"", "")
    head, end = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n', b"\r\n--x--\r\n"
    large = head + b"x" * (MAX_BULK_BYTES + 1) + end
    refused = browser.post(
        "/console/data?lang=en", data=large, headers=PAGE, content_type="multipart/form-data; boundary=x"
    )
    assert f"Expected a body of at most {MAX_BULK_BYTES} bytes" in html.unescape(refused.text)
    assert len(site.store.runs(9, SITE)) == 1
    names = {"a.CSV": "csv", "b.tsv.gz": "csv", "c.parquet": "parquet", "d.json": "jsonl", "e.xml": "feed", "": "feed"}
    assert {name: format_of(name) for name in names} == names


def test_a_problem_is_told_in_the_language_of_the_page(site: Service) -> None:
    browser = enter(site)
    chinese = html.unescape(browser.get("/console/tokens?lang=zh").text)
    assert PROBLEMS["wrong-scope"][0] in chinese
    assert "Expected the rights of owner" in chinese, "the API's own words stand beside it"
    english = html.unescape(browser.get("/console/tokens?lang=en").text)
    assert PROBLEMS["wrong-scope"][0] not in english
    told = html.unescape(browser.post("/console/runs?lang=zh", data={"job": "x"}, headers=PAGE).text)
    assert PROBLEMS["invalid"][0] in told
    missing = {code for _, _, code in STATUS} | {CODES[status] for status in (401, 413)}
    assert missing <= PROBLEMS.keys()


def test_a_site_without_articles_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with serving(plain_settings(tmp_path)) as service:
        service.store.set_person("operator", Scope.OPERATOR, SITE, hashed_password(WORDS))
        page = html.unescape(enter(service).get("/console/data?lang=en").text)
        assert words("en")["no_data"] in page
        assert words("en")["no_imports"] in page
