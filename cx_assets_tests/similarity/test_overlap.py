import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from cx_assets.similarity import overlap
from cx_assets.similarity.overlap import share_at_least


@pytest.mark.parametrize("minimum", [1, 3, 10, 40])
def test_pairs_share_what_a_dense_product_counts(monkeypatch: pytest.MonkeyPatch, minimum: int) -> None:
    # More features than one bit set holds, and more pairs than are counted at once.
    monkeypatch.setattr(overlap, "PAIRS_AT_ONCE", 100)
    values = csr_matrix(random_array((30, 2000), density=0.08, rng=np.random.default_rng(4)))
    left, right = (side.ravel() for side in np.meshgrid(np.arange(30), np.arange(30)))
    dense = (values.toarray() != 0).astype(int)
    wanted = (dense @ dense.T)[left, right] >= minimum
    different = left != right
    found = share_at_least(values, left, right, minimum)
    np.testing.assert_array_equal(found[different], wanted[different])


def test_a_stored_zero_is_an_entry() -> None:
    values = csr_matrix((np.array([0.0, 1.0]), (np.array([0, 1]), np.array([0, 0]))), shape=(2, 1))
    assert share_at_least(values, np.array([0]), np.array([1]), 1).tolist() == [True]
