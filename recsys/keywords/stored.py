"""Keep how common words are, which ranking an article that comes later needs as well: two files of the artefact."""

from pathlib import Path

from recsys.keywords.ranking import Frequencies
from recsys.words import WordVectors
from recsys.workspace import load_npy, read_json, same_space, save_npy, write_json


def save_frequencies(frequencies: Frequencies, space: str, folder: Path) -> None:
    """Write how common words are."""
    save_npy(folder / "documents.npy", frequencies.by_word)
    write_json(folder / "keywords.json", {"articles": frequencies.articles, "space": space})


def load_frequencies(folder: Path, words: WordVectors) -> Frequencies:
    """Read how common words are.

    Raises:
        SpaceMismatch: they were counted for another word space.
    """
    facts = read_json(folder / "keywords.json")
    same_space(("keywords", facts["space"]), ("words", words.space))
    return Frequencies(load_npy(folder / "documents.npy"), facts["articles"])
