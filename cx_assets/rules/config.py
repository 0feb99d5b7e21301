"""What an operator may set about rules, as a Dagster resource.

Belongs here: the resource that hands `RuleSettings` to assets and checks. Does not: what they do (`mining`). It is a
resource and not the configuration of one asset because itemsets, rules, their checks and the evaluation must mean the
same.
"""

import dagster as dg
from pydantic import Field

from cx_assets.rules.mining import CATEGORY_SETTINGS, ITEM_SETTINGS, RuleSettings

SUPPORT = "Least support of an itemset: a share of the baskets if below 1, else a number of baskets."


class RuleMining(dg.ConfigurableResource[None]):
    """What is asked of itemsets and rules."""

    category_min_support: float = Field(
        default=CATEGORY_SETTINGS.min_support, gt=0, description=f"{SUPPORT} Categories."
    )
    item_min_support: float = Field(default=ITEM_SETTINGS.min_support, gt=0, description=f"{SUPPORT} Items.")
    category_min_confidence: float = Field(
        default=CATEGORY_SETTINGS.min_confidence,
        ge=0,
        le=1,
        description="Least confidence of a rule between categories.",
    )
    item_min_confidence: float = Field(
        default=ITEM_SETTINGS.min_confidence, ge=0, le=1, description="Least confidence of a rule between items."
    )
    max_size: int = Field(
        default=ITEM_SETTINGS.max_size, ge=1, le=6, description="Most things in an itemset; one more costs a multiple."
    )
    min_customers: int = Field(
        default=ITEM_SETTINGS.min_customers, ge=1, description="Least distinct customers behind an itemset or rule."
    )
    fdr: float = Field(
        default=ITEM_SETTINGS.fdr, gt=0, lt=1, description="False discovery rate of the rules of a level."
    )
    basket_event_types: list[str] = Field(
        default=list(ITEM_SETTINGS.event_types),
        min_length=1,
        description="Types of event that put an item into a basket, as in the dataset's manifest.",
    )

    def settings(self, level: str) -> RuleSettings:
        """The same as a plain value, for plain functions.

        Args:
            level: category or item.

        Raises:
            KeyError: for another level.
        """
        support, confidence = {
            "category": (self.category_min_support, self.category_min_confidence),
            "item": (self.item_min_support, self.item_min_confidence),
        }[level]
        types = tuple(self.basket_event_types)
        return RuleSettings(support, self.max_size, self.min_customers, confidence, self.fdr, types)
