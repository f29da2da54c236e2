"""Rules of the list, seen on a site: six copies, a breaking story, an update, a new article that is tried, a trace.

``python -m benchmarks.list_rules [--data FOLDER] [--readers 200] [--k 10]``

A copy of a data folder with a release is served, on a clock that goes on from its last event. Articles written for this
are put, readers of the site and strangers are asked for lists, and each rule is counted:

    copies    six papers print one text: the most of them that any list holds, and whether the site's own is the one
    breaking  twenty people open an article within a minute: its worst place in the lists of newcomers after it
    update    a reader has read of an event, and an article on it follows: the lists with the reason "an update on",
              of two, the second one asked for after the first was seen
    explored  an article that nobody has clicked: minutes until it is in a list, and the lists whose slot tried it, with
              the mean of their probabilities
    sources   many open the sixteen articles of one agency, two of each of eight subjects: the most cards of a list that
              it has, and how many it may have
    trace     articles of one list whose trace does not say the place where they stand

Prints what was seen, a trace as people read it, and one JSON object on the last line; ends with 1 where a rule is
broken.
"""

import argparse
import itertools
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.reasons import STRANGERS, read_store
from jobs.runner import Context, open_store
from recsys.recommend.exploration import LEAST_LENGTH
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.rerank import most_of_source
from recsys.serving.live import Answer, LiveState
from recsys.settings import Settings, load_settings
from recsys.store import Article, Event, Kind
from recsys.units import HOUR_MS, MINUTE_MS

PEOPLE = 20  # who open the breaking story, within
WITHIN_MS = MINUTE_MS
FIRST = 3  # places that it has to be in
SOON_MS = 10 * MINUTE_MS  # in which a new article has to be in some list, of
LISTS = 2_000  # that are asked for meanwhile
SLOT = "rules"
AGENCY = "Rules Agency"
SUBJECTS = ("Bridges", "Orchards", "Ferries", "Kites", "Clocks", "Bakeries", "Lanterns", "Meadows")
PAPERS = ("Linnet Post", "Harrow Mail", "Vale Observer", "Tarn Courier", "Skarra News")
WIRE = (
    "Engineers have stopped the water behind the dam at Ostwall gorge after a crack was found in the spillway. Nine"
    " hamlets below the dam are empty since Thursday, and buses take their people to a sports hall in Kessel. The"
    " reservoir falls by a hand's breadth an hour; divers will look at the concrete when it stands below the gate."
)
MUSEUM = (
    "Firefighters carried eleven paintings out of the burning museum in Lindgate during the night. The roof of the"
    " east wing has fallen in, and nobody was hurt. Restorers dry the canvases in a school; the cause is not known."
)
TUNNEL = (
    "The machine that drills the railway tunnel under Mount Keld stands still since Monday. Water from an unknown"
    " cavern filled the first hundred metres, pumps run day and night, and the miners work in the second tube."
)
PUMPED = (
    "The railway tunnel under Mount Keld is dry again. Pumps have emptied the cavern whose water stopped the drilling"
    " machine on Monday, and the miners of the first tube start again tomorrow with a wall of concrete around it."
)
ORCHARD = (
    "A retired teacher in Moorhof grows pears on the walls of nineteen houses, whose owners give her the south side"
    " and get a third of the harvest. She prunes by bicycle, with a ladder on a trailer, from January to March."
)
Figures = dict[str, Any]


class Newsroom:
    """A site that is served on a clock of its own.

    Attributes:
        now: ms.
        readers: who have clicked so far.
    """

    def __init__(self, settings: Settings) -> None:
        context, past = Context(settings, seed=1), read_store(settings.data_dir)
        self.settings, self._store, self._sent = settings, open_store(settings), 0
        self.readers = sorted(past.clicks)
        self.now = max(*past.published.values(), *(moment for times in past.times.values() for moment in times))
        self.live = LiveState(settings, self._store, context.releases, clock=lambda: self.now)

    def close(self) -> None:
        """Stop serving."""
        self.live.close()
        self._store.close()

    def put(
        self, article_id: str, title: str, body: str, source: str | None = None, category: str | None = None
    ) -> None:
        """Publish an article now."""
        site = self.settings.site.id
        article = Article(article_id, site, title, body, source=source, language="en", published_at=self.now)
        self._store.put_articles([replace(article, category=category)])
        self.live.refresh()

    def tell(self, kind: Kind, article_id: str, reader: str, position: int | None = None) -> None:
        """Let a reader do something now; what the site's own systems say counts in full."""
        self._sent += 1
        said = Event(f"rules-{self._sent}", self.settings.site.id, kind, article_id, reader, time=self.now)
        self.live.accept([said._replace(position=position)])

    def list_of(self, reader: str | None, k: int) -> Answer:
        """The list of a reader, or of somebody unknown, in the language of the articles that are put."""
        return self.live.recommend(reader, None, article=None, k=k, lang="en", slot=SLOT)

    def ids_of(self, reader: str | None, k: int) -> list[str]:
        """Its articles."""
        answer = self.list_of(reader, k)
        return [answer.catalogue.ids[card.row] for card in answer.recommendation.cards]


def copies(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """Six copies imported: one card."""
    own = room.settings.site.name
    for number, source in enumerate((*PAPERS, own)):
        body = f"KESSEL ({source}) - {WIRE}" if number % 2 else WIRE
        room.put(f"rules-copy-{number}", f"Dam at Ostwall holds, hamlets are empty | {source}", body, source)
        room.now += MINUTE_MS
    shown = [[name for name in room.ids_of(reader, k) if name.startswith("rules-copy-")] for reader in readers]
    cards = {name for names in shown for name in names}
    most = max(map(len, shown))
    return {
        "most_in_a_list": most,
        "lists_with_one": sum(map(bool, shown)),
        "own_alone": cards <= {f"rules-copy-{len(PAPERS)}"},
        "holds": most == 1 and cards <= {f"rules-copy-{len(PAPERS)}"},
    }


def breaking(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """Twenty people's clicks: first of every newcomer."""
    room.put("rules-breaking", "Museum in Lindgate burns, paintings are saved", MUSEUM)
    room.now += 5 * MINUTE_MS
    for number in range(PEOPLE):
        room.tell(Kind.CLICK, "rules-breaking", f"rules-crowd-{number}")
        room.now += WITHIN_MS // PEOPLE
    places = []
    for number in range(len(readers)):
        names = room.ids_of(f"rules-newcomer-{number}" if number % 2 else None, k)
        places.append(names.index("rules-breaking") + 1 if "rules-breaking" in names else k + 1)
    return {"worst_place": max(places), "lists": len(places), "holds": max(places) <= FIRST}


def update(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """A story followed up: an update, once."""
    reader = "rules-reader"
    room.put("rules-tunnel", "Water stops the tunnel under Mount Keld", TUNNEL)
    room.now += MINUTE_MS
    room.tell(Kind.CLICK, "rules-tunnel", reader)
    room.now += HOUR_MS
    room.put("rules-dry", "Tunnel under Mount Keld is pumped dry", PUMPED)
    first, place = _updates(room, reader, k)
    room.tell(Kind.IMPRESSION, "rules-dry", reader, place)
    room.now += MINUTE_MS
    second, _ = _updates(room, reader, k)
    return {"first": first, "second": second, "place": place + 1, "holds": (first, second) == (1, 0)}


def _updates(room: Newsroom, reader: str, k: int) -> tuple[int, int]:
    """Cards of the reader's list that are called an update, and the place of the first, from 0; -1 for none."""
    cards = room.list_of(reader, k).recommendation.cards
    places = [place for place, card in enumerate(cards) if card.reason.kind is ReasonKind.UPDATE]
    return len(places), places[0] if places else -1


def explored(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """A new article that nobody has clicked: in some list within ten minutes, and lists whose slot tried it."""
    room.put("rules-new", "She grows pears on other people's walls", ORCHARD)
    began, first, tries = room.now, math.inf, list[float]()
    for number in range(LISTS):
        room.now = began + SOON_MS * number // LISTS
        answer = room.list_of(room.readers[number % len(room.readers)], LEAST_LENGTH)
        row = answer.catalogue.row_of["rules-new"]
        if any(card.row == row for card in answer.recommendation.cards):
            first = min(first, (room.now - began) / MINUTE_MS)
        tried = answer.recommendation.explored
        if tried is not None and tried.row == row:
            tries.append(tried.propensity)
    return {
        "minutes_to_the_first": round(first, 2),
        "lists": LISTS,
        "tried_in": len(tries),
        "mean_propensity_there": round(sum(tries) / max(len(tries), 1), 4),
        "holds": first < SOON_MS / MINUTE_MS and bool(tries),  # of the shortest lists that have the slot
    }


def sources(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """An agency whose articles everybody opens: no more of a list than its share."""
    names = [f"rules-agency-{number}" for number in range(2 * len(SUBJECTS))]
    for number, name in enumerate(names):
        subject = SUBJECTS[number // 2]
        body = " ".join(f"{subject} {word}{number}" for word in ("today", "again", "report", "board", "street"))
        room.put(name, f"{subject} number {number} of the day", body, AGENCY, subject)
        for person in range(PEOPLE):
            room.tell(Kind.CLICK, name, f"rules-fan-{person % 5}-{name}-{person}")
    room.now += MINUTE_MS
    answers = [room.list_of(reader, k) for reader in readers]
    last = answers[-1].catalogue
    rows = {last.row_of[name] for name in names}
    cards = [sum(card.row in rows for card in answer.recommendation.cards) for answer in answers]
    may = most_of_source(last.eligible(room.now).source_shares, int(last.columns.source[min(rows)]), k)
    return {"most_in_a_list": max(cards), "may": may, "lists": len(cards), "holds": 0 < max(cards) <= may}


def traced(room: Newsroom, readers: Sequence[str | None], k: int) -> Figures:
    """A trace of each article of one list says where it stands; that of another one is printed."""
    reader = next((name for name in readers if name is not None), None)
    names = room.ids_of(reader, k)
    wrong = [name for place, name in enumerate(names, 1) if _trace(room, name, reader, k).place != place]
    absent = next(name for name in room.live.catalogue.ids if name not in names)
    print(f"trace of {absent} for {reader}:")
    for step in _trace(room, absent, reader, k).steps:
        print(f"  {step.stage:11} {({True: 'yes', False: 'NO', None: '-'})[step.passed]:4} {step.says}")
    return {"articles": len(names), "wrong": len(wrong), "holds": not wrong}


def _trace(room: Newsroom, name: str, reader: str | None, k: int) -> Any:
    return room.live.trace(name, reader, None, article=None, k=k, lang="en", slot=SLOT)[0]


RULES = {
    "copies": copies,
    "breaking": breaking,
    "update": update,
    "explored": explored,
    "sources": sources,
    "trace": traced,
}


@contextmanager
def copied(data: Path | None) -> Iterator[Settings]:
    """Settings of a site whose data folder is a copy."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "data"
        shutil.copytree(data or load_settings().data_dir, here, ignore=shutil.ignore_patterns("work", "live"))
        os.environ["RECSYS_DATA_DIR"] = str(here)
        yield load_settings()


def measure(settings: Settings, readers: int, k: int) -> Figures:
    """Every rule, one after the other, on one site."""
    room = Newsroom(settings)
    try:
        known = itertools.islice(itertools.cycle(room.readers), readers)
        asked = [None if number % STRANGERS == 0 else name for number, name in enumerate(known)]
        ours = {name: rule(room, asked, k) for name, rule in RULES.items()}
    finally:
        room.close()
    for name, figures in ours.items():
        print(f"{name:10}", "  ".join(f"{key} {value}" for key, value in figures.items()))
    return {"ours": ours, "baselines": {}, "best": {"broken": sum(not figures["holds"] for figures in ours.values())}}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.list_rules", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--data", type=Path, help="data folder of a newsroom with a release; default: data_dir")
    parser.add_argument("--readers", type=int, default=200, help="of the site, who are asked for lists")
    parser.add_argument("--k", type=int, default=10, help="articles of a list")
    options = parser.parse_args()
    began = time.monotonic()
    with copied(options.data) as settings:
        told = measure(settings, options.readers, options.k)
    print(json.dumps(told | {"seconds": round(time.monotonic() - began, 1)}))
    raise SystemExit(1 if told["best"]["broken"] else 0)


if __name__ == "__main__":
    main()
