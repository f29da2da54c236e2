"""Values as others write them: one bad field is one bad field, ids and addresses meet, nothing stored is lost."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recsys.errors import BadReader
from recsys.events import EventLog
from recsys.imports import ParseOptions, Summary, Target, import_file
from recsys.imports.matching import match_clicks
from recsys.imports.tables import Limits
from recsys.imports.texts import link_of
from recsys.imports.values import BadValue
from recsys.store import Store, StoredArticle, normal_id
from recsys.store.addresses import address_id, normal_address
from recsys.store.records import ArticleName
from tests.importing import SITE


class RowImporter:
    """Imports rows into one store, as JSON or CSV."""

    def __init__(self, store: Store, folder: Path, **options: Any) -> None:
        self.store, self._folder = store, folder
        self._target = Target(store, SITE, folder / "rejects", Limits(batch_rows=3), options=ParseOptions(**options))

    def rows(self, *rows: dict[str, Any], maps: tuple[str, ...] = (), kind: str | None = None) -> Summary:
        file = self._folder / "a.jsonl"
        file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        return import_file(self._target, file, "jsonl", maps, kind)

    def table(self, text: str, *maps: str) -> Summary:
        file = self._folder / "a.csv"
        file.write_text(text, encoding="utf-8")
        return import_file(self._target, file, "csv", maps)

    def article(self, id: str) -> StoredArticle:
        found = self.store.article(SITE, id)
        assert found is not None
        return found

    def clicked(self) -> list[str]:
        return [event.article for event in self.store.events_after(SITE, 0, 99)]


@pytest.fixture
def importer(store: Store, tmp_path: Path) -> RowImporter:
    return RowImporter(store, tmp_path)


# One bad field is one bad field


@pytest.mark.parametrize(
    ("field", "value", "kept", "said"),
    [
        ("image", "//pics.example.net/a.png", "https://pics.example.net/a.png", "image: https put before it"),
        ("url", "news.example.net/a", "https://news.example.net/a", "url: https put before it"),
        ("url", "https://example.net/a b", "https://example.net/a%20b", "url: blanks escaped"),
        ("url", "JavaScript:alert(1)", None, "url: left out, not a web address"),
        ("url", "a/b.html", None, "url: left out, a relative address, and site.base_url says nothing"),
        ("image", {"src": "/a.png"}, "/a.png", "image: the address inside an object"),
        ("image", [{"url": "https://x.org/1"}, "no"], "https://x.org/1", "image: the first of a list"),
        ("image", True, None, "image: left out, not a text"),
        ("category", ["sport", "news"], "sport", "category: the first of a list"),
        ("category", {"id": 4, "name": "Sport &amp; Play"}, "Sport & Play", "category: the name inside an object"),
        ("language", "klingonish words", None, "language: left out, not a language code"),
        ("published_at", "long ago", None, "published_at: left out, not a time in a known form"),
        ("published_at", "1901-05-05", None, "published_at: left out, a time before 1995-01-01"),
        ("published_at", "2203-05-05", None, "published_at: left out, a time in the future"),
        ("published_at", 0, None, "published_at: left out, 0 is no date"),
        ("entities", [["deep"]], (), "entities: left out, not a list of texts"),
        ("hidden", "perhaps", False, "hidden: left out, not yes or no"),
    ],
)
def test_a_bad_optional_field_is_repaired_or_left_out_and_the_article_stays(
    importer: RowImporter, field: str, value: Any, kept: Any, said: str
) -> None:
    summary = importer.rows({"id": "a", "title": "t", field: value})
    assert (summary.stored, summary.rejected) == (1, 0)
    assert getattr(importer.article("a"), field) == kept
    assert any(reason.startswith(said) for reason in summary.repaired), summary.repaired
    assert all("alert" not in reason and "pics" not in reason for reason in summary.repaired)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("hidden", "draft", True),
        ("hidden", "published", False),
        ("hidden", 1.0, True),
        ("entities", "Oslo; Bergen, Bodø", ("Oslo", "Bergen", "Bodø")),
        ("entities", "['Oslo', 'Bergen']", ("Oslo", "Bergen")),
        ("entities", [{"Label": "Oslo", "WikidataId": "Q585"}, {"name": "Bergen"}, None], ("Q585:Oslo", "Bergen")),
        ("source", "NULL", None),
        ("language", "zh-Hant-TW", "zh"),
    ],
)
def test_what_is_only_written_otherwise_is_read(importer: RowImporter, field: str, value: Any, kept: Any) -> None:
    assert importer.rows({"id": "a", "title": "t", field: value}).stored == 1
    assert getattr(importer.article("a"), field) == kept


def test_relative_addresses_stand_below_the_sites_own(store: Store, tmp_path: Path) -> None:
    importer = RowImporter(store, tmp_path, base_url="https://example.net/en")
    importer.rows({"id": "a", "title": "t", "url": "2023/a.html", "image": "/pics/a.png"})
    assert importer.article("a").url == "https://example.net/en/2023/a.html"
    assert importer.article("a").image == "https://example.net/pics/a.png"


@pytest.mark.parametrize(
    "bad", ["javascript:1", " \x01javascript:1", "vbscript:x", "data:,x", "http:evil", "/\\x.org", "#"]
)
def test_no_base_makes_a_link_of_what_could_run(bad: str) -> None:
    with pytest.raises(BadValue, match="not a web address"):
        link_of("https://example.net")(bad)


def test_only_an_article_without_title_and_body_is_rejected(importer: RowImporter) -> None:
    summary = importer.rows(
        {"id": "a", "body": "First line\nsecond line"},
        {"id": "b", "body": ""},
        {"id": "c", "title": [["x"]]},
        {"id": "d", "title": "NULL"},  # the only word of it there is
        {"id": "e", "title": "nan", "body": "A text."},
    )
    assert (summary.stored, summary.rejected) == (3, 2)
    assert [importer.article(id).title for id in "ade"] == ["First line", "NULL", "A text."]
    assert summary.reasons == {"title: not a text": 1, "no title": 1}


def test_an_event_without_a_time_is_kept_undated_and_one_with_a_wrong_time_can_be_imported_again(
    importer: RowImporter,
) -> None:
    rows = [{"article": "a", "reader": "r", "time": time} for time in (None, "NaT", 0, "soon")]
    summary = importer.rows(*rows)
    assert (summary.rejected, [event.time for event in importer.store.events_after(SITE, 0, 9)]) == (1, [None])
    assert "--time-format" in summary.first_reason


# Times of a file


def test_local_times_are_in_the_zone_that_is_said_and_a_wrong_one_is_noticed(store: Store, tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    clock = [datetime.now(zone) - timedelta(minutes=minutes) for minutes in (1, 90, 200)]
    text = "reader,article,time\n" + "".join(f"r,a{n},{at:%Y-%m-%d %H:%M:%S}\n" for n, at in enumerate(clock))
    wrong = RowImporter(store, tmp_path, zone=UTC).table(text)
    assert (wrong.stored, wrong.rejected) == (0, 3)
    assert any("5.5 hours ahead" in note and "--timezone" in note for note in wrong.notes)
    right = RowImporter(store, tmp_path, zone=zone).table(text)
    assert (right.stored, right.rejected) == (3, 0)
    assert any("read as Asia/Kolkata" in note for note in right.notes)


def test_the_whole_column_says_whether_the_day_comes_first(importer: RowImporter) -> None:
    text = "id,title,published_at\n" + "".join(f"{n},t,0{n}/06/2023\n" for n in range(1, 7)) + "8,t,28/06/2023\n"
    assert importer.table(text).stored == 7
    assert importer.article("2").published_at == int(datetime(2023, 6, 2, tzinfo=UTC).timestamp() * 1000)
    unsaid = importer.table("id,title,published_at\n9,t,02/06/2023\n")
    assert importer.article("9").published_at is None
    assert "--time-format" in next(iter(unsaid.repaired))


def test_an_embargo_is_stored_and_events_keep_their_bound(importer: RowImporter) -> None:
    later = int((datetime.now(UTC) + timedelta(days=3)).timestamp() * 1000)
    assert importer.rows({"id": "a", "title": "t", "published_at": later}).stored == 1
    assert importer.article("a").published_at == later
    assert importer.rows({"article": "a", "time": later}).rejected == 1


def test_a_click_years_before_the_sites_first_article_is_not_believed(importer: RowImporter) -> None:
    importer.rows({"id": "a", "title": "t", "published_at": "2020-01-01"})
    summary = importer.rows(*({"article": "a", "time": f"{year}-01-01"} for year in (2001, 2018, 2021)))
    assert (summary.stored, summary.reasons) == (2, {"time: a time before 2017-01-01": 1})


# An import adds and corrects


def test_a_file_changes_only_the_fields_that_it_has(importer: RowImporter) -> None:
    importer.rows({"id": "a", "title": "t", "body": "b", "url": "https://x.org/a", "category": "city"})
    summary = importer.table("id,category\na,sport\n")
    assert (summary.updated, summary.changed) == (1, {"category": 1})
    assert (importer.article("a").body, importer.article("a").url) == ("b", "https://x.org/a")
    importer.table("id,title,body,url\na,,,\n")
    assert (importer.article("a").title, importer.article("a").body, importer.article("a").url) == ("t", "", None)


def test_a_key_that_a_row_lacks_and_a_value_that_is_bad_leave_what_is_stored(importer: RowImporter) -> None:
    importer.rows(
        {"id": "a", "title": "t", "url": "https://x.org/a"}, {"id": "b", "title": "t", "url": "https://x.org/b"}
    )
    importer.rows(
        {"id": "a", "category": "x"}, {"id": "b", "url": "javascript:1"}, {"id": "c", "title": "t", "url": None}
    )
    assert [importer.article(id).url for id in "ab"] == ["https://x.org/a", "https://x.org/b"]
    importer.rows({"id": "a", "url": None})
    assert importer.article("a").url is None


def test_a_draft_is_shown_when_the_export_says_so_and_what_stays_hidden_is_said(importer: RowImporter) -> None:
    importer.rows({"id": "a", "title": "draft", "hidden": True}, {"id": "b", "title": "t", "hidden": "1"})
    summary = importer.rows({"id": "a", "title": "done", "hidden": False}, {"id": "b", "title": "still"})
    assert (importer.article("a").hidden, importer.article("b").hidden) == (False, True)
    assert any("hidden" in note and "b" in note for note in summary.notes)


def test_title_and_date_tell_articles_without_an_id_apart(importer: RowImporter) -> None:
    text = "title,published_at,body\nThe day,2023-06-09,one\nThe day,2023-06-10,two\nLetters,,x\nLetters,,y\n"
    summary = importer.table(text)
    assert summary.stored == 3
    assert any("1 rows without an id" in note for note in summary.notes)
    assert importer.table(text).stored == 0


# Markup


def test_markup_goes_at_the_door_in_every_text_and_is_counted(importer: RowImporter) -> None:
    row = {
        "title": "A &amp; <i>B</i>",
        "body": "<p>One.</p><p>Two.</p>",
        "category": "Food&nbsp;Now",
        "source": "<b>S</b>",
    }
    summary = importer.rows({"id": "a", **row}, {"id": "b", "title": "R&D < 3 %"})
    stored = importer.article("a")
    assert (stored.title, stored.body, stored.category, stored.source) == ("A & B", "One.\n\nTwo.", "Food Now", "S")
    assert importer.article("b").title == "R&D < 3 %"
    assert summary.repaired == {f"{field}: markup removed": 1 for field in row}


# Ids and addresses meet


@pytest.mark.parametrize(
    ("value", "expected"),
    [(12, "12"), (12.0, "12"), ("12.0", "12"), (" 12 ", "12"), ("e\u0301", "é"), ("012", "012"), ("1.50", "1.50")],
)
def test_an_id_has_one_form(value: Any, expected: str) -> None:
    assert normal_id(value) == expected


@pytest.mark.parametrize("value", [None, "", "NULL", float("nan"), " "])
def test_a_word_for_nothing_is_no_id(value: Any) -> None:
    assert normal_id(value) is None


@pytest.mark.parametrize("value", ["a\x00", "x" * 257, 1.5, True, [1]])
def test_what_can_be_no_id_is_refused(value: Any) -> None:
    with pytest.raises(BadReader):
        normal_id(value)


def test_ids_of_a_data_frame_meet_those_of_a_table(importer: RowImporter) -> None:
    importer.table("id,title\n1,a\n2,b\n")
    summary = importer.table("article,reader\n1.0,7.0\n2.0,8.0\n")
    assert (importer.clicked(), summary.matched_clicks) == (["1", "2"], (2, 2))
    assert {event.reader for event in importer.store.events_after(SITE, 0, 9)} == {"7", "8"}


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a/b",
        "http://www.Example.org/a/b/",
        "example.org/a/b#comments",
        "//example.org:443/a/b?utm_source=x&fbclid=1",
    ],
)
def test_an_address_has_one_form(address: str) -> None:
    assert normal_address(address) == "example.org/a/b"


def test_parameters_that_name_the_article_stay_in_its_address() -> None:
    assert normal_address("https://x.org/story?id=7&utm_medium=mail") == "x.org/story?id=7"
    assert normal_address("https://x.org/?b=2&a=1") == normal_address("https://x.org?a=1&b=2")
    assert normal_address("x.org/新闻") == normal_address("https://x.org/%E6%96%B0%E9%97%BB")
    assert normal_address("not an address") is None


def test_clicks_by_address_find_their_article_before_and_after_it_comes(importer: RowImporter, tmp_path: Path) -> None:
    importer.rows({"id": "a", "title": "t", "url": "https://x.org/a"})
    summary = importer.table("page,reader\nhttp://www.x.org/a/?utm_source=m,r\nhttps://x.org/late,r\n", "article=@page")
    assert importer.clicked() == ["a", address_id("x.org/late")]
    assert summary.matched_clicks == (1, 2)
    log = EventLog(tmp_path / "log")
    log.append(importer.store, SITE)
    assert sorted(log.load().article_ids) == sorted(["a", address_id("x.org/late")])
    importer.rows({"id": "b", "title": "t", "url": "https://x.org/late/"})
    log.append(importer.store, SITE)
    assert log.load().article_ids == ["a", "b"]
    assert log.read(["article"])["article"].to_pylist() == ["a", "b"]


def test_an_article_without_an_id_is_found_by_its_address(importer: RowImporter) -> None:
    importer.rows({"id": "a", "title": "t", "url": "https://x.org/a"})
    summary = importer.rows({"title": "new title", "url": "http://x.org/a/#top"})
    assert (summary.stored, summary.updated, importer.article("a").title) == (0, 1, "new title")


def test_a_log_that_does_not_meet_its_articles_says_what_would(importer: RowImporter) -> None:
    importer.rows(*({"id": f"a{n}", "title": "t", "url": f"https://x.org/{n}"} for n in range(20)))
    summary = importer.table("article\n" + "".join(f"https://x.org/{n}\n" for n in range(20)))
    assert summary.matched_clicks == (0, 20)
    expected = "0 of 20 clicks match an article; 20 of 20 match by address: --map article=@article"
    assert any(note.startswith(expected) for note in summary.notes)


@pytest.mark.parametrize(
    ("clicked", "way"), [("N123", "case"), ("0n123", "leading zeros"), ("t1", "title"), ("x-123", "number")]
)
def test_what_else_clicks_could_meet_articles_by_is_found(clicked: str, way: str) -> None:
    match = match_clicks({clicked: 3, "never": 1}, [ArticleName("n123", None, "t1")])
    assert (match.clicks, match.matched) == (4, 0)
    assert any(way in name and count == 3 for name, count in match.by_other_key.items()), match.by_other_key
    assert match_clicks({"n123": 3, "never": 1}, [ArticleName("n123", None, "t1")]).sentence("") is None
