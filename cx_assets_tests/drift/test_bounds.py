"""What is expected of a series, and how far it may stray: laws, and series whose answer is known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.drift.bounds import YOUNG_DAYS, predict

DAYS = 140
RHYTHM = np.tile([5.0, 6, 5, 7, 9, 3, 1], DAYS // 7)
NOISE = np.random.default_rng(1).normal(0, 0.1, DAYS)


def test_a_weekly_rhythm_is_expected_as_it_is() -> None:
    found = predict(RHYTHM[None, :])
    assert np.isnan(found.expected[0, :YOUNG_DAYS]).all()
    assert np.allclose(found.expected[0, YOUNG_DAYS:], RHYTHM[YOUNG_DAYS:])


def test_steady_growth_is_expected_to_go_on() -> None:
    growing = RHYTHM + 0.02 * np.arange(DAYS)
    found = predict(growing[None, :])
    # The level is that of the last days' middle, three and a half days ago.
    assert np.allclose(found.expected[0, YOUNG_DAYS:], growing[YOUNG_DAYS:], atol=0.1)


def test_a_broken_day_moves_no_later_expectation_beyond_the_noise() -> None:
    series = RHYTHM + NOISE
    broken = series.copy()
    broken[100] = 1000
    before, after = predict(series[None, :]), predict(broken[None, :])
    assert np.nanmax(np.abs(after.expected - before.expected)[0, 101:]) < 0.3
    assert np.nanmax((after.scale / before.scale)[0, 101:]) < 1.5


def test_the_scale_is_that_of_the_noise() -> None:
    long = np.random.default_rng(2).normal(0, 1, (40, 365))
    scale = predict(long).scale[:, YOUNG_DAYS:]
    # A prediction from medians of eight and of seven has a noise of its own.
    assert 1 < np.median(scale) < 1.5


def test_days_without_a_value_are_passed_over() -> None:
    closed = np.where(np.arange(DAYS) % 7 == 6, np.nan, RHYTHM)
    found = predict(closed[None, :]).expected[0, YOUNG_DAYS + 14 :]
    assert np.array_equal(np.isnan(found), np.isnan(closed[YOUNG_DAYS + 14 :]))


@given(cut=st.integers(1, DAYS - 1), seed=st.integers(0, 100))
def test_nothing_after_a_day_has_a_part_in_what_is_expected_of_it(cut: int, seed: int) -> None:
    series = np.random.default_rng(seed).normal(0, 1, (3, DAYS))
    whole, known = predict(series), predict(series[:, :cut])
    assert np.array_equal(whole.expected[:, :cut], known.expected, equal_nan=True)
    assert np.array_equal(whole.scale[:, :cut], known.scale, equal_nan=True)


@given(shift=st.floats(-100, 100), factor=st.floats(0.1, 10))
def test_another_unit_or_origin_changes_nothing_but_the_numbers(shift: float, factor: float) -> None:
    series = (RHYTHM + NOISE)[None, :]
    plain, other = predict(series), predict(series * factor + shift)
    assert np.allclose(other.expected, plain.expected * factor + shift, equal_nan=True)
    assert np.allclose(other.scale, plain.scale * factor, equal_nan=True)
