"""The log of the exploration slot: what was tried, with which probability, and whether it was opened.

Reads the store's impressions and clicks, whose lists name themselves by signed tokens; produces one row per impression
of an explored article, as off-policy estimates read them (``recsys.metrics.logged_bandit``). An event whose token was
not made here, or that is about another article of its list, is no row.
"""

from collections.abc import Iterator
from typing import NamedTuple

from recsys.recommend.exploration import POLICY
from recsys.recommend.impressions import POLICIES, ImpressionTokens
from recsys.store import Kind, Store

_AT_ONCE = 50_000  # events read at once
_COLUMNS = ("seq", "kind", "article", "time", "impression")


class ExploredRow(NamedTuple):
    """One impression of an explored article; the fields are the columns of the file.

    Attributes:
        timestamp: ms UTC, when the list was made.
        item_id: the article.
        position: its place in the list, from 0.
        click: 1 when it was opened from that list.
        propensity_score: the probability with which it was shown there.
        policy: what chose it.
        release: that ranked the rest of the list.
    """

    timestamp: int
    item_id: str
    position: int
    click: int
    propensity_score: float
    policy: str
    release: str


def explored_rows(store: Store, site: str, tokens: ImpressionTokens) -> Iterator[ExploredRow]:
    """The impressions of explored articles, in the order of the lists' first impressions; each once.

    A click counts for the impression of its list wherever it stands in the log, and a click alone is an impression,
    because what was opened was seen.
    """
    rows: dict[str, ExploredRow] = {}
    seq = 0
    while (block := store.event_columns_after(site, seq, _AT_ONCE, _COLUMNS))["seq"]:
        seq = block["seq"][-1]
        for kind, article, impression in zip(block["kind"], block["article"], block["impression"], strict=True):
            if impression is None or kind not in (Kind.IMPRESSION, Kind.CLICK):
                continue
            clicked = int(kind == Kind.CLICK)
            before = rows.get(impression)
            if before is not None:
                if clicked and article == before.item_id:
                    rows[impression] = before._replace(click=1)
                continue
            facts = tokens.read(impression)
            if facts is not None and tokens.explored(facts, article):
                policy = POLICIES[facts.policy] or POLICY  # version 1 named none
                made = (facts.made_at, article, facts.place, clicked, facts.propensity, policy)
                rows[impression] = ExploredRow(*made, facts.release or "")
    yield from rows.values()
