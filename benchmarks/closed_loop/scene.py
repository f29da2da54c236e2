"""A scene: the readers, their visits and the articles of a run, the same for every arm that serves them.

What chance decides about a visit (which cards are looked at, how much it takes for an article to be opened, how long it
is read) is drawn from the seed and the visit's number alone, so that two arms that show a card at the same place of the
same visit get the same answer (common random numbers).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.newsroom import published
from benchmarks.closed_loop.outcomes import Promise, dismissals, promise, read_events
from recsys.simulate import CARDS, SimulatedWorld, attention, events_of, simulated_world, visit_times, visits
from recsys.simulate.config import SimulateConfig
from recsys.store import Event, Kind
from recsys.units import DAY_MS

START = 1_735_689_600_000  # ms: midnight UTC, 1 January 2025
STOCK_DAYS = 2  # of articles before the first reader comes

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Visit(NamedTuple):
    """One visit: its number, when (ms) and whose (row of the reader)."""

    number: int
    moment: int
    reader: int


class Answer(NamedTuple):
    """Clicks of a reader on a list of B cards.

    Attributes:
        looked: bool (B,), cards that are looked at.
        clicked: bool (B,), those of them that are opened.
        events: the impressions first; dismissals last, the others in time order.
    """

    looked: Mask
    clicked: Mask
    events: list[Event]


@dataclass(frozen=True)
class Scene:
    """A reader's world with its calendar. The warm-up is the day before ``start``, on a site without recommender.

    Attributes:
        world: the truth.
        visits: of all readers, in time order, from ``start`` on.
        warm_up: the events of the day before.
        cards: shown per visit.
        start: ms, midnight of the first day that is judged.
        days: that are judged.
        seed: of all that chance decides.
        spoken: which articles are in a language: bool (A,) each.
        row_of: article id -> row.
        reader_of: reader id -> row.
        kept: what articles keep of what they promise; None where readers read all alike and hide nothing.
    """

    world: SimulatedWorld
    visits: list[Visit]
    warm_up: list[Event]
    cards: int
    start: int
    days: int
    seed: int
    spoken: dict[str, Mask]
    row_of: dict[str, int]
    reader_of: dict[str, int]
    kept: Promise | None = None

    @property
    def end(self) -> int:
        """Ms, after the last event."""
        return self.start + self.days * DAY_MS

    def note(self, opened: Mask, events: list[Event]) -> None:
        """Write down what readers have opened or hidden.

        Args:
            opened: bool (R, A), changed in place.
            events: only clicks and dismissals count.
        """
        for event in events:
            if event.kind in (Kind.CLICK, Kind.DISMISS):
                opened[self.reader_of[str(event.reader)], self.row_of[event.article]] = True

    def candidates(self, visit: Visit, opened: Mask) -> Rows:
        """Articles that may be shown: out, in the reader's language, not yet opened by them.

        Args:
            visit: whose and when.
            opened: bool (A,), what the reader has opened.

        Returns:
            int64 (B,), rows.
        """
        out = self.world.published <= visit.moment
        return np.flatnonzero(out & self.spoken[self.world.language[visit.reader]] & ~opened)

    def answer(self, visit: Visit, rows: Rows) -> Answer:
        """Let a reader look at a list.

        Args:
            visit: whose and when.
            rows: int64 (B,), at most ``cards``, from the top.
        """
        rng = np.random.default_rng([self.seed, visit.number])
        looked = rng.random(self.cards)[: len(rows)] < attention(len(rows))
        liking = rng.random(len(self.world.articles))
        clicked = looked & (liking[rows] < self.world.click_probability(visit.reader, rows, visit.moment))
        events = events_of(self.world, visit.reader, rows, clicked, visit.moment, visit.number, self.end, rng)
        if self.kept is not None:
            luck = np.random.default_rng([self.seed, visit.number, 1])
            events = read_events(events, self.kept, self.row_of, luck)
            events += dismissals(events[: len(rows)], looked & ~clicked, self.kept, self.row_of, luck)
        return Answer(looked, clicked, events)


def make_scene(
    config: SimulateConfig, articles_per_day: int, seed: int, cards: int = CARDS, *, outcomes: bool = False
) -> Scene:
    """Draw articles, readers, their visits, and a day of visits to a site without recommender.

    Args:
        config: readers, and days that are judged.
        articles_per_day: in both languages together.
        seed: of all randomness.
        cards: shown per visit.
        outcomes: some articles are read longer than others, and hidden more often.
    """
    article_rng, reader_rng, warm_rng, visit_rng = (np.random.default_rng([seed, part]) for part in range(4))
    articles, truth = published(articles_per_day, STOCK_DAYS + 1, config.days, START, article_rng)
    world = simulated_world(articles, truth, config, reader_rng)
    before = visits(world, config, START - DAY_MS, START, warm_rng, cards=cards)
    warm_up = [event for visit in before for event in visit]
    row_of = {article.id: row for row, article in enumerate(articles)}
    kept = promise(world.category, seed) if outcomes else None
    if kept is not None:
        warm_up = read_events(warm_up, kept, row_of, warm_rng)
    end = START + config.days * DAY_MS
    times = visit_times(world, config, START, end, visit_rng)
    language = np.array([article.language for article in articles])
    return Scene(
        world=world,
        visits=[Visit(number, moment, reader) for number, (moment, reader) in enumerate(times)],
        warm_up=sorted(warm_up, key=lambda event: event.time or 0),
        cards=cards,
        start=START,
        days=config.days,
        seed=seed,
        spoken={str(code): language == code for code in np.unique(language)},
        row_of=row_of,
        reader_of={name: row for row, name in enumerate(world.reader_ids)},
        kept=kept,
    )
