"""Clicks and the catalogue: how many clicks are of known articles, and by what key more of them would be."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from recsys.errors import InputError
from recsys.store import Store
from recsys.store.addresses import normal_address
from recsys.store.records import ArticleName

LOW_MATCH_SHARE = 0.5  # share of the clicks below which something other than late articles is the likely reason
_LEAST = 1 / 20  # share of the clicks that must be of known articles before anything is learned from them
_ENOUGH = 1_000  # known clicks that are worth learning from however many others there are (MIND's sample has 4 %)
ADDRESS_REMEDY = "import the clicks again with `--map article=@url`, url being the column with the addresses"
_LOOK = "`python -m jobs data` shows what was clicked and is not there."


@dataclass(frozen=True)
class CatalogueMatch:
    """Match of some clicks with the articles of the catalogue.

    Attributes:
        clicks: all of them.
        matched: those whose article is in the catalogue by its id.
        by_other_key: those that would match by another key, such as "address"; only keys that would help.
    """

    clicks: int
    matched: int
    by_other_key: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """In [0, 1]; 1 without clicks."""
        return self.matched / self.clicks if self.clicks else 1.0

    def sentence(self, address_remedy: str) -> str | None:
        """Warning when the share is low, else None.

        Args:
            address_remedy: what makes clicks meet articles by their address.
        """
        if not self.clicks or self.share >= LOW_MATCH_SHARE:
            return None
        text = f"{self.matched:,} of {self.clicks:,} clicks match an article"
        if not self.by_other_key:
            return f"{text}; import the articles, or map the column that holds their ids (--map article=COLUMN)."
        way, count = max(self.by_other_key.items(), key=lambda item: item[1])
        remedy = address_remedy if way == "address" else "give both files the same ids"
        by = way if way in ("address", "title") else f"id when {way} is left out"
        return f"{text}; {count:,} of {self.clicks:,} match by {by}: {remedy}"


def match_clicks(clicks: Mapping[str, int], articles: Iterable[ArticleName]) -> CatalogueMatch:
    """Count the clicks whose article is in the catalogue.

    Args:
        clicks: an article's identifier as the events have it -> clicks.
        articles: the catalogue.
    """
    unknown = dict(clicks)
    ways: dict[str, set[str]] = {way: set() for way in _WAYS}
    for article in articles:
        unknown.pop(article.id, None)
        ways["address"].add(normal_address(article.url) or "" if article.url else "")
        ways["title"].add(article.title.strip())
        for way, form in _FORMS.items():
            ways[way].add(form(article.id))
    total, missing = sum(clicks.values()), sum(unknown.values())
    by_other_key = {
        way: sum(count for id, count in unknown.items() if (name := _WAYS[way](id)) and name in names)
        for way, names in ways.items()
    }
    return CatalogueMatch(total, total - missing, {way: count for way, count in by_other_key.items() if count})


def refuse_misfit(match: CatalogueMatch, articles: int) -> None:
    """Refuse to train on clicks that hardly meet the articles.

    A site that has no articles at all, or no clicks, is no misfit: lists are then made from what there is.

    Args:
        match: of the clicks with the catalogue.
        articles: size of the catalogue.

    Raises:
        InputError: less than ``_LEAST`` is and they are few, or they would meet by something else than the id.
    """
    if not articles or match.share >= _LEAST:
        return
    better = max(match.by_other_key.values(), default=0)
    if match.matched >= _ENOUGH and better <= match.matched:
        return
    got = f"{match.matched:,} of {match.clicks:,} clicks match an article"
    if not better:
        remedy = "Import the articles that were clicked, or map the columns that hold the same ids in both files."
        raise InputError("clicks on the articles of the catalogue", got, f"{remedy} {_LOOK}")
    way = max(match.by_other_key, key=lambda name: match.by_other_key[name])
    got += f"; {better:,} of {match.clicks:,} match by {way}"
    remedy = ADDRESS_REMEDY if way == "address" else f"export the same ids in both files: here they differ in {way}"
    raise InputError("clicks on the articles of the catalogue", got, f"{remedy[0].upper()}{remedy[1:]}. {_LOOK}")


def addresses_of(store: Store, site: str) -> dict[str, str]:
    """Normal address -> id of a site's articles."""
    names = store.article_names(site)
    return {address: name.id for name in names if name.url and (address := normal_address(name.url))}


_NUMBER = re.compile(r"[0-9]{2,}")
_FORMS: dict[str, Callable[[str], str]] = {
    "case": str.casefold,
    "leading zeros": lambda id: id.lstrip("0"),
    "what stands around the number": lambda id: numbers[0] if len(numbers := _NUMBER.findall(id)) == 1 else "",
}
_WAYS: dict[str, Callable[[str], str]] = {
    "address": lambda id: (normal_address(id) or "") if "/" in id else "",
    "title": str.strip,
    **_FORMS,
}
