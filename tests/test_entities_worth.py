"""The benchmark of what names are worth: whole names for their parts, what two texts share, by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import rjieba

from benchmarks.entities.worth import of_stream, shared, weighted, with_names
from recsys.entities import EntityFinder
from recsys.keywords import Keywords

TEXT = "new south wales floods: in new south wales rivers rise. wales won the match. ann lee spoke; ann lee left."


def test_a_name_takes_the_place_of_its_part_unless_that_stands_alone_as_well() -> None:
    names = ["new south wales", "ann lee"]
    assert with_names(["south wales", "rivers", "wales"], names, TEXT, added=False) == [
        "new south wales",
        "rivers",
        "wales",  # won the match
    ]
    assert with_names(["south wales", "new south wales"], names, TEXT, added=False) == ["new south wales"]


def test_a_name_that_stands_there_twice_comes_in_behind_the_fifth() -> None:
    keys = ["floods", "rivers", "match", "rise", "wales", "spoke"]
    found = with_names(keys, ["ann lee", "match"], TEXT, added=True)
    assert found == ["floods", "rivers", "match", "rise", "wales", "ann lee", "spoke"]


def test_a_headline_finds_its_story_with_names_and_without(tmp_path: Path) -> None:
    titles = ["Rivers rise above Saltby", "Rivers rise near Saltby again", "Bank lowers rates", "Bank keeps low rates"]
    rows = [{"title": title, "story": "flood" if "Rivers" in title else "bank"} for title in titles]
    file = tmp_path / "stream.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = of_stream(file, EntityFinder(rjieba), 1)
    assert list(found) == ["plain", "names_0.1", "names_0.2", "names_0.4"]
    assert found["plain"] == [1.0, 0.0, 0.0, 0.0]  # a mean, and no difference to itself


def test_shared_names_are_a_share_of_the_shorter_list() -> None:
    assert shared({"ann lee", "saltby"}, {"saltby"}) == 1.0
    assert shared({"ann lee", "saltby"}, {"saltby", "dunmore", "brackwater"}) == pytest.approx(0.5)
    assert shared(set(), {"saltby"}) == 0.0


def test_keywords_of_a_name_weigh_as_the_factor_says() -> None:
    keywords = Keywords(["wales", "rivers"], np.array([0.4, 0.2], np.float32), ["wales", "rivers"])
    assert weighted(keywords, " new south wales ", 0.5).weights.tolist() == pytest.approx([0.2, 0.2])
