"""Plausibility of a release: its counts, vectors and speed, beside those of the live one. No reader is asked.

Reads laid-out releases; produces checks. Each bound is wide: it is there for what broke, not for what got worse, which
the replayed lists show.
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.gate.layout import LaidOutRelease
from recsys.gate.texts import GATE
from recsys.gate.verdict import GateCheck
from recsys.times import iso
from recsys.workspace import read_table

LEAST_OF_LIVE = 0.8  # articles and words that a candidate has, as a share of the live release's
LEAST_COVERAGE = 0.9  # of the articles that may be shown now: the others came while it was trained
LOST_CLICKS = 0.05  # of yesterday's clicks, that may fall on articles which only the live release knows
LOST_VECTORS = 0.05  # of the articles, that may have lost their vector
NEIGHBOURS = 10  # at most, and of a quarter of the articles
SAMPLED_ARTICLES = 300
FEWEST_ARTICLES = 16  # below, neighbours agree by chance
CHANCE_ERRORS = 4.0  # standard errors by which neighbours must agree better than by chance
LATENCY_CPU_MS = 20.0  # of a list, the median; 1.7 is usual
LISTS_TIMED, LISTS_WARM = 30, 5

Vectors = npt.NDArray[np.float32]


class ReleaseCounts(NamedTuple):
    """Counts of a release.

    Attributes:
        articles: in its catalogue.
        vocabulary: words that have a vector.
        coverage: share of the articles that may be shown now which it knows.
        matched: share of the last day's clicks that are of articles which it knows; NaN without clicks.
        with_vector: share of its articles that have an item vector.
        counted_through: seq of the last event in its counts.
        through: seq of the last event of the log that it was made from.
        newest: ms, the newest event of that log, list that the click model learned from or event that was counted.
    """

    articles: int
    vocabulary: int
    coverage: float
    matched: float
    with_vector: float
    counted_through: int
    through: int
    newest: int


def release_counts(laid_out: LaidOutRelease, shown: set[str], clicked: Mapping[str, int]) -> ReleaseCounts:
    """Count.

    Args:
        laid_out: the release.
        shown: ids of the articles of the store that may be shown now.
        clicked: article id -> clicks of the last day.
    """
    artefacts = laid_out.artefacts
    known, clicks = set(laid_out.ids), sum(clicked.values())
    finite = np.asarray(np.isfinite(artefacts.items.vectors).all(axis=1))
    learned = laid_out.model.saved.learned_until if laid_out.model else 0
    vocabulary = read_table(laid_out.release.path("words") / "vocabulary.parquet")
    return ReleaseCounts(
        articles=len(known),
        vocabulary=vocabulary.num_rows,
        coverage=len(shown & known) / len(shown) if shown else 1.0,
        matched=sum(n for name, n in clicked.items() if name in known) / clicks if clicks else float("nan"),
        with_vector=float(finite.mean()) if len(finite) else 0.0,
        counted_through=artefacts.through,
        through=laid_out.through,
        newest=max(laid_out.newest, artefacts.trends.newest, learned),
    )


def count_checks(mine: ReleaseCounts, live: ReleaseCounts | None, log_newest: int) -> Iterator[GateCheck]:
    """Compare the counts of a candidate with those of the live release, if there is one.

    Args:
        mine: of the candidate.
        live: of the live release.
        log_newest: ms, the newest event of the log as it is now.
    """
    for name, got, before in (
        (GATE("articles"), mine.articles, live.articles if live else 0),
        (GATE("vocabulary"), mine.vocabulary, live.vocabulary if live else 0),
    ):
        least = int(LEAST_OF_LIVE * before)
        note = GATE("live_has", n=before) if live else ""
        yield GateCheck(name, got >= least, f"{got}", GATE("at_least", n=least), note)
    least_covered = min(LEAST_COVERAGE, live.coverage) if live else 0.0  # a first release: better than none
    found = f"{mine.coverage:.1%}"
    covered = mine.coverage >= least_covered
    yield GateCheck(GATE("coverage"), covered, found, f"{least_covered:.1%}", GATE("of_now"))
    if live is not None and np.isfinite(mine.matched):
        least_share, found = live.matched - LOST_CLICKS, f"{mine.matched:.1%}"
        matched = mine.matched >= least_share
        yield GateCheck(GATE("clicks_matched"), matched, found, f"{least_share:.1%}", GATE("of_day"))
    if live is not None:
        with_vector = live.with_vector - LOST_VECTORS
        kept, found = mine.with_vector >= with_vector, f"{mine.with_vector:.1%}"
        yield GateCheck(GATE("vectors"), kept, found, f"{with_vector:.1%}")
    at_least = max(mine.through, live.counted_through if live else 0)
    counted, found = mine.counted_through >= at_least, GATE("through_event", n=mine.counted_through)
    yield GateCheck(GATE("counts"), counted, found, GATE("through", n=at_least), GATE("own_log"))
    past, found = mine.newest <= log_newest, GATE("until", time=iso(mine.newest))
    yield GateCheck(GATE("nothing_ahead"), past, found, GATE("not_after", time=iso(log_newest)))


def vector_checks(laid_out: LaidOutRelease, live: LaidOutRelease | None) -> Iterator[GateCheck]:
    """Compare a candidate's vectors with its index, with themselves, and with the live release's neighbours."""
    artefacts = laid_out.artefacts
    items = artefacts.items.vectors
    length = np.linalg.norm(items[np.isfinite(items).all(axis=1)], axis=1)
    off = float(np.abs(length - 1).max(initial=0.0))
    yield GateCheck(GATE("unit_vectors"), off < 1e-3, GATE("off_by", off=off), GATE("off_less"))
    if artefacts.index is not None:
        table = artefacts.index.vectors
        same = len(table) <= len(items) and np.array_equal(table, items[: len(table)], equal_nan=True)
        yield GateCheck(GATE("index"), same, GATE("same_vectors" if same else "other_vectors"), GATE("same_vectors"))
    if live is not None:
        yield from _neighbour_check(laid_out, live)


def _neighbour_check(laid_out: LaidOutRelease, live: LaidOutRelease) -> Iterator[GateCheck]:
    mine, theirs = laid_out.artefacts, live.artefacts
    row_of = {name: row for row, name in enumerate(live.ids)}
    shared = [(row, row_of[name]) for row, name in enumerate(laid_out.ids) if name in row_of]
    rows = np.array(shared, np.int64).reshape(-1, 2)
    for name, ours, others in (
        (GATE("items_neighbours"), mine.items.vectors, theirs.items.vectors),
        (GATE("texts_neighbours"), mine.article_vectors, theirs.article_vectors),
    ):
        both = np.isfinite(ours[rows[:, 0]]).all(axis=1) & np.isfinite(others[rows[:, 1]]).all(axis=1)
        chosen = rows[both]
        if len(chosen) >= FEWEST_ARTICLES:
            kept, least = neighbours_kept(ours[chosen[:, 0]], others[chosen[:, 1]])
            note = GATE("neighbours_note", n=NEIGHBOURS)
            yield GateCheck(name, kept > least, f"{kept:.2f}", GATE("more_than", n=least), note)


def neighbours_kept(mine: Vectors, live: Vectors) -> tuple[float, float]:
    """Nearest neighbours of an article that it still has, on the mean, and the number that says more than chance does.

    Args:
        mine: float32 (A, D), unit rows.
        live: float32 (A, D2), the same articles in another space.

    Returns:
        Kept neighbours, and the bound: the mean of chance plus ``CHANCE_ERRORS`` of its errors.
    """
    A = len(mine)
    k = min(NEIGHBOURS, A // 4)
    chosen = np.linspace(0, A - 1, min(A, SAMPLED_ARTICLES)).astype(np.int64)
    near = []
    for table in (mine, live):
        cosine = table[chosen] @ table.T
        cosine[np.arange(len(chosen)), chosen] = -np.inf
        hits = np.zeros(cosine.shape, np.bool_)
        np.put_along_axis(hits, np.argpartition(-cosine, k - 1, axis=1)[:, :k], True, axis=1)
        near.append(hits)
    kept = float((near[0] & near[1]).sum(axis=1).mean())
    share = k / (A - 1)
    error = np.sqrt(k * share * (1 - share) * (A - 1 - k) / max(A - 2, 1) / len(chosen))
    return kept, float(k * share + CHANCE_ERRORS * error)


def answer_checks(laid_out: LaidOutRelease, k: int, now: int) -> Iterator[GateCheck]:
    """Lists for strangers on different articles: finite scores, and the CPU of one, from which others take nothing."""
    ids, taken, finite = list(laid_out.state.catalogue.ids), [], True
    chosen = [ids[place] for place in np.linspace(0, len(ids) - 1, LISTS_TIMED + LISTS_WARM).astype(int)] if ids else []
    for article in chosen:
        began = time.thread_time()
        made = laid_out.state.recommender.recommend(None, None, article=article, k=k, now=now, lang=None)
        taken.append((time.thread_time() - began) * 1000)
        finite = finite and all(math.isfinite(card.score) for card in made.cards)
    if taken:
        middle = float(np.median(taken[LISTS_WARM:]))
        yield GateCheck(GATE("answers"), finite, GATE("finite" if finite else "one_nan"), GATE("finite"))
        quick, found = middle <= LATENCY_CPU_MS, GATE("cpu", ms=middle)
        yield GateCheck(GATE("latency"), quick, found, GATE("most_ms", ms=LATENCY_CPU_MS), GATE("median_list"))
