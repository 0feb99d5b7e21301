"""How lists differ from customer to customer, and what of the revenue they find: by hand and by brute force."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cx_assets.evaluation.diversity import (
    personalisation,
    revenue_recall,
)
from cx_assets.evaluation.metrics import EMPTY_PLACE
from cx_assets_tests.evaluation.random_lists import (
    NOBODY,
    NOTHING,
    SEEDS,
    items_of,
    nearly,
    random_lists,
)


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


@settings(max_examples=40)
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


@settings(max_examples=30)
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
