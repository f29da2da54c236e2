"""The loop: one arm serves every visit of a scene, and learns from what its own lists caused, in the order of time."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.closed_loop.arms import Arm
from benchmarks.closed_loop.scene import Mask, Rows, Scene, Visit
from recsys.errors import ArtefactError
from recsys.events.outcomes import READ_MS
from recsys.store import Event, Kind
from recsys.units import DAY_MS, SECOND_MS

NIGHT, ARTICLE, VISIT = range(3)  # what comes first at the same moment


@dataclass(frozen=True)
class Served:
    """Every list that an arm showed. I visits, K cards.

    Attributes:
        moment: int64 (I,), ms.
        reader: int64 (I,), rows.
        shown: int64 (I, K), rows of articles from the top; -1 where a list was shorter.
        looked: bool (I, K), cards that were looked at.
        clicked: bool (I, K), cards that were opened.
        seconds: float64 (I,), read by way of the list.
        reads: int64 (I,), cards that were opened and read for half a minute.
        hidden: int64 (I,), cards that were hidden.
    """

    moment: Rows
    reader: Rows
    shown: Rows
    looked: Mask
    clicked: Mask
    seconds: npt.NDArray[np.float64]
    reads: Rows
    hidden: Rows


def serve(arm: Arm, scene: Scene) -> Served:
    """Serve every visit of a scene.

    Raises:
        ArtefactError: the arm showed what may not be shown: not yet out, in another language, opened before, twice.
    """
    opened = np.zeros((len(scene.world.reader_ids), len(scene.world.articles)), np.bool_)
    scene.note(opened, scene.warm_up)
    arm.publish(np.flatnonzero(scene.world.published < scene.start).tolist(), scene.start)
    arm.learn(scene.warm_up, scene.start)
    shape = (len(scene.visits), scene.cards)
    shown = np.full(shape, -1, np.int64)
    looked, clicked = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    seconds = np.zeros(len(scene.visits))
    reads, hidden = (np.zeros(len(scene.visits), np.int64) for _ in range(2))
    waiting: list[tuple[int, int, Event]] = []  # clicks and readings that have begun and not happened yet
    for moment, kind, number in _calendar(scene):
        while waiting and waiting[0][0] <= moment:
            time, _, event = heapq.heappop(waiting)
            arm.learn([event], time)
            scene.note(opened, [event])
        if kind == NIGHT:
            arm.night(moment)
        elif kind == ARTICLE:
            arm.publish([number], moment)
        else:
            visit = scene.visits[number]
            candidates = scene.candidates(visit, opened[visit.reader])
            rows = _checked(arm.choose(visit, candidates, scene.cards), candidates, visit)
            answer = scene.answer(visit, rows)
            here = (number, slice(len(rows)))
            shown[here], looked[here], clicked[here] = rows, answer.looked, answer.clicked
            dwells = [one.dwell_ms or 0 for one in answer.events if one.kind is Kind.DWELL]
            seconds[number], reads[number] = sum(dwells) / SECOND_MS, sum(dwell >= READ_MS for dwell in dwells)
            hidden[number] = sum(one.kind is Kind.DISMISS for one in answer.events)
            arm.learn(answer.events[: len(rows)], moment)
            for order, event in enumerate(answer.events[len(rows) :]):
                heapq.heappush(waiting, (event.time or moment, number * 2 * scene.cards + order, event))
    moments = np.array([visit.moment for visit in scene.visits], np.int64)
    readers = np.array([visit.reader for visit in scene.visits], np.int64)
    return Served(moments, readers, shown, looked, clicked, seconds, reads, hidden)


def _calendar(scene: Scene) -> Iterator[tuple[int, int, int]]:
    """(ms, what, which), in time order."""
    nights = [(scene.start + day * DAY_MS, NIGHT, day) for day in range(scene.days)]
    late = np.flatnonzero(scene.world.published >= scene.start).tolist()
    articles = [(int(scene.world.published[row]), ARTICLE, row) for row in late]
    return heapq.merge(nights, sorted(articles), [(visit.moment, VISIT, visit.number) for visit in scene.visits])


def _checked(rows: Rows, candidates: Rows, visit: Visit) -> Rows:
    wrong = sorted(set(rows.tolist()) - set(candidates.tolist()))
    if wrong or len(set(rows.tolist())) < len(rows):
        raise ArtefactError(
            "a list of different candidates", f"{wrong or 'one twice'} in visit {visit.number}", "Mend the arm."
        )
    return rows
