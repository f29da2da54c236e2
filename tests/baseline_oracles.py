"""Baselines once more, slowly: every list from scratch, from nothing but the clicks strictly before it."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from recsys.baselines import ItemKnn, Popularity, SequentialRules, SessionKnn
from recsys.baselines.session_knn import LONGEST_VISIT
from recsys.dataset.impressions import Impressions
from recsys.events import KINDS, UNDATED, Events
from recsys.events.people import visitor_keys

Table = dict[int, float]


@dataclass
class Past:
    """The clicks before a list.

    Attributes:
        now: ms.
        clicks: (time, key, article) in log order.
        visits: the clicks' places by visit, visits by their first click.
        company: articles that the list is scored by, oldest first, as places in ``clicks``.
    """

    now: int
    clicks: list[tuple[int, int, int]]
    visits: list[list[int]]
    company: list[int]

    def fade(self, place: int, half_life_hours: float) -> float:
        """What a click counts now; an undated one is as old as the log."""
        first = min(time for time, _, _ in self.clicks if time != UNDATED)
        time = max(self.clicks[place][0], first - 1)
        return float(2.0 ** ((time - self.now) / (half_life_hours * 3_600_000)))

    def rows(self, places: list[int]) -> list[int]:
        """Articles of some clicks."""
        return [self.clicks[place][2] for place in places]

    def visit_of(self, place: int) -> list[int]:
        """The visit that holds a click."""
        return next(visit for visit in self.visits if place in visit)


def past_of(events: Events, lists: Impressions, i: int, gap_minutes: int = 30) -> Past:
    """Gather what was known before list i."""
    now, gap = int(lists.time[i]), gap_minutes * 60_000
    columns = (events.kind, events.time, visitor_keys(events), events.article)
    every = zip(*(column.tolist() for column in columns), strict=True)
    clicks = [(time, key, row) for kind, time, key, row in every if KINDS[kind] == "click" and time < now]
    visits: list[list[int]] = []
    running: dict[int, list[int]] = {}
    for place, (time, key, _) in enumerate(clicks):
        if key < 0:
            continue
        last = clicks[running[key][-1]][0] if key in running else UNDATED
        if UNDATED in (time, last) or time - last > gap:
            visits.append([])
            running[key] = visits[-1]
        running[key].append(place)
    key = int(lists.reader[i])
    own = [place for place, click in enumerate(clicks) if click[1] == key >= 0]
    visit = running.get(key, [])
    here = bool(visit) and clicks[visit[-1]][0] != UNDATED and now - clicks[visit[-1]][0] <= gap
    return Past(now, clicks, visits, visit if here else own)


def newest_first(rows: list[int], most: int) -> list[tuple[int, int]]:
    """(articles back, article) of the newest clicks, each article once, where it stands last."""
    newest = rows[::-1][:most]
    return [(back, row) for back, row in enumerate(newest) if row not in newest[:back]]


def popularity(past: Past, model: Popularity) -> Table:
    """Decayed clicks."""
    scores: Table = defaultdict(float)
    for place, (time, _, row) in enumerate(past.clicks):
        if time != UNDATED:
            scores[row] += past.fade(place, model.half_life_hours)
    return scores


def item_knn(past: Past, model: ItemKnn) -> Table:
    """Decayed co-visits over both articles' clicks."""
    pairs: dict[tuple[int, int], float] = defaultdict(float)
    clicks: Table = defaultdict(float)
    for visit in past.visits:
        rows = past.rows(visit)
        for n, place in enumerate(visit):
            one = past.fade(place, model.half_life_hours)
            clicks[rows[n]] += one
            for _, other in newest_first(rows[:n], model.session_clicks):
                if other != rows[n]:
                    pairs[rows[n], other] += one
                    pairs[other, rows[n]] += one
    scores: Table = defaultdict(float)
    company = newest_first(past.rows(past.company), model.session_clicks)
    for (row, other), weight in pairs.items():
        share = sum(model.fade**back for back, mine in company if mine == row)
        scores[other] += share * weight / (clicks[row] * clicks[other]) ** (model.popularity_power / 2)
    return scores


def rules(past: Past, model: SequentialRules) -> Table:
    """Rules from the last click."""
    scores: Table = defaultdict(float)
    if not past.company:
        return scores
    last = past.rows(past.company)[-1]
    for visit in past.visits:
        rows = past.rows(visit)
        for n, place in enumerate(visit):
            for back, other in newest_first(rows[:n], model.steps):
                if other == last and rows[n] != last:
                    scores[rows[n]] += past.fade(place, model.half_life_hours) / (back + 1)
    return scores


def session_knn(past: Past, model: SessionKnn) -> Table:
    """Votes of the nearest visits."""
    scores: Table = defaultdict(float)
    if not past.company:
        return scores
    own = past.visit_of(past.company[-1])
    company = past.company[-model.session_clicks :]
    similarity: dict[int, float] = {}
    steps: dict[int, int] = {}
    for back, row in newest_first(past.rows(company), len(company)):
        holding = [(visit.index(place), v, place) for v, visit in enumerate(past.visits) for place in visit]
        holding = [(n, v, place) for n, v, place in holding if past.clicks[place][2] == row and n < LONGEST_VISIT]
        firsts = {v: min(place for _, other, place in holding if other == v) for _, v, _ in holding}
        newest = sorted(firsts, key=lambda v: -firsts[v])[: model.sample]
        for v in newest:
            if past.visits[v] is not own:
                steps.setdefault(v, back + 1)
                similarity[v] = similarity.get(v, 0.0) + (len(company) - back) / len(company)
    nearest = sorted(similarity, key=lambda v: -similarity[v])[: model.k]  # stable: equal ones as they were found
    for v in nearest:
        for row in set(past.rows(past.visits[v][:LONGEST_VISIT])):
            scores[row] += similarity[v] / steps[v]
    return scores


def ease(past: Past, time: int, company: int, days: float, penalty: float, n_articles: int) -> Table:
    """EASE by its definition, from a dense matrix of readers × articles."""
    first = min(click for click, _, _ in past.clicks if click != UNDATED) - 1
    span = range(time - int(days * 86_400_000), time)
    taught = [(key, row) for click, key, row in past.clicks if key >= 0 and max(click, first) in span]
    if not taught:
        return defaultdict(float)
    keys = sorted({key for key, _ in taught})
    X = np.zeros((len(keys), n_articles))
    for key, row in taught:
        X[keys.index(key), row] = 1.0
    P = np.linalg.inv(X.T @ X + penalty * np.eye(n_articles))
    B = np.eye(n_articles) - P / np.diag(P)
    rows = [row for _, row in newest_first(past.rows(past.company), company)]
    clicked = X.sum(axis=0) > 0
    total = B[[row for row in rows if clicked[row]]].sum(axis=0)
    return defaultdict(float, {row: float(total[row]) for row in range(n_articles) if clicked[row]})
