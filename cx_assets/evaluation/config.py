"""What an operator may set about the evaluation, as a Dagster resource.

Belongs here: the resource that the assets read. Does not belong here: what the values do (`split`, `metrics`,
`bootstrap`). It is a resource and not the configuration of one asset because the figures, the comparisons and the
report must mean the same.
"""

from typing import Annotated, Literal

import dagster as dg
from pydantic import Field

LIST_DEPTH = 20
"""Places of a judged list, as many as a published list has."""


class EvaluationSettings(dg.ConfigurableResource[None]):
    """On which days recommenders are judged, at which list lengths, and how intervals are drawn."""

    horizon_days: int = Field(
        default=28, ge=1, le=366, description="Days at the end of the data that are held back for judging."
    )
    ks: list[Annotated[int, Field(ge=1, le=LIST_DEPTH)]] = Field(
        default=[5, 10, 20], min_length=1, description="List lengths at which metrics are taken."
    )
    resamples: int = Field(default=1000, ge=100, le=100_000, description="Draws of customers behind each interval.")
    seed: int = Field(default=20170101, ge=0, description="Of the draws: the same seed gives the same intervals.")

    weak_lists: Literal["stop", "publish"] = Field(
        default="stop",
        description="Whether lists that don't surely beat those of what is popular stop publishing, or are a warning.",
    )
    too_good: float = Field(
        default=0.5, gt=0, le=1, description="NDCG on discovery above which a backtest is taken for a leak."
    )

    @property
    def list_lengths(self) -> list[int]:
        """The ks, ascending, each once."""
        return sorted(set(self.ks))
