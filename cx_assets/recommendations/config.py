"""What an operator may set about recommendations, as a Dagster resource.

Belongs here: the resource that hands `BlendWeights` to the assets. Does not: what the weights do (`blend`). It is a
resource and not the configuration of one asset, so that the evaluation judges the blend that is published.
"""

import dagster as dg
from pydantic import Field

from cx_assets.recommendations.blend import BlendWeights


class Blending(dg.ConfigurableResource[None]):
    """How the published blend weighs its parts; the evaluation judges the same."""

    half_life_days: float = Field(
        default=BlendWeights.half_life_days, gt=0, description="Days after which a customer's own event counts half."
    )
    neighbours_in_repeat: float = Field(
        default=BlendWeights.neighbours_in_repeat,
        ge=0,
        description="What neighbours add to an item had before, at most.",
    )
    customer_knn: float = Field(default=BlendWeights.customer_knn, ge=0, description="Weight of similar customers.")
    item_knn: float = Field(default=BlendWeights.item_knn, ge=0, description="Weight of similar items.")
    content: float = Field(default=BlendWeights.content, ge=0, description="Weight of items with similar attributes.")
    rules: float = Field(default=BlendWeights.rules, ge=0, description="Weight of basket rules.")
    popularity: float = Field(default=BlendWeights.popularity, ge=0, description="Weight of overall popularity.")

    def weights(self) -> BlendWeights:
        """The same as a plain value, for plain functions."""
        return BlendWeights(
            half_life_days=self.half_life_days,
            neighbours_in_repeat=self.neighbours_in_repeat,
            customer_knn=self.customer_knn,
            item_knn=self.item_knn,
            content=self.content,
            rules=self.rules,
            popularity=self.popularity,
        )
