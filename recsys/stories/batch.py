"""The whole catalogue at once: leaders of all articles, with only those texts in memory that may have a copy."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from recsys.stories.copies import Reading
from recsys.stories.leaders import Leaders
from recsys.stories.signatures import Signature, SignatureTable
from recsys.stories.text import Text

Articles = Iterable[tuple[str, Text, int | None]]


class Found(NamedTuple):
    """Leaders of a catalogue.

    Attributes:
        leader_of: article id -> id of the first copy of its text, in the order of joining.
        signatures: of the first copies that have text enough to be joined, by id.
    """

    leader_of: dict[str, str]
    signatures: dict[str, Signature]


def find_leaders(read: Callable[[str], Articles]) -> Found:
    """Let all articles join in the order of time, undated ones first, then by id.

    Args:
        read: reads id, text and time of publication (ms) of all articles anew; is told what for.
    """
    times: dict[str, int] = {}
    signatures: dict[str, Signature] = {}
    for article, text, published in read("batches signed"):
        times[article] = published or 0
        if (reading := Reading(text)).comparable:
            signatures[article] = reading.signature
    order = sorted(times, key=lambda article: (times[article], article))
    doubtful = _doubtful([article for article in order if article in signatures], signatures)
    texts = {article: text for article, text, _ in read("batches compared") if article in doubtful}
    leaders, leader_of = Leaders(), {article: article for article in order}
    for article in order:
        if article in texts:
            leader_of[article] = leaders.join(article, Reading(texts[article]), texts.get)
    first = {article: told for article, told in signatures.items() if leader_of[article] == article}
    return Found(leader_of, first)


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
