"""Sequential rules: articles clicked soon after the last click of a session.

Reads the log and lists; produces a score per candidate. A click after n others of its visit adds 1/d to the rule from
the click d places before it, for d up to ``steps``; only the session's last click is asked.

Source: Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms" (SR, ten steps, weight 1/d).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.baselines.clicks import ListsToScore, Scores, dated_clicks, lists_to_score
from recsys.baselines.neighbours import Neighbours, add, comes_again, empty_neighbours, growth, spread, unspread
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events
from recsys.events.visits import ClickTable


@dataclass(frozen=True)
class SequentialRules:
    """Rules from one article to the next ones.

    Attributes:
        half_life_hours: hours after which a rule counts half. The paper's rules never fade (inf), which on news is a
            weaker baseline.
        steps: clicks from a rule's premise to its consequence at most.
        neighbours: rules kept per article; memory is 12 bytes × this × clicked articles.
    """

    half_life_hours: float = 0.5
    steps: int = 10
    neighbours: int = 256
    name: ClassVar[str] = "rules"

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        clicks = dated_clicks(events, histories)
        known = empty_neighbours(clicks, len(events.article_ids), self.steps, self.neighbours, self.half_life_hours)
        out = np.empty(len(impressions.article), np.float32)
        _rules(clicks, lists_to_score(impressions, histories, 1), known, self.steps, out)
        return out


@compiled
def _rules(clicks: ClickTable, lists: ListsToScore, known: Neighbours, steps: int, out: Scores) -> None:
    scores = np.zeros(len(known.clicks))
    learned = 0
    for i in range(len(lists.time)):
        while learned < len(clicks.order) and clicks.time[clicks.order[learned]] < lists.time[i]:
            _learn(clicks, known, clicks.order[learned], steps)
            learned += 1
        now = 1.0 / growth(known, lists.time[i])
        for p in range(lists.low[i], lists.high[i]):  # one click, or none
            spread(known, clicks.article[p], now, scores)
        for c in range(lists.offsets[i], lists.offsets[i + 1]):
            out[c] = scores[lists.article[c]]
        for p in range(lists.low[i], lists.high[i]):
            unspread(known, clicks.article[p], scores)


@compiled
def _learn(clicks: ClickTable, rules: Neighbours, place: int, steps: int) -> None:
    row, weight = clicks.article[place], growth(rules, clicks.time[place])
    for p in range(max(clicks.visit_start[place], place - steps), place):
        if clicks.article[p] != row and not comes_again(clicks.article, p, place):
            add(rules, clicks.article[p], row, weight / (place - p))
