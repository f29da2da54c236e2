"""Schemas of the editors' calls: decisions as they are sent, and as they hold."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from recsys.recommend.pin_cost import PinCost
from recsys.store import DecisionKind
from recsys.store.editorial import MAX_DAYS, MAX_FACTOR, MAX_PLACE
from web.api.schemas import Slot

Until = Annotated[
    int | float | str,
    Field(
        description=f"the end, at most {MAX_DAYS} days from now: epoch number (s, ms, µs or ns) or ISO 8601, without a"
        " zone in the site's"
    ),
]
HOW = (
    "impressions an hour at that place, in lists of all slots, on the average of the last week, times what the place is"
    " clicked more often than this article would be there"
)


class BuryIn(BaseModel):
    """The end of a bury."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"until": 1_790_000_000_000}})

    until: Until


class PinIn(BuryIn):
    """A pin."""

    model_config = ConfigDict(json_schema_extra={"example": {"place": 1, "until": "2026-03-02T18:00:00Z"}})

    place: int | None = Field(
        None, ge=1, le=MAX_PLACE, description="in the list, from 1; null: in every list, wherever it is ranked"
    )
    slot: Slot | None = Field(None, description="the only slot in whose lists it stands; null: every list")


class BoostIn(BuryIn):
    """A boost."""

    model_config = ConfigDict(json_schema_extra={"example": {"factor": 2, "until": "2026-03-02T18:00:00Z"}})

    factor: float = Field(gt=1, le=MAX_FACTOR, description="by which the odds of a click are multiplied")


class DecisionFields(BaseModel):
    """A decision of an editor."""

    article: str
    kind: DecisionKind
    until: int = Field(description="ms UTC; from then on it does not hold, by the clock of whoever answers")
    set_at: int = Field(description="ms UTC")
    set_by: str = Field(description="token NAME, or command USER")
    place: int | None = Field(description="of a pin, from 1; null: in every list, wherever it is ranked")
    slot: str | None = Field(description="of a pin; null: every list")
    factor: float | None = Field(description="of a boost")


class DecisionOut(DecisionFields):
    """A decision that holds."""

    stands_at: int | None = Field(
        description="of a pin with a place: where it stands among the other pins of its list; null where it is beyond"
        " the list's length, or may not be shown now"
    )


class DecisionMade(DecisionFields):
    """A decision that was made."""

    ended: list[DecisionKind] = Field(description="decisions on the same article that it ended")


class PinCostOut(BaseModel):
    """The estimated cost of a pin."""

    says: str = Field(description="the same for a person")
    clicks_an_hour: float = Field(description=f"{HOW}; 0 where that is not more")
    impressions_an_hour: float
    usual_rate: float = Field(description="clicks per impression at that place so far")
    own_rate: float = Field(description="the article's smoothed click rate at that place; the site's if it is new")

    @classmethod
    def of(cls, cost: PinCost) -> Self:
        """An estimate in figures that can be read."""
        clicks = f"{cost.clicks_an_hour:.2g}" if cost.clicks_an_hour < 10 else f"{cost.clicks_an_hour:.0f}"
        return cls(
            says=f"This pin costs about {clicks} clicks an hour, estimated as {HOW}.",
            clicks_an_hour=round(cost.clicks_an_hour, 3),
            impressions_an_hour=round(cost.impressions_an_hour, 2),
            usual_rate=round(cost.usual_rate, 5),
            own_rate=round(cost.own_rate, 5),
        )


class PinMade(DecisionMade):
    """A pin that was set, and the pins of the same lists with it."""

    pins: list[DecisionOut] = Field(description="of the same lists, this one among them; the last one first")
    note: str | None = Field(description="pins that do not stand at their places, in words")
    cost: PinCostOut | None = Field(
        description="of a pin without a place what the last place of a list costs, the most; null where nothing"
        " is known of that place"
    )


class DecisionCosted(DecisionOut):
    """A decision that holds, with the cost of a pin."""

    cost: PinCostOut | None = Field(description="of a pin where it stands; null where nothing is known of the place")


class Editorial(BaseModel):
    """The decisions that hold now."""

    k: int = Field(description="length of a list whose caller names none")
    decisions: list[DecisionCosted] = Field(description="the last one first")
