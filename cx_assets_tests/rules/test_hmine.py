from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.frequent_patterns import apriori, fpgrowth

from cx_assets.rules.hmine import frequent_sets, in_frequent_pairs
from cx_assets_tests.rules.shop import basket_matrix

some_baskets = st.lists(st.sets(st.sampled_from("abcdef")).map(sorted).map("".join), min_size=1, max_size=25)


def found(baskets, min_baskets, max_size, **options):
    by_thing = basket_matrix(baskets)
    return {
        "".join(by_thing.things[row])
        for sets in frequent_sets(by_thing.matrix, min_baskets, max_size, **options)
        for row in sets
    }


def test_a_set_is_frequent_when_enough_baskets_hold_all_of_it():
    assert found(["abc", "ab", "ac", "b"], 2, 3) == {"a", "b", "c", "ab", "ac"}


def test_no_set_has_more_things_than_asked_for():
    assert found(["abc", "abc"], 2, 2) == {"a", "b", "c", "ab", "ac", "bc"}
    assert found(["abc", "abc"], 2, 1) == {"a", "b", "c"}


@given(some_baskets, st.integers(1, 4), st.integers(1, 4))
def test_it_finds_what_counting_every_combination_finds(baskets, min_baskets, max_size):
    things = sorted(set("".join(baskets)))
    counted = {
        "".join(chosen)
        for size in range(1, max_size + 1)
        for chosen in combinations(things, size)
        if sum(set(chosen) <= set(basket) for basket in baskets) >= min_baskets
    }

    assert found(baskets, min_baskets, max_size) == counted


@pytest.mark.parametrize("other", [fpgrowth, apriori])
def test_it_finds_what_fp_growth_and_apriori_find(other):
    dice = np.random.default_rng(7)
    common = dice.random(12) * 0.6
    held = dice.random((400, 12)) < common
    names = np.array(list("abcdefghijkl"))
    baskets = ["".join(names[row]) for row in held]
    frame = pd.DataFrame(held, columns=names)

    theirs = other(frame, min_support=20 / 400, max_len=3, use_colnames=True)["itemsets"]

    assert found(baskets, 20, 3) == {"".join(sorted(itemset)) for itemset in theirs}


def test_a_frame_too_large_to_be_dense_is_mined_sparse_with_the_same_result():
    baskets = ["abcd", "abd", "bcd", "ad", "cd"] * 3

    assert found(baskets, 4, 4, dense_cells=0) == found(baskets, 4, 4)


def test_sets_are_in_order_and_things_within_them_too():
    one, two, three = frequent_sets(basket_matrix(["abc", "cba", "acb"]).matrix, 2, 3)

    assert one.tolist() == [[0], [1], [2]]
    assert two.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert three.tolist() == [[0, 1, 2]]


def test_things_that_no_frequent_pair_holds_are_set_aside():
    matrix = basket_matrix(["abc", "ab", "c", "c"]).matrix

    assert in_frequent_pairs(matrix, np.array([0, 1, 2]), 2).tolist() == [0, 1]


def test_nothing_is_frequent_in_no_baskets():
    assert found([], 1, 3) == set()
    assert found([""], 1, 3) == set()


def test_a_least_number_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        found(["a"], 0, 3)
    with pytest.raises(ValueError, match="at least 1"):
        found(["a"], 1, 0)
