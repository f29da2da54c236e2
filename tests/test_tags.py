"""Tags: how they are folded and found, a reader's own, what an unknown one may mean, how all is answered."""

import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import networkx as nx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from recsys.catalogue.annotations import NightlyAnnotations
from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle, guesses
from recsys.catalogue.catalogue import Catalogue
from recsys.recommend.reasons import repeated_keywords, shared_keywords
from recsys.store import Article
from recsys.tags import MAX_TAG, TagKind, fold, pieces, tag_key
from recsys.tags import index as tag_index
from recsys.tags.graph import tag_graph, two_steps_away, write_related
from recsys.tags.index import TagIndex
from recsys.tags.profile import profile
from recsys.tags.related import frequent, load_related, meant, related
from recsys.workspace import write_json, write_table
from tests.newsroom import SITE, Toy
from tests.service import Service, article, copy_of, fill, plain_settings, serving
from web.tagging import tag_list

NOW = 1_790_000_000_000
HOUR = 3_600_000


def story(number: int, *keywords: str, **more: Any) -> CatalogueArticle:
    weights = tuple(1.0 / (place + 2) for place in range(len(keywords)))
    facts: dict[str, Any] = {"title": f"Story {number}", "language": "en", "published_at": NOW - number * HOUR}
    if category := more.get("category"):
        facts["bar"] = ((category, 1.0),)
    parts = {"keywords": keywords, "weights": weights, "parts": keywords}
    return CatalogueArticle(**(facts | parts | more))


def catalogue(*entries: CatalogueArticle) -> Catalogue:
    made = Catalogue((), len(entries) + 4)
    for number, entry in enumerate(entries):
        made.put(f"a{number}", entry)
    return made


def newest(made: Catalogue, allowed: npt.NDArray[Any]) -> list[CatalogueArticle]:
    return [made.article(row) for row in made.newest(allowed, 200).tolist()]


def rows(found: Sequence[Any] | np.ndarray[Any, Any]) -> list[int]:
    return sorted(int(row) for row in found)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Interest_Rates", "interest rate"),
        ("interest-rate", "interest rate"),
        ("  Central   BANKS ", "central bank"),
        ("companies", "company"),
        ("boxes", "box"),
        ("class", "class"),
        ("news", "news"),
        ("ＡＩ", "ai"),
        ("人工 智能", "人工智能"),
        ("5G 手机", "5g手机"),
        ("", ""),
        (" \t", ""),
        ("x" * (MAX_TAG + 1), ""),
    ],
)
def test_a_tag_is_looked_up_by_its_folded_form(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(folded) == folded


def test_rows_are_found_by_any_of_their_tags_and_by_no_old_one() -> None:
    index = TagIndex(3)
    index.put(0, ["bank", "rate", "", "bank"])
    index.put(2, ["bank"])
    assert rows(index.rows("bank")) == [0, 2]
    index.put(0, ["rate"])
    assert (rows(index.rows("bank")), rows(index.rows("rate"))) == ([2], [0])
    assert rows(index.rows("")) == []
    assert rows(index.rows("unknown")) == []


def test_the_index_agrees_with_plain_sets_however_often_rows_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_index, "TAIL", 16)
    rng, index = np.random.default_rng(1), TagIndex(40)
    plain: dict[int, set[str]] = {}
    for _ in range(400):
        row = int(rng.integers(40))
        plain[row] = {f"t{tag}" for tag in rng.integers(30, size=int(rng.integers(6)))}
        index.put(row, plain[row])
    for tag in (f"t{number}" for number in range(30)):
        assert rows(index.rows(tag)) == [row for row in range(40) if tag in plain.get(row, ())]
    postings = len(index._layers.merged.keys) + index._layers.used
    assert postings <= sum(map(len, plain.values())) + 2 * 16, "dead postings are dropped"


def test_what_a_release_says_outlives_the_merges_and_dies_with_the_article_s_next_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tag_index, "TAIL", 2)
    keys = np.full(2, tag_key("bank"), np.int64)
    released = tag_index.Postings(keys, np.array([0, 1], np.int32), np.zeros(2, np.int32))
    index = TagIndex(9, released)
    for row in range(2, 9):
        index.put(row, [f"t{row}"])
    assert rows(index.rows("bank")) == [0, 1]
    index.put(0, ["rate"])
    assert (rows(index.rows("bank")), rows(index.rows("rate"))) == ([1], [0])


def test_a_list_is_read_while_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_index, "TAIL", 32)
    index, done = TagIndex(2000), threading.Event()

    def write() -> None:
        for row in range(2000):
            index.put(row, ["always", f"tag{row}"])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    sizes = [0]
    while not done.is_set():
        sizes.append(len(index.rows("always")))
    writer.join()
    assert sizes == sorted(sizes)
    assert len(index.rows("always")) == 2000


def test_an_article_is_found_under_what_it_shows_and_under_no_guess_that_was_not_taken() -> None:
    words, bar = ("rates", "bank"), guesses([("markets", 0.381), ("arts", 0.2)])
    traits = ArticleAnnotations("en", words, (0.5, 0.2), words, None, bar)
    unsure = CatalogueArticle.of(Article("a", SITE, "T"), traits)
    assert [(tag.name, tag.weight) for tag in unsure.tags.bar] == [("markets", 0.38), ("arts", 0.2)]
    assert [tag.name for tag in unsure.tags.stem] == ["rates", "bank"]
    assert unsure.found_under - {""} == {"rate", "bank"}
    given = CatalogueArticle.of(Article("a", SITE, "T", category="Sports"), traits)
    assert [(tag.name, tag.weight, tag.kind) for tag in given.tags.bar] == [("Sports", 1.0, TagKind.CATEGORY)]
    assert given.found_under == {"rate", "bank", "sport"}
    topic = CatalogueArticle.of(Article("a", SITE, "T"), traits._replace(topic=True, labels=(("mood", "good", 0.9),)))
    assert [(tag.kind, tag.task) for tag in topic.tags.bar][1:] == [(TagKind.TOPIC, None), (TagKind.LABEL, "mood")]
    assert "good" in topic.found_under


def test_an_article_is_found_under_the_words_and_pairs_of_its_phrases() -> None:
    assert dict(pieces("key interest rates")) == {
        "key interest rate": "key interest rates",
        "key": "key",
        "interest": "interest",
        "rate": "rates",
        "key interest": "key interest",
        "interest rate": "interest rates",
    }
    assert [folded for folded, _ in pieces("人工 智能")] == ["人工智能", "人工", "智能"]
    assert [folded for folded, _ in pieces("new_york")] == ["new york"]
    made = catalogue(story(0, "key interest rates", "bank"), story(1, "interest rate"), story(2, "rate of interest"))
    assert rows(made.tagged([fold("Interest Rate")], NOW)) == [0, 1]
    found = tag_list(made, "interest-rates", None, NOW, 0, 5)
    assert found is not None
    assert (found.tag.name, found.articles) == ("interest rate", 2)
    assert [borne.name for _, borne in found.bearing] == ["key interest rates", "interest rate"]
    whole = tag_list(made, "Key  Interest", None, NOW, 0, 5)
    assert whole is not None
    assert (whole.tag.name, whole.articles) == ("Key Interest", 1)


def test_two_articles_share_what_is_a_keyword_of_one_and_a_piece_of_the_other() -> None:
    made = catalogue(
        story(0, "key interest rates", "bank", "south coast"),
        story(1, "interest rate", "rate", "central bank", "south pole"),
    )
    one, other = (made.articles.forms(row).unpacked() for row in range(2))
    assert shared_keywords(one, other, 5) == ("interest rates", "bank")
    assert shared_keywords(other, one, 5) == ("interest rate", "bank")
    assert repeated_keywords([made.articles.forms(row) for row in range(2)]) == {"interest rate", "rate", "bank"}


def test_a_reader_has_tags_of_the_same_shape_that_fade_with_the_clicks() -> None:
    made = catalogue(
        story(0, "goal", "coach", category="football"),
        story(1, "goals", "referee", category="football"),
        story(2, "bonds", category="markets"),
        story(3, "secret", category="hidden", hidden=True),
    )
    clicked = [made.articles[2], made.articles[0], None, made.articles[1]]  # one of them may not be quoted
    tags = profile(clicked, [1 / 15, 2 / 15, 4 / 15, 8 / 15])
    assert [(tag.name, round(15 * tag.weight, 3)) for tag in tags.bar] == [("football", 10), ("markets", 1)]
    stem = {tag.name: round(15 * tag.weight, 3) for tag in tags.stem}
    assert stem == {"goals": 6.0, "referee": 3.2, "bonds": 1.0, "coach": 0.8}  # 3 of 5 of a click go to the first word
    assert list(stem) == sorted(stem, key=lambda name: -stem[name])
    assert profile([], []) == ((), ())


def test_related_tags_stand_together_oftener_than_by_chance() -> None:
    made = catalogue(
        *(story(number, "bank", "rate", "today") for number in range(3)),
        *(story(number, f"other{number}", "today") for number in range(3, 12)),
    )
    found = related(newest(made, made.tagged(["bank"], NOW)), made.tags, {"bank"}, 5)
    assert [tag.name for tag in found] == ["rate", "today"]
    assert found[0].weight == pytest.approx(1.0)
    assert found[1].weight == pytest.approx(3 / np.sqrt(3 * 12))
    assert [tag.name for tag in frequent(newest(made, np.flatnonzero(made.eligible(NOW).showable)), 2)] == [
        "today",
        "bank",
    ]


def test_the_tag_graph_leads_to_what_two_neighbours_have_in_common() -> None:
    pairs = ("bowler spin", "bowler test", "wicket spin", "wicket test", "test strike")
    graph = tag_graph([pair.split() for pair in 2 * pairs])
    assert graph["bowler"]["spin"]["weight"] == 2 / np.sqrt(4 * 4)
    assert two_steps_away(graph, graph, "bowler") == []  # each way there weighs less than a quarter
    nx.set_edge_attributes(graph, {("spin", end): {"weight": 0.8} for end in ("bowler", "wicket")})
    nx.set_edge_attributes(graph, {("test", end): {"weight": 0.5} for end in ("bowler", "wicket", "strike")})
    assert two_steps_away(graph, graph, "bowler") == [("wicket", 0.8 * 0.8)]


def test_a_tag_of_few_articles_gets_the_relatives_of_its_relatives(tmp_path: Path) -> None:
    texts = [["Goals", "coach", "league"]] * 2 + [["coach", "league", "referees"]] * 2
    write_table(tmp_path / "keywords.parquet", pa.table({"parts": texts}))
    assert write_related(tmp_path / "keywords.parquet", tmp_path) == 2
    made = catalogue(*(story(row, *keywords) for row, keywords in enumerate(texts)))
    made.tags.further = load_related(tmp_path)
    assert [(tag.name, round(tag.weight, 2)) for tag in made.tags.further["goal"]] == [("referees", 0.5)]

    def beside(tag: str) -> list[str]:
        found = tag_list(made, tag, None, NOW, 0, 5)
        return [] if found is None else [one.name for one in found.related]

    assert beside("goals") == ["coach", "league", "referees"]
    made.take_down("a2")
    made.take_down("a3")
    assert beside("goals") == ["coach", "league"], "no article that may be shown bears the other"


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("intrest rate", ["interest rate", "interest", "rate"]),
        ("rate cut", ["rate", "interest rate"]),
        ("智能", ["人工智能"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_an_unknown_tag_is_answered_with_what_may_have_been_meant(asked: str, offered: list[str]) -> None:
    made = catalogue(story(0, "interest rate", "bank"), story(1, "人工智能", language="zh"))
    assert meant(newest(made, np.flatnonzero(made.eligible(NOW).showable)), fold(asked), 3) == offered


def written(folder: Path, **columns: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "keywords.parquet" if "keywords" in columns else "articles.parquet"
    write_table(folder / name, pa.table({"id": ["a", "b"]} | columns))


def test_a_releases_articles_have_their_keywords_categories_and_labels(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    write_table(tmp_path / "articles" / "ids.parquet", pa.table({"id": ["a", "b"], "language": ["en", "zh"]}))
    keywords = [["new york"], ["人工智能"] * 40]
    written(
        tmp_path / "keywords", keywords=keywords, weights=[[0.5], [0.01] * 40], parts=[["new_york"], ["人工 智能"] * 40]
    )
    bar = [[{"category": "world", "confidence": 0.554}], []]
    written(tmp_path / "categories", category=["world", None], bar=bar, topic=[True, False])
    for task, labels in {"mood": ["good", None], "length": ["short", "long"]}.items():
        written(tmp_path / "tasks" / task, label=labels, confidence=[0.875, 1.0])
    write_json(tmp_path / "tasks" / "tasks.json", {"tasks": [{"task": "mood"}, {"task": "length"}]})
    said = dict(zip("bac", NightlyAnnotations(tmp_path.joinpath).of(["b", "a", "c"]), strict=True))
    labels = (("mood", "good", 0.88), ("length", "short", 0.88))
    assert said["a"] == ArticleAnnotations(
        "en", ("new york",), (0.5,), ("new_york",), "world", (("world", 0.55),), True, labels
    )
    assert (said["b"].category, said["b"].bar, said["b"].labels) == (None, (), (("length", "long", 1.0),))
    assert len(said["b"].keywords) == len(said["b"].parts) == 12
    assert said["c"] == ArticleAnnotations("und")  # came since, and no stage knows it


@pytest.fixture(scope="module")
def trained(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(copy_of(toy, tmp_path_factory.mktemp("tags"))) as service:
        yield service


def stem_of(service: Service, name: str) -> list[str]:
    return [tag["tag"] for tag in service.get(f"/api/v1/articles/{name}")["tags"]["stem"]]


def test_every_article_of_a_release_has_tags_and_is_found_under_each(trained: Service, toy: Toy) -> None:
    for name, topic in list(toy.topic.items())[::5]:
        made = trained.get(f"/api/v1/articles/{name}")
        assert (made["tags"]["bar"][0]["tag"], made["category"]) == (topic, topic)
        weights = [tag["weight"] for tag in made["tags"]["stem"]]
        assert weights == sorted(weights, reverse=True)
        for tag in (*made["tags"]["stem"][:3], made["tags"]["bar"][0]):
            listed = trained.get(f"/api/v1/tags/{quote(tag['tag'], safe='')}", k=50, include="tags,scores")
            item = next(item for item in listed["items"] if item["id"] == name)
            assert item["score"] == pytest.approx(tag["weight"])
            assert item["tags"] == made["tags"]
            assert item["reason"]["kind"] == "tagged"


def test_a_tag_is_found_in_any_case_and_number(trained: Service) -> None:
    word = stem_of(trained, "football-0")[0]
    answers = [trained.get(f"/api/v1/tags/{form}") for form in (word, word.upper(), word + "s")]
    assert answers[0]["articles"] > 0
    assert answers[0] == answers[1] == answers[2]


def test_an_unknown_tag_is_a_problem_that_offers_others(trained: Service) -> None:
    answer = trained.client.get("/api/v1/tags/penaltyy")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown-tag")  # type: ignore[index]
    assert "penalty" in answer.json["remedy"]  # type: ignore[index]


def test_readers_get_tags_like_an_articles_and_strangers_get_none(trained: Service, toy: Toy) -> None:
    made = trained.tags_of("football-fan-03")
    assert made["clicks"] == 7
    assert [tag["tag"] for tag in made["tags"]["bar"]] == ["football"]
    assert made["tags"]["bar"][0]["weight"] == pytest.approx(1.0)
    assert 0.5 < sum(tag["weight"] for tag in made["tags"]["stem"]) <= 1.0
    shape = trained.get("/api/v1/articles/football-0")["tags"]
    assert shape["stem"][0].keys() == made["tags"]["stem"][0].keys()
    stranger = trained.tags_of("no-body")
    assert stranger == {"reader": "no-body", "clicks": 0, "tags": {"bar": [], "stem": []}}
    trained.click("markets-1", session="visit")
    assert trained.tags_of("no-body", session="visit")["tags"]["bar"][0]["tag"] == "markets"
    answer = trained.client.get("/api/v1/readers/no-body/tags", headers=trained.proof("no-body"))
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("reader", ["x" * 257, "a%00b"])
def test_an_impossible_reader_is_refused(trained: Service, reader: str) -> None:
    answer = trained.client.get(f"/api/v1/readers/{reader}/tags")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")  # type: ignore[index]


def test_a_posted_article_is_found_by_its_tags_within_a_second_and_a_hidden_one_no_longer(
    toy: Toy, tmp_path: Path
) -> None:
    with serving(copy_of(toy, tmp_path, poll_seconds=0.05)) as service:
        word = stem_of(service, "football-0")[0]
        before = service.get(f"/api/v1/tags/{word}")["articles"]
        for articles, ids in ((before + 1, True), (before, False)):
            if ids:
                service.store.put_articles([article("live", title=word, body=f"{word} " * 20)])
            else:
                service.store.hide_article(SITE, "live", "ann")
            deadline = time.monotonic() + 1.0
            while service.get(f"/api/v1/tags/{word}")["articles"] != articles:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            listed = service.get(f"/api/v1/tags/{word}", k=50)["items"]
            assert ("live" in {item["id"] for item in listed}) is ids
            assert service.client.get("/api/v1/articles/live").status_code == (200 if ids else 404)


def test_what_may_not_be_shown_is_under_no_tag(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    past = {"expires_at": NOW}
    gone = [article("hidden", category="x", hidden=True), article("old", category="x", **past)]
    other = Article("other", "another-site", "T", language="en", category="x", published_at=NOW)
    fill(settings, article("shown", category="x"), *gone, other, article("later", category="x", published_at=NOW * 2))
    with serving(settings) as service:
        made = service.get("/api/v1/tags/X")
        assert (made["articles"], [item["id"] for item in made["items"]]) == (1, ["shown"])
        assert (made["tag"], made["name"], made["kind"]) == ("x", "X", "category")
        assert "shown" in service.client.get("/tags/X?lang=en").text
        assert service.client.get("/api/v1/articles/hidden").status_code == 404


def test_categories_are_found_by_their_names_in_both_languages(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    zh = {"title": "标题", "language": "zh"}
    chinese = [article("zh", category="sports", **zh), article("体", category="体育", **zh)]
    fill(settings, article("en", category="sports"), *chinese)
    with serving(settings) as service:
        for tag in ("sports", "Sport", "体育", "SPORTS"):
            found = service.get(f"/api/v1/tags/{quote(tag)}")
            assert {item["id"] for item in found["items"]} == {"en", "zh", "体"}
            assert service.get(f"/api/v1/tags/{quote(tag)}", lang="en")["items"][0]["id"] == "en"


HOSTILE = (
    '<script>alert("x")</script>',
    "../../etc/passwd",
    "a/b",
    "?a=b#c&d",
    "'; drop table articles; --",
    "%00",
    "{{ 7 * 7 }}",
    "\u202egnirts",
    "\U0001f600",
    "x" * 10_000,
    "s" * 199 + "'",
)


@pytest.mark.parametrize("tag", HOSTILE)
def test_a_hostile_tag_is_text_on_a_page_and_a_problem_of_the_api(trained: Service, tag: str) -> None:
    path = quote(tag, safe="")
    page = trained.client.get(f"/tags/{path}?lang=en")
    assert page.status_code == 404
    assert "<script>alert" not in page.text
    assert len(page.text) < 20_000
    answer = trained.client.get(f"/api/v1/tags/{path}")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert len(answer.text) < 2_000
    search = trained.client.get("/tags", query_string={"q": tag})
    assert search.status_code == 302
    assert search.headers["Location"].startswith("/tags/")


@pytest.mark.parametrize("tag", ["a/b c?d#e", '"quoted" & <b>', "人工 智能/二", "100%", "x;y=z"])
def test_a_tag_of_any_letters_has_a_page_that_leads_to_it(tmp_path: Path, tag: str) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, article("odd", category=tag))
    with serving(settings) as service:
        path = f"/tags/{quote(tag, safe='')}"
        page = service.client.get(f"{path}?lang=en")
        assert (page.status_code, 'href="/article/odd"' in page.text) == (200, True)
        assert service.get(f"/api/v1{path}")["items"][0]["id"] == "odd"


def test_pages_of_a_long_list_hold_every_article_once(tmp_path: Path) -> None:
    settings = plain_settings(tmp_path)
    fill(settings, *(article(f"n{number:02}", category="x") for number in range(65)))
    with serving(settings) as service:
        pages = [service.client.get(f"/tags/x?lang=en&page={page}").text for page in (1, 2, 3)]
        found = [re.findall(r'data-article="(n\d\d)" data-slot="tag"', page) for page in pages]
        assert [len(page) for page in found] == [30, 30, 5]
        assert len({name for page in found for name in page}) == 65
        assert ['rel="next"' in page for page in pages] == [True, True, False]
        assert 'href="/tags/x?page=2"' in pages[0]
        for page in ("4", "0", "-1", "two", "99999999999999999999"):
            assert service.client.get("/tags/x", query_string={"page": page}).status_code == 404
        listed = service.get("/api/v1/tags/x", k=10, offset=60)
        assert (listed["articles"], len(listed["items"])) == (65, 5)
        assert service.get("/api/v1/tags/x", offset=65)["items"] == []


def test_the_page_of_tags_leads_to_every_frequent_one(trained: Service) -> None:
    page = trained.client.get("/tags?lang=en").text
    links = re.findall(r'class="chip w\d" href="(/tags/[^"]+)"', page)
    assert links
    assert all(trained.client.get(link).status_code == 200 for link in links)
    assert trained.client.get("/tags?q=%20").status_code == 200


def test_a_site_without_articles_has_an_empty_page_of_tags(tmp_path: Path) -> None:
    with serving(plain_settings(tmp_path)) as service:
        assert "no tags" in service.client.get("/tags?lang=en").text
        assert service.client.get("/tags/anything").status_code == 404
        assert service.client.get("/api/v1/tags/anything").status_code == 404
        assert service.tags_of("r")["clicks"] == 0
