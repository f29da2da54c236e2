"""Editors' pins and boosts in one list: who stands where, who stands for sure, and scores that rank higher.

Reads the decisions that hold and what the reader has seen; produces places and scores. A pin stands beside the ranking,
so that no limit per category takes it out and none of the others is counted against it.
"""

import heapq
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.editorial import EditorialRows, Pin
from recsys.catalogue.eligibility import Eligibility
from recsys.languages import UNKNOWN_LANGUAGE
from recsys.recommend.rank import ScoreKind
from recsys.recommend.reasons import Card, Reason, ReasonKind
from recsys.tags.index import Rows
from recsys.units import UNKNOWN_ROW

Vectors = npt.NDArray[np.float32]

_EDITORS_CHOICE = Reason(ReasonKind.EDITORS_CHOICE)
_SURE = 1e-6  # from here on a probability is as good as 0 or 1: its odds are no number


class Placed(NamedTuple):
    """A row and the place where it stands, from 1."""

    row: int
    place: int


class StandingPins(NamedTuple):
    """Pins of one list.

    Attributes:
        placed: those with a place, by place.
        guaranteed: int32 rows of those without one, the last one first.
    """

    placed: list[Placed]
    guaranteed: Rows


NO_PINS = StandingPins([], np.empty(0, np.int32))


def standing_pins(
    catalogue: Catalogue, eligible: Eligibility, slot: str | None, seen: Rows, language: str | None, k: int
) -> StandingPins:
    """The pins that stand in one list.

    Args:
        catalogue: the articles.
        eligible: what may be shown, and the pins that hold.
        slot: of the list; pins of other slots do not stand in it.
        seen: int32, rows that the reader has read or dismissed, and those that the page shows already.
        language: of the reader, where it is known: pins in another one do not stand; an article in none does.
        k: length of the list.
    """
    code = catalogue.language_code(language)
    spoken = (code, catalogue.language_code(UNKNOWN_LANGUAGE), UNKNOWN_ROW)
    shown = {*seen.tolist(), *eligible.listed_copies(seen).tolist()}
    pins = []
    for pin in eligible.editorial.pins:
        listed = int(eligible.standing[pin.row])
        text = pin.row if listed == UNKNOWN_ROW else listed
        if pin.slot not in (None, slot) or not eligible.showable[pin.row] or shown & {pin.row, text}:
            continue
        if code is None or int(catalogue.columns.language[pin.row]) in spoken:
            pins.append(pin)
            shown |= {pin.row, text}  # of two copies of one text the one that was pinned last
    fixed = placed((pin for pin in pins if pin.place is not None), k)
    return StandingPins(fixed, np.array([pin.row for pin in pins if pin.place is None], np.int32))


def placed(pins: Iterable[Pin], k: int) -> list[Placed]:
    """The places of some pins in a list of ``k``: of those at one place the last one stands, the others move down.

    Args:
        pins: with places, the last one first.
        k: places; whoever finds none is left out.
    """
    ranked = sorted((pin.place or 1, number, pin.row) for number, pin in enumerate(pins))
    waiting: list[tuple[int, int]] = []
    stand: list[Placed] = []
    for place in range(1, k + 1):
        while ranked and ranked[0][0] <= place:
            heapq.heappush(waiting, ranked.pop(0)[1:])
        if waiting:
            stand.append(Placed(heapq.heappop(waiting)[1], place))
        elif not ranked:
            break
    return stand


def with_pins(cards: list[Card], pins: Collection[Placed]) -> list[Card]:
    """A list with its pins at their places, or behind its last card where it is too short for them."""
    cards = list(cards)
    for row, place in pins:
        cards.insert(place - 1, Card(row, 0.0, _EDITORS_CHOICE))
    return cards


def with_guaranteed(
    cards: Sequence[Card], guaranteed: Rows, groups: Collection[Rows], room: int, kept: Collection[int]
) -> list[Card]:
    """A list in which every guaranteed article stands: where it is ranked, for its story's card, else in a last place.

    Args:
        cards: as they are ranked, at most ``room``.
        guaranteed: int32 (G,), the last one first; those for whom there is no room are left out.
        groups: int32 (A,) each, labels by row: the text, the story.
        room: places.
        kept: rows that give way to nobody.
    """
    cards, wanted = list(cards), guaranteed[:room].tolist()
    kept = {*kept, *wanted}
    for row in wanted:
        if any(card.row == row for card in cards):
            continue
        giving_way = [at for at, one in enumerate(cards) if one.row not in kept]
        alike = [at for at in giving_way if any(labels[cards[at].row] == labels[row] for labels in groups)]
        card = Card(row, 0.0, _EDITORS_CHOICE)
        if alike:
            cards[alike[0]] = card
            continue
        if len(cards) >= room and giving_way:
            del cards[giving_way[-1]]
        if len(cards) < room:
            cards.append(card)
    return cards


def boosted_scores(editorial: EditorialRows, rows: Rows, scores: Vectors, kind: ScoreKind) -> Vectors:
    """Scores as they rank: the odds of what editors boosted, times the factor.

    A similarity s has no odds; it is taken for the probability (1 + s) / 2.

    Args:
        editorial: the boosts.
        rows: int32 (C,), rising.
        scores: float32 (C,), of the rows.
        kind: what the scores are.

    Returns:
        float32 (C,).
    """
    places = np.minimum(np.searchsorted(rows, editorial.boosted), len(rows) - 1)
    here = rows[places] == editorial.boosted
    places, raised = places[here], scores.copy()
    log_factors = np.log(editorial.factors[here])
    if kind is ScoreKind.NEXT_CLICK:  # log odds up to one constant
        raised[places] += log_factors
        return raised
    is_similarity = kind is ScoreKind.SIMILARITY
    chance = scores[places].astype(np.float64)
    chance = np.clip((1 + chance) / 2 if is_similarity else chance, _SURE, 1 - _SURE)
    chance = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + log_factors)))
    raised[places] = 2 * chance - 1 if is_similarity else chance
    return raised
