"""Neighbours by cosine: who is like whom, and what is like what.

Belongs here: turning a sparse matrix of non-negative values into the k nearest rows of each row. Does not: weighting
(`matrices` has done that) or ranking items for a customer (`recommendations`).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.similarity.neighbours import Neighbours, apart, best, nearest, require_k, where
from cx_assets.similarity.products import Products, counted, joined, row_sums, unit_rows, with_counts

METHOD = "cosine"

# Entries of a whole product held at once: about 60 bytes each.
ENTRIES_AT_ONCE = 4_000_000


def top_k_cosine(
    matrix: csr_matrix, k: int, *, shrinkage: float = 0.0, partners: NDArray[np.bool_] | None = None
) -> Neighbours:
    """The k most similar rows of every row, by cosine of their vectors.

        cosine(a, b) = sum of a_f * b_f over the features / (length of a * length of b)

    times n / (n + shrinkage), n being the number of features that both have: an angle seen in few features is worth
    less.

    The result is exact: no candidate is left out for speed. Similarities closer than 1e-8 count as equal.

    Args:
        matrix: CSR of shape (rows, features), non-negative and finite, no explicit zeros.
        k: neighbours to keep per row, at least 1; a row with fewer positive similarities gets fewer, an empty row none.
        shrinkage: 0 for plain cosine. Above 0 whole products are made, which takes several times as long.
        partners: bool of shape (rows,): the rows that may be neighbours; None for all. Every row gets neighbours.

    Returns:
        Neighbours of similarity above 0 and at most 1; of equally similar rows the lowest positions. A row is never its
        own neighbour.

    Raises:
        ValueError: if `k` is below 1, `shrinkage` below 0, or a value negative or not finite.

    Source: Deshpande & Karypis (2004), "Item-based top-N recommendation algorithms", section 4.1; the shrinkage is Bell
        & Koren (2007), "Improved neighborhood-based collaborative filtering", section 2.
    """
    require_k(k)
    if shrinkage < 0:
        raise ValueError(f"shrinkage must not be negative; it is {shrinkage}")
    if not (np.isfinite(matrix.data).all() and (matrix.data >= 0).all()):
        raise ValueError("cosine neighbours need values that are finite and not negative")
    unit = unit_rows(matrix)
    size = matrix.shape[0]
    if shrinkage:
        return Neighbours(_shrunk(unit, k, shrinkage, partners), METHOD)
    found = Products(unit, partners).largest(np.arange(size), k + 1, above=0.0)
    return Neighbours(nearest(joined([part.pairs for part in found]), k, size), METHOD)


def _shrunk(unit: csr_matrix, k: int, shrinkage: float, partners: NDArray[np.bool_] | None) -> csr_matrix:
    """The k best rows by shrunk cosine, from whole products, because the best by plain cosine may not be the best."""
    size = unit.shape[0]
    left = with_counts(unit)
    right = csr_matrix(left.T)
    # A row of the product has at most as many entries as the columns of its features have together.
    per_feature = np.bincount(unit.indices, minlength=unit.shape[1])
    entries = np.minimum(row_sums(unit, per_feature[unit.indices].astype(np.float64)), size)
    parts = []
    for rows in _blocks(entries):
        product = csr_matrix(left[rows] @ right)
        cosine, shared = counted(product.data)
        of = np.repeat(rows, np.diff(product.indptr))
        pairs = (of, product.indices.astype(np.int64), cosine * shared / (shared + shrinkage))
        if partners is not None:
            pairs = where(pairs, partners[pairs[1]])
        parts.append(best(apart(pairs), k, size))
    return nearest(joined(parts), k, size)


def _blocks(entries: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Consecutive rows, cut so that each block's entries fit in memory at once."""
    block = np.cumsum(entries) // ENTRIES_AT_ONCE
    return np.split(np.arange(len(entries)), np.flatnonzero(np.diff(block)) + 1)
