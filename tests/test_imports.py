"""Importers against good and hostile files: what is stored, what is rejected, and with which reason."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import multiprocessing
import os
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog

from jobs.imports import app
from jobs.terminal import main
from recsys.errors import ImportRefused
from recsys.imports import Summary, Target, import_file, import_mind
from recsys.imports.config import ImportsConfig
from recsys.imports.records import event_of
from recsys.imports.values import MAX_CONTEXT
from recsys.store import Kind, Store
from recsys.store.addresses import made_id

SITE = "daily"
URL = "sqlite:///{}/store.db"
CLICKS = "reader=user,article=page,time=at"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(URL.format(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def target(store: Store, tmp_path: Path) -> Target:
    return Target(store, SITE, tmp_path / "rejects", ImportsConfig(batch_rows=3))


def counts(summary: Summary) -> tuple[int, int, int, int, int]:
    return (summary.read, summary.stored, summary.updated, summary.duplicate, summary.rejected)


def reasons(summary: Summary) -> list[tuple[int, str]]:
    assert summary.rejects is not None
    rows = [json.loads(line) for line in summary.rejects.read_text().splitlines()]
    assert all(set(row) == {"line", "reason", "row"} for row in rows)
    return [(row["line"], row["reason"]) for row in rows]


def events(store: Store) -> list[tuple[Any, ...]]:
    return [(e.kind.value, e.reader, e.article, e.time) for e in store.events_after(SITE, 0, 10_000)]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# MIND


NEWS = "N1\tnews\tworld\tTitle\tAbstract\thttps://x.org/1\t{}\t[]\n".format(
    json.dumps([{"Label": "Bonn", "WikidataId": "Q586", "Type": "G"}])
)
BEHAVIORS = "7\tU1\t11/11/2019 9:05:58 AM\tN8 N9\tN1-1 N2-0\n8\tU2\t11/11/2019 9:00:00 PM\t\tN2-0 N1-0\n"


def mind(folder: Path, behaviors: str = BEHAVIORS) -> Path:
    folder.mkdir(exist_ok=True)
    write(folder / "news.tsv", NEWS)
    write(folder / "behaviors.tsv", behaviors)
    return folder


def test_mind_becomes_impressions_clicks_and_a_history_without_times(
    target: Target, store: Store, tmp_path: Path
) -> None:
    summary = import_mind(target, mind(tmp_path / "mind"))
    assert counts(summary) == (3, 8, 0, 0, 0)
    morning = int(datetime(2019, 11, 11, 9, 5, 58, tzinfo=UTC).timestamp() * 1000)
    evening = int(datetime(2019, 11, 11, 21, 0, 0, tzinfo=UTC).timestamp() * 1000)
    assert sorted(events(store), key=lambda e: e[3] or 0) == [
        ("click", "U1", "N8", None),
        ("click", "U1", "N9", None),
        ("impression", "U1", "N1", morning),
        ("impression", "U1", "N2", morning),
        ("click", "U1", "N1", morning),
        ("impression", "U2", "N2", evening),
        ("impression", "U2", "N1", evening),
    ]
    stored = store.events_after(SITE, 0, 99)
    assert len({event.impression for event in stored if event.reader == "U1" and event.time}) == 1
    assert all(event.position is None for event in stored)  # MIND shuffles its candidates
    article = store.article(SITE, "N1")
    assert article is not None
    assert (article.title, article.body, article.category, article.subcategory) == (
        "Title",
        "Abstract",
        "news",
        "world",
    )
    assert (article.entities, article.language) == (("Q586:Bonn",), None)  # the file names no language


def test_mind_imported_again_adds_nothing_and_a_longer_history_its_end(
    target: Target, store: Store, tmp_path: Path
) -> None:
    import_mind(target, mind(tmp_path / "mind"))
    assert counts(import_mind(target, tmp_path / "mind")) == (3, 0, 0, 8, 0)
    longer = "1\tU1\t11/16/2019 9:05:58 AM\tN8 N9 N5\tN3-0\n"
    assert counts(import_mind(target, mind(tmp_path / "mind", longer))) == (2, 2, 0, 3, 0)
    history = [event.article for event in store.events_after(SITE, 0, 99) if event.time is None]
    assert history == ["N8", "N9", "N5"]


def test_mind_lines_that_are_none_are_rejected_by_reason(target: Target, store: Store, tmp_path: Path) -> None:
    lines = [
        "1\tU1\t11/11/2019 9:05:58 AM\tN8",
        "1\tU1\tyesterday\tN8\tN1-0",
        "1\tU1\t11/11/2019 9:05:58 AM\tN8\tN1-2",
        "1\t\t11/11/2019 9:05:58 AM\tN8\tN1-1",
        "1\tU1\t11/11/2999 9:05:58 AM\tN8\tN1-1",
    ]
    summary = import_mind(target, mind(tmp_path / "mind", "\n".join(lines)))
    assert counts(summary) == (6, 1, 0, 0, 5)
    assert [line for line, _ in reasons(summary)] == [1, 2, 3, 4, 5]
    texts = [reason for _, reason in reasons(summary)]
    for text, part in zip(texts, ["4 values", "not a time", "not a candidate", "no user id", "future"], strict=True):
        assert part in text
    assert events(store) == []


def test_a_folder_without_mind_is_refused(target: Target, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"no .*news\.tsv"):
        import_mind(target, tmp_path)


# Formats and maps


def test_a_csv_file_is_imported_by_a_map_with_context_and_constants(
    target: Target, store: Store, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.csv", 'user,page,at,place\n1,p,1510000000,"B, ""x"""\n2,q,1510000001000,\n')
    maps = ["reader=user,article=page", "time=at,context.region=place,slot=:front"]
    assert counts(import_file(target, file, "csv", maps)) == (2, 2, 0, 0, 0)
    assert events(store) == [("click", "1", "p", 1_510_000_000_000), ("click", "2", "q", 1_510_000_001_000)]
    contexts = [(event.context, event.slot) for event in store.events_after(SITE, 0, 9)]
    assert contexts == [('{"region":"B, \\"x\\""}', "front"), (None, "front")]


def test_a_jsonl_file_of_articles_needs_no_map_when_its_keys_are_the_fields(
    target: Target, store: Store, tmp_path: Path
) -> None:
    rows = [
        {"id": 5, "title": "标题", "body": "b", "language": "zh-CN", "published_at": "2024-02-29T12:00:00+08:00"},
        {"title": "by address", "url": "https://x.org/a", "entities": ["e"], "hidden": True},
        {"title": "by title", "category": "sport", "unknown": {"deep": 1}},
    ]
    file = write(tmp_path / "a.jsonl", "\n\n".join(json.dumps(row) for row in rows))
    assert counts(import_file(target, file, "jsonl")) == (3, 3, 0, 0, 0)
    assert counts(import_file(target, file, "jsonl")) == (3, 0, 0, 3, 0)
    stored = {article.title: article for article in store.articles(SITE)}
    assert stored["标题"].id == "5"
    assert (stored["标题"].language, stored["标题"].published_at) == ("zh", 1_709_179_200_000)
    assert stored["by address"].hidden
    assert len({article.id for article in stored.values()}) == 3


def test_a_key_inside_an_object_is_a_column_with_a_dot(target: Target, store: Store, tmp_path: Path) -> None:
    row = {"who": {"id": "ann"}, "page": "p", "kind": "dismiss", "when": 1_510_000_000, "geo": {"city": "Bonn"}}
    file = write(tmp_path / "a.jsonl", json.dumps(row))
    import_file(target, file, "jsonl", ["reader=who.id,article=page,time=when,context.city=geo.city"])
    assert events(store) == [("dismiss", "ann", "p", 1_510_000_000_000)]
    assert store.events_after(SITE, 0, 1)[0].context == '{"city":"Bonn"}'


def test_a_parquet_file_is_imported_with_times_numbers_and_missing_values(
    target: Target, store: Store, tmp_path: Path
) -> None:
    moments = [datetime(2024, 1, 1, hour, tzinfo=UTC) for hour in range(5)]
    table = pa.table({"user": [1, 2, None, 4, 5], "page": [10, 11, 12, 13, None], "at": moments})
    pq.write_table(table, tmp_path / "a.parquet")
    summary = import_file(target, tmp_path / "a.parquet", "parquet", [CLICKS])
    assert counts(summary) == (5, 4, 0, 0, 1)
    assert reasons(summary) == [(5, "no article")]
    assert [event[1:3] for event in events(store)] == [("1", "10"), ("2", "11"), (None, "12"), ("4", "13")]
    assert events(store)[0][3] == 1_704_067_200_000


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compression_is_told_by_the_content_and_not_by_the_name(
    target: Target, store: Store, tmp_path: Path, compression: str
) -> None:
    text = "user,page,at\n" + "".join(f"u{n},p,{1_510_000_000 + n}\n" for n in range(50))
    file = write(tmp_path / "clicks", COMPRESSIONS[compression](text.encode()))
    assert counts(import_file(target, file, "csv", [CLICKS])) == (50, 50, 0, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_the_encoding(target: Target, store: Store, tmp_path: Path, encoding: str) -> None:
    file = write(tmp_path / "a.csv", "id,title\r\n1,标题 é 😀\r\n".encode(encoding))
    assert counts(import_file(target, file, "csv")) == (1, 1, 0, 0, 0)
    assert [article.title for article in store.articles(SITE)] == ["标题 é 😀"]


def test_another_encoding_is_read_when_it_is_named(target: Target, store: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id;title\n1;新闻\n".encode("gb18030"))
    assert counts(import_file(target, file, "csv", encoding="gb18030")) == (1, 1, 0, 0, 0)
    assert [article.title for article in store.articles(SITE)] == ["新闻"]


def test_the_same_row_is_one_event_and_rows_that_differ_are_two(target: Target, store: Store, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "user,page,at\n1,p,1510000000\n1,p,1510000000\n1,p,1510000001\n")
    assert counts(import_file(target, file, "csv", [CLICKS])) == (3, 2, 0, 1, 0)
    assert counts(import_file(target, file, "csv", [CLICKS])) == (3, 0, 0, 3, 0)


def test_duplicate_identifiers_are_counted_and_a_changed_article_is_updated(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,title\n1,a\n1,a\n2,b\n1,c\n")
    assert counts(import_file(target, file, "csv")) == (4, 2, 1, 1, 0)  # batches of three: the last line is the second


def test_a_dry_run_says_what_would_happen_and_writes_nothing(store: Store, target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,title\n1,a\n2,b\n3,\n")
    dry = Target(store, SITE, tmp_path / "rejects", dry_run=True)
    assert counts(import_file(dry, file, "csv")) == (3, 2, 0, 0, 1)
    assert list(store.articles(SITE)) == []
    assert counts(import_file(target, file, "csv")) == (3, 2, 0, 0, 1)
    write(file, "id,title\n1,a\n2,changed\n")
    assert counts(import_file(dry, file, "csv")) == (2, 0, 1, 1, 0)
    clicks = write(tmp_path / "clicks.csv", "user,page,at\n1,p,1510000000\n2,p,1510000000\n")
    assert counts(import_file(dry, clicks, "csv", [CLICKS])) == (2, 2, 0, 0, 0)
    assert events(store) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1510000000", 1_510_000_000_000),
        ("1510000000.5", 1_510_000_000_500),
        ("1510000000123", 1_510_000_000_123),
        ("2017-11-06T20:26:40Z", 1_510_000_000_000),
        ("2017-11-07 04:26:40+08:00", 1_510_000_000_000),
        ("2017-11-06 20:26:40", 1_510_000_000_000),
        ("2017-11-06", 1_509_926_400_000),
        ("Mon, 06 Nov 2017 20:26:40 +0000", 1_510_000_000_000),
        ("0", None),
        ("", None),
        ("NaN", None),
        ("soon", "not a time"),
        ("inf", "not a time"),
        ("-5", "negative"),
        ("17", "no time"),
        ("1510000", "before 1995-01-01: 1970"),
        ("1901-01-01", "before 1995-01-01: 1901"),
        ("2999-01-01", "in the future: 2999-01-01"),
        ("9" * 400, "not a time"),
    ],
)
def test_times_come_in_many_forms(
    target: Target, store: Store, tmp_path: Path, text: str, expected: int | str | None
) -> None:
    file = write(tmp_path / "a.csv", f'user,page,at\nu,p,"{text}"\n')
    summary = import_file(target, file, "csv", [CLICKS])
    if not isinstance(expected, str):
        assert [event[3] for event in events(store)] == [expected]
    else:
        assert expected in reasons(summary)[0][1]
        assert counts(summary) == (1, 0, 0, 0, 1)


def test_a_clock_that_is_a_little_ahead_is_forgiven(target: Target, store: Store, tmp_path: Path) -> None:
    now = int(time.time())
    file = write(tmp_path / "a.csv", f"user,page,at\nu,p,{now + 9 * 60}\nu,p,{now + 11 * 60}\n")
    summary = import_file(target, file, "csv", [CLICKS])
    assert counts(summary) == (2, 1, 0, 0, 1)
    assert "future" in summary.first_reason


# Hostile files


def refused(target: Target, file: Path, format: str, maps: tuple[str, ...] = (), kind: str | None = None) -> str:
    with pytest.raises(ImportRefused) as caught:
        import_file(target, file, format, maps, kind)
    return str(caught.value)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00" * 4096, gzip.compress(b"", mtime=0)])
def test_a_file_without_content_is_refused(target: Target, tmp_path: Path, format: str, content: bytes) -> None:
    assert "expected" in refused(target, write(tmp_path / "a", content), format)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_missing_file_and_a_folder_are_refused(target: Target, tmp_path: Path, format: str) -> None:
    assert "No such file" in refused(target, tmp_path / "none", format)
    assert "directory" in refused(target, tmp_path, format)


def test_a_file_of_another_format_is_refused_with_the_right_command(target: Target, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1]}), tmp_path / "a.parquet")
    assert "import parquet" in refused(target, tmp_path / "a.parquet", "csv")
    assert "import parquet" in refused(target, tmp_path / "a.parquet", "jsonl")
    table = write(tmp_path / "a.csv", "id,title\n1,a\n")
    assert "use csv" in refused(target, table, "jsonl")
    assert "csv or jsonl" in refused(target, table, "parquet")
    lines = write(tmp_path / "a.jsonl", '{"id": 1, "title": "a"}\n')
    assert "jsonl" in refused(target, lines, "csv")
    assert "ZIP" in refused(target, write(tmp_path / "a.zip", b"PK\x03\x04" + b"x" * 50), "csv")


def test_the_summary_says_what_the_rows_were_taken_for_and_which_column_went_where(
    target: Target, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("headline,text,title\nOne,two,three\n")
    summary = import_file(target, tmp_path / "a.csv", "csv", ["body=text,language=:en"])
    assert summary.records == "articles"
    assert summary.mapping == "title=title,body=text,language=:en; unused: headline"
    (tmp_path / "b.csv").write_text("article,reader\na1,ann\n")
    assert import_file(target, tmp_path / "b.csv", "csv").records == "clicks"


def test_rejected_rows_can_be_read_in_any_script(target: Target, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("title,id\n球队夺冠,a\x7f\nfine,b\n", encoding="utf-8")
    summary = import_file(target, tmp_path / "a.csv", "csv")
    assert summary.rejects is not None
    assert "球队夺冠" in summary.rejects.read_text(encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"title": "half \\ud800", "id": [1]}\n{"title": "fine"}\n')
    summary = import_file(target, tmp_path / "b.jsonl", "jsonl")
    assert summary.rejects is not None
    assert "half \\ud800" in json.loads(summary.rejects.read_text(encoding="utf-8"))["row"].encode(
        "utf-8", "backslashreplace"
    ).decode("utf-8")


def test_a_wrong_column_is_answered_with_the_nearest_one(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "user_id,article_id,timestamp\n1,2,3\n")
    maps = ("reader=userid,article=article_id",)
    assert "no column 'userid'. Did you mean 'user_id'?" in refused(target, file, "csv", maps)
    assert "Did you mean 'reader'?" in refused(target, file, "csv", ("readr=user_id",))
    assert "field=column" in refused(target, file, "csv", ("reader",))
    assert "twice" in refused(target, file, "csv", ("reader=user_id", "reader=article_id"))
    assert "--kind" in refused(target, file, "csv", (), "click")


def test_a_file_without_a_header_is_refused(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "17,p1,1510000000\n18,p2,1510000001\n")
    assert "no column 'user'" in refused(target, file, "csv", (CLICKS,))
    assert "--no-header" in refused(target, file, "csv")


def test_a_row_of_another_width_is_rejected(target: Target, tmp_path: Path) -> None:
    summary = import_file(target, write(tmp_path / "a.csv", "id,title\n1\n2,b\n3,c,d\n"), "csv")
    assert counts(summary) == (3, 1, 0, 0, 2)
    assert reasons(summary) == [(2, "1 values for 2 columns"), (4, "3 values for 2 columns")]


def test_a_quoted_value_may_hold_lines_and_the_line_number_stays_right(
    target: Target, store: Store, tmp_path: Path
) -> None:
    summary = import_file(target, write(tmp_path / "a.csv", 'id,title\n1,"a\n\nb"\n\n2,\n'), "csv")
    assert counts(summary) == (2, 1, 0, 0, 1)
    assert reasons(summary) == [(6, "no title")]
    assert [article.title for article in store.articles(SITE)] == ["a b"]


def test_a_quote_that_is_never_closed_costs_rows_and_not_memory(store: Store, tmp_path: Path) -> None:
    target = Target(store, SITE, tmp_path / "rejects", ImportsConfig(max_line_bytes=1_000))
    text = 'id,title\n1,"open\n' + "".join(f"{number},t\n" for number in range(2, 2_000))
    summary = import_file(target, write(tmp_path / "a.csv", text), "csv")
    assert summary.rejected == 1
    assert "quote" in summary.first_reason
    assert summary.stored > 1_500


def test_a_huge_line_is_one_rejected_row_and_never_in_memory(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    with file.open("wb") as output:
        output.write(b'{"title": "before"}\n{"title": "')
        for _ in range(64):
            output.write(b"x" * 1_000_000)
        output.write(b'"}\n{"title": "after"}\n')
    target = Target(store, SITE, tmp_path / "rejects", ImportsConfig(max_line_bytes=100_000))
    tracemalloc.start()
    summary = import_file(target, file, "jsonl")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts(summary) == (3, 2, 0, 0, 1)
    assert reasons(summary) == [(2, "a line of more than 100,000 bytes")]
    assert len(json.loads(summary.rejects.read_text())["row"]) == 2_000  # type: ignore[union-attr]
    assert peak < 8_000_000


def test_a_text_with_nul_or_half_a_character_is_repaired_and_an_identifier_refused(
    target: Target, store: Store, tmp_path: Path
) -> None:
    rows = [
        r'{"id": "1", "title": "a\u0000b\ud800c"}',
        r'{"id": "2\u0000", "title": "t"}',
        r'{"id": "\ud800", "title": "t"}',
    ]
    summary = import_file(target, write(tmp_path / "a.jsonl", "\n".join(rows)), "jsonl")
    assert counts(summary) == (3, 1, 0, 0, 2)
    assert [article.title for article in store.articles(SITE)] == ["ab�c"]
    assert all("not an identifier" in reason for _, reason in reasons(summary))


def test_raw_nul_bytes_in_a_table_are_no_danger(target: Target, store: Store, tmp_path: Path) -> None:
    summary = import_file(target, write(tmp_path / "a.csv", b"id,title\n1,a\x00b\n\x002,t\n"), "csv")
    assert counts(summary) == (2, 1, 0, 0, 1)
    assert [article.title for article in store.articles(SITE)] == ["ab"]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_latin_1_bytes_are_rejected_with_the_option_that_reads_them(
    target: Target, store: Store, tmp_path: Path, format: str
) -> None:
    rows = "id,title\n1,plain\n2,café\n" if format == "csv" else '{"title": "plain"}\n{"title": "café"}\n'
    file = write(tmp_path / "a", rows.encode("latin-1"))
    summary = import_file(target, file, format)
    assert counts(summary) == (2, 1, 0, 0, 1)
    assert "not valid utf-8" in summary.first_reason
    assert "--encoding" in summary.first_reason
    assert counts(import_file(target, file, format, encoding="latin-1")) == (2, 1, 0, 1, 0)
    assert "café" in {article.title for article in store.articles(SITE)}


def test_json_that_is_no_object_or_no_json_is_rejected(target: Target, tmp_path: Path) -> None:
    lines = ['{"title": "a"}', "[1]", '{"title": ', "[" * 100_000, '{"title": {"no": "text"}}', '{"id": 1}']
    summary = import_file(target, write(tmp_path / "a.jsonl", "\n".join(lines)), "jsonl")
    assert counts(summary) == (6, 1, 0, 0, 5)
    parts = ["not a JSON object", "not JSON", "nested too deep", "not a text", "no title"]
    assert sorted(reasons(summary))[0][0] == 2
    for part in parts:
        assert any(part in reason for _, reason in reasons(summary)), part


def test_an_event_without_kind_article_or_believable_time_is_rejected_and_any_other_bad_field_left_out(
    target: Target, store: Store, tmp_path: Path
) -> None:
    good = {"kind": "click", "article": "a", "time": 1_510_000_000, "reader": "r", "context": {"x": 1}}
    needed: list[dict[str, Any]] = [
        {"kind": "like"},
        {"kind": None},
        {"article": "x" * 257},
        {"article": {"id": 1}},
        {"time": True},
    ]
    other: list[dict[str, Any]] = [
        {"position": -1},
        {"dwell_ms": "long"},
        {"context": "text"},
        {"context": {"x": "y" * MAX_CONTEXT}},
        {"reader": "a\x00b"},
    ]
    rows = [good | change for change in [{}, *needed, *other]]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    summary = import_file(target, file, "jsonl")
    assert (summary.read, summary.rejected) == (11, 5)
    starts = ["kind:", "no", "article:", "article:", "time:"]
    assert [reason.partition(" ")[0] for _, reason in sorted(reasons(summary))] == starts
    assert summary.repaired == {
        "position: left out, not a whole number from 0 to 32767": 1,
        "dwell_ms: left out, not a number": 1,
        "context: left out, not a JSON object": 1,
        "context: left out, a context of 4,104 characters; at most 4,096": 1,
        "reader: left out, not an identifier with a control character or half a character": 1,
    }
    assert {event.kind for event in store.events_after(SITE, 0, 99)} == {Kind.CLICK}


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "java\tscript:x", "/\\evil.org", "data:text/html,x", "http://", "https://[x", "#top"],
)
def test_a_link_that_could_run_code_is_left_out_and_counted(
    target: Target, store: Store, tmp_path: Path, link: str
) -> None:
    file = write(tmp_path / "a.jsonl", json.dumps({"title": "t", "url": link}))
    assert import_file(target, file, "jsonl").repaired == {"url: left out, not a web address": 1}
    assert [article.url for article in store.articles(SITE)] == [None]


def test_a_compressed_file_that_ends_early_says_so_and_keeps_what_came_before(
    target: Target, store: Store, tmp_path: Path
) -> None:
    target = Target(target.store, SITE, tmp_path / "rejects", ImportsConfig(batch_rows=1_000))
    text = "id,title\n" + "".join(f"{n},{os.urandom(8).hex()}\n" for n in range(20_000))
    whole = gzip.compress(text.encode())
    message = refused(target, write(tmp_path / "a.csv.gz", whole[: len(whole) // 2]), "csv")
    assert "read to its end" in message
    assert len(list(store.articles(SITE))) > 1_000
    assert counts(import_file(target, write(tmp_path / "a.csv.gz", whole), "csv"))[0] == 20_000


def _import_slowly(folder: Path, ready: Any) -> None:
    store = Store.open(URL.format(folder))
    target = Target(store, SITE, folder / "rejects", ImportsConfig(batch_rows=100), progress=lambda *_: ready.set())
    import_file(target, folder / "a.csv", "csv", [CLICKS])


def test_an_import_that_is_killed_is_finished_by_running_it_again(store: Store, tmp_path: Path) -> None:
    rows = 20_000
    text = "user,page,at\n" + "".join(f"u{n % 9},p{n % 7},{1_510_000_000 + n}\n" for n in range(rows))
    write(tmp_path / "a.csv", text)
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    child = spawn.Process(target=_import_slowly, args=(tmp_path, ready))
    child.start()
    assert ready.wait(60)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    partial = len(store.events_after(SITE, 0, rows))
    assert 0 < partial < rows
    assert partial % 100 == 0
    summary = import_file(Target(store, SITE, tmp_path), tmp_path / "a.csv", "csv", [CLICKS])
    assert counts(summary) == (rows, rows - partial, 0, partial, 0)
    assert len(set(events(store)[:rows])) == min(rows, 10_000)


def test_a_huge_line_with_a_quote_does_not_swallow_the_rows_after_it(store: Store, tmp_path: Path) -> None:
    target = Target(store, SITE, tmp_path / "rejects", ImportsConfig(max_line_bytes=1_000))
    file = write(tmp_path / "a.csv", f'id,title\n1,"{"x" * 5_000}"\n2,b\n3,c\n')
    assert counts(import_file(target, file, "csv")) == (3, 2, 0, 0, 1)


def test_a_key_that_only_later_rows_have_is_not_lost(target: Target, store: Store, tmp_path: Path) -> None:
    rows = [{"title": f"t{number}"} for number in range(150)] + [{"title": "last", "category": "sport"}]
    import_file(target, write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows))), "jsonl")
    assert {article.category for article in store.articles(SITE)} == {None, "sport"}


def test_context_by_the_map_comes_before_a_column_of_that_name(target: Target, store: Store, tmp_path: Path) -> None:
    row = {"article": "p", "time": 1_510_000_000, "context": {"a": 1}, "place": "Bonn"}
    import_file(target, write(tmp_path / "a.jsonl", json.dumps(row)), "jsonl", ["context.city=place"])
    assert store.events_after(SITE, 0, 1)[0].context == '{"city":"Bonn"}'


def test_a_parquet_batch_is_cut_where_it_has_too_many_bytes(store: Store, tmp_path: Path) -> None:
    pq.write_table(pa.table({"title": [f"{n} {'x' * 500}" for n in range(40)]}), tmp_path / "a.parquet")
    sizes: list[int] = []
    config = ImportsConfig(batch_bytes=2_000)
    target = Target(store, SITE, tmp_path, config, progress=lambda done, total: sizes.append(done))
    assert counts(import_file(target, tmp_path / "a.parquet", "parquet")) == (40, 40, 0, 0, 0)
    assert len(sizes) > 10


# Real data


@pytest.mark.shared_data
def test_the_mind_sample_is_imported_whole(store: Store, tmp_path: Path, shared_data: Path) -> None:
    summary = import_mind(Target(store, SITE, tmp_path), shared_data / "mind_sample")
    lines = (shared_data / "mind_sample" / "behaviors.tsv").read_text().splitlines()
    shown = [label for line in lines for label in line.split("\t")[4].split()]
    histories: dict[str, int] = {}
    for line in lines:
        _, reader, _, history, _ = line.split("\t")
        histories[reader] = max(histories.get(reader, 0), len(history.split()))
    clicks = sum(label.endswith("-1") for label in shown)
    assert summary.read == 7_000
    assert summary.rejected == 0
    assert summary.stored == 2_000 + len(shown) + clicks + sum(histories.values())


@pytest.mark.shared_data
def test_the_bbc_articles_need_no_map(store: Store, tmp_path: Path, shared_data: Path) -> None:
    summary = import_file(Target(store, SITE, tmp_path), shared_data / "bbc" / "articles.jsonl.gz", "jsonl")
    assert counts(summary) == (2_225, 2_225, 0, 0, 0)


# The job


def _run_job(*arguments: str) -> tuple[int, str]:
    """Run ``python -m jobs import`` in this process.

    Returns:
        The exit code, and what was logged.
    """
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(io.StringIO()) as logged:
        patch.setattr(signal, "signal", lambda *_: None)  # the tests keep their own way of ending
        try:
            main(lambda: app(list(arguments), standalone_mode=False))
        except SystemExit as end:
            return int(end.code or 0), logged.getvalue()
        finally:
            structlog.reset_defaults()
    return 0, logged.getvalue()


def test_the_job_says_what_it_did_and_leaves_the_rejects_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    rows = "".join(f"u,p{n},1510000000\n" for n in range(9))
    file = write(tmp_path / "a.csv", f"user,page,at\n{rows}u,p,never\n")
    code, logged = _run_job("csv", str(file), "--map", CLICKS, "--site", "weekly")
    assert code == 0
    for part in ("rows=10", "stored=9", "rejected=1", "rows_per_second=", "peak_mib=", "event=start", "event=done"):
        assert part in logged
    assert len(list((tmp_path / "data" / "rejects").glob("a.csv-*.jsonl"))) == 1
    store = Store.open(URL.format(tmp_path / "data"))
    assert store.last_seq("weekly") == 9
    store.close()


def test_the_job_ends_with_2_when_more_than_a_tenth_is_lost_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    rows = "".join(f"u,p{n},1510000000\n" for n in range(8))
    file = write(tmp_path / "a.csv", f"user,page,at\n{rows}u,p,never\n")
    code, logged = _run_job("csv", str(file), "--map", CLICKS)
    assert code == 2
    for part in ("stored=8", "1 of 9 rejected", "not a time", "a.csv-", "import again"):
        assert part in logged


def test_the_job_ends_with_2_when_no_row_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    file = write(tmp_path / "a.csv", "user,page,at\nu,p,never\n")
    code, logged = _run_job("csv", str(file), "--map", CLICKS, "--dry-run")
    assert (code, "ImportRefused" in logged, "not a time" in logged) == (2, True, True)
    code, logged = _run_job("mind", str(tmp_path))
    assert (code, "news.tsv" in logged) == (2, True)


def test_the_identifier_that_a_row_makes_stays_the_one_of_earlier_versions() -> None:
    row = (None, SITE, Kind.CLICK, "a", "ann", None, 1_730_794_500_000, None, 3, None, None, '{"x":"it\'s"}')
    assert event_of(row).event_id == f"{row[6]:011x}{made_id(repr(row[1:]))}"


@pytest.mark.parametrize("content", ["id,title\ra,One\rb,Two\r", 'id,title\ra,"One"\rb,"Two"'])
def test_line_ends_of_old_macs_end_lines(target: Target, store: Store, tmp_path: Path, content: str) -> None:
    import_file(target, write(tmp_path / "a.csv", content), "csv")
    assert [(article.id, article.title) for article in store.articles(SITE)] == [("a", "One"), ("b", "Two")]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_in_either_order(
    target: Target, store: Store, tmp_path: Path, order: str
) -> None:
    file = write(tmp_path / "a.csv", "id,title\na,Été\n".encode(order))
    import_file(target, file, "csv", encoding="utf-16")
    assert [article.title for article in store.articles(SITE)] == ["Été"]


@pytest.mark.parametrize(("encoding", "content"), [("utf-32", b"id,title\na,b\n"), ("hex", b"id,title\n")])
def test_bytes_that_an_encoding_cannot_have_are_refused(
    target: Target, tmp_path: Path, encoding: str, content: bytes
) -> None:
    with pytest.raises(ImportRefused):
        import_file(target, write(tmp_path / "a.csv", content), "csv", encoding=encoding)


def test_a_stray_quote_costs_its_own_line_and_none_of_those_that_it_swallowed(
    target: Target, store: Store, tmp_path: Path
) -> None:
    text = 'id,title,body\n1,a,"two\nlines"\n2,"open,x\n3,"c",x\n4,"d",x\n5,"open,x\n6,f,x\n'
    summary = import_file(target, write(tmp_path / "a.csv", text), "csv")
    assert [(article.id, article.body) for article in store.articles(SITE)] == [
        ("1", "two\nlines"),
        ("3", "x"),
        ("4", "x"),
        ("6", "x"),
    ]
    assert [line for line, reason in reasons(summary) if "quote" in reason] == [4, 7]


def test_an_identifier_that_was_rounded_on_its_way_is_rejected(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "id,title\n1.73079E+12,a\n1.73079E+12,b\n1e3,c\n")
    assert counts(import_file(target, file, "csv")) == (3, 1, 0, 0, 2)
    rows = '{"id": 1.2345678901234567e18, "title": "d"}\n{"id": 1234567890123456789, "title": "e"}\n'
    assert counts(import_file(target, write(tmp_path / "b.jsonl", rows), "jsonl")) == (2, 1, 0, 0, 1)


def test_the_words_of_content_systems_for_what_is_not_public_hide(target: Target, store: Store, tmp_path: Path) -> None:
    rows = ["a,trash", "b,publish", "c,-1", "d,1.0", "e,0.0", "f,future", "g,archived"]
    import_file(target, write(tmp_path / "a.csv", "id,hidden,title\n" + "".join(f"{r},t\n" for r in rows)), "csv")
    assert {article.id for article in store.articles(SITE) if article.hidden} == {"a", "c", "d", "f", "g"}


def test_a_column_of_states_is_named_as_what_hides_and_one_of_numbers_is_not(target: Target, tmp_path: Path) -> None:
    states = import_file(target, write(tmp_path / "a.csv", "id,title,status\n1,t,draft\n2,u,publish\n"), "csv")
    assert "hidden=status" in " ".join(states.notes)
    numbers = import_file(target, write(tmp_path / "b.csv", "id,title,status\n1,t,1\n2,u,0\n"), "csv")
    assert "hidden" not in " ".join(numbers.notes)


def test_a_log_of_addresses_is_told_to_find_its_articles_by_them(target: Target, tmp_path: Path) -> None:
    text = "ts,visitor_id,page_referrer,page_location\n1730790900,v,https://g.example/,https://q.example/1\n"
    with pytest.raises(ImportRefused) as refused:
        import_file(target, write(tmp_path / "a.csv", text), "csv")
    assert "article=@page_location" in refused.value.remedy


def test_parquet_texts_that_are_not_marked_as_texts_are_read(target: Target, store: Store, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [b"a"], "title": [b"One"]}), tmp_path / "a.parquet")
    import_file(target, tmp_path / "a.parquet", "parquet")
    assert [(article.id, article.title) for article in store.articles(SITE)] == [("a", "One")]
