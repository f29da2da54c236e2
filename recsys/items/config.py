"""Settings of item vectors."""

from typing import Literal

from pydantic import Field

from recsys.config import Section


class ItemsConfig(Section):
    """Settings of item2vec over the stream of clicks, and of joining content and clicks."""

    start: Literal["random", "last"] = Field(
        "random",
        description=(
            "random | last: from scratch, then turned into the last frame; or from the last vectors, with the clicks "
            "since then alone, as every hour"
        ),
    )
    embedding_dim: int = Field(
        32,
        ge=2,
        le=2000,
        description="dimensions of an item vector: 32 ranked as well as 64 on click logs and costs less",
    )
    covisit_window_hours: float = Field(
        720.0,
        gt=0,
        description=(
            "hours between two clicks of a reader up to which they are co-visits; 0.5 is one visit, better where most "
            "visits have several clicks"
        ),
    )
    window: int = Field(
        3,
        ge=1,
        description="clicks before an article that count as its context, the last one most; more gain nothing",
    )
    negatives: int = Field(
        20,
        ge=1,
        description="negative samples per pair, drawn from the last clicks; 5 lose two points of HR@10 (G1)",
    )
    ns_exponent: float = Field(
        0.2,
        ge=-2,
        le=2,
        description=(
            "power of an article's clicks by which it is drawn as a negative sample: 1 as clicked, 0 all alike; below "
            "0.5 popularity stays in the vectors"
        ),
    )
    recent_clicks: int = Field(
        1_000,
        ge=1,
        description="clicks, the last ones, that negative samples are drawn from: older news teaches nothing",
    )
    learning_rate: float = Field(
        0.6,
        gt=0,
        le=2,
        description="size of an article's first step: large, so that it finds its place within a few clicks",
    )
    learning_rate_decay: float = Field(
        0.3,
        ge=0,
        le=1,
        description=(
            "power of an article's pairs by which its steps shrink: 0 forgets its past, 0.5 freezes it too early"
        ),
    )
    epochs: int = Field(20, ge=1, description="passes over the log: the few thousand clicks of a small site need many")
    max_trained_clicks: int = Field(
        500_000,
        ge=1,
        description=(
            "clicks learned from in all passes together, some 5 s of work; a large log gets fewer passes, never less "
            "than one"
        ),
    )
    prior_pairs: float = Field(
        20.0,
        gt=0,
        description=(
            "pairs of clicks that weigh as much as an article's text in its vector; with fewer the clicks decide sooner"
        ),
    )
