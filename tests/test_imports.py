"""Importers against good and bad files: what is stored, what is rejected, and for which reason."""

import contextlib
import gzip
import io
import json
import multiprocessing
import os
import signal
import time
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
from recsys.imports import Target, import_file
from recsys.imports.records import event_of
from recsys.imports.tables import Limits
from recsys.imports.values import MAX_CONTEXT
from recsys.store import Kind, Store
from recsys.store.addresses import made_id
from tests.importing import SITE, counts, reasons, refused, write

CLICKS = "reader=user,article=page,time=at"


def events(store: Store) -> list[tuple[Any, ...]]:
    return [(e.kind.value, e.reader, e.article, e.time) for e in store.events_after(SITE, 0, 10_000)]


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
    assert "no column 'userid'. Did you mean 'user_id'?" in refused(target, file, "csv", *maps)
    assert "Did you mean 'reader'?" in refused(target, file, "csv", "readr=user_id")
    assert "field=column" in refused(target, file, "csv", "reader")
    assert "twice" in refused(target, file, "csv", "reader=user_id", "reader=article_id")
    assert "--kind" in refused(target, file, "csv", kind="click")


def test_a_file_without_a_header_is_refused(target: Target, tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "17,p1,1510000000\n18,p2,1510000001\n")
    assert "no column 'user'" in refused(target, file, "csv", CLICKS)
    assert "--no-header" in refused(target, file, "csv")


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


def _import_slowly(folder: Path, ready: Any) -> None:
    store = Store.open(f"sqlite:///{folder}/store.db")
    target = Target(store, SITE, folder / "rejects", Limits(batch_rows=100), progress=lambda *_: ready.set())
    import_file(target, folder / "a.csv", "csv", [CLICKS])


def test_a_value_beyond_its_bound_is_cut_or_left_out_and_counted(target: Target, store: Store, tmp_path: Path) -> None:
    rows = [{"id": n, "title": "t" * 3_900_000, "url": f"https://x.org/{'u' * 3_000}", "source": "S"} for n in (1, 2)]
    file = write(tmp_path / "a.jsonl", "\n".join(json.dumps(row) for row in rows))
    summary = import_file(target, file, "jsonl")
    assert counts(summary) == (2, 2, 0, 0, 0)
    assert summary.repaired == {
        "title: cut to 500 characters": 2,
        "url: left out, longer than 2,048 characters": 2,
    }
    assert [(len(article.title), article.url, article.source) for article in store.articles(SITE)] == [
        (500, None, "S"),
        (500, None, "S"),
    ]


def test_an_import_that_is_killed_is_finished_by_running_it_again(store: Store, tmp_path: Path) -> None:
    rows = 20_000
    text = "user,page,at\n" + "".join(f"u{n % 9},p{n % 7},{1_510_000_000 + n}\n" for n in range(rows))
    write(tmp_path / "a.csv", text)
    context = multiprocessing.get_context("forkserver")
    ready = context.Event()
    child = context.Process(target=_import_slowly, args=(tmp_path, ready))
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
    config = Limits(batch_bytes=2_000)
    target = Target(store, SITE, tmp_path, config, progress=lambda done, total: sizes.append(done))
    assert counts(import_file(target, tmp_path / "a.parquet", "parquet")) == (40, 40, 0, 0, 0)
    assert len(sizes) > 10


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
    store = Store.open(f"sqlite:///{tmp_path}/data/store.db")
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
