"""Names that a site knows: found in texts, carried by a release, and what tags are called by, at night and live."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import rjieba

from jobs.catalogue import STAGE
from recsys.catalogue.articles import ArticleAnnotations, CatalogueArticle
from recsys.entities import ArticleNames, SiteNames, save_site_names, train
from recsys.entities.dictionary import ListedNames
from recsys.keywords import TagRanks
from recsys.store import Article, Store
from recsys.tags import STEM
from recsys.tags.named import named_tags
from recsys.workspace import write_json
from tests.newsroom import SITE, Toy
from tests.service import Service, article, copy_of, fill, serving
from tests.test_entities import english

WALES = "New South Wales"


def found(names: list[str], text: str) -> list[str]:
    return [text[begin:end] for begin, end in ListedNames(names).places(text)]


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        ([], "Saltby", []),
        (["Saltby"], "Saltby and Saltbyton, in Saltby.", ["Saltby", "Saltby"]),
        (["South Wales", WALES, "New South"], "New South Wales, South Wales", [WALES, "South Wales"]),
        (["霁州", "霁州猎隼队"], "霁州猎隼队昨夜在霁州夺冠", ["霁州猎隼队", "霁州"]),
        (["中", "NATO"], "NATO在中国, NATOs", ["NATO", "中"]),
        (["O'Dell", "(B)"], "O'Dell's (B)O'Dells", ["O'Dell", "(B)"]),
        (["키움"], "키움은 이겼다", ["키움"]),
        (["Åland", "𠀀𠀁"], "Åland Ålands 𠀀𠀁𠀂", ["Åland", "𠀀𠀁"]),
        (["", " "], "a b", []),
    ],
)
def test_listed_names_are_whole_words_and_the_longest_wins(names: list[str], text: str, expected: list[str]) -> None:
    assert found(names, text) == expected


def test_what_came_with_an_article_is_its_name_where_the_text_has_it() -> None:
    names = SiteNames(["Otto Fenn", "Saltby"])
    given = ["Q123:Kestrel Bay", "Otto Fenn", "Nobody", " Kestrel ", ""]
    of = names.of("Storm in Kestrel Bay", "Otto Fenn of Saltby saw Kestrel Bay.", "en", given)
    assert of == ArticleNames(("Kestrel Bay", "Otto Fenn", "Saltby"))
    assert SiteNames().of("", "", "und", ["x"]) == ArticleNames()
    over = SiteNames(["Bay Penn", "Kestrel"]).of("", "Kestrel Bay Penn", "en", ["Kestrel Bay"])
    assert over == ArticleNames(("Kestrel Bay",))


def test_a_release_carries_the_dictionary_and_the_tagger(tmp_path: Path) -> None:
    listed, tagger = tmp_path / "entities.csv", tmp_path / "entities"
    assert save_site_names(listed, tagger, tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()
    assert SiteNames.load(tmp_path / "none", lambda: pytest.fail("no tagger needs it")).of("A", "B", "en") == ((), ())
    listed.write_text("# teams\n霁州猎隼队,team\n" + "x" * 101, encoding="utf-8")
    tagger.mkdir()
    train(*english(), chinese=rjieba, seed=1).save(tagger)
    write_json(tagger / "language.json", {"language": "en"})
    write_json(tagger / "stage.json", {})
    assert save_site_names(listed, tagger, tmp_path / "names") == {"names": 1, "unnamed_lines": 1}
    assert not (tmp_path / "names" / "tagger" / "stage.json").exists()
    names = SiteNames.load(tmp_path / "names", lambda: rjieba)
    story = "Mayor Ivo Lark spoke in North Pellan on Monday."
    assert names.of("", story, "en") == ArticleNames((), ("Ivo Lark", "North Pellan"))
    assert names.of("", story, "en", ["Ivo Lark"]) == ArticleNames(("Ivo Lark",), ("North Pellan",))
    assert names.of("霁州猎隼队夺冠", story, "zh") == ArticleNames(("霁州猎隼队",))


def ranked(*names: str) -> TagRanks:
    return TagRanks(names, tuple(0.5**place for place in range(len(names))), tuple(name.lower() for name in names))


def called(tags: TagRanks, given: tuple[str, ...], text: str, tagged: tuple[str, ...] = ()) -> tuple[str, ...]:
    made = named_tags(tags, ArticleNames(given, tagged), text)
    assert list(made.weights) == sorted(made.weights, reverse=True)
    assert len(made.names) == len(made.weights) == len(made.parts) <= STEM
    return made.names


def test_a_keyword_that_is_a_part_of_a_name_is_called_by_the_name() -> None:
    tags = ranked("Wales", "South Wales", "flood")
    assert called(tags, (WALES,), f"Flood in {WALES}") == (WALES, "flood")
    assert called(tags, (), f"Flood in {WALES}", (WALES,)) == (WALES, "flood")
    assert called(ranked("猎隼", "夺冠"), ("霁州猎隼队",), "霁州猎隼队夺冠") == ("霁州猎隼队", "夺冠")
    assert named_tags(tags, ArticleNames((WALES,)), f"in {WALES}").parts == ("new south wales", "flood")


def test_a_keyword_that_stands_alone_keeps_its_own() -> None:
    often = f"{WALES}. Wales beat England; Wales won. Wales!"
    assert called(ranked("Wales"), (), often, (WALES,)) == ("Wales",)
    assert called(ranked("Wales"), (WALES, "Wales"), often) == ("Wales", WALES)
    assert called(ranked("北京"), ("北京大学",), "北京大学在北京，北京很大") == ("北京", "北京大学")
    both = "Bank of Dunmore and Bank of Carrow"
    assert called(ranked("Bank"), (), both, ("Bank of Dunmore", "Bank of Carrow")) == ("Bank",)
    assert called(ranked("bank"), (), "bank of the Bank of Dunmore", ("Bank of Dunmore",)) == ("bank",)
    assert called(ranked("队"), (), "猎隼队", ("猎隼队",)) == ("队",)
    assert called(ranked("队"), ("猎隼队",), "猎隼队") == ("队", "猎隼队")


def test_the_end_of_a_name_that_the_site_gives_stands_for_it() -> None:
    text = "Keir Lark resigned. Lark said that Lark would go; Lark went."
    assert called(ranked("Lark", "post"), ("Keir Lark",), text) == ("Keir Lark", "post")
    assert called(ranked("Lark", "post"), (), text, ("Keir Lark",)) == ("Lark", "post")
    assert called(ranked("猎隼队"), ("霁州猎隼队",), "霁州猎隼队。猎隼队说，猎隼队赢了") == ("霁州猎隼队",)


def test_names_that_the_site_gives_are_tags_and_those_of_a_tagger_are_not() -> None:
    many = ranked(*(f"word{place}" for place in range(STEM)))
    names = called(many, ("Otto Fenn", "Word1"), "word1 Otto Fenn")
    assert names[STEM // 2] == "Otto Fenn"
    assert (len(names), "Word1" in names, names[-1]) == (STEM, False, f"word{STEM - 2}")
    assert called(many, (), "Otto Fenn", ("Otto Fenn",)) == many.names
    assert called(ranked(), ("Otto Fenn", "Saltby"), "Otto Fenn in Saltby") == ("Otto Fenn", "Saltby")
    crowd = tuple(f"Name{place}" for place in range(50))
    assert called(ranked("race"), crowd, "race") == ("race", *crowd[:4])
    assert called(ranked(), (), "") == ()


def test_an_editors_tags_stand_as_they_are() -> None:
    shown = CatalogueArticle.of(
        Article("a", SITE, f"Flood in {WALES}"), ArticleAnnotations("en", ("Wales",), (1.0,), ("wales",))
    )
    assert shown.keywords == ("Wales",)


@pytest.fixture(scope="module")
def named(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = copy_of(toy, tmp_path_factory.mktemp("names"))
    names = next((settings.data_dir / "releases").glob("2*")) / "catalogue" / "names"
    assert not names.exists()
    text = "The Kestrel Bay penalty was decided by Otto Fenn."
    fill(
        settings,
        article("named", title="Penalty", body=text, entities=("Q5:Otto Fenn", "Elsewhere")),
        article("tagged", title="Penalty", body=text, entities=("Otto Fenn",)),
    )
    store = Store.open(settings.database_url, settings.store)
    store.tag_article(SITE, "tagged", ["sport"], "an editor")
    store.close()
    with serving(settings) as service:
        yield service


def stem(service: Service, name: str) -> list[str]:
    return [tag["tag"] for tag in service.get(f"/api/v1/articles/{name}")["tags"]["stem"]]


def test_a_name_that_came_with_an_article_has_a_page_within_the_second(named: Service) -> None:
    assert "Otto Fenn" in stem(named, "named")
    assert "Elsewhere" not in stem(named, "named")
    listed = named.get(f"/api/v1/tags/{quote('Otto Fenn')}")
    assert [item["id"] for item in listed["items"]] == ["named"]
    assert stem(named, "tagged") == ["sport"]


def test_the_stage_follows_the_dictionary_and_the_tagger() -> None:
    assert STAGE.outside == ("labels", "work/entities")
