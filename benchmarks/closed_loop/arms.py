"""Arms: what serves the readers. Here the simple ones: recent popularity, item-kNN, chance, and the oracle.

Each learns from the events that its own lists caused, chooses from the same candidates and, where it knows nothing of
an article, takes the newest first.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.scene import Rows, Scene, Visit
from recsys.simulate import attention
from recsys.store import Event, Kind
from recsys.units import HOUR_MS

Float = npt.NDArray[np.float64]


class Arm(Protocol):
    """Arm of the experiment: it ranks, and learns from clicks. Times are ms and never go back."""

    def publish(self, rows: list[int], now: int) -> None:
        """Take articles over that are out from now on."""

    def learn(self, events: list[Event], now: int) -> None:
        """Take events in that have just happened."""

    def night(self, now: int) -> None:
        """Do what is done once a day, before the day's first visit."""

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """The list for a visit: int64 (≤ k,) rows, from the top, all of them candidates."""


class Quiet:
    """Learns nothing; ``choose`` is its own."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def publish(self, rows: list[int], now: int) -> None:
        """See ``Arm``."""

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""

    def night(self, now: int) -> None:
        """See ``Arm``."""


class Chance(Quiet):
    """Each candidate as likely as any other."""

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        rng = np.random.default_rng([self.scene.seed, visit.number, 1])
        return rng.choice(candidates, min(k, len(candidates)), replace=False)


class Oracle(Quiet):
    """The true chances of a click, highest first.

    Args:
        scene: the truth.
        limit: articles of one category in a list while there are others; 0 for any number.
        tastes_only: knows tastes and ages, and takes every article for one of average quality.
    """

    def __init__(self, scene: Scene, limit: int = 0, *, tastes_only: bool = False) -> None:
        super().__init__(scene)
        self.limit = limit
        plain = np.zeros_like(scene.world.quality)
        self.world = replace(scene.world, quality=plain) if tastes_only else scene.world

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        chances = self.world.click_probability(visit.reader, candidates, visit.moment)
        ranked = candidates[np.argsort(-chances, kind="stable")]
        if not self.limit:
            return ranked[:k]
        category = self.world.category[ranked]
        place = np.zeros(len(ranked), np.int64)  # among those of its category
        for code in np.unique(category):
            place[category == code] = np.arange((category == code).sum())
        return np.concatenate([ranked[place < self.limit], ranked[place >= self.limit]])[:k]


class AndUnseen:
    """The last cards are, of young articles that few have seen, what the arm would show this reader first.

    So an article has its first impressions at the least price: from readers who like it, where hardly anybody looks.

    Args:
        arm: ranks.
        scene: when articles were published.
        places: of a list.
        enough: impressions from which an article has been seen.
        hours: of age up to which it is young.
    """

    def __init__(self, arm: Arm, scene: Scene, places: int, enough: int = 100, hours: float = 24.0) -> None:
        self.arm, self.scene, self.places, self.enough, self.hours = arm, scene, places, enough, hours
        self.publish, self.night = arm.publish, arm.night
        self.seen = np.zeros(len(scene.world.articles), np.int64)

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        self.arm.learn(events, now)
        for event in events:
            if event.kind == Kind.IMPRESSION:
                self.seen[self.scene.row_of[event.article]] += 1

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        ranked = self.arm.choose(visit, candidates, len(candidates))
        above, later = np.split(ranked, [max(0, k - self.places)])
        age = (visit.moment - self.scene.world.published[later]) / HOUR_MS
        unseen = (self.seen[later] < self.enough) & (age < self.hours)
        return np.concatenate([above, later[unseen], later[~unseen]])[:k]


class Popularity(Quiet):
    """Clicks of everybody, decayed; equal ones newest first.

    Args:
        scene: articles and languages.
        half_life_hours: hours after which a click counts half.
    """

    def __init__(self, scene: Scene, half_life_hours: float) -> None:
        super().__init__(scene)
        self.half_life_hours = half_life_hours
        self.clicks = np.zeros(len(scene.world.articles))

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        for event in events:
            if event.kind == Kind.CLICK:
                self.clicks[self.scene.row_of[event.article]] += self.growth(event.time or now)

    def growth(self, time: int) -> float:
        """Weight of a click: older ones stay as they are, newer ones weigh more."""
        return float(2.0 ** ((time - self.scene.start) / (self.half_life_hours * HOUR_MS)))

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        published = self.scene.world.published[candidates]
        return candidates[np.lexsort((-published, -self.clicks[candidates]))[:k]]


class AndNews:
    """Every other card is the newest article that is not on the list yet: new ones are never clicked unseen.

    Args:
        arm: gives the other cards, from the first on.
        scene: when articles were published.
    """

    def __init__(self, arm: Arm, scene: Scene) -> None:
        self.arm, self.scene = arm, scene
        self.publish, self.learn, self.night = arm.publish, arm.learn, arm.night

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        own = self.arm.choose(visit, candidates, k)
        newest = candidates[np.argsort(-self.scene.world.published[candidates], kind="stable")]
        both = np.stack([own, newest[: len(own)]], axis=1).ravel()
        return both[np.sort(np.unique(both, return_index=True)[1])][:k]


class ClickRate(Popularity):
    """Clicks over looks, decayed and smoothed: a new article starts at the site's own rate and is tried at once.

    A look is an impression that counts as much as its place is usually looked at.

    Args:
        scene: articles and languages.
        half_life_hours: hours after which a click or a look counts half.
        prior: looks that the site's rate is worth for an article.
    """

    def __init__(self, scene: Scene, half_life_hours: float, prior: float = 10.0) -> None:
        super().__init__(scene, half_life_hours)
        self.prior = prior
        self.looks = np.zeros(len(self.clicks))
        self._attention = attention(scene.cards)

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        super().learn(events, now)
        for event in events:
            if event.kind == Kind.IMPRESSION:
                look = self._attention[event.position or 0] * self.growth(event.time or now)
                self.looks[self.scene.row_of[event.article]] += look

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        rate = self.clicks.sum() / max(self.looks.sum(), 1e-9)
        weight = self.prior * self.growth(visit.moment)
        score = (self.clicks[candidates] + weight * rate) / (self.looks[candidates] + weight)
        return candidates[np.lexsort((-self.scene.world.published[candidates], -score))[:k]]


class ItemKnn(Popularity):
    """Decayed co-visits with the reader's last clicks, over the root of both articles' clicks; then popularity.

    A visit has one or two clicks, so that a click keeps company with the reader's last ones, whenever they were.

    Args:
        scene: articles and readers.
        half_life_hours: hours after which a click, and a pair, counts half.
        company: last clicks of the reader that are looked at.

    Source: Linden, Smith and York 2003 (item-to-item); Ding and Li 2005 (time weight).
    """

    def __init__(self, scene: Scene, half_life_hours: float, company: int = 20) -> None:
        super().__init__(scene, half_life_hours)
        self.company = company
        self.last: dict[str, list[int]] = {}
        self.pairs = np.zeros((len(self.clicks), len(self.clicks)))

    def learn(self, events: list[Event], now: int) -> None:
        """See ``Arm``."""
        super().learn(events, now)
        for event in events:
            if event.kind == Kind.CLICK:
                row, last = self.scene.row_of[event.article], self.last.setdefault(str(event.reader), [])
                others = [other for other in last[-self.company :] if other != row]
                self.pairs[row, others] += self.growth(event.time or now)
                self.pairs[others, row] += self.growth(event.time or now)
                last.append(row)

    def choose(self, visit: Visit, candidates: Rows, k: int) -> Rows:
        """See ``Arm``."""
        last = self.last.get(self.scene.world.reader_ids[visit.reader], [])[-self.company :]
        root = np.sqrt(np.maximum(self.clicks, 1e-300))
        near = (self.pairs[candidates][:, last] / root[last]).sum(axis=1) / root[candidates]
        published = self.scene.world.published[candidates]
        return candidates[np.lexsort((-published, -self.clicks[candidates], -near))[:k]]
