"""Records of the store as plain values, and the rules that a value must meet to get in.

Both databases hold UTF-8, which has no lone surrogates, and PostgreSQL's text has no NUL. A title with one of them is
still worth reading, so ``clean_text`` repairs it; an identifier that changed would be another one, so ``identifier``
refuses it.
"""

import enum
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from recsys.errors import BadReader
from recsys.missing import is_missing

MAX_IDENTIFIER = 256
MAX_MADE_TITLE = 120  # characters of a title that is taken from the body: what a card shows in two lines
# Printable or not: everything but the control characters (C0, DEL, C1) and the surrogates.
_IDENTIFIER = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_IDENTIFIER}}}")
_FLOAT = re.compile(r"-?[0-9]+\.0+")  # a whole number that a data frame has turned into a float on its way
_ROUNDED = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")  # 1.73079E+12, as a spreadsheet shows a long number
MAX_EXACT = 2**53  # from here on a float has lost the last digits of a whole number
_SURROGATES = re.compile("[\ud800-\udfff]")


class Kind(enum.StrEnum):
    """Kind of an event: what a reader did with an article, or was shown."""

    IMPRESSION = "impression"
    CLICK = "click"
    DISMISS = "dismiss"
    DWELL = "dwell"


class Evidence(enum.IntEnum):
    """Evidence with which an event came in by the open door, see ``recsys.events.vouching``.

    None, instead of one of these, is for what nobody needs to doubt: imports, the site's own key, logs of before.
    """

    UNSIGNED = 0  # nothing: whoever knows the address can send it
    SIGNED = 1  # a good token of a list that showed the article to whoever sends it
    CROWDED = 2  # beyond what one address may add to the counts of one article


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a site. Times are int milliseconds UTC; None is unknown, or never for ``expires_at``."""

    id: str
    site: str
    title: str
    body: str = ""
    url: str | None = None
    image: str | None = None
    source: str | None = None
    language: str | None = None
    category: str | None = None
    subcategory: str | None = None
    entities: tuple[str, ...] = ()
    published_at: int | None = None
    expires_at: int | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class StoredArticle(Article):
    """An article with the times (int ms UTC) when the store first saw it and last changed it, and its version.

    ``change`` is the number of the site's change that changed it last: it grows whenever the article changes.
    ``filed_by`` is the editor who said its category; None where that is the file's. ``tags`` are those that the editor
    ``tagged_by`` gave it, the most telling first; None where they are the models'.
    """

    created_at: int = 0
    updated_at: int = 0
    change: int = 0
    filed_by: str | None = None
    tags: tuple[str, ...] | None = None
    tagged_by: str | None = None


@dataclass(frozen=True, slots=True)
class ArticlePatch:
    """Change of one article by a file or a call: only the fields that it has.

    A field that is missing is left alone; None, or an empty value of the field's type, empties it.
    """

    id: str
    site: str
    fields: Mapping[str, Any]


class ArticleName(NamedTuple):
    """Names by which an article can be found."""

    id: str
    url: str | None
    title: str


class Event(NamedTuple):
    """One event of a reader (a tuple and not a dataclass: an import makes millions of them).

    ``time`` is int milliseconds UTC, or None when only the order is known. ``context`` is the text of a JSON object.
    ``proof`` is a ``Evidence``, or None.
    """

    event_id: str
    site: str
    kind: Kind
    article: str
    reader: str | None = None
    session: str | None = None
    time: int | None = None
    slot: str | None = None
    position: int | None = None
    impression: str | None = None
    dwell_ms: int | None = None
    context: str | None = None
    proof: int | None = None


class StoredEvent(NamedTuple):
    """An event with ``seq``, its place in the order in which the store took the events in."""

    seq: int
    event_id: str
    site: str
    kind: Kind
    article: str
    reader: str | None
    session: str | None
    time: int | None
    slot: str | None
    position: int | None
    impression: str | None
    dwell_ms: int | None
    context: str | None
    proof: int | None = None


class PastEvent(NamedTuple):
    """One event of a reader's history.

    Attributes:
        time: ms, or UNDATED.
        seq: its place in the order in which the store took the events in.
        kind: name of the kind.
        article: id.
        position: in the list, None for unknown.
        context: text of a JSON object, None for unknown.
    """

    time: int
    seq: int
    kind: str
    article: str
    position: int | None
    context: str | None


class ReaderPast(NamedTuple):
    """A reader's history as columns: of each event what ``PastEvent`` says, oldest first."""

    times: Sequence[int] = ()
    seqs: Sequence[int] = ()
    kinds: Sequence[str] = ()
    articles: Sequence[str] = ()
    positions: Sequence[int | None] = ()
    contexts: Sequence[str | None] = ()

    @classmethod
    def of(cls, events: Sequence[tuple[Any, ...]]) -> Self:
        """The columns of events."""
        return cls._make(zip(*events, strict=True)) if events else cls()

    def first(self, n: int) -> Self:
        """The same of the oldest ``n``."""
        if n == len(self.times):
            return self
        return type(self)(
            self.times[:n], self.seqs[:n], self.kinds[:n], self.articles[:n], self.positions[:n], self.contexts[:n]
        )


class DatedClick(NamedTuple):
    """A dated click: who made it, on which article, when (ms), in which context, with which ``Evidence``."""

    article: str
    reader: str | None
    session: str | None
    time: int
    context: str | None
    proof: int | None = None


class Written(NamedTuple):
    """Numbers of records that were new, changed an old one, were there already, or are of a reader forgotten since."""

    stored: int
    updated: int
    duplicate: int
    forgotten: int = 0

    @property
    def total(self) -> int:
        """All records that were passed in."""
        return self.stored + self.updated + self.duplicate + self.forgotten


@dataclass(frozen=True, slots=True)
class Merged:
    """Result of merging the patches of one call.

    Attributes:
        stored: articles that were new.
        updated: articles that differ from what was there.
        duplicate: patches that changed nothing, or nothing more.
        deleted: patches that were left out because an operator deleted their article.
        untitled: which patches (index) would be new articles without a title or a body to take one from.
        changed: field -> in how many of the updated articles it changed.
        stays_hidden: (id, why) of each article that these patches bring and that is not shown all the same.
        repaired: values that were beyond their bounds, by field and what was done: "title: cut to 500 characters".
    """

    stored: int = 0
    updated: int = 0
    duplicate: int = 0
    deleted: int = 0
    untitled: list[int] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    stays_hidden: list[tuple[str, str]] = field(default_factory=list)
    repaired: dict[str, int] = field(default_factory=dict)

    @property
    def hidden(self) -> int:
        """Number of articles that stay hidden."""
        return len(self.stays_hidden)

    @property
    def written(self) -> Written:
        """The same as of records that are whole: what was deleted counts as there already."""
        return Written(self.stored, self.updated, self.duplicate + self.deleted)


def identifier(value: str, what: str) -> str:
    """Check an identifier from outside.

    Args:
        value: the identifier: 1 to 256 characters, no control characters, no lone surrogates.
        what: its name in the error's message, for example ``"reader"``.

    Returns:
        The value, unchanged.

    Raises:
        BadReader: it is none.
    """
    if _IDENTIFIER.fullmatch(value):
        return value
    if not value or len(value) > MAX_IDENTIFIER:
        got = f"{len(value)} characters"
    else:
        got = f"{value[:64]!a} with a control character or half a character"
    raise BadReader(f"1 to {MAX_IDENTIFIER} printable characters as {what}", got, f"Send another {what}.")


def normal_id(value: Any, what: str = "identifier") -> str | None:
    """Normal form of an identifier, the same at every door: 12, 12.0, "12.0" and " 12 " are "12", texts are NFC.

    Args:
        value: from a file or a request.
        what: its name in the error's message.

    Returns:
        The identifier, or None for a value that stands for nothing.

    Raises:
        BadReader: it can be none.
    """
    if isinstance(value, str):
        text = value.strip(" \t\r\n") if value.isascii() else unicodedata.normalize("NFC", value).strip()
        if is_missing(text):
            return None
        if text[-1] == "0" and "." in text and _FLOAT.fullmatch(text):
            text = text.partition(".")[0]
        if "+" in text and _ROUNDED.fullmatch(text):
            raise _rounded(text, what)
        return identifier(text, what)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if is_missing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= MAX_EXACT:
            raise _rounded(repr(value), what)
        return str(int(value))
    raise BadReader(f"a text or a whole number as {what}", f"{value!a:.64}", f"Send another {what}.")


def _rounded(text: str, what: str) -> BadReader:
    got = f"a number that has lost its last digits (export it as text): {text[:64]!r}"
    return BadReader(f"a text or a whole number as {what}", got, f"Send another {what}.")


def clean_text(text: str) -> str:
    """A text that both databases can hold: NUL is removed, a lone surrogate becomes U+FFFD."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def title_of(body: str) -> str:
    """A title for a text that has none: its first line with anything in it, cut at a blank; empty when all is blank."""
    first = next((line.strip() for line in body.splitlines() if line.strip()), "")
    if len(first) <= MAX_MADE_TITLE:
        return first
    cut = first[:MAX_MADE_TITLE]
    return (cut.rsplit(None, 1)[0] if len(cut.split(None, 1)) > 1 else cut) + "…"


def compact_json(value: object) -> str:
    """JSON text with sorted keys and no blanks, so that equal values are equal texts.

    Raises:
        ValueError: the value holds NaN or infinity, which JSON has not.
    """
    return clean_text(json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")))
