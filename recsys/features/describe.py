"""The compiled kernel: F columns of B candidates of one list.

Reads the live counts, the vectors and what the reader clicked; writes one row per candidate. Training, replay and the
service call this and nothing else, so that what was learned is what is served. What is unknown (a vector, a category,
an age) is 0 in its column and 0 in its ``…_known`` column. Columns of company are log-probabilities of what is clicked
beside an article, drawn towards the candidate's popularity by ``prior_covisits``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.compiled import as_int64, compiled
from recsys.features import COLUMN, CONTEXTS, GROUPS, NAMES
from recsys.features.category_rates import category_click_rates
from recsys.features.covisits import (
    EARLIER,
    EARLIER_MAX,
    GAINS,
    LONG,
    NEXT_,
    READ,
    SECOND_,
    SHORT,
    VISIT,
    VISIT_MAX,
    gather_covisits,
)
from recsys.features.logarithms import take_logarithms
from recsys.features.similarity import (
    ITEM_COSINE,
    audience_likeness,
    cosines,
    mean_cosines,
    next_item_scores,
)
from recsys.features.tags import tag_matches
from recsys.items.online import OnlineItems
from recsys.trends.counting import born
from recsys.trends.decay import GONE, faded, fill_row_fades, quotient, row_fade
from recsys.trends.state import ALL, BUILT_IN, CATEGORIES, LANDMARK, NEWEST, TrendState
from recsys.units import HOUR_MS, NEVER_MS, UNKNOWN_ROW

Array = npt.NDArray[Any]

MAX_AGE_HOURS = 24.0 * 365.0  # an article is news for less than that; bounds what a wrong date can do
PRIOR_LIFT = 10.0  # clicks of evidence before a context's own share counts as much as everyone's
LINE = 16  # numbers of four bytes in a line of a processor's memory
NO_CLICK = 0.05  # clicks that an article without any is taken to have

CLICKS = COLUMN["clicks_quarter"]
SLOPE = COLUMN["slope_short"]
IMPRESSIONS = COLUMN["impressions_quarter"]
RATES = COLUMN["click_rate_quarter"]
AGE = COLUMN["age"]
COMPANY = COLUMN["last_covisits_short"]
VISITED = COLUMN["visit_covisits"]
FOLLOWS = COLUMN["last_next"]
SECONDS = COLUMN["second_order_covisits"]
EARLIERS = COLUMN["earlier_covisits"]
LIFTS = COLUMN["lift_region"]
CONTENT = COLUMN["content_cosine"]
WORD_MEANS = COLUMN["words_cosine"]
AUDIENCE = COLUMN["audience"]
CATEGORY = COLUMN["category_share"]
LOOKS = COLUMN["category_rate"]
READER = COLUMN["history"]
_PLAIN = {"age_known", "category_share", "category_known", "earlier_item", "read_before"}
_LOGARITHMS = ("popularity", "slope", "impressions", "age", "covisits", "visit", "next", "second", "earlier")
_LOG_GROUPS = {name for group in (*_LOGARITHMS, "lifts", "category", "reader") for name in GROUPS[group]}
LOG_COLUMNS = np.array(
    [name in _LOG_GROUPS - _PLAIN for name in NAMES]
)  # hold what their logarithm is taken of at last


class KernelTables(NamedTuple):
    """Tables of A articles beside the counts, and room to work in.

    Attributes:
        items: the item vectors.
        article_vectors: float32 (A, D), unit or NaN rows.
        idf_vectors: int8 (A, D3), quantised; (0, 0) where there are none.
        shelf: float64 (CATEGORIES + 1,), hours.
        place: int32 (A,), all 0 between calls: where a candidate stands, from 1.
        half_life: float64 (1,), clicks.
        priors: float64 (2,): impressions, company.
        tags: int64 (A, K), see ``recsys.features.tags.ArticleTags``; (0, 0) for no tags at all.
        tag_weights: float32 (A, K).
    """

    items: OnlineItems
    article_vectors: Array
    idf_vectors: Array
    shelf: Array
    place: Array
    half_life: Array
    priors: Array
    tags: Array
    tag_weights: Array


@compiled
def describe(
    state: TrendState,
    known: KernelTables,
    clicks: Array,
    times: Array,
    visit: int,
    looked: Array,
    places: Array,
    codes: Array,
    rows: Array,
    now: int,
    out: Array,
) -> None:
    """Describe candidates for one reader at one moment.

    Args:
        state: the counts, as known before ``now``.
        known: the vectors, as known before ``now``.
        clicks: int32 (n,), rows clicked before ``now``, oldest first.
        times: int64 (n,), ms of each.
        visit: where in ``clicks`` this visit begins.
        looked: int32 (n',), rows shown or clicked before ``now``, see ``recsys.features.category_rates``.
        places: int16 (n',), of each.
        codes: int (C,), values of the context attributes; 0 for unknown.
        rows: int32 (B,), candidates, each once.
        now: ms; a clock behind the newest event counted stands at that event, or faded counts would grow without end.
        out: float32 (B, F), filled; columns as ``NAMES``.
    """
    now = max(now, state.clock[NEWEST])
    B, n = len(rows), len(clicks)
    for b in range(B):
        for f in range(out.shape[1]):
            out[b, f] = np.float32(LOG_COLUMNS[f])  # whose logarithm is 0
    for b in range(B):
        known.place[rows[b]] = b + 1
    gains = np.zeros((B, GAINS))
    sums = np.zeros(GAINS)
    np.full(1, _touched(state, known, rows))  # it is kept, or the compiler would leave the reading out
    gather_covisits(state, known.place, known.priors[1], clicks, visit, now, gains, sums)
    for b in range(B):
        known.place[rows[b]] = 0
    beta = known.priors[1]
    fades = np.empty(len(state.per_ms))
    for k in range(len(fades)):
        fades[k] = faded(state.clock[LANDMARK], now, state.per_ms[k])
    _popularity(state, known, rows, now, fades, out)
    everyone = state.all_decayed[1, 2] * fades[2]
    for b in range(B):
        row = rows[b]
        share = (state.decayed[row, 1, 2] * row_fade(state, row, now, as_int64(2), fades) + NO_CLICK) / (everyone + 1.0)
        out[b, COMPANY] = (gains[b, SHORT] + beta * share) / (sums[SHORT] + beta)
        out[b, COMPANY + 1] = (gains[b, LONG] + beta * share) / (sums[LONG] + beta)
        out[b, COMPANY + 2] = 1.0 + gains[b, SHORT]
        out[b, COMPANY + 3] = 1.0 + sums[LONG]
        out[b, VISITED] = gains[b, VISIT] + sums[VISIT] * share
        out[b, VISITED + 1] = gains[b, VISIT_MAX] + 0.1 * share
        out[b, FOLLOWS] = (gains[b, NEXT_] + beta * share) / (sums[NEXT_] + beta)
        out[b, FOLLOWS + 1] = 1.0 + gains[b, NEXT_]
        out[b, SECONDS] = gains[b, SECOND_] + 0.1 * share
        out[b, EARLIERS] = gains[b, EARLIER] + sums[EARLIER] * share
        out[b, EARLIERS + 1] = gains[b, EARLIER_MAX] + 0.1 * share
        out[b, EARLIERS + 3] = gains[b, READ]
    _lifts(state, codes, rows, out)
    cosines(known.items.vectors, known.half_life[0], clicks, visit, rows, as_int64(ITEM_COSINE), out)
    next_item_scores(known.items, clicks[visit:], rows, out)
    cosines(known.article_vectors, known.half_life[0], clicks, visit, rows, as_int64(CONTENT), out)
    mean_cosines(known.idf_vectors, known.half_life[0], clicks, rows, as_int64(WORD_MEANS), out)
    audience_likeness(state, known.article_vectors, known.half_life[0], clicks, rows, as_int64(AUDIENCE), out)
    _category(state, clicks, rows, out)
    category_click_rates(state, known.priors[0], looked, places, rows, now, LOOKS, out)
    tag_matches(known.tags, known.tag_weights, known.half_life[0], clicks, rows, out)
    pause = 0.0
    if n - visit > 1 and times[n - 2] > 0:
        pause = max(times[n - 1] - times[n - 2], 0) / 1000.0
    for b in range(B):
        out[b, READER] = 1.0 + n
        out[b, READER + 1] = 1.0 + n - visit
        out[b, READER + 2] = 1.0 + pause
    take_logarithms(out, LOG_COLUMNS)


@compiled
def _touched(state: TrendState, known: KernelTables, rows: Array) -> float:
    """Read a number of every line of memory that the candidates' columns are made of; what it returns says nothing.

    Candidates lie anywhere in tables that no cache holds. A loop that does nothing else waits for a dozen of them at
    once; the loops that compute would wait for one after the other, which took half of their time.
    """
    total = 0.0
    for b in range(len(rows)):
        row = rows[b]
        total += state.row_landmark[row] + state.total[row, 0] + state.first[row] + state.last[row]
        total += state.published[row] + state.category[row] + state.slot_of[row]
    for b in range(len(rows)):
        total += state.decayed[rows[b], 0, 0] + state.decayed[rows[b], 1, state.decayed.shape[2] - 1]
    for vectors in (known.article_vectors, known.items.vectors):
        for d in range(0, vectors.shape[1], LINE):
            for b in range(len(rows)):
                total += vectors[rows[b], d]
    for d in range(0, known.idf_vectors.shape[1], 4 * LINE):
        for b in range(len(rows)):
            total += known.idf_vectors[rows[b], d]
    for d in range(0, known.tags.shape[1], LINE // 2):
        for b in range(len(rows)):
            total += known.tags[rows[b], d]
    for d in range(0, known.tag_weights.shape[1], LINE):
        for b in range(len(rows)):
            total += known.tag_weights[rows[b], d]
    for d in range(0, state.audience.shape[1], LINE):
        for b in range(len(rows)):
            slot = state.slot_of[rows[b]]
            if slot != UNKNOWN_ROW:
                total += state.audience[slot, d]
    return float(total)


@compiled
def _popularity(state: TrendState, known: KernelTables, rows: Array, now: int, fades: Array, out: Array) -> None:
    """Clicks, slopes, impressions, click rates and ages, before their logarithms are taken."""
    K = len(state.per_ms)
    clicked, shown = state.all_total[1], state.all_total[0]
    stream = (clicked + 1.0) / (max(shown, clicked) + 10.0)
    prior = known.priors[0]
    hours_of, own = np.empty(K), np.empty(K)
    for k in range(K):
        hours_of[k] = fades_hours(state, k)
    for b in range(len(rows)):
        row = rows[b]
        faster = 0.0
        fill_row_fades(state, row, now, fades, own)
        for k in range(K):
            clicks = state.decayed[row, 1, k] * own[k]
            out[b, CLICKS + k] = 1.0 + clicks
            shows = state.decayed[row, 0, k] * own[k]
            out[b, IMPRESSIONS + k] = 1.0 + shows
            out[b, RATES + k] = _odds((clicks + prior * stream) / (max(shows, clicks) + prior))
            slower = clicks / hours_of[k]
            if k:
                out[b, SLOPE + k - 1] = (faster + 1.0) / (slower + 1.0)
            faster = slower
        if state.last[row] != NEVER_MS:
            out[b, SLOPE + K - 1] = 1.0 + max(now - state.last[row], 0) / 1000.0
        clicks, shows = float(state.total[row, 1]), float(state.total[row, 0])
        out[b, CLICKS + K] = 1.0 + clicks
        out[b, IMPRESSIONS + K] = 1.0 + shows
        out[b, RATES + K] = _odds((clicks + prior * stream) / (max(shows, clicks) + prior))
        since = born(state, row)
        if since == NEVER_MS:
            continue
        hours = min(max(now - since, 0) / HOUR_MS, MAX_AGE_HOURS)
        seen = hours
        if state.first[row] != NEVER_MS:
            seen = min(max(now - state.first[row], 0) / HOUR_MS, MAX_AGE_HOURS)
        elif state.published[row] != NEVER_MS:
            seen = 0.0
        category = state.category[row]
        shelf = known.shelf[category if 0 <= category < CATEGORIES else CATEGORIES]
        out[b, AGE] = 1.0 + seen
        out[b, AGE + 1] = 1.0 + hours
        out[b, AGE + 2] = 1.0
        out[b, AGE + 3] = 1.0 + hours / shelf


@compiled
def fades_hours(state: TrendState, k: int) -> float:
    """Hours of a half-life."""
    return float(1.0 / (state.per_ms[k] * HOUR_MS))


@compiled
def _odds(rate: float) -> float:
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    return rate / (1 - rate)


@compiled
def _lifts(state: TrendState, codes: Array, rows: Array, out: Array) -> None:
    """Lifts: clicks of an article in this context against those of everything in it."""
    newest, C = state.clock[NEWEST], len(codes)
    fade = faded(state.clock[LANDMARK], newest, state.slow_per_ms[0])
    odds = np.empty(C)  # everybody's clicks for one in this context; 0 for a context that nobody clicked in lately
    told = False
    for c in range(C):
        here, everywhere = state.all_lifts[c, codes[c]] * fade, state.all_lifts[c, ALL] * fade
        odds[c] = quotient(everywhere, here) if codes[c] > 0 and here > GONE else 0.0
        told = told or odds[c] > 0
    for b in range(len(rows) if told else 0):
        at = state.slot_of[rows[b]]
        if at == UNKNOWN_ROW:
            continue
        own = faded(state.slot_landmark[at], newest, state.slow_per_ms[0])
        for c in range(C):
            if odds[c] <= 0:
                continue
            place = c if c < C - BUILT_IN else len(CONTEXTS) - C + c  # a site may have fewer than four of its own
            mine, all_ = state.lifts[at, c, codes[c]] * own, state.lifts[at, c, ALL] * own
            expected = mine * odds[c]  # its clicks, were all readers of this context
            out[b, LIFTS + place] = (expected + PRIOR_LIFT) / (all_ + PRIOR_LIFT)


@compiled
def _category(state: TrendState, clicks: Array, rows: Array, out: Array) -> None:
    """Share of the reader's clicks in the candidate's category, both known."""
    known = 0
    for p in range(len(clicks)):
        known += state.category[clicks[p]] >= 0
    if not known:
        return
    for b in range(len(rows)):
        category = state.category[rows[b]]
        if category < 0:
            continue
        same = 0
        for p in range(len(clicks)):
            same += state.category[clicks[p]] == category
        out[b, CATEGORY] = same / known
        out[b, CATEGORY + 1] = 1.0
