"""Sequential rules: what is clicked soon after the last click of the company.

Reads the log and lists; produces a score per candidate. A click after n others of its visit adds 1/d to the rule from
the click d places before it, for d up to ``steps``; only the company's last click is asked.

Source: Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms" (SR, ten steps, weight 1/d).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.baselines.clicks import Scores, Shown, Stream, shown_of, stream_of
from recsys.baselines.neighbours import Neighbours, add, comes_again, empty_neighbours, growth, spread, unspread
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions
from recsys.events import Events


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

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        stream = stream_of(events, histories)
        known = empty_neighbours(stream, len(events.article_ids), self.steps, self.neighbours, self.half_life_hours)
        out = np.empty(len(lists.article), np.float32)
        _rules(stream, shown_of(lists, histories, 1), known, self.steps, out)
        return out


@compiled
def _rules(stream: Stream, shown: Shown, known: Neighbours, steps: int, out: Scores) -> None:
    scores = np.zeros(len(known.clicks))
    learned = 0
    for i in range(len(shown.time)):
        while learned < len(stream.time) and stream.time[learned] < shown.time[i]:
            _learn(stream, known, stream.order[learned], stream.time[learned], steps)
            learned += 1
        now = 1.0 / growth(known, shown.time[i])
        for p in range(shown.low[i], shown.high[i]):  # one click, or none
            spread(known, stream.article[p], now, scores)
        for c in range(shown.offsets[i], shown.offsets[i + 1]):
            out[c] = scores[shown.article[c]]
        for p in range(shown.low[i], shown.high[i]):
            unspread(known, stream.article[p], scores)


@compiled
def _learn(stream: Stream, known: Neighbours, place: int, time: int, steps: int) -> None:
    row, one = stream.article[place], growth(known, time)
    for p in range(max(stream.start[stream.visit[place]], place - steps), place):
        if stream.article[p] != row and not comes_again(stream.article, p, place):
            add(known, stream.article[p], row, one / (place - p))
