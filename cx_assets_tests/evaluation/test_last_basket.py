"""The protocol of the literature: whose last basket is foreseen, from what, and which items count."""

from collections.abc import Callable

import pandas as pd
import pytest

from cx_assets.evaluation.last_basket import before_the_last_basket, last_basket_truth, usual_events
from cx_assets.evaluation.split import truth_of_list
from cx_assets.matrices.interactions import EventWeights
from cx_assets.table import Table
from cx_assets_tests.recommendations.samples import AS_OF, events_of, items_of

Tables = Callable[[pd.DataFrame], Table]

# A has four baskets, B three, C two; x is bought seven times, y three, z once, w viewed twice and bought once.
ROWS = [
    *(("A", "x", f"2024-01-0{day}") for day in (1, 3, 5, 7)),
    ("A", "y", "2024-01-07"),
    *(("B", "x", f"2024-01-0{day}") for day in (2, 4)),
    ("B", "y", "2024-01-04"),
    ("B", "y", "2024-01-06"),
    ("C", "x", "2024-01-02"),
    ("C", "z", "2024-01-08"),
    ("C", "w", "2024-01-09", "view"),
    ("A", "w", "2024-01-07", "view"),
    ("A", "w", "2024-01-07"),
]


def kept(tables: Tables, rows: list[tuple[str, ...]], baskets: int, purchases: int) -> list[tuple[str, str]]:
    found = usual_events(tables(events_of(rows)), baskets, purchases).df()
    return sorted(set(zip(found["customer_id"], found["item_id"], strict=True)))


def test_items_that_are_bought_too_seldom_are_left_out(tables: Tables) -> None:
    assert kept(tables, ROWS, 1, 3) == [("A", "x"), ("A", "y"), ("B", "x"), ("B", "y"), ("C", "x")]
    assert kept(tables, ROWS, 1, 4) == [("A", "x"), ("B", "x"), ("C", "x")]


def test_customers_with_too_few_baskets_of_what_is_left_are_left_out(tables: Tables) -> None:
    # C's second basket is of z alone, which is bought once.
    assert kept(tables, ROWS, 2, 3) == [("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")]
    assert kept(tables, ROWS, 4, 3) == [("A", "x"), ("A", "y")]


def test_views_do_not_count_where_there_are_purchases(tables: Tables) -> None:
    # Of w there are two views and one purchase.
    assert ("A", "w") not in kept(tables, ROWS, 1, 2)
    types = usual_events(tables(events_of(ROWS)), 1, 1).df()["event_type"]
    assert set(types) == {"purchase"}


def test_every_event_counts_where_nobody_ever_buys(tables: Tables) -> None:
    views = [(*row[:3], "view") for row in ROWS]
    assert ("A", "w") in kept(tables, views, 1, 3)


def past_of(tables: Tables, rows: list[tuple[str, ...]], hidden: str = "") -> pd.DataFrame:
    events = tables(events_of(rows))
    return last_basket_truth(before_the_last_basket(events, items_of("wxyz", hidden=hidden), AS_OF, EventWeights()))


def pairs(found: pd.DataFrame) -> list[tuple[str, str, bool]]:
    return sorted(zip(found["customer_id"], found["item_id"], found["had_before"], strict=True))


PURCHASES = [row for row in ROWS if len(row) == 3]


def test_the_truth_is_every_customers_own_last_basket(tables: Tables) -> None:
    # A's was on the 7th, B's on the 6th, C's on the 8th; A had no y before, C no z.
    assert pairs(past_of(tables, PURCHASES)) == [
        ("A", "w", False),
        ("A", "x", True),
        ("A", "y", False),
        ("B", "y", True),
        ("C", "z", False),
    ]


def test_who_has_one_basket_is_not_judged(tables: Tables) -> None:
    found = past_of(tables, [*PURCHASES, ("D", "x", "2024-01-05")])
    assert "D" not in set(found["customer_id"])
    assert found["has_history"].all()


def test_what_may_not_be_recommended_is_not_to_be_foreseen(tables: Tables) -> None:
    assert {item for _, item, _ in pairs(past_of(tables, PURCHASES, hidden="xw"))} == {"y", "z"}


def test_the_truth_is_split_into_repeats_and_discoveries(tables: Tables) -> None:
    found = past_of(tables, PURCHASES)
    assert pairs(truth_of_list(found, "repeat")) == [("A", "x", True), ("B", "y", True)]
    assert len(truth_of_list(found, "discovery")) == 3


def test_no_one_with_two_baskets_leaves_nothing_to_foresee(tables: Tables) -> None:
    found = past_of(tables, [("A", "x", "2024-01-01"), ("B", "y", "2024-01-02")])
    assert found.empty
    assert truth_of_list(found, "repeat").empty


@pytest.mark.parametrize("customer", ["A", "B", "C"])
def test_what_is_learnt_from_ends_before_a_customers_last_basket(tables: Tables, customer: str) -> None:
    events = tables(events_of(PURCHASES))
    past = before_the_last_basket(events, items_of("wxyz"), AS_OF, EventWeights())
    index = past.training.interactions
    own = index.customer_positions([customer])[0]
    counts = dict(zip(index.items, past.training.counts[own].toarray()[0].tolist(), strict=True))
    # A had x on three days before the 7th; B x twice and y once before the 6th; C x once before the 8th.
    expected = {"A": {"x": 3}, "B": {"x": 2, "y": 1}, "C": {"x": 1}}[customer]
    assert counts == {**dict.fromkeys("wxyz", 0), **expected}
