import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, random_array
from sklearn.metrics.pairwise import cosine_similarity

from cx_assets.similarity import cosine, products, top_k_cosine
from cx_assets_tests.similarity.brute import assert_same, k_best

# Few distinct values, so that draws are common.
COUNTS = arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(1, 6)), elements=st.sampled_from([0, 0, 1, 2, 5]))


def test_the_seed_example_has_cosine_0_94() -> None:
    near = top_k_cosine(csr_matrix(np.array([[5, 3, 4], [4, 5, 3]], dtype=np.float32)), 1)
    assert near.matrix.toarray().tolist() == [[0, pytest.approx(0.94)], [pytest.approx(0.94), 0]]


@given(COUNTS, st.integers(1, 13))
def test_neighbours_are_those_of_brute_force(values: NDArray[np.float32], k: int) -> None:
    similarity = cosine_similarity(values.astype(np.float64))
    assert_same(top_k_cosine(csr_matrix(values), k).matrix, k_best(similarity, similarity > 1e-9, k))


@given(COUNTS, st.integers(1, 13), st.sampled_from([0.5, 3.0, 100.0]))
def test_shrunk_neighbours_are_those_of_brute_force(values: NDArray[np.float32], k: int, shrinkage: float) -> None:
    shared = (values > 0).astype(float) @ (values > 0).astype(float).T
    similarity = cosine_similarity(values.astype(np.float64)) * shared / (shared + shrinkage)
    assert_same(top_k_cosine(csr_matrix(values), k, shrinkage=shrinkage).matrix, k_best(similarity, shared > 0, k))


@pytest.mark.parametrize("shrinkage", [0.0, 5.0])
def test_work_in_blocks_gives_the_same_neighbours(monkeypatch: pytest.MonkeyPatch, shrinkage: float) -> None:
    rng = np.random.default_rng(7)
    values = csr_matrix(
        random_array((200, 60), density=0.1, rng=rng, data_sampler=lambda size: rng.integers(1, 4, size))
    )
    whole = top_k_cosine(values, 5, shrinkage=shrinkage).matrix
    monkeypatch.setattr(products, "PLACES_AT_ONCE", 50)
    monkeypatch.setattr(cosine, "ENTRIES_AT_ONCE", 300)
    in_blocks = top_k_cosine(values, 5, shrinkage=shrinkage).matrix
    np.testing.assert_array_equal(whole.indices, in_blocks.indices)
    np.testing.assert_array_equal(whole.data, in_blocks.data)


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = csr_matrix(random_array((300, 40), density=0.1, rng=np.random.default_rng(3)).astype(np.float32))
    several = top_k_cosine(values, 5).matrix
    monkeypatch.setattr(products, "threads", lambda: 1)
    single = top_k_cosine(values, 5).matrix
    np.testing.assert_array_equal(several.indices, single.indices)
    np.testing.assert_array_equal(several.data, single.data)


def test_a_row_without_entries_has_no_neighbours_and_is_nobodys() -> None:
    near = top_k_cosine(csr_matrix(np.array([[1, 1], [0, 0], [1, 0]], dtype=np.float32)), 5).matrix
    assert np.diff(near.indptr).tolist() == [1, 0, 1]
    assert 1 not in near.indices


@pytest.mark.parametrize("shape", [(0, 0), (1, 0), (3, 0), (1, 4), (0, 4)])
def test_nothing_to_compare_gives_no_neighbours(shape: tuple[int, int]) -> None:
    assert top_k_cosine(csr_matrix(np.ones(shape, dtype=np.float32)), 3).matrix.nnz == 0


@pytest.mark.parametrize(
    ("values", "k", "shrinkage", "complaint"),
    [
        ([[1.0]], 0, 0.0, "k must be at least 1"),
        ([[1.0]], 1, -1.0, "shrinkage"),
        ([[-1.0]], 1, 0.0, "not negative"),
        ([[np.nan]], 1, 0.0, "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(values: list[list[float]], k: int, shrinkage: float, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        top_k_cosine(csr_matrix(values), k, shrinkage=shrinkage)


def test_only_partners_are_neighbours_and_every_row_has_the_best_of_them():
    matrix = csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 1]], dtype=np.float32))
    partners = np.array([False, True, True, False])
    found = top_k_cosine(matrix, 2, partners=partners).matrix.toarray()
    unit = matrix.toarray() / np.linalg.norm(matrix.toarray(), axis=1, keepdims=True)
    wanted = unit @ unit.T * partners * ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_without_partners_nobody_has_neighbours():
    matrix = csr_matrix(np.ones((3, 2), dtype=np.float32))
    assert top_k_cosine(matrix, 2, partners=np.zeros(3, dtype=bool)).matrix.nnz == 0
