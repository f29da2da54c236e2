"""Editors' pins, boosts and buries by calls: in the lists of every worker at once, until they end by the clock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.units import HOUR_MS, now_ms
from tests.service import Service, four


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, newest first a1, a2, a3, a4."""
    with four(tmp_path) as service:
        yield service


def ask(site: Service, method: str, path: str, body: Any = None, by: str = "ann") -> Any:
    site.store.revoke_token(by)
    headers = {"Authorization": f"Bearer {site.store.add_token(by)}"}
    return site.client.open(f"/admin/api{path}", method=method, headers=headers, json=body)


def decide(site: Service, verb: str, name: str, **more: Any) -> Any:
    answer = ask(site, "POST", f"/articles/{name}:{verb}", {"until": now_ms() + HOUR_MS} | more)
    assert answer.status_code == 200, answer.text
    return answer.json


def end(site: Service, verb: str, name: str) -> str:
    answer = ask(site, "POST", f"/articles/{name}:un{verb}")
    assert answer.status_code == 200, answer.text
    return str(answer.json["outcome"])


def test_a_pin_stands_at_its_place_in_the_very_next_answer(site: Service) -> None:
    made = decide(site, "pin", "a4", place=1)
    assert (made["article"], made["place"], made["slot"], made["set_by"]) == ("a4", 1, None, "token ann")
    items = site.get("/api/v1/recommendations", include="scores")["items"]
    assert [item["id"] for item in items] == ["a4", "a1", "a2", "a3"]
    reason = items[0]["reason"]
    assert (reason["kind"], reason["text"]) == ("editors_choice", "Editors' choice")
    assert (items[0]["score"], items[0]["score_kind"]) == (0.0, "none")
    assert site.get("/api/v1/recommendations", lang="zh")["items"] != []
    assert end(site, "pin", "a4") == "ended"
    assert site.ids() == ["a1", "a2", "a3", "a4"]
    assert end(site, "pin", "a4") == "as before"
