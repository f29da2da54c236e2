"""Memory of readers and sessions in one worker: its bounds, whose a session is, what it keeps over a release."""

from collections.abc import Sequence

from recsys.serving.reader_memory import ReaderMemory
from recsys.store import Kind, StoredEvent
from tests.newsroom import SITE
from tests.recommenders import READERS

NOW = 1_790_000_000_000


def event(seq: int, reader: str | None, session: str | None = None) -> StoredEvent:
    return StoredEvent(seq, f"e{seq}", SITE, Kind.CLICK, "a1", reader, session, NOW + seq, None, None, None, None, None)


def remembered(size: int, readers: Sequence[str]) -> ReaderMemory:
    memory = ReaderMemory(size, READERS)
    for reader in readers:
        memory.meet(reader, [], {})
    return memory


def test_exactly_so_many_readers_are_remembered_and_the_one_asked_for_last_stays() -> None:
    memory = remembered(2, ["r0", "r1"])
    assert ("r0" in memory, "r1" in memory) == (True, True)
    memory.reader("r0")
    memory.meet("r2", [], {})
    assert ("r0" in memory, "r1" in memory, "r2" in memory) == (True, False, True)


def test_exactly_so_many_sessions_are_remembered() -> None:
    memory = ReaderMemory(2, READERS)
    for seq, session in enumerate(["s0", "s1", "s2"]):
        memory.learn(event(seq + 1, None, session), 0)
    assert [memory.session(None, session) is not None for session in ("s0", "s1", "s2")] == [False, True, True]


def test_an_event_that_a_reader_s_history_holds_already_teaches_nothing() -> None:
    memory = ReaderMemory(2, READERS)
    memory.meet("r", [event(5, "r")], {"a1": 0})
    for seq in (4, 5):
        memory.learn(event(seq, "r"), 1)
    state = memory.reader("r")
    assert state is not None
    assert state.clicks == [0]
    memory.learn(event(6, "r"), 1)
    assert state.clicks == [0, 1]


def test_a_session_that_two_readers_named_is_nobody_s_not_even_the_first_one_s() -> None:
    memory = ReaderMemory(2, READERS)
    memory.learn(event(1, None, "s"), 0)
    assert memory.session("r0", "s") is not None
    assert memory.session("r1", "s") is None
    assert memory.session("r0", "s") is None


def test_what_was_dismissed_stays_dismissed_in_the_rows_of_another_release() -> None:
    memory = ReaderMemory(2, READERS)
    dismissed = event(1, "r")._replace(kind=Kind.DISMISS)
    memory.meet("r", [dismissed], {"a1": 0})
    memory.move(["a1", "a2"], {"a2": 0, "a1": 1}, READERS)
    state = memory.reader("r")
    assert state is not None
    assert (state.dismissed, state.seen, state.clicks) == ({1}, {1}, [])
