"""Keep how common words are, which ranking an article that comes later needs as well: two files of the artefact."""

from pathlib import Path

import numpy as np

from recsys.keywords.ranking import Frequencies
from recsys.words import WordVectors
from recsys.workspace import load_npy, read_json, same_space, save_npy, write_json


def save_frequencies(frequencies: Frequencies, space: str, folder: Path) -> None:
    """Write how common words are: int32 (languages, V), and the rest as JSON."""
    languages = sorted(frequencies.by_word)
    rows = [frequencies.by_word[language] for language in languages]
    save_npy(folder / "documents.npy", np.stack(rows) if rows else np.zeros((0, 0), np.int32))
    stop_words = {language: sorted(words) for language, words in frequencies.stop_words.items()}
    facts = {"articles": dict(frequencies.articles), "languages": languages, "stop_words": stop_words, "space": space}
    write_json(folder / "keywords.json", facts)


def load_frequencies(folder: Path, words: WordVectors) -> Frequencies:
    """Read how common words are.

    Raises:
        SpaceMismatch: they were counted for another word space.
    """
    facts = read_json(folder / "keywords.json")
    same_space(("keywords", facts["space"]), ("words", words.space))
    by_word = dict(zip(facts["languages"], load_npy(folder / "documents.npy"), strict=True))
    stop_words = {language: frozenset(found) for language, found in facts["stop_words"].items()}
    return Frequencies(by_word, facts["articles"], stop_words)
