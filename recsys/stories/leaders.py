"""Leaders: the first copy of each text, by one rule for the night and for the service, and on disk.

An article joins the first text that it is a copy of; only first texts can be joined, so that no chain of small
differences leads from one text to another. ``copies.parquet`` has one row for each article in the order of joining.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.stories.copies import ComparedText, is_copy
from recsys.stories.signatures import HASHES, Signature, SignatureTable
from recsys.stories.text import Text
from recsys.workspace import read_table, write_table

_COMPARED = 8  # texts, the likeliest ones: a template may have thousands that look alike
_FILE = "copies.parquet"
_COPIES_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("leader", pa.string()),  # the first copy of the same text
        ("signature", pa.binary(2 * HASHES)),  # of a leader, little-endian; null for a copy, and for hardly any text
    ]
)

Articles = Iterable[tuple[str, Text, int | None]]


class Leaders:
    """First copies of texts, found again by their signatures.

    Args:
        capacity: first texts that are expected.

    Attributes:
        ids: of the first texts, by row of the table.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self.ids: list[str] = []
        self._first = 0  # of those that came after the release
        self._table = SignatureTable(capacity)

    @classmethod
    def of(cls, ids: list[str], signatures: bytes) -> "Leaders":
        """First copies by their signatures, little-endian, one after the other."""
        leaders = cls(0)
        leaders.ids, leaders._first = ids, len(ids)
        leaders._table = SignatureTable.of(np.frombuffer(signatures, "<u2").reshape(len(ids), HASHES))
        return leaders

    def add(self, article_id: str, signature: Signature) -> None:
        """Take over the first copy of a text."""
        self._table.add(signature)
        self.ids.append(article_id)

    def later(self) -> tuple[list[str], npt.NDArray[np.uint16]]:
        """Those that are not the release's, and their signatures: uint16 (n, HASHES)."""
        return self.ids[self._first :], self._table.values(self._first)

    def join(self, article_id: str, compared: ComparedText, text_of: Callable[[str], Text | None]) -> str:
        """Leader of an article; one that has none becomes a leader itself.

        Args:
            article_id: of the article.
            compared: its text.
            text_of: gives the text of a leader by its id; None when it is gone.

        Returns:
            The leader's id, ``article_id`` for the first copy of a text.
        """
        if not compared.comparable:
            return article_id
        for row in self._table.like(compared.signature, _COMPARED):
            leader = self.ids[row]
            if leader == article_id:
                return leader
            text = text_of(leader)
            if text is not None and is_copy(compared, ComparedText(text)):
                return leader
        self.add(article_id, compared.signature)
        return article_id


class StoryLeaders(NamedTuple):
    """Leaders of a whole catalogue.

    Attributes:
        leader_of: article id -> id of the first copy of its text, in the order of joining.
        signatures: of the first copies that have text enough to be joined, by id.
    """

    leader_of: dict[str, str]
    signatures: dict[str, Signature]


def find_leaders(read: Callable[[str], Articles]) -> StoryLeaders:
    """Leaders of all articles, joining in the order of time, undated ones first, then by id.

    Only those texts are in memory that may have a copy.

    Args:
        read: reads id, text and time of publication (ms) of all articles anew; its argument names the pass, for a log.
    """
    times: dict[str, int] = {}
    signatures: dict[str, Signature] = {}
    for article, text, published in read("batches signed"):
        times[article] = published or 0
        if (compared := ComparedText(text)).comparable:
            signatures[article] = compared.signature
    order = sorted(times, key=lambda article: (times[article], article))
    doubtful = _doubtful([article for article in order if article in signatures], signatures)
    texts = {article: text for article, text, _ in read("batches compared") if article in doubtful}
    leaders, leader_of = Leaders(), {article: article for article in order}
    for article in order:
        if article in texts:
            leader_of[article] = leaders.join(article, ComparedText(texts[article]), texts.get)
    first = {article: values for article, values in signatures.items() if leader_of[article] == article}
    return StoryLeaders(leader_of, first)


def _doubtful(order: list[str], signatures: dict[str, Signature]) -> set[str]:
    """The articles that may be a copy of another one, or have one."""
    table, doubtful = SignatureTable(len(order) or 1), set[str]()
    for article in order:
        earlier = table.like(signatures[article], table.size)
        doubtful.update(order[row] for row in earlier)
        if earlier:
            doubtful.add(article)
        table.add(signatures[article])
    return doubtful


def save_copies(rows: Iterable[tuple[str, str]], signatures: Mapping[str, Signature], folder: Path) -> None:
    """Write ``copies.parquet``.

    Args:
        rows: id and leader's id of each article, in the order of joining.
        signatures: of the leaders that can be joined, by id.
        folder: where.
    """
    ids, leaders = zip(*rows, strict=True) if (rows := list(rows)) else ((), ())
    first = [signatures[article].astype("<u2").tobytes() if article in signatures else None for article in ids]
    write_table(folder / _FILE, pa.table([pa.array(column) for column in (ids, leaders, first)], schema=_COPIES_SCHEMA))


def load_leaders(folder: Path) -> Leaders:
    """Read the first copies of ``copies.parquet``, to be joined by articles that come later.

    Args:
        folder: of the stories artefact.
    """
    table = read_table(folder / _FILE, ["id", "signature"])
    table = table.filter(table["signature"].is_valid())
    return Leaders.of(table["id"].to_pylist(), b"".join(table["signature"].to_pylist()))


def load_copies(folder: Path) -> dict[str, str]:
    """Read which articles are copies: id of a copy -> id of the first copy.

    Args:
        folder: of the stories artefact.
    """
    table = read_table(folder / _FILE, ["id", "leader"])
    pairs = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return {article: leader for article, leader in pairs if article != leader}
