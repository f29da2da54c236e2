"""Clicks and the articles they are of: how many meet, and by what more of them would."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from recsys.store import Store
from recsys.store.addresses import normal_address
from recsys.store.records import ArticleName

LOW = 0.5  # share of the clicks below which something other than late articles is the likely reason


@dataclass(frozen=True)
class Known:
    """Which part of some clicks is of known articles.

    Attributes:
        clicks: all of them.
        known: those whose article is known by its id.
        otherwise: those that would be known by something else, such as "address"; only what would help.
    """

    clicks: int
    known: int
    otherwise: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """In [0, 1]; 1 without clicks."""
        return self.known / self.clicks if self.clicks else 1.0

    def sentence(self, address_remedy: str) -> str | None:
        """What to say when the share is low, else None.

        Args:
            address_remedy: what makes clicks meet articles by their address.
        """
        if not self.clicks or self.share >= LOW:
            return None
        text = f"{self.known:,} of {self.clicks:,} clicks match an article"
        if not self.otherwise:
            return f"{text}; import the articles, or map the column that holds their ids (--map article=COLUMN)."
        way, count = max(self.otherwise.items(), key=lambda item: item[1])
        remedy = address_remedy if way == "address" else "give both files the same ids"
        by = way if way in ("address", "title") else f"id when {way} is left out"
        return f"{text}; {count:,} of {self.clicks:,} match by {by}: {remedy}"


def share_known(clicks: Mapping[str, int], articles: Iterable[ArticleName]) -> Known:
    """Count the clicks of known articles.

    Args:
        clicks: an article's identifier as the events have it -> clicks.
        articles: those that are known.
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
    otherwise = {
        way: sum(count for id, count in unknown.items() if (name := _WAYS[way](id)) and name in names)
        for way, names in ways.items()
    }
    return Known(total, total - missing, {way: count for way, count in otherwise.items() if count})


def known_addresses(store: Store, site: str) -> dict[str, str]:
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
