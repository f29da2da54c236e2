"""A trace says where an article fell, with the numbers, and never another thing than the list itself."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.readers import ReaderState
from recsys.recommend.answer import Recommender
from recsys.recommend.context import RequestContext
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.trace import Trace, trace
from recsys.recommend.trace_words import _TEXTS, reason_name
from tests.newsroom import Toy
from tests.recommenders import CLICK, HOUR, NOW, entry, reader, two_topics
from tests.service import copy_of, plain_settings, problem, serving


def follow(recommender: Recommender, name: str, state: ReaderState | None = None, k: int = 3, **more: Any) -> Trace:
    asked: dict[str, Any] = {"article": None, "k": k, "now": NOW, "lang": None, "home": None} | more
    return trace(recommender, name, state, None, request=RequestContext(), **asked)


def last(followed: Trace) -> tuple[str, bool | None, str]:
    """The stage before the verdict."""
    step = followed.steps[-2]
    assert followed.steps[-1].stage == "list"
    assert followed.steps[-1].passed == (followed.place > 0)
    return step.stage, step.passed, step.says


def model() -> Any:
    class Last:
        probability = True
        reads_ids = False

        def score(self, candidates: Any) -> Any:
            return np.linspace(0.1, 0.9, len(candidates)).astype(np.float32)

    return Last()


def test_what_is_not_to_be_shown_falls_before_the_list() -> None:
    recommender = two_topics(model=model())
    put = recommender.catalogue.put
    put("a1", entry(1, "football", hidden=True))
    put("a2", entry(2, "football", expires_at=NOW - 2 * HOUR))
    put("a3", entry(3, "football", published_at=NOW + 3 * HOUR))
    who = reader(0, dismissed=(5,))
    assert follow(recommender, "nobody-knows").steps[0].says == "The catalogue has no such article."
    assert last(follow(recommender, "a1", who)) == ("shown", False, "It is hidden, deleted, or was never put.")
    assert last(follow(recommender, "a2", who)) == ("shown", False, "It expired 2.0 hours ago.")
    assert last(follow(recommender, "a3", who)) == ("shown", False, "It is published in 3.0 hours.")
    assert last(follow(recommender, "a0", who)) == ("seen", False, "The reader has read it, or a copy of it.")
    assert last(follow(recommender, "a5", who)) == ("seen", False, "The reader has dismissed it, or a copy of it.")
    assert last(follow(recommender, "a6", who, exclude=["a6"])) == ("seen", False, "The page shows it already.")
    assert last(follow(recommender, "a6", who, article="a6"))[0] == "seen"


def test_the_way_through_the_list_has_its_numbers() -> None:
    recommender = two_topics(model=model(), max_per_category=1)
    recommender.observe(CLICK, 6, NOW - HOUR)
    shown = follow(recommender, "a7", reader(0), k=2)
    assert [step.stage for step in shown.steps] == [
        *("shown", "copies", "seen", "language", "candidates", "rank", "rerank", "list"),
    ]
    assert shown.place == 1
    assert shown.steps[5].says == "Score 0.9, place 1 of 7; the best has 0.9."
    assert shown.steps[-1].says.startswith("In the list of 2, at place 1, because: ")
    held = follow(recommender, "a6", reader(0), k=2)
    assert last(held) == ("rerank", False, "Left out: 1 of markets are as many as may be.")
    clicked = next(step for step in held.steps if step.stage == "candidates")
    assert "1st most clicked" in clicked.says
    told = two_topics(model=model())
    told.catalogue.put("a6", entry(6, "markets"), None, "a7")
    assert last(follow(told, "a6", reader(0))) == ("rerank", False, "Left out: 'a7' stands for its story.")
    sourced = two_topics(model=model(), max_per_category=9)
    for row in range(8):
        sourced.catalogue.put(f"a{row}", entry(row, "markets", source="Wire" if row in (6, 7) else f"Paper {row}"))
    assert last(follow(sourced, "a6", reader(0), k=2)) == (
        *("rerank", False, "Left out: 1 of the source 'Wire' are as many as may be."),
    )
    outside = two_topics(model=model(), trending=0, fresh=0, covisits=0)
    outside.neighbours = 1
    far = follow(outside, "a7", reader(0), k=1)
    stage, passed, says = last(far)
    assert (stage, passed) == ("candidates", False)
    assert says.startswith(
        "Not among the 1 candidates; its cosine with the reader is 0.259, the last of the nearest has"
    )


def test_a_trace_agrees_with_the_list_for_every_article() -> None:
    for scorer in (None, model()):
        recommender = two_topics(model=scorer)
        recommender.catalogue.put("a2", entry(2, "football", language="da"))
        for who in (None, reader(0), reader(0, 4)):
            made = recommender.recommend(who, None, article=None, k=4, now=NOW, lang=None)
            for row in range(8):
                followed = follow(recommender, f"a{row}", who, k=4)
                assert followed.recommendation.cards == made.cards
                places = [place for place, card in enumerate(made.cards, 1) if card.row == row]
                assert followed.place == (places[0] if places else 0)
                fallen = [step for step in followed.steps[:-1] if step.passed is False]
                assert not (fallen and followed.place), "what fell is not in the list"


def test_a_trace_is_for_administrators_and_can_be_read(toy: Toy, tmp_path: Path) -> None:
    with serving(copy_of(toy, tmp_path / "site")) as service:
        headers = {"Authorization": f"Bearer {service.store.add_token('editor')}"}

        def read(**query: Any) -> Any:
            return service.client.get("/admin/api/trace", query_string=query, headers=headers)

        who = next(iter(toy.withheld))
        told = read(reader=who, article=toy.withheld[who], k=3).get_json()
        assert (told["place"], told["items"][0]) == (1, toy.withheld[who])
        assert told["table"].splitlines()[-1].startswith("list        yes  In the list of 3, at place 1")
        assert told["title"]
        assert read(article="nobody-knows").get_json()["steps"][0]["passed"] is False
        problem(read(reader=who), 422, "invalid")
        problem(service.client.get("/admin/api/trace?article=a"), 401, "unauthorized")


@pytest.mark.parametrize(
    "query", [{"article": "a1", "reader": "x" * 5_000}, {"article": ""}, {"article": "a1", "k": 0}]
)
def test_a_trace_of_nonsense_is_a_problem(tmp_path: Path, query: dict[str, Any]) -> None:
    with serving(plain_settings(tmp_path)) as service:
        headers = {"Authorization": f"Bearer {service.store.add_token('editor')}"}
        problem(service.client.get("/admin/api/trace", query_string=query, headers=headers), 422, "invalid")


def test_every_sentence_is_said_in_both_languages_and_names_the_same() -> None:
    named = re.compile(r"\{(\w+)")
    for key, (chinese, english) in _TEXTS.items():
        names = [
            {"place" if name == "ordinal" else name for name in named.findall(text)} for text in (chinese, english)
        ]
        assert names[0] == names[1], key
    assert {reason_name(kind, "zh") for kind in ReasonKind}.isdisjoint(reason_name(kind, "en") for kind in ReasonKind)
    told = two_topics(model=model())
    told.observe(CLICK, 6, NOW - HOUR)
    for name in [*(f"a{row}" for row in range(8)), "nobody-knows"]:
        for step in follow(told, name, reader(0), spoken="zh").steps:
            assert re.search("[\u4e00-\u9fff]", step.says), step
            assert not re.search(r"\b(the|its|of|and|is)\b", step.says), step
