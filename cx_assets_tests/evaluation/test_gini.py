"""How evenly a catalogue is shown: by hand, by brute force, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cx_assets.evaluation.beyond_accuracy import gini
from cx_assets.evaluation.metrics import EMPTY_PLACE
from cx_assets_tests.evaluation.random_lists import (
    ITEMS,
    NOBODY,
    NOTHING,
    SEEDS,
    items_of,
    nearly,
    random_lists,
    renumbered,
)


def gini_by_pairs(shown: NDArray[np.int64], k: int, catalogue: int) -> float:
    """Half the mean absolute difference of two different items, over the mean."""
    times = [sum(item in items_of(row, k) for row in shown) for item in range(catalogue)]
    apart = [abs(a - b) for i, a in enumerate(times) for j, b in enumerate(times) if i != j]
    return float(np.mean(apart) / 2 / np.mean(times))


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


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6))
def test_gini_is_the_mean_difference_of_two_items_over_twice_the_mean(seed: int, k: int) -> None:
    shown = random_lists(seed, sure=1)
    assert gini(shown, k, catalogue=ITEMS).value == pytest.approx(gini_by_pairs(shown, k, ITEMS))


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6))
def test_the_interval_of_gini_is_that_of_leaving_each_customer_out_by_hand(seed: int, k: int) -> None:
    shown = random_lists(seed, sure=2)
    n = len(shown)
    left_out = np.array([gini_by_pairs(np.delete(shown, j, axis=0), k, ITEMS) for j in range(n)])
    error = np.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum())
    found = gini(shown, k, catalogue=ITEMS)
    assert found.low == pytest.approx(max(0, found.value - 1.959964 * error), abs=1e-6)
    assert found.high == pytest.approx(min(1, found.value + 1.959964 * error), abs=1e-6)


@settings(max_examples=30)
@given(SEEDS)
def test_gini_lies_within_zero_and_one_and_is_the_same_for_other_numbers_of_items(seed: int) -> None:
    shown = random_lists(seed, sure=1)
    found = gini(shown, 6, catalogue=ITEMS)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert nearly(gini(renumbered(shown, seed), 6, catalogue=ITEMS)) == pytest.approx(nearly(found))


@settings(max_examples=30)
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
