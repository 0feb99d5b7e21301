"""Laws of the recency, frequency and monetary scores."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cx_assets.segments.rfm import quintile_scores, rfm_scores

values = hnp.arrays(np.float64, st.integers(1, 60), elements=st.integers(0, 9).map(float))


def test_ten_different_values_give_two_customers_each_score() -> None:
    scores = quintile_scores(np.array([9.0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
    assert scores.tolist() == [5, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_few_days_since_the_last_event_are_good() -> None:
    assert quintile_scores(np.array([1.0, 2, 3, 4, 5]), lower_is_better=True).tolist() == [5, 4, 3, 2, 1]


def test_equals_get_the_score_in_which_their_middle_lies() -> None:
    # Ranks 1, then 2 to 4 (middle 3 of 5), then 5.
    assert quintile_scores(np.array([0.0, 7, 7, 7, 9])).tolist() == [1, 3, 3, 3, 5]


def test_one_customer_and_equal_customers_score_three() -> None:
    assert quintile_scores(np.array([42.0])).tolist() == [3]
    assert quintile_scores(np.zeros(7)).tolist() == [3] * 7
    assert quintile_scores(np.zeros(0)).tolist() == []


@given(values)
def test_scores_lie_in_range_rise_with_the_value_and_are_equal_for_equals(figures: np.ndarray) -> None:
    scores = quintile_scores(figures)
    assert scores.min() >= 1
    assert scores.max() <= 5
    order = np.argsort(figures, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    for value in np.unique(figures):
        assert len(set(scores[figures == value])) == 1


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_customers_does_not_matter(figures: np.ndarray, random) -> None:
    order = random.sample(range(len(figures)), len(figures))
    assert quintile_scores(figures)[order].tolist() == quintile_scores(figures[order]).tolist()


def test_the_three_scores_are_spelt_out() -> None:
    features = pd.DataFrame(
        {"recency_days": [1, 9, 5, 3, 7], "frequency": [9, 1, 5, 7, 3], "monetary": [1.0, 2.0, 3.0, 4.0, 5.0]},
        index=list("abcde"),
    )
    scores = rfm_scores(features)
    assert scores.loc["a"].tolist() == [5, 5, 1, "5-5-1"]
    assert scores.loc["b", "rfm"] == "1-1-2"
    assert list(rfm_scores(features.iloc[:0]).columns) == list(scores.columns)
