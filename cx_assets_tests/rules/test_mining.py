import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from cx_assets.rules.association import candidate_rules
from cx_assets.rules.mining import (
    ITEM_SETTINGS,
    ITEMSET_COLUMNS,
    RULE_COLUMNS,
    RuleSettings,
    mine_item_rules,
    mine_itemsets,
    mine_rules,
    rules_from_itemsets,
)
from cx_assets_tests.rules.shop import basket_matrix, purchases

ANY = RuleSettings(min_support=1, max_size=3, min_customers=1, min_confidence=0.0, fdr=0.999)


def mined(baskets, settings, customers=None):
    matrix = basket_matrix(baskets, customers)
    return mine_rules(matrix.matrix, matrix.things, matrix.customers, settings)


def names(rules):
    return [f"{''.join(a)}>{''.join(c)}" for a, c in zip(rules["antecedent"], rules["consequent"], strict=True)]


def test_support_may_be_a_share_or_a_number_of_baskets():
    assert RuleSettings(min_support=0.01, min_customers=1).min_baskets(1_050) == 11
    assert RuleSettings(min_support=50, min_customers=1).min_baskets(1_050) == 50


def test_a_share_of_few_baskets_is_never_below_the_least_number_of_customers():
    assert RuleSettings(min_support=0.01, min_customers=10).min_baskets(20) == 10


def test_an_itemset_that_too_few_customers_stand_behind_is_left_out_with_all_that_contain_it():
    settings = RuleSettings(min_support=2, max_size=3, min_customers=2)
    found = mined(["abc", "abc", "ab", "c"], settings, customers=[0, 0, 1, 2])

    assert found.itemsets["itemset"].map("".join).tolist() == ["a", "b", "c", "ab"]
    assert found.itemsets["customers"].tolist() == [2, 2, 2, 2]


def test_itemsets_come_by_size_then_baskets_then_name():
    found = mined(["ab", "ab", "b", "ac", "d", "d", "d"], ANY)

    assert found.itemsets["itemset"].map("".join).tolist() == ["a", "b", "d", "c", "ab", "ac"]
    assert found.itemsets.columns.tolist() == ITEMSET_COLUMNS


def test_rules_come_by_lift_and_have_figures_customers_and_significance():
    baskets = ["ab"] * 8 + ["cd"] * 6 + ["c"] * 2 + ["e"] * 20
    rules = mined(baskets, ANY, customers=[0, 0, *range(1, 35)]).rules

    assert names(rules) == ["a>b", "b>a", "c>d", "d>c"]
    assert rules.columns.tolist() == RULE_COLUMNS
    assert rules["customers"].tolist() == [7, 7, 6, 6]
    assert rules["lift"].tolist() == pytest.approx([36 / 8, 36 / 8, 36 / 8, 36 / 8])
    assert rules["p_value"].between(0, 1e-4).all()


def test_a_rule_below_the_least_confidence_is_left_out():
    rules = mined(["ab"] * 2 + ["a"] * 8 + ["c"] * 90, RuleSettings(2, 2, 1, 0.5, 0.5)).rules

    assert names(rules) == ["b>a"]


def test_a_rule_that_chance_explains_is_left_out():
    baskets = ["ab"] * 3 + ["a"] * 7 + ["b"] * 16 + ["c"] * 74
    settings = RuleSettings(min_support=1, max_size=2, min_customers=1, min_confidence=0.0, fdr=0.05)

    assert names(mined(baskets, settings).rules) == []
    assert "a>b" in names(mined(baskets, ANY).rules)


def test_the_false_discovery_rate_is_taken_over_all_rules_that_were_tested():
    dice = np.random.default_rng(5)
    letters = np.array(list("abcdefgh"))
    baskets = ["".join(letters[dice.random(8) < 0.4]) for _ in range(300)]
    strict = RuleSettings(min_support=5, max_size=3, min_customers=1, min_confidence=0.45, fdr=0.9)
    itemsets = mine_itemsets(basket_matrix(baskets), strict)

    rules = rules_from_itemsets(itemsets, len(baskets), strict)
    everything = rules_from_itemsets(itemsets, len(baskets), ANY)

    tested = candidate_rules(itemsets, len(baskets))
    assert 0 < len(rules) < len(everything) < len(tested)
    wide = everything.set_index(pd.Index(names(everything)))
    assert rules["q_value"].tolist() == wide.loc[names(rules), "q_value"].tolist()
    # The smallest p-value of n has, by Benjamini and Hochberg, a q-value of at most n times itself.
    least = everything.loc[everything["p_value"].idxmin()]
    assert least["q_value"] == pytest.approx(min(least["p_value"] * len(tested), least["q_value"]))
    assert (everything["q_value"] >= everything["p_value"]).all()
    assert false_discovery_control(rules["p_value"]).max() <= rules["q_value"].max()


def test_conviction_of_a_rule_without_exception_is_missing():
    rules = mined(["ab"] * 4 + ["b"] + ["c"] * 15, ANY).rules.set_index(pd.Index(["a>b", "b>a"]))

    assert np.isnan(rules.loc["a>b", "conviction"])
    assert rules.loc["b>a", "conviction"] == pytest.approx((1 - 4 / 20) / (1 - 4 / 5))


def test_the_same_baskets_in_another_order_give_the_same_rules():
    dice = np.random.default_rng(11)
    letters = np.array(list("abcdefgh"))
    baskets = ["".join(letters[dice.random(8) < 0.4]) for _ in range(120)]
    settings = RuleSettings(min_support=5, max_size=3, min_customers=3, min_confidence=0.1, fdr=0.9)

    forth, back = mined(baskets, settings), mined(baskets[::-1], settings)

    pd.testing.assert_frame_equal(forth.rules, back.rules)
    pd.testing.assert_frame_equal(forth.itemsets, back.itemsets)


@pytest.mark.parametrize(
    "baskets", [[], [""], ["a"], ["ab"], ["a"] * 30], ids=["none", "empty", "one", "pair", "alike"]
)
def test_too_little_to_mine_gives_empty_tables(baskets):
    found = mined(baskets, ITEM_SETTINGS)

    assert found.rules.empty
    assert found.rules.columns.tolist() == RULE_COLUMNS
    assert found.itemsets.columns.tolist() == ITEMSET_COLUMNS
    assert len(found.itemsets) == (len(baskets) == 30)


def test_item_rules_of_some_events_see_only_those_events(tables):
    events = purchases({f"b{i}": (f"c{i}", "xy" if i < 12 else "z") for i in range(60)})

    rules = mine_item_rules(tables(events))
    before = mine_item_rules(tables(events[events["customer_id"].isin([f"c{i}" for i in range(5)])]))

    assert names(rules) == ["x>y", "y>x"]
    assert before.empty
