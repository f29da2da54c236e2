"""Attacks on the counts of a service, and the true readers who are there before them, all over HTTP.

An attacker has as many addresses as they like, but for the attacks that say so: what is measured is the rules for
events, and not the bound of an address alone.
"""

import http.client
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np

AT_ONCE = 100  # events of a request
CLICKS = 5_000
INVENTED = 1_000  # readers
RING = 200
VALUES = 400  # of a context
SEEN = 6  # cards of a list that a true reader looks at
CLICKED = 0.5  # chance of a click of theirs on a list, on a card drawn by its place
FROM_ELSEWHERE = 0.3  # of the true readers, who open an article before they see a list

Event = dict[str, Any]


class Site:
    """One service, seen by its readers.

    Attributes:
        answers: number of answers by status, of ``post``.
        outcomes: events by what became of them.
    """

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.answers: dict[int, int] = {}
        self.outcomes: dict[str, int] = {}

    def lists(self, **query: Any) -> tuple[str, list[str]]:
        """Token and articles of a list."""
        self._connection.request("GET", f"/api/v1/recommendations?{urlencode(query)}")
        answer = self._connection.getresponse()
        made = json.loads(answer.read())
        return made["impression_id"], [item["id"] for item in made["items"]]

    def post(self, events: Sequence[Event], address: Callable[[], str]) -> None:
        """Send events, some at once, each request from another address or from the same."""
        for start in range(0, len(events), AT_ONCE):
            body = json.dumps({"events": events[start : start + AT_ONCE]})
            headers = {"Content-Type": "application/json", "X-Forwarded-For": address()}
            self._connection.request("POST", "/api/v1/events", body, headers)
            answer = self._connection.getresponse()
            told = json.loads(answer.read())
            self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
            for name in ("accepted", "duplicate"):
                self.outcomes[name] = self.outcomes.get(name, 0) + told.get(name, 0)
            for one in told.get("ignored", []):
                self.outcomes[one["code"]] = self.outcomes.get(one["code"], 0) + 1


def anywhere(rng: np.random.Generator) -> Callable[[], str]:
    """An address for each request."""
    return lambda: ".".join(str(part) for part in rng.integers(1, 224, 4))


def true_readers(site: Site, number: int, articles: Sequence[str], rng: np.random.Generator) -> int:
    """Readers who look at lists and click in them, some of whom first came to an article from elsewhere.

    Returns:
        How many clicks they sent.
    """
    clicked = 0
    for row in range(number):
        reader, session = f"true-{row:05}", f"true-{row:05}-s"
        who = {"reader": reader, "session": session}
        address = anywhere(rng)()
        sent: list[Event] = []
        if rng.random() < FROM_ELSEWHERE:
            direct = articles[int(len(articles) * rng.random() ** 2)]
            sent.append(who | {"event_id": f"{reader}-d", "kind": "click", "article": direct, "slot": "direct"})
        token, listed = site.lists(k=20, **who)
        shown = [who | {"impression": token, "article": name, "position": n} for n, name in enumerate(listed[:SEEN])]
        sent += [one | {"event_id": f"{reader}-i{n}", "kind": "impression"} for n, one in enumerate(shown)]
        if rng.random() < CLICKED:
            place = min(int(rng.geometric(0.35)) - 1, len(shown) - 1)
            sent.append(shown[place] | {"event_id": f"{reader}-c", "kind": "click"})
        site.post(sent, lambda address=address: address)  # type: ignore[misc]
        clicked += sum(event["kind"] == "click" for event in sent)
    return clicked


def clicks(prefix: str, article: str, whose: Iterable[Event]) -> list[Event]:
    """A click of each of some who sent it."""
    return [{"event_id": f"{prefix}{n}", "kind": "click", "article": article} | who for n, who in enumerate(whose)]


def attacks(site: Site, articles: Sequence[str], top: str, rng: np.random.Generator) -> dict[str, Callable[[], str]]:
    """Attack by name: a function that makes it and returns the article that it is about.

    Args:
        site: the service.
        articles: those that nobody's list has far in front, one for each attack.
        top: the article that leads.
        rng: draws everything.
    """
    left, far, used = iter(articles), anywhere(rng), list[str]()

    def unused() -> str:
        used.append(next(left))
        return used[-1]

    def flood(name: str, whose: Callable[[int], Event], number: int = CLICKS) -> Callable[[], str]:
        def run() -> str:
            article = unused()
            site.post(clicks(f"{name}-", article, map(whose, range(number))), far)
            return article

        return run

    def bury() -> str:
        shown = [
            {"event_id": f"bury-{n}", "kind": "impression", "article": top, "reader": f"bury-{n % INVENTED}"}
            for n in range(CLICKS)
        ]
        site.post(shown, far)
        return top

    def replay() -> str:
        token, listed = site.lists(k=50, reader="replay")
        used.append(listed[-1])
        event = {"reader": "replay", "article": listed[-1], "impression": token}
        site.post(clicks("replay-", listed[-1], [event] * INVENTED), far)
        return listed[-1]

    def signed_ring(name: str, *, looks: bool, address: Callable[[], str], clicking: int = RING) -> Callable[[], str]:
        """Readers with a list each, of whom some click the article beside which it was made; do they look at a card?"""

        def run() -> str:
            article = unused()
            for n in range(RING):
                token, listed = site.lists(k=1, reader=f"{name}-{n}", article=article)
                whose = {"reader": f"{name}-{n}", "impression": token}
                seen = whose | {"event_id": f"{name}-{n}-i", "kind": "impression", "article": listed[0], "position": 0}
                site.post([seen] * looks + clicks(f"{name}-{n}-", article, [whose] * (n < clicking)), address)
            return article

        return run

    def card_ring() -> str:
        """Readers who ask for a long list each, say that they saw its card of the article, and click it."""
        article = next(name for name in site.lists(k=50)[1][::-1] if name not in used)
        for n in range(RING):
            token, listed = site.lists(k=50, reader=f"card-{n}")
            if article in listed:
                card = {"reader": f"card-{n}", "impression": token, "article": article}
                place = {"position": listed.index(article)}
                seen = card | place | {"event_id": f"card-{n}-i", "kind": "impression"}
                site.post([seen, *clicks(f"card-{n}-", article, [card | place])], far)
        return article

    return {
        "one_reader": flood("one", lambda n: {"reader": "robot"}),
        "invented_readers": flood("many", lambda n: {"reader": f"many-{n % INVENTED}"}),
        "one_session": flood("session", lambda n: {"session": "robot"}),
        "nobody": flood("nobody", lambda n: {"context": {"region": f"r{n}"}}),
        "contexts": flood("context", lambda n: {"reader": f"context-{n}", "context": {"region": f"x{n}"}}, VALUES),
        "ring": flood("ring", lambda n: {"reader": f"ring-{n:03}"}, RING),
        "forged": flood("forged", lambda n: {"reader": f"f-{n}", "impression": "Ag" + "A" * 104}, INVENTED),
        "replayed_token": replay,
        "buried": bury,
        "ring_with_lists": signed_ring("listed", looks=False, address=far),
        "ring_with_cards_of_one_address": signed_ring("near", looks=True, address=lambda: "203.0.113.77"),
        "ring_with_cards": signed_ring("seen", looks=True, address=far),
        "ring_that_clicks_cards": card_ring,
        "two_of_200_readers": signed_ring("true", looks=True, address=far, clicking=2),
    }
