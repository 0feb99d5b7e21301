import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array

from cx_assets.similarity import pearson, products, top_k_pearson
from cx_assets_tests.similarity.brute import as_lists, assert_same, k_best

RATINGS = arrays(
    np.float32, st.tuples(st.integers(1, 12), st.integers(1, 7)), elements=st.sampled_from([0, 0, 1, 3, 5])
)


def by_definition(values: NDArray[np.float32], min_overlap: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The correlations as the docstring defines them, pair by pair, and which pairs have one."""
    size = len(values)
    similarity, allowed = np.zeros((size, size)), np.zeros((size, size), dtype=bool)
    rated = values != 0
    centred = [
        np.where(r, v - v[r].mean(), 0.0) if r.any() else v * 0.0
        for v, r in zip(values.astype(float), rated, strict=True)
    ]
    varies = [len(set(v[r].tolist())) > 1 for v, r in zip(values, rated, strict=True)]
    for a in range(size):
        for b in range(size):
            allowed[a, b] = varies[a] and varies[b] and (rated[a] & rated[b]).sum() >= min_overlap
            if allowed[a, b]:
                lengths = np.linalg.norm(centred[a]) * np.linalg.norm(centred[b])
                similarity[a, b] = centred[a] @ centred[b] / lengths
    return similarity, allowed


def test_the_seed_example_has_pearson_minus_0_5() -> None:
    near = top_k_pearson(csr_matrix(np.array([[5, 3, 4], [4, 5, 3]], dtype=np.float32)), 1)
    assert near.matrix.toarray().tolist() == [[0, pytest.approx(-0.5)], [pytest.approx(-0.5), 0]]


def test_where_all_rate_all_it_is_the_correlation_of_numpy_and_pandas() -> None:
    values = np.random.default_rng(1).integers(1, 6, size=(9, 20)).astype(np.float32)
    found = top_k_pearson(csr_matrix(values), 8).matrix.toarray() + np.eye(9)
    np.testing.assert_allclose(found, np.corrcoef(values.astype(np.float64)), atol=1e-6)
    np.testing.assert_allclose(found, pd.DataFrame(values.T.astype(np.float64)).corr(), atol=1e-6)


@given(RATINGS, st.integers(1, 13), st.integers(1, 4))
def test_neighbours_are_those_of_the_definition(values: NDArray[np.float32], k: int, min_overlap: int) -> None:
    similarity, allowed = by_definition(values, min_overlap)
    assert_same(top_k_pearson(csr_matrix(values), k, min_overlap=min_overlap).matrix, k_best(similarity, allowed, k))


@pytest.mark.parametrize("min_overlap", [1, 2, 3, 4])
@pytest.mark.parametrize(("spare", "listed"), [(0, 1), (0, 5), (3, 1), (3, 40), (150, 1000)])
def test_how_candidates_are_fetched_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, min_overlap: int, spare: int, listed: int
) -> None:
    rng = np.random.default_rng(5)
    values = random_array((80, 25), density=0.2, rng=rng, data_sampler=lambda size: rng.integers(1, 5, size))
    monkeypatch.setattr(pearson, "SPARE", spare)
    monkeypatch.setattr(pearson, "LISTED", listed)
    monkeypatch.setattr(products, "PLACES_AT_ONCE", 100)
    similarity, allowed = by_definition(values.toarray().astype(np.float32), min_overlap)
    found = top_k_pearson(csr_matrix(values.astype(np.float32)), 4, min_overlap=min_overlap)
    assert_same(found.matrix, k_best(similarity, allowed, 4))


def test_means_and_lengths_are_over_all_that_a_row_rated() -> None:
    # Row 0 has mean 3 over 4 entries: centred (2, 0, -2, 0). Row 1 has mean 2 over 2: centred (1, -1).
    values = csr_matrix(np.array([[5, 3, 1, 3], [3, 1, 0, 0]], dtype=np.float32))
    wanted = (2 * 1 + 0 * -1) / (np.sqrt(8) * np.sqrt(2))
    assert as_lists(top_k_pearson(values, 1).matrix)[0] == [(1, pytest.approx(wanted))]


def test_a_row_whose_ratings_are_all_equal_has_no_neighbours_and_is_nobodys() -> None:
    equal = np.float32(np.log1p(1))
    values = csr_matrix(np.array([[equal] * 7, [1, 2, 3, 4, 5, 6, 7], [2, 1, 3, 4, 5, 6, 7]], dtype=np.float32))
    near = top_k_pearson(values, 5).matrix
    assert np.diff(near.indptr).tolist() == [0, 1, 1]
    assert 0 not in near.indices


def test_a_pair_with_too_little_overlap_has_no_correlation() -> None:
    values = csr_matrix(np.array([[1, 2, 0, 3], [1, 2, 3, 0], [0, 2, 1, 0]], dtype=np.float32))
    near = as_lists(top_k_pearson(values, 5, min_overlap=2).matrix)
    assert [[c for c, _ in row] for row in near] == [[1], [0, 2], [1]]


@pytest.mark.parametrize("shape", [(0, 0), (1, 0), (3, 0), (1, 4), (0, 4), (3, 4)])
def test_nothing_to_compare_gives_no_neighbours(shape: tuple[int, int]) -> None:
    assert top_k_pearson(csr_matrix(np.ones(shape, dtype=np.float32)), 3).matrix.nnz == 0


@pytest.mark.parametrize(
    ("value", "k", "min_overlap", "complaint"),
    [(1.0, 0, 2, "k must"), (1.0, 1, 0, "min_overlap"), (np.inf, 1, 2, "finite")],
)
def test_what_makes_no_sense_is_refused(value: float, k: int, min_overlap: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        top_k_pearson(csr_matrix([[value]]), k, min_overlap=min_overlap)
