"""Trends and their features once more, slowly: sums over the whole log, in plain Python and double precision."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from math import log, log1p

from recsys.events import KINDS, UNDATED, Events
from recsys.events.people import visitor_keys

HOUR = 3_600_000
Table = dict[int, float]
Named = dict[str, float]


@dataclass
class Past:
    """What a log held strictly before ``now`` (ms).

    Attributes:
        now: ms.
        clicks: (time, key, row) of the dated clicks, in log order; key -1 for nobody.
        shown: (time, row) of the dated impressions.
        visit_before: for each of ``clicks``, the rows clicked before it in its visit, the ten newest, newest last.
        own: the asking reader's clicks (time, row), undated ones included, oldest first.
        visit: where in ``own`` the running visit begins.
        contexts: for each of ``clicks``, its context.
        own_context: the context of the newest of ``own``.
    """

    now: int
    clicks: list[tuple[int, int, int]] = field(default_factory=list)
    shown: list[tuple[int, int]] = field(default_factory=list)
    visit_before: list[list[int]] = field(default_factory=list)
    own: list[tuple[int, int]] = field(default_factory=list)
    visit: int = 0
    contexts: list[dict[str, str]] = field(default_factory=list)
    own_context: dict[str, str] = field(default_factory=dict)

    def faded(self, time: int, hours: float) -> float:
        """What an event of ``time`` (ms) still counts."""
        return float(0.5 ** ((self.now - time) / (hours * HOUR)))

    def clicked(self, row: int, hours: float) -> float:
        """Clicks of an article, faded."""
        return sum(self.faded(time, hours) for time, _, clicked in self.clicks if clicked == row)

    def together(self, hours: float) -> dict[int, Table]:
        """row -> row -> how often both were clicked in one visit, faded."""
        pairs: dict[int, Table] = defaultdict(lambda: defaultdict(float))
        for (time, _, row), before in zip(self.clicks, self.visit_before, strict=True):
            for other in set(before) - {row}:
                pairs[row][other] += self.faded(time, hours)
                pairs[other][row] += self.faded(time, hours)
        return pairs

    def following(self, hours: float) -> dict[int, Table]:
        """row -> row -> how often the second was clicked right after the first, faded."""
        pairs: dict[int, Table] = defaultdict(lambda: defaultdict(float))
        for (time, _, row), before in zip(self.clicks, self.visit_before, strict=True):
            if before and before[-1] != row:
                pairs[before[-1]][row] += self.faded(time, hours)
        return pairs


def past_of(events: Events, now: int, key: int = -1, gap_minutes: int = 30) -> Past:
    """Gather what was known before ``now``, and what the reader ``key`` had clicked."""
    past, gap = Past(now), gap_minutes * 60_000
    contexts = events.context.tolist() or [-1] * len(events)
    columns = (events.kind, events.time, visitor_keys(events), events.article)
    visits: dict[int, tuple[int, list[int]]] = {}
    for kind, time, who, row, context in zip(*(column.tolist() for column in columns), contexts, strict=True):
        if time >= now:
            break
        attributes = json.loads(events.contexts[context]) if context >= 0 else {}
        if KINDS[kind] == "click" and who == key >= 0:
            past.own.append((time, row))
            past.own_context = attributes
        if time == UNDATED:
            continue
        if KINDS[kind] == "impression":
            past.shown.append((time, row))
        if KINDS[kind] != "click":
            continue
        last, visit = visits.get(who, (UNDATED, []))
        if who < 0 or time - last > gap:
            visit = []
        past.clicks.append((time, who, row))
        past.visit_before.append(visit[-10:])
        past.contexts.append(attributes)
        visits[who] = (time, [*visit, row])
    past.visit, later = len(past.own), now
    while past.visit and past.own[past.visit - 1][0] != UNDATED and later - past.own[past.visit - 1][0] <= gap:
        past.visit -= 1
        later = past.own[past.visit][0]
    return past


def covisit_columns(past: Past, row: int, beta: float, half_lives: tuple[float, float, float], memory: float) -> Named:
    """The columns of co-visits of one candidate, by name.

    Args:
        past: what was known.
        row: the candidate.
        beta: ``prior_covisits``.
        half_lives: hours, of the short and the long memory of co-visits and of what follows.
        memory: hours, the half-life of the popularity that co-visits are drawn towards.
    """
    short, long, follows = past.together(half_lives[0]), past.together(half_lives[1]), past.following(half_lives[2])
    everyone = sum(past.faded(time, memory) for time, _, _ in past.clicks)
    share = (past.clicked(row, memory) + 0.05) / (everyone + 1.0)
    rows = [clicked for _, clicked in past.own]
    last = rows[-1] if rows else -1

    def beside(clicked: int) -> tuple[float, float]:
        """Share of the candidate beside a click, and share of what is left to popularity."""
        total = sum(long[clicked].values()) + beta
        return long[clicked][row] / total, beta / total

    def mixed(chosen: list[int], fade: float) -> tuple[float, float]:
        newest = [(beside(clicked), fade**back) for back, clicked in enumerate(chosen[::-1][:10])]
        total = sum(weight for _, weight in newest)
        left = sum(weight / total * rest for (_, rest), weight in newest) if newest else 1.0
        gain = sum(weight / total * part for (part, _), weight in newest)
        return log(gain + left * share), log(max((part for (part, _), _ in newest), default=0.0) + 0.1 * share)

    def drawn(pairs: dict[int, Table]) -> float:
        return log((pairs[last][row] + beta * share) / (sum(pairs[last].values()) + beta))

    friends = sorted(long[last].values(), reverse=True)[:32]
    least = friends[-1] if friends else 0.0
    total_long = sum(long[last].values())
    second = sum(
        strength / (total_long + beta) * beside(friend)[0]
        for friend, strength in long[last].items()
        if strength >= least
    )
    visit, earlier = mixed(rows[past.visit :], 0.7), mixed(rows[: past.visit], 0.9)
    return {
        "last_covisits_short": drawn(short),
        "last_covisits_long": drawn(long),
        "last_covisits_count": log1p(short[last][row]),
        "last_covisits_total": log1p(total_long),
        "visit_covisits": visit[0],
        "visit_covisits_max": visit[1],
        "last_next": drawn(follows),
        "last_next_count": log1p(follows[last][row]),
        "second_order_covisits": log(second + 0.1 * share),
        "earlier_covisits": earlier[0],
        "earlier_covisits_max": earlier[1],
        "read_before": float(row in rows),
    }


def popularity_columns(
    past: Past, row: int, half_lives: tuple[float, ...], prior: float, names: tuple[str, ...]
) -> Named:
    """The columns of popularity, slope, impressions and age of one candidate that was never published, by name."""

    def odds(clicks: float, shown: float) -> float:
        all_clicks, all_shown = len(past.clicks), len(past.shown)
        stream = (all_clicks + 1) / (max(all_clicks, all_shown) + 10)
        rate = (clicks + prior * stream) / (max(shown, clicks) + prior)
        return log(rate / (1 - rate))

    out: Named = {}
    clicks = [past.clicked(row, hours) for hours in half_lives]
    for k, name in enumerate(names):
        shown = sum(past.faded(time, half_lives[k]) for time, other in past.shown if other == row)
        out[f"clicks_{name}"], out[f"impressions_{name}"] = log1p(clicks[k]), log1p(shown)
        out[f"click_rate_{name}"] = odds(clicks[k], shown)
        if k:
            faster, slower = (clicks[j] / half_lives[j] + 1 for j in (k - 1, k))
            out[f"slope_{name}"] = log(faster / slower)
    times = [time for time, _, other in past.clicks if other == row]
    seen = times + [time for time, other in past.shown if other == row]
    total = sum(other == row for _, other in past.shown)
    out |= {"clicks_total": log1p(len(times)), "impressions_total": log1p(total)}
    out["click_rate_total"] = odds(len(times), total)
    out["since_click"] = log1p((past.now - max(times)) / 1000) if times else 0.0
    age = log1p(min((past.now - min(seen)) / HOUR, 24 * 365)) if seen else 0.0
    out |= {"age": age, "age_published": age, "age_known": float(bool(seen))}
    return out


def lift_columns(past: Past, row: int, names: tuple[str, ...], category: list[int], hours: float) -> Named:
    """How much more often than everything an article is clicked in the asking reader's context, by name.

    Args:
        past: what was known.
        row: the candidate.
        names: of the site's own attributes.
        category: of every article, -1 for none.
        hours: until a click counts half.
    """

    def values(attributes: dict[str, str], time: int, before: int) -> dict[str, str]:
        known = {name: attributes[name] for name in names if name in attributes} | {"hour": str(time // HOUR % 24)}
        return known | ({"before": str(category[before])} if before >= 0 and category[before] >= 0 else {})

    newest = max([time for time, _, _ in past.clicks] + [time for time, _ in past.shown])
    met = [
        (clicked, 0.5 ** ((newest - time) / (hours * HOUR)), values(attributes, time, before[-1] if before else -1))
        for (time, _, clicked), before, attributes in zip(past.clicks, past.visit_before, past.contexts, strict=True)
    ]
    asked = values(past.own_context, past.now, past.own[-1][1] if past.own else -1)
    out = dict.fromkeys([f"lift_{name}" for name in (*names, "hour", "before")], 0.0)
    for name, value in asked.items():
        every = [
            (clicked, weight, attributes[name] == value) for clicked, weight, attributes in met if name in attributes
        ]
        here = sum(weight for _, weight, same in every if same)
        if here and any(clicked == row for clicked, _, _ in met):
            share = here / sum(weight for _, weight, _ in every)
            mine = sum(weight for clicked, weight, same in every if same and clicked == row)
            all_ = sum(weight for clicked, weight, _ in every if clicked == row)
            out[f"lift_{name}"] = log((mine + 10 * share) / ((all_ + 10) * share))
    return out
