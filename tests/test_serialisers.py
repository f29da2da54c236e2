"""What is kept of items as bytes is never older than the articles and the stories that they speak of."""

import json
from typing import Any

from recsys.catalogue.articles import CatalogueArticle
from recsys.catalogue.catalogue import Catalogue
from recsys.recommend.reasons import Card, Reason, ReasonKind
from recsys.store import StoryName
from web.api.serialisers import items


def said(catalogue: Catalogue, reason: Reason, row: int = 1) -> dict[str, Any]:
    """The one item of a list."""
    written: list[dict[str, Any]] = json.loads(items(catalogue, [Card(row, 0.5, reason)], "en", "en", None))
    return written[0]


def two() -> Catalogue:
    """A catalogue of two articles of one story."""
    catalogue = Catalogue((), 4)
    for name in ("a", "b"):
        catalogue.put(name, CatalogueArticle(name.upper(), published_at=1), story="a")
    return catalogue


def test_a_card_and_a_reason_say_the_titles_of_now() -> None:
    catalogue, reason = two(), Reason(ReasonKind.BECAUSE_YOU_READ, 0, None, ('a "word"',))
    before = said(catalogue, reason)
    assert said(catalogue, reason) == before
    assert before["reason"]["text"] == "Because you read “A”"
    assert before["reason"]["keywords"] == ['a "word"']
    catalogue.put("a", CatalogueArticle("Corrected", published_at=1), story="a")
    assert said(catalogue, reason)["reason"]["text"] == "Because you read “Corrected”"
    catalogue.put("b", CatalogueArticle("B, too", published_at=1), story="a")
    assert said(catalogue, reason)["title"] == "B, too"


def test_an_update_says_the_name_that_its_story_has_now() -> None:
    catalogue, reason = two(), Reason(ReasonKind.UPDATE, 0)
    texts = [said(catalogue, reason)["reason"]["text"]]
    for change, name in enumerate(("The fire", "The great fire", None), 1):
        catalogue.call_stories([StoryName("a", name, change, 0, "x")])
        texts.append(said(catalogue, reason)["reason"]["text"])
    assert texts == ["An update on “A”", "An update on “The fire”", "An update on “The great fire”", texts[0]]
