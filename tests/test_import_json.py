"""JSON in every layout people save it in, and tables whose first line is no header: the same articles come out."""

import json
from pathlib import Path
from typing import Any

import pytest

from recsys.imports import Target, import_file
from recsys.imports.tables import Limits
from recsys.store import Store
from tests.importing import SITE, refused, write

ROWS: list[dict[str, Any]] = [
    {"id": "p1", "title": "Bridge closed {again}"},
    {"id": "p2", "title": 'A "quoted" [word]', "media": [{"u": 1}]},
]
ONE, TWO = (json.dumps(row) for row in ROWS)
LAYOUTS = {
    "lines": f"{ONE}\n{TWO}\n",
    "array on one line": json.dumps(ROWS),
    "array, pretty": json.dumps(ROWS, indent=2),
    "array, windows": json.dumps(ROWS, indent=2).replace("\n", "\r\n"),
    "objects over many lines": "\n".join(json.dumps(row, indent=1) for row in ROWS),
    "commas at the line ends": f"{ONE},\n{TWO},\n",
    "commas and brackets": f"[\n{ONE},\n{TWO}\n]\n",
    "one behind the other": ONE + TWO,
    "record separators": f"\x1e{ONE}\n\x1e{TWO}\n",
    "an array per page": f"[{ONE}]\n[{TWO}]\n",
}


@pytest.fixture
def target(store: Store, tmp_path: Path) -> Target:
    return Target(store, SITE, tmp_path / "rejects", Limits(batch_rows=3, max_line_bytes=2_000))


def titles(store: Store, *ids: str) -> list[str | None]:
    found = (store.article(SITE, id) for id in ids)
    return [article.title if article else None for article in found]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_two_objects_are_two_articles_in_every_layout(
    target: Target, store: Store, tmp_path: Path, layout: str, encoding: str
) -> None:
    summary = import_file(target, write(tmp_path / "a.json", LAYOUTS[layout].encode(encoding)), "jsonl")
    assert (summary.read, summary.stored, summary.rejected) == (2, 2, 0)
    assert titles(store, "p1", "p2") == [row["title"] for row in ROWS]


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
def test_where_the_text_is_cut_into_chunks_makes_no_difference(
    target: Target, store: Store, tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.imports.sources.CHUNK_BYTES", chunk)
    rows = [
        {"id": n, "title": f"Zürich {n}", "hits": -1.5e3, "ok": None, "body": "\\u00e9 \\\\" * n} for n in range(20)
    ]
    summary = import_file(target, write(tmp_path / "a.json", json.dumps(rows, ensure_ascii=False)), "jsonl")
    assert (summary.stored, summary.rejected) == (20, 0)
    assert titles(store, "0", "19") == ["Zürich 0", "Zürich 19"]


def test_a_broken_object_of_an_array_costs_itself_alone(target: Target, store: Store, tmp_path: Path) -> None:
    commaless = '{"id": "b2" "title": "no { comma"}'
    text = f'[\n{ONE},\n{{"id": "bad", "title": oops, "in": {{"a": [1]}}}},\n{commaless},\n{TWO}]'
    summary = import_file(target, write(tmp_path / "a.json", text), "jsonl")
    assert (summary.stored, summary.rejected) == (2, 2)
    assert titles(store, "p1", "p2", "bad") == [ROWS[0]["title"], ROWS[1]["title"], None]
    assert summary.rejects is not None
    assert [json.loads(line)["line"] for line in summary.rejects.read_text().splitlines()] == [3, 4]


def test_an_object_larger_than_a_line_may_be_is_one_reject(target: Target, store: Store, tmp_path: Path) -> None:
    huge = json.dumps({"id": "huge", "title": "x", "body": "y" * 500_000})
    summary = import_file(target, write(tmp_path / "a.json", f"[{ONE},\n{huge},{TWO}]"), "jsonl")
    assert (summary.stored, summary.rejected) == (2, 1)
    assert "more than 2,000 characters" in summary.first_reason


def test_an_array_that_ends_early_is_no_success(target: Target, store: Store, tmp_path: Path) -> None:
    assert "inside an array" in refused(target, write(tmp_path / "a.json", f"[{ONE},{TWO}"), "jsonl")
    assert titles(store, "p1", "p2") == [row["title"] for row in ROWS]  # what came before is stored
    assert "inside an array" in refused(target, write(tmp_path / "b.json", f'[{ONE},{{"id": "p3", "ti'), "jsonl")


def test_bytes_that_are_no_text_are_told_in_an_array_too(target: Target, store: Store, tmp_path: Path) -> None:
    text = b'[{"id": "e", "title": "caf\xe9"}, ' + ONE.encode() + b"]"
    summary = import_file(target, write(tmp_path / "a.json", text), "jsonl")
    assert (summary.stored, summary.rejected) == (1, 1)
    assert "--encoding" in summary.first_reason


def test_the_list_inside_a_wrapper_is_read_by_its_path(target: Target, store: Store, tmp_path: Path) -> None:
    page = {"status": "ok", "meta": {"items": [], "n": [1, {"a": 2}]}, "data": {"total": 2, "items": ROWS}, "next": "}"}
    file = write(tmp_path / "a.json", json.dumps(page) + "\n" + json.dumps(page))
    summary = import_file(target, file, "jsonl", records="data.items")
    assert (summary.read, summary.stored, summary.rejected) == (4, 2, 0)
    assert "--records data.items" in refused(target, file, "jsonl")
    assert "data.items" in refused(target, file, "jsonl", records="data.item")


@pytest.mark.parametrize("wrapper", [{"title": "The Post"}, {}, {"id": 1, "version": "2"}])
def test_a_wrapper_is_never_taken_for_one_article(target: Target, tmp_path: Path, wrapper: dict[str, Any]) -> None:
    text = json.dumps(wrapper | {"articles": ROWS * 40}, indent=1)
    assert "--records articles" in refused(target, write(tmp_path / "a.json", text), "jsonl")


def test_an_article_with_a_list_of_objects_is_no_wrapper(target: Target, store: Store, tmp_path: Path) -> None:
    article = {"id": "a", "title": "T", "body": "B", "related": ROWS}
    assert import_file(target, write(tmp_path / "a.json", json.dumps(article, indent=1)), "jsonl").stored == 1


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ('<?xml version="1.0"?>\n<rss version="2.0"><channel/></rss>', "RSS", "import feed"),
        ('\n <feed xmlns="http://www.w3.org/2005/Atom"></feed>', "RSS or Atom", "import feed"),
        ('{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": []}', "JSON Feed", "import feed"),
        ("<!DOCTYPE html><html></html>", "HTML page", "Export"),
        ("<news><item/></news>", "XML", "Export"),
    ],
)
@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_markup_is_called_by_its_name(
    target: Target, tmp_path: Path, text: str, what: str, remedy: str, format: str
) -> None:
    message = refused(target, write(tmp_path / "x", text), format)
    assert what in message
    assert remedy in message


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nid;title\n1;One, two\n2;Three\n",
        '"sep=;"\r\nid;title\r\n1;One, two\r\n2;Three\r\n',
        "sep=\t\nid\ttitle\n1\tOne, two\n2\tThree\n",
        "id;title\n1;One, two\n2;Three\n",
        "id;title;\n1;One, two;\n2;Three;\n",
        "id|title\n1|One, two\n2|Three\n",
        'id,title\n1,"One, two"\n2,Three\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-8-sig"])
def test_the_tables_of_excel_are_understood(
    target: Target, store: Store, tmp_path: Path, text: str, encoding: str
) -> None:
    summary = import_file(target, write(tmp_path / "a.csv", text.encode(encoding)), "csv")
    assert (summary.stored, summary.rejected) == (2, 0)
    assert titles(store, "1", "2") == ["One, two", "Three"]


def test_columns_without_names_are_called_by_their_numbers(target: Target, store: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "7;x;Seven, eight\n9;y;Nine\n")
    summary = import_file(target, file, "csv", ["id=1,title=3"], has_header=False)
    assert (summary.stored, summary.rejected) == (2, 0)
    assert titles(store, "7", "9") == ["Seven, eight", "Nine"]
    assert "--no-header" in refused(target, file, "csv")


def test_a_database_s_and_a_content_system_s_wrappers_are_looked_into(store: Store, tmp_path: Path) -> None:
    row = {
        "id": {"$oid": "65f0c0ffee"},
        "title": {"rendered": "Bridge &amp; ferry"},
        "body": ["First paragraph.", "Second one."],
        "published_at": {"$date": {"$numberLong": "1730794500000"}},
        "category": {"name": "Harbour"},
    }
    file = tmp_path / "export.jsonl"
    file.write_text(json.dumps(row) + "\n")
    import_file(Target(store, SITE, tmp_path / "rejects"), file, "jsonl")
    stored = store.article(SITE, "65f0c0ffee")
    assert stored is not None
    assert (stored.title, stored.body) == ("Bridge & ferry", "First paragraph.\n\nSecond one.")
    assert (stored.published_at, stored.category) == (1_730_794_500_000, "Harbour")
