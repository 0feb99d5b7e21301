"""Brute force: the k best of a whole dense matrix of similarities, by the rule that Neighbours promises."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix


def k_best(similarity: NDArray[np.float64], allowed: NDArray[np.bool_], k: int) -> list[list[tuple[int, float]]]:
    """For each row its k best (position, similarity): similarity descending, equals by position."""
    size = len(similarity)
    lists = []
    for row in range(size):
        candidates = [(-round(similarity[row, c], 9), c) for c in range(size) if c != row and allowed[row, c]]
        lists.append([(c, -value + 0.0) for value, c in sorted(candidates)[:k]])
    return lists


def as_lists(matrix: csr_matrix) -> list[list[tuple[int, float]]]:
    """The same of a matrix of neighbours."""
    lists = []
    for row in range(matrix.shape[0]):
        entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
        pairs = zip(matrix.indices[entries].tolist(), matrix.data[entries].tolist(), strict=True)
        lists.append(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
    return lists


def assert_same(found: csr_matrix, wanted: list[list[tuple[int, float]]]) -> None:
    """Same neighbours, same similarities up to float32."""
    for row, (ours, theirs) in enumerate(zip(as_lists(found), wanted, strict=True)):
        assert {c for c, _ in ours} == {c for c, _ in theirs}, row
        np.testing.assert_allclose([v for _, v in ours], [v for _, v in theirs], atol=1e-6)
