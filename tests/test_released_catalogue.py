"""The catalogue of a release: what is written at night is what a worker reads, and what came after it is added."""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.catalogue.articles import NO_NAMES, ArticleAnnotations, CatalogueArticle
from recsys.catalogue.cards import Cards, arrow_bytes, packed, unpacked
from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.identifiers import ArticleIds, RowsById, hashed_names
from recsys.catalogue.released import ReleasedCatalogue, write_catalogue
from recsys.entities import ArticleNames
from recsys.errors import CorruptArtefact
from recsys.store import Article
from recsys.store.addresses import address_id
from recsys.workspace import load_arrays, save_arrays

NOW = 1_700_000_000_000
TEXT = st.text(max_size=12)
PAIRS = st.lists(st.tuples(TEXT, st.floats(0, 1)), max_size=3).map(tuple)


def article(name: str, **fields: Any) -> Article:
    given: dict[str, Any] = {"id": name, "site": "s", "title": f"Title {name}", "published_at": NOW}
    return Article(**(given | fields))


def said(*keywords: str, **fields: Any) -> ArticleAnnotations:
    weights = tuple(1 / (place + 2) for place in range(len(keywords)))
    return ArticleAnnotations(
        **({"language": "en", "keywords": keywords, "weights": weights, "parts": keywords} | fields)
    )


ARTICLES = [
    (
        article("a", category="sport", source="Our Paper", url="https://s.example/a"),
        said("league final", category="war"),
    ),
    (article("b", body="x" * 300, expires_at=NOW + 9), said("tax", "budget", category="money", bar=(("money", 0.75),))),
    (
        article("d", hidden=True, language="zh", source="Wire"),
        said("人工 智能", language="zh", labels=(("mood", "good", 0.5),)),
    ),
    (article("e", published_at=None, body="y"), said("league", topic=True)),
]
CLICKED = ["c", address_id("https://s.example/a")]  # known only from clicks; the second one is an address of "a"
IDS = sorted([name.id for name, _ in ARTICLES] + CLICKED)


Annotated = Iterable[tuple[Article, ArticleAnnotations]]


def nameless(articles: Annotated) -> Iterator[tuple[Article, ArticleAnnotations, ArticleNames]]:
    return ((*one, NO_NAMES) for one in articles)


def written(folder: Path, change: int = 7) -> ReleasedCatalogue:
    made = write_catalogue(
        folder,
        IDS,
        nameless(ARTICLES),
        {"e": "b"},
        {"e": "b", "d": "b"},
        site="our paper",
        categories=["money"],
        change=change,
    )
    assert made == len(ARTICLES)
    return ReleasedCatalogue.load(folder)


def test_a_released_catalogue_is_the_one_that_is_made_article_by_article(tmp_path: Path) -> None:
    released = Catalogue((), 20, "Our Paper", written(tmp_path))
    plain = Catalogue(IDS, 20, "Our Paper")
    for one, annotations in ARTICLES:
        leader, story = {"e": "b"}.get(one.id, one.id), {"e": "b", "d": "b"}.get(one.id, one.id)
        plain.put(one.id, CatalogueArticle.of(one, annotations), leader, story)
    assert list(released.ids) == list(plain.ids) == IDS
    assert released.ids.of(range(6)) == released.ids.of(range(6)) == plain.ids.of(range(6)) == IDS
    assert list(released.articles) == list(plain.articles)
    for name in (*IDS, "unknown", CLICKED[1]):
        assert released.row_of.get(name) == plain.row_of.get(name), name
    assert released.row_of[CLICKED[1]] == released.row_of["a"], "clicks on its address"
    assert [released.category(row) for row in range(6)] == [plain.category(row) for row in range(6)]
    assert released.category_names[0] == "money", "the codes of the counts come first"
    for now in (NOW - 1, NOW, NOW + 9):
        read, made = released.eligible(now), plain.eligible(now)
        assert read.showable.tolist() == made.showable.tolist()
        assert read.listed.mask().tolist() == made.listed.mask().tolist()
        assert read.standing.tolist() == made.standing.tolist()
    named = [released.row_of["d"]]
    assert np.flatnonzero(released.columns.source >= 0).tolist() == named, "the site's own have no limit"
    for catalogue in (released, plain):
        row = catalogue.put("late", CatalogueArticle(title="Late", source="WIRE", published_at=NOW))
        assert catalogue.columns.source[row] == catalogue.columns.source[named[0]], "one source, however it is written"
        catalogue.put("late", CatalogueArticle(title="Late", source="our paper", published_at=NOW))
        assert catalogue.columns.source[row] == -1
    assert released.columns.stories.labels.tolist() == plain.columns.stories.labels.tolist()
    assert released.columns.stories.members(released.row_of["b"]).tolist() == [released.row_of[x] for x in "bde"]
    for tag in ("league final", "league", "final", "tax", "sport", "money", "人工智能", "good", "none"):
        assert sorted(released.tags.rows(tag).tolist()) == sorted(plain.tags.rows(tag).tolist()), tag
    for row in range(len(IDS)):
        stored, plainly = released.articles.forms(row), plain.articles.forms(row)
        assert stored.unpacked() == plainly.unpacked()
        assert frozenset(stored.wholes) == plainly.unpacked().wholes
        assert list(stored.unpacked().pieces) == stored.pieces == plainly.pieces, "most telling first"
    assert released.language_of_all([released.row_of["d"]]) == "zh"


def test_an_address_leads_to_an_article_of_its_own_before_the_one_that_gives_it(tmp_path: Path) -> None:
    name = address_id("https://s.example/both")
    both = [(article(name), said()), (article("other", url="https://s.example/both"), said())]
    ids = [name, "other"]
    write_catalogue(tmp_path, ids, nameless(both), {}, {}, site="s", categories=[], change=1)
    released, plain = Catalogue((), 2, "s", ReleasedCatalogue.load(tmp_path)), Catalogue(ids, 2, "s")
    for one, annotations in both:
        plain.put(one.id, CatalogueArticle.of(one, annotations))
    assert [made.row_of[name] for made in (released, plain)] == [0, 0]


def test_what_changes_after_the_release_takes_the_place_of_what_it_says(tmp_path: Path) -> None:
    catalogue = Catalogue((), 7, "Our Paper", written(tmp_path))
    before = catalogue.article(catalogue.row_of["b"])
    row = catalogue.put("b", replace(before, title="Changed", keywords=("wine",), weights=(1.0,), parts=("wine",)))
    assert (row, catalogue.article(row).title) == (IDS.index("b"), "Changed")
    assert (catalogue.tags.rows("wine").tolist(), catalogue.tags.rows("tax").tolist()) == ([row], [])
    assert catalogue.articles.forms(row).wholes == ["wine"]
    new = catalogue.put("new", replace(before, title="New", language="fr", category="wine"), "new")
    assert (new, catalogue.ids[new], catalogue.row_of["new"], catalogue.room) == (6, "new", 6, 0)
    assert catalogue.language_of_all([new]) == "fr"
    with pytest.raises(IndexError):
        catalogue.put("one more", before)
    catalogue.take_down("b", "unknown")
    assert not catalogue.eligible(NOW).showable[row]
    assert ReleasedCatalogue.load(tmp_path).cards[row] == before, "the release itself never changes"


def test_the_models_guess_is_kept_beside_the_category_that_an_article_came_with(tmp_path: Path) -> None:
    released = written(tmp_path)
    for one, annotations in ARTICLES:
        assert released.cards.nightly(released.row_of[one.id]) == annotations
    assert released.cards.nightly(released.row_of["c"]) is None
    assert released.change == 7


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path)
    columns = load_arrays(tmp_path / "columns.safetensors")
    save_arrays(tmp_path / "columns.safetensors", columns | {"published": columns["published"][:2]})
    with pytest.raises(CorruptArtefact, match="6 cards"):
        ReleasedCatalogue.load(tmp_path)
    (tmp_path / "articles.arrow").write_bytes(b"no table")
    with pytest.raises(CorruptArtefact, match="Arrow"):
        ReleasedCatalogue.load(tmp_path)


@given(TEXT, st.none() | TEXT, PAIRS, st.lists(st.text(min_size=1, max_size=12), max_size=3).map(tuple), st.booleans())
def test_a_card_is_unpacked_as_it_was_packed(
    title: str, category: str | None, bar: tuple[tuple[str, float], ...], keywords: tuple[str, ...], given: bool
) -> None:
    labels = tuple(("mood", name, weight) for name, weight in bar)
    card = CatalogueArticle(
        title,
        category=category,
        given=given,
        bar=bar,
        labels=labels,
        keywords=keywords,
        weights=(0.1,) * len(keywords),
        parts=keywords,
        published_at=3,
    )
    annotations = ArticleAnnotations("und", keywords, card.weights, keywords, "guess", bar, True, labels)
    again = unpacked(packed(card, annotations))
    assert again.article == card
    expected = annotations if given else annotations._replace(category=category, topic=False)
    assert again.annotations == expected


def test_cards_are_unpacked_once_and_never_older_than_the_last_word() -> None:
    cards = Cards(released=arrow_bytes([packed(CatalogueArticle(f"t{row}")) for row in range(3)]))
    assert cards[1] is cards[1]
    cards[1] = CatalogueArticle("later")
    one = cards[1]
    assert one is not None
    assert one.title == "later"
    assert [card and card.title for card in cards[0:3]] == ["t0", "later", "t2"]
    row = cards.append()
    assert (row, cards[row], cards.known(row), cards.known(1)) == (3, None, False, True)
    with pytest.raises(IndexError):
        cards[4]
    clicked = Cards(released=arrow_bytes([packed(CatalogueArticle("t")), None]))
    assert [clicked.known(row) for row in (0, 1)] == [True, False], "a release knows the second from clicks alone"


def test_only_so_many_articles_stay_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.catalogue.cards._UNPACKED", 4)
    cards = Cards(released=arrow_bytes([packed(CatalogueArticle(f"t{row}")) for row in range(100)]))
    for row in range(100):
        card = cards[row]
        assert card is not None
        assert card.title == f"t{row}"
        assert len(cards._young) + len(cards._old) <= 8


@given(st.lists(TEXT, unique=True, max_size=30), st.lists(TEXT, unique=True, max_size=10))
def test_rows_are_found_by_released_and_by_later_names(names: list[str], later: list[str]) -> None:
    plain = {name: row for row, name in enumerate(names)}
    table = RowsById(*hashed_names(plain))
    for row, name in enumerate(later, len(names)):
        plain[name] = table[name] = row
    for name in (*names, *later, "unknown-" * 3):
        assert table.get(name) == plain.get(name)
        assert (name in table) == (name in plain)
    with pytest.raises(KeyError):
        table["unknown-" * 3]
    assert table.get("unknown-" * 3, -1) == -1


def test_a_released_article_takes_a_worker_a_kilobyte_at_most(tmp_path: Path) -> None:
    size = 5_000
    text = " ".join(f"word{number}" for number in range(60))
    annotated = [
        (article(f"n{number}", body=text, url=f"https://s.example/{number}"), said(f"tag {number % 700}", "league"))
        for number in range(size)
    ]
    ids = [one.id for one, _ in annotated]
    write_catalogue(tmp_path, ids, nameless(annotated), {}, {}, site="s", categories=[], change=1)
    ReleasedCatalogue.load(tmp_path)  # what is made once
    tracemalloc.start()
    try:
        catalogue = Catalogue((), size + size // 8, "s", ReleasedCatalogue.load(tmp_path))
        catalogue.eligible(NOW)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(catalogue.ids) == size
    assert held <= 1_000 * size


def test_identifiers_by_row() -> None:
    ids = ArticleIds(ReleasedCatalogue.empty().ids._released)
    assert len(ids) == 0
    for name in "xy":
        ids.append(name)
    assert (list(ids), ids[-1], ids[0:2]) == (["x", "y"], "y", ["x", "y"])
    assert np.array_equal(list(map(len, ids)), [1, 1])
