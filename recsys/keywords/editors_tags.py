"""Tags that editors gave to articles: on disk, and in the place of ranked keywords.

Reads the tags of the store; ``editors_tags.json`` has them beside the catalogue of the events stage, and beside the
tokens that keywords are ranked from.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from recsys.workspace import read_json, write_json

_FILE = "editors_tags.json"


class TagRanks(NamedTuple):
    """Tags of one article, the most telling first.

    Attributes:
        names: as readers see them.
        weights: as many, falling.
        parts: as many: the words of each, joined by a blank.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    parts: tuple[str, ...]


def save_editors_tags(tags: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Write the file: article id -> tags."""
    write_json(folder / _FILE, {"tags": tags})


def load_editors_tags(folder: Path) -> dict[str, tuple[str, ...]]:
    """Read the file; a folder without it was made when nobody had said anything."""
    if not (folder / _FILE).is_file():
        return {}
    return {id: tuple(tags) for id, tags in read_json(folder / _FILE)["tags"].items()}


def editors_tags(tags: Sequence[str], ranked: TagRanks) -> TagRanks:
    """Tags as an editor wants them: in this order, with the weights that the models gave to their own.

    Args:
        tags: names. One that the models found, too, keeps its words; others are cut at blanks.
        ranked: what the models found.
    """
    words = {name.casefold(): parts for name, parts in zip(ranked.names, ranked.parts, strict=True)}
    weights = ranked.weights[: len(tags)] or (1 / max(1, len(tags)),)
    missing = len(tags) - len(weights)
    parts = (words.get(tag.casefold(), " ".join(tag.lower().split())) for tag in tags)
    return TagRanks(tuple(tags), (weights + missing * weights[-1:])[: len(tags)], tuple(parts))
