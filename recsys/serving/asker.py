"""Asker: what an answer may know of the reader and the session that it is for.

Reads the memory of readers; produces their states, or none of a reader who switched personalisation off.
"""

from collections.abc import Sequence
from typing import NamedTuple

from recsys.readers import ReaderState
from recsys.recommend.context import RequestContext
from recsys.serving.reader_memory import ReaderMemory


class Asker(NamedTuple):
    """Whoever asks for a list: what is known of the reader and the session, and what they chose.

    Attributes:
        states: of the reader and of the session; None where nothing is known, or may be used.
        request: the request.
        personal: False where personalisation is off: then it is a stranger's.
        is_nobody: True where neither a reader nor a session was named.
    """

    states: tuple[ReaderState | None, ReaderState | None]
    request: RequestContext
    personal: bool
    is_nobody: bool = False

    def passing(self, memory: ReaderMemory, recent: Sequence[str], now: int) -> "Asker":
        """The same with what the browser of somebody says of whom nothing is kept; see ``ReaderMemory.passing``."""
        return self._replace(states=(memory.passing(recent, now), None)) if self.is_nobody else self


def asker_of(memory: ReaderMemory, reader: str | None, session: str | None, slot: str | None) -> Asker:
    """Whoever asks, as far as a worker remembers them and they let it be used."""
    choices = memory.choices(reader)
    if choices is not None and not choices.personal:
        return Asker((None, None), RequestContext(None, slot), False)
    tags = choices.tags if choices is not None else {}
    nobody = reader is None and session is None
    return Asker(memory.states(reader, session), RequestContext(reader, slot, tags), True, nobody)
