"""What a release lacks because its site did not give it, and what that means for readers."""

from collections.abc import Mapping
from typing import Any

from recsys.quality.profile import DataProfile
from recsys.store import Kind

LACKS = {
    "articles": "Nothing can be shown. Import articles.",
    "shown-articles": "Every article is hidden or has expired: nothing can be shown. Show some, or import new ones.",
    "bodies": "Articles are known by their titles alone; keywords, categories and copies are told less surely.",
    "publication-times": "No article says when it was published: nothing counts as fresh.",
    "word-vectors": "Too few texts: articles have neither keywords nor vectors, and are not compared by what they say.",
    "categories": "No two categories came with enough articles: nothing is sorted, lists are varied by nothing.",
    "events": "Nobody has read anything yet: lists hold the newest articles. Import clicks, or wait for some.",
    "clicks": "There are events, and none of them is a click: nothing is popular and no reader is known.",
    "known-clicks": "No click is on an article of the catalogue. Import the articles, or look at their ids.",
    "impressions": "Nobody says what was shown and not clicked: scores order, and are no probabilities of a click.",
    "times": "No event says when it was: popularity does not fade, and visits are not told apart.",
    "item-vectors-from-clicks": "No two articles were read in one visit: articles are alike by what they say only.",
    "click-model": "There was nothing to learn clicks from: lists are ordered by likeness and popularity.",
    "judgement": "No list could be held out: nobody knows how well this release ranks.",
}


def lacks(data: DataProfile, facts: Mapping[str, Mapping[str, Any]], *, click_model: bool, judged: bool) -> list[str]:
    """Name what is not there.

    Args:
        data: figures of what the site gave.
        facts: stage -> what it counted; words, categories, items.
        click_model: whether there is one.
        judged: whether any model was judged.

    Returns:
        Some keys of ``LACKS``, in their order; what follows from a lack that is named is not named again.
    """
    articles, events, clicks = data.articles, data.events, data.match.clicks
    given, happened = articles.total > 0, events.total > 0
    found = {
        "articles": not given,
        "shown-articles": given and articles.total in (articles.hidden, articles.expired),
        "bodies": given and articles.missing["body"] == articles.total,
        "publication-times": given and articles.missing["published_at"] == articles.total,
        "word-vectors": given and not facts["words"]["words"],
        "categories": given and not facts["categories"]["categories"],
        "events": not happened,
        "clicks": happened and not clicks,
        "known-clicks": given and clicks > 0 and not data.match.matched,
        "impressions": happened and not events.kinds.get(Kind.IMPRESSION),
        "times": happened and events.first is None,
        "item-vectors-from-clicks": clicks > 0 and not facts["items"]["behaviour"],
        "click-model": happened and not click_model,
        "judgement": happened and not judged,
    }
    return [name for name in LACKS if found[name]]
