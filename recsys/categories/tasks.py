"""Tasks: other label sets than the categories, such as sentiment or clickbait, learned from labelled rows.

Reads ``labels/<task>.parquet`` and the catalogue; produces, per task, classifiers, ``articles.parquet`` with the
columns of ``TASK_SCHEMA``, and ``evaluation.json``. It is the categories' own machinery on other rows.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.articles import ArticleEncoder
from recsys.categories.classification import CategoryModel, assign_all
from recsys.categories.documents import ArticleCorpus
from recsys.classifiers import LabelRows
from recsys.tokens import BATCH_ARTICLES
from recsys.tokens.table import TOKENS_SCHEMA as TOKENS
from recsys.tokens.table import Tokens, as_table
from recsys.words import Matrix
from recsys.workspace import read_table, write_table

TASK_SCHEMA = pa.schema(
    {"id": pa.string(), "label": pa.string(), "confidence": pa.float32(), "given": pa.bool_()}
)  # no label without ground, or when the best guess is too uncertain to be shown
_TEXTS_SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "title", "body")])


class SiteArticles(NamedTuple):
    """Articles of the site as the stages left them.

    Attributes:
        articles: ``articles.parquet`` of the events artefact.
        corpus: the same articles, cut and encoded; nothing given.
        ids: A of them.
    """

    articles: Path
    corpus: ArticleCorpus
    ids: list[str]


def labelled_corpus(
    labels: pa.Table, site: SiteArticles, encoder: ArticleEncoder, folder: Path
) -> tuple[ArticleCorpus, Path, dict[str, int]]:
    """Labelled rows as a corpus: articles by their id, or texts of their own.

    Args:
        labels: columns of ``LABELS_SCHEMA``.
        site: where rows with an id are looked up.
        encoder: for rows with a text of their own.
        folder: where to write it.

    Returns:
        The corpus; a Parquet file of their texts in the same order; counts of the rows, and of
        those whose id is unknown.
    """
    by_id = labels.filter(pc.is_valid(labels["id"]))
    known = by_id.filter(pc.is_in(by_id["id"], value_set=pa.array(site.ids, pa.string())))
    row_of = {name: row for row, name in enumerate(site.ids)}
    rows = np.array([row_of[name] for name in known["id"].to_pylist()], dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    rows, given = rows[order], known["label"].take(pa.array(order)).to_pylist()
    own = labels.filter(pc.is_null(labels["id"]))
    vectors = [site.corpus.vectors[rows]]
    languages = [site.corpus.languages[row] for row in rows]
    tokens, texts = folder / "tokens.parquet", folder / "texts.parquet"
    with pq.ParquetWriter(tokens, TOKENS) as cut, pq.ParquetWriter(texts, _TEXTS_SCHEMA) as read:
        for source, target in ((site.corpus.tokens, cut), (site.articles, read)):
            for batch in _chosen(source, target.schema, rows):
                target.write_table(batch)
        for batch in own.to_batches(BATCH_ARTICLES):
            encoded, batch_vectors = _encoded(batch, encoder)
            cut.write_table(as_table(_empty_ids(batch), encoded))
            read.write_table(pa.table([_empty_ids(batch), batch["title"], batch["body"]], schema=_TEXTS_SCHEMA))
            vectors.append(batch_vectors)
            languages += [text.language for text in encoded]
    given += own["label"].to_pylist()
    corpus = ArticleCorpus(tokens, site.corpus.keywords, np.concatenate(vectors), languages, given)
    return corpus, texts, {"labelled": len(given), "unknown_ids": len(by_id) - len(known)}


def _chosen(file: Path, schema: pa.Schema, rows: LabelRows) -> Iterator[pa.Table]:
    """Some rows of a Parquet file, ascending, each as often as it is asked for, a batch in memory at a time."""
    start = 0
    for batch in pq.ParquetFile(file).iter_batches(BATCH_ARTICLES, columns=schema.names):
        inside = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
        if len(inside):
            yield pa.table(batch.take(pa.array(inside))).select(schema.names).cast(schema)
        start += batch.num_rows


def _encoded(batch: pa.RecordBatch, encoder: ArticleEncoder) -> tuple[list[Tokens], Matrix]:
    texts = zip(batch["title"].to_pylist(), batch["body"].to_pylist(), strict=True)
    articles = [encoder.encode(title, body) for title, body in texts]
    return [article.text for article in articles], np.array([article.vector for article in articles], dtype=np.float32)


def _empty_ids(batch: pa.RecordBatch) -> pa.Array:
    """Rows with a text of their own have no id; their labels tell them apart in the list of mistakes."""
    return pa.array([""] * batch.num_rows, pa.string())


def label_all(model: CategoryModel, site: SiteArticles, labels: pa.Table, file: Path) -> dict[str, int]:
    """Give every article its label: the one that it came with, else the likeliest.

    Args:
        model: what was learned from the labels.
        site: the catalogue.
        labels: the labelled rows; an article with two labels came with none.
        file: where to write.

    Returns:
        Counts: articles with a given label, with a found one, without.
    """
    given_by_id = _given(zip(labels["id"].to_pylist(), labels["label"].to_pylist(), strict=True))
    given = [given_by_id.get(name) for name in site.ids]
    with_label = sum(label is not None for label in given)
    assigned = assign_all(model, site.corpus._replace(given=given))
    columns = {
        "id": site.ids,
        "label": [row.category for row in assigned],
        "confidence": [row.confidence for row in assigned],
        "given": [label is not None for label in given],
    }
    write_table(file, pa.table(columns, schema=TASK_SCHEMA))
    named = sum(row.category is not None for row in assigned)
    return {"given": with_label, "found": named - with_label, "without": len(assigned) - named}


def _given(pairs: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    labels_of: dict[str, set[str]] = {}
    for name, label in pairs:
        if name is not None:
            labels_of.setdefault(name, set()).add(label)
    return {name: next(iter(labels)) for name, labels in labels_of.items() if len(labels) == 1}


def tasks_in(folder: Path) -> dict[str, pa.Table]:
    """All tasks that have labels: name -> columns of ``LABELS_SCHEMA``."""
    return {file.stem: read_table(file) for file in sorted(folder.glob("*.parquet"))}
