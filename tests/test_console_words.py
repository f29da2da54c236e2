"""Words and the map for editors: nearest words, analogies, new words that nights follow, and a plane of articles."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from argon2 import PasswordHasher
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from recsys.articles.plane import category_plane
from recsys.store import ArticlePatch, Scope, Store, WordDecision, hashed_password, passwords
from recsys.tokens.editors_words import decided_entries, load_word_decisions, save_word_decisions
from recsys.tokens.lexicon import Lexicon, LexiconEntry
from recsys.words import WordVectors, load_words
from recsys.words.nearest import nearest_words
from tests.browser import chromium, served
from tests.newsroom import SITE, Toy
from tests.service import Service, copy_of, four, problem, serving
from tests.stores import server, store
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import ask, done
from tests.widgets import until
from web.admin.catalogue_map import beginning
from web.console.words import words

__all__ = ["server", "store"]


def entry(name: str, npmi: float = 0.8) -> LexiconEntry:
    return LexiconEntry(name, "en", tuple(name.split("_")), 12, npmi, 1.5)


def said(name: str, accepted: bool) -> WordDecision:
    return WordDecision("en", name, accepted, tuple(name.split("_")), 12, 0.7, 1.5)


def test_the_nearest_words_are_those_of_the_smallest_angle_and_an_analogy_subtracts() -> None:
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [-1, -1], [1, -1], [-1, 1]], np.float32)
    names = ["king", "prince", "queen", "princess", "tax", "man", "woman"]
    space = WordVectors(names, np.ones(7, np.int64), vectors - vectors.mean(axis=0))
    near = nearest_words(space, ["king"], [], 2)
    assert [one.word for one in near] == ["prince", "man"]
    assert near[0].cosine > near[1].cosine
    assert nearest_words(space, ["king", "woman"], ["man"], 1)[0].word == "queen"
    assert nearest_words(space, ["nothing"], [], 3) == []
    assert [one.word for one in nearest_words(space, ["king", "nothing"], [], 1)] == ["prince"]


def test_categories_lie_apart_on_the_plane_though_most_variance_is_elsewhere() -> None:
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(4), 50)
    vectors = rng.normal(0, 0.05, (200, 6)).astype(np.float32)
    vectors[:, 5] = rng.normal(0, 3, 200)  # most of the variance, and nothing of the categories
    vectors[:, 0] += np.array([1, 1, -1, -1])[codes]
    vectors[:, 1] += np.array([0.6, -0.6, 0.6, -0.6])[codes]
    flat = category_plane(vectors, codes)
    means = np.array([flat[codes == code].mean(axis=0) for code in range(4)])
    apart = min(np.linalg.norm(means[a] - means[b]) for a in range(4) for b in range(a))
    assert apart > 0.8
    assert np.ptp(category_plane(vectors, np.full(200, -1))[:, 0]) > 8, "without categories, the largest variance"
    assert category_plane(np.empty((0, 6), np.float32), np.empty(0, np.int64)).shape == (0, 2)
    assert category_plane(vectors[:1, :1], codes[:1]).tolist() == [[0.0, 0.0]]


def test_a_night_leaves_out_what_is_refused_and_keeps_what_is_accepted(tmp_path: Path) -> None:
    found = [entry("new_york", 0.9), entry("big_news", 0.6)]
    decisions = [said("big_news", False), said("old_town", True), said("new_york", True)]
    save_word_decisions(decisions, tmp_path)
    assert load_word_decisions(tmp_path) == decisions
    assert load_word_decisions(tmp_path / "none") == []
    made = decided_entries(found, load_word_decisions(tmp_path))
    assert [(one.entry, one.parts, one.npmi) for one in made] == [
        ("new_york", ("new", "york"), 0.9),
        ("old_town", ("old", "town"), 0.7),
    ]
    assert decided_entries(found, [said("new_york", False)._replace(language="zh")]) == found


def test_a_word_is_decided_withdrawn_and_kept_in_both_databases(store: Store) -> None:
    store.decide_word("s", said("new_york", True), "ann")
    store.decide_word("s", said("new_york", False), "bob")
    (one,) = store.word_decisions("s")
    assert (one.accepted, one.parts, one.set_by) == (False, ("new", "york"), "bob")
    assert [(entry.verb, entry.before, entry.after) for entry in store.audit("s", 9)] == [
        ("word", {"accepted": True}, {"accepted": False}),
        ("word", None, {"accepted": True}),
    ]
    assert store.word_decisions("t") == []
    assert store.withdraw_word("s", "en", "new_york", "ann")
    assert not store.withdraw_word("s", "en", "new_york", "ann")
    assert store.word_decisions("s") == []


@pytest.fixture(scope="module")
def site(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The trained toy newsroom, whose lexicon has two new words, and an editor."""
    settings = copy_of(toy, tmp_path_factory.mktemp("words"))
    with pytest.MonkeyPatch.context() as patch, serving(settings) as service:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        service.store.set_person("editor", Scope.EDITOR, SITE, hashed_password(WORDS))
        folder = settings.data_dir / "releases" / str(service.live.release) / "tokens"
        Lexicon([entry("new_york"), entry("big_news")]).save(folder)
        yield service


def enter(site: Service) -> Any:
    browser: Any = site.client.application.test_client()
    browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)
    return browser


def test_words_near_a_word_are_found_on_the_page(site: Service) -> None:
    word = load_words(site.settings.data_dir / "releases" / str(site.live.release) / "words").words[5]
    told = done(site, "GET", f"/words/nearest?like={word}&last=3")
    assert (told["release"], told["unknown"]) == (site.live.release, [])
    assert len(told["nearest"]) == 3
    assert word not in [one["word"] for one in told["nearest"]]
    page = html.unescape(enter(site).get(f"/console/words?like={word}&unlike=zzzz&lang=en").text)
    assert "Words without a vector: zzzz" in page
    assert 'id="near"' in page


def test_a_new_word_is_refused_accepted_and_undone_on_the_page(site: Service) -> None:
    browser = enter(site)
    page = html.unescape(browser.get("/console/words?lang=en").text)
    assert "2 wait" in page

    def send(**form: str) -> str:
        answer = browser.post("/console/words", data={"language": "en"} | form, headers=PAGE)
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    refused = send(entry="big_news", verb="refuse", before="wait")
    assert "big_news is refused" in refused
    (one,) = site.store.word_decisions(SITE)
    assert (one.entry, one.accepted, one.parts) == ("big_news", False, ("big", "news"))
    assert one.npmi == pytest.approx(0.8, abs=1e-3)
    assert one.branching_entropy == 1.5
    assert re.search(r'name="verb" value="wait">.*class="undo"', refused)
    send(entry="big_news", verb="accept", before="refuse")
    assert site.store.word_decisions(SITE)[0].accepted
    listed = done(site, "GET", "/words/new")
    assert (listed["waiting"], [one["entry"] for one in listed["words"]]) == (1, ["new_york", "big_news"])
    assert "big_news waits again" in send(entry="big_news", verb="wait")
    assert site.store.word_decisions(SITE) == []
    problem(ask(site, "PUT", "/words/new/en/nothing_here", {"accepted": True}), 404, "unknown-name")
    problem(ask(site, "DELETE", "/words/new/en/big_news"), 404, "unknown-name")
    assert words("en")["no_drift"] in html.unescape(browser.get("/console/words/drift?lang=en").text)


def test_drift_from_a_release_that_cannot_be_read_is_said_in_its_place(
    site: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = {"name": site.live.release, "parent": "20200101T000000Z-aaaa"}
    listed = {"releases": [live, {"name": live["parent"], "parent": None}]}
    monkeypatch.setattr("web.console.vocabulary.read", lambda *_: listed)
    answer = enter(site).get("/console/words/drift?lang=en")
    assert (answer.status_code, answer.text.count("20200101T000000Z-aaaa")) == (200, 1)


def test_the_map_holds_articles_that_may_be_shown_with_their_categories(site: Service) -> None:
    told = done(site, "GET", "/map")
    assert (told["release"], told["language"], told["languages"]) == (site.live.release, "en", ["en"])
    assert done(site, "GET", "/map?language=zh")["points"] == []
    assert told["articles"] == len(told["points"]) > 10
    names = [one["name"] for one in told["categories"]]
    for one in told["points"]:
        row = site.live.catalogue.row_of[one["id"]]
        assert names[one["category"]] == site.live.catalogue.category(row)
    assert {min(one[axis] for one in told["points"]) for axis in "xy"} == {0.0}
    assert {max(one[axis] for one in told["points"]) for axis in "xy"} == {1.0}
    gone = told["points"][0]["id"]
    site.store.hide_article(SITE, gone, "x")
    site.live.take_down()
    page = enter(site).get("/console/map").text
    data = re.search(r"data-points='([^']*)'", page)
    assert data is not None
    assert gone not in [point[3] for point in json.loads(data[1])]


def test_a_point_of_the_map_takes_few_bytes_and_no_title_ends_its_attribute(site: Service) -> None:
    odd = "<b>'\"&\\u0027"
    first = done(site, "GET", "/map")["points"][0]["id"]
    site.store.merge_articles([ArticlePatch(first, SITE, {"title": odd})])
    site.live.refresh()
    page = enter(site).get("/console/map").text
    data = re.search(r"data-points='([^']*)'", page)
    assert data is not None
    assert not {*"<>&"} & {*data[1]}
    assert odd in [point[4] for point in json.loads(data[1])]
    assert (beginning("a" * 99), beginning("汐" * 99), beginning("汐a")) == ("a" * 60, "汐" * 30, "汐a")


def test_the_map_says_a_title_on_hover_zooms_and_is_walked_by_keys(site: Service, tmp_path: Path) -> None:
    view = "return document.querySelector('#map svg').getAttribute('viewBox').split(' ').map(Number)"
    with served(site.client.application) as url:
        browser = chromium(tmp_path / "profile")

        def one(selector: str) -> Any:
            return until(lambda: browser.find_elements(By.CSS_SELECTOR, selector))[0]

        try:
            browser.get(f"{url}/console/map?lang=en")
            one("[name=name]").send_keys("editor")
            one("[name=password]").send_keys(WORDS)
            one("form.stack button").click()
            points = json.loads(one("#map").get_attribute("data-points"))
            whole = browser.execute_script(view)
            over = "new PointerEvent('pointerover', { bubbles: true })"
            browser.execute_script(f"document.querySelector('#map circle').dispatchEvent({over})")
            assert one("#pointed").text == points[0][4]
            one("[data-map=in]").click()
            assert browser.execute_script(view)[2] < whole[2]
            one("#map").send_keys("0")
            assert browser.execute_script(view) == whole
            one("#map").send_keys("n")
            first = one("#pointed").text
            one("#map").send_keys("n")
            assert {first, one("#pointed").text} <= {point[4] for point in points}
            assert first != one("#pointed").text
            one("[data-only='0']").click()
            assert browser.find_elements(By.CSS_SELECTOR, "#map circle.off"), "the other categories step back"
            one("#map").send_keys(Keys.ENTER)
            assert until(lambda: "/console/articles/one?id=" in browser.current_url)
        finally:
            browser.quit()


def test_a_site_without_a_release_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path) as service:
        service.store.set_person("editor", Scope.EDITOR, SITE, hashed_password(WORDS))
        browser = enter(service)
        assert words("en")["no_map"] in html.unescape(browser.get("/console/map?lang=en").text)
        page = html.unescape(browser.get("/console/words?like=word&lang=en").text)
        assert words("en")["no_new_words"] in page
        assert "python -m jobs all" in page
