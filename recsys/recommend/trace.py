"""Trace: why an article is, or is not, in a reader's list: every stage that it passed, or where it fell.

Reads the same recommender and makes the same list by the same code; produces one row per stage, with the numbers that
decided. Nothing is decided here.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from recsys.catalogue.eligibility import Eligibility
from recsys.readers import ReaderState
from recsys.recommend.answer import Pass, Recommendation, Recommender
from recsys.recommend.context import RequestContext
from recsys.recommend.fatigue import TIRED_AFTER, tired_rows
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.rerank import most_of_source
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
) -> Trace:
    """Follow one article; see ``Recommender.recommend`` for the arguments of the list.

    Args:
        recommender: makes the list.
        article_id: whose way it is; one that the catalogue lacks falls at the first stage.
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
        return Trace([TraceStep("catalogue", False, "The catalogue has no such article.")], 0, made)
    eligible = recommender.catalogue.eligible(now)
    states = [state for state in (reader, session) if state is not None]
    way = _Way(recommender, row, eligible, now)
    steps = [*way.before_the_list(states, exclude, article)]
    rows = [card.row for card in made.cards]
    place = rows.index(row) + 1 if row in rows else 0
    by_hand = place > 0 and made.cards[place - 1].reason.kind is ReasonKind.EDITORS_CHOICE
    if by_hand:  # it stands beside the ranking: what would have kept it out of that decides nothing
        steps = [step for step in steps if step.stage in ("shown", "editors")]
    elif all(step.passed for step in steps):
        steps += way.through(passes)
    if place:
        reason = made.cards[place - 1].reason.kind
        said = f"In the list of {len(rows)}, at place {place}, because: {reason}."
    else:
        said = f"Not in the list of {len(rows)}."
    if made.explored is not None and made.explored.row == row:
        said += f" It is tried there, with probability {made.explored.propensity:.3f}."
    return Trace([*steps, TraceStep("list", place > 0, said)], place, made)


class _Way:
    """The way of one row."""

    def __init__(self, recommender: Recommender, row: int, eligible: Eligibility, now: int) -> None:
        self._of, self._row, self._eligible, self._now = recommender, row, eligible, now

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
            age = "of unknown age" if published == NEVER_MS else f"{max(0, now - published) / HOUR_MS:.1f} hours old"
            return TraceStep("shown", True, f"Published and not hidden, {age}.")
        if not columns.shown[row]:
            return TraceStep("shown", False, "It is hidden, deleted, or was never put.")
        if published > now:
            return TraceStep("shown", False, f"It is published in {(published - now) / HOUR_MS:.1f} hours.")
        ended = "" if expires == FOREVER_MS else f" {(now - expires) / HOUR_MS:.1f} hours ago"
        return TraceStep("shown", False, f"It expired{ended}.")

    def _editors(self) -> TraceStep | None:
        """The editors' decision on it, or on a copy of its text; None where there is none."""
        catalogue, text = self._of.catalogue, int(self._eligible.quoted[self._row])
        if text != UNKNOWN_ROW and self._eligible.standing[text] == UNKNOWN_ROW:
            return TraceStep("editors", False, "An editor has buried it, or a copy of its text.")
        own = [one for one in catalogue.decisions if one.article == catalogue.ids[self._row] and one.until > self._now]
        said = [
            _pinned(one) if one.kind is DecisionKind.PIN else f"{one.set_by} has multiplied its odds by {one.factor:g}"
            for one in own
        ]
        return TraceStep("editors", True, f"{'; '.join(said)}.") if said else None

    def _copy(self) -> TraceStep:
        best = int(self._eligible.standing[self._row])
        if best == self._row:
            return TraceStep("copies", True, "It stands for its text.")
        if best == UNKNOWN_ROW:
            return TraceStep("copies", False, "No copy of its text may be listed.")
        return TraceStep("copies", False, f"{self._of.catalogue.ids[best]!r}, a copy of its text, stands for it.")

    def _seen(self, states: Sequence[ReaderState], exclude: Sequence[str], article: str | None) -> TraceStep:
        row_of = self._of.catalogue.row_of
        on_page = [row_of.get(name, UNKNOWN_ROW) for name in (*exclude, *([article] if article else []))]
        if self._row in on_page:
            return TraceStep("seen", False, "The page shows it already.")
        for state in states:
            if self._row in self._eligible.listed_copies(state.seen):
                how = "dismissed" if self._row in state.dismissed else "read"
                return TraceStep("seen", False, f"The reader has {how} it, or a copy of it.")
        if self._row in self._eligible.listed_copies(tired_rows(states)):
            return TraceStep("seen", False, f"Shown to the reader {TIRED_AFTER} times lately, or more, and not opened.")
        clicks = max((len(state.clicks) for state in states), default=0)
        return TraceStep("seen", True, f"New to the reader, of whom {clicks} clicks are known.")

    def through(self, passes: Sequence[Pass]) -> Iterator[TraceStep]:
        """Candidates, ranking, re-ranking, of the pass that could have held it."""
        for number, one in enumerate(passes):
            if not one.allowed.has(np.array([self._row]))[0]:
                continue
            preferred = "Of the language that comes first." if number == 0 else "Of another language: it fills up."
            yield TraceStep("language", True, preferred)
            yield from self._candidate(one)
            return
        if passes:
            yield TraceStep(
                "language", None, "The list was full before its language was looked at, or it may not be in it."
            )
        else:
            yield TraceStep("candidates", None, f"No click model: {self._clicks()} decide, then the newest.")

    def _candidate(self, one: Pass) -> Iterator[TraceStep]:
        found = [*self._sources(one)]
        at = int(np.searchsorted(one.candidates.rows, self._row))
        if at >= len(one.candidates.rows) or one.candidates.rows[at] != self._row:
            near = self._nearness(one)
            if self._row in one.picked:
                yield TraceStep("candidates", True, f"Not among the {len(one.candidates.rows)}, but it fills the list.")
                return
            yield TraceStep("candidates", False, f"Not among the {len(one.candidates.rows)} candidates; {near}.")
            return
        yield TraceStep("candidates", True, f"One of {len(one.candidates.rows)}: {', '.join(found)}.")
        rank = _place(one.ranked, self._row)
        score, best = float(one.scores[at]), float(one.scores.max())
        yield TraceStep("rank", None, f"Score {score:.4g}, place {rank} of {len(one.ranked)}; the best has {best:.4g}.")
        place, category = _place(one.picked, self._row), self._of.catalogue.category(self._row)
        if place:
            yield TraceStep("rerank", True, f"Place {place} of the list, with the limits of categories and sources.")
            return
        yield TraceStep("rerank", False, f"Left out: {self._outdone(one, rank, category)}.")

    def _outdone(self, one: Pass, rank: int, category: str | None) -> str:
        """The cause that kept a candidate out of the list."""
        columns = self._of.catalogue.columns
        of_story = one.picked[columns.stories.labels[one.picked] == columns.stories.labels[self._row]]
        if len(of_story):
            return f"{self._of.catalogue.ids[of_story[0]]!r} stands for its story"
        last = int(one.picked[-1]) if len(one.picked) else UNKNOWN_ROW
        if rank > _place(one.ranked, last) > 0:
            return "better ones fill the list"
        source = int(columns.source[self._row])
        of_source = int((columns.source[one.picked] == source).sum())
        shares = self._eligible.source_shares
        if source != UNKNOWN_ROW and of_source >= most_of_source(shares, source, len(one.picked)):
            paper = self._of.catalogue.article(self._row).source
            return f"{of_source} of the source {paper!r} are as many as may be"
        held = int((columns.category[one.picked] == columns.category[self._row]).sum())
        return f"{held} of {category or 'no category'} are as many as may be"

    def _sources(self, one: Pass) -> Iterator[str]:
        for rows in one.candidates.near:
            if place := _place(rows, self._row):
                yield f"{_ordinal(place)} nearest to the reader"
        if place := _place(one.allowed.among(one.sources.popular), self._row):
            yield f"{_ordinal(place)} most clicked"
        if place := _place(one.allowed.among(one.sources.fresh), self._row):
            yield f"{_ordinal(place)} newest"
        if (beside := one.candidates.covisited.get(self._row)) is not None:
            yield f"opened by readers of {self._of.catalogue.ids[beside]!r}"

    def _nearness(self, one: Pass) -> str:
        vector = one.context.table.vectors[self._row]
        if not one.context.interests.known or np.isnan(vector).any():
            return f"{self._clicks()}, and no nearness to the reader is known"
        cosine = float(one.context.interests.nearness(vector[None])[0])
        last = [rows[-1] for rows in one.candidates.near if len(rows)]
        least = one.context.interests.nearness(one.context.table.vectors[last]).min(initial=1.0)
        return f"its cosine with the reader is {cosine:.3f}, the last of the nearest has {least:.3f}; {self._clicks()}"

    def _clicks(self) -> str:
        return f"{int(self._of.trends.total_clicks(np.array([self._row]))[0])} clicks ever"


def _place(rows: Rows, row: int) -> int:
    """Place of a row, from 1; 0 where it is not there."""
    places = np.flatnonzero(rows == row)
    return int(places[0]) + 1 if len(places) else 0


def _ordinal(place: int) -> str:
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _pinned(pin: Decision) -> str:
    lists = f"slot {pin.slot!r}" if pin.slot else "every list"
    if pin.place is None:
        return f"{pin.set_by} has guaranteed it a place in {lists}"
    return f"{pin.set_by} has pinned it to place {pin.place} of {lists}"
