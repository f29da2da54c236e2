"""The exploration slot shows what few have seen, says how probable that was, and signs it into the list's name."""

from pathlib import Path

import numpy as np
import pytest

from jobs.explored import command
from jobs.runner import Context
from recsys.catalogue.eligibility import AllowedRows
from recsys.evaluate.exploration_log import ExploredRow, explored_rows
from recsys.recommend import exploration
from recsys.recommend.answer import Recommender
from recsys.recommend.exploration import LEAST_LENGTH, PLACE, Trial, explored, slot_draw, trial
from recsys.recommend.impressions import ImpressionFacts, ImpressionTokens
from recsys.recommend.reasons import ReasonKind
from recsys.recommend.rerank import SourceLimits
from recsys.units import MINUTE_MS, now_ms
from tests.newsroom import SITE
from tests.recommenders import CLICK, HOUR, NOW, ask, entry, newsroom, reader, rows
from tests.service import article, fill, plain_settings, serving

IMPRESSION = 0
EVERYTHING = AllowedRows.of(np.ones(40, bool))
NOBODY = np.empty(0, np.int32)


def drawn_for(who: str, now: int = NOW) -> float:
    draw = slot_draw(who, NOBODY, now)
    assert draw is not None
    return draw


def site(fresh: int = 3, articles: int = 20, **config: int) -> Recommender:
    """Articles of long ago, and some that are new: rows 0 to ``fresh`` - 1."""
    entries = [
        entry(row, "football", **({"published_at": NOW - HOUR} if row < fresh else {})) for row in range(articles)
    ]
    angles = np.linspace(0, 3, articles)
    return newsroom(entries, [(float(np.cos(angle)), float(np.sin(angle))) for angle in angles], **config)


@pytest.fixture(autouse=True)
def _in_every_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploration, "SHARE", 1.0)


def test_one_place_of_a_list_tries_a_fresh_article_and_says_so() -> None:
    recommender = site(fresh=1)
    made = ask(recommender, reader(19), k=6)
    assert made.explored is not None
    assert (made.explored.row, made.explored.place, made.explored.propensity) == (0, PLACE, 1.0)
    assert made.cards[PLACE].reason.kind is ReasonKind.EXPLORING
    assert len({*rows(made)}) == len(made.cards) == 6
    assert ask(recommender, reader(19), k=LEAST_LENGTH - 1).explored is None, "a short list has no room for it"
    assert ask(recommender, reader(19), k=6, cheap=True).explored is None
    assert ask(recommender, reader(19, dismissed=(0,)), k=6).explored is None
    assert ask(recommender, reader(19), k=6, exclude=["a0"]).explored is None


def test_what_many_have_seen_is_not_tried_any_more_and_nothing_where_a_site_wants_none() -> None:
    recommender = site(fresh=1, explore_impressions=5)
    for number in range(5):  # the trial is made once a second
        assert ask(recommender, reader(19), k=6, now=NOW + number * 1_000).explored is not None
        recommender.observe(IMPRESSION, 0, NOW - HOUR + number, visitor=f"v{number}")
    assert ask(recommender, reader(19), k=6, now=NOW + 5_000).explored is None
    assert ask(site(fresh=1, explore_impressions=0), reader(19), k=6).explored is None


def test_the_same_reader_tries_the_same_within_a_minute_and_others_try_all_of_them() -> None:
    tried, minute = Trial(np.arange(3, dtype=np.int32), np.array([0.5, 0.3, 0.2])), NOW - NOW % MINUTE_MS
    picked = [30, 31, 32, 33, 34]

    def drawn(who: str, now: int = minute) -> int:
        made = explored(tried, picked, EVERYTHING, drawn_for(who, now))
        assert made is not None
        return made.row

    assert {drawn("ann", minute + second * 1_000) for second in range(60)} == {drawn("ann")}
    often = np.bincount([drawn(f"reader{number}") for number in range(4_000)], minlength=3) / 4_000
    assert often == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert len({drawn("ann", minute + number * MINUTE_MS) for number in range(40)}) == 3


def test_a_share_of_the_lists_tries_something_and_the_propensity_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploration, "SHARE", 0.25)
    tried = Trial(np.arange(2, dtype=np.int32), np.array([0.6, 0.4]))
    draws = [slot_draw(str(number), NOBODY, NOW) for number in range(4_000)]
    made = [explored(tried, [30, 31, 32, 33, 34], EVERYTHING, draw) for draw in draws if draw is not None]
    assert len(made) / 4_000 == pytest.approx(0.25, abs=0.02)
    assert {one.row: one.propensity for one in made if one} == pytest.approx({0: 0.15, 1: 0.1})
    assert np.mean([one.row for one in made if one]) == pytest.approx(0.4, abs=0.05)


def test_what_may_not_be_shown_gives_its_chance_to_the_others() -> None:
    tried = Trial(np.arange(4, dtype=np.int32), np.array([0.4, 0.3, 0.2, 0.1]))
    allowed = EVERYTHING.without(np.array([1]))
    chances = {}
    for number in range(300):
        made = explored(tried, [0, 30, 31, 32, 33], allowed, drawn_for(str(number)))
        assert made is not None
        chances[made.row] = made.propensity
    assert chances == pytest.approx({2: 2 / 3, 3: 1 / 3})
    nothing = AllowedRows.of(np.zeros(40, bool))
    assert explored(tried, [30, 31, 32, 33, 34], nothing, 0.5) is None


def test_what_is_tried_is_of_a_source_that_the_list_has_room_for() -> None:
    own, wire, post = -1, 0, 1
    sources = np.array([wire, wire, post, own, own, own, wire, post, own], np.int32)
    tried = Trial(np.array([6, 7, 8], np.int32), np.full(3, 1 / 3))
    limits = SourceLimits(sources, np.array([1 / 3, 0.5]))
    assert tried.within(limits, [0, 1, 2, 3, 4, 5]).rows.tolist() == [7, 8], "two of six are a third"
    assert tried.within(limits, [0, 3, 2, 3, 4, 5]).rows.tolist() == [6, 7, 8]
    assert tried.within(SourceLimits(sources, np.empty(0)), [0, 1, 2, 3, 4, 5]) is tried, "no source has a limit"


def test_a_list_that_holds_as_many_of_a_source_as_it_may_tries_none_of_it() -> None:
    wired = {"published_at": NOW - HOUR, "source": "Wire"}
    entries = [entry(row, None, **(wired if row < 12 else {"source": None})) for row in range(40)]
    angles = np.linspace(0, 3, 40)
    recommender = newsroom(entries, [(float(np.cos(angle)), float(np.sin(angle))) for angle in angles])
    made = ask(recommender, reader(5), k=6)
    assert sum(row < 12 for row in rows(made)) == 3, "half of the list"
    assert made.explored is None, "all that is new is of the wire"


def test_better_news_is_tried_more_and_unknown_ones_as_their_category() -> None:
    recommender = site(fresh=3)
    for number in range(30):
        for row in (0, 1):
            recommender.observe(IMPRESSION, row, NOW - HOUR + number, position=0, visitor=f"v{number}")
        if number % 3:
            recommender.observe(CLICK, 0, NOW - HOUR + number, position=0, visitor=f"v{number}")
    fresh = np.array([0, 1, 2], np.int32)
    tried = trial(fresh, recommender.catalogue.columns.category, recommender.trends, 100)
    assert tried.rows.tolist() == [0, 1, 2]
    assert tried.propensity.sum() == pytest.approx(1)
    assert tried.propensity[0] > tried.propensity[2] > tried.propensity[1]


def test_a_token_says_what_was_done_and_nobody_else_can_write_one(tmp_path: Path) -> None:
    tokens = ImpressionTokens.of(tmp_path)
    for release in ("20261201T013007Z-00af", None):
        facts = ImpressionFacts(1_790_000_000, release, place=4, propensity=0.25, policy=1)
        token = tokens.make(facts)
        said = tokens.read(token)
        assert said is not None
        assert said._replace(nonce=b"") == facts
        assert len(token) == 52
        assert tokens.make(facts) != token
        assert ImpressionTokens.of(tmp_path).read(token) == said, "the key stays in the folder"
        assert ImpressionTokens(b"x" * 32).read(token) is None
        for place in range(len(token)):
            other = "A" if token[place] != "A" else "B"
            forged = tokens.read(token[:place] + other + token[place + 1 :])
            assert forged is None or forged == said, "the last character holds bits that nobody reads"
    assert (tmp_path / "impressions.key").stat().st_mode & 0o777 == 0o600
    for odd in ("", "a", "ä", "a" * 54, "0123456789abcdef0123456789abcdef", "=" * 8):
        assert tokens.read(odd) is None


@pytest.mark.parametrize("left", [b"", b"short"])
def test_a_key_that_was_cut_off_signs_nothing_that_anybody_could_forge(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "impressions.key").write_bytes(left)
    one, other = ImpressionTokens.of(tmp_path), ImpressionTokens.of(tmp_path)
    assert one.read(other.make(ImpressionFacts(1, None))) is None


def test_a_folder_that_cannot_be_written_has_tokens_of_one_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    tokens = ImpressionTokens.of(tmp_path / "file")
    said = tokens.read(tokens.make(ImpressionFacts(1, None)))
    assert said is not None
    assert said._replace(nonce=b"") == ImpressionFacts(1, None)


def test_what_was_tried_comes_back_from_the_log_with_its_propensity(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *(article(f"a{number}", published_at=now_ms() - HOUR) for number in range(9)))
    with serving(settings) as service:
        made = [service.get("/api/v1/recommendations", reader=f"r{number}", k=6) for number in range(4)]
        opened = made[1]["items"][0]["id"]
        tried = [one["items"][PLACE]["id"] for one in made]
        assert all(one["items"][PLACE]["reason"]["kind"] == "exploring" for one in made)

        def send(number: int, kind: str, name: str, impression: str | None = None, place: int = PLACE) -> None:
            event = {"event_id": f"{kind}{number}{name}", "kind": kind, "article": name, "reader": f"r{number}"}
            event |= {"impression": impression or made[number]["impression_id"]}
            answer = service.client.post("/api/v1/events", json=event | {"position": place})
            assert answer.json is not None
            assert answer.json["accepted"] == 1

        send(0, "impression", tried[0])
        send(0, "click", tried[0])
        send(1, "impression", tried[1])
        send(1, "click", opened, place=0)  # another card of the list
        send(2, "click", tried[2])  # seen, because it was opened
        send(3, "impression", tried[3], "0123456789abcdef0123456789abcdef")  # a name that was not made here
        rows = [*explored_rows(service.store, settings.site.id, ImpressionTokens.of(settings.data_dir, SITE))]
        stranger = [*explored_rows(service.store, settings.site.id, ImpressionTokens(b"k" * 32))]
    assert [(row.item_id, row.click, row.position, row.policy) for row in rows] == [
        (tried[0], 1, PLACE, "thompson"),
        (tried[1], 0, PLACE, "thompson"),
        (tried[2], 1, PLACE, "thompson"),
    ]
    assert [row.propensity_score for row in rows] == pytest.approx([1 / 3] * 3), "nine are fresh, six of them listed"
    assert {row.release for row in rows} == {""}
    assert stranger == []
    settings_file = tmp_path / "explored.csv"
    command(Context(settings, seed=1), out=settings_file)
    assert settings_file.read_text().splitlines()[0] == ",".join(ExploredRow._fields)
    assert len(settings_file.read_text().splitlines()) == 4
