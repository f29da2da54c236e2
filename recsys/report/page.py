"""Sections of pictures, tables and examples -> self-contained HTML files with one look.

Reads nothing but what it is given; every text is escaped. A section without blocks says in its note why it is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recsys.report.files import file_name

TEMPLATE_FOLDER = Path(__file__).parent
JUDGEMENTS = {"en": {"better": "better", "worse": "worse"}, "zh": {"better": "更好", "worse": "更差"}}


@dataclass(frozen=True)
class Change:
    """A difference to what was before: signed, and coloured by whether it is for the better.

    Attributes:
        value: now minus before.
        better: whether it is for the better; None is neither.
    """

    value: float
    better: bool | None = None

    @property
    def sign(self) -> str:
        """The difference as it is read, with its sign: +0.012, −1,234, ±0.000."""
        text = number(abs(self.value) if isinstance(self.value, int) else abs(float(self.value)))
        same = not text.strip("0.,")
        return f"{'±' if same else '+' if self.value > 0 else '−'}{text}"

    @property
    def judgement(self) -> str:
        """ "better", "worse", or nothing where it is neither or too small to be read."""
        return "" if self.better is None or self.sign.startswith("±") else "better" if self.better else "worse"


Cell = str | int | float | Change | None


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        caption: under it.
        svg: an SVG element.
        wide: whether it takes the page's whole width.
        labels: those of its texts that are the report's, and said in the reader's language; the others are the site's.
    """

    caption: str
    svg: str
    wide: bool = False
    labels: Sequence[str] = ()
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        head: the columns' names.
        rows: a cell per column; None is drawn as a dash, a float with three digits, a change with its sign.
        best: columns in which more is better: the largest number of each is marked.
        caption: under the table.
        said: columns whose texts are the report's, and said in the reader's language; the others' are the site's.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    best: Sequence[str] = ()
    caption: str = ""
    said: Sequence[str] = ()
    kind: ClassVar[str] = "table"

    @classmethod
    def of(cls, frame: pd.DataFrame, best: Sequence[str] = (), caption: str = "", said: Sequence[str] = ()) -> "Table":
        """A frame as a table: its index, where that has a name, is the first column.

        Args:
            frame: cells of any kind; numbers of one column have one type.
            best: see the class.
            caption: see the class.
            said: see the class.
        """
        whole = frame if frame.index.name is None else frame.reset_index()
        rows = [list(row) for row in whole.astype(object).itertuples(index=False, name=None)]
        return cls([str(name) for name in whole.columns], rows, best, caption, said)

    def style(self, row: Sequence[Cell], place: int) -> str:
        """The CSS class of a cell: "text", "best", "better", "worse", or none."""
        value = row[place]
        if isinstance(value, str):
            return "text"
        if isinstance(value, Change):
            return value.judgement
        return "best" if self._is_best(row, place) else ""

    def _is_best(self, row: Sequence[Cell], place: int) -> bool:
        numbers = [value for one in self.rows if isinstance(value := one[place], float)]
        return self.head[place] in self.best and len(self.rows) > 1 and row[place] == max(numbers, default=None)


@dataclass(frozen=True)
class HeatMap:
    """Counts by truth (down) and finding (across); a cell is as dark as its share of its row."""

    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    caption: str
    kind: ClassVar[str] = "heat"

    def share(self, row: int, column: int) -> float:
        """A cell's share of the counts of its row."""
        whole = sum(self.counts[row])
        return self.counts[row][column] / whole if whole else 0.0


@dataclass(frozen=True)
class Example:
    """One article, or one word: a heading, what is said of it, its text, and words with their weights.

    Attributes:
        language: of heading, text and words; without one the heading is the report's.
        said: whether the note is the report's, and not the site's.
    """

    heading: str
    note: str = ""
    text: str = ""
    words: Sequence[tuple[str, float]] = ()
    language: str = ""
    said: bool = False


@dataclass(frozen=True)
class Examples:
    """Some examples."""

    rows: Sequence[Example]
    kind: ClassVar[str] = "examples"


@dataclass(frozen=True)
class Counts:
    """Numbers by group."""

    groups: Mapping[str, Mapping[str, float]]
    kind: ClassVar[str] = "counts"


@dataclass(frozen=True)
class Tile:
    """One figure that is seen first: its value, what it is, more of it, and "worse" where it is a warning."""

    value: str
    label: str
    note: str = ""
    mood: str = ""


@dataclass(frozen=True)
class Tiles:
    """Some figures side by side."""

    tiles: Sequence[Tile]
    kind: ClassVar[str] = "tiles"


@dataclass(frozen=True)
class Bar:
    """One bar: its name, its length in [0, 1], and its value in words."""

    name: str
    share: float
    value: str


@dataclass(frozen=True)
class Bars:
    """Shares, one below the other.

    Attributes:
        caption: above them.
        bars: from above.
        said: whether their names are the report's, and not the site's.
    """

    caption: str
    bars: Sequence[Bar]
    said: bool = False
    kind: ClassVar[str] = "bars"


Block = Picture | Table | HeatMap | Examples | Counts | Tiles | Bars


@dataclass(frozen=True)
class Part:
    """A part of a page: a heading, what to know or why it is empty, and what it shows."""

    heading: str
    note: str = ""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Page:
    """One page: the file's name without its ending, what it is called, what it is for, and its parts."""

    name: str
    heading: str
    lead: str
    parts: Sequence[Part]


def render(title: str, pages: Sequence[Page], language: str = "en") -> dict[str, str]:
    """The pages as HTML text by file name, each with links to the others of its language.

    Args:
        title: the site's name.
        pages: in this language.
        language: en or zh.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = partial(number, language=language)
    template = environment.get_template("page.html")
    files = {page.name: file_name(page.name, language) for page in pages}
    shown = {"title": title, "pages": pages, "files": files, "lang": language}
    return {files[page.name]: template.render(page=page, **shown) for page in pages}


def number(value: Cell, language: str = "en") -> str:
    """A cell as it is read: thousands apart, three digits behind the point, a dash for nothing, a change signed."""
    if isinstance(value, Change):
        return f"{value.sign} {JUDGEMENTS[language].get(value.judgement, '')}".strip()
    if value is None or value != value:  # NaN is the only value that differs from itself
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value
