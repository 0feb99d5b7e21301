"""What the metrics of lists are given from the warehouse, and the rows that they make."""

from datetime import datetime
from math import log

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cx_assets.evaluation.beyond_accuracy import BEYOND_METRICS, LIST_METRICS
from cx_assets.evaluation.figures import METRIC_COLUMNS, JudgedLists
from cx_assets.evaluation.judging import ROWS
from cx_assets.evaluation.list_context import ListContext, attribute_codes, list_context
from cx_assets.evaluation.metrics import ACCURACY_METRICS
from cx_assets.evaluation.split import Window, truth, truth_of_list
from cx_assets_tests.evaluation.list_samples import (
    AFTER,
    AS_OF,
    BEFORE,
    ITEMS,
    LATER,
    SHOWN,
    WINDOW,
    Tables,
    by_item,
    events_of,
    judged_of,
    rows_of,
    value,
)
from cx_assets_tests.evaluation.samples import shop_events, shop_items


@pytest.fixture
def context(tables: Tables) -> ListContext:
    return list_context(tables(events_of(BEFORE + AFTER + LATER)), tables(ITEMS), WINDOW, judged_of(SHOWN))


def test_popularity_is_distinct_customers_before_the_as_of_date(context: ListContext) -> None:
    assert by_item(context.popularity) == {"bread": 2, "milk": 1, "tea": 0}
    assert context.catalogue == 4


def test_the_order_by_popularity_is_of_recommendable_items_and_equals_stand_by_id(context: ListContext) -> None:
    # fuel is the most popular and not recommendable; rolls, which nobody is shown, stand before tea.
    assert by_item(context.place) == {"bread": 0, "milk": 1, "tea": 3}


def test_own_popularity_is_the_mean_over_different_items_whether_recommendable_or_not(context: ListContext) -> None:
    # a had bread (2), milk (1) and fuel (3); b bread (2) and fuel (3)
    assert context.customers["both"].own_popularity.tolist() == [2.0, 2.5]


def test_habits_are_shares_of_events_before_the_as_of_date(context: ListContext) -> None:
    # Columns: bakery, dairy, drinks, fuel. Of a's 5 events 3 are of bread.
    assert context.customers["both"].usual.toarray() == pytest.approx(np.array([[0.6, 0.2, 0, 0.2], [0.5, 0, 0, 0.5]]))
    assert by_item(context.category) == {"bread": 0, "milk": 1, "tea": 2}


def test_what_was_paid_is_of_the_horizon_only(context: ListContext) -> None:
    own = context.customers["both"]
    numbers = {item: number for number, item in enumerate(judged_of(SHOWN).items)}
    assert own.paid[0, numbers["tea"]] == 4 + 1
    assert own.paid[0, numbers["milk"]] == 2
    assert own.paid[0, numbers["bread"]] == 0
    assert own.total.tolist() == [5 + 2 + 3, 6]


@pytest.mark.parametrize(("which", "total"), [("repeat", 2), ("discovery", 5 + 3)])
def test_a_repeat_list_could_find_only_what_was_paid_for_repeats(tables: Tables, which: str, total: float) -> None:
    judged = judged_of(SHOWN, which=which)
    context = list_context(tables(events_of(BEFORE + AFTER)), tables(ITEMS), WINDOW, judged)
    assert context.customers[which].total[0] == total


def test_in_a_dataset_without_purchases_every_event_has_its_value(tables: Tables) -> None:
    events = events_of(BEFORE + AFTER, event_type="view")
    context = list_context(tables(events), tables(ITEMS), WINDOW, judged_of(SHOWN))
    assert context.customers["both"].total.tolist() == [10, 6]


def test_views_beside_purchases_are_worth_nothing(tables: Tables) -> None:
    events = pd.concat([events_of(BEFORE + AFTER), events_of([("2024-03-02", "a", "milk", 9)], event_type="view")])
    context = list_context(tables(events), tables(ITEMS), WINDOW, judged_of(SHOWN))
    assert context.customers["both"].total.tolist() == [10, 6]


def test_nothing_at_or_after_the_as_of_date_is_known_but_what_was_paid(tables: Tables, context: ListContext) -> None:
    other = [("2024-03-01", "a", "fuel", 7.0), ("2024-03-02", "b", "tea", 8.0), ("2024-03-02", "d", "bread", 8.0)]
    changed = list_context(tables(events_of(BEFORE + other)), tables(ITEMS), WINDOW, judged_of(SHOWN))
    assert changed.popularity.tolist() == context.popularity.tolist()
    assert changed.place.tolist() == context.place.tolist()
    own, before = changed.customers["both"], context.customers["both"]
    assert own.own_popularity.tolist() == before.own_popularity.tolist()
    assert own.usual.toarray().tolist() == before.usual.toarray().tolist()
    assert own.total.tolist() == [0, 8]


def test_a_context_of_another_window_is_refused(tables: Tables) -> None:
    with pytest.raises(ValueError, match="context of 28 days"):
        list_context(tables(events_of(BEFORE)), tables(ITEMS), Window(AS_OF, 28), judged_of(SHOWN))


def test_an_item_that_is_shown_and_not_in_the_catalogue_is_refused(tables: Tables) -> None:
    judged = judged_of([("odd", "a", ["soap"], [False])])
    with pytest.raises(ValueError, match="'soap' is shown and not there"):
        list_context(tables(events_of(BEFORE)), tables(ITEMS), WINDOW, judged)


def test_attributes_are_the_category_and_the_declared_ones_but_no_numbers_and_nothing_unknown() -> None:
    items = pd.DataFrame(
        {
            "item_id": ["i", "j", "k"],
            "name": ["same", "same", "same"],
            "category": ["bakery", "unknown", "bakery"],
            "brand": ["own", "own", "own"],
            "brand_imputed": [False, False, True],
            "organic": [True, False, True],
            "organic_imputed": False,
            "price": [1.0, 1.0, 1.0],
            "price_imputed": False,
        }
    )
    category, brand, organic = attribute_codes(items).T.tolist()
    assert category == [0, -1, 0]
    assert brand == [0, 0, -1]
    assert organic == [0, 1, 0]


def test_every_figure_of_a_tiny_shop_is_as_worked_out_by_hand(context: ListContext) -> None:
    frame = rows_of(judged_of(SHOWN), context)
    # Both are shown bread and milk, of 4 items: 0, 0, 2 and 2 times, (1 * 2 + 3 * 2) / (3 * 4).
    assert value(frame, "popular", "gini", 2) == pytest.approx(8 / 12)
    assert value(frame, "popular", "personalisation", 2) == 0
    # Bread and milk have the brand in common and not the category.
    assert value(frame, "popular", "diversity", 2) == 0.5
    # Both hits are milk, the second most popular item; shy's hit is tea, in the first of two places.
    assert value(frame, "popular", "serendipity", 2) == 0
    assert value(frame, "shy", "serendipity", 2) == 1 / 2
    # Shown: (2 + 1) / 2; own: 2 and 2.5.
    assert value(frame, "popular", "popularity_lift", 2) == pytest.approx((1.5 / 2 - 1 + 1.5 / 2.5 - 1) / 2)
    assert value(frame, "shy", "popularity_lift", 2) == -1
    # a finds milk (2 of 10), b milk (6 of 6); shy finds tea (5 of 10) for a, and nothing for b.
    assert value(frame, "popular", "revenue_recall", 1) == 0
    assert value(frame, "popular", "revenue_recall", 2) == pytest.approx((2 / 10 + 6 / 6) / 2)
    assert value(frame, "shy", "revenue_recall", 2) == pytest.approx((5 / 10 + 0) / 2)


def test_the_more_places_count_the_more_items_are_popular(tables: Tables) -> None:
    judged = judged_of([("two", "a", ["milk", "tea"], [True, True])])
    context = list_context(tables(events_of(BEFORE + AFTER)), tables(ITEMS), WINDOW, judged)
    frame = rows_of(judged, context)
    # Milk is second: not the most popular item, but one of the two most popular ones.
    assert value(frame, "two", "serendipity", 1) == 1
    assert value(frame, "two", "serendipity", 2) == 1 / 2


def test_the_calibration_of_a_tiny_shop_is_as_worked_out_by_hand(context: ListContext) -> None:
    def term(p: float, q: float) -> float:
        return p * log(p / (0.99 * q + 0.01 * p))

    # The list is half bakery, half dairy; a takes 0.6, 0.2 and 0.2 of fuel, b 0.5 of bakery and 0.5 of fuel.
    a = term(0.6, 0.5) + term(0.2, 0.5) + term(0.2, 0)
    b = term(0.5, 0.5) + term(0.5, 0)
    assert value(rows_of(judged_of(SHOWN), context), "popular", "calibration", 2) == pytest.approx((a + b) / 2)
    assert value(rows_of(judged_of(SHOWN), context), "shy", "calibration", 2) == pytest.approx(log(100))


def test_customers_are_those_who_have_a_figure(context: ListContext) -> None:
    shy = rows_of(judged_of(SHOWN), context).query("recommender == 'shy' and k == 2").set_index("metric")["customers"]
    # Only a is shown something, and one item, so there is no diversity, and nobody to differ from.
    assert shy.to_dict() == {
        "gini": 2, "serendipity": 1, "popularity_lift": 1, "calibration": 1, "revenue_recall": 2,
    }  # fmt: skip


def test_who_shows_nothing_has_found_no_revenue_and_nothing_else(context: ListContext) -> None:
    silent = rows_of(judged_of(SHOWN), context).query("recommender == 'silent'")
    assert set(silent["metric"]) == {"revenue_recall"}
    assert (silent["value"] == 0).all()


def test_only_silence_has_rows_too(tables: Tables) -> None:
    judged = judged_of(SHOWN[4:])
    context = list_context(tables(events_of(BEFORE + AFTER)), tables(ITEMS), WINDOW, judged)
    assert set(rows_of(judged, context)["metric"]) == {"revenue_recall"}


def test_one_customer_has_figures_but_nobody_to_differ_from(tables: Tables) -> None:
    judged = judged_of(SHOWN[:1])
    context = list_context(tables(events_of(BEFORE + AFTER)), tables(ITEMS), WINDOW, judged)
    frame = rows_of(judged, context, (2,))
    assert frame["metric"].tolist() == [metric for metric in LIST_METRICS if metric != "personalisation"]
    assert frame["ci_low"].to_numpy() == pytest.approx(frame["value"].to_numpy())
    assert frame["ci_high"].to_numpy() == pytest.approx(frame["value"].to_numpy())


def test_without_lists_there_are_no_rows(tables: Tables) -> None:
    judged = judged_of([])
    context = list_context(tables(events_of(BEFORE)), tables(ITEMS), WINDOW, judged)
    frame = rows_of(judged, context)
    assert frame.empty
    assert frame.columns.tolist() == METRIC_COLUMNS


def test_a_list_length_beyond_the_lists_is_refused(context: ListContext) -> None:
    with pytest.raises(ValueError, match=r"within 1 and 2, .* got \[3\]"):
        rows_of(judged_of(SHOWN), context, (1, 3))


def sample(tables: Tables) -> tuple[JudgedLists, ListContext]:
    """Three recommenders who show customers of the sample shop items at random, judged on the last 20 days."""
    events, items = tables(shop_events()), tables(shop_items())
    window = Window(datetime(2024, 3, 1), 20)
    pairs = truth(events, items, window)
    random = np.random.default_rng(0)
    rows = []
    for which in ("repeat", "discovery", "both"):
        wanted = truth_of_list(pairs, which).groupby("customer_id")["item_id"].agg(set)
        for name in ("one", "three", "two"):
            for customer, relevant in wanted.items():
                shown = [f"i{i:02d}" for i in random.permutation(24)[: random.integers(0, 6)]]
                hit = [item in relevant for item in shown]
                rows.append((name, which, customer, len(relevant), shown, hit, window.as_of, window.horizon_days))
    listed = [dict(zip(ROWS.names, row, strict=True)) for row in rows]
    judged = JudgedLists.from_arrow(pa.Table.from_pylist(listed, schema=ROWS), 5)
    return judged, list_context(events, items, window, judged)


def test_every_metric_has_one_row_per_recommender_list_and_k_and_its_interval_holds_it(tables: Tables) -> None:
    frame = rows_of(*sample(tables), (2, 5))
    assert frame.columns.tolist() == METRIC_COLUMNS
    assert not frame.duplicated(["recommender", "list", "metric", "k"]).any()
    assert len(frame) == 3 * 3 * 2 * len(LIST_METRICS)
    assert (frame["ci_low"] <= frame["value"] + 1e-12).all()
    assert (frame["value"] <= frame["ci_high"] + 1e-12).all()
    assert (frame["customers"] > 0).all()
    within = frame[~frame["metric"].isin(["popularity_lift", "calibration"])]
    assert (within[["value", "ci_low", "ci_high"]].to_numpy() >= 0).all()
    assert (within[["value", "ci_low", "ci_high"]].to_numpy() <= 1).all()


def test_the_hits_of_a_list_and_nothing_else_in_it_were_paid_for(tables: Tables) -> None:
    judged, context = sample(tables)
    for one in judged.lists:
        own = context.customers[one.which]
        assert (own.total >= 2 * one.relevant).all()
        rows, places = np.nonzero(one.hit)
        assert (np.asarray(own.paid[rows, one.shown[rows, places]]) > 0).all()
        rows, places = np.nonzero(~one.hit & (one.shown >= 0))
        assert (np.asarray(own.paid[rows, one.shown[rows, places]]) == 0).all()


def test_the_same_seed_gives_the_same_rows(tables: Tables) -> None:
    judged, context = sample(tables)
    pd.testing.assert_frame_equal(rows_of(judged, context), rows_of(judged, context))


def test_no_metric_of_lists_has_the_name_of_another_metric() -> None:
    names = (*ACCURACY_METRICS, *BEYOND_METRICS, *LIST_METRICS)
    assert len(set(names)) == len(names)
