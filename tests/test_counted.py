"""The log as it counts, in mapped files: the same events as the rules give in memory, whatever is in the log."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import StaleArtefact
from recsys.events import UNDATED, EventLog, Events, of_people
from recsys.events.counted import count_log, load_counted
from recsys.events.people import MAX_CLICKS_AN_HOUR
from recsys.items.training import with_articles
from recsys.store import Event, Evidence, Kind, Store
from recsys.units import HOUR_MS, MINUTE_MS, SECOND_MS
from recsys.workspace import read_table
from tests.clicks import START

SITE = "toy"


def click(number: int, article: str, reader: str | None, time: int | None, **more: str | int | None) -> Event:
    return Event(str(number), SITE, Kind.CLICK, article, reader, time=time, **more)  # type: ignore[arg-type]


def shown(number: int, article: str, reader: str | None, time: int, position: int, **more: str | int | None) -> Event:
    more = {"impression": "list", "position": position, "slot": "top", **more}
    return Event(str(number), SITE, Kind.IMPRESSION, article, reader, time=time, **more)  # type: ignore[arg-type]


def every_rule() -> list[Event]:
    """A log with an undated click, a repeat, a robot without a name, a stranger, a late event, and one of tomorrow."""
    robot = [
        click(100 + n, f"a{n % 7}", None, START + n * SECOND_MS, session="robot") for n in range(MAX_CLICKS_AN_HOUR + 2)
    ]
    return [
        click(1, "a1", "ann", None),
        shown(2, "a1", "ann", START, 0),
        shown(3, "a2", "ann", START, 1),
        click(4, "a2", "ann", START + 5, context='{"device": "mobile"}', session="s", impression="list"),
        click(5, "a2", "ann", START + MINUTE_MS, session="s"),
        click(6, "not in the catalogue", "bob", START + 9, session="s"),
        *robot,
        click(7, "a3", "stranger", START + 7, proof=Evidence.UNSIGNED.value),
        click(8, "a0", "bob", START - HOUR_MS),
        click(9, "a0", "bob", START + 99 * HOUR_MS),
    ]


def same(one: Events, two: Events) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(two, field.name))
        and getattr(getattr(one, field.name), "dtype", None) == getattr(getattr(two, field.name), "dtype", None)
        for field in fields(Events)
    )


@pytest.mark.parametrize("batches", [1, 3])
def test_what_is_mapped_is_what_the_rules_give_in_memory(store: Store, tmp_path: Path, batches: int) -> None:
    log, catalogue, events = EventLog(tmp_path / "log"), ["a0", "a1", "a2", "a3", "never clicked"], every_rule()
    for part in np.array_split(np.arange(len(events)), batches):
        store.add_events([events[place] for place in part])
        log.append(store, SITE)
    limit = START + 10 * HOUR_MS
    summary = count_log(log, catalogue, limit, tmp_path / "odd.parquet", tmp_path / "counted")
    mapped, whole = load_counted(tmp_path / "counted"), log.load()
    ids = sorted({*catalogue, *whole.article_ids})
    assert same(mapped, with_articles(of_people(whole, summary.newest), ids))
    assert mapped.time[0] == UNDATED
    assert (np.diff(mapped.time) >= 0).all()
    assert summary.held == 1
    assert (summary.odd, summary.odd_clicks, summary.unproven) == (1, MAX_CLICKS_AN_HOUR + 2, 1)
    assert read_table(tmp_path / "odd.parquet")["session"].to_pylist() == ["robot"]
    assert not list(tmp_path.glob("counted/.*")), "nothing half written is left"


def test_a_log_without_an_event_counts_as_one(store: Store, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log")
    log.append(store, SITE)
    assert count_log(log, ["a"], START, tmp_path / "odd.parquet", tmp_path / "counted").newest == UNDATED
    mapped = load_counted(tmp_path / "counted")
    assert (len(mapped), mapped.article_ids) == (0, ["a"])


def test_a_workspace_of_an_older_version_is_told_to_be_made_anew(tmp_path: Path) -> None:
    with pytest.raises(StaleArtefact, match="python -m jobs events"):
        load_counted(tmp_path)
