"""The recommender: retrieve, rank, re-rank, explain.

Reads the catalogue, the vectors, the indexes, the live counts and the click model; produces lists with reasons. What a
reader must not see (hidden, expired, not yet published, seen, dismissed, the article they are on, copies of these, a
second copy of one text) is left out inside the search, never after it; other languages than theirs fill what theirs
leaves empty. The same state gives the same list. Not safe for threads: the caller locks.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recsys.errors import UnknownArticle
from recsys.events import KINDS, UNDATED
from recsys.features.matrix import ArticleTables, candidate_rows
from recsys.index import Index
from recsys.items.online import WINDOW, learn_click
from recsys.readers import ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import ReaderEncoder
from recsys.readers.interests import untrained_encoder
from recsys.recommend.catalogue import NONE, Catalogue, Mask
from recsys.recommend.company import covisit_candidates
from recsys.recommend.config import RecommendConfig
from recsys.recommend.facts import SharedFeatures
from recsys.recommend.lists import ANONYMOUS, Card, Recommendation, RequestContext, ScoreKind, Scorer, Tier, as_said
from recsys.recommend.reasons import Reason, ReasonKind, among, because_you_read, most_read
from recsys.recommend.similar import similar_to
from recsys.recommend.taste import CandidateSet, ReaderContext, Space
from recsys.recommend.variety import DEEPER, category_limits, diversify
from recsys.tags.index import Rows
from recsys.tags.profile import favourites
from recsys.trends.stream import Trends

CLICK = KINDS.index("click")
HOT = 10  # articles that may be called trending: the tenth most clicked of a site still is

Vectors = npt.NDArray[np.float32]


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
            Space.ITEMS: encoder or untrained_encoder(readers),
            Space.ARTICLES: untrained_encoder(readers),
        }
        self.facts = SharedFeatures(catalogue, tables, trends, readers)

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
        """Learn from one event: the counts, and of a click the item vectors, which are found anew at once.

        Args:
            kind: index into ``KINDS``, or ``REPEAT_CLICK`` for a click that repeats one and teaches nothing.
            row: article row; one outside the catalogue is only counted as unknown.
            time: ms, or UNDATED.
            position: place in the list, from 0; -1 for unknown.
            visitor: who did it, to know their visit; None for nobody known.
            context: text of a JSON object.
            arrived: ms, when the event came in.
        """
        company = self.trends.observe(
            kind, row, time, position=position, visitor=visitor, context=context, arrived=arrived
        )
        items = self.tables.items
        passes = kind != CLICK or time == UNDATED or self.trends.is_ahead(time, arrived)
        if items is None or passes or not 0 <= row < len(items.pair_counts):
            return
        learn_click(items, company, row)
        if self.index is not None:
            for moved in {row, *company[-int(items.settings[WINDOW]) :].tolist()}:
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
        asker: RequestContext = ANONYMOUS,
    ) -> Recommendation:
        """Make a list for a reader.

        Args:
            reader: what is known of the reader, if anything.
            session: what they did in this session, if anything.
            article: id of the article they are on; one that the catalogue lacks says nothing.
            k: length of the list; shorter only when fewer articles may be shown.
            now: ms.
            lang: articles in this language first, then the rest; without it the one language of everything that the
                reader clicked, if it is one.
            home: the site's own language, which is taken for a reader who has clicked nothing.
            asker: who asks and where the list will stand.
        """
        here = NONE if article is None else self.catalogue.row_of.get(article, NONE)
        states = self._states(reader, session, here, now)
        allowed = self._allowed(states, here, now)
        taste = self._taste(states, asker)
        cards: list[Card] = []
        tiers: list[Tier] = []
        candidates: list[Vectors] = []
        for part in self.catalogue.by_preference(allowed, lang or self._spoken(states, home)):
            left = k - len(cards)
            if taste is not None:
                more, scores = self._for_taste(taste, part, left, now)
                candidates.append(scores)
                tier = taste.tier
            else:
                more, tier = self._for_anyone(states, part, left, now)
            cards += more
            tiers.append(tier)
            if len(cards) == k:
                break
        return Recommendation(tiers[0] if cards else Tier.EMPTY, self.release, self._said(cards, candidates))

    def similar(self, article_id: str, k: int, now: int) -> list[Card]:
        """The articles nearest to one, in its language; what these leave empty the newest fill.

        Words of two languages are learned apart, so that across languages nearness says nothing.

        Args:
            article_id: the article.
            k: how many at most.
            now: ms.

        Raises:
            UnknownArticle: the catalogue has no such article, or it is hidden or not yet published.
        """
        row = self.catalogue.row_of.get(article_id, NONE)
        if row == NONE or not self.catalogue.quotable(row, now):
            raise UnknownArticle("an article of the catalogue", f"{article_id!r}", "Check the id.")
        spaces = [(table, index) for _, table, index in self._spaces()][::-1]  # what they say, then who reads them
        return similar_to(self.catalogue, spaces, row, k, now, self.config.reason_keywords)

    def _spaces(self) -> Iterator[tuple[Space, Vectors, Index]]:
        """Table and index of the item vectors, then of the article vectors, as far as there are any."""
        if self.index is not None:
            yield Space.ITEMS, self.tables.item_vectors, self.index
        if self.content_index is not None:
            yield Space.ARTICLES, self.tables.article_vectors, self.content_index

    def _states(
        self, reader: ReaderState | None, session: ReaderState | None, here: int, now: int
    ) -> list[tuple[Tier, ReaderState]]:
        """The clicks that may say something, the most telling first."""
        states = [(Tier.PERSONAL, reader)] if reader is not None else []
        states += [(Tier.SESSION, session)] if session is not None else []
        if here != NONE:
            only = ReaderState.empty(self.readers)
            only.observe(CLICK, here, now)
            states.append((Tier.SESSION, only))
        return states

    def _allowed(self, states: Sequence[tuple[Tier, ReaderState]], here: int, now: int) -> Mask:
        allowed = self.catalogue.showable(now)
        for _, state in states:
            allowed[self.catalogue.stories.of(state.seen)] = False
        if here != NONE:
            allowed[self.catalogue.stories.of([here])] = False
        return self.catalogue.stories.one_of_each(allowed)

    def _spoken(self, states: Sequence[tuple[Tier, ReaderState]], home: str | None) -> str | None:
        """The language of the last clicks, None when there are several, ``home`` when there are no clicks."""
        clicked = next((state.clicks for _, state in states if state.clicks), [])
        if not clicked:
            return home
        languages = {entry.language for row in clicked if (entry := self.catalogue.entries[row])}
        return languages.pop() if len(languages) == 1 else None

    def _taste(self, states: Sequence[tuple[Tier, ReaderState]], asker: RequestContext) -> ReaderContext | None:
        for tier, state in states:
            for space, table, index in self._spaces() if state.clicks else ():
                interests = self._encoders[space].encode(table, state.clicks, state.times)
                if interests.known:
                    return ReaderContext(tier, state, space, table, index, interests, asker)
        return None

    def _for_taste(self, taste: ReaderContext, allowed: Mask, k: int, now: int) -> tuple[list[Card], Vectors]:
        """A list with the scores by which it was ranked, and the scores of all its candidates."""
        pool = self._pool(taste, allowed, now)
        picked = self._varied(pool.rows, allowed, k, now, pool.liked, len(taste.state.clicks))
        late = [row for row in picked if row not in set(pool.rows.tolist())]
        rows = np.concatenate([pool.rows, np.array(late, np.int32)])
        scores = np.concatenate([pool.scores, self._score(taste, rows[len(pool.rows) :], now)])
        kind, score_of = self._kind(), dict(zip(rows.tolist(), scores.tolist(), strict=True))
        cards = [Card(row, score_of[row], self._reason(taste, pool, row, now), kind) for row in picked]
        return cards, pool.scores

    def _said(self, cards: list[Card], candidates: Sequence[Vectors]) -> list[Card]:
        """The cards with their scores as they are answered, over the candidates of all languages."""
        if not candidates:
            return cards
        scores = np.array([card.score for card in cards], np.float32)
        said = as_said(self._kind(), scores, np.concatenate(candidates)).tolist()
        return [card._replace(score=score) for card, score in zip(cards, said, strict=True)]

    def _kind(self) -> ScoreKind:
        if self.model is None:
            return ScoreKind.SIMILARITY
        return ScoreKind.CLICK if self.model.probability else ScoreKind.NEXT_CLICK

    def _pool(self, taste: ReaderContext, allowed: Mask, now: int) -> CandidateSet:
        near = taste.near(self.neighbours, allowed)
        clicked = taste.state.clicks
        liked = most_read(self.catalogue, clicked, self.readers.half_life_clicks)
        fresh = self.facts.fresh(allowed, self.config.fresh_hours, now)
        newest = self.catalogue.newest(fresh, self.config.fresh, liked=liked)
        trending = self.catalogue.stories.popular(self.trends, self.config.trending, allowed, now)
        company = covisit_candidates(self.trends, clicked, allowed, now, self.config.company)
        rows = np.unique(np.concatenate([*near, trending, newest, company.rows]).astype(np.int32))
        scores = self._score(taste, rows, now)
        ranked = taste.in_shares(rows[np.lexsort((rows, -scores))], near)
        return CandidateSet(
            ranked,
            scores[np.searchsorted(rows, ranked)],
            self._hot(trending, now),
            liked,
            favourites(self.catalogue.entries, clicked),
            company.told(self.config),
            fresh,
            self.catalogue.showable(now),
        )

    def _hot(self, trending: Rows, now: int) -> frozenset[int]:
        """The articles that may be called trending: the very top, and clicked lately."""
        top = trending[:HOT]
        return frozenset(top[self.trends.clicks(top, now)[:, -1] >= 1.0].tolist())

    def _score(self, taste: ReaderContext, rows: Rows, now: int) -> Vectors:
        """What the click model says of each row; without one how near it is to the reader, 0 where unknown."""
        if not len(rows):
            return np.empty(0, np.float32)
        if self.model is None:
            return taste.interests.nearness(taste.table[rows])
        known = self.facts.known()
        asked = candidate_rows(self.tables, taste.state, rows, now, self.trends, self.readers, known, *taste.asker)
        return self.model.score(asked)

    def _for_anyone(
        self, states: Sequence[tuple[Tier, ReaderState]], allowed: Mask, k: int, now: int
    ) -> tuple[list[Card], Tier]:
        """A list without a vector: popular in the categories read, else popular, else the newest."""
        clicked = next((state.clicks for _, state in states if state.clicks), [])
        liked = most_read(self.catalogue, clicked, self.readers.half_life_clicks)
        popular = self.catalogue.stories.popular(self.trends, DEEPER * k, allowed, now).tolist()
        first = [row for row in popular if self.catalogue.category(row) in liked]
        if liked and len(first) < k:
            newest = self.catalogue.newest(allowed, k, liked=liked).tolist()
            first += [row for row in newest if row not in first and self.catalogue.category(row) in liked]
        if first:
            tier, ranked = Tier.CATEGORY_POPULAR, first + [row for row in popular if row not in first]
        else:
            tier, ranked = (Tier.POPULAR if popular else Tier.FRESH), popular
        picked = self._varied(np.array(ranked, np.int32), allowed, k, now, liked, len(clicked))
        known = set(popular)
        return [Card(row, 0.0, self._plain_reason(row, row in known, liked)) for row in picked], tier

    def _plain_reason(self, row: int, popular: bool, liked: dict[str, float]) -> Reason:
        category = self.catalogue.category(row)
        if category in liked:
            return Reason(ReasonKind.BECAUSE_YOU_LIKE, category=category)
        return Reason(ReasonKind.POPULAR if popular else ReasonKind.FRESH)

    def _varied(self, ranked: Rows, allowed: Mask, k: int, now: int, liked: Mapping[str, float], n: int) -> list[int]:
        least = self.config.max_per_category
        own = category_limits(liked, n, k, least, self.config.max_category_share)
        return diversify(self.catalogue, self.trends, ranked, allowed, k, now, liked, own, least)

    def _reason(self, taste: ReaderContext, pool: CandidateSet, row: int, now: int) -> Reason:
        clicks, half_life = taste.state.clicks, self.readers.half_life_clicks
        mean = self.facts.middle(taste.space, taste.table, self.catalogue.entry(row).language, now)
        read = because_you_read(self.catalogue, taste.table, mean, clicks, half_life, row, pool.nameable, self.config)
        if read is not None:
            return read
        category = self.catalogue.category(row)
        if category and pool.liked.get(category, 0.0) >= self.config.liked_share:
            words = among(self.catalogue, row, pool.favourites, self.config.reason_keywords)
            return Reason(ReasonKind.BECAUSE_YOU_LIKE, category=category, keywords=words)
        if row in pool.together and pool.nameable[pool.together[row]]:
            return Reason(ReasonKind.ALSO_OPENED, pool.together[row])
        if row in pool.hot:
            return Reason(ReasonKind.TRENDING)
        if pool.fresh[row]:
            return Reason(ReasonKind.FRESH)
        if self.trends.total_clicks(np.array([row], np.int32))[0]:
            return Reason(ReasonKind.POPULAR)
        return Reason(ReasonKind.SIMILAR)
