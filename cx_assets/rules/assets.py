"""The assets of the rules stage: thin shells round `mining`."""

import dagster as dg
import pandas as pd

from cx_assets.rules import tables
from cx_assets.rules.baskets import category_baskets, item_baskets
from cx_assets.rules.config import RuleMining
from cx_assets.rules.mining import mine_itemsets, rules_from_itemsets
from cx_assets.table import Table, markdown, table_asset

LEVELS = ("category", "item")
SHOWN = 10


@table_asset(tables.FREQUENT_ITEMSETS, code_version="1", kinds=("python",))
def frequent_itemsets(
    context: dg.AssetExecutionContext, events: Table, items: Table, rule_mining: RuleMining
) -> pd.DataFrame:
    """One row per set of categories or items that many baskets hold, up to the as-of date.

    Mined by mlxtend over all baskets, with the number of distinct customers behind each set. `rules` is made from it.
    What counts as many is the configuration of the resource `rule_mining`.
    """
    by_item = item_baskets(events, rule_mining.basket_event_types)
    baskets = {"category": category_baskets(by_item, items), "item": by_item}
    found = {level: mine_itemsets(baskets[level], rule_mining.settings(level)) for level in LEVELS}
    context.add_output_metadata(
        {"baskets": by_item.matrix.shape[0], **{f"{level}_itemsets": len(found[level]) for level in LEVELS}}
    )
    return _stacked(found)


@table_asset(tables.RULES, code_version="1", kinds=("python",))
def rules(
    context: dg.AssetExecutionContext, frequent_itemsets: pd.DataFrame, baskets: Table, rule_mining: RuleMining
) -> pd.DataFrame:
    """One row per rule "who takes this takes that": between categories and between items, up to the as-of date.

    Each has one consequent, is significant by Fisher's exact test with the false discovery rate held, has enough
    customers behind it, and says more than any shorter rule. `bought_together` and the reasons of recommendations
    come from here.
    """
    total = baskets.count()
    found = {
        level: rules_from_itemsets(
            frequent_itemsets[frequent_itemsets["level"] == level], total, rule_mining.settings(level)
        )
        for level in LEVELS
    }
    context.add_output_metadata(
        {
            **{f"{level}_rules": len(found[level]) for level in LEVELS},
            **{f"strongest_{level}_rules": dg.MetadataValue.md(_strongest(found[level])) for level in LEVELS},
        }
    )
    return _stacked(found)


def _stacked(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The frames of the levels, one after the other."""
    return pd.concat([frame.assign(level=level) for level, frame in found.items()], ignore_index=True)


def _strongest(found: pd.DataFrame) -> str:
    """The rules with the highest lift, for the UI."""
    top = found.head(SHOWN)
    return markdown(
        pd.DataFrame(
            {
                "antecedent": top["antecedent"].map(", ".join),
                "consequent": top["consequent"].map(", ".join),
                "confidence": top["confidence"].map("{:.0%}".format),
                "lift": top["lift"].map("{:.1f}".format),
                "baskets": top["baskets"],
                "customers": top["customers"],
            }
        )
    )
