"""Aliases: events whose article was known by its address alone, and came before it, are of the article that has it."""

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from recsys.store.addresses import aliases_of
from recsys.store.records import ArticleName


def find_aliases(names: Collection[str], articles: Iterable[ArticleName]) -> dict[str, str]:
    """Made identifier -> the article's own, for those that occur.

    Args:
        names: identifiers of articles in the events that were made from an address, perhaps.
        articles: those that are known.
    """
    if not names:
        return {}
    return {alias: one.id for one in articles for alias in aliases_of(one.id, one.url) if alias in names}


def resolved(table: pa.Table, aliases: Mapping[str, str]) -> pa.Table:
    """A table of events whose articles have their own identifiers.

    Args:
        table: with a dictionary-encoded column ``article``, or without one.
        aliases: made identifier -> the article's own.
    """
    if not aliases or "article" not in table.column_names:
        return table
    texts = table["article"].cast(pa.string()).combine_chunks()
    names = pa.array(list(aliases), pa.string())
    places = pc.index_in(texts, names)
    own = pa.array(list(aliases.values()), pa.string()).take(places)
    column = pc.if_else(pc.is_valid(places), own, texts).dictionary_encode()
    return table.set_column(table.column_names.index("article"), "article", column)
