"""Text files as others write them: compressed, in any encoding, with broken lines and quotes."""

import bz2
import gzip
import json
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recsys.errors import ImportRefused
from recsys.imports import Target, import_file
from recsys.imports.tables import Limits
from recsys.store import Store
from tests.importing import SITE, counts, reasons, refused, write

CLICKS = "reader=user,article=page,time=at"


def events(store: Store) -> list[tuple[Any, ...]]:
    return [(e.kind.value, e.reader, e.article, e.time) for e in store.events_after(SITE, 0, 10_000)]


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
    target = Target(store, SITE, tmp_path / "rejects", Limits(max_line_bytes=1_000))
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
    target = Target(store, SITE, tmp_path / "rejects", Limits(max_line_bytes=100_000))
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


def test_a_compressed_file_that_ends_early_says_so_and_keeps_what_came_before(
    target: Target, store: Store, tmp_path: Path
) -> None:
    target = Target(target.store, SITE, tmp_path / "rejects", Limits(batch_rows=1_000))
    text = "id,title\n" + "".join(f"{n},{os.urandom(8).hex()}\n" for n in range(20_000))
    whole = gzip.compress(text.encode())
    message = refused(target, write(tmp_path / "a.csv.gz", whole[: len(whole) // 2]), "csv")
    assert "read to its end" in message
    assert len(list(store.articles(SITE))) > 1_000
    assert counts(import_file(target, write(tmp_path / "a.csv.gz", whole), "csv"))[0] == 20_000


def test_a_huge_line_with_a_quote_does_not_swallow_the_rows_after_it(store: Store, tmp_path: Path) -> None:
    target = Target(store, SITE, tmp_path / "rejects", Limits(max_line_bytes=1_000))
    file = write(tmp_path / "a.csv", f'id,title\n1,"{"x" * 5_000}"\n2,b\n3,c\n')
    assert counts(import_file(target, file, "csv")) == (3, 2, 0, 0, 1)


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
