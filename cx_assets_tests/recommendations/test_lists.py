"""The published lists: complete for everyone, whatever is known of them."""

import numpy as np
import pandas as pd
import pytest

from cx_assets.recommendations.lists import published_lists
from cx_assets.recommendations.ranker import Ranker
from cx_assets_tests.recommendations.samples import SHOP, items_of, trained

NOTHING_POPULAR = pd.DataFrame({"segment": [], "rank": [], "item_id": [], "customers": []})
POPULAR = pd.DataFrame(
    {"segment": ["all", "all", "loyal"], "rank": [1, 2, 1], "item_id": ["x", "z", "w"], "customers": [2, 2, 1]}
)


def lists_of(training, popular=NOTHING_POPULAR, segments=None, places=20):
    """Ten days teach the ranker nothing, so that the blend ranks."""
    made = published_lists(training, Ranker().fit(training), popular, segments or {}, places=places)
    return made.rows.to_pandas()


def items_in(lists, customer, which):
    return lists.query("customer_id == @customer and list == @which")["item_id"].tolist()


def test_both_lists_together_hold_the_whole_small_catalogue_once(tables):
    lists = lists_of(trained(tables))
    for customer in "ABC":
        both = items_in(lists, customer, "repeat") + items_in(lists, customer, "discovery")
        assert sorted(both) == list("wxyz")
    assert items_in(lists, "A", "repeat") == ["x", "y"]


def test_a_customer_without_history_gets_their_segment_then_everyone_then_the_catalogue(tables):
    training = trained(tables, customers=np.array(["new"], dtype=object))
    lists = lists_of(training, POPULAR, {"new": "loyal"}).query("customer_id == 'new' and list == 'discovery'")
    assert lists["item_id"].tolist() == ["w", "x", "z", "y"]
    assert lists["recommender"].tolist() == ["segment_popularity", "popularity", "popularity", "catalogue"]
    assert lists["reason"].tolist()[:2] == ["popular in segment loyal", "popular: 2 customers have had it"]
    assert lists["score"].tolist() == [0.0] * 4


def test_filled_places_follow_those_of_the_blend(tables):
    training = trained(tables, items=items_of("uvwxyz"))
    lists = lists_of(training, POPULAR).query("customer_id == 'C' and list == 'discovery'")
    assert lists["item_id"].tolist()[2:] == ["u", "v"]
    assert lists["recommender"].tolist() == [*["blend_1_to_2_baskets"] * 2, "catalogue", "catalogue"]
    assert lists["rank"].tolist() == [1, 2, 3, 4]
    assert lists["score"].is_monotonic_decreasing


def test_a_customer_who_has_had_everything_has_no_discovery_list(tables):
    lists = lists_of(trained(tables, [("A", i, "2024-01-01") for i in "wxyz"]), POPULAR)
    assert items_in(lists, "A", "discovery") == []
    assert items_in(lists, "A", "repeat") == list("wxyz")


def test_what_is_not_recommendable_fills_no_list(tables):
    training = trained(tables, items=items_of("wxyz", hidden="xz"), customers=np.array(["new"], dtype=object))
    lists = lists_of(training, POPULAR)
    assert set(lists["item_id"]) == {"w", "y"}


def test_lists_are_no_longer_than_asked(tables):
    lists = lists_of(trained(tables), places=1)
    assert lists.groupby(["customer_id", "list"]).size().tolist() == [1] * 9


def test_an_item_that_everyone_has_is_in_no_discovery_list(tables):
    lists = lists_of(trained(tables, [*SHOP, ("C", "x", "2024-01-01")]))
    assert "x" not in set(lists.query("list == 'discovery'")["item_id"])


def test_every_place_has_a_reason(tables):
    rules = pd.DataFrame({"antecedent": [["y"]], "consequent": [["z"]], "confidence": [0.3], "lift": [1.5]})
    lists = lists_of(trained(tables, rules=rules, items=items_of("uvwxyz")), POPULAR)
    assert (lists["reason"].str.len() > 0).all()
    assert lists.query("list == 'repeat'")["reason"].str.startswith("bought 3 times").sum() == 1


def test_one_customer_with_one_item_has_a_list_of_it(tables):
    lists = lists_of(trained(tables, [("A", "x", "2024-01-01")], items=items_of("x")))
    assert lists[["list", "item_id"]].to_numpy().tolist() == [["both", "x"], ["repeat", "x"]]


@pytest.mark.parametrize("seed", range(3))
def test_lists_are_indifferent_to_the_order_of_the_rows(tables, seed):
    random = np.random.default_rng(seed)
    rows = [
        (f"c{random.integers(8)}", f"i{random.integers(40):02d}", f"2024-01-0{random.integers(1, 9)}")
        for _ in range(200)
    ]
    items = items_of([f"i{i:02d}" for i in range(40)])
    shuffled = [rows[i] for i in random.permutation(len(rows))]
    first = lists_of(trained(tables, rows, items=items))
    second = lists_of(trained(tables, shuffled, items=items.sample(frac=1, random_state=seed)))
    pd.testing.assert_frame_equal(first, second)
