"""V-SkNN: what the most similar visits of late clicked.

Reads the log and lists; produces a score per candidate. Of each article of the company the newest visits that hold it
are looked at. A visit is as similar as the shared articles stand late in the company (place / length, summed); the k
most similar ones vote for what they clicked, each with its similarity times 1 / (steps back to the newest shared
article).

Source: Ludewig and Jannach 2018, "Evaluation of session-based recommendation algorithms" (V-SkNN; its k is 100, and
it samples the newest visits that hold any article of the company, where this looks at the newest for each of them).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from recsys.baselines.clicks import Rows, Scores, Shown, Stream, shown_of, stream_of
from recsys.baselines.neighbours import Doubles, comes_again
from recsys.compiled import compiled
from recsys.dataset.impressions import ClickHistories, Impressions, Longs
from recsys.events import Events

LONGEST = 50  # clicks of a visit that are kept, its first; longer ones are no reading


@dataclass(frozen=True)
class SessionKnn:
    """Nearest visits.

    Attributes:
        k: visits that vote.
        sample: newest visits looked at for each article of the company; memory is 4 bytes × this × clicked articles.
        company: clicks of the running visit that are compared, the newest.
    """

    k: int = 200
    sample: int = 500
    company: int = 10
    name: ClassVar[str] = "v_sknn"

    def scores(self, events: Events, lists: Impressions, histories: ClickHistories) -> Scores:
        """See ``Baseline``."""
        stream = stream_of(events, histories)
        shown = shown_of(lists, histories, self.company)
        visits = _empty(stream, len(events.article_ids), self.sample, self.company)
        out = np.empty(len(lists.article), np.float32)
        _session_knn(stream, shown, visits, self.k, out)
        return out


class Visits(NamedTuple):
    """The visits so far, by article.

    Attributes:
        known: int32 (V,), clicks of each visit that have happened.
        ring: int32 (R,), visits; those of article a stand at offsets[a]:offsets[a + 1], the newest before head[a].
        offsets: int64 (A + 1,).
        head: int64 (A,), visits ever written for the article.
        similarity: int32 (V,), of the list being scored, times the length of its company; 0 between lists.
        steps: int32 (V,), from the company's end back to the newest shared article.
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


def _empty(stream: Stream, n_articles: int, sample: int, company: int) -> Visits:
    V = len(stream.start) - 1
    room = np.minimum(np.bincount(stream.article, minlength=n_articles), sample)
    offsets = np.append(0, np.cumsum(room)).astype(np.int64)
    most = min(V, sample * company)
    return Visits(
        known=np.zeros(V, np.int32),
        ring=np.zeros(offsets[-1], np.int32),
        offsets=offsets,
        head=np.zeros(n_articles, np.int64),
        similarity=np.zeros(V, np.int32),
        steps=np.zeros(V, np.int32),
        found=np.zeros(most, np.int32),
        equal=np.zeros(company * (company + 1) // 2 + 1, np.int32),
    )


@compiled
def _session_knn(stream: Stream, shown: Shown, visits: Visits, k: int, out: Scores) -> None:
    scores = np.zeros(len(visits.head))
    learned = 0
    for i in range(len(shown.time)):
        while learned < len(stream.time) and stream.time[learned] < shown.time[i]:
            _learn(stream, visits, stream.order[learned])
            learned += 1
        found = _compare(stream, visits, shown.low[i], shown.high[i])
        chosen = _nearest(visits, found, k)
        for n in range(chosen):
            visit = visits.found[n]
            similarity = visits.similarity[visit] / (shown.high[i] - shown.low[i])
            _vote(stream, visits, visit, similarity / visits.steps[visit], scores)
        for c in range(shown.offsets[i], shown.offsets[i + 1]):
            out[c] = scores[shown.article[c]]
        for n in range(chosen):
            first = stream.start[visits.found[n]]
            for p in range(first, first + visits.known[visits.found[n]]):
                scores[stream.article[p]] = 0.0
        for n in range(found):
            visits.similarity[visits.found[n]] = 0


@compiled
def _learn(stream: Stream, visits: Visits, place: int) -> None:
    """Write the visit of a click into the ring of its article, once."""
    visit, row = stream.visit[place], stream.article[place]
    first = stream.start[visit]
    if place - first >= LONGEST:
        return
    visits.known[visit] = place - first + 1
    for p in range(first, place):
        if stream.article[p] == row:
            return
    room = visits.offsets[row + 1] - visits.offsets[row]
    visits.ring[visits.offsets[row] + visits.head[row] % room] = visit
    visits.head[row] += 1


@compiled
def _compare(stream: Stream, visits: Visits, low: int, high: int) -> int:
    """Find the visits that share an article with the company low:high, the newest click's first; how many there are."""
    found = 0
    own = stream.visit[high - 1] if high > low else -1
    for p in range(high - 1, low - 1, -1):
        row = stream.article[p]
        if comes_again(stream.article, p, high):
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
def _nearest(visits: Visits, found: int, k: int) -> int:
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
def _vote(stream: Stream, visits: Visits, visit: int, weight: float, scores: Doubles) -> None:
    """Add a visit's vote to each article that it has clicked so far."""
    first = stream.start[visit]
    last = first + visits.known[visit]
    for p in range(first, last):
        if not comes_again(stream.article, p, last):
            scores[stream.article[p]] += weight
