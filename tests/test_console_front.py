"""The front for editors: three columns, what each pin costs, a breaking switch, moves that are undone, and by key."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from selenium.webdriver.common.by import By

from recsys.store import Scope, hashed_password, passwords
from recsys.units import HOUR_MS, now_ms
from tests.browser import chromium, served
from tests.newsroom import SITE
from tests.service import Service, article, four
from tests.test_console import PAGE, WORDS
from tests.test_story_edits import done
from tests.widgets import until


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Four articles, newest first a1, a2, a3, a4, and an editor."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with four(tmp_path / "site") as service:
        service.store.set_person("editor", Scope.EDITOR, SITE, hashed_password(WORDS))
        yield service


class Desk:
    """An editor's browser on the front."""

    def __init__(self, site: Service) -> None:
        self.browser: Any = site.client.application.test_client()
        self.browser.post("/console/sign-in", data={"name": "editor", "password": WORDS}, headers=PAGE)
        self.page = ""

    def send(self, **form: str) -> str:
        answer = self.browser.post("/console/front?lang=en", data=form, headers=PAGE)
        assert answer.status_code == 200, answer.text
        self.page = html.unescape(answer.text)
        return self.page

    def undo(self) -> str:
        form = self.page.split('class="undone')[1].split("</form>")[0]
        return self.send(**dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)))

    def column(self, name: str) -> list[str]:
        part = self.page.split(f'data-column="{name}"')[1].split("</section>")[0]
        return re.findall(r'data-article="([^"]*)"', part)


def places(site: Service) -> dict[str, int | None]:
    return {one.article: one.place for one in site.store.decisions(SITE) if one.until > now_ms()}


def test_the_front_has_each_card_beside_the_usual_rate_of_its_place(site: Service) -> None:
    told = done(site, "GET", "/front?lang=en")
    assert [(one["id"], one["place"], one["pinned"]) for one in told["items"]] == [
        (f"a{n}", n, False) for n in range(1, 5)
    ]
    assert {one["own_rate"] for one in told["items"]} == {None}, "nothing was shown yet"
    for n in range(60):
        by: dict[str, Any] = {"reader": f"r{n}"}
        seen = {"kind": "impression"} | by
        shown = [seen | {"event_id": f"i{n}-{k}", "article": f"a{k}", "position": k - 1} for k in (1, 2)]
        click = by | {"event_id": f"c{n}", "kind": "click", "article": "a1", "position": 0}
        assert site.client.post("/api/v1/events", json={"events": [*shown, click]}).status_code == 202
    first, second = done(site, "GET", "/front?lang=en")["items"][:2]
    assert (first["id"], second["id"]) == ("a1", "a2")
    assert first["usual_rate"] > second["usual_rate"]
    assert first["own_rate"] > second["own_rate"]
    site.store.pin_article(SITE, "a4", "x", place=1, until=now_ms() + HOUR_MS)
    site.live.take_down()
    (held,) = done(site, "GET", "/editorial")["decisions"]
    assert held["cost"]["clicks_an_hour"] > 0, "every pin says what it costs, not only at the moment it is set"


def test_articles_are_found_by_words_id_and_category_hidden_ones_as_well(site: Service) -> None:
    site.store.hide_article(SITE, "a3", "x")
    site.live.take_down()

    def found(query: str) -> list[str]:
        return [one["id"] for one in done(site, "GET", f"/articles?{query}")["articles"]]

    assert found("") == ["a1", "a2", "a4"]
    assert found("category=y") == ["a2", "a4"]
    assert found("q=title") == ["a1", "a2", "a3", "a4"]
    assert found("q=a3") == ["a3"]
    assert found("q=title&category=x&last=9") == ["a1", "a3"]
    (hidden,) = done(site, "GET", "/articles?q=a3")["articles"]
    assert (hidden["hidden"], hidden["shown"]) == (True, False)
    assert hidden["shelf_hours_left"] is not None


def test_a_card_says_how_long_it_will_still_be_read(site: Service) -> None:
    """Nobody has clicked: 48 h of a life are left where an article was published now, minus its age."""
    ages = {"old": 60 * HOUR_MS, "fading": 40 * HOUR_MS}
    dated = [article(id, category="x", published_at=now_ms() - age) for id, age in ages.items()]
    site.store.put_articles([*dated, article("undated", category="x", published_at=None)])
    site.live.refresh()
    left = {one["id"]: one["shelf_hours_left"] for one in done(site, "GET", "/articles")["articles"]}
    assert left["a1"] == pytest.approx(47, abs=0.5)
    assert left["fading"] == pytest.approx(8, abs=0.1)
    assert left["old"] == pytest.approx(-12, abs=0.1)
    assert left["undated"] is None
    desk = Desk(site)
    for language, says in (("en", ["47 h", "8 h", "past", "–"]), ("zh", ["47 小时", "8 小时", "已过", "–"])):
        page = html.unescape(desk.browser.get(f"/console/front?lang={language}&reads=en").text)
        latest = page.split('data-column="latest"')[1].split("</section>")[0]
        cards = dict(re.findall(r'data-article="(\w+)"(.*?)</small>', latest, re.DOTALL))
        said = re.compile("(?:Shelf life left|时效还剩) (.*?)(?: *$| · | <)", re.MULTILINE)
        assert [said.findall(cards[id]) for id in ("a1", "fading", "old", "undated")] == [[one] for one in says]


def test_what_is_clicked_early_only_has_less_of_its_life_left(site: Service) -> None:
    """Of x all clicks come in the first hour, of y in the third and fourth: an hour old, x has less left."""
    site.store.put_articles([article("fresh", category="y", published_at=now_ms() - HOUR_MS)])
    site.live.refresh()
    for n in range(300):
        site.click("a1" if n % 2 else "a4", reader=f"r{n}")
    left = {one["id"]: one["shelf_hours_left"] for one in done(site, "GET", "/articles")["articles"]}
    assert left["a1"] < left["fresh"] < 47
    assert left["a3"] == pytest.approx(left["a1"] - 2, abs=0.2), "of one category all grow old alike"


def test_cards_move_between_the_columns_and_back_by_undo(site: Service) -> None:
    desk = Desk(site)
    end = str(now_ms() + 2 * HOUR_MS)
    desk.send(verb="pin", article="a4", title="T", place="2", until=end)
    assert (desk.column("fixed"), desk.column("guarantee"), places(site)) == (["a4"], [], {"a4": 2})
    desk.send(verb="pin", article="a4", title="T", place="1", was="2", until=end)
    assert places(site) == {"a4": 1}
    assert {one.until for one in site.store.decisions(SITE)} == {int(end)}, "a move keeps the end"
    desk.undo()
    assert places(site) == {"a4": 2}
    desk.send(verb="unpin", article="a4", title="T", place="2", until=end)
    assert places(site) == {}
    desk.undo()
    assert places(site) == {"a4": 2}
    desk.send(verb="guarantee", article="a4", title="T", was="2", until=end)
    assert (desk.column("fixed"), desk.column("guarantee"), places(site)) == ([], ["a4"], {"a4": None})
    assert {one.until for one in site.store.decisions(SITE)} == {int(end)}, "a move keeps the end"
    desk.undo()
    assert places(site) == {"a4": 2}
    desk.send(verb="guarantee", article="a4", title="T")
    desk.send(verb="unpin", article="a4", title="T", until=end)
    desk.undo()
    assert desk.column("guarantee") == ["a4"]
    assert "At most: The cost is not known" in desk.page
    desk.send(verb="pin", article="a4", title="T", place="2", was="guarantee", until=end)
    desk.undo()
    assert places(site) == {"a4": None}
    desk.send(verb="boost", article="a3", title="T", factor="")
    assert "person editor: 2 decisions" in desk.page
    desk.send(verb="unboost", article="a3", title="T", factor="4", until=end)
    desk.undo()
    assert [one.factor for one in site.store.decisions(SITE) if one.article == "a3"] == [4.0]


def test_breaking_stands_first_until_its_end_and_is_ended_with_a_button(site: Service) -> None:
    desk = Desk(site)
    told = desk.send(verb="breaking", article="a4", title="The fire", span="1h")
    assert "Breaking: The fire stands first." in told
    assert re.search("“Title of a4” stands first in every list until .* set by person editor", told)
    assert site.ids()[0] == "a4"
    ended = desk.send(verb="unpin", article="a4", title="The fire", place="1", until=str(now_ms() + HOUR_MS))
    assert "stands first in every list" not in ended
    assert site.ids()[0] == "a1"


def test_a_card_is_fixed_moved_and_let_go_by_keys_and_by_dragging(site: Service, tmp_path: Path) -> None:
    drag = """const [card, column] = [...arguments].map((one) => document.querySelector(one));
        const data = new DataTransfer();
        const fire = (node, type) => node.dispatchEvent(new DragEvent(type, { bubbles: true, dataTransfer: data }));
        fire(card, "dragstart"); fire(column, "dragover"); fire(column, "drop"); fire(card, "dragend");"""
    with served(site.client.application) as url:
        browser = chromium(tmp_path / "profile")

        def card(column: str, article: str) -> Any:
            selector = f"[data-column={column}] [data-article={article}]"
            return until(lambda: browser.find_elements(By.CSS_SELECTOR, selector))[0]

        def shows(column: str, article: str, place: str | None) -> bool:
            """In one step: the page is exchanged at any time."""
            script = "const card = document.querySelector(arguments[0]); return card && [card.dataset.place ?? null]"
            selector = f"[data-column={column}] [data-article={article}]"
            return bool(until(lambda: browser.execute_script(script, selector) == [place]))

        try:
            browser.get(f"{url}/console/front?lang=en")
            browser.find_element(By.NAME, "name").send_keys("editor")
            browser.find_element(By.NAME, "password").send_keys(WORDS)
            browser.find_element(By.CSS_SELECTOR, "form.stack button").click()
            card("latest", "a4").send_keys("f")
            assert shows("fixed", "a4", "1")
            card("fixed", "a4").send_keys("d")
            assert shows("fixed", "a4", "2")
            browser.execute_script(drag, "[data-column=latest] [data-article=a3]", "[data-column=guarantee]")
            assert shows("guarantee", "a3", None)
            assert site.ids(k=1) == ["a3"], "of one card it is that, since the pin stands at place 2"
            assert site.ids(k=2) == ["a3", "a4"]
            assert places(site) == {"a4": 2, "a3": None}
            browser.execute_script(drag, "[data-column=fixed] [data-article=a4]", "[data-column=latest]")
            assert until(lambda: places(site) == {"a3": None})
            said = [entry["message"] for entry in browser.get_log("browser")]
            assert not [text for text in said if "Content Security Policy" in text or "Error" in text], said
        finally:
            browser.quit()
