from cx_assets.rules.association import candidate_rules
from cx_assets.rules.mining import RuleSettings, mine_itemsets
from cx_assets.rules.redundancy import redundant
from cx_assets_tests.rules.shop import basket_matrix

ANY = RuleSettings(min_support=1, max_size=4, min_customers=1)


def redundant_rules(baskets):
    found = candidate_rules(mine_itemsets(basket_matrix(baskets), ANY), len(baskets))
    names = zip(found["antecedent"].map(sorted).map("".join), found["consequent"].map("".join), strict=True)
    verdicts = redundant(found, len(baskets))
    return {f"{a}>{c}": bool(verdict) for (a, c), verdict in zip(names, verdicts, strict=True)}


def test_a_longer_antecedent_that_gains_no_confidence_is_redundant():
    # a>c holds in 2 of 3 baskets, ab>c in 1 of 2; b>c in 1 of 3.
    verdicts = redundant_rules(["abc", "ac", "ab", "b", "", "", ""])

    assert verdicts["ab>c"]
    assert not verdicts["a>c"]


def test_a_longer_antecedent_that_gains_confidence_stays():
    # ab>c always holds, a>c and b>c in 2 of 3.
    verdicts = redundant_rules(["abc", "abc", "a", "b", "", ""])

    assert not verdicts["ab>c"]


def test_equal_confidence_is_redundant_even_where_shares_would_round_apart():
    # a>c 1 of 3, ab>c 1 of 3 of 49 baskets: (1/49)/(3/49) need not be the double nearest to 1/3.
    verdicts = redundant_rules(["abc", "ab", "ab", *["z"] * 46])

    assert verdicts["ab>c"]


def test_a_rule_that_does_no_better_than_no_antecedent_is_redundant():
    verdicts = redundant_rules(["ab", "a", "b", ""])

    assert verdicts["a>b"]
    assert verdicts["b>a"]


def test_the_best_of_all_shorter_antecedents_counts_not_only_of_the_next_shorter():
    # d follows a 26 of 31 times, ab and ac 5 of 8, bc 4 of 10, and abc 4 of 5: above those three, below a.
    with_a = ["abcd"] * 4 + ["abc"] + ["abd"] + ["ab"] * 2 + ["acd"] + ["ac"] * 2 + ["ad"] * 20
    verdicts = redundant_rules(with_a + ["bc"] * 5 + [""] * 30)

    assert not verdicts["a>d"]
    assert verdicts["abc>d"]
