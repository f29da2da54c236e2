"""The page of the data: what came in and when, what is missing in it, and what was odd.

Reads a ``DataProfile``; produces a page. Every part says why it is empty where it is.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recsys.imports.matching import LOW_MATCH_SHARE
from recsys.quality.events import EventFacts
from recsys.quality.phrases import matched, moment, percent, several
from recsys.quality.profile import DataProfile
from recsys.report.charts import timelines
from recsys.report.page import Bar, Bars, Block, Cell, Page, Part, Picture, Table, Tile, Tiles

IMPORTS_SHOWN = 20
REASONS_SHOWN = 15
ODD_READER_TIMES = ("first", "last")  # of an odd reader's events, ms UTC
ROWS = {"read": "rows", "stored": "new", "updated": "changed", "duplicate": "there already", "rejected": "rejected"}


def data_page(profile: DataProfile) -> Page:
    """The page of the data."""
    parts = [
        _overview(profile),
        _timeline(profile.events, profile.zone),
        _match(profile),
        _articles(profile),
        _events(profile.events),
        _odd(profile),
        _readers(profile),
        *_imports(profile),
    ]
    return Page("data", "Data", "What came in, what is missing in it, and what was odd.", parts)


def _overview(profile: DataProfile) -> Part:
    events, articles = profile.events, profile.articles
    tiles = [
        Tile(f"{articles.total:,}", "articles", f"{_languages(_shown_languages(profile))}"),
        *(Tile(f"{count:,}", _plural(kind), "") for kind, count in events.kinds.items()),
        Tile(f"{events.readers:,}", "readers", ""),
    ]
    match = profile.match
    if match.clicks and articles.total:
        share, mood = percent(match.matched, match.clicks), "worse" if match.share < LOW_MATCH_SHARE else ""
        tiles.append(Tile(share, "of the clicks match an article", "", mood))
    note = "" if articles.total or events.total else "There is nothing yet: python -m jobs import --help says how."
    return Part("At a glance", note, [Tiles(tiles)])


def _plural(kind: str) -> str:
    return {"dismiss": "dismissals", "dwell": "reading times"}.get(kind, f"{kind}s")


def _shown_languages(profile: DataProfile) -> Mapping[str, int]:
    return profile.read_as or profile.articles.languages


def _languages(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name or 'not said'} {count:,}" for name, count in list(counts.items())[:4])


def _timeline(facts: EventFacts, zone: str) -> Part:
    undated = sum(facts.undated.values())
    apart = f" {several(undated, 'event has', 'events have')} no time, only an order." if undated else ""
    line = facts.timeline
    if facts.first is None or facts.last is None or line is None:
        return Part("Events over time", f"There is no event with a time.{apart}")
    note = f"From {moment(facts.first, zone)} to {moment(facts.last, zone)} ({zone}).{apart}"
    if line.outside:
        note += (
            f" {several(line.outside, 'event lies', 'events lie')} so far from the others that the picture omits them."
        )
    drawn = timelines(line.starts, line.counts, line.step, zone)
    return Part("Events over time", note, [Picture(f"Events by {line.step} and kind", drawn, True, list(line.counts))])


def _match(profile: DataProfile) -> Part:
    heading, match, unknown = "Clicks and articles", profile.match, profile.events.unknown
    if not match.clicks:
        return Part(heading, "There are no clicks.")
    if not profile.articles.total:
        return Part(heading, "There are no articles that the clicks could match: lists are made of clicks alone.")
    note = f"{matched(match)}."
    if not unknown:
        return Part(heading, note)
    note += " A click on an unknown article counts as soon as the article comes. Those clicked most:"
    bars = [Bar(name, count / match.clicks, several(count, "click")) for name, count in unknown.items()]
    return Part(heading, note, [Bars("Clicked, and not among the articles", bars)])


def _articles(profile: DataProfile) -> Part:
    facts = profile.articles
    if not facts.total:
        return Part("Articles", "There are no articles.")
    said = [
        (facts.same_title, "has the title of another", "have the title of another"),
        (facts.hidden, "is hidden", "are hidden"),
        (facts.expired, "has expired", "have expired"),
        (facts.embargoed, "is dated ahead and waits", "are dated ahead and wait"),
    ]
    if profile.events.total:
        said.insert(0, (profile.unclicked, "was never opened", "were never opened"))
    told = [f"{count:,} {one if count == 1 else many}" for count, one, many in said if count]
    note = f"Of {several(facts.total, 'article')}, {'; '.join(told)}." if told else ""
    spoken = "Language" if profile.read_as else "Language that the files declare"
    blocks: list[Block] = [
        Bars(spoken, _bars(_named(profile), facts.total), said=True),
        Bars("Articles without", _bars(facts.missing, facts.total), said=True),
    ]
    return Part("Articles", note, blocks)


def _named(profile: DataProfile) -> dict[str, int]:
    return {name or "not said": count for name, count in _shown_languages(profile).items()}


def _bars(counts: Mapping[str, int], whole: int, most: int = REASONS_SHOWN) -> list[Bar]:
    ordered = sorted(counts.items(), key=lambda one: -one[1])[:most]
    return [
        Bar(name.replace("_", " "), count / whole if whole else 0.0, _amount(count, whole)) for name, count in ordered
    ]


def _amount(count: int, whole: int) -> str:
    return f"{percent(count, whole)} · {count:,}" if count else "none"


def _events(facts: EventFacts) -> Part:
    if not facts.total:
        return Part("Events", "There are no events.")
    return Part("Events", "", [Bars("Events without", _bars(facts.missing, facts.total), said=True)])


def _odd(profile: DataProfile) -> Part:
    facts = profile.events
    rows: list[list[Cell]] = [
        ["without a time", sum(facts.undated.values()), "they make an article popular only where nothing else does"],
        ["late", facts.late, f"{profile.late_minutes:g} minutes or more behind newer ones, or a file out of order"],
        ["dated ahead of now", facts.ahead, "held back until their time has come"],
        ["opened again", facts.repeated, "clicks of a reader on an article that they had opened before"],
        ["sent twice", sum(one["duplicate"] for one in profile.latest()), "records that were there already"],
    ]  # fmt: skip
    found = [row for row in rows if row[1]]
    if not found:
        return Part("Odd events", "None is without a time, late, dated ahead, repeated or sent twice.")
    head = ["what", "how many", "what becomes of them"]
    return Part("Odd events", "", [Table(head, found, said=head)])


def _readers(profile: DataProfile) -> Part:
    heading = "Odd readers"
    if profile.odd_total is None:
        return Part(heading, "Nobody has looked yet: python -m jobs events does.")
    if not profile.odd_total:
        return Part(heading, "No reader opens more than a person can.")
    head = list(profile.odd_readers[0])
    rows = [[_cell(name, row[name], profile.zone) for name in head] for row in profile.odd_readers]
    many = several(profile.odd_total, "reader opens", "readers open")
    note = f"{many} more than a person can: left out of counts and training."
    return Part(heading, note, [Table([name.replace("_", " ") for name in head], rows, said=("reason",))])


def _cell(name: str, value: Any, zone: str) -> Cell:
    if name in ODD_READER_TIMES and isinstance(value, int):
        return moment(value, zone)
    return value if isinstance(value, str | int | float) or value is None else str(value)


def _imports(profile: DataProfile) -> list[Part]:
    if not profile.imports:
        return [Part("Imports", "No import is on record.")]
    shown = profile.imports[-IMPORTS_SHOWN:][::-1]
    rows = pd.DataFrame(shown)
    rows["when"] = [moment(time, profile.zone) for time in rows["time"]]
    rows["file"] = rows["file"].map(_file)
    caption = f"Times: {profile.zone}." + (
        f" The last {IMPORTS_SHOWN} of {len(profile.imports):,}." if len(shown) < len(profile.imports) else ""
    )
    table = Table.of(rows[["when", "file", "records", *ROWS]].rename(columns=ROWS), caption=caption, said=("records",))
    notes = list(dict.fromkeys(note for one in profile.latest() for note in one.get("notes") or []))
    return [Part("Imports", " ".join(notes), [table]), *_rows(profile)]


def _rows(profile: DataProfile) -> list[Part]:
    """Rows that were rejected, repaired or left out, by reason; of a file that came twice the last import counts."""
    whole = sum(one["read"] for one in profile.latest())
    titles = {"reasons": "Rejected rows", "repaired": "Repaired fields", "left_out": "Left out"}
    empty = {
        "reasons": "No row was rejected.",
        "repaired": "No field had to be repaired.",
        "left_out": "Nothing was left out.",
    }
    parts = []
    for what, title in titles.items():
        counts = profile.counted(what)
        note = f"Shares of {several(whole, 'row')} read." if counts else empty[what]
        parts.append(Part(title, note, [Bars("", _bars(counts, whole), said=True)] if counts else []))
    return parts


def _file(path: str) -> str:
    """The last two parts of a path: enough to know the file by."""
    return "/".join(path.rstrip("/").split("/")[-2:])
