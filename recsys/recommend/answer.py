"""The answer: context, candidates, ranking, re-ranking, reasons, in this order.

Reads the catalogue, the vectors, the indexes, the live counts and the click model; produces lists with reasons. What a
reader must not see (hidden, expired, not yet published, seen, dismissed, the article they are on, copies of these, a
second copy of one text) is left out inside the search, never after it; other languages than theirs fill what theirs
leaves empty. The same state gives the same list. One thread may ``observe`` while others ask.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import NEWEST, AllowedRows, Eligibility, newest_of
from recsys.errors import UnknownArticle
from recsys.events import UNDATED
from recsys.features.matrix import ArticleTables
from recsys.index import Index
from recsys.items.online import WINDOW, learn_click
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import ReaderEncoder, weights
from recsys.readers.interests import untrained_encoder
from recsys.recommend.candidates import CandidateSet, CommonSources, distinct, nearest, retrieve
from recsys.recommend.chosen import as_chosen
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import (
    ANONYMOUS,
    ReaderContext,
    RequestContext,
    SharedFeatures,
    Tier,
    VectorSpace,
    VectorTable,
    newcomer_context,
    reader_context,
)
from recsys.recommend.editorial import NO_PINS, boosted_scores, standing_pins, with_guaranteed, with_pins
from recsys.recommend.exploration import LEAST_LENGTH, Explored, explored, slot_draw
from recsys.recommend.fatigue import tired_rows
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
from recsys.recommend.reasons import REASON_KEYWORDS, Card, Reason, ReasonKind, explain, liked_enough, plain_reasons
from recsys.recommend.rerank import (
    MAX_CATEGORY_SHARE,
    POPULAR_DEPTH,
    SourceLimits,
    category_limits,
    diversify,
    liked_first,
)
from recsys.recommend.shared_lists import Asked, Moment, SharedLists, is_unknown
from recsys.recommend.similar import similar_to
from recsys.recommend.story_updates import read_stories
from recsys.tags.index import Rows
from recsys.telemetry import Stage, StageClock
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

_LENGTHS = 512  # of histories whose weights are kept
_NO_TAGS = np.empty((0, 0), np.int64)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list, the tier that it came from, the release that served it, what was tried, the time that its stages took.

    Attributes:
        written: how the list was written down, by the manner of writing: those who share a list share this, too.
    """

    tier: Tier
    release: str | None
    cards: list[Card]
    explored: Explored | None = None
    clock: StageClock = field(default_factory=StageClock, compare=False, repr=False)
    written: dict[Hashable, bytes] = field(default_factory=dict, compare=False, repr=False)


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


class Recommender:
    """One release, or none, over one catalogue; every table has the catalogue's capacity as its length."""

    def __init__(
        self,
        catalogue: Catalogue,
        tables: ArticleTables,
        index: Index | None,
        content_index: Index | None,
        model: Scorer | None,
        trends: Trends,
        config: RecommendConfig,
        readers: ReadersConfig,
        neighbours: int,
        release: str | None,
        encoder: ReaderEncoder | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.tables = tables
        self.index = index
        self.content_index = content_index
        self.model = model
        self.trends = trends
        self.config = config
        self.readers = readers
        self.neighbours = neighbours  # candidates that the index brings
        self.release = release
        self._encoders = {
            VectorSpace.ITEMS: encoder or untrained_encoder(readers),
            VectorSpace.ARTICLES: untrained_encoder(readers),
        }
        self.shared = SharedFeatures(catalogue, tables, trends, readers, config)
        self._shared_lists = SharedLists[Recommendation]()

    def observe(
        self,
        kind: int,
        row: int,
        time: int,
        *,
        position: int = -1,
        visitor: str | None = None,
        context: str | None = None,
        arrived: int | None = None,
        outcome: int = 0,
    ) -> None:
        """Learn from one event: the counts, and of a click the item vectors, which are searchable at once.

        Args:
            kind: index into ``KINDS``, or ``REPEAT_CLICK`` for a click that repeats one and teaches nothing.
            row: article row; one outside the catalogue is only counted as unknown.
            time: ms, or UNDATED.
            position: place in the list, from 0; -1 for unknown.
            visitor: who did it, to know their visit; None for nobody known.
            context: text of a JSON object.
            arrived: ms, when the event came in.
            outcome: that it adds, see ``recsys.events.outcomes``.
        """
        covisits = self.trends.observe(
            kind, row, time, position=position, visitor=visitor, context=context, arrived=arrived, outcome=outcome
        )
        if kind != CLICK:
            return
        self.shared.clicked(row)
        items = self.tables.items
        passes = time == UNDATED or self.trends.is_ahead(time, arrived)
        if items is None or passes or not 0 <= row < len(items.pair_counts):
            return
        learn_click(items, covisits, row)
        if self.index is not None:
            for moved in {row, *covisits[-int(items.settings[WINDOW]) :].tolist()}:
                self.index.add(items.vectors[moved], moved)

    def recommend(
        self,
        reader: ReaderState | None,
        session: ReaderState | None,
        *,
        article: str | None,
        k: int,
        now: int,
        lang: str | None,
        home: str | None = None,
        request: RequestContext = ANONYMOUS,
        exclude: Sequence[str] = (),
        cheap: bool = False,
        passes: "list[Pass] | None" = None,
    ) -> Recommendation:
        """Make a list for a reader.

        Args:
            reader: the reader's clicks, if anything is known of them.
            session: the same of this session.
            article: id of the article they are on; one that the catalogue lacks says nothing.
            k: length of the list; shorter only when fewer articles may be shown.
            now: ms.
            lang: articles in this language first, then the rest; without it the one language of everything that the
                reader clicked, if it is one.
            home: the site's own language, which is taken for a reader who has clicked nothing.
            request: the reader's id, and where the list will stand.
            exclude: ids of articles that the page shows already; those that the catalogue lacks say nothing, and so do
                all of them where nothing else may be listed.
            cheap: True where there is no time for the click model: the nearest come first, with plain reasons.
            passes: takes what was decided on the way, for a trace.
        """
        here = UNKNOWN_ROW if article is None else self.catalogue.row_of.get(article, UNKNOWN_ROW)
        asked = Asked(here, k, lang, home, request.slot, tuple(exclude), cheap)
        if passes is not None or request.reader is not None or request.chosen or not is_unknown((reader, session)):
            return self._made(reader, session, asked, now, request, passes)
        moment = Moment(self.catalogue.eligible(now), self.trends.all_total[1], now)
        kept = self._shared_lists.get(asked, moment)
        if kept is not None:
            return replace(kept, clock=StageClock())
        made = self._made(reader, session, asked, now, request, None)
        self._shared_lists.keep(asked, moment, made)
        return made

    def _made(
        self,
        reader: ReaderState | None,
        session: ReaderState | None,
        asked: Asked,
        now: int,
        request: RequestContext,
        passes: "list[Pass] | None",
    ) -> Recommendation:
        """Make a list; arguments as in ``recommend``."""
        clock = StageClock()
        here, k, lang, home, _, exclude, cheap = asked
        states = self._states(reader, session, here, now)
        eligible = self.catalogue.eligible(now)
        on_page = self._on_page(eligible, here, exclude)
        tags = _NO_TAGS if self.tables.tags is None else self.tables.tags.ids
        read = read_stories([state for _, state in states], self.catalogue.columns, tags, now)
        tired = tired_rows([state for _, state in states])
        seen = np.concatenate([*(state.seen for _, state in states), on_page])
        if request.chosen:  # from here on it is about what they like, and no longer about what they have seen
            states = [
                (
                    tier,
                    as_chosen(state, self.catalogue, request.chosen) if state is reader or state is session else state,
                )
                for tier, state in states
            ]
            read = read.of_clicks([state.clicks for _, state in states])
        clicks = next((state.clicks for _, state in states if len(state.clicks)), on_page[:0])
        known = lang or self.catalogue.language_of_all(clicks)
        language = known if len(clicks) else known or home
        pins, guaranteed = NO_PINS
        if eligible.editorial.pins:
            pins, guaranteed = standing_pins(self.catalogue, eligible, request.slot, seen, known, k)
        pinned = np.array([pin.row for pin in pins], np.int32)
        context = reader_context(states, self._tables(), self._encoders, request)
        listing = _Listing(self, context, eligible, context.state.clicks if context else clicks, now, cheap, clock)
        listing.meet([state for _, state in states], request)
        listing.passes, listing.updates = passes, read.updates
        listing.pinned, listing.raised = pinned, guaranteed
        left_out = np.concatenate([seen, read.over, tired, pinned])
        seen_copies, room = eligible.listed_copies(left_out), k - len(pins)
        for part in self._by_preference(eligible, language) if room else ():
            listing.fill(part.without(seen_copies), room - len(listing.rows))
            if len(listing.rows) == room:
                break
        tier = listing.tiers[0] if listing.rows else Tier.EDITORS if pins or len(guaranteed) else Tier.EMPTY
        cards, tried = listing.answered(), None
        draw = slot_draw(request.reader or "", clicks, now)
        if self.config.explore_impressions and not cheap and draw is not None and len(cards) >= LEAST_LENGTH:
            first = self._by_preference(eligible, language)[0].without(seen_copies)
            tried = self._explored(cards, np.concatenate([pinned, guaranteed]), first, draw, now)
            if tried is not None:
                card = Card(tried.row, 0.0, Reason(ReasonKind.EXPLORING))
                cards[tried.place :] = [card, *cards[tried.place : room - 1]]
        if len(guaranteed):
            columns, kept = self.catalogue.columns, () if tried is None else (tried.row,)
            groups = columns.copies.labels, columns.stories.labels
            cards = with_guaranteed(cards, guaranteed, groups, room, kept)
        cards = with_pins(cards, pins)
        if tried is not None:
            tried = tried._replace(place=[card.row for card in cards].index(tried.row))
        return Recommendation(tier, self.release, cards, tried, clock)

    def _explored(
        self, cards: Sequence[Card], pinned: Rows, allowed: AllowedRows, draw: float, now: int
    ) -> Explored | None:
        """The article that is tried in a list: of a story without a card there, of a source that may have one more."""
        rows, columns, eligible = [card.row for card in cards], self.catalogue.columns, self.catalogue.eligible(now)
        by_source = SourceLimits(columns.source, eligible.source_shares)
        trial = self.shared.trial(eligible, now).but_for(columns.stories, [*rows, *pinned.tolist()])
        return explored(trial.within(by_source, rows), rows, allowed, draw)

    def _on_page(self, eligible: Eligibility, here: int, exclude: Sequence[str]) -> Rows:
        """The rows that the page shows; of one that shows all there are, as a small site's front page does, its own."""
        named = [self.catalogue.row_of.get(name, UNKNOWN_ROW) for name in exclude]
        rows = np.array([row for row in (here, *named) if row != UNKNOWN_ROW], np.int32)
        if named and not eligible.listed.without(eligible.listed_copies(rows)):
            return rows[: here != UNKNOWN_ROW]
        return rows

    def _by_preference(self, eligible: Eligibility, language: str | None) -> Sequence[AllowedRows]:
        """The rows in a language, then the others: a language is a preference, which excludes nothing."""
        code = self.catalogue.language_code(language)
        return [eligible.listed] if code is None else eligible.spoken(code)

    def similar(self, article_id: str, k: int, now: int) -> list[Card]:
        """The articles nearest to one, in its language; what these leave empty the newest fill.

        Args:
            article_id: the article.
            k: cards at most.
            now: ms.

        Raises:
            UnknownArticle: the catalogue has no such article, or it is hidden or not yet published.
        """
        row = self.catalogue.row_of.get(article_id, UNKNOWN_ROW)
        if row == UNKNOWN_ROW or not self.catalogue.quotable(row, now):
            raise UnknownArticle("an article of the catalogue", f"{article_id!r}", "Check the id.")
        tables = self._tables()[::-1]  # what they say, then who reads them
        return similar_to(self.catalogue, tables, row, k, now, REASON_KEYWORDS)

    def keep(self, now: int) -> None:
        """Make what many answers share and takes long, before one needs it; ``now`` in ms."""
        self.shared.keep(self._tables(), self.catalogue.eligible(now), now)

    def _tables(self) -> list[VectorTable]:
        """The item vectors, then the article vectors, as far as there are any."""
        tables = []
        if self.index is not None:
            tables.append(VectorTable(VectorSpace.ITEMS, self.index))
        if self.content_index is not None:
            tables.append(VectorTable(VectorSpace.ARTICLES, self.content_index))
        return tables

    def _states(
        self, reader: ReaderState | None, session: ReaderState | None, here: int, now: int
    ) -> list[tuple[Tier, ReaderState]]:
        """The clicks that may say something, the most telling first."""
        states = [(Tier.PERSONAL, reader)] if reader is not None else []
        states += [(Tier.SESSION, session)] if session is not None else []
        if here != UNKNOWN_ROW:
            only = ReaderState.empty(self.readers)
            only.observe(CLICK, here, now)
            states.append((Tier.SESSION, only))
        return states


class _Listing:
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
        recommender: Recommender,
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
        if self._context is None and self._model is not None and (tables := self._of._tables()):
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
