"""Lists beside the catalogue, themselves, their customers and other lists: by hand, by brute force, and their laws."""

from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.evaluation.beyond_accuracy import Figure, equal_before, gini, mean_over_shown
from cx_assets.evaluation.diversity import (
    calibration,
    diversity,
    personalisation,
    popularity_lift,
    revenue_recall,
    serendipity,
)
from cx_assets.evaluation.metrics import EMPTY_PLACE

NOTHING = np.full((2, 3), EMPTY_PLACE)
NOBODY = np.zeros((0, 3), dtype=np.int64)
ITEMS = 30
SEEDS = st.integers(0, 10_000)


def random_lists(seed: int, *, customers: int = 12, depth: int = 6, sure: int = 0) -> NDArray[np.int64]:
    """Lists of 0 to `depth` places, popular items more often than others; the first `sure` have one at least."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, ITEMS + 1)
    shown = np.full((customers, depth), EMPTY_PLACE, dtype=np.int64)
    for number, row in enumerate(shown):
        length = int(random.integers(int(number < sure), depth + 1))
        row[:length] = random.choice(ITEMS, size=length, replace=False, p=weights / weights.sum())
    return shown


def renumbered(shown: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    numbers = np.random.default_rng(seed).permutation(ITEMS)
    return np.where(shown == EMPTY_PLACE, EMPTY_PLACE, numbers[shown])


def items_of(row: NDArray[np.int64], k: int) -> set[int]:
    return {int(item) for item in row[:k] if item != EMPTY_PLACE}


def gini_by_pairs(shown: NDArray[np.int64], k: int, catalogue: int) -> float:
    """Half the mean absolute difference of two different items, over the mean."""
    times = [sum(item in items_of(row, k) for row in shown) for item in range(catalogue)]
    apart = [abs(a - b) for i, a in enumerate(times) for j, b in enumerate(times) if i != j]
    return float(np.mean(apart) / 2 / np.mean(times))


def nearly(found: Figure) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def test_items_shown_equally_often_have_a_gini_of_zero() -> None:
    assert gini(np.array([[0, 1], [2, 3]]), 2, catalogue=4).value == 0


def test_one_item_shown_to_everybody_has_a_gini_of_one() -> None:
    assert nearly(gini(np.array([[2], [2], [2]]), 1, catalogue=5)) == (1, 1, 1)


def test_gini_counts_the_items_that_are_never_shown() -> None:
    # Shown 0, 0, 1 and 3 times: (-3 * 0 - 1 * 0 + 1 * 1 + 3 * 3) / ((4 - 1) * 4)
    shown = np.array([[0, 1], [0, EMPTY_PLACE], [0, EMPTY_PLACE]])
    assert gini(shown, 2, catalogue=4).value == pytest.approx(10 / 12)


def test_gini_looks_at_the_first_k_places_only() -> None:
    assert gini(np.array([[0, 1], [0, 2], [0, 3]]), 1, catalogue=4).value == 1


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_gini_is_the_mean_difference_of_two_items_over_twice_the_mean(seed: int, k: int) -> None:
    shown = random_lists(seed, sure=1)
    assert gini(shown, k, catalogue=ITEMS).value == pytest.approx(gini_by_pairs(shown, k, ITEMS))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_the_interval_of_gini_is_that_of_leaving_each_customer_out_by_hand(seed: int, k: int) -> None:
    shown = random_lists(seed, sure=2)
    n = len(shown)
    left_out = np.array([gini_by_pairs(np.delete(shown, j, axis=0), k, ITEMS) for j in range(n)])
    error = np.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum())
    found = gini(shown, k, catalogue=ITEMS)
    assert found.low == pytest.approx(max(0, found.value - 1.959964 * error), abs=1e-6)
    assert found.high == pytest.approx(min(1, found.value + 1.959964 * error), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_gini_lies_within_zero_and_one_and_is_the_same_for_other_numbers_of_items(seed: int) -> None:
    shown = random_lists(seed, sure=1)
    found = gini(shown, 6, catalogue=ITEMS)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert nearly(gini(renumbered(shown, seed), 6, catalogue=ITEMS)) == pytest.approx(nearly(found))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_catalogue_with_more_items_that_nobody_sees_has_a_higher_gini(seed: int) -> None:
    shown = random_lists(seed)
    shown[0] = np.arange(6)
    assert gini(shown, 6, catalogue=ITEMS).value < gini(shown, 6, catalogue=2 * ITEMS).value


@pytest.mark.parametrize("shown", [NOTHING, NOBODY])
def test_nothing_shown_is_neither_even_nor_uneven(shown: NDArray[np.int64]) -> None:
    assert np.isnan(nearly(gini(shown, 3, catalogue=4))).all()


def test_the_gini_of_one_customers_list_is_its_own_interval() -> None:
    # Shown 0, 0, 1 and 1 times: (1 * 1 + 3 * 1) / (3 * 2)
    assert nearly(gini(np.array([[0, 1]]), 2, catalogue=4)) == pytest.approx((4 / 6,) * 3)


def test_the_gini_of_the_only_list_that_is_not_empty_is_its_own_interval() -> None:
    shown = np.array([[0, 1], [EMPTY_PLACE, EMPTY_PLACE]])
    assert nearly(gini(shown, 2, catalogue=4)) == pytest.approx((4 / 6,) * 3)


def test_a_catalogue_of_one_item_is_spread_evenly() -> None:
    assert nearly(gini(np.array([[0], [0]]), 1, catalogue=1)) == (0, 0, 0)


def test_more_items_shown_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="3 different items are shown, of 2"):
        gini(np.array([[0, 1, 7]]), 3, catalogue=2)


def test_equal_values_are_counted_from_the_first_on() -> None:
    assert equal_before(np.array([[1, 1, 1, 4], [2, 3, 3, 3]])).tolist() == [[0, 1, 2, 0], [0, 0, 1, 2]]


# Category and brand of four items.
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


@settings(max_examples=40, deadline=None)
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


@settings(max_examples=30, deadline=None)
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


@settings(max_examples=30, deadline=None)
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


@settings(max_examples=40, deadline=None)
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


def test_personalisation_is_one_minus_the_mean_share_of_common_items() -> None:
    # Common to the pairs: 0 and 1 (2 of 2), 0 (1 of 2), 0 (1 of 2)
    found = personalisation(np.array([[0, 1], [1, 0], [0, 2]]), 2)
    assert found.value == pytest.approx(1 - (1 + 0.5 + 0.5) / 3)


def test_personalisation_looks_at_the_first_k_places_only() -> None:
    assert personalisation(np.array([[0, 1], [2, 1]]), 1).value == 1


def test_the_same_list_for_everybody_is_not_personal_and_lists_without_a_common_item_are_entirely() -> None:
    assert nearly(personalisation(np.array([[0, 1], [1, 0], [0, 1]]), 2)) == (0, 0, 0)
    assert nearly(personalisation(np.array([[0, 1], [2, 3], [4, 5]]), 2)) == (1, 1, 1)


def test_customers_who_are_shown_nothing_are_left_out_of_personalisation() -> None:
    shown = np.array([[0, 1], [EMPTY_PLACE, EMPTY_PLACE], [0, 2]])
    assert nearly(personalisation(shown, 2)) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("shown", [NOTHING, NOBODY, np.array([[0, 1, 2]])])
def test_one_customer_has_nobody_to_differ_from(shown: NDArray[np.int64]) -> None:
    assert np.isnan(nearly(personalisation(shown, 3))).all()


def personalisation_by_pairs(shown: NDArray[np.int64], k: int) -> float:
    lists = [items for row in shown if (items := items_of(row, k))]
    return float(np.mean([1 - len(a & b) / k for a, b in combinations(lists, 2)]))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_personalisation_is_what_comparing_all_pairs_gives_and_its_interval_what_leaving_out_gives(
    seed: int, k: int
) -> None:
    shown = random_lists(seed, sure=3)
    found = personalisation(shown, k)
    assert found.value == pytest.approx(personalisation_by_pairs(shown, k))
    kept = shown[shown[:, 0] != EMPTY_PLACE]
    n = len(kept)
    left_out = np.array([personalisation_by_pairs(np.delete(kept, j, axis=0), k) for j in range(n)])
    error = np.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum())
    assert found.low == pytest.approx(max(0, found.value - 1.959964 * error), abs=1e-6)
    assert found.high == pytest.approx(min(1, found.value + 1.959964 * error), abs=1e-6)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_revenue_recall_is_the_share_of_what_was_paid() -> None:
    hit = np.array([[True, False, True]])
    paid = np.array([[3.0, 0.0, 1.0]])
    # Of 8 paid in all, 3 in the first two places, 3 + 1 in all three.
    assert revenue_recall(hit, 2, paid, np.array([8.0])).tolist() == [3 / 8]
    assert revenue_recall(hit, 3, paid, np.array([8.0])).tolist() == [4 / 8]


def test_an_empty_list_finds_none_of_the_revenue() -> None:
    assert revenue_recall(np.zeros((1, 2), dtype=bool), 2, np.zeros((1, 2)), np.array([5.0])).tolist() == [0]


def test_rounding_makes_no_list_find_more_than_there_is() -> None:
    # In floating point 0.1 + 0.2 + 0.3 is above 0.6.
    assert revenue_recall(np.ones((1, 3), dtype=bool), 3, np.array([[0.1, 0.2, 0.3]]), np.array([0.6])).tolist() == [1]


def test_a_customer_who_paid_nothing_has_no_revenue_to_find() -> None:
    assert np.isnan(revenue_recall(np.array([[True]]), 1, np.array([[0.0]]), np.array([0.0]))).all()


def test_values_of_other_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="values of shape"):
        revenue_recall(np.zeros((1, 2), dtype=bool), 2, np.zeros((1, 3)), np.array([5.0]))


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_revenue_recall_never_falls_with_more_places_and_is_recall_where_all_items_cost_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    hit = random.random((12, 6)) < 0.5
    paid = np.where(hit, random.uniform(0.1, 9, size=hit.shape), 0.0)
    missed = random.uniform(0, 5, size=12) + 0.1
    by_k = [revenue_recall(hit, k, paid, paid.sum(axis=1) + missed) for k in range(1, 7)]
    assert (np.diff(by_k, axis=0) >= 0).all()
    assert (by_k[-1] <= 1).all()
    relevant = hit.sum(axis=1) + random.integers(1, 4, size=12)
    same = revenue_recall(hit, 6, np.where(hit, 2.5, 0.0), 2.5 * relevant)
    assert same == pytest.approx(hit.sum(axis=1) / relevant)


def test_a_mean_over_shown_items_does_not_read_items_where_there_are_none() -> None:
    assert np.isnan(mean_over_shown(NOTHING, 3, np.zeros(0))).all()
