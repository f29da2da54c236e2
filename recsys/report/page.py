"""Pictures and tables -> one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATE_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class KeywordExample:
    """One article's title and its keywords with their weights, strongest first."""

    title: str
    language: str
    category: str | None
    keywords: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Picture:
    """One picture: its caption, the SVG element, and whether it takes the page's whole width."""

    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class ReportPage:
    """Everything that the page shows.

    Attributes:
        title: the site's name.
        counts: stage -> name -> number: what each stage read and made.
        figures: model -> figure name -> value, or empty when nothing could be judged.
        note: how it was judged, or why it could not be.
        pictures: in the order in which they are shown.
        examples: keyword examples.
    """

    title: str
    counts: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, Mapping[str, float]]
    note: str
    pictures: Sequence[Picture]
    examples: Sequence[KeywordExample] = field(default_factory=tuple)


def render(page: ReportPage) -> str:
    """The page as HTML text; every text in it is escaped."""
    environment = Environment(loader=FileSystemLoader(TEMPLATE_FOLDER), autoescape=True, undefined=StrictUndefined)
    names = list(dict.fromkeys(name for values in page.figures.values() for name in values))
    best = {name: max(values[name] for values in page.figures.values() if name in values) for name in names}
    return environment.get_template("page.html").render(page=page, names=names, best=best)
