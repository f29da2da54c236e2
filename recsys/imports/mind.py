"""MIND's own format -> rows of articles, and events.

``news.tsv``: news id, category, subcategory, title, abstract, URL, title entities, abstract entities (JSON).
``behaviors.tsv``: impression id, user id, time, history (news ids), impressions (news id-label).
Copies of it lack columns, labels or the impression id, or name their columns in a first line: what is there is told by
that line, else by what the first rows hold.
Source: Wu et al. 2020, MIND: A Large-scale Dataset for News Recommendation; github.com/msnews/msnews.github.io.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from recsys.errors import ImportRefused
from recsys.imports.sources import UTF8, Line, TextSource
from recsys.imports.tables import Limits, Reject, RowBatch, grouped, has_text
from recsys.imports.values import BadValue, Convert, id_of
from recsys.missing import is_missing
from recsys.store import Event, Kind

_LABELS = {"0": False, "1": True}
_SEEN_READERS = 200_000  # readers whose history is remembered, so that it is not sent again with each impression
_LOOK_AHEAD = 200  # lines by which the columns are told
_NEWS = ("id", "category", "subcategory", "title", "body", "url", "title_entities", "abstract_entities")
_NEWS_NEED = ("id", "title")
_BEHAVIORS = ("impression", "reader", "time", "history", "shown")
_BEHAVIORS_NEED = ("reader", "time", "shown")
_HEADERS = {
    **dict.fromkeys(("newsid", "id", "nid", "docid", "articleid", "itemid"), "id"),
    **dict.fromkeys(("category", "cat", "vertical", "topic"), "category"),
    **dict.fromkeys(("subcategory", "subcat", "subvertical", "subvert", "subtopic"), "subcategory"),
    **dict.fromkeys(("title", "headline"), "title"),
    **dict.fromkeys(("abstract", "body", "summary", "snippet"), "body"),
    **dict.fromkeys(("url", "link"), "url"),
    **dict.fromkeys(("titleentities", "titleentity"), "title_entities"),
    **dict.fromkeys(("abstractentities", "abstractentity"), "abstract_entities"),
    **dict.fromkeys(("impressionid", "impid", "impressionsid"), "impression"),
    **dict.fromkeys(("userid", "user", "uid", "reader"), "reader"),
    **dict.fromkeys(("time", "timestamp", "datetime"), "time"),
    **dict.fromkeys(("history", "clickhistory", "hist", "clickednews"), "history"),
    **dict.fromkeys(("impressions", "impression", "impressionlog", "candidates", "candidatenews"), "shown"),
}
Layout = dict[str, int]  # place of each column


class MindFile:
    """Lines of a file of MIND, and where its columns are.

    Args:
        path: the file.
        limits: of memory.
        columns: in MIND's order.
        needed: those without which a file is of no use.
        guess: finds the columns of a file that does not name them, by its first rows.

    Attributes:
        layout: the place of each column.
        sample: the first rows.

    Raises:
        ImportRefused: it is not there, empty, or lacks a column.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        columns: Sequence[str],
        needed: Sequence[str],
        guess: Callable[[list[list[str]], int], Layout],
    ) -> None:
        self.path, self._limits = path, limits
        with self._opened() as source:
            lines = list(islice(filter(has_text, source.lines()), _LOOK_AHEAD))
        rows = [line.text.split("\t") for line in lines if not line.problem]
        self._header = rows[0] if rows and _names(rows[0]) else None
        self.sample = rows[1:] if self._header else rows
        self._width = Counter(map(len, self.sample or rows)).most_common(1)[0][0] if rows else 0
        same = [row for row in self.sample if len(row) == self._width]
        self.layout = _names(self._header) if self._header else guess(same, self._width)
        missing = [column for column in needed if column not in self.layout]
        if missing:
            raise ImportRefused(
                f"a {path.name} with {', '.join(columns)} between tabs",
                f"no {missing[0]} in {self._width} columns ({path})",
                "Name the columns in the first line, or export the missing one.",
            )

    def column(self, name: str) -> list[str]:
        """The first values of a column."""
        place = self.layout.get(name)
        return [] if place is None else [row[place] for row in self.sample if len(row) == self._width]

    def rows(self, reject: Reject, progress: Callable[[int, int], None]) -> Iterator[tuple[Line, list[str]]]:
        """All lines with their values; one of another width goes to ``reject``."""
        with self._opened() as source:
            is_first = True
            for line in filter(has_text, source.lines()):
                fields = line.text.split("\t")
                if is_first and self._header is not None and fields == self._header:
                    is_first = False
                elif line.problem or len(fields) != self._width:
                    problem = f"{len(fields)} values between tabs; {self._width} expected"
                    reject(line.number, line.problem or problem, line.text)
                else:
                    progress(source.done, source.size)
                    yield line, fields

    def _opened(self) -> TextSource:
        return TextSource(self.path, f"MIND's {self.path.name}", UTF8, self._limits.max_line_bytes)


def news_of(path: Path, limits: Limits) -> MindFile:
    """A ``news.tsv``."""
    return MindFile(path, limits, _NEWS, _NEWS_NEED, _guessed_news_layout)


def behaviors_of(path: Path, limits: Limits, moment_of: Convert) -> MindFile:
    """A ``behaviors.tsv``, whose column of times is the one that ``moment_of`` can read."""
    return MindFile(
        path, limits, _BEHAVIORS, _BEHAVIORS_NEED, lambda rows, width: _guessed_behaviors_layout(rows, width, moment_of)
    )


def news_batches(
    file: MindFile, limits: Limits, reject: Reject, progress: Callable[[int, int], None]
) -> Iterator[RowBatch]:
    """Batches with the fields of an article as columns. The text that MIND gives is the abstract of a page."""
    entities = [file.layout[name] for name in ("title_entities", "abstract_entities") if name in file.layout]
    names = [name for name in file.layout if not name.endswith("_entities")]
    rows = ((line.number, fields, len(line.text)) for line, fields in file.rows(reject, progress))
    for lines, some in grouped(rows, limits):
        columns: dict[str, list[Any]] = {name: [row[file.layout[name]] for row in some] for name in names}
        if entities:
            columns["entities"] = [_entities(*(row[place] for place in entities)) for row in some]
        yield RowBatch(lines, columns, some)


class Behaviors:
    """Rows of ``behaviors.tsv`` -> events.

    Each candidate becomes an impression, each clicked one also a click at the same time. MIND shuffles the
    candidates, so their position stays unknown. The history becomes clicks without a time, in their order;
    their identifiers are reader and place, so a history that was seen before adds nothing and a longer one its end.

    Args:
        file: the columns.
        site: the site that the events belong to.
        moment_of: reads a time.

    Attributes:
        has_labels: the file says which candidates were clicked; a test set does not.
    """

    def __init__(self, file: MindFile, site: str, moment_of: Convert) -> None:
        self._layout, self._site, self._moment_of = file.layout, site, moment_of
        candidates = [part for text in file.column("shown") for part in text.split()]
        labelled = [part for part in candidates if part.rpartition("-")[2] in _LABELS and "-" in part]
        self.has_labels = not candidates or 2 * len(labelled) > len(candidates)
        self._history_lengths: dict[str, int] = {}

    def events(self, fields: list[str]) -> list[Event]:
        """The events of one row.

        Raises:
            BadValue: it has no reader or no time, or candidates that are none.
        """
        reader = id_of(self._value(fields, "reader"))
        if reader is None:
            raise BadValue("no user id")
        time = self._moment_of(self._value(fields, "time"))
        if time is None:
            raise BadValue("no time")
        text = self._value(fields, "shown")
        number = id_of(self._value(fields, "impression")) if "impression" in self._layout else _digest(reader, text)
        if number is None:
            raise BadValue("no impression id")
        # Impression ids begin at 1 in each of MIND's parts: with the time before them they are one name in all.
        impression = f"{time:011x}-{number}"
        shown = list(self._candidates(text))
        return [*self._history(reader, fields), *self._shown(reader, time, impression, shown)]

    def _value(self, fields: list[str], column: str) -> str:
        text = fields[self._layout[column]] if column in self._layout else ""
        return "" if is_missing(text) else text.strip()

    def _history(self, reader: str, fields: list[str]) -> Iterator[Event]:
        words = self._value(fields, "history").split()
        articles = [article for article in map(id_of, words) if article is not None]
        for place in range(self._history_lengths.get(reader, 0), len(articles)):
            yield Event(f"mind-{reader}-{place}", self._site, Kind.CLICK, articles[place], reader)
        if len(self._history_lengths) >= _SEEN_READERS:
            self._history_lengths.clear()  # the store drops what comes twice; this only saves the way there
        self._history_lengths[reader] = max(len(articles), self._history_lengths.get(reader, 0))

    def _shown(self, reader: str, time: int, impression: str, shown: list[tuple[str, bool]]) -> Iterator[Event]:
        for kind, mark, wanted in ((Kind.IMPRESSION, "i", shown), (Kind.CLICK, "c", [c for c in shown if c[1]])):
            for article, _ in wanted:
                name = f"{impression}-{mark}-{article}"
                yield Event(name, self._site, kind, article, reader, None, time, None, None, impression)

    def _candidates(self, text: str) -> Iterator[tuple[str, bool]]:
        for part in text.split():
            name, _, label = part.rpartition("-") if self.has_labels else (part, "", "0")
            article = id_of(name)
            if label not in _LABELS or article is None:
                raise BadValue(f"not a candidate with its label (N123-0 or N123-1): {part[:80]!r}")
            yield article, _LABELS[label]


def _names(cells: Sequence[str]) -> Layout:
    """The columns that a first line names; empty if it is no such line."""
    layout = {_HEADERS[_plain(cell)]: place for place, cell in enumerate(cells) if _plain(cell) in _HEADERS}
    return layout if len(layout) >= 2 and 2 * len(layout) >= len(cells) else {}


def _plain(cell: str) -> str:
    return re.sub(r"[\W_]+", "", cell).lower()


def _guessed_news_layout(rows: list[list[str]], width: int) -> Layout:
    """MIND's first four columns are where they are; of the others, addresses and entities are told by their look."""
    if width == len(_NEWS):
        return {name: place for place, name in enumerate(_NEWS)}
    layout = {name: place for place, name in enumerate(_NEWS[:4]) if place < width}
    for place in range(4, width):
        values = [row[place] for row in rows if not is_missing(row[place])]
        if values and all(value.startswith("[") for value in values):
            names: tuple[str, ...] = ("title_entities", "abstract_entities")
        elif values and all(re.match("https?://", value) for value in values):
            names = ("url",)
        else:
            names = ("body",)
        free = next((name for name in names if name not in layout), None)
        if free is not None:
            layout[free] = place
    return layout


def _guessed_behaviors_layout(rows: list[list[str]], width: int, moment_of: Convert) -> Layout:
    """The columns around the one of times: an id before the reader, a history before the impressions."""
    place = next((place for place in range(1, width - 1) if _mostly(moment_of, [row[place] for row in rows])), None)
    if place is None and len(_BEHAVIORS) == width:
        place = 2  # where it should be: each line says what is wrong with it
    if place is None:
        return {}
    after = [*range(place + 1, width)][-2:]
    layout = {"time": place, "reader": place - 1, "shown": after[-1]}
    if len(after) == 2:
        layout["history"] = after[0]
    if place >= 2:
        layout["impression"] = place - 2
    return layout


def _mostly(moment_of: Convert, values: list[str]) -> bool:
    """True if more than half of some values are times."""
    good = 0
    for value in values:
        try:
            good += moment_of(value) is not None
        except BadValue:
            continue
    return 2 * good > len(values)


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=5).hexdigest()


def _entities(*texts: str) -> list[str] | str:
    """``Q165972:Fort Lauderdale, Florida`` for each entity, once, in the order of mention."""
    names: dict[str, Any] = {}
    for text in texts:
        try:
            for entity in json.loads("[]" if is_missing(text) else text):
                names[f"{entity['WikidataId']}:{entity['Label']}"] = None
        except (ValueError, TypeError, KeyError, RecursionError):
            return text  # what is no list of entities is left out, and counted, by whoever reads the values
    return list(names)
