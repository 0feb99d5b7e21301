"""The mix of categories, on counts whose answer is known."""

import numpy as np
import pytest

from cx_assets.drift.bounds import YOUNG_DAYS
from cx_assets.drift.mix import mix

DAYS = 100


def counts(*shares: float, a_day: int = 1000) -> np.ndarray:
    """The same rows of each category on every day, in a noise of a few."""
    rng = np.random.default_rng(3)
    return np.round(np.array(shares)[:, None] * a_day) + rng.integers(0, 5, (len(shares), DAYS))


def test_psi_is_that_of_the_textbook() -> None:
    rows = np.repeat(np.array([[500.0], [500.0]]), DAYS, axis=1)
    rows[:, -1] = [800, 200]
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    found = mix(rows).psi
    assert found[-1] == pytest.approx(expected)
    assert np.allclose(found[YOUNG_DAYS:-1], 0)


def test_a_category_that_is_always_there_is_missed_and_one_that_comes_and_goes_is_not() -> None:
    rows = counts(0.6, 0.3, 0.1)
    rows[2, ::2] = 0
    rows[1, -1] = 0
    rows[2, -1] = 0
    absence = mix(rows).absence
    assert absence[1, -1] > 10
    assert absence[2, -1] < 2
    assert not absence[0].any()


def test_small_categories_are_counted_as_one() -> None:
    rows = counts(0.9, *[0.005] * 20)
    rows[1:, -1] = rows[1:, -1][::-1]
    found = mix(rows)
    assert not found.usual[1:].any()
    assert found.psi[-1] < 0.01


def test_a_weekday_of_its_own_mix_is_compared_with_that_weekday() -> None:
    rows = counts(0.5, 0.5)
    rows[:, 6::7] = [[950], [50]]
    assert np.nanmax(mix(rows).psi) < 0.01


def test_a_day_without_rows_has_no_mix() -> None:
    rows = counts(0.5, 0.5)
    rows[:, 80] = 0
    found = mix(rows)
    assert np.isnan(found.psi[80])
    assert not found.absence[:, 80].any()
