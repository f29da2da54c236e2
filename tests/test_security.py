"""What every answer has, whoever asks for whatever: headers that keep browsers from guessing, framing and leaking."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from recsys.logs import processors
from recsys.store import Scope
from tests.newsroom import SITE, Toy
from tests.service import FOUR, Service, copy_of, fill, plain_settings, serving
from web import roles
from web.console.releases import REPORT_POLICY

REPORT = "/console/releases/<string:name>/report/<string:file>"
WIDGET = ("/widget.js", "/widget-<version>.js")  # scripts for pages of other sites, which have policies of their own
STREAM = "/admin/api/runs/<string:run_id>/log"
INJECTED = "a\r\nX-Injected: 1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = plain_settings(tmp_path_factory.mktemp("security"))
    fill(settings, *FOUR)
    with serving(settings) as service:
        yield service


def answers(site: Service, headers: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The answer of every route to a request with nothing right in it, and the first page of its kind."""
    for route in roles.routes(site.client.application.url_map):
        path = "/".join("a1" if part.startswith("<") else part for part in route.rule.split("/"))
        path = path.split("<")[0] + "a1" if "<" in path else path
        yield str(route), site.client.open(path, method=route.method, headers=headers)


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "owner"])
def test_every_route_answers_with_a_policy_against_scripts_frames_and_guesses(site: Service, known: bool) -> None:
    secret = site.store.add_token(f"owner {known}", Scope.OWNER, SITE)
    seen = 0
    for route, answer in answers(site, {"Authorization": f"Bearer {secret}"} if known else {}):
        policy = answer.headers.get("Content-Security-Policy", "")
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
        assert "'unsafe-inline'" not in policy, route
        assert "frame-ancestors" in policy, route
        assert answer.headers["Referrer-Policy"] in ("strict-origin-when-cross-origin", "no-referrer"), route
        assert answer.status_code < 500, route
        seen += 1
    assert seen > 100


def test_of_a_page_that_may_hold_styles_of_its_own_no_script_runs_and_nobody_else_frames_it() -> None:
    assert "script-src" not in REPORT_POLICY
    assert "default-src 'none'" in REPORT_POLICY
    assert "sandbox" in REPORT_POLICY
    assert "allow-scripts" not in REPORT_POLICY
    assert "frame-ancestors 'self'" in REPORT_POLICY


def test_the_page_of_the_calls_takes_its_style_from_a_file(site: Service) -> None:
    page = site.client.get("/docs")
    assert "<style" not in page.text
    assert "style=" not in page.text
    assert "/static/docs.css" in page.text
    with site.client.get("/static/docs.css") as style:
        assert style.mimetype == "text/css"
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name", ["X-Request-ID", "Origin", "Referer", "X-Forwarded-For", "Accept-Language", "If-None-Match"]
)
def test_no_header_of_a_request_adds_one_to_the_answer(site: Service, name: str) -> None:
    for path in ("/", "/api/v1/recommendations", "/api/v1/articles/none", "/console/overview"):
        answer = site.client.get(path, environ_overrides={f"HTTP_{name.upper().replace('-', '_')}": INJECTED})
        assert "X-Injected" not in answer.headers
        assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../installation.py",
        "/static/%2e%2e/installation.py",
        "/static/..%2f..%2fpyproject.toml",
        "/static//etc/passwd",
        "/widget-../../store.db.js",
        "/console/releases/..%2f../report/index.html",
        "/console/releases/a1/report/..%2f..%2fmanifest.json",
        "/admin/api/runs/..%2f..%2freaders.key/log",
        "/admin/api/releases/..%2f..%2f/activate",
    ],
)
def test_no_path_leads_out_of_what_is_served(site: Service, path: str) -> None:
    secret = site.store.add_token(f"owner of {path}", Scope.OWNER, SITE)
    for headers in ({}, {"Authorization": f"Bearer {secret}"}):
        answer = site.client.get(path, headers=headers)
        assert answer.status_code in (303, 400, 401, 403, 404, 405), answer.text
        assert "root:" not in answer.text
        assert "SQLite" not in answer.text


def test_only_what_widgets_call_may_be_called_from_pages_of_other_sites(site: Service) -> None:
    secret = site.store.add_token("owner for cors", Scope.OWNER, SITE)
    for route, answer in answers(site, {"Authorization": f"Bearer {secret}", "Origin": "https://evil.example"}):
        if route.partition(" ")[2].startswith(("/admin", "/console", "/metrics")):
            assert "Access-Control-Allow-Origin" not in answer.headers, route
        assert "Access-Control-Allow-Credentials" not in answer.headers, route


def test_neither_tokens_nor_readers_stand_in_the_log_whatever_goes_wrong(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.StringIO()
    with serving(copy_of(toy, tmp_path)) as service:
        monkeypatch.setattr("sys.stderr", lines)
        structlog.configure(processors=processors("json"), logger_factory=lambda *_: structlog.PrintLogger(lines))
        secret, reader = service.store.add_token("desk", Scope.OWNER, SITE), "reader-that-nobody-may-see"
        headers = {"Authorization": f"Bearer {secret}"}
        for _, answer in answers(service, headers):
            answer.get_data()
        service.client.get(f"/api/v1/recommendations?reader={reader}&k=0")
        service.client.get(f"/api/v1/readers/{reader}", headers=headers)
        service.client.delete(f"/admin/api/readers/{reader}", headers=headers)
        service.client.post("/api/v1/events", json={"events": [{"event_id": "1", "kind": "x", "reader": reader}]})
        monkeypatch.setattr(service.live, "recommend", lambda *_, **__: 1 / 0)
        assert service.client.get(f"/api/v1/recommendations?reader={reader}&k=7&lang=en").status_code == 500
        service.client.get("/admin/api/runs", headers={"Authorization": f"Bearer {secret}x"})
    written = lines.getvalue()
    assert "ZeroDivisionError" in written, "what went wrong is there"
    assert secret not in written
    assert reader not in written
    assert json.loads(written.splitlines()[0])
