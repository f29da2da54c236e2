"""A reader of two subjects gets lists of both, in proportion to what they clicked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.eligibility import AllowedRows
from recsys.index import Index
from recsys.readers import CLICK, ReaderState
from recsys.readers.config import ReadersConfig
from recsys.readers.encoders import Interests, MeanEncoder
from recsys.readers.trained import TrainedEncoder
from recsys.recommend.answer import Recommender
from recsys.recommend.candidates import nearest
from recsys.recommend.context import ANONYMOUS, ReaderContext, Tier, VectorSpace, VectorTable
from recsys.recommend.rank import in_shares, places_by_share
from recsys.serving.artefacts import load_artefacts
from recsys.serving.snapshot import ModelSnapshot
from recsys.serving.state import SharedState
from tests.newsroom import NOW, Toy, fill_toy, toy_settings, train
from tests.recommenders import ask, entry, newsroom, reader, rows

TOPIC = 20  # articles of each topic: 0 to 19 are football, 20 to 39 markets, 40 to 59 neither


def paper(config: ReadersConfig, model: Any = None) -> Recommender:
    """Three topics, each around an axis of its own; nothing trends and nothing is fresh."""
    rng = np.random.default_rng(5)
    near = np.repeat(np.eye(3), TOPIC, axis=0) + rng.normal(0, 0.2, (3 * TOPIC, 3))
    vectors = [tuple(row) for row in (near / np.linalg.norm(near, axis=1, keepdims=True)).tolist()]
    made = newsroom([entry(row, None) for row in range(3 * TOPIC)], vectors, model=model, trending=0, fresh=0)
    return Recommender(
        made.catalogue,
        made.tables,
        made.index,
        None,
        model,
        made.trends,
        made.config,
        config,
        20,
        "r1",
    )


SEVERAL = ReadersConfig(encoder="interests", half_life_clicks=1e9)
BOTH = [0, 20, 1, 21, 2, 22, 3, 4]  # five football, three markets


def topics(made: Any) -> list[int]:
    return [row // TOPIC for row in rows(made)]


def test_both_interests_are_in_the_list_in_their_shares() -> None:
    made = ask(paper(SEVERAL), reader(*BOTH), k=8)
    assert made.tier is Tier.PERSONAL
    assert sorted(topics(made)) == [0] * 5 + [1] * 3
    assert 1 in topics(made)[:3]
    assert set(rows(made)).isdisjoint(BOTH)


def test_a_model_that_likes_one_subject_alone_cannot_crowd_the_other_out() -> None:
    class First:
        probability = True
        reads_ids = False

        def score(self, candidates: Any) -> Any:
            return np.linspace(1, 0, len(candidates), dtype=np.float32)

    made = ask(paper(SEVERAL, First()), reader(*BOTH), k=8)
    assert sorted(topics(made)) == [0] * 5 + [1] * 3
    mean = ask(paper(ReadersConfig(half_life_clicks=1e9), First()), reader(*BOTH), k=8)
    assert topics(mean).count(0) > 5


def test_a_reader_of_one_subject_gets_that_one() -> None:
    made = ask(paper(SEVERAL), reader(20, 21, 22), k=8)
    assert topics(made) == [1] * 8
    scores = [card.score for card in made.cards]
    assert scores == sorted(scores, reverse=True)


def test_an_encoder_that_was_trained_speaks_for_the_item_vectors_alone() -> None:
    class Third:
        def encode(self, vectors: Any, clicks: Any, times: Any) -> Interests:
            return Interests(np.eye(3, dtype=np.float32)[2:], np.ones(1, np.float32))

    recommender = paper(SEVERAL)
    with_encoder = Recommender(
        recommender.catalogue,
        recommender.tables,
        recommender.index,
        None,
        None,
        recommender.trends,
        recommender.config,
        SEVERAL,
        20,
        "r1",
        Third(),
    )
    assert topics(ask(with_encoder, reader(*BOTH), k=4)) == [2] * 4
    with_encoder.index, with_encoder.content_index = None, recommender.index
    assert sorted(topics(ask(with_encoder, reader(*BOTH), k=8))) == [0] * 5 + [1] * 3


def context_of(interests: Interests, vectors: Any) -> ReaderContext:
    table = VectorTable(VectorSpace.ITEMS, Index.build(vectors))
    return ReaderContext(Tier.PERSONAL, reader(), table, interests, ANONYMOUS)


def test_the_search_is_shared_out_and_looks_only_at_what_is_allowed() -> None:
    table = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0)
    context = context_of(Interests(np.eye(2, dtype=np.float32), np.array([0.75, 0.25], np.float32)), table)
    allowed = np.ones(20, bool)
    allowed[[0, 10]] = False
    near = [rows.tolist() for rows in nearest(context, 8, AllowedRows.of(allowed))]
    assert [len(found) for found in near] == [6, 2]
    assert set(near[0]) <= set(range(1, 10))
    assert set(near[1]) <= set(range(11, 20))


def test_one_interest_changes_no_ranking() -> None:
    table = np.eye(3, dtype=np.float32)
    context = context_of(MeanEncoder(8.0).encode(table, [0], [1]), table)
    ranked = np.array([2, 0, 1], np.int32)
    assert in_shares(context, ranked, [np.array([0], np.int32)]).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("owner", "shares", "places"),
    [
        ([0, 0, 0, 1, 1], [0.5, 0.5], [0, 3, 1, 4, 2]),
        ([0, 0, 0, 0, 1], [0.75, 0.25], [0, 1, 2, 4, 3]),
        ([0, 1, 0, 1], [0.5, 0.5], [0, 1, 2, 3]),
        ([-1, -1, 0, 1], [0.5, 0.5], [0, 2, 3, 1]),
        ([0, 0, 0], [0.5, 0.5], [0, 1, 2]),
        ([], [1.0], []),
    ],
)
def test_a_ranking_changes_only_where_an_interest_is_a_whole_place_short(
    owner: list[int], shares: list[float], places: list[int]
) -> None:
    assert places_by_share(np.array(owner, np.int64), np.array(shares, np.float32)).tolist() == places


@given(st.lists(st.integers(-1, 3), max_size=60), st.lists(st.floats(0.05, 1), min_size=4, max_size=4))
def test_no_interest_falls_two_places_short_while_it_has_articles(owner: list[int], raw: list[float]) -> None:
    shares = [one / sum(raw) for one in raw]
    places = places_by_share(np.array(owner, np.int64), np.array(shares, np.float32)).tolist()
    assert sorted(places) == list(range(len(owner)))
    for k, share in enumerate(shares):
        own = [place for place in places if owner[place] == k]
        assert own == sorted(own)
        had = 0
        for n, place in enumerate(places, start=1):
            had += owner[place] == k
            assert had == len(own) or had > share * n - 2


def state_of(toy: Toy, **changes: Any) -> SharedState:
    """The trained toy newsroom as a worker lays it out."""
    artefacts = replace(load_artefacts(toy.release(), toy.settings), **changes)
    return SharedState(ModelSnapshot.of(artefacts, "en"), artefacts, toy.settings)


def toy_reader(shared: SharedState, *clicked: str) -> ReaderState:
    state = ReaderState.empty(shared.recommender.readers)
    for name in clicked:
        state.observe(CLICK, shared.catalogue.row_of[name], NOW)
    return state


def test_a_toy_reader_of_football_and_markets_gets_both(toy: Toy) -> None:
    config = ReadersConfig(encoder="interests", half_life_clicks=1e9)
    shared = state_of(toy, readers=config, model=None)
    both = toy_reader(shared, "football-0", "markets-0", "football-1", "markets-1")
    asked: dict[str, Any] = {"article": None, "k": 6, "now": NOW, "lang": None}
    made = [shared.catalogue.ids[card.row] for card in shared.recommender.recommend(both, None, **asked).cards]
    assert sorted(toy.topic[name] for name in made) == ["football"] * 3 + ["markets"] * 3
    assert {toy.topic[name] for name in made[:2]} == {"football", "markets"}
    fan = toy_reader(shared, "markets-0", "markets-1")
    cards = shared.recommender.recommend(fan, None, **asked | {"k": 3}).cards
    made = [shared.catalogue.ids[card.row] for card in cards]
    assert {toy.topic[name] for name in made} == {"markets"}


def test_an_encoder_trained_for_the_toy_newsroom_is_served(tmp_path: Path) -> None:
    settings = toy_settings(tmp_path, readers={"encoder": "gru", "sequence_length": 6, "epochs": 2})
    fill_toy(settings)
    train(settings)
    toy = Toy(settings, {}, {})
    trained = load_artefacts(toy.release(), settings).reader_encoder
    assert trained is not None
    arrays = (
        trained.arrays
    )  # as it was trained, or the mean of the clicks where the few readers kept aside liked it better
    other = TrainedEncoder(
        arrays | {"extra.out.bias": arrays["extra.out.bias"] + np.float32(0.1)}, trained.sequence_length, trained.space
    )
    shared = state_of(toy, model=None, reader_encoder=other)
    asked: dict[str, Any] = {"article": None, "k": 3, "now": NOW, "lang": None}
    fan = toy_reader(shared, "markets-0", "markets-1", "markets-2")
    made, plain = (
        one.recommender.recommend(fan, None, **asked).cards
        for one in (shared, state_of(toy, model=None, reader_encoder=None))
    )
    assert all(shared.catalogue.ids[card.row].startswith("markets") for card in made)
    assert [card.score for card in made] != [card.score for card in plain]
