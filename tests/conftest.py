"""Fixtures that every test may use: a toy newsroom with a known answer, and the real data beside the project."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from selenium.webdriver import Chrome

from recsys.imports import Target
from recsys.imports.tables import Limits
from recsys.store import Store
from recsys.store.migrate import upgrade
from tests.browser import Api, HandNewsroom, articles, chromium, has_crashed
from tests.migrated import repeated
from tests.newsroom import Toy, build_toy
from tests.postgres_server import postgresql_server

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_configuration_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own RECSYS_… variables must not decide what the tests see."""
    for name in [name for name in os.environ if name.startswith("RECSYS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that a test calls in this process sets the logging up, which is no other test's affair."""
    yield
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The commands of the documents begin first: run one after the other, they take longest."""
    items.sort(key=lambda item: item.path.name != "test_docs.py")


def pytest_collection_finish() -> None:
    """The collector does not look through the modules and the list of tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _quick_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that start do not give memory back, which takes longer than everything else of a small site's start."""
    monkeypatch.setattr("recsys.serving.live.give_back", lambda: None)


@pytest.fixture(scope="session", autouse=True)
def _quick_migrations() -> Iterator[None]:
    """Empty databases get their tables by statements that were worked out once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recsys.store.engine.upgrade", repeated(upgrade))
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server, one for all tests of a process."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The toy newsroom, trained and published once for all processes of the session; do not write to it."""
    base = tmp_path_factory.getbasetemp()
    return build_toy((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "the-toy")


@pytest.fixture(scope="session")
def living_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Chrome]]:
    """One browser for all tests of a process, and another one after a crash, which so costs one test."""
    opened: list[Chrome] = []

    def living() -> Chrome:
        if not opened or has_crashed(opened[-1]):
            opened.append(chromium(tmp_path_factory.mktemp("profile")))
        return opened[-1]

    yield living
    for driver in opened:
        driver.quit()


@pytest.fixture
def browser(living_browser: Callable[[], Chrome]) -> Chrome:
    """A browser that answers."""
    return living_browser()


@pytest.fixture
def api() -> Api:
    """The recommender's answers over the hand-made newsroom."""
    return Api(HandNewsroom(articles(int(time.time() * 1000))))


@pytest.fixture
def shared_data() -> Path:
    """The folder of the real data; the test is skipped where it is not."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data is not at {SHARED}")
    return SHARED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty SQLite store in the test's own folder."""
    opened = Store.open(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


@pytest.fixture
def target(store: Store, tmp_path: Path) -> Target:
    """Destination of an import: the store, three records per batch."""
    return Target(store, "daily", tmp_path / "rejects", Limits(batch_rows=3))
