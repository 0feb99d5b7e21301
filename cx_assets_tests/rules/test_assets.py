import dagster as dg
import pandas as pd
import pytest
from pydantic import ValidationError

from cx_assets.rules import tables as declared
from cx_assets.rules.assets import frequent_itemsets, rules
from cx_assets.rules.config import RuleMining
from cx_assets_tests.rules.shop import purchases

MINING = RuleMining(category_min_support=2, item_min_support=2, min_customers=2, fdr=0.5)


def mined(tables, baskets, mining=MINING):
    """Both assets, called one after the other on tables, and the metadata they leave."""
    events = purchases(baskets)
    items = pd.DataFrame({"item_id": list("abcz"), "category": ["X", "Y", "Y", "unknown"]})
    by_basket = events.groupby("basket_id", as_index=False).agg(customer_id=("customer_id", "first"))
    context = dg.build_asset_context()
    found = frequent_itemsets(context, events=tables(events), items=tables(items), rule_mining=mining)
    return found, rules(dg.build_asset_context(), found, tables(by_basket), mining)


def test_both_levels_are_mined_into_one_table_each(tables):
    itemsets, found = mined(tables, {f"b{i}": (f"c{i}", "ab" if i < 4 else "z") for i in range(20)})

    assert sorted(itemsets.columns) == sorted(declared.FREQUENT_ITEMSETS.column_names)
    assert sorted(found.columns) == sorted(declared.RULES.column_names)
    assert [(level, *a, *c) for level, a, c in zip(found.level, found.antecedent, found.consequent, strict=True)] == [
        ("category", "X", "Y"),
        ("category", "Y", "X"),
        ("item", "a", "b"),
        ("item", "b", "a"),
    ]
    assert found["support"].tolist() == [0.2] * 4


@pytest.mark.parametrize("baskets", [{"b": ("ann", "abc")}, {"b": ("ann", "z")}], ids=["one basket", "one item"])
def test_a_dataset_too_small_to_mine_gives_empty_tables_with_the_declared_columns(tables, baskets):
    itemsets, found = mined(tables, baskets, RuleMining())

    assert itemsets.empty
    assert found.empty
    assert sorted(itemsets.columns) == sorted(declared.FREQUENT_ITEMSETS.column_names)
    assert sorted(found.columns) == sorted(declared.RULES.column_names)


def test_a_limit_out_of_bounds_is_refused():
    with pytest.raises(ValidationError):
        RuleMining(max_size=0)
    with pytest.raises(ValidationError):
        RuleMining(min_customers=0)
