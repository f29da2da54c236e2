"""Who is vouched for: rings of invented readers, strangers, crowds, and readers who come from elsewhere."""

from typing import Any

import numpy as np
import pytest

from recsys.dataset.log_counts import count_log
from recsys.events import REPEAT_CLICK, Events, of_people
from recsys.events.people import CLICK, IMPRESSION, UNPROVEN, unproven, visitor_keys
from recsys.events.visitors import Visitors
from recsys.events.vouching import HELD_CLICKS, MAX_WAITING, HeldClick, Vouching, counted_clicks
from recsys.store import DatedClick, Evidence
from recsys.trends.config import TrendsConfig
from recsys.trends.stream import MAX_TAUGHT, Trends
from tests.clicks import HOUR, MINUTE, START, click, log_of, shown

UNSIGNED, SIGNED, CROWDED = (proof.value for proof in Evidence)
HOUR_START = START // HOUR * HOUR


def ring(size: int, article: str = "c", at: int = HOUR_START) -> list[tuple[Any, ...]]:
    """Invented readers, others at another time, who click one article within a minute, without a list."""
    name = "x" if at == HOUR_START else f"x{at}-"
    return [click(f"{name}{n:03}", article, at + n * MINUTE // size, proof=UNSIGNED) for n in range(size)]


def people(size: int = 20) -> list[tuple[Any, ...]]:
    """Readers who see a list with a token and click in it."""
    made: list[tuple[Any, ...]] = []
    for n in range(size):
        time, article = HOUR_START + n * 1_000, "ab"[n % 2]
        made.append(shown(f"r{n:03}", article, time, f"i{n}", 0, SIGNED))
        made.append(click(f"r{n:03}", article, time + 500, impression=f"i{n}", position=0, proof=SIGNED))
    return made


def trained(events: Events) -> Trends:
    """Counts of a log, as training makes them."""
    A = len(events.article_ids)
    return count_log(of_people(events), TrendsConfig(), np.full(A, -1, np.int16), np.full(A, -1, np.int64))


def readers_of(events: Events) -> list[str]:
    """Readers of the clicks that count."""
    return sorted(events.reader_ids[row] for row in events.reader[events.kind == CLICK])


def counted(events: Events) -> Trends:
    """Counts of a log, as the service makes them."""
    live, visitors = Trends(len(events.article_ids), TrendsConfig()), Visitors(1_000)
    proof = events.proof if len(events.proof) else np.full(len(events), -1, np.int8)
    context = events.context if len(events.context) else np.full(len(events), -1)
    keys, columns = (
        visitor_keys(events).tolist(),
        (events.kind, events.article, events.time, context, proof, events.impression),
    )
    contexts = [*events.contexts, None]
    for key, kind, row, time, spoken, said, listed in zip(keys, *(column.tolist() for column in columns), strict=True):
        visitor, text, token = f"k{key}" if key >= 0 else None, contexts[spoken], f"{listed}"
        seen = visitors.see(kind, row, time, visitor, text, None if said < 0 else said, -1, token)
        events_now = [(seen, row, time, text)]
        for held in seen.confirmed:
            again = visitors.see(CLICK, held.row, held.time, visitor, held.context, said, -1, token)
            events_now.append((again, held.row, held.time, held.context))
        for one, one_row, one_time, one_text in events_now:
            for undone in one.undone:
                live.uncount(undone.row, undone.time)
            if one.kind is not None:
                live.observe(one.kind, one_row, one_time, visitor=visitor, context=one_text)
    return live


def test_of_a_ring_nothing_counts_and_of_readers_with_a_list_everything() -> None:
    events = log_of([*people(), *ring(200)])
    kept = of_people(events)
    assert readers_of(kept) == [f"r{n:03}" for n in range(20)]
    assert unproven(events) == 200


@pytest.mark.parametrize("named", [True, False], ids=["readers", "nobody"])
def test_a_ring_that_asks_for_lists_and_looks_at_none_counts_for_nothing_and_readers_who_look_do(named: bool) -> None:
    """Each has a list and clicks the article beside it, within a minute: breaking news, but for the cards."""
    made = [
        click(f"x{n}" if named else None, "c", HOUR_START + n * 300, impression=f"x{n}", proof=SIGNED)
        for n in range(200)
    ]
    landed = [
        click(f"r{n}" if named else None, "b", HOUR_START + n * 300, impression=f"r{n}", proof=SIGNED)
        for n in range(200)
    ]
    looked = [
        shown(f"r{n}" if named else None, "a", HOUR_START + n * 300 + 5_000, f"r{n}", 0, SIGNED) for n in range(198)
    ]
    events = log_of([*made, *landed, *looked])
    rows = np.arange(3, dtype=np.int32)
    for trends in (trained(events), counted(events)):
        a, b, c = trends.total_clicks(rows).tolist()
        assert (a, c) == (0, 0), "a ring is left out whole"
        assert b == 198, "a person in a hundred leaves before a card is in their view"


@pytest.mark.parametrize("hours", [1, 5])
def test_the_service_counts_of_a_ring_what_training_counts(hours: int) -> None:
    events = log_of([*people(), *(one for hour in range(hours) for one in ring(40, at=HOUR_START + hour * HOUR))])
    rows = np.arange(3, dtype=np.int32)
    for trends in (trained(events), counted(events)):
        assert trends.total_clicks(rows).tolist() == [10, 10, 0]
        assert trends.total_impressions(rows).tolist() == [10, 10, 0]


def test_a_reader_who_comes_from_elsewhere_is_vouched_for_by_the_first_list_they_look_at() -> None:
    """A hundred land on an article before any list is in their view: breaking news."""
    landed = [click(f"r{n:03}", "c", HOUR_START + n, proof=UNSIGNED) for n in range(100)]
    looked = [shown(f"r{n:03}", "a", HOUR_START + 5_000 + n, f"i{n}", 0, SIGNED) for n in range(99)]
    events = log_of([*landed, *looked, click("z", "b", HOUR_START + 9_000)])
    live = counted(events)
    assert live.total_clicks(np.array([2], np.int32)).tolist() == [99], "the last one waits"
    assert unproven(events) == 1, "and is left out of the night's training"
    later = counted(log_of([*landed, click("z", "b", HOUR_START), shown("z", "a", HOUR_START, "i")]))
    assert later.total_clicks(np.array([2], np.int32)).tolist() == [0]


def test_a_reader_who_was_vouched_for_needs_no_list_for_each_page() -> None:
    events = log_of([shown("r", "a", HOUR_START, "i", 0, SIGNED), click("r", "b", HOUR_START + 1, proof=UNSIGNED)])
    other = log_of([*ring(1, "b"), click("r", "b", HOUR_START + 1, proof=UNSIGNED)])
    assert readers_of(of_people(events)) == ["r"]
    assert readers_of(of_people(other)) == []


def test_impressions_without_a_list_bury_nothing() -> None:
    forged = [shown(f"x{n}", "a", HOUR_START + n, f"f{n}", 0, UNSIGNED) for n in range(300)]
    events = log_of([*people(), *forged, click("z", "c", HOUR_START)])
    rows = np.array([0], np.int32)
    assert trained(events).total_impressions(rows).tolist() == [10]
    assert counted(events).total_impressions(rows).tolist() == [10]


def test_what_one_address_adds_too_much_labels_its_list_and_counts_no_more() -> None:
    crowd = [click(f"r{n:03}", "c", HOUR_START + n, impression=f"i{n}", proof=CROWDED) for n in range(9)]
    events = log_of([*people(), *crowd, shown("y", "c", HOUR_START, "j", 0, CROWDED)])
    kept = of_people(events)
    assert (kept.kind == REPEAT_CLICK).sum() == 9
    assert not ((kept.kind == IMPRESSION) & (kept.article == 2)).any()
    assert counted(events).total_clicks(np.array([2], np.int32)).tolist() == [0]
    assert Visitors(9).see(CLICK, 2, HOUR_START, "r", None, CROWDED).kind == UNPROVEN


def test_of_lists_of_nobody_known_each_is_a_person() -> None:
    """Without consent there is neither a reader nor a session; a flood of nobody counts for nothing."""
    lists = [shown(None, "a", HOUR_START + n, f"i{n}", 0, SIGNED) for n in range(30)]
    lists += [click(None, "a", HOUR_START + 50 + n, impression=f"i{n}", proof=SIGNED) for n in range(30)]
    lists += [click(None, "b", HOUR_START + 90 + n, impression=f"j{n}", proof=SIGNED) for n in range(200)]  # unseen
    flood = [click(None, "b", HOUR_START + n, context=f'{{"region":"{n}"}}', proof=UNSIGNED) for n in range(500)]
    events = log_of([*lists, *flood, click("z", "c", HOUR_START)])
    rows = np.arange(3, dtype=np.int32)
    for trends in (trained(events), counted(events)):
        assert trends.total_clicks(rows).tolist() == [30, 0, 1]


def test_contexts_of_strangers_get_no_numbers_and_one_reader_brings_few() -> None:
    contexts = [f'{{"region":"invented-{n}"}}' for n in range(400)]
    strangers = [
        click(f"x{n}", "a", HOUR_START + n * HOUR, context=text, proof=UNSIGNED) for n, text in enumerate(contexts)
    ]
    seen = [shown(name, "a", HOUR_START, f"i{name}", 0, SIGNED) for name in ("r", "ann")]
    one = [click("r", f"b{n}", HOUR_START + n * HOUR, context=contexts[n], proof=SIGNED) for n in range(19)]
    person = [*seen, click("ann", "c", HOUR_START + 9, context='{"region":"north"}', proof=SIGNED)]
    events = log_of([*strangers, *one, *person])
    for trends in (trained(events), counted(events)):
        assert len(trends.values[0]) == MAX_TAUGHT + 1
        assert "north" in trends.values[0]


def test_what_is_held_is_bounded_and_forgotten_with_its_reader() -> None:
    vouching, events = Vouching(), Visitors(10)
    for n in range(HELD_CLICKS + 5):
        events.see(CLICK, 0, HOUR_START + n, f"rq{n}", None, UNSIGNED)
        events.see(CLICK, 0, HOUR_START + n, "rann", None, UNSIGNED)
    assert len(events.vouching._held["rann"]) == HELD_CLICKS
    events.forget(lambda visitor: visitor == "rann")
    assert events.see(IMPRESSION, 0, HOUR_START, "rann", None, SIGNED).confirmed == ()
    assert "rann" in events.vouching
    events.forget(lambda visitor: visitor == "rann")
    assert "rann" not in events.vouching
    for n in range(MAX_WAITING + 9):
        vouching.hold(f"r{n}", HeldClick(1, HOUR_START + n, -1, None))
    assert len(vouching._held) == MAX_WAITING


def test_of_clicks_that_are_read_again_those_of_strangers_do_not_count() -> None:
    def dated(reader: str | None, proof: Evidence | None) -> DatedClick:
        return DatedClick("a1", reader, None, START, None, proof)

    ann, bob, site, nobody = (
        dated("ann", Evidence.UNSIGNED),
        dated("bob", Evidence.UNSIGNED),
        dated("carl", None),
        dated(None, Evidence.SIGNED),
    )
    asked: list[set[str]] = []

    def signed(readers: Any) -> set[str]:
        asked.append(set(readers))
        return {"ann"}

    clicks = [ann, bob, site, nobody, dated(None, Evidence.UNSIGNED), dated("ann", Evidence.CROWDED)]
    assert counted_clicks(clicks, signed) == [ann, site, nobody]
    assert asked == [{"ann", "bob"}], "who needs no voucher is not asked about"
