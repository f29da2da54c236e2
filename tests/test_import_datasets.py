"""Data sets of research in their own formats: EB-NeRD and Adressa."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import ImportRefused
from recsys.imports import Target, import_adressa, import_ebnerd, import_file
from recsys.store import Store, StoredEvent
from tests.importing import SITE, counts, refused, write

MORNING = datetime(2024, 3, 1, 6, 30)
MORNING_MS = 1_709_274_600_000


def events(store: Store) -> list[StoredEvent]:
    return store.events_after(SITE, 0, 10_000)


def pairs(store: Store, kind: str) -> list[tuple[str | None, str]]:
    return sorted((event.reader, event.article) for event in events(store) if event.kind.value == kind)


def ebnerd(folder: Path) -> Path:
    (folder / "train").mkdir(parents=True)
    (folder / "validation").mkdir()
    behaviors = {
        "impression_id": [5], "article_id": [None], "impression_time": [MORNING], "read_time": [13.0],
        "scroll_percentage": [None], "device_type": [2],
        "article_ids_inview": [[31, 32]], "article_ids_clicked": [[32]],
        "user_id": [77], "is_sso_user": [False], "session_id": [9], "next_read_time": [2.5],
    }  # fmt: skip
    pq.write_table(pa.table(behaviors), folder / "train" / "behaviors.parquet")
    test = {name: behaviors[name] for name in ("impression_time", "article_ids_inview", "user_id")} | {
        "impression_id": [6]
    }
    pq.write_table(pa.table(test), folder / "validation" / "behaviors.parquet")
    history = {"user_id": [77], "impression_time_fixed": [[MORNING - timedelta(days=1)]], "read_time_fixed": [[7.0]]}
    pq.write_table(pa.table(history | {"article_id_fixed": [[30]]}), folder / "train" / "history.parquet")
    articles = {
        "article_id": [30, 31, 32], "title": ["Hjem", "Kamp", "Vejr"], "subtitle": ["", "", ""],
        "body": ["x", "y", "z"],
        "category": [1, 2, 2], "category_str": ["krimi", "sport", "sport"],
        "published_time": [MORNING] * 3,
        "url": ["https://n.example/1"] * 3, "image_ids": [[1]] * 3, "ner_clusters": [["Aarhus"], [], []],
    }  # fmt: skip
    pq.write_table(pa.table(articles), folder / "articles.parquet")
    return folder


def test_ebnerd_is_imported_with_its_histories_and_read_times(target: Target, store: Store, tmp_path: Path) -> None:
    summary = import_ebnerd(target, ebnerd(tmp_path / "ebnerd"))
    assert counts(summary) == (6, 9, 0, 0, 0)
    assert pairs(store, "impression") == [("77", "31")] * 2 + [("77", "32")] * 2
    clicks = [(e.article, e.time, e.dwell_ms) for e in events(store) if e.kind.value == "click"]
    assert sorted(clicks) == [("30", MORNING_MS - 86_400_000, 7000), ("32", MORNING_MS, 2500)]
    assert '{"device":"mobile"}' in {event.context for event in events(store)}
    article = store.article(SITE, "31")
    assert article is not None
    assert (article.title, article.category, article.published_at, article.language) == (
        "Kamp",
        "sport",
        MORNING_MS,
        None,
    )
    assert any("UTC" in note for note in summary.notes)
    assert summary.matched_clicks == (2, 2)


def test_any_part_of_ebnerd_will_do_and_none_is_refused(target: Target, tmp_path: Path) -> None:
    folder = ebnerd(tmp_path / "ebnerd")
    (folder / "articles.parquet").unlink()
    (folder / "train" / "behaviors.parquet").unlink()
    assert counts(import_ebnerd(target, folder)) == (2, 3, 0, 0, 0)
    with pytest.raises(ImportRefused, match=r"behaviors\.parquet"):
        import_ebnerd(target, tmp_path / "rejects")


ADRESSA: list[dict[str, Any]] = [
    {"eventId": 1, "url": "http://n.example", "time": 1_490_000_000, "userId": "cx:1", "sessionStart": True},
    {"eventId": 2, "url": "http://n.example/a.ece", "time": 1_490_000_010, "userId": "cx:1", "activeTime": 31,
     "id": "a",
     "title": "Første tittel", "category1": "sport|ski",
     "publishtime": "2017-03-20T05:00:00.000Z", "deviceType": "Tablet"},
    {"eventId": 3, "url": "http://n.example/b.ece", "time": 1_490_000_060, "userId": "cx:2", "activeTime": 0.5,
     "id": "b", "title": "Andre sak"},
    {"eventId": 4, "url": "http://n.example/a.ece", "time": 1_490_000_090, "userId": "cx:2", "id": "a",
     "title": "Ny tittel"},
]  # fmt: skip


def test_adressa_gives_clicks_and_their_articles_and_leaves_front_pages_out(
    target: Target, store: Store, tmp_path: Path
) -> None:
    summary = import_adressa(target, write(tmp_path / "20170320", "\n".join(map(json.dumps, ADRESSA))))
    assert counts(summary) == (4, 5, 1, 0, 0)
    assert list(summary.left_out.values()) == [1]
    found = [(e.reader, e.article, e.time, e.dwell_ms) for e in events(store)]
    assert found == [
        ("cx:1", "a", 1_490_000_010_000, 31_000),
        ("cx:2", "b", 1_490_000_060_000, 500),
        ("cx:2", "a", 1_490_000_090_000, None),
    ]
    article = store.article(SITE, "a")
    assert article is not None
    assert (article.title, article.category, article.subcategory) == ("Ny tittel", "sport", "ski")


def test_adressa_is_recognised_by_its_columns(target: Target, tmp_path: Path) -> None:
    rows = [row | {"sessionStart": False, "sessionStop": False} for row in ADRESSA]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert "import adressa" in refused(target, file, "jsonl")


def test_events_that_describe_their_articles_are_imported_as_both(target: Target, store: Store, tmp_path: Path) -> None:
    rows = [
        {"page": "a", "title": "A", "user": "u"},
        {"page": None, "user": "u"},
        {"page": "a", "title": "A", "user": "v"},
    ]
    file = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    summary = import_file(target, file, "jsonl", ["article=page,reader=user,kind=:click"], "both")
    assert (summary.read, summary.stored, summary.rejected) == (3, 3, 0)
    assert pairs(store, "click") == [("u", "a"), ("v", "a")]
    assert (article := store.article(SITE, "a")) is not None
    assert article.title == "A"
