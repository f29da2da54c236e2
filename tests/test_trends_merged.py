"""Merged and restored streams: the counts stay what a sum over the events would say."""

import numpy as np
import pytest

from recsys.errors import StaleArtefact
from recsys.trends.config import TrendsConfig
from recsys.trends.files import restore
from recsys.trends.stream import Trends
from tests.streams import CONFIG, END, A, assert_same, feed, some_events, stream, told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_shards_merged_are_the_whole(seed: int) -> None:
    """Shards hold whole visitors; values of contexts come in another order in each."""
    events = some_events(seed)
    first = [event for event in events if event.visitor in {"v0", "v3", "v5"}]
    second = [event for event in events if event not in first]
    whole, mine, theirs = feed(stream(), events), feed(stream(), first), feed(stream(), second)
    assert mine.values != theirs.values
    mine.merge(theirs)
    assert_same(mine, whole)
    assert len(told(whole, END)["pairs"]) > A


def test_merging_with_an_empty_stream_changes_nothing_either_way() -> None:
    events = some_events()
    mine, theirs = feed(stream(), events), stream()
    mine.merge(stream())
    theirs.merge(feed(stream(), events))
    assert_same(mine, feed(stream(), events))
    assert_same(theirs, feed(stream(), events))


def test_streams_of_other_settings_or_articles_are_not_merged() -> None:
    with pytest.raises(StaleArtefact):
        stream().merge(stream(TrendsConfig(live_articles=A, neighbours=A, prior_company=6.0)))
    with pytest.raises(StaleArtefact):
        stream().merge(Trends(A + 1, CONFIG))


def test_a_snapshot_goes_on_as_the_stream_would_but_for_visits_that_were_running() -> None:
    events = some_events()
    whole = feed(stream(), events)
    half = feed(stream(), events[:300])
    for keep in (True, False):
        restored = restore(half.arrays(), CONFIG, tuple(dict(known) for known in half.values))
        restored.describe_articles(half.state.category, half.state.published)
        if keep:
            restored.visits._visits = half.visits._visits.copy()
        feed(restored, events[300:])
        differs = {
            name for name, values in whole.arrays().items() if not np.array_equal(restored.arrays()[name], values)
        }
        assert differs == (set() if keep else {"pairs", "lifts", "all_lifts"})
    assert half.all_total[0] + half.all_total[1] == 300  # a snapshot shares nothing with what it was taken from


def test_a_snapshot_without_an_array_or_of_other_room_is_refused() -> None:
    arrays = stream().arrays()
    with pytest.raises(StaleArtefact):
        restore({name: values for name, values in arrays.items() if name != "pairs"}, CONFIG)
    with pytest.raises(StaleArtefact):
        restore({}, CONFIG)
    with pytest.raises(StaleArtefact):
        restore(arrays, TrendsConfig(live_articles=A - 1, neighbours=A))
    with pytest.raises(StaleArtefact):
        restore(arrays, TrendsConfig(live_articles=A, neighbours=A + 1))
