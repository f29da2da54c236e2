"""The public API: answers, fallback tiers, copies of one text, what is told of itself, and every way to ask wrongly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from jobs.runner import open_store
from recsys.recommend.answer import Recommender
from recsys.store import Article
from recsys.telemetry import STAGE_SECONDS, Stage
from recsys.units import now_ms
from tests.newsroom import HOUR, NOW, Toy, fill_toy, toy_settings, train
from tests.service import Service, article, copy_of, fill, four, plain_settings, problem, serving
from web.api import schemas
from web.api.direct import plain_query
from web.gateway.wsgi import CHEAP


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Service]:
    """Four articles, no click, no release."""
    with four(tmp_path) as service:
        yield service


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that leave it as it is."""
    with four(tmp_path_factory.mktemp("quiet")) as service:
        yield service


@pytest.fixture(scope="module")
def trained(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The trained toy newsroom; tests here only read, or act as readers of their own."""
    with serving(copy_of(toy, tmp_path_factory.mktemp("trained"))) as service:
        yield service


def test_a_fresh_installation_lists_the_newest_and_says_so(quiet: Service) -> None:
    made = quiet.get("/api/v1/recommendations", k=3)
    assert (made["tier"], made["release"], made["reader"]) == ("fresh", None, None)
    assert [item["id"] for item in made["items"]] == ["a1", "a2", "a3"]
    assert [item["position"] for item in made["items"]] == [0, 1, 2]
    assert len(made["impression_id"]) == 60


def test_an_empty_catalogue_gives_an_honest_nothing(tmp_path: Path) -> None:
    with serving(plain_settings(tmp_path)) as service:
        made = service.get("/api/v1/recommendations", reader="r", article="nobody-knows")
        assert (made["tier"], made["items"]) == ("empty", [])
        assert service.get("/api/v1/today")["items"] == []


def test_a_click_changes_the_readers_next_list(site: Service) -> None:
    assert site.ids(reader="r") == ["a1", "a2", "a3", "a4"]
    site.click("a1", reader="r")
    made = site.get("/api/v1/recommendations", reader="r", k=2)
    assert (made["tier"], [item["id"] for item in made["items"]]) == ("category-popular", ["a3", "a2"])
    assert made["items"][0]["reason"]["text"] == "From X", "one click says no liking"
    assert site.ids() == ["a1", "a2", "a3", "a4"]


def test_a_dismissed_article_does_not_come_back(site: Service) -> None:
    site.client.post("/api/v1/events", json={"event_id": "d", "kind": "dismiss", "article": "a2", "session": "s"})
    assert site.ids(session="s") == ["a1", "a3", "a4"]


def test_a_withheld_article_is_recommended_and_what_is_said_of_it_is_true(trained: Service, toy: Toy) -> None:
    for reader, withheld in list(toy.withheld.items())[::6]:
        made = trained.get("/api/v1/recommendations", reader=reader, k=3)
        assert (made["tier"], made["release"]) == ("personal", toy.release().name)
        first = made["items"][0]
        assert first["id"] == withheld
        assert first["reason"]["kind"] in ("because_you_read", "because_you_like")
        named = [item for item in made["items"] if item["reason"]["kind"] == "because_you_read"]
        assert all(toy.topic[item["reason"]["article"]] == toy.topic[item["id"]] for item in named)
        assert len({item["reason"]["article"] for item in named}) == len(named), "each article read is named once"


def test_a_browser_says_what_was_opened_last_and_nothing_of_it_is_kept(trained: Service, toy: Toy) -> None:
    stranger, events = trained.get("/api/v1/recommendations", k=4), trained.store.last_seq(trained.live.site)
    made = trained.get("/api/v1/recommendations", recent="markets-3,markets-4", k=4)
    assert (made["tier"], made["reader"]) == ("personal", None)
    assert toy.topic[made["items"][0]["id"]] == "markets"
    assert {item["id"] for item in made["items"]}.isdisjoint({"markets-3", "markets-4"})
    late = ",".join([*(f"b{n}" for n in range(20)), "markets-3"])
    for other in ({}, {"recent": "nobody-knows,,"}, {"recent": late}, {"recent": "markets-3", "session": "new"}):
        assert trained.get("/api/v1/recommendations", k=4, **other)["tier"] == stranger["tier"] != "personal", other
    assert trained.store.last_seq(trained.live.site) == events


def test_the_open_article_stands_for_a_stranger(trained: Service, toy: Toy) -> None:
    made = trained.get("/api/v1/recommendations", article="markets-3", k=4)
    assert made["tier"] == "session"
    assert "markets-3" not in [item["id"] for item in made["items"]]
    assert toy.topic[made["items"][0]["id"]] == "markets"


def test_similar_articles_are_of_the_same_topic(trained: Service, toy: Toy) -> None:
    made = trained.get("/api/v1/articles/football-2/similar", k=5)
    assert {toy.topic[item["id"]] for item in made["items"]} == {"football"}
    assert {item["reason"]["kind"] for item in made["items"]} == {"similar"}


def test_a_new_article_is_understood_and_recommended_within_a_poll(
    trained: Service, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "striker penalty goal keeper coach league referee stadium defender midfield"
    monkeypatch.setattr(
        "recsys.serving.live.now_ms", lambda: NOW + HOUR
    )  # an hour after the toy's last day, not months
    trained.store.put_articles([article("late-goal", title="Goal", body=words, published_at=NOW)])
    trained.live.refresh()
    entry = trained.live.catalogue.article(trained.live.catalogue.row_of["late-goal"])
    assert entry.category == "football"
    assert {word for keyword in entry.keywords for word in keyword.split()} <= set(words.split())
    similar = trained.get("/api/v1/articles/late-goal/similar", k=3)["items"]
    assert {toy.topic[item["id"]] for item in similar} == {"football"}
    assert "late-goal" in trained.ids(reader="football-fan-03", k=3)


def test_what_the_page_shows_already_is_named_by_id_or_address_and_not_listed(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(
        settings,
        article("a,1", title="with a comma"),
        article("a2", title="plain"),
        article("a3", title="by its address", url="https://example.org/news/3"),
        article("a4", title="left"),
    )
    with serving(settings) as service:

        def listed(exclude: str) -> set[str]:
            return {item["id"] for item in service.get("/api/v1/recommendations", exclude=exclude)["items"]}

        assert listed("a2") == {"a,1", "a3", "a4"}
        assert listed("a%2C1,a2,a3,a4") == {"a,1", "a2", "a3", "a4"}, (
            "a page that shows all there are has no empty list"
        )
        assert listed("a%2C1,nobody-knows,,a2") == {"a3", "a4"}
        assert listed("http://www.example.org/news/3/?utm_source=x,a2") == {"a,1", "a4"}
        assert listed(",".join([*(f"b{n}" for n in range(99)), "a2", "a4"])) == {"a,1", "a3", "a4"}, "a hundred count"
        problem(service.client.get("/api/v1/recommendations", query_string={"exclude": "a" * 20_000}), 422, "invalid")


def test_today_counts_clicks_since_midnight(site: Service) -> None:
    for number in range(3):
        site.click("a3", reader=f"r{number}")
    site.click("a1", reader="r1")
    site.click("a4", reader="r1", time=now_ms() - 48 * 3_600_000)
    site.click("not-in-the-catalogue", reader="r1")
    made = site.get("/api/v1/today")
    assert [(item["id"], item["clicks"]) for item in made["items"]] == [("a3", 3), ("a1", 1)]
    assert made["timezone"] == "UTC"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/v1/recommendations?k=0", "k"),
        ("/api/v1/recommendations?k=51", "k"),
        ("/api/v1/recommendations?k=ten", "k"),
        ("/api/v1/recommendations?lang=", "lang"),
        ("/api/v1/recommendations?lang=fr%20or%20de", "lang"),
        ("/api/v1/recommendations?reader=", "reader"),
        ("/api/v1/recommendations?reader=a%00b", "reader"),
        ("/api/v1/recommendations?session=" + "x" * 257, "session"),
        ("/api/v1/recommendations?reader=1.73079E%2B12", "lost its last digits"),
        ("/api/v1/recommendations?article=9.58e%2B299", "lost its last digits"),
        ("/api/v1/recommendations?raeder=r", "raeder"),
        ("/api/v1/recommendations?include=tags,faces", "any of tags, keywords, scores"),
        ("/api/v1/tags/x?include=", "any of tags, keywords, scores"),
        ("/api/v1/articles/a1/similar?k=-1", "k"),
        ("/api/v1/today?lang=%F0%9F", "lang"),
    ],
)
def test_a_wrong_parameter_is_named(quiet: Service, path: str, named: str) -> None:
    assert named in problem(quiet.client.get(path), 422, "invalid")


CARD = {
    *("id", "title", "url", "image", "source", "category", "category_name", "language", "published_at", "position"),
    "reason",
}


@pytest.mark.parametrize(
    ("include", "more"),
    [
        (None, set()),
        ("tags", {"tags"}),
        ("keywords,scores", {"keywords", "score", "score_kind"}),
        ("scores,tags,keywords", {"keywords", "score", "score_kind", "tags"}),
    ],
)
def test_items_bear_what_a_card_shows_and_what_is_asked_for(
    trained: Service, toy: Toy, include: str | None, more: set[str]
) -> None:
    asked = {} if include is None else {"include": include}
    trained.click("football-0", reader="someone")
    lists: list[tuple[str, type[BaseModel], dict[str, Any]]] = [
        ("/api/v1/recommendations", schemas.Recommendations, {"reader": "football-fan-00", "lang": "zh"}),
        ("/api/v1/recommendations", schemas.Recommendations, {"reader": "nobody-yet"}),
        ("/api/v1/articles/football-2/similar", schemas.Similar, {}),
        ("/api/v1/tags/football", schemas.Tagged, {}),
        ("/api/v1/stories/football-0", schemas.Story, {}),
        ("/api/v1/today", schemas.Today, {}),
    ]
    for path, schema, query in lists:
        made = trained.get(path, **query, **asked)
        checked = schema.model_validate(made).model_dump(mode="json", exclude_unset=True)
        assert checked == made, "nothing is sent that the schema lacks"
        for item in made["items"]:
            assert item.keys() - {"clicks"} == CARD | more
            article = trained.get(f"/api/v1/articles/{item['id']}", lang=query.get("lang", "en"))
            assert article.items() >= {name: item[name] for name in CARD - {"position", "reason"}}.items()
            assert item.get("tags", article["tags"]) == article["tags"]
            stem = [tag["tag"] for tag in article["tags"]["stem"]]
            assert item.get("keywords", stem[:8]) == stem[:8]


def test_ten_cards_are_six_kilobytes_at_most(trained: Service) -> None:
    assert len(trained.client.get("/api/v1/recommendations?reader=football-fan-00&k=10").data) <= 6_000


def test_an_article_that_changes_is_shown_as_it_is_now(site: Service) -> None:
    before = site.get("/api/v1/recommendations", k=4)["items"]
    site.store.put_articles([article("a2", title="Corrected “title” \u2028 <b>", category="y", published_at=2)])
    site.live.refresh()
    after = {item["id"]: item for item in site.get("/api/v1/recommendations", k=4)["items"]}
    assert after["a2"]["title"] == "Corrected “title” \u2028 <b>"
    assert {item["id"]: item["title"] for item in before if item["id"] != "a2"} == {
        name: item["title"] for name, item in after.items() if name != "a2"
    }


@pytest.mark.parametrize(
    "query",
    ["reader=football-fan-01&k=5", "k=3&lang=zh", "article=markets%2D3&reader=a+b", "include=scores,tags", "session=-"],
)
def test_a_plain_request_is_answered_as_by_the_application(
    trained: Service, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/api/v1/recommendations?{query}"
    direct = trained.client.get(path)
    calls: list[str] = []
    monkeypatch.setattr("web.api.direct.plain_query", lambda text: calls.append(text))
    whole = trained.client.get(path)
    assert calls == [query]
    assert sorted(direct.headers) == sorted(whole.headers)
    one, other = (answer.get_json() for answer in (direct, whole))
    assert one.pop("impression_id") != other.pop("impression_id")
    assert abs(one.pop("generated_at") - other.pop("generated_at")) < 60_000
    for made in (one, other):
        for item in made["items"]:
            assert 0 <= item.pop("score", 0.0) <= 1  # fades meanwhile
    assert one == other


@pytest.mark.parametrize("query", ["k=5&k=6", "reader=%FF", "lang=fr or de", "k=0", "nobody=1", "reader=猫"])
def test_a_request_that_is_not_plain_is_left_to_the_application(query: str) -> None:
    assert plain_query(query) is None


def test_a_plain_query_is_read_as_the_schema_reads_it() -> None:
    asked = plain_query("reader=a%20b&session=null&k=7&lang=zh-CN&slot=front+page")
    assert asked is not None
    assert (asked.reader, asked.session, asked.k, asked.lang, asked.slot) == ("a b", None, 7, "zh", "front page")
    assert plain_query("") == schemas.RecommendationsQuery()


@pytest.mark.parametrize(
    "values",
    [
        {"reader": "r001", "k": "20"},
        {"reader": "football-fan-03", "session": "0b5a-4c7d_9e8f-7a6b", "article": "n12"},
        {"session": "null", "k": "1"},
        {"reader": "None", "article": "undefined"},
        {"reader": "12.0"},
        {"reader": "-7", "k": "50"},
    ],
)
def test_what_needs_no_check_is_read_as_what_is_checked(values: dict[str, str]) -> None:
    asked = plain_query("&".join(f"{name}={value}" for name, value in values.items()))
    assert asked == schemas.RecommendationsQuery.model_validate(values)
    assert plain_query("reader=r001&reader=r002") is None


@pytest.mark.parametrize("who", [{"reader": "football-fan-02"}, {}])
def test_a_loaded_worker_answers_the_cheaper_way_and_says_so(
    trained: Service, who: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {**who, "k": 6, "include": "scores"}
    whole = trained.get("/api/v1/recommendations", **asked)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("a cheap answer asks no click model")

    monkeypatch.setattr("recsys.recommend.rank.candidate_rows", fail)
    answer = trained.client.get("/api/v1/recommendations", query_string=asked, environ_base={CHEAP: True})
    made = answer.get_json()
    assert (whole["degraded"], made["degraded"]) == (False, True)
    assert made["tier"] == whole["tier"]
    assert len(made["items"]) == 6
    assert {item["score_kind"] for item in made["items"]} == ({"similarity"} if who else {"none"})
    assert {item["reason"]["kind"] for item in made["items"]} <= {
        *("because_you_like", "trending", "fresh", "popular", "recommended"),
    }


def test_every_stage_of_a_list_is_timed(trained: Service) -> None:
    def counted() -> dict[str, float]:
        samples = [sample for metric in STAGE_SECONDS.collect() for sample in metric.samples]
        return {sample.labels["stage"]: sample.value for sample in samples if sample.name.endswith("_count")}

    before = counted()
    trained.get("/api/v1/recommendations", reader="football-fan-01", k=20, lang="zh")  # filled from a second language
    after = counted()
    assert {stage: after[stage] - before[stage] for stage in after} == dict.fromkeys(Stage, 1)
    text = trained.client.get("/metrics").text
    assert all(f'recsys_stage_seconds_count{{stage="{stage}"}}' in text for stage in Stage)


def test_unknown_addresses_and_articles_are_problems(quiet: Service) -> None:
    assert "nobody-knows" in problem(quiet.client.get("/api/v1/articles/nobody-knows/similar"), 404, "unknown-article")
    problem(quiet.client.get("/api/v2/recommendations"), 404, "not-found")
    assert "GET" in quiet.client.delete("/api/v1/recommendations").headers["Allow"]
    problem(quiet.client.delete("/api/v1/recommendations"), 405, "method-not-allowed")


def test_an_id_may_hold_anything_that_can_be_printed(site: Service) -> None:
    name = "en/a b?#&=%25é猫"
    site.store.put_articles([article(name)])
    site.live.refresh()
    site.click(name, reader=name)
    assert name not in site.ids(reader=name)
    path = "/api/v1/articles/en/a%20b%3F%23%26%3D%2525%C3%A9%E7%8C%AB/similar"
    assert site.get(path)["article"] == name


def test_without_a_language_a_reason_is_said_in_the_articles_own(site: Service) -> None:
    chinese = [article(name, title="标题", language="zh", category="sports") for name in ("z1", "z2")]
    site.store.put_articles(chinese)
    site.live.refresh()
    site.click("z1", reader="mei")
    (item,) = site.get("/api/v1/recommendations", reader="mei", k=1)["items"]
    assert (item["id"], item["category_name"]) == ("z2", "体育")
    assert not item["reason"]["text"].isascii()


@pytest.mark.parametrize("lang", ["zh", "zh-CN", "zho", "zh_Hant_TW"])
def test_any_code_of_a_language_puts_its_articles_first(site: Service, lang: str) -> None:
    site.store.put_articles([article(f"z{n}", title="标题", language="zh") for n in range(2)])
    site.live.refresh()
    made = site.get("/api/v1/recommendations", k=4, lang=lang)["items"]
    assert [item["language"] for item in made] == ["zh", "zh", "en", "en"]
    assert not made[2]["reason"]["text"].isascii(), "the page is Chinese"


@pytest.mark.parametrize("lang", ["da", "xx", "english"])
def test_a_language_that_nothing_is_written_in_is_nobodys_preference(site: Service, lang: str) -> None:
    made = site.get("/api/v1/recommendations", k=4, lang=lang)["items"]
    assert len(made) == 4
    assert all(item["reason"]["text"].isascii() for item in made), "other languages are spoken to in English"


def test_similar_articles_are_in_the_articles_language_whatever_the_page_speaks(site: Service) -> None:
    chinese = [article(name, title="标题", language="zh", category="sports") for name in ("z1", "z2")]
    site.store.put_articles([*chinese, article("e1", category="sports"), article("e2", category="sports")])
    site.live.refresh()
    found = [site.get("/api/v1/articles/z1/similar", lang=lang)["items"] for lang in ("zh", "en")]
    assert [[item["id"] for item in items] for items in found] == [["z2"], ["z2"]], "nothing else is like it"
    assert found[0][0]["reason"]["text"] != found[1][0]["reason"]["text"]


def test_an_unexpected_error_shows_nothing_but_an_id(
    quiet: Service, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Recommender, "recommend", fail)
    answer = quiet.client.get("/api/v1/recommendations")
    problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert json.loads(answer.text)["request_id"] in capsys.readouterr().out


def test_liveness_and_readiness(quiet: Service) -> None:
    assert quiet.get("/healthz")["status"] == "ok"
    ready = quiet.get("/readyz")
    assert 0 <= ready.pop("behind_seconds") < 60
    assert ready == {"status": "ready", "database": "in reach", "release": None, "articles": 4, "set_aside": []}


def test_personal_answers_are_never_cached_and_any_site_may_ask(quiet: Service) -> None:
    answer = quiet.client.get("/api/v1/recommendations?reader=r", headers={"Origin": "https://news.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    before = quiet.client.options("/api/v1/events", headers={"Origin": "https://news.example"})
    assert before.headers["Access-Control-Allow-Headers"] == "Content-Type, Reader-Token"
    wrong = quiet.client.get("/api/v1/recommendations?k=0")
    assert wrong.headers["Access-Control-Allow-Origin"] == "*"


def test_openapi_describes_every_call_and_the_page_needs_nobody_else(quiet: Service) -> None:
    spec = quiet.get("/openapi.json")
    calls = {(method, path) for path, methods in spec["paths"].items() for method in methods}
    assert calls >= {
        ("get", "/api/v1/recommendations"),
        ("get", "/api/v1/articles/{article_id}/similar"),
        ("get", "/api/v1/articles/{article_id}"),
        ("get", "/api/v1/stories/{story_id}"),
        ("get", "/api/v1/tags/{tag}"),
        ("get", "/api/v1/readers/{reader}/tags"),
        ("get", "/api/v1/today"),
        ("post", "/api/v1/events"),
        ("post", "/admin/api/jobs"),
        ("get", "/admin/api/runs/{run_id}"),
        ("delete", "/admin/api/runs/{run_id}"),
        ("put", "/admin/api/schedules/{name}"),
        ("post", "/admin/api/releases/{name}/activate"),
        ("get", "/readyz"),
    }
    text = json.dumps(spec)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert reference.rsplit("/", 1)[-1] in spec["components"]["schemas"], reference
    k = next(one for one in spec["paths"]["/api/v1/today"]["get"]["parameters"] if one["name"] == "k")
    assert (k["schema"]["default"], k["schema"]["anyOf"][0]) == (10, {"type": "integer", "minimum": 1, "maximum": 50})
    assert set(spec["paths"]["/api/v1/events"]["post"]["responses"]) >= {"202", "400", "413", "415", "422", "503"}
    page = quiet.client.get("/docs").text
    assert "integer ≥ 1 and ≤ 50" in page
    assert "string of 1 to 256 characters" in page
    assert all(path in page for _, path in calls)
    assert "http://" not in page
    assert "https://" not in page


BODY = (
    "The striker missed a penalty in the last minute of the final, and the keeper of the visitors was carried off the"
    " field by his team. The coach said that the league would remember the season for a long time, and the club will"
    " welcome the cup in its stadium tomorrow."
)
LATE = BODY.replace("striker", "winger").replace("penalty", "sitter").replace("coach", "president")


def wire(number: int, **more: Any) -> Article:
    facts = {"title": f"{['Final decided', 'Cup won', 'Late miss'][number % 3]} by the keeper", "body": BODY}
    return article(f"wire-{number}", source=f"Paper {number}", **(facts | more))


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The toy newsroom with six copies of one story, trained and published."""
    settings = toy_settings(tmp_path_factory.mktemp("copies"))
    withheld = fill_toy(settings)
    store = open_store(settings)
    store.put_articles([wire(n, published_at=NOW - HOUR * (n + 1), category="football") for n in range(6)])
    store.close()
    train(settings)
    return Toy(settings, withheld, {})


COUNT_ALL = {"unsigned": "trust"}  # clicks without a list, too


def service_over(newsroom: Toy, **web: Any) -> Any:
    settings = newsroom.settings
    changes = {"web": settings.web.model_copy(update=web), "events": settings.events.model_copy(update=COUNT_ALL)}
    return serving(settings.model_copy(update=changes))


def wires(ids: list[str]) -> list[str]:
    return [name for name in ids if name.startswith("wire")]


def test_every_list_holds_one_copy_and_a_reader_of_one_is_offered_none(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        everyone = [f"football-fan-{n:02d}" for n in range(4)]
        assert all(wires(service.ids(reader=reader, k=50)) == ["wire-0"] for reader in everyone)
        assert wires(service.ids(k=50)) == ["wire-0"]
        service.click("wire-4", reader="football-fan-00")
        assert wires(service.ids(reader="football-fan-00", k=50)) == []
        assert wires(service.ids(reader="football-fan-01", k=50)) == ["wire-0"]
        assert wires(service.ids(reader="new", article="wire-3", k=50)) == []
        assert [item["id"] for item in service.get("/api/v1/today")["items"]] == ["wire-0"]
        tagged = service.get("/api/v1/tags/football", k=50)
        assert wires([item["id"] for item in tagged["items"]]) == ["wire-0"]
        assert tagged["articles"] == len(tagged["items"])
        page = service.client.get("/en/").text
        assert page.count("/en/article/wire-") == page.count("/en/article/wire-0")


@pytest.mark.parametrize("name", ["wire-0", "wire-5"])
def test_similar_to_a_copy_shows_other_stories(newsroom: Toy, name: str) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        items = service.get(f"/api/v1/articles/{name}/similar", k=5)["items"]
        assert len(items) == 5
        assert wires([item["id"] for item in items]) == []
        assert service.get(f"/api/v1/articles/{name}")["id"] == name


def test_an_article_posted_now_joins_its_copies_and_a_take_down_shows_the_next(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        put(service, wire(7, title="Keeper carried off", body="CITY (Wire) - " + BODY))
        assert wires(service.ids(k=50)) == ["wire-7"]
        put(service, wire(7, title="Keeper carried off", body=BODY, hidden=True))
        assert wires(service.ids(k=50)) == ["wire-0"]


def test_copies_that_are_all_newer_than_the_release_are_one_as_well(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        late = [
            article(f"late-{n}", title=f"Winger misses {name}", body=LATE)
            for n, name in enumerate(["sitter", "late", "again"])
        ]
        put(service, *late)
        assert sum(name.startswith("late") for name in service.ids(k=50)) == 1
        assert wires(service.ids(k=50)) != []


def test_copies_are_one_before_the_first_release(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *(wire(n) for n in range(3)), article("other"))
    with serving(settings) as service:
        assert len(wires(service.ids(k=9))) == 1
        assert "other" in service.ids(k=9)


def put(service: Service, *articles: Article) -> None:
    service.store.put_articles(articles)
    service.live.refresh()


def test_finding_a_new_articles_copies_takes_little_memory(newsroom: Toy) -> None:
    with service_over(newsroom, poll_seconds=60.0) as service:
        table = service.live._frame.state.snapshot.leaders._table
        arrays = (table._values, table._before, table._shared)
        assert sum(array[0].nbytes for array in arrays) <= 200
        assert table._last.nbytes <= 8 << 20
        assert np.asarray(table._values).dtype == np.uint16
