"""The service in this process, over a database of its own: an application, its client and its store."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recsys.config import plain
from recsys.serving.live import LiveState
from recsys.serving.reader_tokens import ReaderTokens
from recsys.settings import Settings
from recsys.store import Article, Store
from recsys.units import now_ms
from tests.newsroom import SITE, Toy, toy_settings
from web.app import close_app, create_app
from web.installation import KEY

HOUR = 3_600_000


@dataclass(frozen=True)
class Service:
    """One running application."""

    settings: Settings
    client: FlaskClient
    store: Store
    live: LiveState

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.client.get(path, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def proof(self, reader: str, seconds: int = 3600) -> dict[str, str]:
        """The header that proves a reader, signed as a site's server does."""
        token = ReaderTokens(self.settings.data_dir, self.settings.site.id).make(reader, seconds)
        assert token is not None
        return {"Reader-Token": token}

    def of_reader(self, reader: str, path: str, **query: Any) -> Any:
        """The JSON of an answer to that reader, which must be 200."""
        answer = self.client.get(path, query_string=query, headers=self.proof(reader))
        assert answer.status_code == 200, answer.text
        return answer.json

    def tags_of(self, reader: str, **query: Any) -> Any:
        """A reader's tags, as they are answered to themselves."""
        return self.of_reader(reader, f"/api/v1/readers/{reader}/tags", **query)

    def ids(self, **query: Any) -> list[str]:
        """The ids of a recommended list."""
        return [item["id"] for item in self.get("/api/v1/recommendations", **query)["items"]]

    def click(self, article: str, **more: Any) -> Any:
        """Post one click that must be accepted."""
        event = {"event_id": f"{article}-{more}", "kind": "click", "article": article} | more
        answer = self.client.post("/api/v1/events", json=event)
        assert answer.status_code == 202, answer.text
        return answer.json


@contextmanager
def serving(settings: Settings) -> Iterator[Service]:
    """Run an application for the length of a block."""
    app = create_app(settings)
    try:
        here = app.extensions[KEY]
        yield Service(settings, app.test_client(), here.store, here.live)
    finally:
        close_app(app)


def plain_settings(folder: Path, **web: Any) -> Settings:
    """A site without a release, whose worker polls only when it is told to, and to which only its own systems post."""
    return toy_settings(folder, web={"poll_seconds": 60.0} | web, events={"unsigned": "trust"})


def copy_of(toy: Toy, folder: Path, **web: Any) -> Settings:
    """The trained toy newsroom in a folder that a test may write to."""
    shutil.copytree(toy.settings.data_dir, folder, dirs_exist_ok=True)
    return plain_settings(folder, **web)


def for_children(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes read the same settings, as they do in service."""
    file = settings.data_dir / "config.yaml"
    file.write_text(json.dumps(plain(settings)), encoding="utf-8")  # JSON is YAML
    monkeypatch.setenv("RECSYS_CONFIG", str(file))


def article(name: str, **more: Any) -> Article:
    """An English article, published an hour ago."""
    facts: dict[str, Any] = {"title": f"Title of {name}", "language": "en", "published_at": now_ms() - HOUR}
    return Article(name, SITE, **(facts | more))


def fill(settings: Settings, *articles: Article) -> None:
    """Put articles into a site's database."""
    store = Store.open(settings.database_url, settings.store)
    store.put_articles(articles)
    store.close()


FOUR = [article(f"a{n}", category="x" if n % 2 else "y", published_at=now_ms() - n * HOUR) for n in range(1, 5)]


@contextmanager
def four(folder: Path, **web: Any) -> Iterator[Service]:
    """Run an application over four articles, without a click and without a release."""
    settings = plain_settings(folder, **web)
    fill(settings, *FOUR)
    with serving(settings) as service:
        yield service


def problem(answer: Any, status: int, code: str) -> str:
    """Check that an answer is a problem; returns its detail."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert set(answer.json) >= {"type", "title", "status", "code", "detail", "remedy"}
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert "Traceback" not in answer.text
    return str(answer.json["detail"])
