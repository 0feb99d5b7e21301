from itertools import pairwise

import pandas as pd

from cx_assets.rules.baskets import category_baskets, item_baskets
from cx_assets_tests.rules.shop import basket_matrix, purchases


def held(baskets):
    return ["".join(baskets.things[baskets.matrix.indices[a:b]]) for a, b in pairwise(baskets.matrix.indptr)]


def test_a_basket_holds_what_was_purchased_in_it_and_belongs_to_its_customer(tables):
    events = tables(purchases({"b2": ("ann", "ca"), "b1": ("bob", "a"), "b3": ("ann", "b")}))

    baskets = item_baskets(events)

    assert held(baskets) == ["ac", "b", "a"]
    assert baskets.customers.tolist() == [0, 0, 1]


def test_baskets_of_two_customers_are_two_even_under_the_same_id(tables):
    events = pd.concat([purchases({"1": ("ann", "a")}), purchases({"1": ("bob", "b")})])

    baskets = item_baskets(tables(events))

    assert held(baskets) == ["a", "b"]
    assert baskets.customers.tolist() == [0, 1]


def test_an_item_on_two_lines_of_a_basket_is_held_once(tables):
    baskets = item_baskets(tables(purchases({"b1": ("ann", "aab")})))

    assert baskets.matrix.nnz == 2
    assert baskets.matrix.dtype == bool


def test_views_make_no_basket_unless_the_dataset_says_so(tables):
    events = purchases({"b1": ("ann", "a")})
    viewed = purchases({"b9": ("bob", "z")}).assign(event_type="view")
    both = tables(pd.concat([events, viewed]))

    assert held(item_baskets(both)) == ["a"]
    assert held(item_baskets(both, ["purchase", "view"])) == ["a", "z"]


def test_no_purchases_give_no_baskets(tables):
    baskets = item_baskets(tables(purchases({"b1": ("ann", "a")}).assign(event_type="view")))

    assert baskets.matrix.shape == (0, 0)
    assert len(baskets.things) == len(baskets.customers) == 0


def test_a_basket_holds_a_category_if_it_holds_any_item_of_it(tables):
    by_item = basket_matrix(["ab", "c", "d", "ad"])
    items = pd.DataFrame({"item_id": list("abcd"), "category": ["X", "X", "Y", "unknown"]})

    by_category = category_baskets(by_item, tables(items))

    assert held(by_category) == ["X", "Y", "", "X"]
    assert by_category.customers.tolist() == by_item.customers.tolist()


def test_an_item_that_the_catalogue_does_not_know_is_in_no_category(tables):
    items = tables(pd.DataFrame({"item_id": ["a"], "category": ["X"]}))

    assert held(category_baskets(basket_matrix(["az"]), items)) == ["X"]
