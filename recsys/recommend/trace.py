"""Trace: why an article is, or is not, in a reader's list: every stage that it passed, or where it fell.

Reads the same recommender and makes the same list by the same code; produces one row per stage, with the numbers that
decided. Nothing is decided here.
"""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from recsys.catalogue.eligibility import Eligibility
from recsys.readers import ReaderState
from recsys.recommend.answer import Recommendation, Recommender
from recsys.recommend.context import RequestContext
from recsys.recommend.fatigue import TIRED_AFTER, tired_rows
from recsys.recommend.listing import Pass
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.rerank import most_of_source
from recsys.recommend.trace_words import reason_name, trace_text
from recsys.store import Decision, DecisionKind
from recsys.tags.index import Rows
from recsys.units import FOREVER_MS, HOUR_MS, NEVER_MS, UNKNOWN_ROW


class TraceStep(NamedTuple):
    """One stage.

    Attributes:
        stage: its name.
        passed: whether the article went on; None where the stage decides nothing.
        says: why, with the numbers.
    """

    stage: str
    passed: bool | None
    says: str


class Trace(NamedTuple):
    """The way of one article towards one list.

    Attributes:
        steps: in order; the last one says whether it is in the list.
        place: in the list, from 1; 0 when it is not there.
        recommendation: the list.
    """

    steps: list[TraceStep]
    place: int
    recommendation: Recommendation


def trace(
    recommender: Recommender,
    article_id: str,
    reader: ReaderState | None,
    session: ReaderState | None,
    *,
    article: str | None,
    k: int,
    now: int,
    lang: str | None,
    home: str | None,
    request: RequestContext,
    exclude: Sequence[str] = (),
    spoken: str = "en",
) -> Trace:
    """Follow one article; see ``Recommender.recommend`` for the arguments of the list.

    Args:
        recommender: makes the list.
        article_id: whose way it is; one that the catalogue lacks falls at the first stage.
        spoken: language of the sentences, zh or en.
    """
    passes: list[Pass] = []
    made = recommender.recommend(
        reader,
        session,
        article=article,
        k=k,
        now=now,
        lang=lang,
        home=home,
        request=request,
        exclude=exclude,
        passes=passes,
    )
    row = recommender.catalogue.row_of.get(article_id, UNKNOWN_ROW)
    if row == UNKNOWN_ROW:
        return Trace([TraceStep("catalogue", False, trace_text("unknown", spoken))], 0, made)
    eligible = recommender.catalogue.eligible(now)
    states = [state for state in (reader, session) if state is not None]
    way = _Way(recommender, row, eligible, now, spoken)
    steps = [*way.before_the_list(states, exclude, article)]
    rows = [card.row for card in made.cards]
    place = rows.index(row) + 1 if row in rows else 0
    by_hand = place > 0 and made.cards[place - 1].reason.kind is ReasonKind.EDITORS_CHOICE
    if by_hand:  # it stands beside the ranking: what would have kept it out of that decides nothing
        steps = [step for step in steps if step.stage in ("shown", "editors")]
    elif all(step.passed for step in steps):
        steps += way.through(passes)
    if place:
        reason = reason_name(made.cards[place - 1].reason.kind, spoken)
        said = trace_text("listed", spoken, length=len(rows), place=place, reason=reason)
    else:
        said = trace_text("not_listed", spoken, length=len(rows))
    if made.explored is not None and made.explored.row == row:
        said += trace_text("tried", spoken, propensity=made.explored.propensity)
    return Trace([*steps, TraceStep("list", place > 0, said)], place, made)


class _Way:
    """The way of one row."""

    def __init__(self, recommender: Recommender, row: int, eligible: Eligibility, now: int, spoken: str) -> None:
        self._of, self._row, self._eligible, self._now = recommender, row, eligible, now
        self._say = functools.partial(trace_text, language=spoken)

    def before_the_list(
        self, states: Sequence[ReaderState], exclude: Sequence[str], article: str | None
    ) -> Iterator[TraceStep]:
        """Stages that ask nothing of the candidates; they end where the article falls."""
        for stage in (self._shown, self._editors, self._copy, lambda: self._seen(states, exclude, article)):
            step = stage()
            if step is None:
                continue
            yield step
            if not step.passed:
                return

    def _shown(self) -> TraceStep:
        columns, row, now = self._of.catalogue.columns, self._row, self._now
        published, expires = int(columns.published[row]), int(columns.expires[row])
        if self._eligible.showable[row]:
            hours = max(0, now - published) / HOUR_MS
            said = self._say("of_no_age") if published == NEVER_MS else self._say("of_age", hours=hours)
            return TraceStep("shown", True, said)
        if not columns.shown[row]:
            return TraceStep("shown", False, self._say("hidden"))
        if published > now:
            return TraceStep("shown", False, self._say("later", hours=(published - now) / HOUR_MS))
        ended = "expired" if expires == FOREVER_MS else "expired_ago"
        return TraceStep("shown", False, self._say(ended, hours=(now - expires) / HOUR_MS))

    def _editors(self) -> TraceStep | None:
        """The editors' decision on it, or on a copy of its text; None where there is none."""
        catalogue, text = self._of.catalogue, int(self._eligible.quoted[self._row])
        if text != UNKNOWN_ROW and self._eligible.standing[text] == UNKNOWN_ROW:
            return TraceStep("editors", False, self._say("buried"))
        own = [one for one in catalogue.decisions if one.article == catalogue.ids[self._row] and one.until > self._now]
        said = self._say("and").join(map(self._decided, own))
        return TraceStep("editors", True, said + self._say("stop")) if said else None

    def _decided(self, one: Decision) -> str:
        if one.kind is not DecisionKind.PIN:
            return self._say("boosted", by=one.set_by, factor=one.factor)
        lists = self._say("of_slot", slot=one.slot) if one.slot else self._say("everywhere")
        return self._say("guaranteed" if one.place is None else "pinned", by=one.set_by, lists=lists, place=one.place)

    def _copy(self) -> TraceStep:
        best = int(self._eligible.standing[self._row])
        if best == self._row:
            return TraceStep("copies", True, self._say("own_text"))
        if best == UNKNOWN_ROW:
            return TraceStep("copies", False, self._say("no_copy"))
        return TraceStep("copies", False, self._say("copied", other=self._of.catalogue.ids[best]))

    def _seen(self, states: Sequence[ReaderState], exclude: Sequence[str], article: str | None) -> TraceStep:
        row_of = self._of.catalogue.row_of
        on_page = [row_of.get(name, UNKNOWN_ROW) for name in (*exclude, *([article] if article else []))]
        if self._row in on_page:
            return TraceStep("seen", False, self._say("on_page"))
        for state in states:
            if self._row in self._eligible.listed_copies(state.seen):
                how = "dismissed" if self._row in state.dismissed else "read"
                return TraceStep("seen", False, self._say(how))
        if self._row in self._eligible.listed_copies(tired_rows(states)):
            return TraceStep("seen", False, self._say("tired", times=TIRED_AFTER))
        clicks = max((len(state.clicks) for state in states), default=0)
        return TraceStep("seen", True, self._say("new", clicks=clicks))

    def through(self, passes: Sequence[Pass]) -> Iterator[TraceStep]:
        """Candidates, ranking, re-ranking, of the pass that could have held it."""
        for number, one in enumerate(passes):
            if not one.allowed.has(np.array([self._row]))[0]:
                continue
            yield TraceStep("language", True, self._say("first_language" if number == 0 else "other_language"))
            yield from self._candidate(one)
            return
        if passes:
            yield TraceStep("language", None, self._say("no_language"))
        else:
            yield TraceStep("candidates", None, self._say("no_model", clicks=self._clicks()))

    def _candidate(self, one: Pass) -> Iterator[TraceStep]:
        number = len(one.candidates.rows)
        at = int(np.searchsorted(one.candidates.rows, self._row))
        if at >= number or one.candidates.rows[at] != self._row:
            near = self._nearness(one)
            if self._row in one.picked:
                yield TraceStep("candidates", True, self._say("filled", number=number))
                return
            yield TraceStep("candidates", False, self._say("no_candidate", number=number, near=near))
            return
        found = self._say("comma").join(self._sources(one))
        yield TraceStep("candidates", True, self._say("candidate", number=number, found=found))
        rank = _place(one.ranked, self._row)
        score, best = float(one.scores[at]), float(one.scores.max())
        said = self._say("ranked", score=score, rank=rank, number=len(one.ranked), best=best)
        yield TraceStep("rank", None, said + self._outcomes(one, at))
        place, category = _place(one.picked, self._row), self._of.catalogue.category(self._row)
        if place:
            yield TraceStep("rerank", True, self._say("picked", place=place))
            return
        yield TraceStep("rerank", False, self._say("left_out", why=self._outdone(one, rank, category)))

    def _outcomes(self, one: Pass, at: int) -> str:
        """Words on what came of it where it was opened, as far as that moved its place."""
        if one.outcomes is None:
            return ""
        timed, read, hidden, examined = self._of.trends.state.outcomes[self._row].tolist()
        expected = one.outcomes.ratios.expected[at].tolist()
        return self._say(
            "outcomes",
            timed=int(timed),
            read=int(read),
            read_expected=expected[0],
            examined=int(examined),
            hidden=int(hidden),
            hidden_expected=expected[1],
            factor=float(one.outcomes.factors[at]),
        )

    def _outdone(self, one: Pass, rank: int, category: str | None) -> str:
        """The cause that kept a candidate out of the list."""
        columns = self._of.catalogue.columns
        of_story = one.picked[columns.stories.labels[one.picked] == columns.stories.labels[self._row]]
        if len(of_story):
            return self._say("story", other=self._of.catalogue.ids[of_story[0]])
        last = int(one.picked[-1]) if len(one.picked) else UNKNOWN_ROW
        if rank > _place(one.ranked, last) > 0:
            return self._say("outdone")
        source = int(columns.source[self._row])
        of_source = int((columns.source[one.picked] == source).sum())
        shares = self._eligible.source_shares
        if source != UNKNOWN_ROW and of_source >= most_of_source(shares, source, len(one.picked)):
            paper = self._of.catalogue.article(self._row).source
            return self._say("limited_source", held=of_source, source=paper)
        held = int((columns.category[one.picked] == columns.category[self._row]).sum())
        return self._say("limited", held=held, category=category or self._say("no_category"))

    def _sources(self, one: Pass) -> Iterator[str]:
        for rows in one.candidates.near:
            if place := _place(rows, self._row):
                yield self._say("nearest", place=place)
        if place := _place(one.allowed.among(one.sources.popular), self._row):
            yield self._say("clicked", place=place)
        if place := _place(one.allowed.among(one.sources.fresh), self._row):
            yield self._say("newest", place=place)
        if (beside := one.candidates.covisited.get(self._row)) is not None:
            yield self._say("covisited", other=self._of.catalogue.ids[beside])

    def _nearness(self, one: Pass) -> str:
        vector = one.context.table.vectors[self._row]
        if not one.context.interests.known or np.isnan(vector).any():
            return self._say("no_nearness", clicks=self._clicks())
        cosine = float(one.context.interests.nearness(vector[None])[0])
        last = [rows[-1] for rows in one.candidates.near if len(rows)]
        least = one.context.interests.nearness(one.context.table.vectors[last]).min(initial=1.0)
        return self._say("cosine", cosine=cosine, least=least, clicks=self._clicks())

    def _clicks(self) -> str:
        return self._say("clicks", number=int(self._of.trends.total_clicks(np.array([self._row]))[0]))


def _place(rows: Rows, row: int) -> int:
    """Place of a row, from 1; 0 where it is not there."""
    places = np.flatnonzero(rows == row)
    return int(places[0]) + 1 if len(places) else 0
