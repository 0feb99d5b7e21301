"""Laws of the steps put together."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.segments.segmentation import ranked


def test_the_cluster_with_the_highest_mean_is_first_and_ties_go_to_the_next_figure() -> None:
    figures = pd.DataFrame({"monetary": [1.0, 5.0, 5.0, 5.0], "frequency": [9.0, 1.0, 2.0, 2.0]})
    assert ranked(np.array([0, 1, 2, 2]), figures).tolist() == [3, 2, 1, 1]


def test_clusters_that_are_equal_in_all_figures_follow_their_first_row() -> None:
    figures = pd.DataFrame({"monetary": [1.0, 1.0]})
    assert ranked(np.array([7, 3]), figures).tolist() == [1, 2]


def test_no_rows_have_no_ranks() -> None:
    assert ranked(np.zeros(0, dtype=np.int64), pd.DataFrame({"monetary": []})).tolist() == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=20), st.permutations(range(4)))
def test_how_clusters_are_numbered_does_not_matter(rows: list[tuple[int, int]], names: list[int]) -> None:
    labels = np.array([label for label, _ in rows])
    figures = pd.DataFrame({"monetary": [float(value) for _, value in rows]})
    assert ranked(labels, figures).tolist() == ranked(np.array(names)[labels], figures).tolist()
