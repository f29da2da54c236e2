"""Memory of one reader at its bounds, and of all readers and sessions in one worker."""

import gc
import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from recsys.events import UNDATED
from recsys.events.people import REPEAT_MS
from recsys.readers import CLICK, DISMISS, IMPRESSION, ReaderState, state
from recsys.readers.config import MAX_IMPRESSIONS, ReadersConfig
from recsys.readers.packed import pack, unpack
from recsys.readers.state import CLICK_POSITION, ReaderEvent
from recsys.serving import reader_memory
from recsys.serving.reader_memory import ReaderMemory
from recsys.store import Kind, StoredEvent
from recsys.units import HOUR_MS, MINUTE_MS
from tests.newsroom import SITE
from tests.recommenders import READERS
from tests.stores import past

NOW = 1_790_000_000_000
GAP = 30 * MINUTE_MS


def test_only_the_last_clicks_are_kept_and_impressions_say_nothing() -> None:
    reader = ReaderState.empty(ReadersConfig(max_history=3))
    reader.observe(IMPRESSION, 9, 5)
    for row in range(5):
        reader.observe(CLICK, row, UNDATED if row == 0 else row)
    reader.observe(DISMISS, 7, 10)
    assert reader.clicks.tolist() == [2, 3, 4]
    assert reader.times.tolist() == [2, 3, 4]
    assert reader.dismissed.tolist() == [7]
    assert reader.seen.tolist() == [0, 1, 2, 3, 4, 7]


def observed(*events: tuple[int, int, int], **limits: int) -> ReaderState:
    """A reader of these events: kind, article row, time."""
    reader = ReaderState.empty(ReadersConfig(**limits))
    for kind, row, time_ms in events:
        reader.observe(kind, row, time_ms)
    return reader


def rows_of(reader: ReaderState) -> tuple[list[int], list[int], list[int]]:
    """The rows dismissed, seen, clicked."""
    return reader.dismissed.tolist(), reader.seen.tolist(), reader.clicks.tolist()


def test_as_many_clicks_as_the_history_holds_are_kept_and_one_more_drops_the_oldest() -> None:
    clicks = [(CLICK, row, 10 * row) for row in range(4)]
    assert observed(*clicks[:3], max_history=3).clicks.tolist() == [0, 1, 2]
    reader = observed(*clicks, max_history=3)
    assert (reader.clicks.tolist(), reader.times.tolist()) == ([1, 2, 3], [10, 20, 30])
    assert reader.seen.tolist() == [0, 1, 2, 3]  # what was clicked longer ago is not shown again either


def test_as_many_impressions_as_the_window_holds_are_kept_and_one_more_drops_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "MAX_IMPRESSIONS", 3)
    shown = [(IMPRESSION, 1, 10), (CLICK, 1, 11), (IMPRESSION, 2, 12), (IMPRESSION, 3, 13)]
    assert len(observed(*shown[:3]).impressions) == 3
    window = observed(*shown).impressions
    assert (window.rows.tolist(), window.times.tolist()) == ([1, 2, 3], [11, 12, 13])
    assert window.positions.tolist() == [CLICK_POSITION, -1, -1]


def test_impressions_before_a_moment_are_those_of_an_earlier_millisecond_in_the_order_of_arrival() -> None:
    window = observed(
        (IMPRESSION, 1, 10), (IMPRESSION, 2, 12), (IMPRESSION, 3, 11), (IMPRESSION, 4, UNDATED)
    ).impressions
    assert window.before(12)[0].tolist() == [1, 3]
    assert window.before(13)[0].tolist() == [1, 2, 3]
    assert window.before(10)[0].tolist() == []


@pytest.mark.parametrize(("n", "seen"), [(6, [0, 1, 2, 3, 4, 5]), (7, [3, 4, 5, 6]), (9, [3, 4, 5, 6, 7, 8])])
def test_beyond_as_many_articles_as_are_kept_the_first_half_is_forgotten(
    n: int, seen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MAX_SEEN", 6)
    reader = observed(*[(DISMISS if row % 2 else CLICK, row, row) for row in range(n)])
    assert sorted(reader.seen) == seen
    assert sorted(reader.dismissed) == [row for row in seen if row % 2]


def test_a_memory_of_one_article_holds_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_SEEN", 1)
    reader = observed(*[(DISMISS, row, row) for row in range(5)])
    assert (reader.seen.tolist(), reader.dismissed.tolist()) == ([4], [4])


def test_an_article_seen_again_takes_no_second_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_SEEN", 3)
    reader = observed(*[(CLICK, row, row) for row in (0, 1, 0, 1, 0, 2)])
    assert reader.seen.tolist() == [0, 1, 2]


def test_a_dismissed_article_that_was_clicked_before_and_is_clicked_after_stays_dismissed() -> None:
    reader = observed((CLICK, 7, 1), (DISMISS, 7, 2), (CLICK, 7, 3))
    assert rows_of(reader) == ([7], [7], [7, 7])


@pytest.mark.parametrize(("later", "repeats"), [(REPEAT_MS - 1, True), (REPEAT_MS, False), (1 - REPEAT_MS, True)])
def test_a_click_repeats_one_on_the_same_article_that_is_less_than_a_day_away(later: int, repeats: bool) -> None:
    reader = observed((CLICK, 7, 10 * REPEAT_MS), (CLICK, 8, 10 * REPEAT_MS))
    time_ms = 10 * REPEAT_MS + later
    assert reader.repeats(CLICK, 7, time_ms) == repeats
    assert not reader.repeats(IMPRESSION, 7, time_ms)
    assert not reader.repeats(CLICK, 9, time_ms)


@pytest.mark.parametrize(
    ("times", "now", "start"),
    [
        ([0], GAP, 0),
        ([0], GAP + 1, 1),
        ([0, GAP, 2 * GAP], 3 * GAP, 0),  # one visit as long as no pause is longer than the gap
        ([0, GAP + 1, 2 * GAP], 2 * GAP, 1),
        ([UNDATED, 5], 5, 1),
        ([5, UNDATED], 5, 2),
        ([], 5, 0),
    ],
)
def test_a_visit_goes_back_to_the_first_pause_that_is_longer_than_the_gap(
    times: list[int], now: int, start: int
) -> None:
    reader = observed(*[(CLICK, row, time_ms) for row, time_ms in enumerate(times)])
    assert reader.visit(now, GAP) == start


def test_memory_is_bounded_for_a_reader_of_a_hundred_thousand_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_SEEN", 1_000)
    reader = ReaderState.empty(ReadersConfig())
    for row in range(100_000):
        reader.observe(DISMISS if row % 3 == 0 else CLICK, row, row)
    assert len(reader.seen) <= 1_000
    assert np.isin(reader.dismissed, reader.seen).all()
    assert 99_999 in reader.seen


def event(seq: int, reader: str | None, session: str | None = None) -> StoredEvent:
    return StoredEvent(seq, f"e{seq}", SITE, Kind.CLICK, "a1", reader, session, NOW + seq, None, None, None, None, None)


ROWS = {"a1": 0, "a2": 1}


def meet(memory: ReaderMemory, reader: str, events: Sequence[StoredEvent] = ()) -> None:
    with memory.meeting(reader) as arrive:
        arrive(past(*events))


def remembered(size: int, readers: Sequence[str]) -> ReaderMemory:
    memory = ReaderMemory(size, READERS, ROWS)
    for reader in readers:
        meet(memory, reader)
    return memory


def test_exactly_so_many_readers_are_remembered_and_the_one_asked_for_last_stays() -> None:
    memory = remembered(2, ["r0", "r1"])
    assert ("r0" in memory, "r1" in memory) == (True, True)
    memory.reader("r0")
    meet(memory, "r2")
    assert ("r0" in memory, "r1" in memory, "r2" in memory) == (True, False, True)


def test_exactly_so_many_sessions_are_remembered() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    for seq, session in enumerate(["s0", "s1", "s2"]):
        memory.learn(event(seq + 1, None, session), 0)
    assert [memory.session(None, session) is not None for session in ("s0", "s1", "s2")] == [False, True, True]


def test_an_event_that_a_reader_s_history_holds_already_teaches_nothing() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    meet(memory, "r", [event(5, "r")])
    for seq in (4, 5):
        memory.learn(event(seq, "r"), 1)
    reader = memory.reader("r")
    assert reader is not None
    assert reader.clicks.tolist() == [0]
    memory.learn(event(6, "r"), 1)
    assert reader.clicks.tolist() == [0], "an answer that is being made keeps what it has"
    assert memory.reader("r").clicks.tolist() == [0, 1]  # type: ignore[union-attr]


def test_a_session_that_two_readers_named_is_nobody_s_not_even_the_first_one_s() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    memory.learn(event(1, None, "s"), 0)
    assert memory.session("r0", "s") is not None
    assert memory.session("r1", "s") is None
    assert memory.session("r0", "s") is None


def test_what_was_dismissed_stays_dismissed_in_the_rows_of_another_release() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    dismissed = event(1, "r")._replace(kind=Kind.DISMISS)
    meet(memory, "r", [dismissed])
    reader = memory.moved(["a1", "a2"], {"a2": 0, "a1": 1}, READERS).reader("r")
    assert reader is not None
    assert rows_of(reader) == ([1], [1], [])


def test_what_comes_while_a_reader_is_loaded_is_learned_once() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    with memory.meeting("r") as arrive:
        memory.learn(event(1, "r"), 0)  # committed before the history was read
        memory.learn(event(3, "r")._replace(article="a2"), 1)  # and after it
        arrive(past(event(1, "r")))
    memory.learn(event(3, "r")._replace(article="a2"), 1)
    reader = memory.reader("r")
    assert reader is not None
    assert reader.clicks.tolist() == [0, 1]


def test_two_who_load_one_reader_leave_one_history() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    with memory.meeting("r") as first, memory.meeting("r") as second:
        first(past(event(1, "r")))
        memory.learn(event(2, "r")._replace(article="a2"), 1)
        second(past(event(1, "r")))
    reader = memory.reader("r")
    assert reader is not None
    assert reader.clicks.tolist() == [0, 1]


def test_a_reader_forgotten_while_they_are_loaded_stays_forgotten() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    with memory.meeting("r") as arrive:
        memory.forget(lambda reader: reader == "r")
        arrive(past(event(1, "r")))
    assert "r" not in memory


def test_an_answer_that_holds_the_old_rows_is_not_moved_with_the_readers() -> None:
    memory = ReaderMemory(2, READERS, ROWS)
    meet(memory, "r", [event(1, "r")])
    moved = memory.moved(["a1", "a2"], {"a2": 0, "a1": 1}, READERS)
    states = [one.reader("r") for one in (memory, moved)]
    assert [reader.clicks.tolist() for reader in states if reader is not None] == [[0], [1]]


def history(seed: int, n: int, articles: int = 40, hours: int = 60) -> list[ReaderEvent]:
    """``n`` events of one reader, in an order in which they might arrive; one in ten is undated."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice([IMPRESSION, IMPRESSION, CLICK, CLICK, DISMISS], n).tolist()
    times = np.sort(NOW + rng.integers(0, hours * HOUR_MS, n))
    times[rng.random(n) < 0.1] = UNDATED
    rows, contexts = rng.integers(0, articles, n).tolist(), rng.choice(["{}", '{"os":"é"}'], n).tolist()
    places = rng.integers(-1, 20, n).tolist()
    return [ReaderEvent(*one) for one in zip(kinds, rows, times.tolist(), contexts, places, strict=True)]


@pytest.mark.parametrize("seed", range(8))
def test_a_reader_made_of_many_events_at_once_is_the_one_who_did_them_one_by_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MAX_SEEN", 12 + seed)
    monkeypatch.setattr(state, "MAX_IMPRESSIONS", 17)
    config = ReadersConfig(max_history=9)
    reader, events = ReaderState.empty(config), history(seed, 30 * seed)
    for event in events:
        if not reader.repeats(event.kind, event.row, event.time):
            reader.observe(*event)
    assert pack(ReaderState.of(config, events)) == pack(reader)


@pytest.mark.parametrize("n", [0, 1, 3, 400])
def test_an_unpacked_reader_is_the_one_that_was_packed_and_its_arrays_are_as_kernels_want_them(n: int) -> None:
    reader = ReaderState.of(READERS, history(n, n))
    again = unpack(pack(reader), READERS)
    assert pack(again) == pack(reader)
    assert (again.history, again.impressions.size) == (READERS.max_history, MAX_IMPRESSIONS)
    window = again.impressions
    for array in (again.clicks, again.times, again.seen, again.dismissed, window.rows, window.times, window.positions):
        assert array.flags.aligned
        assert array.flags.writeable
        assert array.flags.c_contiguous


def held_bytes(fill: Callable[[], ReaderMemory], n: int) -> float:
    """Bytes that a memory holds for each of ``n``."""
    fill()  # what is made once is there
    gc.collect()
    tracemalloc.start()
    memory = fill()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / n
    tracemalloc.stop()
    assert memory
    return held


def test_a_reader_of_fifty_clicks_and_a_hundred_impressions_takes_1500_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_memory, "UNPACKED", 1)
    rng, n, articles = np.random.default_rng(0), 200, {f"a{row}": row for row in range(100_000)}
    ids, when, events, shown = list(articles), NOW, list[StoredEvent](), list[str]()
    for number in range(150):  # ten lists of ten, each seen within seconds, and five clicks on each
        place = number % 15
        shown = [ids[row] for row in rng.integers(0, len(ids), 10)] if place == 0 else shown
        when += int(rng.integers(1, 72 * HOUR_MS if place == 0 else 2_000 if place < 10 else 5 * MINUTE_MS))
        what = event(number + 1, None)._replace(article=shown[place % 10], time=when)
        events.append(what._replace(kind=Kind.IMPRESSION, position=place) if place < 10 else what)

    def fill() -> ReaderMemory:
        memory = ReaderMemory(n, READERS, articles)
        for number in range(n):
            meet(memory, f"reader-{number}", events)
        return memory

    fill()  # what is made once is nobody's
    assert held_bytes(fill, n) <= 1500


@pytest.mark.parametrize("known", [False, True])
def test_a_session_of_three_clicks_takes_400_bytes(known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_memory, "UNPACKED", 1)
    n, readers = 2000, [f"reader-{number}" for number in range(2000)]

    def fill() -> ReaderMemory:
        memory, seq = ReaderMemory(n, READERS, ROWS), 0
        for number in range(n):
            for click in range(3):
                seq += 1
                done = event(seq, readers[number] if known else None, f"session-{number}")
                memory.learn(done._replace(time=NOW + seq * 40_001), 31_000 * click + number)
        return memory

    assert held_bytes(fill, n) <= 400


def test_a_second_reader_in_a_session_sees_their_own_reading_and_the_first_keeps_theirs() -> None:
    memory = ReaderMemory(4, READERS, ROWS)
    for seq, (reader, row) in enumerate([("r0", 0), ("r1", 1), (None, 2), ("r0", 3)]):
        memory.learn(event(seq + 1, reader, "s"), row)
    read = [memory.session(reader, "s") for reader in ("r0", "r1", None)]
    assert [one.clicks.tolist() for one in read if one is not None] == [[0, 3], [1], [2]]
    memory.forget(lambda reader: reader == "r0")
    assert memory.session("r0", "s") is None
    assert memory.session("r1", "s") is not None


def test_who_only_asked_with_a_session_s_name_has_claimed_it() -> None:
    memory = ReaderMemory(4, READERS, ROWS)
    assert memory.session("r0", "s") is None
    memory.learn(event(1, None, "s"), 0)
    assert memory.session("r1", "s") is None
    assert memory.session(None, "s") is not None
