"""The context of one answer: its reader, its request, and the features that many answers share.

Reads a reader's clicks and a table of vectors; produces a ``ReaderContext``. The first clicks that say something
decide: the reader's own, then the session's, then the article that is open.

Reads the catalogue, the live counts and the vectors; produces ``SharedFeatures``: popular and fresh rows, shelf lives,
mean vectors, made once and always current, so that no answer looks at all articles. All counts of one half-life fade
alike, so that the order of two articles changes only when one of them is clicked: the popular ones are the popular ones
of before, and those clicked since.
"""

import enum
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.cards import Packed, StoredForms
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import Eligibility
from recsys.compiled import compiled
from recsys.features import SPEEDS
from recsys.features.describe import KernelTables
from recsys.features.matrix import ArticleTables, kernel_tables
from recsys.features.tags import share_a_tag
from recsys.index import Index
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import Interests, ReaderEncoder, one_interest
from recsys.recommend.config import RecommendConfig
from recsys.recommend.exploration import Trial, trial
from recsys.store import TagChoice
from recsys.tags.index import Rows
from recsys.trends.state import CATEGORIES
from recsys.trends.stream import Trends
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS

Vectors = npt.NDArray[np.float32]
Times = npt.NDArray[np.int64]

_QUARTER, _HOURS, _DAY = map(SPEEDS.index, ("quarter", "middle", "long"))  # half-lives, by their places

POPULAR = 512  # rows kept as popular: the longest list that is asked for, several times over
_CLICKED = 4_096  # clicks kept until the most clicked are asked for; after more, all articles are looked at
_MEAN_MS = 10 * MINUTE_MS  # for so long the mean of all vectors, which hardly moves, is taken as it was
_MEAN_OF = 5_000  # vectors that it is made of
_TRENDING = 10  # articles that may be called trending: the tenth most clicked of a site still is
_TRENDING_CLICKS = 1.5  # that are left of those of the last hours: three of four hours ago, or six of eight
_POPULAR_SHARE = 20  # one in so many listed articles, and ten on a small site, may be called popular
_MIN_CLICKS = 3  # ever: of fewer nobody says that an article is popular
_ANY = (-1, -1)  # totals of the trial, which hangs on clicks, too, but costs a millisecond and may be a second old
_BREAKING = 2  # articles that lead at once: of more none would
_BREAKING_CLICKS = 10.0  # in the last quarter of an hour, of twenty people who clicked within minutes
_BREAKING_SHARE = 0.5  # of an article's clicks of a day that came within that quarter: it is new, or news again
_FORMS = 8_192  # articles whose keywords are kept by row, 0.7 KB each: those that are shown and were clicked now


class Tier(enum.StrEnum):
    """The source of a list, best first."""

    PERSONAL = "personal"
    SESSION = "session"
    CATEGORY_POPULAR = "category-popular"
    POPULAR = "popular"
    FRESH = "fresh"
    EDITORS = "editors"
    EMPTY = "empty"


class VectorSpace(enum.Enum):
    """The table that a vector belongs to."""

    ITEMS = "items"
    ARTICLES = "articles"


class RequestContext(NamedTuple):
    """The request for a list.

    Attributes:
        reader: the reader's id, as far as it is known.
        slot: the slot's name, likewise.
        chosen: folded tag -> what the reader chose about it.
    """

    reader: str | None = None
    slot: str | None = None
    chosen: Mapping[str, TagChoice] = {}

    @property
    def learned_reader(self) -> str | None:
        """The id by which a model may know them; None after any choice: it learned from what no longer counts, too."""
        return None if self.chosen else self.reader


ANONYMOUS = RequestContext()


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Vectors of one space.

    Attributes:
        space: the space.
        index: of them.
    """

    space: VectorSpace
    index: Index

    @property
    def vectors(self) -> Vectors:
        """float32 (A, D), unit or NaN rows."""
        return self.index.vectors


@dataclass(frozen=True, slots=True)
class ReaderContext:
    """One reader as one answer sees them.

    Attributes:
        tier: source of the clicks.
        state: the clicks.
        table: the vectors that ``interests`` live in.
        interests: directions that the reader likes.
        request: the request.
    """

    tier: Tier
    state: ReaderState
    table: VectorTable
    interests: Interests
    request: RequestContext


def reader_context(
    states: Sequence[tuple[Tier, ReaderState]],
    tables: Sequence[VectorTable],
    encoders: Mapping[VectorSpace, ReaderEncoder],
    request: RequestContext,
) -> ReaderContext | None:
    """The context of the first clicks of which some table knows a direction; None where none does.

    Args:
        states: clicks, the most telling first.
        tables: the spaces, the most telling first.
        encoders: by space.
        request: the request.
    """
    for tier, state in states:
        for table in tables if len(state.clicks) else ():
            interests = encoders[table.space].encode(table.vectors, state.clicks, state.times)
            if interests.known:
                return ReaderContext(tier, state, table, interests, request)
    return None


def newcomer_context(
    states: Sequence[ReaderState], table: VectorTable, tier: Tier, request: RequestContext
) -> ReaderContext:
    """The context of a reader of whom no table knows a direction: what they were shown, and where and when they ask.

    Args:
        states: what is known of them, the most telling first; may be none.
        table: any.
        tier: source of their list.
        request: the request.
    """
    nothing = one_interest(np.full(table.vectors.shape[1], np.nan, np.float32))
    return ReaderContext(tier, states[0] if states else ReaderState(), table, nothing, request)


class Claims(NamedTuple):
    """Rows that may be called trending, and those that may be called popular."""

    trending: frozenset[int]
    popular: frozenset[int]


def clicked_most(popular: Rows, trends: Trends, listed: int, now: int) -> Claims:
    """Rows that are clicked so much that it may be said of them.

    Args:
        popular: int32 rows, most clicked first.
        trends: live counts.
        listed: articles that may be listed.
        now: ms.
    """
    most = popular[: max(_TRENDING, listed // _POPULAR_SHARE)]
    enough = most[trends.total_clicks(most) >= _MIN_CLICKS]
    top = enough[:_TRENDING]
    lately = trends.clicks(top, now)[:, _HOURS] >= _TRENDING_CLICKS
    return Claims(frozenset(top[lately].tolist()), frozenset(enough.tolist()))


class _Made(NamedTuple):
    """A list of rows, and the state that it was made from."""

    eligible: Eligibility
    totals: tuple[int, int]
    at: int
    rows: Rows

    def serves(self, eligible: Eligibility, totals: tuple[int, int], now: int) -> bool:
        """True while nothing has changed and hardly any time has passed."""
        return self.eligible is eligible and self.totals == totals and 0 <= now - self.at < SECOND_MS


class SharedFeatures:
    """Features that do not depend on the reader.

    Args:
        catalogue: the articles.
        tables: vectors and categories of the same rows.
        trends: live counts.
        readers: how reader vectors forget.
        config: until when an article is fresh.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        tables: ArticleTables,
        trends: Trends,
        readers: ReadersConfig,
        config: RecommendConfig,
    ) -> None:
        self._catalogue, self._tables, self._trends, self._readers = catalogue, tables, trends, readers
        self._fresh_ms = int(config.fresh_hours * HOUR_MS)
        self._inputs: KernelTables | None = None
        self._counted_clicks = 0  # when the shelf lives were read
        self._means: dict[tuple[VectorSpace, int], Vectors] = {}
        self._means_at = 0
        self._forms: dict[int, tuple[Packed | None, StoredForms]] = {}
        self._popular = _PopularRows(trends)
        self._fresh: _Made | None = None
        self._breaking: _Made | None = None
        self._explore_impressions = config.explore_impressions
        self._claims: Claims | None = None
        self._claims_made: _Made | None = None
        self._trial: Trial | None = None
        self._trial_made: _Made | None = None
        trends.describe_articles(tables.category, tables.published)

    def clicked(self, row: int) -> None:
        """Take notice that the counts of a row have changed."""
        self._popular.clicked(row)

    def inputs(self) -> KernelTables:
        """The inputs of the features beside the counts; shelf lives are read anew when there were clicks."""
        clicks = self._trends.all_total[1]
        if self._inputs is None:
            self._inputs = kernel_tables(self._tables, self._trends, self._readers)
        elif clicks != self._counted_clicks:
            self._inputs = self._inputs._replace(shelf=self._trends.shelf())
        self._counted_clicks = clicks
        return self._inputs

    def popular(self, eligible: Eligibility, now: int) -> Rows:
        """The texts most clicked lately, each by its listed copy and as popular as its most clicked one.

        Returns:
            int32 (≤ ``POPULAR``,), most clicked first, each once.
        """
        return self._popular.at(eligible, now)

    def breaking(self, eligible: Eligibility, now: int) -> Rows:
        """Breaking news, opened by many since a few minutes: int32 (≤ 2,), most clicked in that time first."""
        made, totals = self._breaking, self._trends.all_total
        if made is None or not made.serves(eligible, totals, now):
            popular = self.popular(eligible, now)
            clicks = self._trends.clicks(popular, now)
            lately = clicks[:, _QUARTER]
            sudden = (lately >= _BREAKING_CLICKS) & (lately >= _BREAKING_SHARE * clicks[:, _DAY])
            order = np.argsort(-lately[sudden], kind="stable")
            self._breaking = made = _Made(eligible, totals, now, popular[sudden][order[:_BREAKING]])
        return made.rows

    def trial(self, eligible: Eligibility, now: int) -> Trial:
        """The fresh articles that may be tried, with their propensities; the same for all answers of a second."""
        kept, made = self._trial, self._trial_made
        if kept is None or made is None or not made.serves(eligible, _ANY, now):
            fresh = self.fresh(eligible, now)
            kept = trial(fresh, self._catalogue.columns.category, self._trends, self._explore_impressions)
            self._trial, self._trial_made = kept, _Made(eligible, _ANY, now, kept.rows)
        return kept

    def claims(self, eligible: Eligibility, now: int) -> Claims:
        """Rows that may be called trending, and popular."""
        kept, made, totals = self._claims, self._claims_made, self._trends.all_total
        if kept is None or made is None or not made.serves(eligible, totals, now):
            popular = self.popular(eligible, now)
            kept = clicked_most(popular, self._trends, len(eligible.listed), now)
            self._claims, self._claims_made = kept, _Made(eligible, totals, now, popular)
        return kept

    def fresh(self, eligible: Eligibility, now: int) -> Rows:
        """The newest listed articles, as far as they are news still: int32 (N,), newest first."""
        made, totals = self._fresh, self._trends.all_total
        if made is None or not made.serves(eligible, totals, now):
            made = _Made(eligible, totals, now, eligible.newest[self.is_fresh(eligible.newest, now)])
            self._fresh = made
        return made.rows

    def is_fresh(self, rows: Rows, now: int) -> npt.NDArray[np.bool_]:
        """True for rows no older than ``fresh_hours``, nor than their category's shelf life: bool (N,)."""
        columns = self._catalogue.columns
        return _are_fresh(rows, columns.published, columns.category, self.inputs().shelf, self._fresh_ms, now)

    def keyword_forms(self, row: int) -> StoredForms:
        """The keywords of an article, as it is now."""
        articles = self._catalogue.articles
        kept, changed = self._forms.get(row), articles.changed(row)
        if kept is None or kept[0] is not changed:
            if len(self._forms) >= _FORMS:
                self._forms.clear()
            kept = self._forms[row] = (changed, articles.forms(row))
        return kept[1]

    def share_a_tag(self, rows: Rows, others: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """True for rows that show a tag that another one shows, of N pairs: bool (N,); all where nobody knows tags."""
        tags = self._tables.tags
        return np.ones(len(rows), np.bool_) if tags is None else share_a_tag(tags.ids, rows, others)

    def mean_vector(self, table: VectorTable, language: int, now: int) -> Vectors:
        """The mean of the articles in a language, by its code, some minutes ago: float32 (D,); zero without any."""
        if abs(now - self._means_at) > 2 * _MEAN_MS:  # nobody keeps them
            self._means, self._means_at = {}, now
        mean = self._means.get((table.space, language))
        if mean is None:
            mean = self._means[table.space, language] = self._mean(table, language)
        return mean

    def keep(self, tables: Sequence[VectorTable], eligible: Eligibility, now: int) -> None:
        """Make what takes long before an answer needs it; for a thread beside those that answer."""
        self.popular(eligible, now)
        if abs(now - self._means_at) > _MEAN_MS:
            of_space = {table.space: table for table in tables}
            made = {key: self._mean(of_space[key[0]], key[1]) for key in list(self._means) if key[0] in of_space}
            self._means, self._means_at = made, now

    def _mean(self, table: VectorTable, language: int) -> Vectors:
        rows = np.flatnonzero(self._catalogue.columns.language == language)
        vectors = table.vectors[rows[:: 1 + len(rows) // _MEAN_OF]]
        vectors = vectors[~np.isnan(vectors).any(axis=1)]
        return vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)


class _Best(NamedTuple):
    """The rows most clicked at one moment.

    Attributes:
        rows: int32 (≤ ``POPULAR``,), most clicked first.
        standing: of the eligibility then.
        speed: the half-life that they are ranked by, see ``Trends.liveliest``.
        enough: as many as there have to be of them, or all articles are looked at again.
    """

    rows: Rows
    standing: Rows
    speed: int
    enough: int


class _PopularRows:
    """The rows most clicked, kept in order as clicks come.

    The best of all are the best of before and those that were clicked or listed since, as long as the same half-life
    ranks them. One thread at a time finds them; the others take what there is meanwhile.
    """

    def __init__(self, trends: Trends) -> None:
        self._trends = trends
        self._clicked: deque[int] = deque(maxlen=_CLICKED)
        self._finding = threading.Lock()
        self._best: _Best | None = None
        self._made: _Made | None = None

    def clicked(self, row: int) -> None:
        self._clicked.append(row)

    def at(self, eligible: Eligibility, now: int) -> Rows:
        made, totals = self._made, self._trends.all_total
        if made is not None and made.serves(eligible, totals, now):
            return made.rows
        if not self._finding.acquire(blocking=made is None) and made is not None:
            return made.rows
        try:
            self._best = best = self._found(eligible.standing, now)
            standing = eligible.standing[best.rows]
            ranked = list(dict.fromkeys(standing[standing >= 0].tolist()))
            self._made = made = _Made(eligible, totals, now, np.array(ranked, np.int32))
            return made.rows
        finally:
            self._finding.release()

    def _found(self, standing: Rows, now: int) -> _Best:
        best, all_known = self._best, len(self._clicked) < _CLICKED  # else some have fallen out
        clicked = _taken(self._clicked)
        if best is not None and all_known:
            if standing is not best.standing:
                clicked.update(np.flatnonzero((standing >= 0) & (best.standing < 0)).tolist())
            rows = np.union1d(best.rows, np.fromiter(clicked, np.int32, len(clicked)))
            rows = rows[standing[rows] >= 0]
            if self._trends.liveliest(rows, now) == best.speed and len(rows) >= best.enough:
                return best._replace(rows=self._trends.most_clicked(rows, now, POPULAR), standing=standing)
        rows = np.flatnonzero(standing >= 0).astype(np.int32)
        most = self._trends.most_clicked(rows, now, POPULAR)
        return _Best(most, standing, self._trends.liveliest(rows, now), len(most) // 2)


def _taken(queue: deque[int]) -> set[int]:
    """Everything in a queue, to which another thread may add meanwhile."""
    return {queue.popleft() for _ in range(len(queue))}


@compiled
def _are_fresh(
    rows: Rows, published: Times, category: npt.NDArray[np.int16], shelf: npt.NDArray[np.float64], most: int, now: int
) -> npt.NDArray[np.bool_]:
    """True for rows that are no older than ``most`` (ms), nor than their category's shelf life (hours): bool (N,)."""
    fresh = np.zeros(len(rows), np.bool_)
    for p in range(len(rows)):
        code, since = category[rows[p]], published[rows[p]]
        hours = shelf[code if 0 <= code < CATEGORIES else CATEGORIES]
        fresh[p] = since >= max(0, now - most) and now - since <= hours * HOUR_MS
    return fresh
