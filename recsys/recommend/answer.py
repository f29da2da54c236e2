"""The answer: context, candidates, ranking, re-ranking, reasons, in this order.

Reads the catalogue, the vectors, the indexes, the live counts and the click model; produces lists with reasons. What a
reader must not see (hidden, expired, not yet published, seen, dismissed, the article they are on, copies of these, a
second copy of one text) is left out inside the search, never after it; other languages than theirs fill what theirs
leaves empty. The same state gives the same list. Not safe for threads: the caller locks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.catalogue.columns import Catalogue, Mask
from recsys.errors import UnknownArticle
from recsys.events import UNDATED
from recsys.features.matrix import ArticleTables
from recsys.index import Index
from recsys.items.online import WINDOW, learn_click
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import ReaderEncoder
from recsys.readers.interests import untrained_encoder
from recsys.recommend.candidates import retrieve
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import (
    ANONYMOUS,
    ReaderContext,
    RequestContext,
    SharedFeatures,
    Tier,
    VectorSpace,
    VectorTable,
    category_shares,
    language_read,
    reader_context,
)
from recsys.recommend.rank import Ranker, Scorer, answered_scores, score_kind
from recsys.recommend.reasons import Card, explain, plain_reasons
from recsys.recommend.rerank import POPULAR_DEPTH, category_limits, diversify
from recsys.recommend.similar import similar_to
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list, the tier that it came from and the release that served it."""

    tier: Tier
    release: str | None
    cards: list[Card]


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
        self.shared = SharedFeatures(catalogue, tables, trends, readers)

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
        """
        covisits = self.trends.observe(
            kind, row, time, position=position, visitor=visitor, context=context, arrived=arrived
        )
        items = self.tables.items
        passes = kind != CLICK or time == UNDATED or self.trends.is_ahead(time, arrived)
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
        """
        here = UNKNOWN_ROW if article is None else self.catalogue.row_of.get(article, UNKNOWN_ROW)
        states = self._states(reader, session, here, now)
        seen = [row for _, state in states for row in state.seen] + ([here] if here != UNKNOWN_ROW else [])
        showable = self.catalogue.showable(now)
        allowed = self.catalogue.without(showable, seen)
        clicks = next((state.clicks for _, state in states if state.clicks), [])
        language = lang or (language_read(self.catalogue, clicks) if clicks else home)
        context = reader_context(states, self._tables(), self._encoders, request)
        listing = _Listing(self, context, showable, context.state.clicks if context else clicks, now)
        for part in self.catalogue.by_preference(allowed, language):
            listing.fill(part, k - len(listing.cards))
            if len(listing.cards) == k:
                break
        return Recommendation(listing.tiers[0] if listing.cards else Tier.EMPTY, self.release, listing.answered())

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
        return similar_to(self.catalogue, tables, row, k, now, self.config.reason_keywords)

    def _tables(self) -> list[VectorTable]:
        """The item vectors, then the article vectors, as far as there are any."""
        tables = []
        if self.index is not None:
            tables.append(VectorTable(VectorSpace.ITEMS, self.tables.item_vectors, self.index))
        if self.content_index is not None:
            tables.append(VectorTable(VectorSpace.ARTICLES, self.tables.article_vectors, self.content_index))
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
        cards: so far, with scores as they rank.
        tiers: of each language.
    """

    def __init__(
        self, recommender: Recommender, context: ReaderContext | None, showable: Mask, clicks: Sequence[int], now: int
    ) -> None:
        self._of, self._context, self._showable, self._clicks, self._now = recommender, context, showable, clicks, now
        self._liked: Mapping[str, float] = category_shares(
            recommender.catalogue, clicks, recommender.readers.half_life_clicks
        )
        self._candidate_scores: list[Vectors] = []
        self.cards: list[Card] = []
        self.tiers: list[Tier] = []

    def fill(self, allowed: Mask, k: int) -> None:
        """Add at most ``k`` of the allowed articles, bool (A,)."""
        if self._context is None:
            self._without_vector(allowed, k)
        else:
            self._personal(self._context, allowed, k)

    def answered(self) -> list[Card]:
        """The cards with their scores as they are answered, over the candidates of all languages."""
        if not self._candidate_scores:
            return self.cards
        scores = np.array([card.score for card in self.cards], np.float32)
        kind = score_kind(self._of.model)
        answered = answered_scores(kind, scores, np.concatenate(self._candidate_scores)).tolist()
        return [card._replace(score=score, kind=kind) for card, score in zip(self.cards, answered, strict=True)]

    def _personal(self, context: ReaderContext, allowed: Mask, k: int) -> None:
        """The list of a reader of whom a direction is known."""
        of, now, liked = self._of, self._now, self._liked
        ranker = Ranker(of.model, of.tables, of.trends, of.readers, of.shared)
        candidates = retrieve(
            context, of.catalogue, of.trends, of.shared, allowed, liked, of.neighbours, of.config, now
        )
        ranked, ranked_scores = ranker.rank(context, candidates.rows, candidates.near, now)
        picked = self._diversified(ranked, allowed, k)
        scores = dict(zip(ranked.tolist(), ranked_scores.tolist(), strict=True))
        late = np.array([row for row in picked if row not in scores], np.int32)
        if len(late):
            scores |= dict(zip(late.tolist(), ranker.score(context, late, now).tolist(), strict=True))
        reasons = explain(
            context,
            candidates,
            picked,
            liked,
            self._showable,
            of.catalogue,
            of.trends,
            of.shared,
            of.readers.half_life_clicks,
            of.config,
            now,
        )
        self.cards += [Card(row, scores[row], reason) for row, reason in zip(picked, reasons, strict=True)]
        self.tiers.append(context.tier)
        self._candidate_scores.append(ranked_scores)

    def _without_vector(self, allowed: Mask, k: int) -> None:
        """A list without a vector: popular in the categories read, else popular, else the newest."""
        catalogue, liked = self._of.catalogue, self._liked
        popular = catalogue.copies.popular(self._of.trends, POPULAR_DEPTH * k, allowed, self._now).tolist()
        first = [row for row in popular if catalogue.categories[row] in liked]
        if liked and len(first) < k:
            newest = catalogue.newest(allowed, k, liked=liked).tolist()
            first += [row for row in newest if row not in first and catalogue.categories[row] in liked]
        if first:
            tier, ranked = Tier.CATEGORY_POPULAR, first + [row for row in popular if row not in first]
        else:
            tier, ranked = (Tier.POPULAR if popular else Tier.FRESH), popular
        picked = self._diversified(np.array(ranked, np.int32), allowed, k)
        reasons = plain_reasons(catalogue.categories, set(popular), picked, liked)
        self.cards += [Card(row, 0.0, reason) for row, reason in zip(picked, reasons, strict=True)]
        self.tiers.append(tier)

    def _diversified(self, ranked: npt.NDArray[np.int32], allowed: Mask, k: int) -> list[int]:
        of, least = self._of, self._of.config.max_per_category
        own = category_limits(self._liked, len(self._clicks), k, least, of.config.max_category_share)
        return diversify(of.catalogue, of.trends, ranked, allowed, k, self._now, self._liked, own, least)
