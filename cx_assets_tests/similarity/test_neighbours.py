import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cx_assets.similarity.neighbours import Neighbours, best, kth_best, nearest

PAIRS = (np.array([1, 1, 1, 1, 0]), np.array([0, 1, 2, 3, 3]), np.array([0.5, 1.0, 0.5, 0.7, -0.2]))


def test_the_row_itself_is_left_out_and_of_equals_the_lowest_positions_stay() -> None:
    kept = nearest(PAIRS, 2, 4)
    assert kept.toarray().round(1).tolist() == [
        [0, 0, 0, pytest.approx(-0.2)],
        [0.5, 0, 0, pytest.approx(0.7)],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_equals_that_differ_by_a_rounding_error_are_still_equals() -> None:
    pairs = (np.zeros(3, dtype=np.int64), np.array([1, 2, 3]), np.array([0.3, 0.1 + 0.2, 0.3]))
    assert best(pairs, 1, 4)[1].tolist() == [1]


def test_a_similarity_of_0_is_kept_as_an_entry() -> None:
    kept = nearest((np.array([0]), np.array([1]), np.array([1e-17])), 1, 2)
    assert kept.nnz == 1
    assert kept.data.tolist() == [0]


def test_the_kth_best_is_minus_infinity_for_a_row_with_fewer() -> None:
    assert kth_best(PAIRS, 2, 4).tolist() == [-np.inf, 0.7, -np.inf, -np.inf]


def test_rows_of_the_table_are_ranked_from_1_by_similarity_then_position() -> None:
    matrix = csr_matrix(np.array([[0, 0.2, 0.9, 0.2], [0.2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
    rows = Neighbours(matrix, "cosine").to_frame(["a", "b", "c", "d"], "customer_id")
    assert rows.columns.tolist() == ["method", "customer_id", "neighbour_id", "similarity", "rank"]
    found = rows[["customer_id", "neighbour_id", "rank"]].to_numpy().tolist()
    assert found == [["a", "c", 1], ["a", "b", 2], ["a", "d", 3], ["b", "a", 1]]
    assert set(rows["method"]) == {"cosine"}


def test_ids_that_do_not_fit_the_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="1 ids for 2 rows"):
        Neighbours.none(2, "cosine").to_arrow(["a"], "item_id")
