"""Tag graph: keywords joined by the articles that they share -> for each the tags two steps away.

Reads ``keywords.parquet``; produces ``related_tags.parquet``. A tag of few articles stands beside few others; what
these have in common belongs with it as well, though no article says both. Only tags that two of its neighbours lead to
are taken: by one alone a walk soon speaks of something else.
Source: Liben-Nowell & Kleinberg 2007, "The Link-Prediction Problem for Social Networks" (common neighbours).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path

import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.tags import STEM, alike, pieces
from recsys.tags.related import RELATED_FILE
from recsys.workspace import write_table

_MAX_ARTICLES = 20_000  # of the catalogue, the last ones: some seconds
_MIN_SHARED = 2  # articles that two tags must share to be joined; one is chance
_MIN_WEIGHT = 0.25  # product of two cosines; below it the second step mostly speaks of something else
_KEPT = 12  # tags kept for each: as many as stand beside a list
_RELATED_SCHEMA = pa.schema(
    [("tag", pa.string()), ("related", pa.list_(pa.string())), ("weights", pa.list_(pa.float32()))]
)  # the tag folded, the related ones as they are written, the likeliest first


def tag_graph(articles: Iterable[Sequence[str]]) -> nx.Graph:
    """Graph of the keywords that share articles.

    Args:
        articles: of each the keywords, as tokens separated by blanks; only the first ``STEM`` are read.

    Returns:
        Nodes are folded keywords, with ``name``, as the last article writes it; edges have ``weight``, the cosine of
        the two sets of articles. An article bears a keyword, too, that is a piece of one of its own.
    """
    sizes, shared, names = Counter[str](), Counter[tuple[str, str]](), dict[str, str]()
    read = [keywords[:STEM] for keywords in articles]
    for keywords in read:
        names |= dict(pieces(parts)[0] for parts in keywords)
    for keywords in read:
        tags = {piece for parts in keywords for piece, _ in pieces(parts) if piece in names}
        sizes.update(tags)
        shared.update(combinations(sorted(tags), 2))
    graph = nx.Graph()
    for (one, other), count in shared.items():
        if count >= _MIN_SHARED and not alike(one, other):
            graph.add_edge(one, other, weight=count / (sizes[one] * sizes[other]) ** 0.5)
    nx.set_node_attributes(graph, {tag: names[tag] for tag in graph}, "name")
    return graph


def two_steps_away(graph: nx.Graph, heavy: nx.Graph, tag: str) -> list[tuple[str, float]]:
    """Tags that two neighbours of a tag lead to, and that are none themselves.

    Args:
        graph: from ``tag_graph``.
        heavy: its edges of at least ``_MIN_WEIGHT``, the only ones that a walk may take.
        tag: a node of it.

    Returns:
        At most ``_KEPT`` folded tags, the likeliest first, with the product of the two weights on the best way there.
    """
    ways, best = Counter[str](), dict[str, float]()
    for middle, first in heavy[tag].items():
        for end, second in heavy[middle].items():
            weight = first["weight"] * second["weight"]
            if weight >= _MIN_WEIGHT and end != tag and end not in graph[tag]:
                ways[end] += 1
                best[end] = max(best.get(end, 0.0), weight)
    reached = [(end, weight) for end, weight in best.items() if ways[end] > 1 and not alike(end, tag)]
    return sorted(reached, key=lambda pair: (-pair[1], pair[0]))[:_KEPT]


def write_related(keywords: Path, folder: Path) -> int:
    """Write the tags two steps away from each tag.

    Args:
        keywords: ``keywords.parquet``.
        folder: where.

    Returns:
        How many tags have any.
    """
    file = pq.ParquetFile(keywords)
    parts = file.read(columns=["parts"])["parts"].slice(max(0, file.metadata.num_rows - _MAX_ARTICLES))
    graph = tag_graph(parts.to_pylist())
    names = nx.get_node_attributes(graph, "name")
    heavy = nx.Graph(edge for edge in graph.edges(data=True) if edge[2]["weight"] >= _MIN_WEIGHT)
    rows = [(tag, reached) for tag in sorted(heavy) if (reached := two_steps_away(graph, heavy, tag))]
    columns = {
        "tag": [tag for tag, _ in rows],
        "related": [[names[other] for other, _ in reached] for _, reached in rows],
        "weights": [[weight for _, weight in reached] for _, reached in rows],
    }
    write_table(folder / RELATED_FILE, pa.table(columns, schema=_RELATED_SCHEMA))
    return len(rows)
