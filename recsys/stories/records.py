"""Records of the story index: an article's assignment, one event, an article that is placed."""

from dataclasses import dataclass, field
from typing import NamedTuple

from recsys.stories.leads import Lead
from recsys.units import FOREVER_MS


class StoryAssignment(NamedTuple):
    """Story of an article, as it was when the article came.

    Attributes:
        story: the id of the story: of the article that began it.
        score: of the best story that there was; 0 where none is like it.
        is_new: whether the article began the story.
        copy_of: id of the first copy of the same text, None for a text of its own.
    """

    story: str
    score: float
    is_new: bool
    copy_of: str | None = None


@dataclass(slots=True)
class Story:
    """One event.

    Attributes:
        id: of the article that began it.
        size: headlines counted, at most ``MAX_COUNTED``.
        first: time of the earliest article, ms; above ``last`` where no article has a time.
        last: time of the latest one.
        touched: what time it was when the last article joined, ms.
        words: terms that were counted.
        articles: ids, in the order of joining.
    """

    id: str
    size: int = 0
    first: int = FOREVER_MS
    last: int = -FOREVER_MS
    touched: int = 0
    words: set[str] = field(default_factory=set)
    articles: dict[str, None] = field(default_factory=dict)


class PlacedArticle(NamedTuple):
    """Row of an article's story, its terms, its time (ms) where that is known, and the lead of its body."""

    row: int
    words: list[str]
    time: int | None
    lead: Lead = ()
