"""Popular, similar and bought-together items, on a few literal rows."""

import pandas as pd
import pytest

from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.recommendations.popular_items import popular_items
from cx_assets.recommendations.related_items import bought_together, similar_items
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of, items_of


@pytest.fixture
def interactions(tables):
    return fold_interactions(tables(events_of(SHOP)), as_of=AS_OF, weights=EventWeights())


def neighbours(tables, method, *rows):
    frame = pd.DataFrame(rows, columns=["item_id", "neighbour_id", "similarity"])
    return tables(frame.assign(method=method))


def test_popular_items_are_counted_per_segment_and_for_all(tables, interactions):
    segments = pd.DataFrame(
        {"customer_id": ["A", "B", "C", "D"], "segment_id": [1, 1, 2, -1], "segment": ["p", "p", "q", "no history"]}
    )
    found = popular_items(interactions, tables(items_of("wxyz", hidden="y")), tables(segments)).df()
    assert found[["segment", "rank", "item_id", "customers", "events"]].to_numpy().tolist() == [
        # z and x have two customers each, x more events.
        ["all", 1, "x", 2, 4],
        ["all", 2, "z", 2, 3],
        ["all", 3, "w", 1, 1],
        ["p", 1, "x", 2, 4],
        ["p", 2, "z", 1, 2],
        ["q", 1, "w", 1, 1],
        ["q", 2, "z", 1, 1],
    ]
    assert found["score"].round(4).tolist() == [0.6667, 0.6667, 0.3333, 1.0, 0.5, 1.0, 1.0]


def test_no_more_popular_items_than_asked(tables, interactions):
    segments = pd.DataFrame({"customer_id": ["A"], "segment_id": [1], "segment": ["p"]})
    found = popular_items(interactions, tables(items_of("wxyz")), tables(segments), top=1).df()
    assert found[["segment", "item_id"]].to_numpy().tolist() == [["all", "x"], ["p", "x"]]


def test_similar_items_come_by_customers_first_and_are_filled_by_content(tables):
    rows = [(f"c{c}", item, "2024-01-01") for c in range(5) for item in "xy"] + [("c0", "z", "2024-01-01")]
    interactions = fold_interactions(tables(events_of(rows)), as_of=AS_OF, weights=EventWeights())
    cosine = neighbours(tables, "cosine", ("x", "y", 0.5), ("x", "z", 0.9), ("z", "x", 0.9))
    content = neighbours(tables, "content", ("x", "y", 1.0), ("x", "w", 0.8), ("z", "v", 0.7), ("z", "w", 0.7))
    items = tables(items_of("vwxyz"))
    found = similar_items(cosine, content, interactions, items).df()
    # z has one customer, too few to be a neighbour by customers or to have any.
    assert found[["item_id", "rank", "similar_item_id", "method", "customers"]].to_numpy().tolist() == [
        ["x", 1, "y", "cosine", 5],
        ["x", 2, "w", "content", 0],
        ["z", 1, "v", "content", 0],
        ["z", 2, "w", "content", 0],
    ]


def test_a_similar_item_that_may_not_be_recommended_gives_its_place_to_the_next(tables, interactions):
    content = neighbours(tables, "content", ("x", "y", 1.0), ("x", "w", 0.8))
    empty = neighbours(tables, "pearson", ("x", "y", 0.1))
    found = similar_items(empty, content, interactions, tables(items_of("wxyz", hidden="y")), top=1).df()
    assert found[["item_id", "rank", "similar_item_id"]].to_numpy().tolist() == [["x", 1, "w"]]


def test_bought_together_takes_rules_between_single_items_by_lift(tables, interactions):
    rules = pd.DataFrame(
        [
            ("item", ["x"], ["y"], 0.5, 2.0),
            ("item", ["x"], ["z"], 0.2, 3.0),
            ("item", ["x"], ["w"], 0.9, 9.0),
            ("item", ["x", "y"], ["z"], 0.9, 9.0),
            ("category", ["x"], ["y"], 0.9, 9.0),
        ],
        columns=["level", "antecedent", "consequent", "confidence", "lift"],
    ).assign(baskets=7, customers=5)
    found = bought_together(tables(rules), tables(items_of("wxyz", hidden="w")), interactions).df()
    assert found[["item_id", "rank", "other_item_id", "lift"]].to_numpy().tolist() == [
        ["x", 1, "z", 3.0],
        ["x", 2, "y", 2.0],
    ]
