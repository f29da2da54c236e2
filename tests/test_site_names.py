"""Names that a site knows: found in texts, carried by a release, and what tags are called by, at night and live."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import rjieba

from jobs.runner import LABELS
from recsys.catalogue.released import SITE_NAMES
from recsys.entities import DICTIONARY, ArticleNames, SiteNames, read_dictionary, save_site_names
from recsys.entities import train as train_tagger
from recsys.entities.dictionary import ListedNames
from recsys.keywords import TagRanks
from recsys.settings import Settings
from recsys.tags import NOT_RANKED, STEM, tag_ids
from recsys.tags.named import named_tags, unnamed
from recsys.workspace import write_json
from tests.newsroom import SITE, Toy, train
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
    train_tagger(*english(), chinese=rjieba, seed=1).save(tagger)
    write_json(tagger / "language.json", {"language": "en"})
    write_json(tagger / "stage.json", {})
    assert save_site_names(listed, tagger, tmp_path / "names") == {"names": 1, "names_left_out": 1}
    assert not (tmp_path / "names" / "tagger" / "stage.json").exists()
    names = SiteNames.load(tmp_path / "names", lambda: rjieba)
    story = "Mayor Ivo Lark spoke in North Pellan on Monday."
    assert names.of("", story, "en") == ArticleNames((), ("Ivo Lark", "North Pellan"))
    assert names.of("", story, "en", ["Ivo Lark"]) == ArticleNames(("Ivo Lark",), ("North Pellan",))
    assert names.of("霁州猎隼队夺冠", story, "zh") == ArticleNames(("霁州猎隼队",))


def test_a_dictionary_in_another_encoding_is_read_or_counted(tmp_path: Path) -> None:
    file = tmp_path / DICTIONARY
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_text("霁州猎隼队\tteam\nZürich", encoding=encoding)
        assert read_dictionary(file) == ({"霁州猎隼队": "team", "Zürich": ""}, 0), encoding
    for encoding, text in (("gb18030", "霁州猎隼队,team\nSaltby"), ("latin-1", "Zürich\nSaltby")):
        file.write_text(text, encoding=encoding)
        assert read_dictionary(file) == ({"Saltby": ""}, 1), encoding


def ranked(*names: str) -> TagRanks:
    return TagRanks(names, tuple(0.5**place for place in range(len(names))), tuple(name.lower() for name in names))


def called(tags: TagRanks, given: tuple[str, ...], text: str, tagged: tuple[str, ...] = ()) -> tuple[str, ...]:
    made = named_tags(tags, ArticleNames(given, tagged), text)
    assert list(made.weights) == sorted(made.weights, reverse=True)
    assert len(made.names) == len(made.weights) == len(made.parts)
    plain = tag_ids(tags.parts, tags.weights)  # the features know an article by its keywords, whatever they are called
    assert plain.items() >= tag_ids(made.parts, made.weights).items()
    return made.names


def test_a_keyword_that_is_a_part_of_a_name_is_called_by_the_name() -> None:
    tags = ranked("Wales", "South Wales", "flood")
    assert called(tags, (WALES,), f"Flood in {WALES}") == (WALES, "flood")
    assert called(tags, (), f"Flood in {WALES}", (WALES,)) == (WALES, "flood")
    assert called(ranked("猎隼", "夺冠"), ("霁州猎隼队",), "霁州猎隼队夺冠") == ("霁州猎隼队", "夺冠")
    made = named_tags(tags, ArticleNames((WALES, "Flood Act")), f"in {WALES}, flood, flood, Flood Act")
    assert made == TagRanks((WALES, "flood", "Flood Act"), (1.0, 0.25, 0.25), ("wales", "flood", NOT_RANKED))
    assert unnamed(made) == TagRanks(("wales", "flood"), (1.0, 0.25), ("wales", "flood"))
    assert unnamed(ranked("Wales", "floods")) == ranked("Wales", "floods")
    assert unnamed(ranked()) == ranked()


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
    assert (len(names), "Word1" in names, names[-1]) == (STEM + 1, False, f"word{STEM - 1}")
    assert called(many, (), "Otto Fenn", ("Otto Fenn",)) == many.names
    assert called(ranked(), ("Otto Fenn", "Saltby"), "Otto Fenn in Saltby") == ("Otto Fenn", "Saltby")
    crowd = tuple(f"Name{place}" for place in range(50))
    assert called(ranked("race"), crowd, "race") == ("race", *crowd[:4])
    assert called(ranked(), (), "") == ()


@contextmanager
def named(toy: Toy, folder: Path, listed: str = "") -> Iterator[tuple[Settings, Service]]:
    """The toy newsroom, whose editors list names, after a night that knew them."""
    settings = copy_of(toy, folder)
    if listed:
        (settings.data_dir / LABELS).mkdir(exist_ok=True)
        (settings.data_dir / LABELS / DICTIONARY).write_text(listed, encoding="utf-8")
        train(settings)
    with serving(settings) as service:
        yield settings, service


def stem(service: Service, name: str) -> list[str]:
    return [tag["tag"] for tag in service.get(f"/api/v1/articles/{name}")["tags"]["stem"]]


def put(service: Service, name: str, **fields: Any) -> None:
    """Put an article and let the service follow."""
    service.store.put_articles([article(name, **fields)])
    service.live.follow()


TEXT = "The Kestrel Bay penalty was decided by Will May."  # words that are no keywords


def test_a_name_that_comes_with_an_article_is_its_tag_until_it_goes(toy: Toy, tmp_path: Path) -> None:
    with named(toy, tmp_path) as (_, service):
        put(service, "named", title="Penalty", body=TEXT, entities=("Q5:Will May", "Elsewhere"))
        assert "Will May" in stem(service, "named")
        assert "Elsewhere" not in stem(service, "named")
        for tag in ("Will May", "will may", "will"):
            listed = service.get(f"/api/v1/tags/{quote(tag)}")
            assert [item["id"] for item in listed["items"]] == ["named"]
        put(service, "named", title="Penalty", body=TEXT)
        assert "Will May" not in stem(service, "named")
        assert service.client.get("/api/v1/tags/Will%20May").status_code == 404


def test_an_editors_tags_stand_as_they_are(toy: Toy, tmp_path: Path) -> None:
    with named(toy, tmp_path) as (_, service):
        put(service, "tagged", title="Penalty", body=TEXT, entities=("Will May",))
        service.store.tag_article(SITE, "tagged", ["sport"], "an editor")
        service.live.follow()
        assert stem(service, "tagged") == ["sport"]


def test_night_and_service_call_an_article_by_the_same_names_and_know_it_by_its_keywords(
    toy: Toy, tmp_path: Path
) -> None:
    old = next(name for name, topic in toy.topic.items() if topic == "football")
    with named(toy, tmp_path / "plain") as (settings, plain):
        words = plain.store.article(SITE, old)
        assert words is not None
        before, tags = stem(plain, old), known_by(plain, old)
    name = " ".join(words.body.split()[:2]).strip(".,")
    with named(toy, tmp_path / "named", f"# names\n{name}\n") as (settings, service):
        night = stem(service, old)
        assert name in night
        assert name not in before
        assert known_by(service, old) == tags
        put(service, "late", title=words.title, body=words.body, category=words.category)
        live = stem(service, "late")
        assert name in live
        fill(settings, replace(words, image="https://s.example/new.jpg"))  # a correction of another field
        service.live.follow()
        assert (stem(service, old), known_by(service, old)) == (night, tags)
        assert (settings.data_dir / "work" / "catalogue" / SITE_NAMES / DICTIONARY).is_file()


def known_by(service: Service, name: str) -> list[int]:
    """What the features know an article by."""
    state = service.live._frame.state
    ids: list[int] = state._tags.ids[state.catalogue.row_of[name]].tolist()
    return ids
