"""Decisions of editors on new words, on disk, and what they make of the entries that a night finds.

Reads the decisions of the store; ``word_decisions.json`` has them beside the catalogue of the events stage.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from recsys.store import WordDecision
from recsys.tokens.lexicon import LexiconEntry
from recsys.workspace import read_json, write_json

_FILE = "word_decisions.json"


def save_word_decisions(decisions: Sequence[WordDecision], folder: Path) -> None:
    """Write the file."""
    write_json(folder / _FILE, {"decisions": decisions})


def load_word_decisions(folder: Path) -> list[WordDecision]:
    """Read the file; a folder without it was made when nobody had said anything."""
    if not (folder / _FILE).is_file():
        return []
    rows = (WordDecision(*values) for values in read_json(folder / _FILE)["decisions"])
    return [row._replace(parts=tuple(row.parts)) for row in rows]


def decided_entries(entries: Iterable[LexiconEntry], decisions: Iterable[WordDecision]) -> list[LexiconEntry]:
    """The entries of a night as editors want them.

    Args:
        entries: that were found.
        decisions: what is refused is left out, what is accepted and was not found is added as it was known then.

    Returns:
        The highest NPMI first.
    """
    said = {(one.language, one.entry): one for one in decisions}
    kept = {(one.language, one.entry): one for one in entries}
    kept = {key: one for key, one in kept.items() if key not in said or said[key].accepted}
    for key, one in said.items():
        if one.accepted and key not in kept:
            facts = (one.parts, one.occurrences, one.npmi, one.branching_entropy)
            kept[key] = LexiconEntry(one.entry, one.language, *facts)
    return sorted(kept.values(), key=lambda entry: (-entry.npmi, entry.parts))
