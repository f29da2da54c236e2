"""The listing: one list being made, language by language, from ranking to reasons.

Reads what a ``Recommender`` holds and one reader's context; produces cards with scores and reasons. A reader of whom a
direction is known gets the click model's order, or the nearest where there is no time, everybody else what is popular.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import NEWEST, AllowedRows, Eligibility, newest_of
from recsys.features.matrix import ArticleTables
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import weights
from recsys.recommend.candidates import CandidateSet, CommonSources, distinct, nearest, retrieve
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import (
    ReaderContext,
    RequestContext,
    SharedFeatures,
    Tier,
    VectorTable,
    newcomer_context,
)
from recsys.recommend.editorial import boosted_scores
from recsys.recommend.rank import (
    OutcomeFactors,
    Ranker,
    ScoreKind,
    Scorer,
    answered_scores,
    in_order,
    outcome_factors,
    score_kind,
    scores_of,
    weighed,
)
from recsys.recommend.reasons import Card, Reason, ReasonKind, explain, liked_enough, plain_reasons
from recsys.recommend.rerank import (
    MAX_CATEGORY_SHARE,
    POPULAR_DEPTH,
    SourceLimits,
    category_limits,
    diversify,
    liked_first,
)
from recsys.tags.index import Rows
from recsys.telemetry import Stage, StageClock
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

_LENGTHS = 512  # of histories whose weights are kept


class ListingParts(Protocol):
    """The parts of a ``Recommender`` that a list is made from; all tables have the catalogue's rows."""

    catalogue: Catalogue
    tables: ArticleTables
    model: Scorer | None
    trends: Trends
    config: RecommendConfig
    readers: ReadersConfig
    neighbours: int
    shared: SharedFeatures

    def vector_tables(self) -> list[VectorTable]:
        """The vectors by which articles are searched, the most telling first."""


class Pass(NamedTuple):
    """One pass over the allowed articles of a language, as the click model's lists make it.

    Attributes:
        allowed: rows.
        context: the reader.
        candidates: C of them.
        sources: popular and fresh rows of the site, best first.
        scores: float32 (C,), of the candidates.
        ranked: int32 (C,), best first.
        picked: int32, rows of the list.
        outcomes: of the candidates; None where nothing is known of any, or the site does not want it.
    """

    allowed: AllowedRows
    context: ReaderContext
    candidates: CandidateSet
    sources: CommonSources
    scores: Vectors
    ranked: Rows
    picked: Rows
    outcomes: OutcomeFactors | None


class Listing:
    """One list being made, language by language.

    Attributes:
        rows: of the articles so far.
        tiers: of each language.
        passes: what was decided on the way, where somebody wants to know.
        updates: rows that follow up a story that the reader has read -> the row that they read.
        pinned: int32, rows that editors have put beside these.
        raised: int32, rows that shall be ranked whether or not anything leads to them.
    """

    def __init__(
        self,
        recommender: ListingParts,
        context: ReaderContext | None,
        eligible: Eligibility,
        clicks: Rows,
        now: int,
        cheap: bool,
        clock: StageClock,
    ) -> None:
        self._of, self._context, self._eligible, self._clicks, self._now = recommender, context, eligible, clicks, now
        self._model, self._cheap, self._clock = None if cheap else recommender.model, cheap, clock
        self._categories = recommender.catalogue.columns.category
        self._liked = _category_shares(self._categories, clicks, recommender.readers.half_life_clicks)
        self._told_liked = liked_enough(self._liked, self._categories, clicks)
        self._popular = recommender.shared.popular(eligible, now)
        self._candidate_scores: list[Vectors] = []
        self._scores: list[Vectors] = []
        self._reasons: list[Reason] = []
        self.rows: list[int] = []
        self.tiers: list[Tier] = []
        self.passes: list[Pass] | None = None
        self.updates: dict[int, int] = {}
        self.pinned: Rows = np.empty(0, np.int32)
        self.raised: Rows = np.empty(0, np.int32)

    def meet(self, states: Sequence[ReaderState], request: RequestContext) -> None:
        """Let the click model, if there is one and time for it, rank for whom no table knows a direction."""
        if self._context is None and self._model is not None and (tables := self._of.vector_tables()):
            tier = Tier.CATEGORY_POPULAR if self._liked else Tier.POPULAR
            self._context = newcomer_context(states, tables[0], tier, request)

    def fill(self, allowed: AllowedRows, k: int) -> None:
        """Add at most ``k`` of the allowed articles."""
        if self._context is None:
            self._without_vector(allowed, k)
        elif self._cheap:
            self._nearest(self._context, allowed, k)
        else:
            self._personal(self._context, allowed, k)

    def answered(self) -> list[Card]:
        """The cards with their scores as they are answered, over the candidates of all languages."""
        scores, kind = np.concatenate(self._scores) if self._scores else np.empty(0, np.float32), ScoreKind.NONE
        if self._candidate_scores:
            kind = score_kind(self._model)
            scores = answered_scores(kind, scores, np.concatenate(self._candidate_scores))
        return list(map(Card, self.rows, scores.tolist(), self._reasons, repeat(kind)))

    def _personal(self, context: ReaderContext, allowed: AllowedRows, k: int) -> None:
        """The list of a reader of whom a direction is known."""
        of, now, lap = self._of, self._now, self._clock.lap
        ranker = Ranker(self._model, of.tables, of.trends, of.readers, of.shared, self._clock)
        editorial, fresh = self._eligible.editorial, of.shared.fresh(self._eligible, now)
        if len(editorial.boosted) or len(self.raised):  # what is not among the candidates cannot be raised
            fresh = np.concatenate([editorial.boosted, self.raised, fresh])
        sources = CommonSources(self._popular, fresh, of.shared.claims(self._eligible, now))
        candidates = retrieve(
            context, of.trends, sources, allowed, self._categories, self._liked, of.neighbours, of.config, now
        )
        lap(Stage.CANDIDATES)
        scores = ranker.score(context, candidates.rows, now)
        outcomes = outcome_factors(of.trends, candidates.rows, of.config.outcome_weights)
        ranking = self._ranking(candidates.rows, scores, outcomes)
        ranked = in_order(context, candidates.rows, ranking, candidates.near)
        if not context.interests.known:
            ranked = self._breaking_first(ranked, allowed)
        picked = self._diversified(ranked, allowed, k)
        if self.passes is not None:
            self.passes.append(Pass(allowed, context, candidates, sources, scores, ranked, picked, outcomes))
        shown_scores = scores_of(ranker, context, picked, candidates.rows, scores, now)
        lap(Stage.RERANK)
        reasons = explain(
            context,
            candidates,
            picked,
            self._told_liked,
            self._eligible,
            of.catalogue,
            of.shared,
            of.readers.half_life_clicks,
            of.config,
            now,
        )
        self._add(context.tier, picked, shown_scores, self._with_updates(picked, reasons))
        self._candidate_scores.append(scores)
        lap(Stage.REASONS)

    def _nearest(self, context: ReaderContext, allowed: AllowedRows, k: int) -> None:
        """The list of such a reader where there is no time: the nearest in their order, with plain reasons."""
        ranker = Ranker(None, self._of.tables, self._of.trends, self._of.readers, self._of.shared, self._clock)
        near = nearest(context, POPULAR_DEPTH * k, allowed)
        rows = distinct(np.concatenate(near))
        self._clock.lap(Stage.CANDIDATES)
        scores = ranker.score(context, rows, self._now)
        outcomes = outcome_factors(self._of.trends, rows, self._of.config.outcome_weights)
        ranked = in_order(context, rows, self._ranking(rows, scores, outcomes), near)
        picked = self._diversified(ranked, allowed, k)
        shown_scores = scores_of(ranker, context, picked, rows, scores, self._now)
        self._clock.lap(Stage.RERANK)
        reasons = self._with_updates(picked, self._plain_reasons(picked, allowed))
        self._add(context.tier, picked, shown_scores, reasons)
        self._candidate_scores.append(scores)
        self._clock.lap(Stage.REASONS)

    def _without_vector(self, allowed: AllowedRows, k: int) -> None:
        """A list without a vector: popular in the categories read, else popular, else the newest."""
        popular = allowed.among(self._popular)[: POPULAR_DEPTH * k]
        is_liked = np.isin(self._categories[popular], list(self._liked))
        first = popular[is_liked]
        if self._liked and len(first) < k:
            newest = allowed.among(self._eligible.newest)
            newest = newest[np.isin(self._categories[newest], list(self._liked)) & ~np.isin(newest, first)]
            first = np.concatenate([first, newest[:k]])
        if len(first):
            tier, ranked = Tier.CATEGORY_POPULAR, np.concatenate([first, popular[~is_liked]])
        else:
            tier, ranked = (Tier.POPULAR if len(popular) else Tier.FRESH), popular
        ranked = self._breaking_first(ranked, allowed)
        self._clock.lap(Stage.CANDIDATES)
        picked = self._diversified(ranked, allowed, k)
        self._clock.lap(Stage.RERANK)
        reasons = self._plain_reasons(picked, allowed)
        self._add(tier, picked, np.zeros(len(picked), np.float32), reasons)
        self._clock.lap(Stage.REASONS)

    def _ranking(self, rows: Rows, scores: Vectors, outcomes: OutcomeFactors | None) -> Vectors:
        """Scores as they rank: as they are, but for what editors boosted, and what came of it where it was opened."""
        editorial, kind = self._eligible.editorial, score_kind(self._model)
        if len(editorial.boosted) and len(rows):
            scores = boosted_scores(editorial, rows, scores, kind)
        return scores if outcomes is None else weighed(scores, outcomes.factors, kind)

    def _breaking_first(self, ranked: Rows, allowed: AllowedRows) -> Rows:
        first = allowed.among(self._of.shared.breaking(self._eligible, self._now))
        return np.concatenate([first, ranked[~np.isin(ranked, first)]]) if len(first) else ranked

    def _with_updates(self, picked: Rows, reasons: list[Reason]) -> list[Reason]:
        """Reasons, but of what follows up a story that the reader has read, this: it says more than any other."""
        if not self.updates:
            return reasons
        quotable, made = self._eligible.showable, []
        for row, reason in zip(picked.tolist(), reasons, strict=True):
            read = self.updates.get(row, UNKNOWN_ROW)
            told = read != UNKNOWN_ROW and quotable[read] and self._show_one_tag(row, read)
            made.append(Reason(ReasonKind.UPDATE, read) if told else reason)
        return made

    def _show_one_tag(self, row: int, other: int) -> bool:
        """True where both articles write one tag alike: what a reader sees, where the stories' tags are tokens."""
        one, another = map(self._of.shared.keyword_forms, (row, other))
        return not set(one.wholes).isdisjoint(another.wholes)

    def _plain_reasons(self, picked: Rows, allowed: AllowedRows) -> list[Reason]:
        of, now = self._of, self._now
        trending, popular = of.shared.claims(self._eligible, now)
        fresh = of.shared.is_fresh(picked, now).tolist()
        return plain_reasons(of.catalogue, trending, popular, fresh, picked, self._told_liked)

    def _add(self, tier: Tier, picked: Rows, scores: Vectors, reasons: list[Reason]) -> None:
        """Add articles to the list."""
        self.rows += picked.tolist()
        self._scores.append(scores)
        self._reasons += reasons
        self.tiers.append(tier)

    def _taken(self) -> Rows:
        """The rows whose stories have a card."""
        return np.concatenate([self.pinned, np.array(self.rows, np.int32)])

    def _diversified(self, ranked: Rows, allowed: AllowedRows, k: int) -> Rows:
        least = self._of.config.max_per_category
        own = category_limits(self._liked, len(self._clicks), k, least, MAX_CATEGORY_SHARE)
        stories, taken = self._of.catalogue.columns.stories, self._taken()
        by_source = SourceLimits(self._of.catalogue.columns.source, self._eligible.source_shares)
        picked = diversify(
            ranked,
            allowed,
            k,
            self._categories,
            stories,
            taken,
            own,
            least,
            lambda: self._further(allowed, k),
            by_source,
        )
        return np.array(picked, np.int32)

    def _further(self, allowed: AllowedRows, k: int) -> Iterator[Rows]:
        """Rows for when the candidates run out: the popular, the newest, in the end all that is allowed."""
        yield allowed.among(self._popular)[: POPULAR_DEPTH * k]
        yield liked_first(allowed.among(self._eligible.newest), self._categories, self._liked)
        if len(self._eligible.newest) == NEWEST:
            rows = np.flatnonzero(allowed.mask())
            yield liked_first(newest_of(rows, self._of.catalogue.published, len(rows)), self._categories, self._liked)


def _category_shares(categories: npt.NDArray[np.int16], clicks: Rows, half_life_clicks: float) -> dict[int, float]:
    """The categories of the articles clicked, by their codes, as shares of the clicks' weights."""
    shares: dict[int, float] = {}
    for code, weight in zip(categories[clicks].tolist(), _weights(len(clicks), half_life_clicks), strict=True):
        if code >= 0 and weight:
            shares[code] = shares.get(code, 0.0) + weight
    return dict(sorted(shares.items()))


@lru_cache(_LENGTHS)
def _weights(n: int, half_life_clicks: float) -> tuple[float, ...]:
    return tuple(weights(n, half_life_clicks).tolist())
