"""Intervals over customers: what they hold, when they narrow, and what pairing gains."""

import numpy as np
import pytest

from cx_assets.evaluation import bootstrap
from cx_assets.evaluation.bootstrap import intervals, paired_difference, resampled_means


def column(*values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)[:, None]


def test_the_interval_holds_the_mean() -> None:
    values = np.random.default_rng(1).random((200, 5))
    result = intervals(values)
    assert np.allclose(result.mean, values.mean(axis=0))
    assert (result.low <= result.mean).all()
    assert (result.mean <= result.high).all()


def test_the_interval_is_that_of_the_normal_theory_for_many_customers() -> None:
    values = np.random.default_rng(2).normal(3, 2, size=(4000, 1))
    result = intervals(values, resamples=4000)
    error = values.std() / np.sqrt(4000)
    assert result.low[0] == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert result.high[0] == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_a_95_percent_interval_holds_the_truth_in_about_95_of_100_samples() -> None:
    random = np.random.default_rng(3)
    held = 0
    for seed in range(200):
        result = intervals(random.binomial(1, 0.3, size=(150, 1)).astype(float), resamples=400, seed=seed)
        held += result.low[0] <= 0.3 <= result.high[0]
    assert 178 <= held <= 200


def test_one_customer_has_an_interval_of_no_width() -> None:
    result = intervals(column(0.25))
    assert (result.low[0], result.mean[0], result.high[0]) == (0.25, 0.25, 0.25)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(4).random((50, 1))
    first, again, other = intervals(values, seed=1), intervals(values, seed=1), intervals(values, seed=2)
    assert first.low[0] == again.low[0]
    assert first.low[0] != other.low[0]


def test_the_draws_are_the_same_whether_they_are_made_in_blocks_or_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random((30, 2))
    at_once = resampled_means(values, resamples=50, seed=0)
    monkeypatch.setattr(bootstrap, "BLOCK_ENTRIES", 90)
    assert np.allclose(resampled_means(values, resamples=50, seed=0), at_once, atol=1e-12)


def test_each_draw_weighs_every_customer_by_how_often_it_was_drawn() -> None:
    draws = resampled_means(np.eye(4), resamples=200, seed=0) * 4
    assert np.allclose(draws, np.round(draws))
    assert np.allclose(draws.sum(axis=1), 4)


def test_a_small_steady_lead_is_sure_in_pairs_though_the_intervals_overlap() -> None:
    theirs = np.random.default_rng(6).random((300, 1))
    ours = theirs + 0.01
    assert intervals(ours).low[0] < intervals(theirs).high[0]
    difference = paired_difference(ours, theirs)
    assert difference.low[0] == pytest.approx(0.01)
    assert difference.p_value[0] < 0.01


def test_two_recommenders_that_are_alike_differ_by_nothing() -> None:
    values = np.random.default_rng(7).random((50, 1))
    difference = paired_difference(values, values)
    assert (difference.mean[0], difference.low[0], difference.high[0], difference.p_value[0]) == (0, 0, 0, 1)


def test_the_p_value_is_the_same_for_a_lead_and_a_lag() -> None:
    random = np.random.default_rng(8)
    ours, theirs = random.random((80, 1)), random.random((80, 1))
    assert paired_difference(ours, theirs).p_value[0] == paired_difference(theirs, ours).p_value[0]


def test_by_chance_alone_one_in_twenty_differences_has_a_p_value_below_a_twentieth() -> None:
    random = np.random.default_rng(9)
    noise = random.normal(size=(100, 400))
    share = (intervals(noise, resamples=500).p_value < 0.05).mean()
    assert 0.02 < share < 0.09


def test_figures_of_other_customers_are_refused() -> None:
    with pytest.raises(ValueError, match="needs the same customers"):
        paired_difference(np.zeros((3, 1)), np.zeros((4, 1)))


def test_nobody_to_resample_is_refused() -> None:
    with pytest.raises(ValueError, match="0 customers"):
        intervals(np.zeros((0, 1)))


def test_a_level_of_95_instead_of_a_share_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals(column(1.0), level=95)


def test_a_customer_without_a_part_in_a_figure_is_left_out_of_that_figure_only() -> None:
    values = np.random.default_rng(10).random((40, 2))
    partial = values.copy()
    partial[30:, 1] = np.nan
    result = intervals(partial)
    assert result.mean[0] == pytest.approx(values[:, 0].mean())
    assert result.mean[1] == pytest.approx(values[:30, 1].mean())
    assert (result.low[0], result.high[0]) == (intervals(values).low[0], intervals(values).high[0])
    assert result.low[1] < result.mean[1] < result.high[1]


def test_a_figure_that_only_one_customer_has_a_part_in_has_an_interval_of_no_width() -> None:
    result = intervals(column(0.5, *[np.nan] * 9))
    assert (result.low[0], result.mean[0], result.high[0]) == (0.5, 0.5, 0.5)
