"""Lexicon of new words and collocations, and the joining of its entries in a text.

An entry is a sequence of words that is one word: a Chinese word that the dictionary lacks, an English collocation.
Reads and writes ``lexicon.parquet``, ``boilerplate.parquet`` and ``languages.json``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.errors import StaleArtefact
from recsys.languages import NO_SITE_LANGUAGES, SiteLanguages
from recsys.workspace import read_json, read_table, write_json, write_table

_SCHEMA = pa.schema(
    [
        ("entry", pa.string()),
        ("language", pa.string()),
        ("parts", pa.list_(pa.string())),
        ("count", pa.int64()),
        ("npmi", pa.float32()),
        ("branching_entropy", pa.float32()),
    ]
)
_MAX_PARTS = 4  # words of an entry: longer ones are slogans

Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class LexiconEntry(NamedTuple):
    """A sequence of words that is one word.

    Attributes:
        entry: as it stands in texts: "new_york", "人工智能".
        language: of the articles in which it is joined.
        parts: 2 to 4 words.
        occurrences: in the corpus.
        npmi: normalised pointwise mutual information of its parts, at most 1.
        branching_entropy: the smaller one of those to the left and to the right, in nats.
    """

    entry: str
    language: str
    parts: tuple[str, ...]
    occurrences: int
    npmi: float
    branching_entropy: float


class Lexicon(NamedTuple):
    """Entries, boilerplate lines and languages that were learned from the corpus.

    Attributes:
        entries: new words and collocations, the highest NPMI first.
        boilerplate: lines that stand in many articles.
        site_languages: what the site is written in.
    """

    entries: Sequence[LexiconEntry] = ()
    boilerplate: Sequence[str] = ()
    site_languages: SiteLanguages = NO_SITE_LANGUAGES

    def save(self, folder: Path) -> None:
        """Write the lexicon into a folder."""
        columns = dict(zip(_SCHEMA.names, zip(*self.entries, strict=True), strict=False)) if self.entries else {}
        table = pa.table({name: list(columns.get(name, [])) for name in _SCHEMA.names}, schema=_SCHEMA)
        write_table(folder / "lexicon.parquet", table)
        write_table(folder / "boilerplate.parquet", pa.table({"line": pa.array(self.boilerplate, pa.string())}))
        write_json(folder / "languages.json", self.site_languages.facts())


NO_LEXICON = Lexicon()


def load_lexicon(folder: Path) -> Lexicon:
    """Read a lexicon.

    Raises:
        StaleArtefact: the tokens were made by a version that told no languages apart.
        CorruptArtefact: a file is not Parquet.
    """
    if not (folder / "languages.json").is_file():
        raise StaleArtefact(f"languages.json in {folder}", "tokens of an older version", "Run: python -m jobs all")
    rows = read_table(folder / "lexicon.parquet").to_pylist()
    entries = [
        LexiconEntry(row["entry"], row["language"], tuple(row["parts"]), *list(row.values())[3:]) for row in rows
    ]
    lines = read_table(folder / "boilerplate.parquet")["line"].to_pylist()
    return Lexicon(entries, lines, SiteLanguages(**read_json(folder / "languages.json")))


def joined_name(parts: Sequence[str]) -> str:
    """The written form of an entry: Chinese parts side by side, others with a "_" between them."""
    return ("" if any(part[0] >= "\u2e80" for part in parts) else "_").join(parts)


class Joiner:
    """Search for the entries of one language in coded words.

    Args:
        entries: the parts of each entry, the most important one first.
    """

    def __init__(self, entries: Sequence[Sequence[str]]) -> None:
        self._code = {name: code for code, name in enumerate(sorted({part for entry in entries for part in entry}))}
        self._tables: list[tuple[int, Codes, Codes]] = []  # number of parts, sorted keys, entry of each key
        for length in sorted({len(entry) for entry in entries}, reverse=True):
            places = [place for place, entry in enumerate(entries) if len(entry) == length]
            keys = _keys(np.array([[self._code[part] for part in entries[place]] for place in places], np.int64))
            order = np.argsort(keys, kind="stable")
            self._tables.append((length, keys[order], np.array(places, np.int64)[order]))

    def parts(self, names: Sequence[str]) -> Codes:
        """The code of each word that is part of an entry, -1 for the others."""
        return np.array([self._code.get(name, -1) for name in names], np.int64)

    def find(self, parts: Codes, starts: Mask) -> list[tuple[int, int, int]]:
        """Find entries that do not overlap: the longest first, then the most important, then the leftmost.

        Args:
            parts: int64 (T,), the code of each word of a text, or -1.
            starts: bool (T,), words that no entry may reach from the left.

        Returns:
            First word, number of words, and place of the entry, of each match.
        """
        taken = bytearray(len(parts))
        kept = []
        for length, keys, entries in self._tables:
            for place, entry in _matches(parts, starts, length, keys, entries):
                if taken.find(1, place, place + length) < 0:
                    taken[place : place + length] = b"\1" * length
                    kept.append((place, length, entry))
        return kept


def _keys(parts: Codes) -> Codes:
    """One number for each row of part codes, (N, L); rows of one length differ in it but for one chance in 2^64."""
    keys = np.zeros(len(parts), np.uint64)  # multiply and xor-shift, once per part
    for column in parts.T:
        keys = (keys ^ (column.astype(np.uint64) + np.uint64(1))) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys.view(np.int64)


def _matches(parts: Codes, starts: Mask, length: int, keys: Codes, entries: Codes) -> list[tuple[int, int]]:
    """Places where an entry of one length stands, the most important entry first."""
    if len(parts) < length:
        return []
    end = len(parts) - length + 1
    able = parts[:end] >= 0
    for step in range(1, length):
        able = able & (parts[step : end + step] >= 0) & ~starts[step : end + step]
    places = np.flatnonzero(able)
    wanted = _keys(parts[places[:, None] + np.arange(length)])
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[at] == wanted
    places, entry = places[hit], entries[at[hit]]
    order = np.lexsort((places, entry))
    return list(zip(places[order].tolist(), entry[order].tolist(), strict=True))
