"""Tags: the subjects of an article or a reader, in the shape of a T.

The bar says where it belongs (categories with confidences, labels of other tasks), the stem what it is about (keywords
with weights). A tag is looked up by its folded form, so that ``Interest-Rates`` finds what ``interest rate`` names.

    index.py     which articles bear a tag, as articles come and change
    profile.py   a reader's last clicks -> tags
    related.py   a tag -> the tags that go with it, and those that an unknown one may have meant
    written_form.py  keywords in small letters -> as their article writes them
    named.py     keywords that are a part of a name -> the whole name; names that the site gives -> tags
    synonyms.py  a category's names in either language -> one another
    graph.py     the graph of tags that share articles, which is built at night and never in a request
"""

import enum
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple, Protocol

from recsys.hashing import hashed
from recsys.keywords.frequencies import singular

STEM = 12  # keywords that say what an article is about, and that its page shows; later ones are shared by chance
NOT_RANKED = ""  # tokens of a tag that is a name, and not ranked among the keywords
MAX_TAG = 200  # characters; what is longer names no tag
REMEMBERED = 1 << 14  # folded forms: the words of the articles that are shown now
DASHES = dict.fromkeys(range(0x2010, 0x2016), "-")
BESIDE_CJK = re.compile(r"(?<=[\u2e80-\ufaff]) | (?=[\u2e80-\ufaff])")  # Chinese is written without blanks


class TagKind(enum.StrEnum):
    """Kind of a tag."""

    CATEGORY = "category"
    TOPIC = "topic"
    LABEL = "label"
    KEYWORD = "keyword"


class Tag(NamedTuple):
    """One tag.

    Attributes:
        name: as it is shown.
        weight: in [0, 1]: of an article, the confidence of a category and the weight of a keyword; of a reader, the
            share of the last clicks.
        kind: what it says.
        task: of a label, what was asked: sentiment, clickbait.
    """

    name: str
    weight: float
    kind: TagKind
    task: str | None = None


class Tags(NamedTuple):
    """A T: its bar and its stem, heaviest first."""

    bar: tuple[Tag, ...] = ()
    stem: tuple[Tag, ...] = ()


class TaggedArticle(Protocol):
    """An article, as far as its tags are concerned."""

    @property
    def category(self) -> str | None:
        """Its category, if it has one."""

    @property
    def topic(self) -> bool:
        """True for a category that is a topic, which clustering found."""

    @property
    def weights(self) -> tuple[float, ...]:
        """Of its keywords."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Of its keywords, the tokens separated by blanks; most telling first."""

    @property
    def tags(self) -> Tags:
        """Its T."""

    @property
    def pieces(self) -> Mapping[str, str]:
        """Its keywords with their words and pairs of words, folded, each as it is written; most telling first."""

    @property
    def wholes(self) -> frozenset[str]:
        """Its keywords, folded."""


def fold(tag: str) -> str:
    """The form under which a tag is looked up: one case and width, single blanks, English words in the singular.

    Returns:
        "" for what names no tag: blanks only, or more than ``MAX_TAG`` characters.
    """
    return _folded(tag) if len(tag) <= MAX_TAG else ""


@lru_cache(REMEMBERED)
def _folded(tag: str) -> str:
    text = tag.lower() if tag.isascii() else unicodedata.normalize("NFKC", tag).casefold().translate(DASHES)
    return _together(" ".join(map(singular, text.replace("_", " ").replace("-", " ").split())))


@lru_cache(REMEMBERED >> 2)
def pieces(parts: str) -> tuple[tuple[str, str], ...]:
    """A keyword, its words and its pairs of neighbouring words: what an article with that keyword is found under.

    Args:
        parts: the tokens of a keyword, separated by blanks.

    Returns:
        Each piece once, folded and as it is written, the longest first.
    """
    words = parts.split(" ")
    named = dict.fromkeys([parts, *(f"{one} {other}" for one, other in pairwise(words)), *words])
    folded: dict[str, str] = {}
    for name in named:
        folded.setdefault(fold(name), _together(name.replace("_", " ")))
    return tuple(folded.items())


def pieces_of(name: str, parts: str) -> tuple[tuple[str, str], ...]:
    """The pieces of a tag: those of its tokens, and of a name that is no keyword those of its words."""
    return pieces(parts if parts != NOT_RANKED else " ".join(name.lower().split()))


def tag_ids(parts: Iterable[str], weights: Iterable[float]) -> dict[int, float]:
    """An article's keywords as the features know them.

    Args:
        parts: of each keyword the tokens separated by blanks, most telling first; those after ``STEM`` say nothing,
            nor do names that are no keywords (``NOT_RANKED``).
        weights: of the keywords.

    Returns:
        Hashed id of the folded keyword -> weight; of two that fold alike the heavier one.
    """
    ids: dict[int, float] = {}
    keywords = ((keyword, weight) for keyword, weight in zip(parts, weights, strict=True) if keyword != NOT_RANKED)
    for keyword, weight in islice(keywords, STEM):
        tag = tag_key(pieces(keyword)[0][0])
        ids[tag] = max(weight, ids.get(tag, 0.0))
    return ids


@lru_cache(REMEMBERED)
def tag_key(folded: str) -> int:
    """Number of a folded tag, the same everywhere."""
    return hashed("tag", folded)


def alike(one: str, other: str) -> bool:
    """True for two folded tags that share a word, or of which one, written without blanks, holds the other."""
    return not set(one.split()).isdisjoint(other.split()) or (not one.isascii() and (one in other or other in one))


def _together(text: str) -> str:
    """A text without the blanks beside Chinese characters."""
    return text if text.isascii() else BESIDE_CJK.sub("", text)
