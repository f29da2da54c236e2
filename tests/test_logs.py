"""Log lines: one order of keys in both forms, the worker's number, request ids, and no secret and no reader."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from recsys import logs
from recsys.errors import StoreError
from recsys.store import Scope
from tests.newsroom import SITE
from tests.service import Service, four, problem
from web.process import __main__ as parent
from web.worker import number_of


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged as JSON in worker 2, and nothing of it afterwards."""
    written = io.StringIO()
    monkeypatch.setattr(logs, "stderr_logger", lambda *_: structlog.PrintLogger(written))
    monkeypatch.setattr(logs, "_facts", {})
    logs.configure("json", worker=2)
    yield written
    structlog.reset_defaults()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    with four(tmp_path) as service:
        yield service


def test_the_keys_stand_in_one_order_whoever_logs(lines: io.StringIO) -> None:
    log = structlog.get_logger("x")
    log.warning("late", zebra=1, stage="items", request_id="r1", articles=3)
    log.info("done", stage="items", job="all")
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert list(first) == ["at", "level", "event", "worker", "request_id", "stage", "zebra", "articles"]
    assert list(second) == ["at", "level", "event", "worker", "job", "stage"]
    assert (first["level"], first["worker"], first["at"][-1]) == ("warning", 2, "Z")
    logs.configure("text")
    structlog.get_logger("x").info("done", zebra=True, stage="items")
    assert "level=info event=done worker=2 stage=items zebra=true" in lines.getvalue().splitlines()[-1]


def test_no_secret_and_no_reader_comes_into_a_line_whoever_logs_it(lines: io.StringIO) -> None:
    log = structlog.get_logger("x")
    try:
        raise ValueError("Authorization: Bearer s3cr3t-1 at /api/v1/recommendations?reader=s3cr3t-2&k=3")
    except ValueError:
        log.exception("broken", reader="s3cr3t-3", token="s3cr3t-4", password="s3cr3t-5", session=None)
    log.info("Cookie: recsys_session=s3cr3t-6; a=b", Path="?k=1&session=s3cr3t-7")
    broken, plain = (json.loads(line) for line in lines.getvalue().splitlines())
    assert "s3cr3t" not in lines.getvalue()
    assert (broken["reader"], broken["session"]) == (logs.MASK, None)
    assert "k=3" in broken["exception"]
    assert "a=b" in plain["event"]


def test_a_refusal_and_its_line_have_the_request_s_id_and_no_reader(
    site: Service, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("of reader ann-1234 nothing is said by us")  # the words of a library are its own

    monkeypatch.setattr(site.store, "token", broken)
    headers = {"Authorization": "Bearer s3cr3t", "X-Request-ID": "proxy-7"}
    answer = site.client.delete("/admin/api/readers/bob-1234", headers=headers)
    problem(answer, 500, "internal")
    line = json.loads(lines.getvalue().splitlines()[-1])
    assert answer.json is not None
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] == line["request_id"] == "proxy-7"
    assert (line["route"], line["worker"]) == ("/admin/api/readers/<path:reader>", 2)
    assert "bob-1234" not in lines.getvalue()
    assert "s3cr3t" not in lines.getvalue()


def test_an_id_that_could_break_a_line_is_made_anew(site: Service) -> None:
    for odd in ("a b", "x" * 65, "", "a\tb"):
        answer = site.client.get("/admin/api/runs", headers={"X-Request-ID": odd})
        assert answer.headers["X-Request-ID"] not in (odd, "")
    assert len({site.client.get("/admin/api/runs").headers["X-Request-ID"] for _ in range(3)}) == 3
    assert "X-Request-ID" not in site.client.get("/api/v1/today").headers


def test_a_change_is_one_line_with_who_and_where_and_reading_is_none(site: Service, lines: io.StringIO) -> None:
    token = site.store.add_token("desk", Scope.EDITOR, SITE)
    headers = {"Authorization": f"Bearer {token}"}
    site.client.get("/admin/api/editorial", headers=headers)
    site.client.post("/admin/api/articles/a1/hide", headers=headers)
    (line,) = [json.loads(text) for text in lines.getvalue().splitlines() if '"request"' in text]
    facts = {name: line[name] for name in ("method", "route", "status", "actor")}
    route = "/admin/api/articles/<path:article_id>/hide"
    assert facts == {"method": "POST", "route": route, "status": 200, "actor": "token desk"}
    structlog.get_logger("x").info("later")
    assert "request_id" not in json.loads(lines.getvalue().splitlines()[-1])


def test_what_a_database_was_asked_stays_out_of_its_errors(site: Service) -> None:
    with pytest.raises(StoreError) as raised, site.store.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere WHERE reader = ?", ("ann-1234",))
    assert "ann-1234" not in str(raised.value) + str(raised.value.__cause__)


def test_a_worker_and_its_successor_have_one_number() -> None:
    assert [number_of(place, 3) for place in range(3)] == [1, 2, 3]
    assert [number_of(3 + 1 + place, 3) for place in range(3)] == [1, 2, 3]


def test_the_parent_speaks_json_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    parent._say_json('worker "1" is ready')
    line: dict[str, Any] = json.loads(capsys.readouterr().err)
    assert list(line) == ["at", "level", "event"]
    assert line["event"] == 'worker "1" is ready'
