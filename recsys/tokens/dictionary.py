"""The user's dictionary: words that a site knows and no algorithm would find.

Reads lines "word [freq] [tag]", as jieba's user dictionaries have them; produces entries. A word of several parts,
"machine learning" or "machine_learning", is a collocation: its parts become one token wherever they stand side by side.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_LINE = re.compile(r"(?P<word>.+?)(?:\s+(?P<freq>\d+))?(?:\s+(?P<tag>[a-z]{1,4}))?")
_NO_SPACE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
_MAX_ENTRY_CHARS = 80  # longer lines are no words but sentences, most likely a file of another kind


class UserEntry(NamedTuple):
    """One line of the dictionary.

    Attributes:
        parts: lower-cased words; one for a plain word.
        freq: how common it is; None: as common as it takes to be found.
        tag: its part of speech; None: unknown.
    """

    parts: tuple[str, ...]
    freq: int | None
    tag: str | None


def user_entries(lines: Sequence[str]) -> list[UserEntry]:
    """Read dictionary lines.

    A number ends the word; without one, a tag is only read behind a Chinese word, since "oil price v" is three words.

    Raises:
        ValueError: a line is no entry; the message names it.
    """
    return [_entry(line, place) for place, line in enumerate(lines, start=1) if line.strip()]


def _entry(line: str, place: int) -> UserEntry:
    match = _LINE.fullmatch(line.strip())
    if not match or len(line) > _MAX_ENTRY_CHARS or "\ufffd" in line or not line.strip().isprintable():
        raise ValueError(f'"word [freq] [tag]" in line {place} of the user dictionary, not {line[:40]!r}')
    word, freq, tag = match["word"], match["freq"], match["tag"]
    if tag and not freq and not _NO_SPACE.search(word):
        word, tag = f"{word} {tag}", None
    parts = tuple(word.lower().replace("_", " ").split())
    if not all(part[0].isalnum() for part in parts) or not parts:
        raise ValueError(f"a word in line {place} of the user dictionary, not {line[:40]!r}")
    return UserEntry(parts, int(freq) if freq else None, tag)


def read_dictionary(file: Path) -> list[str]:
    """Read a dictionary file and check every line of it.

    Returns:
        Its lines, without empty ones and comments.

    Raises:
        ValueError: it cannot be read, or a line is no entry; the message names the line.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"a readable UTF-8 file as the user dictionary {file}: {error}") from None
    lines = ["" if line.startswith("#") else line.strip() for line in lines]
    user_entries(lines)
    return [line for line in lines if line]
