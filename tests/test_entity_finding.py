"""Names of an article without labels, by editors' dictionary and by a tagger; and the job that trains one."""

import json
from pathlib import Path

import pytest
import rjieba
import typer.testing

from jobs.__main__ import app
from recsys.entities import EntityFinder, LanguageTagger, load_tagger, read_dictionary, train
from recsys.entities.kinds import NamedEntity
from tests.test_entities import english

STORY = (
    "Premier of New South Wales Resigns Over Bank\n"
    "The premier of New South Wales, Ada Quill, said on Monday that she will go. Quill led the Bank of Dunmore. "
    "I met Mr. J. Harrow in Saltby, where Tom Abel said little. Later it rained in Saltby."
)


def names(found: list[NamedEntity]) -> list[str]:
    return [name.text for name in found]


def test_english_names_are_whole_and_in_their_written_form() -> None:
    assert EntityFinder(rjieba).entities_of(STORY, "en") == [
        NamedEntity("New South Wales", ""),
        NamedEntity("Ada Quill", ""),
        NamedEntity("Quill", ""),
        NamedEntity("Bank of Dunmore", "organisation"),
        NamedEntity("J. Harrow", "person"),
        NamedEntity("Saltby", "place"),
        NamedEntity("Tom Abel", "person"),
    ]


def test_a_line_in_title_case_and_the_first_word_of_a_sentence_tell_no_name() -> None:
    finder = EntityFinder(rjieba)
    assert (
        finder.entities_of("Rain and Storms to Hit the Whole Coast\nRain fell all day. Storms will come.", "en") == []
    )
    assert names(finder.entities_of("Saltby won. They say that Saltby played well.", "en")) == ["Saltby"]


def test_chinese_names_are_those_of_the_dictionary_and_an_ending_joins_them() -> None:
    found = EntityFinder(rjieba).entities_of("上海\n王毅昨天在北京大学医院说，中国队赢了。", "zh")
    assert NamedEntity("上海", "place") in found
    assert NamedEntity("王毅", "person") in found
    assert NamedEntity("北京大学医院", "organisation") in found
    assert NamedEntity("中国队", "organisation") in found
    assert "队" not in names(found)


def test_what_editors_write_wins_and_is_not_cut() -> None:
    finder = EntityFinder(
        rjieba, {"霁州猎隼队": "team", "South Wales": "place", "New South Wales": "state", "New South": ""}
    )
    assert finder.entities_of("霁州猎隼队昨夜夺冠", "zh")[0] == NamedEntity("霁州猎隼队", "team")
    found = finder.entities_of(STORY, "en")
    assert found[0] == NamedEntity("New South Wales", "state")
    assert "South Wales" not in names(found)
    assert finder.entities_of("He sold NewSouth Walesites.", "en") == [NamedEntity("NewSouth Walesites", "")]


def test_names_that_came_with_the_article_lead() -> None:
    finder = EntityFinder(rjieba, {"Otto Fenn": "person"})
    found = finder.entities_of("a text about nobody", "en", [" Otto Fenn ", "", "Kestrel Bay", "Otto Fenn"])
    assert found == [NamedEntity("Otto Fenn", "person"), NamedEntity("Kestrel Bay", "")]


@pytest.mark.parametrize("text", ["", "\n\n", "\U0001f98a\U0001f98a", "\ud800 Mr.", "Ö", "A" * 50_000, "(((", "..."])
def test_no_text_stops_the_finder(text: str) -> None:
    tagger = train(*english(), chinese=rjieba, seed=1, epochs=1)
    for finder in (EntityFinder(rjieba), EntityFinder(rjieba, {"(": "", "x": ""}, LanguageTagger(tagger, "en"))):
        for language in ("en", "zh", "und"):
            assert all(name.text.strip() for name in finder.entities_of(text, language))


def test_a_dictionary_is_read_whatever_stands_in_it(tmp_path: Path) -> None:
    file = tmp_path / "entities.csv"
    assert read_dictionary(file) == ({}, 0)
    lines = [
        "\ufeff# names",
        "霁州猎隼队,team",
        "",
        "Port  Ellis\tplace",
        '"Quill, Ada",person',
        "Saltby",
        ",place",
        "x" * 101,
    ]
    file.write_text("\n".join([*lines, "Saltby,town"]))
    types = {"霁州猎隼队": "team", "Port Ellis": "place", "Quill, Ada": "person", "Saltby": "town"}
    assert read_dictionary(file) == (types, 2)


def test_the_job_trains_a_tagger_and_keeps_the_old_one_when_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "labels.jsonl"
    rows = zip(*english(), strict=True)
    file.write_text("\n".join(json.dumps({"tokens": tokens, "labels": labels}) for tokens, labels in rows))
    runner = typer.testing.CliRunner()
    assert runner.invoke(app, ["entities", "--labels", str(file)]).exit_code == 0
    folder = tmp_path / "data" / "work" / "entities"
    record = json.loads((folder / "stage.json").read_text())
    assert record["facts"] == {"sentences": 108, "held_out_names": 20, "f1": 100.0}
    assert json.loads((folder / "language.json").read_text()) == {"language": "en"}
    finder = EntityFinder(rjieba, trained=LanguageTagger(load_tagger(folder, rjieba), "en"))
    assert finder.entities_of("Mayor Ivo Lark spoke in North Pellan on Monday.", "en") == [
        NamedEntity("Ivo Lark", "PER"),
        NamedEntity("North Pellan", "LOC"),
    ]
    file.write_text('{"tokens": ["a"], "labels": ["O"]}')
    assert runner.invoke(app, ["entities", "--labels", str(file)]).exit_code != 0
    assert json.loads((folder / "stage.json").read_text()) == record
