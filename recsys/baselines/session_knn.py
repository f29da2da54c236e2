"""V-SkNN: articles that the most similar visits of late clicked.

Reads the log and lists; produces a score per candidate. Of each article of the session the newest visits that hold it
are looked at. A visit is as similar as the shared articles stand late in the session (place / length, summed); the k
most similar ones vote for what they clicked, each with its similarity times 1 / (steps back to the newest shared
article).

Source: Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms" (V-SkNN; its k is 100, and
it samples the newest visits that hold any article of the session, where this looks at the newest for each of them).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from recsys.baselines.clicks import ListsToScore, Rows, Scores, dated_clicks, lists_to_score
from recsys.baselines.neighbours import Doubles, comes_again
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import Events
from recsys.events.visits import ClickTable

LONGEST_VISIT = 50  # clicks of a visit that are kept, its first; longer ones are no reading


@dataclass(frozen=True)
class SessionKnn:
    """Nearest visits.

    Attributes:
        k: visits that vote.
        sample: newest visits looked at for each article of the session; memory is 4 bytes × this × clicked articles.
        session_clicks: clicks of the running visit that are compared, the newest.
    """

    k: int = 200
    sample: int = 500
    session_clicks: int = 10
    name: ClassVar[str] = "v_sknn"

    def scores(self, events: Events, impressions: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        clicks = dated_clicks(events, histories)
        lists = lists_to_score(impressions, histories, self.session_clicks)
        visits = _empty(clicks, len(events.article_ids), self.sample, self.session_clicks)
        out = np.empty(len(impressions.article), np.float32)
        _session_knn(clicks, lists, visits, self.k, out)
        return out


class VisitIndex(NamedTuple):
    """The visits so far, by article.

    Attributes:
        known: int32 (C,), clicks of each visit that have happened; a visit is named by the row at which it begins.
        ring: int32 (R,), visits; those of article a stand at offsets[a]:offsets[a + 1], the newest before head[a].
        offsets: int64 (A + 1,).
        head: int64 (A,), visits ever written for the article.
        similarity: int32 (C,), of the list being scored, times the length of its session; 0 between lists.
        steps: int32 (C,), from the session's end back to the newest shared article.
        found: int32 (F,), visits of similarity above 0 of the list being scored.
        equal: int32 (S,), how many of them are how similar; 0 between lists.
    """

    known: Rows
    ring: Rows
    offsets: Longs
    head: Longs
    similarity: Rows
    steps: Rows
    found: Rows
    equal: Rows


def _empty(clicks: ClickTable, n_articles: int, sample: int, session_clicks: int) -> VisitIndex:
    C = len(clicks.article)
    room = np.minimum(np.bincount(clicks.article, minlength=n_articles), sample)
    offsets = np.append(0, np.cumsum(room)).astype(np.int64)
    most = min(C, sample * session_clicks)
    return VisitIndex(
        known=np.zeros(C, np.int32),
        ring=np.zeros(offsets[-1], np.int32),
        offsets=offsets,
        head=np.zeros(n_articles, np.int64),
        similarity=np.zeros(C, np.int32),
        steps=np.zeros(C, np.int32),
        found=np.zeros(most, np.int32),
        equal=np.zeros(session_clicks * (session_clicks + 1) // 2 + 1, np.int32),
    )


@compiled
def _session_knn(clicks: ClickTable, lists: ListsToScore, visits: VisitIndex, k: int, out: Scores) -> None:
    scores = np.zeros(len(visits.head))
    learned = 0
    for i in range(len(lists.time)):
        while learned < len(clicks.order) and clicks.time[clicks.order[learned]] < lists.time[i]:
            _learn(clicks, visits, clicks.order[learned])
            learned += 1
        found = _compare(clicks, visits, lists.low[i], lists.high[i])
        chosen = _nearest(visits, found, k)
        for n in range(chosen):
            visit = visits.found[n]
            similarity = visits.similarity[visit] / (lists.high[i] - lists.low[i])
            _vote(clicks, visits, visit, similarity / visits.steps[visit], scores)
        for c in range(lists.offsets[i], lists.offsets[i + 1]):
            out[c] = scores[lists.article[c]]
        for n in range(chosen):
            first = visits.found[n]
            for p in range(first, first + visits.known[visits.found[n]]):
                scores[clicks.article[p]] = 0.0
        for n in range(found):
            visits.similarity[visits.found[n]] = 0


@compiled
def _learn(clicks: ClickTable, visits: VisitIndex, place: int) -> None:
    """Write the visit of a click into the ring of its article, once."""
    visit, row = clicks.visit_start[place], clicks.article[place]
    if place - visit >= LONGEST_VISIT:
        return
    visits.known[visit] = place - visit + 1
    for p in range(visit, place):
        if clicks.article[p] == row:
            return
    room = visits.offsets[row + 1] - visits.offsets[row]
    visits.ring[visits.offsets[row] + visits.head[row] % room] = visit
    visits.head[row] += 1


@compiled
def _compare(clicks: ClickTable, visits: VisitIndex, low: int, high: int) -> int:
    """Find the visits that share an article with the clicks low:high, the newest click's first; returns how many."""
    found = 0
    own = clicks.visit_start[high - 1] if high > low else -1
    for p in range(high - 1, low - 1, -1):
        row = clicks.article[p]
        if comes_again(clicks.article, p, high):
            continue
        first, room = visits.offsets[row], visits.offsets[row + 1] - visits.offsets[row]
        for back in range(1, min(visits.head[row], room) + 1):
            visit = visits.ring[first + (visits.head[row] - back) % room]
            if visit == own:
                continue
            if visits.similarity[visit] == 0:
                visits.steps[visit] = high - p
                visits.found[found] = visit
                found += 1
            visits.similarity[visit] += p - low + 1
    return found


@compiled
def _nearest(visits: VisitIndex, found: int, k: int) -> int:
    """Bring the k most similar visits to the front of ``found``; of equal ones those that were found first."""
    if found <= k:
        return found
    for n in range(found):
        visits.equal[visits.similarity[visits.found[n]]] += 1
    least, room = len(visits.equal) - 1, k  # in the end room is for those that are only as similar as the last chosen
    while visits.equal[least] < room:
        room -= visits.equal[least]
        least -= 1
    visits.equal[:] = 0
    chosen = 0
    for n in range(found):
        similarity = visits.similarity[visits.found[n]]
        if similarity > least or (similarity == least and room > 0):
            room -= similarity == least
            visits.found[chosen], visits.found[n] = visits.found[n], visits.found[chosen]
            chosen += 1
    return chosen


@compiled
def _vote(clicks: ClickTable, visits: VisitIndex, visit: int, weight: float, scores: Doubles) -> None:
    """Add a visit's vote to each article that it has clicked so far."""
    last = visit + visits.known[visit]
    for p in range(visit, last):
        if not comes_again(clicks.article, p, last):
            scores[clicks.article[p]] += weight
