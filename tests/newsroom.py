"""A toy newsroom with a known answer.

Two topics of eight articles, two camps of readers. Every reader has clicked every article of their topic but one; the
one withheld must be recommended. Texts are drawn from the topic's own words, so that content alone knows the topics.
"""

import fcntl
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.publish import publish
from jobs.runner import Context, open_store, run_stages
from jobs.runs import exclusive_run
from jobs.stages import stage_of
from recsys.releases import Release
from recsys.runs.stages import STAGES
from recsys.settings import Settings
from recsys.store import Article, Event, Kind

SITE = "toy"
NOW = 1_790_000_000_000
HOUR = 3_600_000
TOPICS: Mapping[str, str] = {
    "football": "goal striker keeper penalty coach league referee stadium defender midfield header season club",
    "markets": "shares bonds inflation interest investor dividend currency profit central deficit exports loan",
}
ARTICLES_A_TOPIC = 8
READERS_A_CAMP = 24
QUICK: dict[str, Any] = {
    "site": {"id": SITE, "name": "Toy", "timezone": "UTC", "language": "en"},
    "words": {"embedding_dim": 16, "epochs": 20, "min_count": 1},
    "items": {"embedding_dim": 8, "epochs": 60},
    "ctr": {"epochs": 30, "batch_size": 32},
    "features": {"refits": 2},
}


@dataclass(frozen=True)
class Toy:
    """The toy newsroom after training.

    Attributes:
        settings: its configuration; ``data_dir`` is where everything stands.
        withheld: reader id -> the article of their topic that they have not seen.
        topic: article id -> topic.
    """

    settings: Settings
    withheld: dict[str, str]
    topic: dict[str, str]

    @property
    def context(self) -> Context:
        """A command line's context in this newsroom."""
        return Context(self.settings, seed=1)

    def release(self) -> Release:
        """The live release."""
        return self.context.releases.open()


def toy_settings(folder: Path, **changes: Any) -> Settings:
    """Quick settings that write below ``folder``."""
    return Settings(**({"data_dir": folder} | QUICK | changes))


def toy_articles(rng: np.random.Generator) -> list[Article]:
    """Sixteen articles of thirty words; two of each topic come without a category."""
    made: list[Article] = []
    for topic, words in TOPICS.items():
        for number in range(ARTICLES_A_TOPIC):
            text = [str(word) for word in rng.choice(words.split(), size=30)]
            made.append(
                Article(
                    id=f"{topic}-{number}",
                    site=SITE,
                    title=" ".join(text[:4]),
                    body=" ".join(text[4:]),
                    language="en",
                    category=topic if number < ARTICLES_A_TOPIC - 2 else None,
                    published_at=NOW - 48 * HOUR + number * HOUR,
                )
            )
    return made


def toy_events(rng: np.random.Generator) -> tuple[list[Event], dict[str, str]]:
    """Every reader's visits: a card of each topic, a click on their own; and who has not seen what."""
    events: list[Event] = []
    withheld: dict[str, str] = {}
    for camp, topic in enumerate(TOPICS):
        other = list(TOPICS)[1 - camp]
        for number in range(READERS_A_CAMP):
            reader = f"{topic}-fan-{number:02d}"
            missing = number % ARTICLES_A_TOPIC
            withheld[reader] = f"{topic}-{missing}"
            start = NOW - 24 * HOUR + int(rng.integers(0, 12 * HOUR))
            order = [row for row in rng.permutation(ARTICLES_A_TOPIC).tolist() if row != missing]
            for step, row in enumerate(order):
                time = start + step * 60_000
                cards = [f"{topic}-{row}", f"{other}-{int(rng.integers(ARTICLES_A_TOPIC))}"]
                events += _visit(reader, f"{reader}-{step}", time, cards, f"{topic}-{row}")
    return events, withheld


def _visit(reader: str, impression: str, time: int, cards: list[str], clicked: str) -> list[Event]:
    shown = [
        Event(f"{impression}-i{place}", SITE, Kind.IMPRESSION, card, reader, reader, time, "front", place, impression)
        for place, card in enumerate(cards)
    ]
    place = cards.index(clicked)
    click = Event(
        f"{impression}-c", SITE, Kind.CLICK, clicked, reader, reader, time + 5_000, "front", place, impression
    )
    return [*shown, click]


def fill_almost_nothing(settings: Settings) -> None:
    """A site that can be trained and has nothing to learn from: one card was shown once, of an article without text."""
    store = open_store(settings)
    store.add_events([Event("only", SITE, Kind.IMPRESSION, "somewhere-else", "somebody", time=NOW)])
    store.close()


def fill_toy(settings: Settings) -> dict[str, str]:
    """Store the toy's articles and events; returns reader id -> withheld article."""
    rng = np.random.default_rng(7)
    articles = toy_articles(rng)
    events, withheld = toy_events(rng)
    store = open_store(settings)
    try:
        store.put_articles(articles)
        store.add_events(events)
    finally:
        store.close()
    return withheld


def train(settings: Settings, seed: int = 1, *, drawn: bool = False) -> str:
    """Make every stage and publish; returns the release's name.

    Args:
        settings: of the site.
        seed: of all randomness.
        drawn: with the report's charts, which take as long as everything else.
    """
    context = Context(settings, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        if not drawn:
            patch.setattr("recsys.report.charts.as_svg", lambda _: "<svg></svg>")
        run_stages(context, [stage_of(name) for name in STAGES])
    return published(context)


def published(context: Context, stages: Sequence[str] = tuple(STAGES), *, force: bool = False) -> str:
    """Publish the stages in a run of its own; returns the live release's name."""
    with exclusive_run(context, "publish", None) as run:
        return publish(context, stages, run, force=force)


def build_toy(folder: Path) -> Toy:
    """Fill, train and publish the toy newsroom below ``folder``, if no other process of the session has done it."""
    settings, done = toy_settings(folder), folder / "toy.json"
    folder.mkdir(exist_ok=True)
    with (folder / "toy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not done.exists():
            withheld = fill_toy(settings)
            train(settings, drawn=True)
            done.write_text(json.dumps(withheld))
    topic = {f"{name}-{number}": name for name in TOPICS for number in range(ARTICLES_A_TOPIC)}
    return Toy(settings, json.loads(done.read_text()), topic)
