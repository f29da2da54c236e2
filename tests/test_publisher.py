"""The publisher's API: articles over HTTP with a write key, two editors at once, and every way to send a wrong one."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from recsys.store import Scope
from recsys.store.bounds import MAX_TITLE
from tests.newsroom import HOUR, NOW, SITE, Toy
from tests.service import Service, copy_of, four, problem, serving

ARTICLES = "/api/v1/articles"
BRIDGE = {"title": "Bridge opens", "body": "It was opened on Monday.", "category": "city", "language": "en"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Four articles, a1 to a4, no release; tests put articles of their own."""
    with four(tmp_path_factory.mktemp("publisher")) as service:
        yield service


@pytest.fixture(scope="module")
def key(site: Service) -> dict[str, str]:
    """The header of a write key of the site."""
    return bearer(site.store.add_token("cms", Scope.WRITE, SITE))


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def put(site: Service, key: dict[str, str], id: str, value: Any = None, **headers: str) -> Any:
    sent = key | {name.replace("_", "-"): text for name, text in headers.items()}
    return site.client.put(f"{ARTICLES}/{quote(id, safe='')}", json=BRIDGE if value is None else value, headers=sent)


def source(site: Service, key: dict[str, str], id: str) -> Any:
    answer = site.client.get(f"{ARTICLES}/{quote(id, safe='')}/source", headers=key)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_article_that_is_put_is_served_and_the_same_again_changes_nothing(
    site: Service, key: dict[str, str]
) -> None:
    made = put(site, key, "bridge")
    assert (made.status_code, made.json["outcome"], made.json["repaired"]) == (201, "created", [])
    assert made.headers["ETag"] == f'"{made.json["version"]}"'
    assert made.headers["Location"] == f"{ARTICLES}/bridge"
    site.live.refresh()
    assert site.get(f"{ARTICLES}/bridge")["title"] == "Bridge opens"
    again = put(site, key, "bridge")
    assert (again.status_code, again.json["outcome"]) == (200, "unchanged")
    assert again.json["version"] == made.json["version"]
    changed = put(site, key, "bridge", BRIDGE | {"title": "Bridge open"})
    assert changed.json["outcome"] == "updated"
    assert changed.json["version"] > made.json["version"]


def test_a_put_is_whole_and_a_patch_changes_what_it_names(site: Service, key: dict[str, str]) -> None:
    put(site, key, "whole", BRIDGE | {"url": "/w", "entities": ["Bridge"], "published_at": "2026-03-02T06:30:00Z"})
    patched = ask(site, key, "PATCH", "/whole", json={"category": None, "source": "Paper"})
    assert (patched.status_code, patched.json["outcome"]) == (200, "updated")
    stored = source(site, key, "whole")
    assert (stored["category"], stored["source"], stored["url"], stored["entities"]) == (
        None,
        "Paper",
        "/w",
        ["Bridge"],
    )
    assert stored["published_at"] == 1_772_433_000_000
    assert put(site, key, "whole", stored_again(stored)).json["outcome"] == "unchanged", (
        "what is read can be sent again"
    )
    put(site, key, "whole", {"title": "Only this"})
    stored = source(site, key, "whole")
    assert [stored[name] for name in ("title", "body", "url", "source", "entities", "published_at")] == [
        *("Only this", "", None, None, []),
        None,
    ]


def ask(site: Service, key: dict[str, str], method: str, path: str, **more: Any) -> Any:
    return site.client.open(f"{ARTICLES}{path}", method=method, headers=key | more.pop("headers", {}), **more)


def stored_again(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if name not in ("version", "hidden")}


def test_two_editors_do_not_overwrite_each_other(site: Service, key: dict[str, str]) -> None:
    put(site, key, "draft")
    seen = site.client.get(f"{ARTICLES}/draft/source", headers=key).headers["ETag"]
    first = ask(site, key, "PATCH", "/draft", json={"title": "By ann"}, headers={"If-Match": seen})
    assert first.status_code == 200
    for method in ("patch", "put", "delete"):
        body = {} if method == "delete" else {"json": {"title": "By bob"}}
        late = getattr(site.client, method)(f"{ARTICLES}/draft", headers=key | {"If-Match": seen}, **body)
        assert str(first.json["version"]) in problem(late, 412, "edit-conflict")
        assert late.json["version"] == first.json["version"]
    late = site.client.post(f"{ARTICLES}/draft:hide", headers=key | {"If-Match": seen})
    problem(late, 412, "edit-conflict")
    assert source(site, key, "draft")["title"] == "By ann"
    now = put(site, key, "draft", {"title": "By bob"}, If_Match=first.headers["ETag"])
    assert now.json["outcome"] == "updated"
    assert put(site, key, "draft", {"title": "By all"}, If_Match="*").json["outcome"] == "updated"
    several = f'"0", "{source(site, key, "draft")["version"]}"'
    assert put(site, key, "draft", {"title": "By one"}, If_Match=several).json["outcome"] == "updated"
    weak = f'W/"{source(site, key, "draft")["version"]}"'
    problem(put(site, key, "draft", {"title": "Weak"}, If_Match=weak), 412, "edit-conflict")


def test_only_a_new_article_is_put_when_the_request_says_so(site: Service, key: dict[str, str]) -> None:
    assert put(site, key, "once", If_None_Match="*").status_code == 201
    problem(put(site, key, "once", If_None_Match="*"), 412, "edit-conflict")
    answer = put(site, key, "never", If_Match='"1"')
    assert "no article" in problem(answer, 412, "edit-conflict")
    assert answer.json["version"] is None


def test_the_same_article_from_two_hosts_at_once_is_created_once(site: Service, key: dict[str, str]) -> None:
    with serving(site.settings) as other:
        together = threading.Barrier(2)
        answers: list[Any] = []

        def send(host: Service) -> None:
            client = host.client.application.test_client()
            together.wait()
            answers.append(client.put(f"{ARTICLES}/twice", json=BRIDGE, headers=key))

        threads = [threading.Thread(target=send, args=(host,)) for host in (site, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted((answer.status_code, answer.json["outcome"]) for answer in answers) == [
        (200, "unchanged"),
        (201, "created"),
    ]
    assert len({answer.json["version"] for answer in answers}) == 1


def test_what_is_hidden_or_deleted_is_in_no_list_at_once(site: Service, key: dict[str, str]) -> None:
    put(site, key, "gone")
    site.live.refresh()
    assert "gone" in site.ids(k=50)
    hidden = site.client.post(f"{ARTICLES}/gone:hide", headers=key)
    assert hidden.json == {"article": "gone", "outcome": "hidden"}
    assert "gone" not in site.ids(k=50)
    assert site.client.get(f"{ARTICLES}/gone").status_code == 404
    assert source(site, key, "gone")["hidden"] is True
    assert put(site, key, "gone", BRIDGE | {"title": "Hidden still"}).json["outcome"] == "updated"
    assert source(site, key, "gone")["hidden"] is True, "a PUT that does not say hidden leaves it"
    assert ask(site, key, "POST", "/gone:show").json["outcome"] == "shown"
    site.live.refresh()
    assert "gone" in site.ids(k=50)
    assert site.client.delete(f"{ARTICLES}/gone", headers=key).status_code == 204
    assert "gone" not in site.ids(k=50)


def test_deleting_twice_and_putting_what_is_deleted_say_what_to_do(site: Service, key: dict[str, str]) -> None:
    put(site, key, "dead")
    assert site.client.delete(f"{ARTICLES}/dead", headers=key).status_code == 204
    for answer in (
        site.client.delete(f"{ARTICLES}/dead", headers=key),
        put(site, key, "dead"),
        site.client.patch(f"{ARTICLES}/dead", json={"title": "t"}, headers=key),
        site.client.post(f"{ARTICLES}/dead:hide", headers=key),
    ):
        problem(answer, 410, "deleted-article")
    assert "show" in put(site, key, "dead").json["remedy"]
    assert ask(site, key, "POST", "/dead:show").json["outcome"] == "tombstone lifted"
    assert put(site, key, "dead").status_code == 201


def test_what_is_not_there_can_neither_be_changed_nor_deleted(site: Service, key: dict[str, str]) -> None:
    one = f"{ARTICLES}/nobody-knows"
    assert "nobody-knows" in problem(site.client.patch(one, json={"title": "t"}, headers=key), 404, "unknown-article")
    problem(site.client.delete(one, headers=key), 404, "unknown-article")
    problem(site.client.post(f"{one}:hide", headers=key), 404, "unknown-article")
    problem(site.client.get(f"{one}/source", headers=key), 404, "unknown-article")


CALLS = [
    ("PUT", f"{ARTICLES}/a1"),
    ("PATCH", f"{ARTICLES}/a1"),
    ("DELETE", f"{ARTICLES}/a1"),
    ("GET", f"{ARTICLES}/a1/source"),
    ("POST", f"{ARTICLES}/a1:hide"),
    ("POST", f"{ARTICLES}/a1:show"),
    ("POST", f"{ARTICLES}:bulk"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_nothing_is_written_without_a_write_key_of_this_site(site: Service, method: str, path: str) -> None:
    before, changes = site.store.article(SITE, "a1"), site.store.last_change(SITE)
    other = site.store.add_token(f"other {method} {path}", Scope.WRITE, "weekly")
    problem(site.client.open(path, method=method, json=BRIDGE), 401, "unauthorized")
    problem(site.client.open(path, method=method, json=BRIDGE, headers=bearer("wrong")), 401, "unauthorized")
    answer = site.client.open(path, method=method, json=BRIDGE, headers=bearer(other))
    assert "'weekly'" in problem(answer, 403, "wrong-site")
    site.store.revoke_token(f"other {method} {path}")
    problem(site.client.open(path, method=method, json=BRIDGE, headers=bearer(other)), 401, "unauthorized")
    assert (site.store.article(SITE, "a1"), site.store.last_change(SITE)) == (before, changes)


def test_a_write_key_opens_no_other_door_and_an_administrator_may_write(site: Service, key: dict[str, str]) -> None:
    for method, path in (("GET", "/runs"), ("POST", "/articles/a1/hide"), ("GET", "/readers/r"), ("GET", "/audit")):
        answer = site.client.open(f"/admin/api{path}", method=method, headers=key)
        assert "or above" in problem(answer, 403, "wrong-scope")
    admin = bearer(site.store.add_token("desk", Scope.OWNER, SITE))
    assert put(site, admin, "by-desk").status_code == 201


def test_each_change_is_in_the_audit_with_its_key_and_no_other_call_is(site: Service, key: dict[str, str]) -> None:
    put(site, key, "audited")
    put(site, key, "audited")
    site.client.patch(f"{ARTICLES}/audited", json={"title": "New", "source": "S"}, headers=key)
    site.client.post(f"{ARTICLES}:bulk", data=json.dumps(BRIDGE | {"id": "audited"}), headers=key | JSONL)
    site.client.delete(f"{ARTICLES}/audited", headers=key)
    entries = [entry for entry in site.store.audit(SITE, 50) if entry.object == "audited"]
    assert [(entry.verb, entry.actor) for entry in entries] == [
        (verb, "token cms") for verb in ("delete", "put", "patch", "put")
    ]
    assert entries[2].details == {"outcome": "updated", "title": "New", "changed": ["source", "title"]}
    assert entries[3].details == {"outcome": "created", "title": "Bridge opens"}


def test_values_are_read_as_an_import_reads_them_and_it_is_said(site: Service, key: dict[str, str]) -> None:
    odd = {
        "title": "<b>Bold</b> title",
        "image": "javascript:alert(1)",
        "url": "example.org/odd",
        "category": ["city", "news"],
        "entities": "Bridge, Harbour",
        "language": "eng",
        "published_at": "no time at all",
        "hidden": "no",
    }
    repaired = put(site, key, "odd", odd).json["repaired"]
    stored = source(site, key, "odd")
    assert (stored["title"], stored["url"], stored["category"]) == ("Bold title", "https://example.org/odd", "city")
    assert (stored["entities"], stored["language"], stored["image"]) == (["Bridge", "Harbour"], "en", None)
    assert (stored["published_at"], stored["hidden"]) == (None, False)
    assert {entry.partition(":")[0] for entry in repaired} == {"title", "image", "url", "category", "published_at"}


def test_an_unusable_value_leaves_what_is_stored(site: Service, key: dict[str, str]) -> None:
    put(site, key, "keeps", BRIDGE | {"url": "/kept"})
    answer = put(site, key, "keeps", BRIDGE | {"url": "https://example.org/" + "x" * 3_000})
    assert answer.json["repaired"] == ["url: left out, longer than 2,048 characters"]
    assert source(site, key, "keeps")["url"] == "/kept"


def test_a_title_of_megabytes_is_cut_for_every_page(site: Service, key: dict[str, str]) -> None:
    answer = put(site, key, "long", {"title": "word " * 300_000, "source": "s" * 9_000})
    assert answer.json["repaired"] == ["title: cut to 500 characters", "source: cut to 200 characters"]
    stored = source(site, key, "long")
    assert stored["title"] == ("word " * 99).rstrip() + "…"
    assert (len(stored["title"]) <= MAX_TITLE, len(stored["source"])) == (True, 200)
    assert put(site, key, "long", {"title": "word " * 300_000}).json["outcome"] == "updated", "the other fields"
    assert put(site, key, "long", {"title": "word " * 300_000}).json["outcome"] == "unchanged"


@pytest.mark.parametrize(
    ("id", "body", "type", "status", "code"),
    [
        ("big", b'{"title": "' + b"x" * 10_000_000 + b'"}', "application/json", 413, "body-too-large"),
        ("untitled", b'{"url": "/x"}', "application/json", 422, "invalid"),
        ("x" * 4_096, b'{"title": "t"}', "application/json", 422, "invalid"),
        ("control\x01", b'{"title": "t"}', "application/json", 422, "invalid"),
        ("null", b'{"title": "t"}', "application/json", 422, "invalid"),
        ("latin", '{"title": "Café"}'.encode("latin-1"), "application/json", 400, "malformed-json"),
        ("utf16", '{"title": "Café"}'.encode("utf-16"), "application/json", 400, "malformed-json"),
        ("charset", b'{"title": "t"}', "application/json; charset=latin-1", 415, "unsupported-media-type"),
        ("form", b"title=t", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        ("list", b"[]", "application/json", 422, "invalid"),
        ("broken", b'{"title": ', "application/json", 400, "malformed-json"),
        ("not-a-number", b'{"title": NaN}', "application/json", 400, "malformed-json"),
        ("deep", b'{"title": ' + b"[" * 100_000, "application/json", 400, "malformed-json"),
        ("typo", b'{"titel": "t"}', "application/json", 422, "invalid"),
        ("other-id", b'{"title": "t", "id": "another"}', "application/json", 422, "invalid"),
        ("object", b'{"title": {"x": 1}}', "application/json", 422, "invalid"),
    ],
)
def test_a_wrong_article_is_a_clear_problem_and_nothing_is_stored(
    site: Service, key: dict[str, str], id: str, body: bytes, type: str, status: int, code: str
) -> None:
    changes = site.store.last_change(SITE)
    answer = site.client.put(f"{ARTICLES}/{quote(id, safe='')}", data=body, content_type=type, headers=key)
    problem(answer, status, code)
    assert len(answer.text) < 1_000
    assert site.store.last_change(SITE) == changes


JSONL = {"Content-Type": "application/x-ndjson"}


def test_every_line_of_a_bulk_has_its_answer_and_a_broken_one_harms_no_other(
    site: Service, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.publisher.AT_ONCE", 3)
    bad = [
        b'{"id": "b1"',
        b"\xff\xfe{}",
        b'{"title": "no id"}',
        b'{"id": "b7"}',
        b"[]",
        b'{"id": "dead-b", "title": "t"}',
    ]
    put(site, key, "dead-b")
    site.client.delete(f"{ARTICLES}/dead-b", headers=key)
    good = [json.dumps({"id": f"b-{n}", "title": f"Number {n}"}).encode() for n in range(len(bad))]
    lines = [line for pair in zip(good, bad, strict=True) for line in pair]
    answer = site.client.post(f"{ARTICLES}:bulk", data=b"\xef\xbb\xbf" + b"\r\n".join(lines), headers=key | JSONL)
    assert answer.status_code == 200
    made: Any = answer.json
    assert [made[name] for name in ("created", "updated", "unchanged", "refused")] == [6, 0, 0, 6]
    assert [line["line"] for line in made["lines"]] == list(range(1, 13))
    assert [line["article"] for line in made["lines"][::2]] == [f"b-{n}" for n in range(6)]
    codes = [line["code"] for line in made["lines"][1::2]]
    assert codes == ["malformed-json", "malformed-json", "invalid", "invalid", "invalid", "deleted-article"]
    assert all(line["detail"] and line["remedy"] for line in made["lines"][1::2])
    assert source(site, key, "b-5")["title"] == "Number 5"
    again: Any = site.client.post(f"{ARTICLES}:bulk", data=b"\n\n".join(good), headers=key | JSONL).json
    assert [again[name] for name in ("created", "updated", "unchanged", "refused")] == [0, 0, 6, 0]
    assert [line["line"] for line in again["lines"]] == [1, 3, 5, 7, 9, 11]


def test_of_equal_ids_in_a_bulk_the_last_one_stands(site: Service, key: dict[str, str]) -> None:
    lines = [{"id": "same", "title": title} for title in ("One", "Two", "Two", "Three")]
    made: Any = site.client.post(f"{ARTICLES}:bulk", data="\n".join(map(json.dumps, lines)), headers=key | JSONL).json
    assert [line["outcome"] for line in made["lines"]] == ["created", "updated", "unchanged", "updated"]
    assert source(site, key, "same")["title"] == "Three"


def test_a_bulk_has_bounds_of_its_own(site: Service, key: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.publisher.MAX_BULK_ARTICLES", 2)
    monkeypatch.setattr("web.api.publisher.MAX_ARTICLE_BYTES", 100)
    monkeypatch.setattr("web.api.publisher.MAX_BULK_BYTES", 1_000)
    post = f"{ARTICLES}:bulk"
    assert "3" in problem(site.client.post(post, data="{}\n{}\n{}", headers=key | JSONL), 422, "too-many-articles")
    problem(site.client.post(post, data=" \n\n", headers=key | JSONL), 422, "invalid")
    problem(site.client.post(post, data="x" * 1_001, headers=key | JSONL), 413, "body-too-large")
    problem(
        site.client.post(post, data="{}", headers=key | {"Content-Type": "text/csv"}), 415, "unsupported-media-type"
    )
    lines = [json.dumps({"id": "long-line", "title": "t" * 100}), json.dumps({"id": "short-line", "title": "t"})]
    made: Any = site.client.post(post, data="\n".join(lines), headers=key | JSONL).json
    assert [line["code"] for line in made["lines"]] == ["body-too-large", None]


@pytest.mark.parametrize(
    "id", ["news/2024/11?id=7&x=%41#top", "渡轮 🚢 é", "-411", "a//b", "x/source", "x:hide", ":bulk"]
)
def test_every_id_works_in_every_call(site: Service, key: dict[str, str], id: str) -> None:
    one = f"/{quote(id, safe='')}"
    assert put(site, key, id).json["article"] == id
    assert source(site, key, id)["id"] == id
    assert ask(site, key, "PATCH", one, json={"title": "t"}).json["outcome"] == "updated"
    assert ask(site, key, "POST", f"{one}:hide").json == {"article": id, "outcome": "hidden"}
    assert ask(site, key, "POST", f"{one}:show").json == {"article": id, "outcome": "shown"}
    assert ask(site, key, "DELETE", one).status_code == 204


def test_no_page_of_another_site_is_told_that_it_may_write(site: Service, key: dict[str, str]) -> None:
    assert "Access-Control-Allow-Origin" not in put(site, key, "cors").headers
    before = site.client.options(f"{ARTICLES}/cors", headers={"Origin": "https://news.example"})
    assert before.headers["Access-Control-Allow-Methods"] == "GET, POST"


def test_the_document_shows_each_call_with_an_example(site: Service) -> None:
    paths = site.get("/openapi.json")["paths"]
    one = paths[f"{ARTICLES}/{{article_id}}"]
    assert set(one) == {"get", "put", "patch", "delete"}
    assert one["put"]["requestBody"]["content"]["application/json"]["example"]["title"]
    assert {"401", "403", "410", "412", "413", "415", "422"} <= set(one["put"]["responses"])
    assert "404" not in one["put"]["responses"]
    assert "404" in one["patch"]["responses"]
    assert {"If-Match", "If-None-Match"} <= {about["name"] for about in one["put"]["parameters"]}
    assert "403" not in one["get"]["responses"]
    lines = paths[f"{ARTICLES}:bulk"]["post"]["requestBody"]["content"]["application/x-ndjson"]["example"]
    assert all(json.loads(line)["id"] for line in lines.splitlines())
    page = site.client.get("/docs").text
    assert "PATCH" in page
    assert "ArticleFields" in page


def test_a_put_article_is_understood_by_the_release_and_gone_when_it_is_hidden(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.serving.live.now_ms", lambda: NOW + HOUR)
    body = "striker penalty goal keeper coach league referee stadium defender midfield"
    with serving(copy_of(toy, tmp_path)) as service:
        key = bearer(service.store.add_token("cms", Scope.WRITE, SITE))
        assert put(service, key, "late", {"title": "Goal", "body": body, "published_at": NOW}).status_code == 201
        service.live.refresh()
        shown = service.get(f"{ARTICLES}/late")
        assert (shown["category"], shown["given"]) == ("football", False)
        assert {word for tag in shown["tags"]["stem"] for word in tag["tag"].split()} <= set(body.split())
        assert shown["tags"]["stem"]
        assert "late" in service.ids(reader="football-fan-03", k=3)
        service.client.post(f"{ARTICLES}/late:hide", headers=key)
        assert service.client.get(f"{ARTICLES}/late").status_code == 404
        assert "late" not in service.ids(reader="football-fan-03", k=50)
