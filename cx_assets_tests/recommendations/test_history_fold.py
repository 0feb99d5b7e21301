"""Folding events into the long form: one entry per customer, item, day and basket, counted from the as-of date."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from cx_assets.recommendations.history import History, by_pair, fold_history
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of

CUSTOMERS, ITEMS = (np.array(list(ids), dtype=object) for ids in ("ABC", "wxyz"))


def folded(tables, events, as_of=AS_OF, customers=CUSTOMERS, items=ITEMS):
    frame = events if isinstance(events, pd.DataFrame) else events_of(events)
    return fold_history(tables(frame), as_of, customers, items)


def entries(history):
    """Customer, item, age in days and baskets ago of every entry, in order."""
    return [
        (CUSTOMERS[customer], ITEMS[item], float(age), int(ago))
        for customer, item, age, ago in zip(
            history.customer, history.item, history.age_days, history.baskets_ago, strict=True
        )
    ]


def test_entries_are_ordered_by_customer_and_item_from_the_oldest_to_the_newest(tables):
    # As of January 11th the 1st is 10 days ago and the 10th is 1; every day is a basket of its own.
    assert entries(folded(tables, SHOP)) == [
        ("A", "x", 10, 4),
        ("A", "x", 9, 3),
        ("A", "x", 8, 2),
        ("A", "y", 1, 1),
        ("B", "x", 10, 2),
        ("B", "y", 10, 2),
        ("B", "z", 10, 2),
        ("B", "z", 2, 1),
        ("C", "w", 5, 1),
        ("C", "z", 6, 2),
    ]


def test_the_order_of_events_changes_nothing(tables):
    one, other = folded(tables, SHOP), folded(tables, SHOP[::-1])
    for name in History.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_everything_has_its_declared_type(tables):
    history = folded(tables, SHOP)
    whole = ("customer", "item", "baskets_ago", "store")
    for name in History.__dataclass_fields__:
        assert getattr(history, name).dtype == (np.int32 if name in whole else np.float32)


def test_events_at_or_after_the_as_of_date_are_left_out_and_make_no_basket(tables):
    later = [("A", "w", "2024-01-11"), ("B", "w", "2024-02-01"), ("C", "z", "2024-01-12")]
    assert entries(folded(tables, [*SHOP, *later])) == entries(folded(tables, SHOP))


def test_an_event_at_the_very_instant_is_left_out_and_the_one_just_before_is_a_day_old(tables):
    events = events_of([("A", "x", "2024-01-10"), ("A", "y", "2024-01-11")])
    moments = ["2024-01-10 23:59:59.999999", "2024-01-11 00:00:00"]
    events["occurred_at"] = pd.to_datetime(moments, format="ISO8601").astype("datetime64[us]")
    assert entries(folded(tables, events)) == [("A", "x", 1, 1)]


def test_another_as_of_date_counts_days_and_baskets_from_there(tables):
    # As of the 3rd of January A has two baskets, a day and two days old.
    history = folded(tables, SHOP, as_of=datetime(2024, 1, 3))
    assert entries(history)[:2] == [("A", "x", 2, 2), ("A", "x", 1, 1)]


def test_events_of_one_basket_are_one_entry_and_of_two_baskets_of_a_day_are_two(tables):
    events = events_of([("A", "x", "2024-01-05")] * 3)
    events["basket_id"] = ["morning", "morning", "noon"]
    events["occurred_at"] += pd.to_timedelta([0, 1, 2], unit="h").astype("timedelta64[us]")
    history = folded(tables, events)
    # The newest last, though both are of the same day.
    assert entries(history) == [("A", "x", 6, 2), ("A", "x", 6, 1)]
    assert history.events.tolist() == [2, 1]


def test_baskets_of_the_same_instant_are_ordered_by_id(tables):
    events = events_of([("A", "x", "2024-01-05"), ("A", "y", "2024-01-05")])
    events["basket_id"] = ["b", "a"]
    # Descending, so that "b" is the last.
    assert entries(folded(tables, events)) == [("A", "x", 6, 1), ("A", "y", 6, 2)]


def test_a_basket_across_midnight_is_one_basket_of_two_entries(tables):
    events = events_of([("A", "x", "2024-01-05"), ("A", "x", "2024-01-06"), ("A", "y", "2024-01-07")])
    events["basket_id"] = ["night", "night", "next"]
    assert entries(folded(tables, events)) == [("A", "x", 6, 2), ("A", "x", 5, 2), ("A", "y", 4, 1)]


def test_the_same_basket_id_of_two_customers_is_two_baskets(tables):
    events = events_of([("A", "x", "2024-01-05"), ("B", "x", "2024-01-06"), ("B", "y", "2024-01-07")])
    events["basket_id"] = ["one", "one", "two"]
    assert entries(folded(tables, events)) == [("A", "x", 6, 1), ("B", "x", 5, 2), ("B", "y", 4, 1)]


def test_every_event_is_counted_and_quantity_and_value_are_summed_over_purchases_only(tables):
    events = events_of([("A", "x", "2024-01-05", kind) for kind in ("view", "cart", "purchase", "purchase", "rating")])
    events = events.assign(quantity=[9.0, 9.0, 2.0, 3.0, 9.0], value=[7.0, 7.0, 0.1, 0.2, 7.0])
    history = folded(tables, events)
    assert (history.events.tolist(), history.purchases.tolist()) == ([5], [2])
    assert history.quantity.tolist() == [5]
    # Summed as decimals: 0.1 + 0.2 is 0.3.
    assert history.value.tolist() == [np.float32(0.3)]


def test_without_a_purchase_quantity_and_value_are_zero(tables):
    history = folded(tables, [("A", "x", "2024-01-05", "view")])
    figures = [values.tolist() for values in (history.events, history.purchases, history.quantity, history.value)]
    assert figures == [[1], [0], [0], [0]]


def test_a_basket_of_items_that_are_not_asked_for_counts_all_the_same(tables):
    history = folded(tables, SHOP, items=np.array(["x"], dtype=object))
    # A's last basket is of y alone.
    own = history.customer == 0
    assert history.baskets_ago[own].tolist() == [4, 3, 2]


def test_events_of_other_customers_are_left_out(tables):
    history = folded(tables, SHOP, customers=np.array(["A", "C"], dtype=object))
    # C is at the second place now.
    assert np.bincount(history.customer).tolist() == [4, 2]


def test_no_events_give_no_entries(tables):
    history = folded(tables, SHOP, as_of=datetime(2023, 1, 1))
    assert len(history.customer) == len(history.value) == 0


@pytest.mark.parametrize("kept", [np.array([0, 3]), np.isin(np.arange(10), [0, 3])], ids=["positions", "flags"])
def test_chosen_entries_keep_their_order_and_all_their_figures(tables, kept):
    history = folded(tables, events_of(SHOP).assign(value=np.arange(10.0)))
    some = history.chosen(kept)
    assert entries(some) == [("A", "x", 10, 4), ("A", "y", 1, 1)]
    assert some.value.tolist() == [0, 3]


def test_sums_per_pair_leave_out_what_adds_up_to_nothing():
    customer, item = np.array([0, 0, 1, 1]), np.array([2, 2, 0, 1])
    found = by_pair(customer, item, np.array([1.5, 2.5, 1.0, 0.0]), (2, 3))
    assert found.toarray().tolist() == [[0, 0, 4], [1, 0, 0]]
    assert (found.nnz, found.dtype, found.has_sorted_indices) == (2, np.float32, 1)


def test_sums_per_pair_are_taken_in_double_precision():
    # In float32, 2^24 + 1 is 2^24 again, and so is that plus 1.
    ones = np.array([2.0**24, 1, 1], dtype=np.float32)
    nothing = np.zeros(3, dtype=np.int32)
    assert by_pair(nothing, nothing, ones, (1, 1))[0, 0] == 2.0**24 + 2
