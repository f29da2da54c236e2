"""Vouching: which events of the open door count, by the evidence with which they came.

Reads the proof of events (``recsys.store.Evidence``); produces who is vouched for and what is left out, for a whole log
and, in ``Vouching``, for one event after the other. Anybody can invent readers; nobody can invent a list. The rules:

- what came without a proof that is to be doubted (imports, the site's own key) counts as it is;
- a card that was seen, by a good token, counts, and vouches for who saw it: the reader, else the session, else whoever
  had that list;
- any other click, with a token or without one, counts as soon as who sent it is vouched for, and is held until then: a
  reader who comes from elsewhere is vouched for by the first card that they see, seconds later. Those of everybody
  else, of whom a ring of invented readers is made, never count, whether or not each asked for a list first;
- an impression without a token says nothing unless its reader is vouched for: a list was somewhere else, or nowhere;
- beyond what one address may add to an article a click labels its own list, as a repeated one does, and counts no more.

The log knows of everybody who is vouched for in it, before or after; the service counts what it held when it hears so.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from recsys.events.arrays import KINDS, Events
from recsys.store import DatedClick, Evidence, Kind

Mask = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MAX_VOUCHED = 50_000  # visitors who are remembered to be vouched for; a forgotten one is so again with the next list
MAX_WAITING = 10_000  # visitors of whom clicks are held; what is forgotten counts after the next training
HELD_CLICKS = 10  # of one visitor: more pages than anybody opens before they see a list

_NOBODY, _LIST_OF_NOBODY = -1, -3  # keys: of nobody, and of who had the list 0 of nobody; list -1 is none
_CLICK, _IMPRESSION = KINDS.index(Kind.CLICK), KINDS.index(Kind.IMPRESSION)


_DOUBTED = (Evidence.UNSIGNED, Evidence.SIGNED)  # what counts by who sent it


class HeldClick(NamedTuple):
    """A click that waits for its reader to be vouched for: article row, ms, place (-1 for unknown) and context."""

    row: int
    time: int
    position: int
    context: str | None


class Doubtful(NamedTuple):
    """Events of a log that do not count as they stand.

    Attributes:
        left_out: bool (E,), what says nothing.
        labels: bool (E,), clicks that label their list and count no more.
        silent: bool (E,), these, and what else says nothing of articles.
    """

    left_out: Mask
    labels: Mask
    silent: Mask


def doubtful(events: Events, keys: Longs) -> Doubtful:
    """The doubtful events of a log.

    Args:
        events: E events in time order.
        keys: int64 (E,), the visitor of each, -1 for nobody known.
    """
    if not len(events.proof):
        nothing = np.zeros(len(events), np.bool_)
        return Doubtful(nothing, nothing, nothing)
    crowded, signed = events.proof == Evidence.CROWDED, events.proof == Evidence.SIGNED
    whose = np.where((keys < 0) & signed, _LIST_OF_NOBODY - events.impression.astype(np.int64), keys)
    vouched = np.unique(whose[signed & (events.kind == _IMPRESSION) & (whose != _NOBODY)])
    stranger = ((events.proof == Evidence.UNSIGNED) | signed) & ~np.isin(whose, vouched)
    shown = (stranger | crowded) & (events.kind == _IMPRESSION)
    left_out, labels = shown | (stranger & (events.kind == _CLICK)), crowded & (events.kind == _CLICK)
    return Doubtful(left_out, labels, stranger | crowded)


def counted_clicks(
    clicks: Sequence[DatedClick], signed: Callable[[Collection[str]], Collection[str]]
) -> list[DatedClick]:
    """Those of some clicks that count, by the same rules, read from the store.

    Args:
        clicks: in no order.
        signed: says of readers who of them saw a card by a good token.
    """
    doubted = {click.reader for click in clicks if click.proof in _DOUBTED and click.reader is not None}
    vouched = signed(doubted) if doubted else doubted
    return [one for one in clicks if one.proof is None or (one.proof in _DOUBTED and _counts(one, vouched))]


def _counts(click: DatedClick, vouched: Collection[str]) -> bool:
    """True for a click of a reader who is vouched for; of a session, and of nobody, the token of the list must do."""
    return click.proof == Evidence.SIGNED if click.reader is None else click.reader in vouched


class Vouching:
    """The same for one event after the other, in bounded memory. Not safe for threads."""

    def __init__(self) -> None:
        self._vouched: OrderedDict[str, None] = OrderedDict()
        self._held: OrderedDict[str, list[HeldClick]] = OrderedDict()

    def __contains__(self, visitor: str | None) -> bool:
        return visitor in self._vouched

    def vouch(self, visitor: str) -> tuple[HeldClick, ...]:
        """Take notice of a card that a visitor saw; returns the clicks that were held and count from now on."""
        if visitor in self._vouched:
            self._vouched.move_to_end(visitor)
            return ()
        _put(self._vouched, visitor, None, MAX_VOUCHED)
        return tuple(self._held.pop(visitor, ()))

    def hold(self, visitor: str | None, click: HeldClick) -> None:
        """Hold a click of a stranger; of nobody known it is lost."""
        if visitor is not None:
            _put(self._held, visitor, [*self._held.get(visitor, ()), click][-HELD_CLICKS:], MAX_WAITING)

    def forget(self, is_forgotten: Callable[[str], bool]) -> None:
        """Drop the visitors of whom ``is_forgotten`` says so."""
        for held in (self._vouched, self._held):
            for visitor in list(filter(is_forgotten, held)):
                del held[visitor]


def _put(held: "OrderedDict[Key, Value]", key: Key, value: Value, most: int) -> None:
    """Keep the newest so many."""
    held[key] = value
    held.move_to_end(key)
    if len(held) > most:
        held.popitem(last=False)
