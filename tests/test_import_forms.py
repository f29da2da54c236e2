"""The forms in which others keep what was shown and clicked: lists, flags, kinds of their own, names of their own."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.imports import ParseOptions, Target, import_file
from recsys.store import Store, StoredEvent
from tests.importing import SITE, refused, write

MAP = "reader=who,session=visit,time=at,impression=list"
MORNING = datetime(2024, 3, 1, 6, 30)
MORNING_MS = 1_709_274_600_000


def events(store: Store) -> list[StoredEvent]:
    return store.events_after(SITE, 0, 10_000)


def pairs(store: Store, kind: str) -> list[tuple[str | None, str]]:
    return sorted((event.reader, event.article) for event in events(store) if event.kind.value == kind)


# Lists


ROWS: list[dict[str, Any]] = [
    {"list": 1, "who": 7, "visit": 3, "at": MORNING, "shown": [21, 22, 23], "clicked": [22], "seconds": 4.5},
    {
        "list": 2,
        "who": 8,
        "visit": 4,
        "at": MORNING + timedelta(minutes=1),
        "shown": [21],
        "clicked": [],
        "seconds": None,
    },
]


def as_file(folder: Path, form: str) -> tuple[Path, str]:
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), folder / "a.parquet")
        return folder / "a.parquet", "parquet"
    if form == "jsonl":
        return write(folder / "a.jsonl", "\n".join(json.dumps(row, default=str) for row in ROWS)), "jsonl"
    written: dict[str, Callable[[list[int]], str]] = {
        "json": json.dumps,
        "python": lambda ids: str([str(id) for id in ids]),
        "numpy": lambda ids: "[" + "\n ".join(map(str, ids)) + "]",
        "postgres": lambda ids: "{" + ",".join(map(str, ids)) + "}",
        "blanks": lambda ids: " ".join(map(str, ids)),
        "bars": lambda ids: "|".join(map(str, ids)),
        "commas": lambda ids: ", ".join(map(str, ids)),
    }
    lists = written[form]
    cells = [
        ";".join(
            [str(r["list"]), str(r["who"]), str(r["visit"]), str(r["at"]), f'"{lists(r["shown"])}"'.replace("'", "")]
        )
        + f';"{lists(r["clicked"])}";{r["seconds"] or ""}'
        for r in ROWS
    ]
    return write(folder / "a.csv", "list;who;visit;at;shown;clicked;seconds\n" + "\n".join(cells)), "csv"


@pytest.mark.parametrize(
    "form", ["parquet", "jsonl", "json", "python", "numpy", "postgres", "blanks", "bars", "commas"]
)
def test_a_list_becomes_an_impression_per_article_and_a_click_per_clicked_one(
    target: Target, store: Store, tmp_path: Path, form: str
) -> None:
    file, format = as_file(tmp_path, form)
    seconds = replace(target, options=ParseOptions(dwell_unit_ms=1000))
    summary = import_file(seconds, file, format, [f"{MAP},dwell_ms=seconds"])
    assert (summary.read, summary.stored, summary.rejected) == (2, 5, 0)
    assert pairs(store, "impression") == [("7", "21"), ("7", "22"), ("7", "23"), ("8", "21")]
    click = next(event for event in events(store) if event.kind.value == "click")
    found = (click.reader, click.session, click.article, click.time, click.impression, click.dwell_ms)
    assert found == ("7", "3", "22", MORNING_MS, "1", 4500)
    assert {event.impression for event in events(store) if event.reader == "7"} == {"1"}
    assert import_file(seconds, file, format, [f"{MAP},dwell_ms=seconds"]).stored == 0  # again changes nothing


def test_a_list_without_a_name_of_its_own_gets_one(target: Target, store: Store, tmp_path: Path) -> None:
    file, format = as_file(tmp_path, "jsonl")
    import_file(target, file, format, ["reader=who,time=at"])
    names = {event.reader: {e.impression for e in events(store) if e.reader == event.reader} for event in events(store)}
    assert [len(found) for found in names.values()] == [1, 1]
    assert names["7"] != names["8"]
    assert None not in names["7"]


HISTORY = [{"who": 7, "read": [5, 6, 5], "when": [MORNING, MORNING + timedelta(days=1), MORNING + timedelta(days=2)]}]


@pytest.mark.parametrize(
    "fields", ["history=read,time=when", "history=read,history_time=when", "article=read,time=when"]
)
def test_each_element_of_a_history_is_a_click_at_its_own_time(
    target: Target, store: Store, tmp_path: Path, fields: str
) -> None:
    pq.write_table(pa.Table.from_pylist(HISTORY), tmp_path / "h.parquet")
    summary = import_file(target, tmp_path / "h.parquet", "parquet", [f"reader=who,{fields}"])
    assert (summary.read, summary.stored) == (1, 3)
    day = 86_400_000
    found = [(event.reader, event.article, event.time) for event in events(store)]
    assert found == [("7", "5", MORNING_MS), ("7", "6", MORNING_MS + day), ("7", "5", MORNING_MS + 2 * day)]


def test_a_history_that_comes_again_or_grows_is_clicked_once_and_has_no_times(
    target: Target, store: Store, tmp_path: Path
) -> None:
    text = "who,at,clicked,history\n7,2024-03-01,20,90 91 90\n7,2024-03-02,,91 90 92\n8,2024-03-02,21,nan\n"
    file = write(tmp_path / "a.csv", text)
    summary = import_file(target, file, "csv", ["reader=who,time=at"])
    assert (summary.read, summary.rejected) == (3, 0)
    assert [e.article for e in events(store) if e.time is None] == ["90", "91", "90", "92"]
    assert [e.article for e in events(store) if e.time is not None] == ["20", "21"]
    assert import_file(target, file, "csv", ["reader=who,time=at"]).stored == 0


@pytest.mark.parametrize("cell", ["90 91 92", "90,91,92", "90|91|92", "[90, 91, 92]", "['90' '91' '92']"])
def test_a_list_of_ids_is_never_taken_for_one_article(target: Target, store: Store, tmp_path: Path, cell: str) -> None:
    file = write(tmp_path / "a.csv", f'who;page\n7;12\n8;"{cell}"\n')
    assert import_file(target, file, "csv", ["reader=who,article=page"]).stored == 4
    assert pairs(store, "click") == [("7", "12"), ("8", "90"), ("8", "91"), ("8", "92")]


@pytest.mark.parametrize("id", ["https://n.example/artikel,12,34.html", "Storm over Bergen", "2024-03-01-storm", "a,b"])
def test_one_identifier_stays_one(target: Target, store: Store, tmp_path: Path, id: str) -> None:
    import_file(target, write(tmp_path / "a.csv", f'who;page\n7;"{id}"\n'), "csv", ["reader=who,article=page"])
    assert pairs(store, "click") == [("7", id)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"history": [1, 2], "history_time": ["2024-03-01"]}, "history_time: 1 values beside 2 articles of history"),
        ({"clicked": [[1, 2]]}, "clicked: a list of lists"),
        ({"clicked": [{"headline": "x"}]}, "clicked: a list of objects without id"),
        ({"clicked": "[90 91 ... 99]"}, "clicked: a list that was cut short"),
        ({"clicked": {"a": 1}}, "clicked: not a list"),
    ],
)
def test_a_list_that_cannot_be_unfolded_is_refused_by_name(
    target: Target, store: Store, tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    summary = import_file(
        target, write(tmp_path / "a.jsonl", json.dumps(row | {"reader": "r"})), "jsonl", ["session=:s"]
    )
    assert (summary.stored, summary.rejected) == (0, 1)
    assert reason in summary.first_reason


def test_elements_that_are_objects_give_their_ids(target: Target, store: Store, tmp_path: Path) -> None:
    row = {"reader": "r", "shown": [{"id": "a", "rank": 1}, {"id": "b"}], "clicked": [{"articleId": "b"}]}
    import_file(target, write(tmp_path / "a.jsonl", json.dumps(row)), "jsonl")
    assert (pairs(store, "impression"), pairs(store, "click")) == ([("r", "a"), ("r", "b")], [("r", "b")])


def test_candidates_with_labels_are_impressions_and_clicks(target: Target, store: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "who,shown\nu,n1-0 n2-1\nv,n1-0\nv,n3\n")
    summary = import_file(target, file, "csv", ["reader=who"])
    assert (pairs(store, "impression"), pairs(store, "click")) == (
        [("u", "n1"), ("u", "n2"), ("v", "n1")],
        [("u", "n2")],
    )
    assert "without the label" in summary.first_reason


def test_one_row_with_bad_events_is_one_reject(target: Target, store: Store, tmp_path: Path) -> None:
    rows = [
        {"reader": "r", "time": "never", "shown": ["a", "b", "c"]},
        {"reader": "r", "time": 1.7e9, "shown": ["a", "b"]},
    ]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    summary = import_file(target, file, "jsonl")
    assert (summary.read, summary.stored, summary.rejected) == (2, 2, 1)


# Flags


FLAGS = "reader,article,list,place,clicked\nu,a,L,0,0\nu,b,L,1,1\nu,c,L,2,0\nv,b,M,0,\nv,d,M,1,true\n"


@pytest.mark.parametrize(("no", "yes"), [("0", "1"), ("0.0", "1.0"), ("N", "Y"), ("False", "True")])
def test_a_column_of_0_and_1_gives_impressions_and_clicks(
    target: Target, store: Store, tmp_path: Path, no: str, yes: str
) -> None:
    text = FLAGS.replace(",0\n", f",{no}\n").replace(",1\n", f",{yes}\n")
    file = write(tmp_path / "a.csv", text)
    summary = import_file(target, file, "csv", ["impression=list,position=place"])
    assert (summary.read, summary.stored, summary.rejected) == (5, 7, 0)
    assert pairs(store, "click") == [("u", "b"), ("v", "d")]
    assert len(pairs(store, "impression")) == 5


@pytest.mark.parametrize("map", ["kind=:click", "impression=list"])
def test_a_column_called_clicked_is_never_ignored(target: Target, store: Store, tmp_path: Path, map: str) -> None:
    summary = import_file(target, write(tmp_path / "a.csv", FLAGS), "csv", [map])
    assert pairs(store, "click") == [("u", "b"), ("v", "d")]
    assert ("kind" not in map) or any("from clicked" in note for note in summary.notes)


def test_a_column_that_seems_to_say_what_was_clicked_is_asked_about(
    target: Target, store: Store, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.csv", FLAGS.replace("clicked", "is_click"))
    assert "clicked=is_click" in refused(target, file, "csv", "impression=list")
    assert import_file(target, file, "csv", ["clicked=is_click"]).stored == 7
    assert import_file(target, file, "csv", ["kind=:click"]).stored > 0  # somebody said it


def test_what_was_not_shown_is_left_out(target: Target, store: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "reader,article,shown\nu,a,1\nu,b,0\nu,c,1.0\n")
    summary = import_file(target, file, "csv")
    assert (summary.read, summary.stored, summary.left_out) == (3, 2, {"rows neither shown nor clicked": 1})


def test_a_flag_that_is_none_is_rejected_by_name(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "reader,article,clicked\nu,a,1\nu,b,perhaps\n")
    assert "clicked: not yes or no" in import_file(target, file, "csv").first_reason


# Values


KINDS = "visitor,what,page\nu,VIEW,a\nu,LIKE,a\nv,SCROLL,b\nv,view,b\nv,,b\n"


def test_kinds_of_others_get_their_meaning_and_the_rest_is_left_out(
    target: Target, store: Store, tmp_path: Path
) -> None:
    maps = ["reader=visitor,article=page,kind=what,kind.VIEW=impression", "kind.LIKE=click"]
    summary = import_file(target, write(tmp_path / "a.csv", KINDS), "csv", maps)
    assert (summary.read, summary.stored, summary.rejected) == (5, 3, 1)  # the one without a kind
    assert summary.left_out == {"kind SCROLL": 1}
    assert (pairs(store, "click"), pairs(store, "impression")) == ([("u", "a")], [("u", "a"), ("v", "b")])


def test_other_values_get_a_meaning_too(target: Target, store: Store, tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "A", "status": "draft"}, {"id": "b", "title": "B", "status": "live"}]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    import_file(target, file, "jsonl", ["hidden=status,hidden.draft=yes,hidden.live=no"])
    hidden = {id: article.hidden for id in "ab" if (article := store.article(SITE, id))}
    assert hidden == {"a": True, "b": False}


def test_a_meaning_without_a_column_is_refused(target: Target, tmp_path: Path) -> None:
    assert "kind=COLUMN" in refused(target, write(tmp_path / "a.csv", KINDS), "csv", "article=page,kind.VIEW=click")


def test_kinds_that_are_not_ours_are_answered_with_their_meaning(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", KINDS)
    message = refused(target, file, "csv", "reader=visitor,article=page,kind=what")
    assert "kind.LIKE=click,kind.VIEW=click" in message
    assert "SCROLL" in message


# Names


NAMES = {
    "articles": (
        "headline,pubDate,content_id,link,section\nThe ferry leaves earlier,2024-03-01 08:00,c1,https://n.example/1,Local\n",
        {"title": "headline", "published_at": "pubDate", "id": "content_id", "url": "link", "category": "section"},
    ),
    "chinese": (
        "编号,标题,发布时间,栏目\n1,港口渡轮时刻表将调整,2024-03-01 08:00,本地\n",
        {"id": "编号", "title": "标题", "published_at": "发布时间", "category": "栏目"},
    ),
    "events": (
        "uid,itemId,ts,sid\nu1,17,1709274600,s1\n",
        {"reader": "uid", "article": "itemId", "time": "ts", "session": "sid"},
    ),
    "values alone": (
        "a,b,c\n1,The ferry leaves at six,https://n.example/1\n2,The lido stays open,https://n.example/2\n",
        {"title": "b", "url": "c"},
    ),
    "lists": (
        "user_id,impression_time,article_ids_inview,article_ids_clicked\n"
        "u,2024-03-01 08:00,4 5 6,5\nu,2024-03-01 09:00,7 8,\n",
        {
            "reader": "user_id",
            "time": "impression_time",
            "shown": "article_ids_inview",
            "clicked": "article_ids_clicked",
        },
    ),
    "a news service": (
        "author,headline,content,description,urlToImage,publishedAt\n"
        "x,The ferry leaves at six,Long,Short,https://n.example/1.jpg,2024-03-01T08:00:00Z\n",
        {"title": "headline", "body": "content", "image": "urlToImage", "published_at": "publishedAt"},
    ),
    "half ours": ("id,headline\n1,The ferry leaves at six\n", {"title": "headline"}),
}


@pytest.mark.parametrize("case", NAMES)
def test_columns_of_unknown_names_are_answered_with_the_map_to_copy(
    target: Target, store: Store, tmp_path: Path, case: str
) -> None:
    text, expected = NAMES[case]
    file = write(tmp_path / "some file.csv", text)
    words = shlex.split(refused(target, file, "csv").partition("copy this: ")[2])
    assert words[:6] == ["python", "-m", "jobs", "import", "csv", str(file)]
    assert dict(entry.split("=", 1) for entry in words[7].split(",")) == expected
    assert import_file(target, file, "csv", [words[7]]).rejected == 0


def test_what_looks_like_a_field_and_is_not_used_is_said(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,title,pubDate\n1,One,2024-03-01\n")
    assert any("published_at=pubDate" in note for note in import_file(target, file, "csv").notes)


def test_events_of_nobody_are_not_imported_unasked(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "article,userId,ts\na,u,1709274600\n")
    assert "reader=userId,time=ts" in refused(target, file, "csv")
