"""RSS, Atom and JSON Feed -> articles in the store; the version that an address gave is kept for the next time.

A document type and entities are refused before anything parses the text: no feed needs them, and a few lines of them
unfold into gigabytes or read this machine's files.
"""

import calendar
import codecs
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import feedparser

from recsys.errors import BadReader, ImportRefused
from recsys.imports.fetch import MAX_BYTES, Fetched, fetch
from recsys.imports.mapping import ARTICLE_FIELDS, FieldSource
from recsys.imports.rejects import ImportTally, Summary
from recsys.imports.rows import write_rows
from recsys.imports.sources import open_file
from recsys.imports.tables import Limits, Reject, RowBatch, grouped
from recsys.imports.target import Target
from recsys.store.addresses import made_id
from recsys.store.records import normal_id
from recsys.times import BadTime, parsed

_EXPECTED = "an RSS, Atom or JSON feed"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_PROLOGUE = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->", re.DOTALL
)  # all that may stand before the root, but a document type
_PICTURES = re.compile(r"\.(jpe?g|png|webp|gif|avif)(\?|$)", re.IGNORECASE)
Row = dict[str, Any]


class Feed(NamedTuple):
    """A feed's entries as rows of an article's fields, each with those that it has, and sentences for a person."""

    rows: list[Row]
    notes: list[str]


def read_feed(content: bytes, name: str) -> Feed:
    """The entries of a feed.

    Args:
        content: its bytes.
        name: of the file or address, for an error's message.

    Raises:
        ImportRefused: it is none, has a document type, or has no entries that can be read.
    """
    text = _text(content, name)
    start = text.lstrip("\ufeff \t\r\n")
    feed = _json_feed(start, name) if start[:1] == "{" else _xml_feed(start, name)
    if not feed.rows:
        raise ImportRefused("a feed with entries", f"{name}, which has none", "Check the address.")
    return feed


def _text(content: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    declared = _DECLARED.match(content[:1000])
    encoding = encoding or (declared[1].decode() if declared else "utf-8")
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        # A page may say one encoding and be another; the text is then still worth more than a refusal.
        return content.decode("utf-8", "replace")


def _xml_feed(text: str, name: str) -> Feed:
    body = _DECLARATION.sub("", text, count=1)
    at = 0
    while match := _PROLOGUE.match(body, at):
        at = match.end()
    if re.match(r"<!doctype\s+html", body[at : at + 40], re.IGNORECASE) or body[at : at + 5].lower() == "<html":
        raise ImportRefused(_EXPECTED, f"an HTML page ({name})", "Look in the page's source for the feed's address.")
    if body.startswith("<!", at):
        raise ImportRefused(
            "a feed without a document type or entities", f"<!DOCTYPE or <!ENTITY in {name}", "Ask its publisher."
        )
    # Told by a header, feedparser neither guesses nor looks for another encoding that a text might hide.
    document = feedparser.parse(
        io.BytesIO(body[at:].encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
    )
    if not document.get("version") and not document.entries:
        raise ImportRefused(_EXPECTED, f"something else ({name})", "For a table or JSON use csv, jsonl or parquet.")
    rows = [_entry(entry, document.feed) for entry in document.entries]
    broken = f"The feed is not well-formed ({document.get('bozo_exception')}); {len(rows)} entries could be read."
    return Feed(rows, [broken] if document.bozo else [])


def _entry(entry: Any, feed: Any) -> Row:
    link = entry.get("link")
    if link and link == entry.get("id") and not link.startswith(("http:", "https:")):
        link = None  # feedparser takes a guid that does not say it is no address for one
    full = max((part.get("value") or "" for part in entry.get("content", ())), key=len, default="")
    return _without_nothing(
        {
            "id": _usable_id(entry.get("id")) or _usable_id(link),
            "title": entry.get("title"),
            "body": full or entry.get("summary"),
            "url": _absolute(link, feed.get("link")),
            "image": _picture(entry),
            "source": _source(entry, feed),
            "language": entry.get("language") or feed.get("language"),
            "category": next((tag.get("term") or tag.get("label") for tag in entry.get("tags", ())), None),
            "published_at": _published(entry),
        }
    )


def _source(entry: Any, feed: Any) -> str | None:
    titles = (entry.get("source", {}).get("title"), entry.get("author_detail", {}).get("name"), feed.get("title"))
    return next(filter(None, titles), None)


def _published(entry: Any) -> Any:
    """As it is written, so that a time without a zone is read like any other; else what feedparser makes of it."""
    field = next((field for field in ("published", "updated", "created") if field in entry), None)
    if field is None:
        return None
    try:
        parsed(entry[field])
    except BadTime:
        moment = entry.get(f"{field}_parsed")
        return calendar.timegm(moment) * 1000 if moment else entry[field]
    return entry[field]


def _picture(entry: Any) -> str | None:
    media: Iterable[Any] = [*entry.get("media_content", ()), *entry.get("enclosures", ())]
    for item in media:
        url = item.get("url") or item.get("href")
        kind = item.get("medium") or item.get("type") or ""
        if url and (kind.startswith("image") or (not kind and _PICTURES.search(url))):
            return str(url)
    thumbnails = [item.get("url") for item in entry.get("media_thumbnail", ())]
    return next(filter(None, [*thumbnails, entry.get("image", {}).get("href")]), None)


def _json_feed(text: str, name: str) -> Feed:
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ImportRefused(_EXPECTED, f"broken JSON: {error} ({name})", "Check the address.") from None
    if "jsonfeed.org" not in str(feed.get("version")) or not isinstance(feed.get("items"), list):
        raise ImportRefused(_EXPECTED, f"other JSON ({name})", "Use `python -m jobs import jsonl`.")
    rows = [_item(item, feed) for item in feed["items"] if isinstance(item, dict)]
    others = len(feed["items"]) - len(rows)
    return Feed(rows, [f"{others} items of the feed are no objects and were left out."] if others else [])


def _item(item: Mapping[str, Any], feed: Mapping[str, Any]) -> Row:
    url = item.get("url") or item.get("external_url")
    authors = item.get("authors") or ([item["author"]] if isinstance(item.get("author"), dict) else [])
    names = [author.get("name") for author in authors if isinstance(author, dict)]
    tags = item.get("tags")
    return _without_nothing(
        {
            "id": _usable_id(item.get("id")) or _usable_id(url),
            "title": item.get("title"),
            "body": item.get("content_html") or item.get("content_text") or item.get("summary"),
            "url": _absolute(url, feed.get("home_page_url")),
            "image": item.get("image") or item.get("banner_image"),
            "source": next(filter(None, names), None) or feed.get("title"),
            "language": item.get("language") or feed.get("language"),
            "category": tags[0] if isinstance(tags, list) and tags else None,
            "published_at": item.get("date_published") or item.get("date_modified"),
        }
    )


def _absolute(link: str | None, site: str | None) -> str | None:
    """A link below the address of the feed's own site, if it is relative."""
    try:
        return urljoin(site, link) if link and site else link
    except ValueError:
        return link


def _usable_id(value: Any) -> str | None:
    """An identifier if it can be one; an address may be too long for that, and then makes one."""
    try:
        return normal_id(value)
    except BadReader:
        return None


def _without_nothing(row: Row) -> Row:
    return {field: value for field, value in row.items() if value}


def import_feed(target: Target, source: str, state: Path, allow_private: bool = False) -> Summary:
    """Import the entries of a feed as articles.

    Args:
        target: where to.
        source: a file, or an http or https address.
        state: folder where versions of feeds are kept, so that one that has not changed is not sent again.
        allow_private: hosts of this machine and its network may be asked, too.

    Raises:
        ImportRefused: it is no feed, or the address cannot be read within the bounds of ``fetch``.
    """
    is_address = source.lower().startswith(("http://", "https://"))
    name = source.rstrip("/").rsplit("/", 1)[-1] if is_address else Path(source).name
    kept = state / f"{made_id(f'{target.site} {source}')}.json"
    with ImportTally(target.rejects, name[:60] or "feed", target.dry_run) as tally:
        tally.records = "articles"
        version = _version(kept)
        fetched = _fetched(source, version, allow_private) if is_address else None
        if fetched is not None and (fetched.is_unchanged or version.get("digest") == _digest(fetched.content)):
            tally.note("The feed has not changed since the last import.")
            return tally.summary()
        feed = read_feed(_file_content(Path(source)) if fetched is None else fetched.content, name)
        for sentence in feed.notes:
            tally.note(sentence)
        table = FeedReader(feed.rows, target.limits)
        write_rows(target, table, {field: FieldSource(field, None) for field in table.names}, "articles", tally)
        if fetched is not None and not target.dry_run:
            _keep(kept, source, fetched)
        return tally.summary()


class FeedReader:
    """The entries of a feed as a table with the names of an article's fields."""

    is_open = False

    def __init__(self, rows: list[Row], limits: Limits) -> None:
        self._rows, self._limits = rows, limits
        self.names = [field for field in ARTICLE_FIELDS if any(field in row for row in rows)]
        self.progress = (0, len(rows))

    def sample(self) -> dict[str, list[Any]]:
        """See ``RowReader``."""
        return {name: [row.get(name) for row in self._rows] for name in self.names}

    def batches(self, wanted: list[str], reject: Reject) -> Iterator[RowBatch]:
        """See ``RowReader``."""
        entries = ((number, row, len(str(row))) for number, row in enumerate(self._rows, 1))
        for lines, rows in grouped(entries, self._limits):
            self.progress = (lines[-1], len(self._rows))
            yield RowBatch(lines, {name: [row.get(name) for row in rows] for name in wanted}, rows)


def _version(kept: Path) -> dict[str, str | None]:
    """Version of the feed that was last imported, as it was kept; empty the first time."""
    try:
        version = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return version if isinstance(version, dict) else {}


def _digest(content: bytes) -> str:
    """A feed's bytes as a hash: many servers know no conditions and send all of it every time."""
    return hashlib.sha256(content).hexdigest()


def _fetched(source: str, version: Mapping[str, str | None], allow_private: bool) -> Fetched:
    return fetch(source, etag=version.get("etag"), modified=version.get("modified"), allow_private=allow_private)


def _keep(kept: Path, source: str, fetched: Fetched) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    state = {"url": source, "etag": fetched.etag, "modified": fetched.modified, "digest": _digest(fetched.content)}
    fresh = kept.with_suffix(".tmp")
    fresh.write_text(json.dumps(state, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(kept)


def _file_content(path: Path) -> bytes:
    with open_file(path, _EXPECTED) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ImportRefused(_EXPECTED, f"{path.name}, which has more than {MAX_BYTES:,} bytes", "Check the path.")
    return content
