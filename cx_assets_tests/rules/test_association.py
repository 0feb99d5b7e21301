import math

import pandas as pd
import pytest

from cx_assets.rules.association import candidate_rules
from cx_assets.rules.mining import RuleSettings, mine_itemsets
from cx_assets_tests.rules.shop import basket_matrix

ANY = RuleSettings(min_support=1, max_size=3, min_customers=1)


def rules_of(baskets):
    found = candidate_rules(mine_itemsets(basket_matrix(baskets), ANY), len(baskets))
    names = zip(found["antecedent"].map(sorted).map("".join), found["consequent"].map("".join), strict=True)
    return found.set_index(pd.Index([f"{a}>{c}" for a, c in names]))


def test_figures_are_those_computed_by_hand():
    # a in 4 of 8 baskets, b in 3, both in 2.
    rule = rules_of(["ab", "ab", "a", "a", "b", "c", "c", "c"]).loc["a>b"]

    assert rule["support"] == pytest.approx(2 / 8)
    assert rule["confidence"] == pytest.approx(1 / 2)
    assert rule["lift"] == pytest.approx((1 / 2) / (3 / 8))
    assert rule["leverage"] == pytest.approx(2 / 8 - 4 / 8 * 3 / 8)
    assert rule["conviction"] == pytest.approx((1 - 3 / 8) / (1 - 1 / 2))
    assert (rule["baskets"], rule["antecedent_baskets"], rule["consequent_baskets"]) == (2, 4, 3)


def test_a_rule_without_exception_has_infinite_conviction():
    assert math.isinf(rules_of(["ab", "b", "c"]).loc["a>b", "conviction"])


def test_every_rule_has_one_consequent():
    rules = rules_of(["abc", "abc", "d"])

    assert set(rules.index) == {"a>b", "b>a", "a>c", "c>a", "b>c", "c>b", "ab>c", "ac>b", "bc>a"}


def test_itemsets_of_one_thing_give_no_rule():
    assert rules_of(["a", "b"]).empty
    assert rules_of([]).empty
