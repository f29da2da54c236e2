"""The answer: context, candidates, ranking, re-ranking, reasons, in this order.

Reads the catalogue, the vectors, the indexes, the live counts and the click model; produces lists with reasons. What a
reader must not see (hidden, expired, not yet published, seen, dismissed, the article they are on, copies of these, a
second copy of one text) is left out inside the search, never after it; other languages than theirs fill what theirs
leaves empty. The same state gives the same list. One thread may ``observe`` while others ask.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.eligibility import AllowedRows, Eligibility
from recsys.errors import UnknownArticle
from recsys.events import UNDATED
from recsys.features.matrix import ArticleTables
from recsys.index import Index
from recsys.items.online import WINDOW, learn_click
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import ReaderEncoder
from recsys.readers.interests import untrained_encoder
from recsys.recommend.chosen import as_chosen
from recsys.recommend.config import RecommendConfig
from recsys.recommend.context import (
    ANONYMOUS,
    RequestContext,
    SharedFeatures,
    Tier,
    VectorSpace,
    VectorTable,
    reader_context,
)
from recsys.recommend.editorial import NO_PINS, standing_pins, with_guaranteed, with_pins
from recsys.recommend.exploration import LEAST_LENGTH, Explored, explored, slot_draw
from recsys.recommend.fatigue import tired_rows
from recsys.recommend.listing import Listing, Pass
from recsys.recommend.rank import (
    Scorer,
)
from recsys.recommend.reasons import REASON_KEYWORDS, Card, Reason, ReasonKind
from recsys.recommend.rerank import (
    SourceLimits,
)
from recsys.recommend.shared_lists import Asked, Moment, SharedLists, is_unknown
from recsys.recommend.similar import similar_to
from recsys.recommend.story_updates import read_stories
from recsys.tags.index import Rows
from recsys.telemetry import StageClock
from recsys.trends.stream import Trends
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

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
        passes: list[Pass] | None = None,
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
        passes: list[Pass] | None,
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
        context = reader_context(states, self.vector_tables(), self._encoders, request)
        listing = Listing(self, context, eligible, context.state.clicks if context else clicks, now, cheap, clock)
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
        cards = with_pins(self._with_guaranteed(cards, guaranteed, room, tried), pins)
        if tried is not None:
            tried = tried._replace(place=[card.row for card in cards].index(tried.row))
        return Recommendation(tier, self.release, cards, tried, clock)

    def _with_guaranteed(self, cards: list[Card], guaranteed: Rows, room: int, tried: Explored | None) -> list[Card]:
        """The cards with those that editors guaranteed a place; what is tried stays."""
        if not len(guaranteed):
            return cards
        columns, kept = self.catalogue.columns, () if tried is None else (tried.row,)
        return with_guaranteed(cards, guaranteed, (columns.copies.labels, columns.stories.labels), room, kept)

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
        tables = self.vector_tables()[::-1]  # what they say, then who reads them
        return similar_to(self.catalogue, tables, row, k, now, REASON_KEYWORDS)

    def keep(self, now: int) -> None:
        """Make what many answers share and takes long, before one needs it; ``now`` in ms."""
        self.shared.keep(self.vector_tables(), self.catalogue.eligible(now), now)

    def vector_tables(self) -> list[VectorTable]:
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
