"""Laws of the points that k-means sees."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import RobustScaler

from cx_assets.segments.features import FEATURES
from cx_assets.segments.inputs import LIMIT, robust_scale, segment_points


def test_scaling_equals_scikit_learns_robust_scaler_within_the_limit() -> None:
    values = np.random.default_rng(1).normal(size=(200, 3)) * [1, 10, 100]
    expected = RobustScaler(unit_variance=True).fit_transform(values).clip(-LIMIT, LIMIT)
    assert robust_scale(values) == pytest.approx(expected, abs=1e-3)


def test_a_constant_column_is_all_zeros() -> None:
    assert robust_scale(np.full((5, 1), 7.0)).tolist() == [[0.0]] * 5


def test_a_column_whose_middle_half_is_constant_still_tells_the_others_apart() -> None:
    scaled = robust_scale(np.array([[0.0], [1], [1], [1], [1], [1], [1], [1], [9]]))
    assert scaled[0, 0] < 0 < scaled[-1, 0]


def test_a_spread_too_small_to_divide_by_is_none() -> None:
    assert robust_scale(np.array([[1.0], [2e-313], [0], [0], [0]]))[0, 0] == pytest.approx(
        2.5
    )  # 1 over the deviation, 0.4


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 20), st.integers(1, 3)), elements=st.floats(0, 1e6)))
def test_scaled_values_are_finite_and_within_the_limit(values: np.ndarray) -> None:
    scaled = robust_scale(values)
    assert scaled.shape == values.shape
    assert (np.abs(scaled) <= LIMIT).all()


def test_a_point_has_all_figures_and_all_shares() -> None:
    features = pd.DataFrame({f: [1.0, 2.0, 3.0] for f in FEATURES})
    shares = pd.DataFrame({"A": [0.0, 0.5, 1.0], "B": [1.0, 0.5, 0.0]})
    assert segment_points(features, shares).shape == (3, len(FEATURES) + 2)
    assert segment_points(features, shares[[]]).shape == (3, len(FEATURES))
    assert segment_points(features.iloc[:0], shares.iloc[:0]).shape == (0, len(FEATURES) + 2)
