"""Simulated readers of known tastes: what the demo runs on, and what a recommender can be judged against.

Reads articles and a seed; produces a ``SimulatedWorld`` that knows every taste, and the events that its readers make. A
reader has a taste per category and a favourite hour; an article has a quality, and loses its news value with age; a
card further down is looked at less often. Whatever is shown from this is called simulated.

Source: the position-based click model of Craswell et al. 2008, section 3; tastes from a Dirichlet distribution.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import DegenerateInput
from recsys.simulate.config import SimulateConfig
from recsys.store import Article, Event, Kind
from recsys.units import DAY_MS, HOUR_MS

READER_PREFIX = "simulated-"  # marks every simulated reader, so that nobody takes the figures for real ones
CONTEXT = json.dumps({"simulated": True})

CARDS = 8  # shown per visit, one below the other
TASTE_CONCENTRATION = 0.25  # small: most readers like one or two categories
BASE_LOGIT, TASTE_WEIGHT, QUALITY_WEIGHT = -3.0, 5.0, 0.6  # about one click in four cards that are looked at
_VISITS_PER_DAY = 3.0  # of each reader, on average (Poisson)
NEWS_HALF_LIFE_HOURS = 14.0
POSITION_DECAY = 0.5  # a card at position p is looked at with probability (1 + p) ** -POSITION_DECAY
READING_MS = (8_000, 120_000)

Float = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SimulatedWorld:
    """Truth that only the simulator knows. ``R`` readers, ``A`` articles, ``C`` categories.

    Attributes:
        articles: the articles, in row order.
        categories: their names.
        category: int64 (A,), each article's true category.
        quality: float64 (A,), how good it is, standard normal.
        published: int64 (A,), ms.
        reader_ids: R identifiers, each with ``READER_PREFIX``.
        language: R languages.
        taste: float64 (R, C), rows sum to 1.
        hour: float64 (R,), favourite hour of the day, UTC.
    """

    articles: list[Article]
    categories: list[str]
    category: Rows
    quality: Float
    published: Rows
    reader_ids: list[str]
    language: list[str]
    taste: Float
    hour: Float

    def click_probability(self, reader: int, rows: Rows, now: int) -> Float:
        """Chance of a click on each article if the reader looks at its card.

        Args:
            reader: row of the reader.
            rows: int64 (B,) rows of the articles.
            now: ms.

        Returns:
            float64 (B,).
        """
        taste = self.taste[reader, self.category[rows]]
        logit = BASE_LOGIT + TASTE_WEIGHT * taste + QUALITY_WEIGHT * self.quality[rows]
        return np.asarray(self.news_value(rows, now) / (1.0 + np.exp(-logit)), dtype=np.float64)

    def news_value(self, rows: Rows, now: int) -> Float:
        """Share of each article's news value that is left at ``now``: float64 (B,) in (0, 1]."""
        hours = np.maximum(now - self.published[rows], 0) / HOUR_MS
        return np.asarray(0.4 + 0.6 * 0.5 ** (hours / NEWS_HALF_LIFE_HOURS), dtype=np.float64)


def simulated_world(
    articles: Sequence[Article], truth: Mapping[str, str], config: SimulateConfig, rng: np.random.Generator
) -> SimulatedWorld:
    """Draw readers with tastes for articles whose true category is known.

    Args:
        articles: with ``published_at`` and ``language``.
        truth: article id -> true category.
        config: how many readers.
        rng: source of all randomness.

    Raises:
        DegenerateInput: there are no articles, or one without a time, a language or a category.
    """
    _check(articles, truth)
    categories = sorted({truth[article.id] for article in articles})
    category = np.array([categories.index(truth[article.id]) for article in articles])
    languages = np.array([article.language for article in articles])
    edition = rng.choice(np.unique(languages), size=config.readers)
    taste = np.zeros((config.readers, len(categories)))
    for row, language in enumerate(edition):
        known = np.unique(category[languages == language])
        taste[row, known] = rng.dirichlet(np.full(len(known), TASTE_CONCENTRATION))
    return SimulatedWorld(
        articles=list(articles),
        categories=categories,
        category=category,
        quality=rng.standard_normal(len(articles)),
        published=np.array([article.published_at for article in articles], dtype=np.int64),
        reader_ids=[f"{READER_PREFIX}{number:04d}" for number in range(config.readers)],
        language=[str(language) for language in edition],
        taste=taste,
        hour=rng.normal(12.0, 4.0, size=config.readers) % 24,
    )


def _check(articles: Sequence[Article], truth: Mapping[str, str]) -> None:
    if not articles:
        raise DegenerateInput("articles to simulate readers of", "none", "Import some, or use the demo newsroom.")
    for article in articles:
        if article.published_at is None or article.language is None or article.id not in truth:
            expected = "a publication time, a language and a true category of every article"
            raise DegenerateInput(expected, f"{article.id!r} without one", "Complete it.")


def visits(
    world: SimulatedWorld,
    config: SimulateConfig,
    start: int,
    end: int,
    rng: np.random.Generator,
    *,
    cards: int = CARDS,
) -> Iterator[list[Event]]:
    """Let every reader visit the site, and write down what was shown and clicked.

    The site that they visit has no recommender: it shows cards drawn by news value, in their language.

    Args:
        world: see ``simulated_world``.
        config: readers and days.
        start: ms, the first possible visit.
        end: ms, after the last possible event.
        rng: source of all randomness.
        cards: shown per visit.

    Yields:
        The events of one visit, in time order; visits are in time order too.
    """
    for number, (moment, reader) in enumerate(visit_times(world, config, start, end, rng)):
        rows = _cards(world, reader, moment, cards, rng)
        if len(rows):
            clicked = rng.random(len(rows)) < attention(len(rows)) * world.click_probability(reader, rows, moment)
            yield events_of(world, reader, rows, clicked, moment, number, end, rng)


def attention(cards: int) -> Float:
    """Chance that each card of a list is examined, from the top: float64 (cards,) in (0, 1]."""
    return np.asarray((1.0 + np.arange(cards)) ** -POSITION_DECAY, dtype=np.float64)


def visit_times(
    world: SimulatedWorld, config: SimulateConfig, start: int, end: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Draw when each reader visits the site, around their favourite hour.

    Args:
        world: see ``simulated_world``.
        config: visits per day.
        start: ms, the first possible visit.
        end: ms, after the last possible event.
        rng: source of all randomness.

    Returns:
        (ms, row of the reader) of each visit, in time order.
    """
    times: list[tuple[int, int]] = []
    first_day = start - start % DAY_MS
    for reader in range(len(world.reader_ids)):
        for day in range(first_day, end, DAY_MS):
            hours = rng.normal(world.hour[reader], 2.5, size=rng.poisson(_VISITS_PER_DAY)) % 24
            times += [(int(day + hour * HOUR_MS), reader) for hour in hours]
    return sorted((moment, reader) for moment, reader in times if start <= moment < end - READING_MS[1])


def _cards(world: SimulatedWorld, reader: int, now: int, cards: int, rng: np.random.Generator) -> Rows:
    language = np.array([article.language == world.language[reader] for article in world.articles])
    live = np.flatnonzero(language & (world.published <= now))
    weight = world.news_value(live, now) ** 2
    size = min(cards, len(live))
    return rng.choice(live, size=size, replace=False, p=weight / weight.sum()) if size else live


def events_of(
    world: SimulatedWorld,
    reader: int,
    rows: Rows,
    clicked: npt.NDArray[np.bool_],
    moment: int,
    number: int,
    end: int,
    rng: np.random.Generator,
) -> list[Event]:
    """Write down one visit: the cards shown, then each click with the time that reading took.

    Args:
        world: see ``simulated_world``.
        reader: row of the reader.
        rows: int64 (B,), articles shown, from the top.
        clicked: bool (B,), which of them are opened.
        moment: ms, when the list is shown.
        number: of the visit; no other visit at this moment may have it.
        end: ms, after the last possible event.
        rng: decides when a card is clicked and how long it is read.

    Returns:
        The events, in time order.
    """
    visit = f"{READER_PREFIX}visit-{moment}-{number}"
    events = [_event(world, reader, visit, Kind.IMPRESSION, rows, place, moment) for place in range(len(rows))]
    for place in np.flatnonzero(clicked).tolist():
        moment += int(rng.integers(2_000, 10_000))
        events.append(_event(world, reader, visit, Kind.CLICK, rows, place, moment))
        reading = int(rng.integers(*READING_MS))
        moment = min(moment + reading, end)
        events.append(_event(world, reader, visit, Kind.DWELL, rows, place, moment, dwell_ms=reading))
    return events


def _event(
    world: SimulatedWorld, reader: int, visit: str, kind: Kind, rows: Rows, place: int, time: int, **more: Any
) -> Event:
    return Event(
        event_id=f"{visit}-{kind}-{place}",
        site=world.articles[0].site,
        kind=kind,
        article=world.articles[int(rows[place])].id,
        reader=world.reader_ids[reader],
        session=visit,
        time=time,
        slot="front",
        position=place,
        impression=visit,
        dwell_ms=more.get("dwell_ms"),
        context=CONTEXT,
    )
