"""The released catalogue: every article of a release, laid out at night so that a worker reads it where it lies.

Reads the catalogue of the log, annotations, first copies and the rows of the item vectors; writes and reads
``articles.arrow`` (identifiers, cards, keywords in their folded forms), ``columns.safetensors`` (what decides whether
an article may be shown, its hashed ids and tags), ``tag_keys.npy`` and ``tag_rows.npy`` (the index of tags), and
``catalogue.json`` (codes, and the number of the last change of the store that it contains). Cards and index are mapped,
not loaded.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle, keyword_forms
from recsys.catalogue.blobs import ArrowFile
from recsys.catalogue.cards import Cards, Packed, arrow_bytes, packed, packed_forms
from recsys.catalogue.identifiers import ArticleIds, RowsById, hashed_names
from recsys.entities import ArticleNames
from recsys.errors import CorruptArtefact
from recsys.features.ids import hashed_article_ids
from recsys.features.tags import ArticleTags
from recsys.store import Article
from recsys.store.addresses import aliases_of
from recsys.tags import STEM, tag_ids, tag_key
from recsys.tags.index import Postings
from recsys.units import FOREVER_MS, NEVER_MS, UNKNOWN_ROW
from recsys.workspace import load_arrays, load_npy, read_json, save_arrays, save_npy, write_json

Array = npt.NDArray[Any]

SITE_NAMES = "names"  # folder of the names that the site knows
_ARTICLES, _COLUMNS, _FACTS = "articles.arrow", "columns.safetensors", "catalogue.json"
_TAG_KEYS, _TAG_ROWS = "tag_keys.npy", "tag_rows.npy"
_REMEDY = "Run: python -m jobs catalogue --fresh"


@dataclass(frozen=True)
class ReleasedCatalogue:
    """The A articles of a release.

    Attributes:
        ids: by row.
        row_of: rows by identifier.
        cards: by row.
        columns: arrays of A rows: published and expires (int64, ms), shown and own (bool), language and category
            (int16, codes), source (int32, codes), length, leader and story (int32),
            hashed_ids (int64 (A, S)), tags (int64 (A, ``STEM``)) and tag_weights (float32).
        postings: of the tags.
        languages: by code.
        categories: by code.
        sources: casefolded, by code.
        change: number of the last change of the store that it contains.
    """

    ids: ArticleIds
    row_of: RowsById
    cards: Cards
    columns: Mapping[str, Array]
    postings: Postings
    languages: list[str]
    categories: list[str]
    sources: list[str]
    change: int

    def __len__(self) -> int:
        return len(self.columns["published"])

    def without_columns(self) -> "ReleasedCatalogue":
        """The same articles by identifier and row, without what a worker has copied."""
        return replace(self, columns={}, postings=Postings.room(0))

    @classmethod
    def empty(cls) -> "ReleasedCatalogue":
        """The catalogue before the first release."""
        columns = _Columns(0).arrays | {"hashed_ids": np.empty((0, 2), np.int64)}
        return cls(ArticleIds(), RowsById(), Cards(), columns, Postings.room(0), [], [], [], 0)

    @classmethod
    def load(cls, folder: Path) -> "ReleasedCatalogue":
        """Read what ``write_catalogue`` wrote.

        Raises:
            CorruptArtefact: the files contradict each other.
        """
        facts, columns = read_json(folder / _FACTS), load_arrays(folder / _COLUMNS)
        try:
            file = ArrowFile(folder / _ARTICLES)
        except pa.ArrowInvalid as error:
            raise CorruptArtefact(f"an Arrow table in {folder / _ARTICLES}", str(error), _REMEDY) from None
        table = file.table
        if table.num_rows != len(columns["published"]):
            got = f"{table.num_rows} cards"
            raise CorruptArtefact(f"cards of {len(columns['published'])} articles in {folder}", got, _REMEDY)
        keys, rows = (load_npy(folder / file, mapped=True) for file in (_TAG_KEYS, _TAG_ROWS))
        names = columns.pop("names"), columns.pop("name_rows")
        ids, cards, forms = (_whole(table[name]) for name in ("id", "card", "forms"))
        return cls(
            ArticleIds(ids),
            RowsById(*names),
            Cards(released=cards, forms=forms, file=file),
            columns,
            Postings(keys, rows, np.broadcast_to(np.int32(0), len(keys))),
            facts["languages"],
            facts["categories"],
            facts["sources"],
            int(facts["change"]),
        )


class _Columns:
    """Columns of A articles of which nothing is known yet."""

    def __init__(self, size: int) -> None:
        tags = ArticleTags.empty(size, STEM)
        self.tags = tags
        self.arrays: dict[str, Array] = {
            "published": np.full(size, NEVER_MS, np.int64),
            "expires": np.full(size, FOREVER_MS, np.int64),
            "shown": np.zeros(size, np.bool_),
            "own": np.zeros(size, np.bool_),
            "language": np.full(size, UNKNOWN_ROW, np.int16),
            "category": np.full(size, UNKNOWN_ROW, np.int16),
            "source": np.full(size, UNKNOWN_ROW, np.int32),
            "length": np.zeros(size, np.int32),
            "leader": np.arange(size, dtype=np.int32),
            "story": np.arange(size, dtype=np.int32),
            "tags": tags.ids,
            "tag_weights": tags.weights,
        }


def write_catalogue(
    folder: Path,
    ids: Sequence[str],
    articles: Iterable[tuple[Article, ArticleAnnotations, ArticleNames]],
    leader_of: Mapping[str, str],
    story_of: Mapping[str, str],
    *,
    site: str,
    categories: Sequence[str],
    change: int,
) -> int:
    """Lay the articles of a release out.

    Args:
        folder: where to.
        ids: A identifiers, the rows of the item vectors: every article, and those that only clicks know.
        articles: with what the models say of them, and the names by which their tags are called.
        leader_of: id of a copy -> id of the first copy of its text.
        story_of: id of an article -> id of the article that began its story.
        site: the name of the site, which is the source of its own articles.
        categories: the names of codes 0, 1, … that are taken already.
        change: number of the last change of the store that the articles contain.

    Returns:
        How many articles there are, without those that only clicks know.
    """
    rows = {article_id: row for row, article_id in enumerate(ids)}
    cards: list[Packed | None] = [None] * len(ids)
    forms: list[Packed | None] = [None] * len(ids)
    columns, own = _Columns(len(ids)), site.casefold()
    codes = {name: code for code, name in enumerate(categories)}
    languages, sources = dict[str, int](), dict[str, int]()
    keys, bearers, aliases = array("q"), array("i"), list[tuple[str, int]]()  # sixty tags an article
    for article, annotations, named in articles:
        row, shown = rows[article.id], CatalogueArticle.of(article, annotations, named)
        source = (shown.source or "").casefold()
        cards[row], forms[row] = packed(shown, annotations), packed_forms(keyword_forms(shown.keywords, shown.parts))
        values: dict[str, int | bool] = {
            "published": NEVER_MS if shown.published_at is None else shown.published_at,
            "expires": FOREVER_MS if shown.expires_at is None else shown.expires_at,
            "shown": not article.hidden,
            "source": sources.setdefault(source, len(sources)) if source not in ("", own) else UNKNOWN_ROW,
            "own": source == own,
            "language": languages.setdefault(shown.language, len(languages)),
            "category": codes.setdefault(shown.category, len(codes)) if shown.category else UNKNOWN_ROW,
            "length": shown.length,
            "leader": rows.get(leader_of.get(article.id, article.id), row),
            "story": rows.get(story_of.get(article.id, article.id), row),
        }
        for name, value in values.items():
            columns.arrays[name][row] = value
        columns.tags.put(row, tag_ids(annotations.parts, annotations.weights))
        borne = {tag_key(tag) for tag in shown.found_under if tag}
        keys.extend(borne)
        bearers.extend([row] * len(borne))
        aliases += [(alias, row) for alias in aliases_of(article.id, article.url)]
    for alias, row in aliases:  # clicks on its address that came before it
        if (other := rows.get(alias)) is None or cards[other] is None:
            rows[alias] = row
    known = sum(card is not None for card in cards)
    names, name_rows = hashed_names(rows)
    hashed_ids = hashed_article_ids(ids, columns.arrays["category"], list(codes))
    save_arrays(folder / _COLUMNS, columns.arrays | {"hashed_ids": hashed_ids, "names": names, "name_rows": name_rows})
    posted = np.frombuffer(keys, np.int64)
    order = np.argsort(posted, kind="stable")
    save_npy(folder / _TAG_KEYS, posted[order])
    save_npy(folder / _TAG_ROWS, np.frombuffer(bearers, np.int32)[order])
    _write_articles(folder / _ARTICLES, ids, cards, forms)
    facts = {"languages": list(languages), "categories": list(codes), "sources": list(sources), "change": change}
    write_json(folder / _FACTS, facts)
    return known


def _write_articles(file: Path, ids: Sequence[str], cards: list[Packed | None], forms: list[Packed | None]) -> None:
    """Write the cards; both lists are empty then, so that no more than one of them is there twice."""
    schema = pa.schema([("id", pa.large_string()), ("card", pa.large_binary()), ("forms", pa.large_binary())])
    columns = [pa.array(ids, pa.large_string())]
    for packed_rows in (cards, forms):
        columns.append(arrow_bytes(packed_rows))
        packed_rows.clear()
    table = pa.table(columns, schema=schema)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array: written as one batch, it is read without a copy."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
