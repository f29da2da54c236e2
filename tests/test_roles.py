"""Roles: every route is for whom the table says, whoever calls, of this site or another; nothing else can start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.routing import Map, Rule

from recsys.errors import ConfigError
from recsys.store import ROLES, Scope
from tests.newsroom import SITE
from tests.service import Service, plain_settings, problem, serving
from web import access, roles

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "roles.md"
OTHER_SITE = "weekly"
DENIED = {401, 403}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(plain_settings(tmp_path_factory.mktemp("roles"))) as service:
        yield service


@pytest.fixture(scope="module")
def secrets(site: Service) -> dict[tuple[Scope, str], str]:
    """A token of each role, of this site and of another."""
    return {
        (scope, where): site.store.add_token(f"{scope} {where}", scope, where)
        for scope in Scope
        for where in (SITE, OTHER_SITE)
    }


def test_the_document_ends_with_the_table() -> None:
    _, _, end = DOCUMENT.read_text(encoding="utf-8").partition("## Who may call what\n\n")
    assert end == roles.table(), "python -m web.roles"


def described(site: Service) -> Iterator[tuple[str, str]]:
    """Methods and paths of the OpenAPI document, each placeholder filled in."""
    for path, methods in site.get("/openapi.json")["paths"].items():
        for method in methods:
            if method in ("get", "put", "patch", "post", "delete"):
                yield method.upper(), path.replace("{", "no-").replace("}", "")


def entry_of(site: Service, method: str, path: str) -> roles.Allowed | None:
    rule, _ = site.client.application.url_map.bind("x").match(path, method, return_rule=True)
    return roles.ALLOWED.get(f"{method} {rule.rule}")


def test_every_route_lets_in_those_of_the_table_and_nobody_else(
    site: Service, secrets: dict[tuple[Scope, str], str]
) -> None:
    guarded = 0
    for method, path in described(site):
        allowed = entry_of(site, method, path)
        if not allowed:
            assert not path.startswith("/admin") or allowed is not None, path
            continue
        guarded += 1
        problem(site.client.open(path, method=method), 401, "unauthorized")
        for (scope, where), secret in secrets.items():
            answer: Any = site.client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"})
            expected = "wrong-site" if where != SITE else "wrong-scope" if scope not in allowed else None
            got = answer.json["code"] if answer.status_code in DENIED else None
            assert got == expected, f"{method} {path} as {scope} of {where}: {answer.status_code}"
    api = {entry: allowed for entry, allowed in roles.ALLOWED.items() if f" {roles.CONSOLE}" not in entry}
    assert guarded == sum(1 for allowed in api.values() if allowed)  # tests/test_console.py calls the others


def test_the_roles_are_in_a_strict_order_and_the_table_keeps_it(site: Service) -> None:
    assert [scope.value for scope in ROLES] == ["viewer", "editor", "operator", "owner"]
    for entry, allowed in roles.ALLOWED.items():
        inside = [scope in allowed for scope in ROLES]
        assert inside == sorted(inside), entry
    assert not roles.unknown(site.client.application.url_map)


@pytest.mark.parametrize(
    ("rule", "methods", "complaint"),
    [
        ("/admin/api/forgotten", ["GET"], "GET /admin/api/forgotten"),
        ("/api/v1/forgotten", ["POST"], "POST /api/v1/forgotten"),
        ("/public", ["GET"], None),
    ],
)
def test_a_route_that_nobody_has_said_whom_it_is_for_is_refused_at_the_start(
    rule: str, methods: list[str], complaint: str | None
) -> None:
    app = APIFlask("roles-of-a-toy", docs_path=None, spec_path=None)
    app.add_url_rule(rule, "forgotten", lambda: "", methods=methods)
    if complaint is None:
        access.install(app)
        return
    with pytest.raises(ConfigError, match=complaint):
        access.install(app)


def test_a_head_is_as_a_get_and_options_ask_for_a_viewer(site: Service, secrets: Any) -> None:
    assert roles.unlisted(Map([Rule("/admin/x", methods=["HEAD", "OPTIONS"])])) == []
    for method in ("HEAD", "OPTIONS"):
        assert site.client.open("/admin/api/runs", method=method).status_code == 401
        writer = {"Authorization": f"Bearer {secrets[Scope.WRITE, SITE]}"}
        assert site.client.open("/admin/api/runs", method=method, headers=writer).status_code == 403
        viewer = {"Authorization": f"Bearer {secrets[Scope.VIEWER, SITE]}"}
        assert site.client.open("/admin/api/runs", method=method, headers=viewer).status_code == 200
