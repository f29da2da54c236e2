"""Intake: what was posted as events -> events of the store, and an answer that says what became of each.

Reads who sends, and the evidence that each event brings; produces one commit. Nothing that is acknowledged is lost in
silence: what was refused or ignored stands in the answer with its place and its reason, and in the figures at /metrics.
"""

from typing import Any
from zoneinfo import ZoneInfo

from recsys.recommend.impressions import is_token
from recsys.store import Event, Evidence
from recsys.units import now_ms
from web import metrics
from web.api.event_ingestion import in_time, read_event, resolved
from web.api.evidence import STRANGERS, TOO_MANY, Ignored, is_on_card, judged
from web.api.identity import believed
from web.api.problem_details import Refused
from web.api.rates import UNSIGNED_COST, Standing
from web.api.schemas import Accepted, Rejected
from web.installation import Installation

_OUTCOMES: dict[int | None, str] = {None: "trusted"} | {proof.value: proof.name.lower() for proof in Evidence}
Read = Event | tuple[str, str]  # or the code and the detail of why not


class Intake:
    """One request of events.

    Args:
        here: the installation.
        address: whose it is, see ``reader_address``.
        proven: the reader whom a token proves, if any.

    Attributes:
        is_trusted: whether it came with a key of the site: then everything counts, and nothing is bounded.
    """

    def __init__(self, here: Installation, address: str | None, proven: str | None) -> None:
        self._here, self._address, self._proven = here, address, proven
        self._now, self._zone = now_ms(), ZoneInfo(here.settings.site.timezone)
        self.is_trusted = False

    def accept(self, values: list[Any]) -> Accepted:
        """Commit what counts.

        Raises:
            Refused: 429, the address sends too many.
            StoreError: nothing was written.
        """
        self._admit(values)
        answer = Accepted(accepted=0, duplicate=0, rejected=[], ignored=[], unknown=[], unproven=[])
        taken: list[Event] = []
        named: list[int] = []  # places of what is taken
        for index, value in enumerate(values):
            said = read_event(value, self._here.settings.site.id, self._now, self._zone)
            event = self._judged(said) if isinstance(said, Event) else said
            if isinstance(event, Event) and isinstance(said, Event):
                taken.append(event)
                named.append(index)
                answer.unproven += [index] * (event.reader != said.reader)
            elif not isinstance(event, Event):
                group = answer.ignored if isinstance(event, Ignored) else answer.rejected
                group.append(Rejected(index=index, code=event[0], detail=event[1]))
        written = self._here.live.accept(taken)  # which brings articles that were put since the last poll
        answer.unknown = [place for place, event in zip(named, taken, strict=True) if not self._is_known(event.article)]
        answer.accepted, answer.duplicate = written.stored, written.duplicate + written.forgotten
        _count(taken, answer)
        return answer

    def _admit(self, values: list[Any]) -> None:
        if self.is_trusted:
            return
        wait = self._here.rates.admit(self._address, sum(map(_cost, values)))
        if wait > 0:
            metrics.EVENTS.labels("rate-limited").inc(len(values))
            raise Refused(
                429,
                "rate-limited",
                f"Expected at most {self._here.settings.web.address_events} events a minute from one address.",
                "Try again after Retry-After; a system of the site sends its write key, and is not limited.",
                Retry_After=str(int(wait) + 1),
            )

    def _judged(self, event: Event) -> Read:
        """One event as it is stored, or why it is not."""
        here = self._here
        event = event._replace(article=resolved(here.live.catalogue, event.article)[0])
        if self.is_trusted:
            return in_time(event, self._now)
        event = believed(here, event, self._proven)
        judgement = judged(event, here.tokens, here.settings.events.unsigned, self._now)
        proven = in_time(judgement, self._now) if isinstance(judgement, Event) else judgement
        if not isinstance(proven, Event):
            return proven
        if here.rates.has_too_many(proven):
            return TOO_MANY
        if proven.proof is None:
            return proven
        standing = self._standing(proven)
        if proven.proof == Evidence.UNSIGNED and standing is Standing.STRANGER and here.rates.floods(self._address):
            return STRANGERS
        return here.rates.placed(proven, self._address, standing)

    def _standing(self, event: Event) -> Standing:
        live = self._here.live
        if is_on_card(event, self._here.tokens):
            return Standing.KNOWN
        if not live.vouches_for(event.reader, event.session):
            return Standing.STRANGER
        return Standing.NEWCOMER if live.is_new(event.reader, event.session) else Standing.KNOWN

    def _is_known(self, article: str) -> bool:
        catalogue = self._here.live.catalogue
        row = catalogue.row_of.get(article)
        return row is not None and catalogue.articles.known(row)


def _cost(value: Any) -> int:
    """Events of an address that one counts as, before it is looked at."""
    name = value.get("impression") if isinstance(value, dict) else None
    return 1 if isinstance(name, str) and is_token(name) else UNSIGNED_COST


def _count(taken: list[Event], answer: Accepted) -> None:
    for event in taken:
        metrics.EVENTS.labels(_OUTCOMES[event.proof]).inc()
    for refused in (*answer.rejected, *answer.ignored):
        metrics.EVENTS.labels(refused.code).inc()
