"""What an operator may set about interactions, as a Dagster resource.

Belongs here: the resource that hands `EventWeights` to the assets. Does not: what the weights do (`interactions`). It
is a resource and not the configuration of one asset because the evaluation folds the past with the same weights.
"""

import dagster as dg
from pydantic import Field

from cx_assets.ingestion.times import UTC
from cx_assets.matrices.interactions import EventWeights


class InteractionWeights(dg.ConfigurableResource[None]):
    """What one event of each type counts, and the days after which it counts half."""

    purchase: float = Field(default=EventWeights.purchase, gt=0, description="Weight of a purchase.")
    cart: float = Field(default=EventWeights.cart, gt=0, description="Weight of an item laid into the cart.")
    view: float = Field(default=EventWeights.view, gt=0, description="Weight of a view.")
    rating: float = Field(default=EventWeights.rating, gt=0, description="Weight of a rating, whatever it says.")
    half_life_days: float = Field(
        default=EventWeights.half_life_days, gt=0, description="Days after which an event counts half."
    )

    others: dict[str, float] = Field(
        default_factory=dict, description="Weights of the dataset's own event types; those of its manifest otherwise."
    )

    timezone: str = Field(default=UTC, description="The zone whose clocks tell an event's age; that of the manifest.")

    def weights(self) -> EventWeights:
        """The same as a plain value, for plain functions."""
        own = dict(self.others)
        return EventWeights(self.purchase, self.cart, self.view, self.rating, self.half_life_days, own, self.timezone)
