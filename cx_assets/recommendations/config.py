"""What an operator may set about recommendations, as Dagster resources.

Belongs here: the resources that hand `RankerSettings`, `BlendWeights` and `Filters` to the assets. Does not: what these
do (`ranker`, `blend`, `filters`). They are resources and not the configuration of one asset, so that the evaluation
judges what is published.
"""

import dagster as dg
from pydantic import Field

from cx_assets.recommendations.blend import BlendWeights
from cx_assets.recommendations.filters import Filters
from cx_assets.recommendations.ranker import RankerSettings
from cx_assets.recommendations.rewind import Days


class Ranking(dg.ConfigurableResource[None]):
    """How the published ranker learns; the evaluation judges the same."""

    horizon_days: int = Field(default=Days().number, ge=1, le=366, description="Days ahead that it foresees.")
    cuts: int = Field(
        default=RankerSettings.cuts, ge=1, le=52, description="Earlier as-of dates to learn from, a horizon apart."
    )

    def settings(self) -> RankerSettings:
        """The same as a plain value, for plain functions."""
        return RankerSettings(horizon=Days(self.horizon_days), cuts=self.cuts)


class Blending(dg.ConfigurableResource[None]):
    """How the blend weighs its parts: the recommender of shops too young for the ranker."""

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


class BusinessFilters(dg.ConfigurableResource[None]):
    """What a retailer won't have in the lists; by default nothing is filtered.

    In the code location, for all runs:

        BusinessFilters(excluded_categories=["TOBACCO"], excluded={"brand": ["Private"]}, per_category=3, min_new=5)

    or for one run, in the launchpad or a file of run configuration:

        resources:
          business_filters:
            config:
              excluded_categories: [TOBACCO]
              excluded: {brand: [Private]}
              unavailable: ["1029743"]
              per_category: 3
              min_new: 5
    """

    excluded_categories: list[str] = Field(default=[], description="Categories of which nothing is offered.")
    excluded: dict[str, list[str]] = Field(
        default={}, description="By item attribute, such as brand, the values of what isn't offered."
    )
    unavailable: list[str] = Field(default=[], description="Ids of items that can't be had now.")
    per_category: int | None = Field(
        default=Filters.per_category,
        ge=1,
        description="Places of one list that one category may take; any number if unset.",
    )
    min_new: int = Field(
        default=Filters.min_new,
        ge=0,
        description="Places of a list of both kinds that go to items not had before, as far as there are candidates.",
    )

    def filters(self) -> Filters:
        """The same as a plain value, for plain functions.

        Raises:
            ValueError: if a name is blank or there twice.
        """
        return Filters(
            excluded_categories=tuple(self.excluded_categories),
            excluded=tuple((attribute, value) for attribute, values in self.excluded.items() for value in values),
            unavailable=tuple(self.unavailable),
            per_category=self.per_category,
            min_new=self.min_new,
        )
