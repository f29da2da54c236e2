"""Story graph: the articles of a story and which of them are alike -> the parts that one link alone holds together.

One headline that speaks of two events can join them. The night looks at each story as a graph: parts of several
articles that hang together by at most one link are two stories.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import networkx as nx

MAX_ARTICLES = 512  # of a story that are looked at, the latest: 130,000 pairs
_LEAST_PART = 4  # articles of a part: fewer are a side of the event
LEAST_PARTED = 2 * _LEAST_PART  # articles of a story that can have two parts
_ALIKE = 0.25  # cosine from which two headlines are linked


def parts_of(words_of: Mapping[str, Sequence[str]], rarity: Mapping[str, float]) -> list[list[str]]:
    """Parts of a story that at most one link holds together.

    Args:
        words_of: article id -> its terms, in the order of joining.
        rarity: of each term, above 0.

    Returns:
        The parts, the largest first, articles in the order of joining; one part for a story that holds together. What
        belongs to no part of its own stays with the largest.
    """
    articles = list(words_of)[-MAX_ARTICLES:]
    graph = _alike({article: words_of[article] for article in articles}, rarity)
    graph.remove_edges_from(list(nx.bridges(graph)))
    parts = sorted(nx.connected_components(graph), key=len, reverse=True)
    split = [part for part in parts[1:] if len(part) >= _LEAST_PART]
    if not split or len(parts[0]) < _LEAST_PART:
        return [list(words_of)]
    moved = set().union(*split)
    stay = [article for article in words_of if article not in moved]
    return [stay, *([article for article in articles if article in part] for part in split)]


def _alike(words_of: Mapping[str, Sequence[str]], rarity: Mapping[str, float]) -> "nx.Graph[str]":
    """Graph of the headlines whose cosine is at least ``_ALIKE``."""
    lengths = {article: math.hypot(*(rarity[word] for word in words)) for article, words in words_of.items()}
    having: dict[str, list[str]] = defaultdict(list)
    for article, words in words_of.items():
        for word in words:
            having[word].append(article)
    shared: dict[tuple[str, str], float] = defaultdict(float)
    for word, articles in having.items():
        for pair in combinations(articles, 2):
            shared[pair] += rarity[word] ** 2
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(words_of)
    graph.add_edges_from(
        pair for pair, inner in shared.items() if inner >= _ALIKE * lengths[pair[0]] * lengths[pair[1]] > 0
    )
    return graph
