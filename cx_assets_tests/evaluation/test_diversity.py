"""Lists beside themselves and their customers: by hand, by brute force, and their laws."""

from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from cx_assets.evaluation.beyond_accuracy import equal_before, mean_over_shown
from cx_assets.evaluation.diversity import (
    calibration,
    diversity,
    popularity_lift,
    serendipity,
)
from cx_assets.evaluation.metrics import EMPTY_PLACE
from cx_assets_tests.evaluation.random_lists import (
    ITEMS,
    NOBODY,
    NOTHING,
    SEEDS,
    items_of,
    random_lists,
)


def test_equal_values_are_counted_from_the_first_on() -> None:
    assert equal_before(np.array([[1, 1, 1, 4], [2, 3, 3, 3]])).tolist() == [[0, 1, 2, 0], [0, 0, 1, 2]]


# Category and brand of four items.
def test_a_mean_over_shown_items_does_not_read_items_where_there_are_none() -> None:
    assert np.isnan(mean_over_shown(NOTHING, 3, np.zeros(0))).all()


CODES = np.array([[0, 0], [0, 1], [1, 1], [2, 2]])


def test_diversity_is_the_mean_share_of_attributes_that_differ() -> None:
    # 0 and 1 share the category (1/2 differs), 1 and 2 the brand (1/2), 0 and 2 nothing (1)
    assert diversity(np.array([[0, 1, 2]]), 3, CODES).tolist() == pytest.approx([(0.5 + 0.5 + 1) / 3])


def test_diversity_looks_at_the_first_k_places_only() -> None:
    assert diversity(np.array([[0, 1, 3]]), 2, CODES).tolist() == [0.5]


def test_diversity_is_over_the_pairs_that_are_shown() -> None:
    assert diversity(np.array([[0, 3, EMPTY_PLACE], [0, 1, EMPTY_PLACE]]), 3, CODES).tolist() == [1, 0.5]


def test_a_list_without_two_items_has_no_diversity() -> None:
    shown = np.array([[0, EMPTY_PLACE], [EMPTY_PLACE, EMPTY_PLACE]])
    assert np.isnan(diversity(shown, 2, CODES)).all()
    assert np.isnan(diversity(NOTHING, 3, CODES)).all()
    assert diversity(NOBODY, 3, CODES).shape == (0,)


def test_a_shop_of_one_category_has_no_diversity_in_it() -> None:
    assert diversity(np.array([[0, 1, 2]]), 3, np.zeros((3, 1), dtype=np.int64)).tolist() == [0]


def test_two_values_that_are_not_known_are_not_equal() -> None:
    assert diversity(np.array([[0, 1]]), 2, np.array([[5, -1], [5, -1]])).tolist() == [0.5]


def test_items_without_attributes_are_refused() -> None:
    with pytest.raises(ValueError, match="without an attribute"):
        diversity(np.array([[0, 1]]), 2, np.zeros((2, 0), dtype=np.int64))


@settings(max_examples=40)
@given(SEEDS, st.integers(2, 6), st.integers(1, 4))
def test_diversity_is_the_mean_over_all_pairs_gone_over_one_by_one(seed: int, k: int, attributes: int) -> None:
    shown = random_lists(seed)
    codes = np.random.default_rng(seed).integers(-1, 4, size=(ITEMS, attributes))
    for row, found in zip(shown, diversity(shown, k, codes), strict=True):
        pairs = [
            1 - sum(int(a == b and a >= 0) for a, b in zip(codes[i], codes[j], strict=True)) / attributes
            for i, j in combinations(items_of(row, k), 2)
        ]
        assert found == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)
        assert not pairs or 0 <= found <= 1


POPULAR = np.array([True, True, False, False])


def test_a_hit_is_serendipitous_when_it_is_not_among_the_popular_items() -> None:
    shown = np.array([[0, 2, 3, 1]])
    hit = np.array([[True, True, False, False]])
    # 0 was taken and is popular, 2 was taken and isn't, 3 wasn't taken
    assert serendipity(shown, 4, hit, POPULAR).tolist() == [1 / 4]
    assert serendipity(shown, 1, hit, POPULAR).tolist() == [0]


def test_places_left_empty_hold_no_serendipity() -> None:
    shown = np.array([[2, EMPTY_PLACE, EMPTY_PLACE, EMPTY_PLACE]])
    hit = np.array([[True, False, False, False]])
    assert serendipity(shown, 4, hit, POPULAR).tolist() == [1 / 4]


def test_an_empty_list_has_no_serendipity() -> None:
    shown = np.array([[2, 3, EMPTY_PLACE], [EMPTY_PLACE] * 3])
    assert serendipity(shown, 3, np.zeros((2, 3), dtype=bool), POPULAR).tolist() == pytest.approx(
        [0, np.nan], nan_ok=True
    )
    assert np.isnan(serendipity(NOTHING, 3, np.zeros((2, 3), dtype=bool), POPULAR)).all()
    assert serendipity(NOBODY, 3, np.zeros((0, 3), dtype=bool), POPULAR).shape == (0,)


def test_hits_of_other_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="hits of shape"):
        serendipity(NOTHING, 3, np.zeros((2, 2), dtype=bool), POPULAR)


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 6))
def test_serendipity_is_at_most_the_precision_and_falls_the_more_is_popular(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    shown = random_lists(seed)
    hit = (random.random(shown.shape) < 0.5) & (shown != EMPTY_PLACE)
    full = shown[:, 0] != EMPTY_PLACE
    by_popular = [serendipity(shown, k, hit, np.arange(ITEMS) < n)[full] for n in range(0, ITEMS + 1, 5)]
    assert by_popular[0] == pytest.approx(hit[full, :k].sum(axis=1) / k)
    assert (np.diff(by_popular, axis=0) <= 0).all()
    assert (by_popular[-1] == 0).all()


def test_popularity_lift_is_how_much_more_popular_shown_items_are_than_own_ones() -> None:
    popularity = np.array([10, 4, 2])
    shown = np.array([[0, 1], [2, EMPTY_PLACE], [1, 2]])
    own = np.array([7 / 2, 4, 3])
    # (10 + 4) / 2 / 3.5 - 1, 2 / 4 - 1, (4 + 2) / 2 / 3 - 1
    assert popularity_lift(shown, 2, popularity, own).tolist() == pytest.approx([1, -0.5, 0])
    assert popularity_lift(shown, 1, popularity, own).tolist() == pytest.approx([10 / 3.5 - 1, -0.5, 4 / 3 - 1])


def test_items_that_nobody_had_have_a_lift_of_minus_one() -> None:
    assert popularity_lift(np.array([[0]]), 1, np.array([0]), np.array([3.0])).tolist() == [-1]


def test_an_empty_list_and_a_customer_who_had_nothing_have_no_lift() -> None:
    shown = np.array([[EMPTY_PLACE], [0]])
    assert np.isnan(popularity_lift(shown, 1, np.array([2]), np.array([2.0, np.nan]))).all()
    assert popularity_lift(NOBODY, 3, np.array([2]), np.zeros(0)).shape == (0,)


def test_a_lift_of_other_customers_is_refused() -> None:
    with pytest.raises(ValueError, match="2 lists for 1"):
        popularity_lift(NOTHING, 3, np.array([2]), np.array([2.0]))


@settings(max_examples=30)
@given(SEEDS)
def test_replacing_an_item_by_a_more_popular_one_raises_the_lift(seed: int) -> None:
    shown = random_lists(seed)
    shown[:, 0] = ITEMS
    better = shown.copy()
    better[:, 0] = ITEMS + 1
    popularity = np.concatenate([np.random.default_rng(seed).integers(0, 50, size=ITEMS), [7, 8]])
    own = np.full(len(shown), 5.0)
    low, high = (popularity_lift(lists, 6, popularity, own) for lists in (shown, better))
    assert (low < high).all()
    assert (low >= -1).all()


CATEGORY = np.array([0, 0, 1, 2])


def test_calibration_compares_the_shares_of_categories() -> None:
    usual = csr_matrix(np.array([[0.75, 0.25, 0.0]]))
    # The list has 1/2, 0 and 1/2: of the customer's own categories 1/2 and 0.
    first = 0.75 * log(0.75 / (0.99 * 0.5 + 0.01 * 0.75))
    second = 0.25 * log(0.25 / (0.99 * 0.0 + 0.01 * 0.25))
    assert calibration(np.array([[0, 3]]), 2, CATEGORY, usual).tolist() == pytest.approx([first + second])


def test_calibration_looks_at_the_first_k_places_only() -> None:
    usual = csr_matrix(np.array([[1.0, 0.0, 0.0]]))
    assert calibration(np.array([[0, 1, 2]]), 2, CATEGORY, usual).tolist() == [0]


def test_the_same_shares_are_calibrated_in_any_order_and_the_columns_of_the_matrix_too() -> None:
    unsorted = csr_matrix((np.array([0.5, 0.5]), np.array([2, 0]), np.array([0, 2])), shape=(1, 3))
    assert calibration(np.array([[3, 1]]), 2, CATEGORY, unsorted).tolist() == pytest.approx([0])
    assert unsorted.indices.tolist() == [2, 0]


def test_rounding_makes_no_list_better_than_calibrated() -> None:
    nearly_even = csr_matrix(np.array([[300_000_001, 300_000_000, 0]]) / 600_000_001)
    assert 0 <= calibration(np.array([[0, 2]]), 2, CATEGORY, nearly_even).item() < 1e-12


def test_a_list_without_any_of_the_usual_categories_is_as_far_off_as_can_be() -> None:
    usual = csr_matrix(np.array([[0.0, 0.6, 0.4]]))
    assert calibration(np.array([[0, 1]]), 2, CATEGORY, usual).tolist() == pytest.approx([log(100)])


def test_a_short_list_is_compared_by_what_it_shows() -> None:
    usual = csr_matrix(np.array([[0.5, 0.5, 0.0]]))
    shown = np.array([[0, 2, EMPTY_PLACE, EMPTY_PLACE]])
    assert calibration(shown, 4, CATEGORY, usual).tolist() == pytest.approx([0])


def test_an_empty_list_and_a_customer_without_habits_are_not_calibrated() -> None:
    usual = csr_matrix(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert np.isnan(calibration(np.array([[EMPTY_PLACE], [0]]), 1, CATEGORY, usual)).all()
    assert np.isnan(calibration(np.array([[0]]), 1, CATEGORY, csr_matrix((1, 3)))).all()
    assert np.isnan(calibration(NOTHING, 3, CATEGORY, usual)).all()
    assert calibration(NOBODY, 3, CATEGORY, csr_matrix((0, 3))).shape == (0,)


def test_in_a_shop_of_one_category_every_list_is_calibrated() -> None:
    usual = csr_matrix(np.ones((2, 1)))
    assert calibration(np.array([[0, 1], [2, EMPTY_PLACE]]), 2, np.zeros(3, dtype=np.int64), usual).tolist() == [0, 0]


def test_habits_of_other_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="2 lists for 1"):
        calibration(NOTHING, 3, CATEGORY, csr_matrix((1, 3)))


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6))
def test_calibration_is_the_divergence_worked_out_category_by_category(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    shown = random_lists(seed)
    category = random.integers(0, 5, size=ITEMS)
    times = random.poisson(0.8, size=(len(shown), 5)).astype(float)
    p = times / np.maximum(times.sum(axis=1, keepdims=True), 1)
    found = calibration(shown, k, category, csr_matrix(p))
    for row, own, value in zip(shown, p, found, strict=True):
        items = items_of(row, k)
        if not items or own.sum() == 0:
            assert np.isnan(value)
            continue
        q = [sum(category[item] == c for item in items) / len(items) for c in range(5)]
        by_hand = sum(a * log(a / (0.99 * b + 0.01 * a)) for a, b in zip(own, q, strict=True) if a > 0)
        assert value == pytest.approx(by_hand, abs=1e-12)
        assert 0 <= value <= log(100) + 1e-12
