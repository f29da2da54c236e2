"""The feed as a property: whatever happens in whatever order, what is served is a function of the store.

A worker that has lived through everything, restarts and releases included, and one that has just begun answer alike as
soon as everything is polled.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from recsys.catalogue.articles import NO_NAMES, ArticleAnnotations
from recsys.catalogue.released import ReleasedCatalogue, write_catalogue
from recsys.errors import InputError
from recsys.items.online import fixed_items
from recsys.serving import release_loader
from recsys.serving.artefacts import ReleaseArtefacts, no_artefacts
from recsys.serving.config import ServingSettings
from recsys.serving.live import LiveState
from recsys.settings import Settings
from recsys.store import Article, Event, Kind, Store
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, SECOND_MS
from tests.newsroom import NOW, SITE, TOPICS, toy_settings
from tests.service import article, plain_settings

ARTICLES = 6
READERS = ("ann", "bob")
_number = st.integers(0, ARTICLES - 1)
_reader = st.sampled_from([*READERS, None])
LASTING = st.one_of(
    *(st.tuples(st.just(verb), _number) for verb in ("put", "change", "hide", "show", "delete")),
    *(st.tuples(st.just(kind), _number, _reader) for kind in ("click", "click", "impression", "dismiss", "accept")),
    st.tuples(st.just("ask"), _reader),
    *(st.tuples(st.just(verb)) for verb in ("poll", "poll", "later", "release", "restart", "restart with checkpoint")),
)


OPERATIONS = LASTING | st.tuples(st.just("forget"), st.sampled_from(READERS))
LIVES = st.one_of(*(st.lists(operations, min_size=20, max_size=40) for operations in (LASTING, OPERATIONS)))


class Served(NamedTuple):
    """Everything that two workers over one store must agree in."""

    showable: set[str]
    listed: set[str]
    similar: set[str]
    today: list[tuple[str, int]]
    clicks: dict[str, int]
    lists: list[set[str]]


def written(number: int, changes: int) -> Article:
    """An article after some changes."""
    words = list(TOPICS.values())[number % 2].split()
    body = " ".join(np.random.default_rng(number).choice(words, 30))
    title = f"{words[number]} {words[-number]} {changes}"
    return article(f"n{number}", title=title, body=body, published_at=NOW - (number + 1) * HOUR_MS)


class Newsroom:
    """A store, its releases, and one worker that lives through everything."""

    def __init__(self, settings: Settings, elsewhere: Path) -> None:
        self.settings, self._elsewhere = settings, elsewhere
        self.now = NOW
        self.store = Store.open(settings.database_url, settings.store)
        self.releases = Prepared(settings.data_dir / "prepared")
        self.events = 0
        self.put: dict[int, int] = {}
        self.worker = self.start(settings)

    def start(self, settings: Settings) -> LiveState:
        releases: Any = self.releases
        return LiveState(settings, self.store, releases, lambda: self.now)

    def close(self) -> None:
        self.worker.close()
        self.store.close()

    def do(self, verb: str, *what: Any) -> None:
        """One thing that happens, in the store or to the worker, a second after the last one."""
        self.now += SECOND_MS
        if verb in ("put", "change"):
            self._put(what[0], verb)
        elif verb in ("hide", "show", "delete"):
            with suppress(InputError):
                self._operate(verb, f"n{what[0]}")
        elif verb in ("click", "impression", "dismiss", "accept"):
            self._happen(verb, *what)
        elif verb == "forget":
            self.store.forget_reader(SITE, what[0], "ann")
        elif verb == "ask":
            listed(self.worker, what[0])
        elif verb == "later":
            self.now += HOUR_MS
        elif verb == "release":
            self._release()
        elif verb == "poll":
            self.poll()
        else:
            self._restart(with_checkpoint=verb != "restart")

    def poll(self) -> None:
        """What the thread that polls does, once."""
        live = self.worker
        for step in (live.forget, live.catch_up, live.refresh, live._look_for_release):
            step()
        if live._builder is not None:
            live._builder.join()

    def fresh(self) -> LiveState:
        """A worker that starts now, without a checkpoint."""
        changes: dict[str, Any] = {"store": {"url": self.settings.database_url}, "web": {"poll_seconds": 60.0}}
        return self.start(toy_settings(self._elsewhere, **changes))

    def _put(self, number: int, verb: str) -> None:
        changes = self.put[number] = self.put.get(number, 0) + (verb == "change")
        self.store.put_articles([written(number, changes)])

    def _operate(self, verb: str, name: str) -> None:
        if verb != "show" or self.store.article(SITE, name) is not None:
            getattr(self.store, f"{verb}_article")(SITE, name, "ann")

    def _happen(self, kind: str, number: int, reader: str | None) -> None:
        if self.store.article(SITE, f"n{number}") is None:
            return
        self.events += 1
        named = Kind.CLICK if kind == "accept" else Kind(kind)
        one = Event(f"e{self.events}", SITE, named, f"n{number}", reader, f"s {reader}", self.now)
        if kind == "accept":
            self.worker.accept([one])
        else:
            self.store.add_events([one])

    def _release(self) -> None:
        if self.releases.names():
            self.releases.live = "second" if self.releases.live == "first" else "first"
        else:
            self.worker._take_over(None)

    def _restart(self, *, with_checkpoint: bool) -> None:
        if with_checkpoint and self.worker.release is not None:
            self.worker._checkpoints.write(self.worker._frame.state, self.worker._turn)
        self.worker = self.start(self.settings)


def listed(live: LiveState, reader: str | None) -> set[str]:
    answer = live.recommend(reader, f"s {reader}" if reader else None, article=None, k=50, lang=None)
    return {answer.catalogue.ids[card.row] for card in answer.recommendation.cards}


def served(live: LiveState, now: int, *, somebody_was_forgotten: bool) -> Served:
    """Everything that a worker serves; counts keep the clicks of those who were forgotten, and a release loses them."""
    catalogue = live.catalogue
    clicks = live._frame.state.recommender.trends.state.total[:, 1]
    eligible = catalogue.eligible(now)
    names = np.array(list(catalogue.ids))
    shown = np.flatnonzero(eligible.showable[: len(names)])
    similar = set[str]()
    for name in sorted(names.tolist()):
        with suppress(InputError):
            cards, of, _ = live.similar(name, 50)
            similar |= {of.ids[card.row] for card in cards}
    today = live.today(50, None)
    return Served(
        set(names[shown]),
        set(names[eligible.listed.mask()[: len(names)]]),
        similar,
        [(today.catalogue.ids[row], people) for row, people in today.ranked],
        {} if somebody_was_forgotten else {names[row]: int(clicks[row]) for row in shown},
        [listed(live, reader) for reader in (*READERS, None)],
    )


@contextmanager
def newsroom(template: Path) -> Iterator[Newsroom]:
    """A newsroom of its own: the database is copied, what a release holds is shared."""
    with tempfile.TemporaryDirectory() as own:
        folder = Path(own) / "here"
        shutil.copytree(template, folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(release_loader, "load_artefacts", Prepared(folder / "prepared").load)
            here = Newsroom(plain_settings(folder), Path(own) / "elsewhere")
            patch.setattr("recsys.store.forgetting.now_ms", lambda: here.now)
            yield here
            here.close()


def check(template: Path, operations: Sequence[tuple[Any, ...]]) -> None:
    with newsroom(template) as here:
        for operation in (*operations, ("poll",)):
            here.do(*operation)
        forgot = any(verb == "forget" for verb, *_ in operations)
        lived, fresh = (served(one, here.now, somebody_was_forgotten=forgot) for one in (here.worker, here.fresh()))
        assert lived == fresh
        stored = {one.id for one in here.store.articles(SITE) if not one.hidden}
        for part in (lived.showable, lived.listed, lived.similar, *lived.lists, {name for name, _ in lived.today}):
            assert part <= stored, "what is hidden or deleted is in no answer"


class Prepared:
    """Two releases that nobody trained: catalogues that were laid out, without models."""

    def __init__(self, root: Path) -> None:
        self._root, self.live = root, "first"

    def names(self) -> list[str]:
        return ["first", "second"] if self._root.is_dir() else []

    def damaged(self) -> list[str]:
        return []

    def current(self) -> str | None:
        return self.live if self.names() else None

    def open(self, name: str) -> str:
        return name

    def load(self, name: str, settings: ServingSettings) -> ReleaseArtefacts:
        catalogue = ReleasedCatalogue.load(self._root / name)
        nothing = no_artefacts(settings)
        vectors = np.zeros((len(catalogue), 2), np.float32)
        trends = Trends(len(catalogue), settings.trends, settings.events.session_gap_minutes)
        items = fixed_items(vectors)
        return replace(
            nothing, release=name, catalogue=catalogue, items=items, article_vectors=vectors.copy(), trends=trends
        )


@pytest.fixture(scope="module")
def without_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of three articles and no release."""
    folder = tmp_path_factory.mktemp("plain")
    with closing(Store.open(plain_settings(folder).database_url)) as store:
        store.put_articles([written(number, 0) for number in range(3)])
    return folder


@pytest.fixture(scope="module")
def with_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with two releases: of two articles, and of all in another order."""
    folder = tmp_path_factory.mktemp("released")
    with closing(Store.open(plain_settings(folder).database_url)) as store:
        for name, numbers in {"first": [0, 1], "second": [2, 1, 0]}.items():
            articles = [written(number, 0) for number in numbers]
            store.put_articles(articles)
            made = [(one, ArticleAnnotations("en"), NO_NAMES) for one in articles]
            at = folder / "prepared" / name
            at.mkdir(parents=True)
            ids, change = [one.id for one in articles], store.last_change(SITE)
            write_catalogue(at, ids, made, {}, {}, site=SITE, categories=[], change=change)
    return folder


QUICK = settings(
    phases=(Phase.explicit, Phase.generate), deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@settings(QUICK, max_examples=6)
@given(LIVES)
@example(
    operations=[("click", 2, "bob"), ("accept", 0, "ann"), ("forget", "bob"), ("release",)]
)  # forgotten while it was laid out
def test_without_a_release_what_is_served_is_a_function_of_the_store(
    without_release: Path, operations: list[tuple[Any, ...]]
) -> None:
    check(without_release, operations)


@settings(QUICK, max_examples=10)
@given(LIVES)
@example(operations=[("forget", "bob"), ("accept", 1, "bob")])  # who comes back before the worker has heard of it
@example(operations=[("accept", 0, "bob"), ("forget", "bob"), ("accept", 1, "bob"), ("poll",), ("release",)])
def test_over_releases_and_checkpoints_what_is_served_is_a_function_of_the_store(
    with_releases: Path, operations: list[tuple[Any, ...]]
) -> None:
    check(with_releases, operations)
