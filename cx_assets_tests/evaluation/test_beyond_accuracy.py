"""Coverage and novelty, worked out by hand."""

import numpy as np
import pytest

from cx_assets.evaluation.beyond_accuracy import coverage, novelty, self_information
from cx_assets.evaluation.metrics import EMPTY_PLACE

SHOWN = np.array([[0, 1], [0, 2], [0, EMPTY_PLACE]])


def test_coverage_is_the_share_of_the_catalogue_in_anyones_list() -> None:
    assert coverage(SHOWN, 2, catalogue=10).value == pytest.approx(0.3)


def test_coverage_looks_at_the_first_k_places_only() -> None:
    assert coverage(SHOWN, 1, catalogue=10).value == pytest.approx(0.1)


def test_the_error_of_coverage_comes_from_the_items_that_only_one_customer_is_shown() -> None:
    found = coverage(SHOWN, 2, catalogue=10)
    only_here = np.array([1, 1, 0])
    error = np.sqrt(2 / 3 * np.square(only_here - only_here.mean()).sum()) / 10
    assert found.high == pytest.approx(0.3 + 1.959964 * error)
    assert found.low == pytest.approx(0.3 - 1.959964 * error)


def test_leaving_each_customer_out_by_hand_gives_the_same_error() -> None:
    shown = np.stack([np.random.default_rng(seed).permutation(40)[:6] for seed in range(9)])
    left_out = [len(np.unique(np.delete(shown, j, axis=0))) for j in range(9)]
    error = np.sqrt(8 / 9 * np.square(left_out - np.mean(left_out)).sum()) / 40
    found = coverage(shown, 6, catalogue=40)
    assert found.value - found.low == pytest.approx(1.959964 * error)


def test_the_interval_of_coverage_stays_within_zero_and_one() -> None:
    found = coverage(np.array([[0, 1, 2, 3], [0, 1, EMPTY_PLACE, EMPTY_PLACE]]), 4, catalogue=4)
    assert (found.value, found.high) == (1.0, 1.0)


@pytest.mark.parametrize("shown", [np.full((2, 3), EMPTY_PLACE), np.zeros((0, 3), dtype=np.int64)])
def test_nothing_shown_covers_nothing(shown: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    found = coverage(shown, 3, catalogue=4)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_an_empty_catalogue_is_not_divided_by() -> None:
    assert coverage(SHOWN, 2, catalogue=0).value == 0


def test_an_item_that_a_quarter_of_the_customers_have_carries_two_bits() -> None:
    assert self_information(np.array([8, 2, 1]), customers=8).tolist() == [0, 2, 3]


def test_an_item_that_nobody_has_is_as_novel_as_one_that_a_single_customer_has() -> None:
    assert self_information(np.array([0]), customers=8).tolist() == [3]


def test_novelty_is_the_mean_over_the_items_that_are_shown() -> None:
    bits = np.array([0.0, 2.0, 3.0])
    assert novelty(SHOWN, 2, bits).tolist() == [1.0, 1.5, 0.0]


def test_a_customer_who_is_shown_nothing_has_no_novelty() -> None:
    assert np.isnan(novelty(np.array([[EMPTY_PLACE, EMPTY_PLACE]]), 2, np.array([1.0]))).all()
