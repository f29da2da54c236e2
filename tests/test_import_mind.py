"""MIND, and copies of it as people have them: without labels, ids or entities, with headers, with other times."""

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from jobs.imports import app
from jobs.terminal import main
from recsys.errors import ImportRefused
from recsys.imports import Target, import_mind
from recsys.store import Store
from tests.importing import SITE, counts, reasons, write

NEWS = [
    ["A1", "news", "local", "Bridge to close for a month", "It is old.", "https://n.example/1", "[]", "[]"],
    ["A2", "sport", "tennis", "Player wins in five sets", "", "https://n.example/2", "[]", ""],
]
BEHAVIORS = [
    ["1", "R1", "1/2/2020 7:00:00 PM", "A8 A9", "A1-0 A2-1"],
    ["2", "R2", "1/3/2020 7:00:00 AM", "", "A2-0"],
]


EVENING_MS, MORNING_MS = 1_577_991_600_000, 1_578_034_800_000
EXPECTED = [
    ("click", "R1", "A2", EVENING_MS),
    ("click", "R1", "A8", None),
    ("click", "R1", "A9", None),
    ("impression", "R1", "A1", EVENING_MS),
    ("impression", "R1", "A2", EVENING_MS),
    ("impression", "R2", "A2", MORNING_MS),
]


Rows = list[list[str]]


def mind(folder: Path, news: Rows, behaviors: Rows, end: str = "\n", encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in (("news.tsv", news), ("behaviors.tsv", behaviors)):
        (folder / name).write_bytes("".join("\t".join(row) + end for row in rows).encode(encoding))
    return folder


def events(store: Store) -> list[tuple[str, str | None, str, int | None]]:
    return sorted(
        ((e.kind.value, e.reader, e.article, e.time) for e in store.events_after(SITE, 0, 99)),
        key=lambda event: (*event[:3], event[3] or 0),
    )


def at(*times: str) -> Rows:
    return [[*row[:2], time, *row[3:]] for row, time in zip(BEHAVIORS, times, strict=True)]


HEADERS = (
    ["news_id", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities"],
    ["impression_id", "user_id", "time", "history", "impressions"],
)
VARIANTS: dict[str, tuple[Rows, Rows]] = {
    "as it is": (NEWS, BEHAVIORS),
    "no impression id": (NEWS, [row[1:] for row in BEHAVIORS]),
    "headers": ([HEADERS[0], *NEWS], [HEADERS[1], *BEHAVIORS]),
    "headers in another order": (
        [[*HEADERS[0][3:], *HEADERS[0][:3]], *([*row[3:], *row[:3]] for row in NEWS)],
        [HEADERS[1][::-1], *(row[::-1] for row in BEHAVIORS)],
    ),
    "four columns of news": ([row[:4] for row in NEWS], BEHAVIORS),
    "no entities": ([row[:6] for row in NEWS], BEHAVIORS),
    "an address and no abstract": ([[*row[:4], row[5]] for row in NEWS], BEHAVIORS),
    "ISO times": (NEWS, at("2020-01-02 19:00:00", "2020-01-03T07:00:00")),
    "seconds": (NEWS, at(str(EVENING_MS // 1000), str(MORNING_MS // 1000))),
    "nothing in words": (NEWS, [BEHAVIORS[0], [*BEHAVIORS[1][:3], "nan", BEHAVIORS[1][4]]]),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("end", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8-sig")])
def test_a_variant_of_mind_gives_the_same_events(
    target: Target, store: Store, tmp_path: Path, variant: str, end: str, encoding: str
) -> None:
    summary = import_mind(target, mind(tmp_path / "mind", *VARIANTS[variant], end, encoding))
    assert (summary.read, summary.rejected) == (4, 0)
    assert events(store) == EXPECTED
    articles = [store.article(SITE, row[0]) for row in NEWS]
    assert [article and article.title for article in articles] == [row[3] for row in NEWS]
    assert [article and article.language for article in articles] == [None, None]
    assert any("UTC" in note for note in summary.notes) == (variant != "seconds")
    assert summary.matched_clicks == (1, 3)


def test_a_test_set_gives_histories_and_impressions_and_says_so(target: Target, store: Store, tmp_path: Path) -> None:
    behaviors = [[*row[:4], row[4].replace("-0", "").replace("-1", "")] for row in BEHAVIORS]
    summary = import_mind(target, mind(tmp_path / "mind", NEWS, behaviors))
    assert (summary.read, summary.rejected) == (4, 0)
    assert events(store) == EXPECTED[1:]
    assert any("does not say what was clicked" in note for note in summary.notes)


def test_columns_that_news_cannot_be_without_are_named(target: Target, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="no title in 3 columns"):
        import_mind(target, mind(tmp_path / "mind", [row[:3] for row in NEWS], BEHAVIORS))
    with pytest.raises(ImportRefused, match=r"behaviors\.tsv"):
        import_mind(target, mind(tmp_path / "mind", NEWS, [["1", "R1", "A1"], ["2", "R1", "A2"]]))


def test_a_file_that_was_rejected_as_a_whole_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    news = [[f"A{n}", "news", "local", f"Title {n}", "", "", "", ""] for n in range(99)]
    folder = mind(tmp_path / "mind", news, [["1", "R1", "yesterday", "", "A1-0"]])
    with pytest.raises(SystemExit) as end:
        main(lambda: app(["mind", str(folder)], standalone_mode=False))
    structlog.reset_defaults()
    assert end.value.code == 2
    assert "all of behaviors.tsv" in capsys.readouterr().err


def rows_stored(store: Store) -> list[tuple[Any, ...]]:
    return [(e.kind.value, e.reader, e.article, e.time) for e in store.events_after(SITE, 0, 10_000)]


NEWS_TEXT = "N1\tnews\tworld\tTitle\tAbstract\thttps://x.org/1\t{}\t[]\n".format(
    json.dumps([{"Label": "Bonn", "WikidataId": "Q586", "Type": "G"}])
)
BEHAVIORS_TEXT = "7\tU1\t11/11/2019 9:05:58 AM\tN8 N9\tN1-1 N2-0\n8\tU2\t11/11/2019 9:00:00 PM\t\tN2-0 N1-0\n"


def mind_folder(folder: Path, behaviors: str = BEHAVIORS_TEXT) -> Path:
    folder.mkdir(exist_ok=True)
    write(folder / "news.tsv", NEWS_TEXT)
    write(folder / "behaviors.tsv", behaviors)
    return folder


def test_mind_becomes_impressions_clicks_and_a_history_without_times(
    target: Target, store: Store, tmp_path: Path
) -> None:
    summary = import_mind(target, mind_folder(tmp_path / "mind"))
    assert counts(summary) == (3, 8, 0, 0, 0)
    morning = int(datetime(2019, 11, 11, 9, 5, 58, tzinfo=UTC).timestamp() * 1000)
    evening = int(datetime(2019, 11, 11, 21, 0, 0, tzinfo=UTC).timestamp() * 1000)
    assert sorted(rows_stored(store), key=lambda e: e[3] or 0) == [
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
    import_mind(target, mind_folder(tmp_path / "mind"))
    assert counts(import_mind(target, tmp_path / "mind")) == (3, 0, 0, 8, 0)
    longer = "1\tU1\t11/16/2019 9:05:58 AM\tN8 N9 N5\tN3-0\n"
    assert counts(import_mind(target, mind_folder(tmp_path / "mind", longer))) == (2, 2, 0, 3, 0)
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
    summary = import_mind(target, mind_folder(tmp_path / "mind", "\n".join(lines)))
    assert counts(summary) == (6, 1, 0, 0, 5)
    assert [line for line, _ in reasons(summary)] == [1, 2, 3, 4, 5]
    texts = [reason for _, reason in reasons(summary)]
    for text, part in zip(texts, ["4 values", "not a time", "not a candidate", "no user id", "future"], strict=True):
        assert part in text
    assert rows_stored(store) == []


def test_a_folder_without_mind_is_refused(target: Target, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match=r"no .*news\.tsv"):
        import_mind(target, tmp_path)


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
