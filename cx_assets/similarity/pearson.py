"""Neighbours by Pearson correlation: whose tastes go up and down together.

Belongs here: the definition of the correlation over sparse rows and its k nearest rows. Does not: choosing between
ratings and counts (`assets`).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.similarity.neighbours import (
    TIE,
    Neighbours,
    Pairs,
    apart,
    best,
    kth_best,
    nearest,
    of_rows,
    require_k,
    where,
)
from cx_assets.similarity.overlap import share_at_least
from cx_assets.similarity.products import COUNT_UNIT, Products, counted, joined, row_sums, unit_rows, with_counts

METHOD = "pearson"

# Correlations end at -1; a threshold below it keeps all of them, the negative ones too.
BELOW_ALL = -2.0

# Candidates fetched beyond k at first: with fewer, most rows of a long-tailed matrix are fetched twice.
SPARE = 150

# Pairs with enough overlap that are listed for one row; a row with more is likely to find k of them by correlation.
LISTED = 1_000


def top_k_pearson(matrix: csr_matrix, k: int, *, min_overlap: int = 2) -> Neighbours:
    """The k rows of highest Pearson correlation with every row.

    With R(a) the features that row a has an entry for ("has rated") and m(a) the mean of a's entries **over all of
    R(a)**:

                          sum over R(a) and R(b) of (a_f - m(a)) * (b_f - m(b))
        pearson(a, b) = -----------------------------------------------------------------------
                        sqrt(sum over R(a) of (a_f - m(a))^2) * sqrt(sum over R(b) of (b_f - m(b))^2)

    The numerator runs over co-rated features, means and lengths over all rated ones. So a pair that agrees on the few
    features that it shares, out of many, is not perfectly correlated, as it would be with means and lengths over the
    co-rated ones. Where both rows rate the same features it is the textbook correlation.

    - A pair with fewer than `min_overlap` co-rated features has no correlation, in either direction.
    - A row whose entries are all equal has no variance: no neighbours, and it is nobody's.
    - Negative correlations are kept where a row has fewer than k better ones: who disagrees is information.

    The result is exact: no pair is left out for speed.

    Args:
        matrix: CSR of shape (rows, features), finite; an entry is a rating, an absence is not a rating of 0.
        k: neighbours to keep per row, at least 1.
        min_overlap: co-rated features that a pair needs, at least 1.

    Returns:
        Neighbours with similarities in [-1, 1]; of equally similar rows (closer than 1e-8) the lowest positions.

    Raises:
        ValueError: if `k` or `min_overlap` is below 1, or a value is not finite.

    Source: Resnick et al. (1994), "GroupLens: an open architecture for collaborative filtering of netnews"; with
        lengths over all rated items as in Aggarwal (2016), "Recommender systems", section 2.3.1.
    """
    require_k(k)
    if min_overlap < 1:
        raise ValueError(f"min_overlap must be at least 1; it is {min_overlap}")
    if not np.isfinite(matrix.data).all():
        raise ValueError("Pearson neighbours need finite values")
    size = matrix.shape[0]
    able = np.flatnonzero(_varies(matrix) & (np.diff(matrix.indptr) >= min_overlap))
    if not len(able):
        return Neighbours.none(size, METHOD)
    # Rows that can have no neighbour can be none, so the product is made without them.
    rows, columns, similarities = _best_pairs(_centred(matrix[able]), k, min_overlap)
    return Neighbours(nearest((able[rows], able[columns], similarities), k, size), METHOD)


def _best_pairs(unit: csr_matrix, k: int, min_overlap: int) -> Pairs:
    """The k best eligible pairs of every row: those with enough overlap.

    First by correlation: most rows have k eligible ones among their first. The others tend to have few eligible ones
    altogether, so those are listed whole, by overlap. Rows of neither kind are fetched deeper and deeper.
    """
    products = Products(unit)
    fetch = k + SPARE
    pending, parts = _by_correlation(products, unit, np.arange(unit.shape[0]), fetch, k, min_overlap)
    if len(pending):
        pending, more = _by_overlap(unit, pending, k, min_overlap)
        parts += more
    while len(pending):
        fetch *= 4
        pending, more = _by_correlation(products, unit, pending, fetch, k, min_overlap)
        parts += more
    return joined(parts)


def _by_correlation(
    products: Products, unit: csr_matrix, asked: NDArray[np.int64], fetch: int, k: int, min_overlap: int
) -> tuple[NDArray[np.int64], list[Pairs]]:
    """The rows whose k best aren't certain from their `fetch` highest correlations; the k best pairs of the others."""
    pending, parts = [], []
    size = unit.shape[0]
    for found in products.largest(asked, fetch, above=BELOW_ALL):
        others = apart(found.pairs)
        eligible = where(others, share_at_least(unit, others[0], others[1], min_overlap))
        # Certain if nothing was left out, or if the k-th best beats all that was. Of equal positive products the lowest
        # positions were fetched, so among those a draw is enough.
        kth = kth_best(eligible, k, size)[found.asked]
        sure = np.isneginf(found.last) | (kth > found.last + TIE) | (kth > TIE)
        pending.append(found.asked[~sure])
        parts.append(best(of_rows(eligible, found.asked[sure], size), k, size))
    return np.concatenate(pending), parts


def _by_overlap(
    unit: csr_matrix, asked: NDArray[np.int64], k: int, min_overlap: int
) -> tuple[NDArray[np.int64], list[Pairs]]:
    """The rows with more eligible pairs than are listed; the k best pairs of the others."""
    pending, parts = [], []
    size = unit.shape[0]
    for found in Products(with_counts(unit)).largest(asked, LISTED, above=COUNT_UNIT * (min_overlap - 0.5)):
        listed = np.isneginf(found.last)
        pending.append(found.asked[~listed])
        rows, columns, values = of_rows(apart(found.pairs), found.asked[listed], size)
        parts.append(best((rows, columns, counted(values)[0]), k, size))
    return np.concatenate(pending), parts


def _varies(matrix: csr_matrix) -> NDArray[np.bool_]:
    """Rows whose entries are not all equal: compared as they are, since the mean of equal entries may be rounded."""
    if not matrix.nnz:
        return np.zeros(matrix.shape[0], dtype=bool)
    # An empty row has no first entry; the one that stands in for it is repeated no times.
    firsts = matrix.data[np.minimum(matrix.indptr[:-1], matrix.nnz - 1)]
    differs = matrix.data != np.repeat(firsts, np.diff(matrix.indptr))
    return row_sums(matrix, differs.astype(np.float64)) > 0


def _centred(matrix: csr_matrix) -> csr_matrix:
    """Rows less their own mean, of length 1. An entry that equals the mean stays, as a stored zero: it is co-rated."""
    data = matrix.data.astype(np.float64)
    counts = np.diff(matrix.indptr)
    means = row_sums(matrix, data) / counts
    return unit_rows(csr_matrix((data - np.repeat(means, counts), matrix.indices, matrix.indptr), shape=matrix.shape))
