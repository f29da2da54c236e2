"""The catalogue -> languages, missing fields, and articles that look like each other."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_NEEDED_BY_NO_ONE = ("id", "expires_at", "hidden")  # whose absence says nothing
_KEPT = ("id", "title", "url", "language", "published_at", "expires_at", "hidden")
_BATCH_ROWS = 5_000  # articles whose bodies are in memory at a time


@dataclass(frozen=True)
class ArticleFacts:
    """Figures of a site's articles.

    Attributes:
        total: articles, hidden ones included.
        languages: language that a file or the site declared -> articles; "" where none did.
        missing: field -> articles without it.
        hidden: articles that an editor hid.
        expired: articles whose time is over.
        embargoed: articles that are dated after now.
        same_title: articles whose title an earlier one has, too.
        first: when the oldest was published, int ms UTC; None where no article says it.
        last: when the newest was, embargoed ones left out.
    """

    total: int
    languages: dict[str, int]
    missing: dict[str, int]
    hidden: int
    expired: int
    embargoed: int
    same_title: int
    first: int | None
    last: int | None


def catalogue_frame(file: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read the catalogue without holding its texts.

    Args:
        file: see ``recsys.events.catalogue``.

    Returns:
        A row per article with ``_KEPT``, and field -> articles without it.
    """
    frames, missing = [], dict[str, int]()
    with pq.ParquetFile(file) as parts:
        for batch in parts.iter_batches(_BATCH_ROWS):
            for name in batch.schema.names:
                if name not in _NEEDED_BY_NO_ONE:
                    missing[name] = missing.get(name, 0) + _empty(batch.column(name))
            frames.append(pa.Table.from_batches([batch]).select(_KEPT).to_pandas())
        schema = parts.schema_arrow
    nothing = schema.empty_table().select(_KEPT).to_pandas()
    return (pd.concat(frames, ignore_index=True) if frames else nothing), missing


def _empty(column: pa.Array) -> int:
    if pa.types.is_string(column.type):
        return int(pc.sum(pc.equal(pc.fill_null(column, ""), "")).as_py() or 0)
    return int(column.null_count)


def article_facts(frame: pd.DataFrame, missing: dict[str, int], now: int) -> ArticleFacts:
    """Count the articles of a catalogue.

    Args:
        frame: see ``catalogue_frame``.
        missing: the same.
        now: int ms UTC.
    """
    titles = frame["title"].str.strip().str.casefold()
    published = frame["published_at"].dropna()
    past = published[published <= now]
    languages = frame["language"].fillna("").value_counts()
    return ArticleFacts(
        total=len(frame),
        languages={str(name): int(count) for name, count in languages.items()},
        missing=missing,
        hidden=int(frame["hidden"].sum()),
        expired=int((frame["expires_at"] <= now).sum()),
        embargoed=int((published > now).sum()),
        same_title=int((titles.ne("") & titles.duplicated()).sum()),
        first=int(past.min()) if len(past) else None,
        last=int(past.max()) if len(past) else None,
    )
