"""What is known of pairs, customers, items and tastes, worked out by hand on the shop of three customers."""

import numpy as np
import pytest

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.figures import Keyed, customer_figures, item_figures, pair_figures, taste_figures
from cx_assets.recommendations.recommender import build_training
from cx_assets_tests.recommendations.samples import AS_OF, SHOP, events_of, items_of, trained

# As of January 11th: A had x 10, 9 and 8 days ago and y a day ago; B had x, y and z 10 days ago, z again 2 days ago;
# C had z 6 and w 5 days ago. Every day is a basket.
ITEMS = "wxyz"


def pairs_of(training):
    return pair_figures(training.history, training.shape[1])


def pair(training, customer, item):
    """All figures of a customer and an item, by name."""
    index = training.interactions
    key = index.customer_positions([customer]) * training.shape[1] + index.item_positions([item])
    return {name: float(values[0]) for name, values in pairs_of(training).look_up(key).items()}


def customer(training, who):
    found = customer_figures(training.history, pairs_of(training), *training.shape)
    return {name: float(values[training.interactions.customer_positions([who])[0]]) for name, values in found.items()}


def item(training, what):
    found = item_figures(training.history, pairs_of(training), training.shape[1])
    return {name: float(values[training.interactions.item_positions([what])[0]]) for name, values in found.items()}


def chosen(figures, *names):
    return [figures[name] for name in names]


def priced(tables, rows, quantity, value):
    events = events_of(rows).assign(quantity=quantity, value=value)
    return build_training(tables(events), items_of(ITEMS), as_of=AS_OF, weights=EventWeights())


def test_a_pair_tells_how_often_when_first_and_when_last(tables):
    found = pair(trained(tables), "A", "x")
    assert chosen(found, "times", "first_age", "last_age") == [3, 10, 8]
    # A's baskets from the last: the 10th, the 3rd, the 2nd, the 1st.
    assert chosen(found, "first_baskets_ago", "last_baskets_ago") == [4, 2]


def test_a_pairs_gap_is_the_mean_of_the_days_between_and_its_deviation_theirs(tables):
    assert chosen(pair(trained(tables), "A", "x"), "gap", "gap_deviation") == [1, 0]
    # 10, 7 and 2 days ago: gaps of 3 and 5 days, 4 on average, each 1 off.
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-04"), ("A", "x", "2024-01-09")]
    assert chosen(pair(trained(tables, rows), "A", "x"), "gap", "gap_deviation") == [4, 1]


def test_the_gap_of_a_pair_ends_where_the_next_pair_begins(tables):
    # C's w is followed by C's z, B's y by B's z.
    training = trained(tables)
    assert np.isnan(pair(training, "B", "y")["gap"])
    assert pair(training, "B", "z")["gap"] == 8


def test_with_a_single_time_gap_and_deviation_are_not_known(tables):
    found = pair(trained(tables), "A", "y")
    assert found["times"] == 1
    assert np.isnan(chosen(found, "gap", "gap_deviation")).all()


def test_a_pair_that_never_was_has_no_figure(tables):
    assert np.isnan(list(pair(trained(tables), "A", "w").values())).all()


def test_times_fade_by_half_lives_and_by_baskets(tables):
    found = pair(trained(tables), "A", "x")
    for life in (14, 45, 120):
        assert found[f"faded_{life}"] == pytest.approx(sum(0.5 ** (age / life) for age in (10, 9, 8)), rel=1e-6)
    # Three, two and one baskets came after them.
    assert found["faded_baskets_0.7"] == pytest.approx(0.7**3 + 0.7**2 + 0.7**1, rel=1e-6)
    assert found["faded_baskets_0.9"] == pytest.approx(0.9**3 + 0.9**2 + 0.9**1, rel=1e-6)


def test_times_of_the_last_four_and_twelve_weeks_are_counted_up_to_their_last_day(tables):
    # 28, 29, 84 and 85 days before January 11th.
    days = ["2023-12-14", "2023-12-13", "2023-10-19", "2023-10-18"]
    found = pair(trained(tables, [("A", "x", day) for day in days]), "A", "x")
    assert chosen(found, "times_28", "times_84", "times") == [1, 3, 4]


def test_quantity_is_per_time_and_price_per_piece(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "x", "2024-01-03")]
    # 1 piece for 2 and 3 pieces for 4: 2 pieces a time, the last time 3, 6 / 4 a piece.
    found = pair(priced(tables, rows, [1.0, 3.0], [2.0, 4.0]), "A", "x")
    assert chosen(found, "quantity", "last_quantity", "price") == [2, 3, 1.5]


def test_what_was_only_looked_at_has_no_price(tables):
    assert np.isnan(pair(trained(tables, [("A", "x", "2024-01-01", "view")]), "A", "x")["price"])


def test_a_customer_tells_how_many_baskets_how_far_apart_and_how_large(tables):
    training = trained(tables)
    names = ("customer_baskets", "customer_gap", "customer_tenure", "customer_last_age", "customer_basket_size")
    # From 10 days ago to a day ago in three steps; four items in four baskets.
    assert chosen(customer(training, "A"), *names) == [4, 3, 10, 1, 1]
    # From 10 to 2 days ago in one step; four items in two baskets.
    assert chosen(customer(training, "B"), *names) == [2, 8, 10, 2, 2]


def test_a_customer_tells_how_much_is_had_again_and_how_much_is_new(tables):
    found = customer(trained(tables), "B")
    # Four times of three items.
    assert chosen(found, "customer_items", "customer_repeat_share") == [3, 0.25]
    # A had x first 41 days ago and again 10 days ago, and y 10 days ago: one of the two of the last four weeks is new.
    rows = [("A", "x", "2023-12-01"), ("A", "x", "2024-01-01"), ("A", "y", "2024-01-01")]
    assert customer(trained(tables, rows), "A")["customer_new_share_28"] == 0.5


def test_a_customers_baskets_are_counted_by_recency(tables):
    rows = [("A", "x", day) for day in ("2023-06-01", "2023-12-01", "2024-01-01", "2024-01-10")]
    found = customer(trained(tables, rows), "A")
    # 224, 41, 10 and 1 days ago.
    assert chosen(found, "customer_baskets_28", "customer_baskets_84", "customer_baskets") == [2, 3, 4]


def test_a_customers_price_is_that_of_a_piece(tables):
    rows = [("A", "x", "2024-01-01"), ("A", "y", "2024-01-03"), ("B", "y", "2024-01-03")]
    assert customer(priced(tables, rows, [1.0, 3.0, 1.0], [2.0, 4.0, 9.0]), "A")["customer_price"] == 1.5


def test_of_a_customer_with_one_basket_no_gap_is_known_and_of_one_without_any_nothing(tables):
    training = trained(tables, [("A", "x", "2024-01-01")], customers=np.array(["0"], dtype=object))
    assert np.isnan(customer(training, "A")["customer_gap"])
    found = customer(training, "0")
    zero = {"customer_baskets", "customer_baskets_28", "customer_baskets_84", "customer_items"}
    assert {name for name, value in found.items() if value == 0} == zero
    assert {name for name, value in found.items() if np.isnan(value)} == found.keys() - zero


def test_an_item_tells_how_many_have_it_how_often_and_how_many_come_again(tables):
    training = trained(tables)
    names = ("item_customers", "item_times", "item_repurchase")
    # A had x three times and B once.
    assert chosen(item(training, "x"), *names) == [2, 2, 0.5]
    assert chosen(item(training, "y"), *names) == [2, 1, 0]


def test_an_items_gap_is_the_mean_over_all_intervals_of_all_its_customers(tables):
    training = trained(tables)
    assert chosen(item(training, "x"), "item_gap") == [1]
    assert chosen(item(training, "z"), "item_gap") == [8]
    assert np.isnan(item(training, "y")["item_gap"])
    # A: 10, 9 and 8 days ago, so 1 and 1; B: 10 and 3 days ago, so 7; (1 + 1 + 7) / 3, not the mean of 1 and 7.
    rows = [("A", "x", f"2024-01-0{day}") for day in (1, 2, 3)] + [("B", "x", "2024-01-01"), ("B", "x", "2024-01-08")]
    assert item(trained(tables, rows), "x")["item_gap"] == 3


def test_an_items_trend_compares_its_customers_of_four_weeks_with_half_of_the_eight_before(tables):
    late, early = "2024-01-01", "2023-12-01"
    rows = [("A", "x", late), ("B", "x", late), ("B", "x", early), ("C", "x", early), ("C", "y", early)]
    training = trained(tables, rows)
    # x: A and B of late, B and C before: (2 + 1) / (2 / 2 + 1). y: nobody of late, C before: (0 + 1) / (1 / 2 + 1).
    assert item(training, "x")["item_trend"] == pytest.approx(3 / 2)
    assert item(training, "y")["item_trend"] == pytest.approx(1 / 1.5)
    assert item(training, "x")["item_customers_28"] == 2


def test_an_item_tells_when_it_was_first_and_last_had_and_how_often_this_week(tables):
    training = trained(tables)
    names = ("item_first_age", "item_last_age", "item_week")
    assert chosen(item(training, "x"), *names) == [10, 8, 0]
    assert chosen(item(training, "z"), *names) == [10, 2, 2]


def test_an_items_price_now_is_told_as_a_share_of_its_price(tables):
    rows = [("A", "x", "2023-11-01"), ("B", "x", "2024-01-01")]
    # 3 for 3 pieces and 5 for one: 8 / 4 a piece, 5 of late.
    found = item(priced(tables, rows, [3.0, 1.0], [3.0, 5.0]), "x")
    assert chosen(found, "item_price", "item_price_now") == [2, 2.5]


def test_of_an_item_that_nobody_has_had_only_that_is_known(tables):
    found = item(trained(tables, [("A", "x", "2024-01-01")]), "w")
    # Nobody of late and nobody before: (0 + 1) / (0 / 2 + 1).
    assert found.pop("item_trend") == 1
    counted = ("item_customers", "item_customers_28", "item_new_28", "item_new_7", "item_week")
    assert {name: value for name, value in found.items() if not np.isnan(value)} == dict.fromkeys(counted, 0)


def test_an_item_tells_how_many_had_it_for_the_first_time_of_late(tables):
    rows = [("A", "x", "2023-12-01"), ("A", "x", "2024-01-10"), ("B", "x", "2024-01-01"), ("C", "x", "2024-01-04")]
    # A first 41 days ago, B 10 and C 7.
    assert chosen(item(trained(tables, rows), "x"), "item_new_28", "item_new_7") == [2, 1]


def test_a_pairs_place_is_among_all_that_the_customer_has_had_the_faded_first(tables):
    training = trained(tables)
    # A: x three times 8 days ago and more against y once yesterday; B: z twice, then x and y alike, in their order.
    assert [pair(training, "A", i)["place"] for i in "xy"] == [1, 2]
    assert [pair(training, "B", i)["place"] for i in "zxy"] == [1, 2, 3]


def tastes(training, codes):
    keyed, _, size = taste_figures(training.history, pairs_of(training), np.array(codes), training.shape[0])
    return {
        (int(key) // size, int(key) % size): {name: float(values[i]) for name, values in keyed.figures.items()}
        for i, key in enumerate(keyed.keys)
    }


def test_a_taste_sums_the_items_of_a_value_and_its_share_fades(tables):
    # w and x are of value 0, y and z of value 1.
    found = tastes(trained(tables), [0, 0, 1, 1])
    of_x, of_y = sum(0.5 ** (age / 45) for age in (10, 9, 8)), 0.5 ** (1 / 45)
    assert chosen(found[0, 0], "times", "last_age", "gap") == [3, 8, 1]
    assert found[0, 0]["share"] == pytest.approx(of_x / (of_x + of_y), rel=1e-6)
    assert found[0, 1]["share"] == pytest.approx(of_y / (of_x + of_y), rel=1e-6)
    assert np.isnan(found[0, 1]["gap"])


def test_a_taste_is_due_by_its_whole_span(tables):
    # B had y and z 10 days ago and z 2 days ago: (10 - 2) / (3 - 1).
    found = tastes(trained(tables), [0, 0, 1, 1])
    assert chosen(found[1, 1], "times", "last_age", "gap") == [3, 2, 4]


def test_a_taste_tells_how_much_of_it_is_different_and_how_much_is_new(tables):
    found = tastes(trained(tables), [0, 0, 1, 1])
    # A's three times of x are of one item; B's y, z and z are of two. All of it is of the last four weeks.
    assert [found[0, 0]["variety"], found[1, 1]["variety"]] == pytest.approx([1 / 3, 2 / 3])
    assert [found[0, 0]["new_28"], found[1, 1]["new_28"]] == [1, 2]


def test_a_value_tells_how_much_of_it_is_new_to_its_customers(tables):
    training = trained(tables)
    _, newness, size = taste_figures(training.history, pairs_of(training), np.array([0, 0, 1, 1]), 3)
    # Of value 0: A's x thrice, B's x, C's w, so 3 firsts of 5; of value 1: A's y, B's y, z, z, C's z, so 4 of 5.
    assert (newness.tolist(), size) == (pytest.approx([3 / 5, 4 / 5]), 2)


def test_a_value_that_a_customer_has_nothing_of_is_not_there(tables):
    # A has had x and y, both of value 1, B x, y and z, C w and z.
    assert sorted(tastes(trained(tables), [0, 1, 1, 2])) == [(0, 1), (1, 1), (1, 2), (2, 0), (2, 2)]


def test_looking_up_gives_what_is_missing_where_nothing_is_known():
    keyed = Keyed(np.array([2, 5]), {"f": np.array([0.5, 1.5], dtype=np.float32)})
    wanted = np.array([5, 1, 2, 9])
    assert keyed.at(wanted)[1].tolist() == [True, False, True, False]
    assert keyed.look_up(wanted, 0.0)["f"].tolist() == [1.5, 0, 0.5, 0]
    empty = Keyed(np.array([], dtype=np.int64), {"f": np.array([], dtype=np.float32)})
    assert np.isnan(empty.look_up(wanted)["f"]).all()
    assert not empty.at(wanted)[1].any()


def test_an_empty_history_has_no_pairs_and_nothing_else_either(tables):
    training = trained(tables, SHOP)
    nothing = training.history.chosen(np.array([], dtype=int))
    pairs = pair_figures(nothing, 4)
    assert len(pairs.keys) == 0
    assert customer_figures(nothing, pairs, 3, 4)["customer_baskets"].tolist() == [0, 0, 0]
    assert item_figures(nothing, pairs, 4)["item_customers"].tolist() == [0, 0, 0, 0]
    assert len(taste_figures(nothing, pairs, np.zeros(4, dtype=np.int64), 3)[0].keys) == 0
