"""Events that can be trusted: what a token is good for, what counts without one, and what floods and claims achieve."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recsys.keys import rotate
from recsys.recommend import impressions
from recsys.recommend.impressions import EXPIRY_HOURS, ImpressionFacts, ImpressionTokens, is_token
from recsys.store import Evidence, Scope
from recsys.units import DAY_MS, HOUR_MS, MINUTE_MS, now_ms
from tests.newsroom import SITE, toy_settings
from tests.service import FOUR, Service, fill, problem, serving
from web.addresses import reader_address
from web.api.evidence import REASONS
from web.api.newcomers import AT_MOST, FEW, KNOWN, TIMES, USUAL, Newcomers
from web.api.rates import CROWD, LIST_EVENTS, MINUTE_S, STRANGERS, UNSIGNED_COST, VISITOR_EVENTS, EventRates
from web.attempts import Attempts, network_of
from web.metrics import EVENTS

KEY = b"k" * 32
NOW_S = 1_790_000_000
PROXY = {"X-Forwarded-For": "198.51.100.7"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles at a site that counts within bounds."""
    with started(tmp_path) as service:
        yield service


def started(folder: Path, unsigned: str = "count", **web: Any) -> Any:
    settings = toy_settings(folder, web={"poll_seconds": 60.0} | web, events={"unsigned": unsigned})
    fill(settings, *FOUR)
    return serving(settings)


def post(site: Service, *events: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """The answer to some events, clicks on the first article unless they say another kind or article."""
    plain = {"kind": "click", "article": "a1"}
    body = {"events": [plain | {"event_id": f"e{n}"} | event for n, event in enumerate(events)]}
    answer = site.client.post("/api/v1/events", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json


def listed(site: Service, **query: Any) -> tuple[str, list[str]]:
    """The token of a list and its articles."""
    made = site.get("/api/v1/recommendations", k=3, **query)
    return made["impression_id"], [item["id"] for item in made["items"]]


def reasons(answer: Any) -> list[str]:
    return [one["code"] for one in answer["ignored"]]


def clicks(site: Service) -> dict[str, int]:
    """The people who clicked each article today."""
    return {item["id"]: item["clicks"] for item in site.get("/api/v1/today")["items"]}


def test_the_lists_that_are_the_same_for_everybody_carry_tokens_too(site: Service) -> None:
    similar = site.get("/api/v1/articles/a2/similar", k=3)
    shown, token = [item["id"] for item in similar["items"]], {"impression": similar["impression_id"]}
    card = token | {"kind": "impression", "reader": "ann"}
    cards = [card | {"article": name, "position": place} for place, name in enumerate(shown)]
    page = token | {"article": "a2", "reader": "ann"}
    assert reasons(post(site, *cards, page, token | {"article": shown[0], "position": len(shown)})) == ["other-article"]
    assert clicks(site) == {"a2": 1}, "the page beside whose list it stands"
    today = site.get("/api/v1/today")
    again = {"impression": today["impression_id"], "article": "a2", "position": 0, "reader": "bob"}
    assert reasons(post(site, again | {"kind": "impression"}, again, again | {"article": "a1"})) == ["other-article"]
    assert clicks(site) == {"a2": 2}


def test_a_token_of_twenty_cards_is_short_and_says_for_whom_and_what() -> None:
    tokens, ids = ImpressionTokens(KEY, site=SITE), [f"article-{n}" for n in range(20)]
    token = tokens.make(ImpressionFacts(NOW_S, None), ids, "ann", "s1", "story")
    said = tokens.read(token)
    assert said is not None
    assert len(token) <= 150
    assert [tokens.holds(said, name, place) for place, name in enumerate(ids)] == [True] * 20
    assert tokens.holds(said, "article-3", None)
    assert tokens.holds(said, "story", None), "the page on which the list stands"
    assert not tokens.holds(said, "article-3", 4)
    assert not tokens.holds(said, "story", 0)
    ours = [tokens.is_for(said, *who) for who in (("ann", "s1"), ("ann", "s2"), ("ann", None), (None, None))]
    assert ours == [True] * 4, "a session is another tab; nobody is named where consent was taken back"
    assert [tokens.is_for(said, *who) for who in (("bob", "s1"), (None, "s1"))] == [False] * 2
    of_session = tokens.read(tokens.make(ImpressionFacts(NOW_S, None), ids, None, "s1"))
    assert of_session is not None
    whose = [tokens.is_for(of_session, *who) for who in ((None, "s1"), ("ann", "s1"), (None, "s2"), ("s1", None))]
    assert whose == [True, True, False, False]
    of_nobody = tokens.read(tokens.make(ImpressionFacts(NOW_S, None), ids))
    assert of_nobody is not None
    assert tokens.is_for(of_nobody, "ann", None), "who agreed to be known after the list was made"
    made_at = NOW_S * 1_000
    assert [said.is_expired(made_at + EXPIRY_HOURS * HOUR_MS + late) for late in (-1, 0)] == [False, True]
    assert is_token(token)
    assert not any(map(is_token, ("i1", "", "0123456789abcdef0123456789abcdef", token[:-5])))


def test_yesterdays_key_is_read_as_long_as_it_is_taken_and_another_site_reads_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "impressions.key"
    token = ImpressionTokens.of(tmp_path, "a").make(ImpressionFacts(NOW_S, None), ["a1"], "ann")
    old = file.read_bytes()
    rotate(file, 2)
    both = ImpressionTokens.of(tmp_path, "a")
    said = both.read(token)
    assert said is not None
    assert both.holds(said, "a1", 0)
    assert both.is_for(said, "ann", None)
    assert ImpressionTokens(old, site="a").read(both.make(ImpressionFacts(NOW_S, None))) is None, "the new one signs"
    assert ImpressionTokens.of(tmp_path, "b").read(token) is None
    rotate(file, 0)
    assert ImpressionTokens.of(tmp_path, "a").read(token) is None, "as after a leak"


def test_an_event_with_a_good_token_counts_and_every_other_one_is_ignored_for_its_reason(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, (first, second, _) = listed(site, reader="ann", session="s")
    stranger = ImpressionTokens(b"x" * 32, site=SITE).make(ImpressionFacts(now_ms() // 1000, None), [first], "ann", "s")
    own = ImpressionTokens.of(site.settings.data_dir, SITE)
    old = own.make(ImpressionFacts(now_ms() // 1000 - EXPIRY_HOURS * 3_600, None), [first], "ann", "s")
    elsewhere = ImpressionTokens.of(site.settings.data_dir, "other").make(
        ImpressionFacts(NOW_S, None), [first], "ann", "s"
    )
    ann = {"reader": "ann", "session": "s", "article": first, "position": 0}
    answer = post(
        site,
        ann | {"impression": token},
        ann | {"impression": stranger},
        ann | {"impression": elsewhere},
        ann | {"impression": old},
        ann | {"impression": token, "article": second},
        ann | {"impression": token, "reader": "bob"},
        ann | {"time": now_ms() - 2 * HOUR_MS},
    )
    assert (answer["accepted"], answer["rejected"]) == (1, [])
    assert reasons(answer) == ["forged", "forged", "expired", "other-article", "other-reader", "too-old"]
    assert [one["index"] for one in answer["ignored"]] == [1, 2, 3, 4, 5, 6]
    assert [event.proof for event in site.store.events_after(SITE, 0, 9)] == [Evidence.SIGNED]
    assert clicks(site) == {}, "nobody has looked at a card yet"
    post(site, ann | {"kind": "impression", "impression": token})
    assert clicks(site) == {first: 1}
    assert len({reason.code for reason in REASONS}) == 8
    sampled = {sample.labels["outcome"] for metric in EVENTS.collect() for sample in metric.samples}
    assert {"signed", "forged", "expired", "other-article", "other-reader", "too-old"} <= sampled


def test_a_token_used_a_thousand_times_is_one_impression_and_one_click(site: Service) -> None:
    token, (first, *_) = listed(site, reader="ann")
    ann = {"reader": "ann", "article": first, "position": 0, "impression": token}
    for start in range(0, 200, 100):
        kinds = [ann | {"event_id": f"{start + n}", "kind": "click" if n % 2 else "impression"} for n in range(100)]
        answer = post(site, *kinds)
        assert (answer["accepted"], answer["duplicate"]) == ((2, 98) if not start else (0, 100))
    dwells = post(site, *(ann | {"kind": "dwell", "dwell_ms": 5} for _ in range(2)))
    assert dwells["accepted"] == 2, "reading goes on"
    assert post(site, *(ann | {"kind": "dwell", "dwell_ms": 5} for _ in range(2)))["duplicate"] == 2, "sent again"
    assert clicks(site) == {first: 1}


def test_an_identifier_that_somebody_else_claimed_first_is_still_its_owners(site: Service) -> None:
    token, (first, *_) = listed(site, reader="ann")
    claimed = post(site, {"event_id": "x", "reader": "mallory", "article": "a4"}, {"event_id": "y", "article": "a4"})
    assert claimed["accepted"] == 2
    ann = {"reader": "ann", "article": first, "impression": token}
    true = post(site, ann | {"event_id": "x"}, {"event_id": "y", "reader": "ann"})
    assert (true["accepted"], true["duplicate"]) == (2, 0)
    assert post(site, ann | {"event_id": "x"}, {"event_id": "y", "reader": "ann"})["duplicate"] == 2, "sent again"


def test_a_browsers_clock_that_is_a_day_off_is_not_believed_of_a_list_that_was_made_here(site: Service) -> None:
    token, ids = listed(site, reader="ann")
    ann = {"reader": "ann", "impression": token}
    sent = [
        ann | {"article": name, "time": now_ms() + off} for name, off in zip(ids, (DAY_MS, -DAY_MS, 0), strict=True)
    ]
    assert post(site, *sent)["accepted"] == 3
    assert all(abs((event.time or 0) - now_ms()) < MINUTE_MS for event in site.store.events_after(SITE, 0, 9))
    alone = post(site, {"reader": "ann", "time": now_ms() + DAY_MS})
    assert [one["code"] for one in alone["rejected"]] == ["time-in-the-future"]


def test_a_ring_counts_for_nothing_and_readers_with_lists_in_full(site: Service) -> None:
    for start in range(0, 200, 100):
        answer = post(
            site, *({"event_id": f"{n}", "reader": f"x{n}", "article": "a4"} for n in range(start, start + 100))
        )
        assert answer["accepted"] == 100, "what is held may count yet"
    assert clicks(site) == {}
    for number in range(3):
        token, ids = listed(site, reader=f"r{number}")
        ours = {"reader": f"r{number}", "article": ids[0], "impression": token}
        assert post(site, ours | {"kind": "impression"}, ours)["accepted"] == 2
        token, ids = listed(site, reader=f"y{number}", article="a4")
        assert post(site, {"reader": f"y{number}", "article": "a4", "impression": token})["accepted"] == 1, "a ring"
        token, ids = listed(site, article="a4")
        assert post(site, {"article": "a4", "impression": token})["accepted"] == 1, "a ring of nobody"
    assert sum(clicks(site).values()) == 3
    before = clicks(site).get("a2", 0)
    post(site, {"event_id": "page", "reader": "r0", "article": "a2"})
    assert clicks(site)["a2"] == before + 1, "a page that a reader of lists opened otherwise"
    post(site, {"event_id": "x", "reader": "x", "article": "a2"}, {"event_id": "y", "reader": "y", "article": "a2"})
    assert clicks(site)["a2"] == before + 1


def test_a_held_click_counts_with_the_first_list_of_its_reader_and_after_a_start(tmp_path: Path) -> None:
    with started(tmp_path) as site:
        for reader in ("x", "ann", "bob"):
            post(site, {"reader": reader, "article": "a4"})
        assert clicks(site) == {}
        token, (first, *_) = listed(site, reader="ann")
        post(site, {"kind": "impression", "reader": "ann", "article": first, "impression": token})
        before = clicks(site)
        assert before == {"a4": 1}
    with started(tmp_path) as site:
        assert clicks(site) == before


def test_what_a_site_wants_of_events_without_a_token_is_its_own_to_say(tmp_path: Path) -> None:
    with started(tmp_path / "ignores", "ignore") as site:
        assert reasons(post(site, {"reader": "ann"}, {"reader": "ann", "impression": "i1"})) == ["unsigned"] * 2
        assert site.store.last_seq(SITE) == 0, "what never counts fills no disk"
        token, ids = listed(site, reader="ann")
        assert post(site, {"reader": "ann", "article": ids[0], "impression": token})["accepted"] == 1
        key = site.store.add_token("cms", Scope.WRITE, SITE)
        many = [{"event_id": f"k{n}", "reader": f"r{n}"} for n in range(30)]
        assert post(site, *many, headers={"Authorization": f"Bearer {key}"})["accepted"] == 30
        assert clicks(site)["a1"] >= 30
        assert [event.proof for event in site.store.events_after(SITE, 1, 1)] == [None]
        assert problem(
            site.client.post("/api/v1/events", json={}, headers={"Authorization": "Bearer x"}), 401, "unauthorized"
        )
    with started(tmp_path / "trusts", "trust") as site:
        answer = post(site, *({"reader": f"r{n}"} for n in range(9)))
        assert (answer["accepted"], clicks(site)) == (9, {"a1": 9})
        token, (first, *_) = listed(site, reader="ann")
        post(site, {"reader": "ann", "article": first, "impression": token})
        assert sum(clicks(site).values()) == 10, "whether or not a card was seen"


def test_a_flood_of_one_address_is_answered_429_and_leaves_no_trace(tmp_path: Path) -> None:
    with started(tmp_path, address_events=40) as site:
        ten = [{"event_id": f"{n}", "reader": f"x{n}"} for n in range(40 // UNSIGNED_COST)]
        assert post(site, *ten, headers=PROXY)["accepted"] == len(ten)
        flood = site.client.post(
            "/api/v1/events", json={"event_id": "f", "kind": "click", "article": "a1"}, headers=PROXY
        )
        assert "at most 40" in problem(flood, 429, "rate-limited")
        assert 1 <= int(flood.headers["Retry-After"]) <= 60
        assert flood.headers["Access-Control-Allow-Origin"] == "*"
        assert site.store.last_seq(SITE) == len(ten)
        assert post(site, {"reader": "z"}, headers={"X-Forwarded-For": "203.0.113.9"})["accepted"] == 1, (
            "another address"
        )
        key = site.store.add_token("cms", Scope.WRITE, SITE)
        assert post(site, {"reader": "z9"}, headers=PROXY | {"Authorization": f"Bearer {key}"})["accepted"] == 1


def test_one_reader_or_session_sends_no_more_than_a_person_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("web.app.EventRates", partial(EventRates, clock=lambda: now[0]))
    events = [{"event_id": f"{n}", "kind": "dwell", "dwell_ms": 1, "reader": "ann"} for n in range(VISITOR_EVENTS + 7)]
    with started(tmp_path) as site:
        answer = post(site, *events)
        assert (answer["accepted"], reasons(answer)) == (VISITOR_EVENTS, ["too-many"] * 7)
        sessions = [event | {"reader": None, "session": "s"} for event in events]
        assert len(post(site, *sessions)["ignored"]) == 7
        assert post(site, {"reader": "bob"})["accepted"] == 1
        now[0] += 3 * MINUTE_S / VISITOR_EVENTS
        assert reasons(post(site, *({"event_id": f"later{n}", "reader": "ann"} for n in range(4)))) == ["too-many"]


def test_one_address_adds_to_an_article_less_than_breaks_news_whatever_its_tokens(tmp_path: Path) -> None:
    with started(tmp_path, workers=1) as site:
        for number in range(30):
            token, ids = listed(site, reader=f"r{number}")
            click = {"reader": f"r{number}", "article": ids[0], "impression": token, "position": 0}
            assert post(site, click | {"kind": "impression"}, click, headers=PROXY)["accepted"] == 2
        proofs = [event.proof for event in site.store.events_after(SITE, 0, 99)]
        assert proofs.count(Evidence.CROWDED) == 30 - CROWD["click"]  # type: ignore[index]
        assert clicks(site) == {"a1": CROWD["click"]}  # type: ignore[index]


def strangers(first: int, number: int, **more: Any) -> list[dict[str, Any]]:
    """Clicks without a token, of so many readers whom nobody knows."""
    return [{"event_id": f"{n}", "reader": f"x{n}"} | more for n in range(first, first + number)]


def test_a_flood_of_strangers_from_as_many_addresses_grows_the_store_by_a_bounded_number_of_rows(
    tmp_path: Path,
) -> None:
    with started(tmp_path, workers=1) as site:
        token, (first, *_) = listed(site, reader="ann")
        post(site, {"kind": "impression", "reader": "ann", "article": first, "impression": token})
        before, ignored = site.store.last_seq(SITE), 0
        for n in range(0, 2 * STRANGERS, 25):
            answer = post(site, *strangers(n, 25), headers={"X-Forwarded-For": f"198.51.{n // 250}.{n % 250}"})
            ignored += reasons(answer).count("strangers")
        grown = site.store.last_seq(SITE) - before
        assert STRANGERS <= grown <= STRANGERS + 60, "and one more each second that the test took"
        assert grown + ignored == 2 * STRANGERS
        far = {"X-Forwarded-For": "203.0.113.9"}
        assert "strangers" in reasons(post(site, *strangers(8_000, 30), headers=far))
        assert post(site, {"reader": "ann", "article": "a2"}, headers=far)["accepted"] == 1, "a reader who saw a card"
        listed(site)
        more = post(site, *strangers(9_000, LIST_EVENTS + 9), headers=far)
        assert more["accepted"] >= LIST_EVENTS, "a list was made"
        assert post(site, *strangers(9_500, 30))["accepted"] == 30, "a program on this machine knows whose they are"


def test_one_address_leaves_room_for_strangers_from_others(tmp_path: Path) -> None:
    with started(tmp_path, workers=1) as site:
        answers = [post(site, *strangers(n, 50), headers=PROXY) for n in range(0, STRANGERS, 50)]
        assert sum(answer["accepted"] for answer in answers) < STRANGERS / 3
        assert post(site, {"reader": "z"}, headers={"X-Forwarded-For": "203.0.113.9"})["accepted"] == 1


def test_what_is_kept_of_strangers_is_divided_among_the_workers() -> None:
    clock = [0.0]
    workers = [EventRates(6_000, 4, lambda: clock[0]) for _ in range(4)]
    kept = sum(not worker.floods(f"a{n}") for worker in workers for n in range(STRANGERS))
    assert kept == STRANGERS
    clock[0] = 400.0
    assert sum(not worker.floods(f"b{n}") for worker in workers for n in range(STRANGERS)) == 400


def test_a_ring_that_asks_for_lists_and_says_that_it_saw_cards_counts_for_a_few(tmp_path: Path) -> None:
    with started(tmp_path, workers=1) as site:
        for number in range(100):
            reader = f"ring-{number}"
            token, (first, *_) = listed(site, reader=reader, article="a4")
            seen = {"kind": "impression", "reader": reader, "article": first, "impression": token, "position": 0}
            click = {"reader": reader, "article": "a4", "impression": token}
            parts: list[list[dict[str, Any]]] = [[seen, click]] if number % 2 else [[seen], [click]]
            for part in parts:
                post(site, *part, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        assert clicks(site)["a4"] <= 2 * FEW < 0.1 * 100, "those who saw a card first, and those who had not yet"
        marked = [event for event in site.store.events_after(SITE, 0, 999) if event.proof == Evidence.CROWDED]
        assert len(marked) >= 100 - 2 * FEW
        token, (card, *_) = listed(site, reader="ann")
        ann = {"reader": "ann", "article": card, "impression": token, "position": 0}
        before = clicks(site).get(card, 0)
        post(site, ann | {"kind": "impression"}, ann)
        assert clicks(site)[card] == before + 1, "a card of a list"


def test_newcomers_count_in_the_company_of_others_and_as_often_as_is_usual_on_the_site() -> None:
    clock = [0.0]
    counted = Newcomers(1, lambda: clock[0])
    assert [counted.admit("a", held=False) for _ in range(FEW + 1)] == [True] * FEW + [False]
    assert counted.admit("a", held=True), "strangers take no place of those who saw a card"
    assert counted.admit("b", held=False), "another article"
    usual = counted.usual
    assert usual == pytest.approx(TIMES * (USUAL + FEW + 2) / KNOWN)
    counted.see_other("a")
    more = sum(counted.admit("a", held=False) for _ in range(100))
    assert usual - 1 <= more <= usual + 1, "somebody known, or a card"
    clock[0] = 3_600.0
    assert counted.admit("a", held=False), "an hour later"
    for number in range(2_000):
        counted.admit(f"n{number}", held=False)
    assert counted.usual == AT_MOST, "whatever floods the site"


def test_who_was_here_an_hour_ago_is_no_newcomer(tmp_path: Path) -> None:
    with started(tmp_path, workers=1) as site:
        key = {"Authorization": f"Bearer {site.store.add_token('cms', Scope.WRITE, SITE)}"}
        past = [
            {"event_id": f"p{n}", "reader": f"r{n}", "article": "a2", "time": now_ms() - 2 * HOUR_MS} for n in range(20)
        ]
        post(site, *past, headers=key)
        for number in range(20):
            token, (first, *_) = listed(site, reader=f"r{number}")
            seen = {"kind": "impression", "reader": f"r{number}", "article": first, "impression": token}
            post(site, seen)
            post(site, {"event_id": f"q{number}", "reader": f"r{number}", "article": "a4"})
        assert clicks(site)["a4"] == 20


def test_a_rate_fills_again_in_its_time_and_its_table_is_bounded() -> None:
    clock = [0.0]
    rate = Attempts(10, 6.0, lambda: clock[0], size=4)
    assert [rate.take("a", 5) for _ in range(3)] == [0.0, 0.0, pytest.approx(30.0)]
    clock[0] = 29.9
    assert rate.take("a", 5) == pytest.approx(0.1)
    clock[0] = 30.0
    assert rate.take("a", 5) == 0.0
    assert rate.take("b", 99) == 0.0, "more than may be at once is given to who has used nothing"
    assert rate.take("b") > 60.0
    for number in range(9):
        rate.take(str(number))
    assert len(rate) <= 4
    assert rate.take("b") > 60.0, "whoever used most is forgotten last"


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("198.51.100.7", "", 0, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", 0, "198.51.100.7"),  # whoever writes the header himself
        ("127.0.0.1", "", 0, None),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", 0, "203.0.113.9"),  # the proxy of this machine adds the last one
        ("10.0.0.2", "1.1.1.1, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.2", "1.1.1.1, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9", 2, "203.0.113.9"),
        ("10.0.0.2", "", 1, "10.0.0.2"),
        ("[::1]", "203.0.113.9:4711", 0, "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:0db8:0001:0002"),
        ("10.0.0.2", "[2001:db8:1:2::9]:80", 1, "2001:0db8:0001:0002"),
        ("::ffff:198.51.100.7", "", 0, "198.51.100.7"),
        ("10.0.0.2", "unknown", 1, "unknown"),
    ],
)
def test_an_address_is_the_readers_and_a_forwarded_one_is_believed_of_proxies_alone(
    peer: str, forwarded: str, proxies: int, expected: str | None
) -> None:
    environ = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    address = reader_address(environ, proxies)
    assert (None if address is None else network_of(address)) == expected


def test_a_list_longer_than_a_token_has_room_for_counts_its_rest_as_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(impressions, "_MAX_ARTICLES", 2)
    tokens = ImpressionTokens(KEY)
    said = tokens.read(tokens.make(ImpressionFacts(NOW_S, None), ["a", "b", "c"]))
    assert said is not None
    assert (len(said.names), said.is_whole) == (2, False)
