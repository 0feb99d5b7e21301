"""Sparse products of rows with rows of which only the largest entries are kept.

Belongs here: calling sparse_dot_topn so that it is fast, bounded in memory and decides between equals as `neighbours`
does, and getting a product and its overlap in one pass. Does not: what the rows mean (`cosine`, `pearson`, `content`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sparse_dot_topn import sp_matmul_topn

from cx_assets.similarity.neighbours import Pairs, tilt

# sparse_dot_topn lays out rows * top places of 12 bytes before it starts; what it finds costs about as much again,
# twice.
PLACES_AT_ONCE = 2_000_000

# A product of two unit rows is within 1 of 0, so a multiple of 4 can be told apart from it.
COUNT_UNIT = 4.0


@dataclass(frozen=True)
class Found:
    """The largest products of some rows.

    Attributes:
        asked: the rows.
        last: float64, for each asked row: no product that was left out is above it; minus infinity where none was left
            out.
        pairs: row, the row that it was multiplied with (itself included), product; grouped by row.
    """

    asked: NDArray[np.int64]
    last: NDArray[np.float64]
    pairs: Pairs


class Products:
    """All rows of a matrix, ready to be multiplied with some of them.

    Args:
        matrix: float64 CSR of shape (rows, features). A stored zero is an entry: a product is found for every two rows
            that share a feature, even where it is 0.
        partners: bool of shape (rows,), the rows that others are multiplied with; None for all.
    """

    def __init__(self, matrix: csr_matrix, partners: NDArray[np.bool_] | None = None) -> None:
        self._matrix = matrix
        self._size = matrix.shape[0]
        counts = np.diff(matrix.indptr)
        # Rows with many entries side by side: they are met most often, and so stay in the processor's cache together.
        self._order = np.argsort(-counts, kind="stable")
        if partners is not None:
            self._order = self._order[partners[self._order]]
        lowered = matrix.data * (1.0 - np.repeat(tilt(np.arange(self._size), self._size), counts))
        right = csr_matrix((lowered, matrix.indices, matrix.indptr), shape=matrix.shape)[self._order]
        self._right = csr_matrix(right.T)

    def largest(self, rows: NDArray[np.int64], top: int, *, above: float) -> Iterator[Found]:
        """For each of `rows` its largest products with any row, itself included, some rows at a time.

        Args:
            rows: positions in the matrix, each once.
            top: how many to keep per row, at least 1. Of equal positive products the lowest positions are kept.
            above: keep only products above this.

        Yields:
            What was found for a part of the rows; the parts together are all of them.
        """
        if not len(rows):
            return
        top = max(1, min(top, len(self._order)))
        blocks = -(-len(rows) // max(1, PLACES_AT_ONCE // top))
        # Dealt out by size, because the library gives each thread the same number of consecutive rows.
        by_size = rows[np.argsort(-np.diff(self._matrix.indptr)[rows], kind="stable")]
        for start in range(blocks):
            yield self._block(_dealt(by_size[start::blocks], threads()), top, above)

    def _block(self, rows: NDArray[np.int64], top: int, above: float) -> Found:
        if not self._matrix.nnz or not len(self._order):
            nothing = np.zeros(0, dtype=np.int64)
            return Found(rows, np.full(len(rows), -np.inf), (nothing, nothing, np.zeros(0)))
        product: Any = sp_matmul_topn(
            self._matrix[rows], self._right, top_n=top, threshold=above, sort=True, n_threads=threads()
        )
        counts = np.diff(product.indptr)
        columns = self._order[product.indices]
        values = product.data / (1.0 - tilt(columns, self._size))
        last = np.full(len(rows), -np.inf)
        # A list that is full may have left something out, unless it has all rows.
        full = (counts == top) & (top < len(self._order))
        last[full] = values[product.indptr[1:][full] - 1]
        return Found(rows, last, (np.repeat(rows, counts), columns, values))


def joined(parts: list[Pairs]) -> Pairs:
    """Pairs of several parts as one."""
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, np.zeros(0)
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, values


def with_counts(unit: csr_matrix) -> csr_matrix:
    """Unit rows, extended so that their product also says how many features they share; `counted` takes it apart.

    Args:
        unit: float64 CSR of shape (rows, features), rows of length 1. A stored zero is an entry.
    """
    ones = csr_matrix((np.full(unit.nnz, np.sqrt(COUNT_UNIT)), unit.indices, unit.indptr), shape=unit.shape)
    return csr_matrix(hstack([unit, ones], format="csr"))


def counted(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The product of two unit rows and the number of features they share, from a product of rows `with_counts`."""
    shared = np.rint(values / COUNT_UNIT)
    return values - shared * COUNT_UNIT, shared


def threads() -> int:
    """Threads for a product: the processors that this process may use. Results do not depend on it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def unit_rows(matrix: csr_matrix) -> csr_matrix:
    """The matrix in float64 with every row scaled to length 1; rows of length 0 stay as they are.

    Args:
        matrix: CSR of shape (rows, features).
    """
    data = matrix.data.astype(np.float64)
    lengths = np.sqrt(row_sums(matrix, data * data))
    lengths[lengths == 0] = 1.0
    scaled = data / np.repeat(lengths, np.diff(matrix.indptr))
    return csr_matrix((scaled, matrix.indices, matrix.indptr), shape=matrix.shape)


def row_sums(matrix: csr_matrix, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over each row of `values`, one value per stored entry of the matrix, zeros included."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(rows, weights=values, minlength=matrix.shape[0]).astype(np.float64)


def _dealt(rows: NDArray[np.int64], hands: int) -> NDArray[np.int64]:
    return np.concatenate([rows[hand::hands] for hand in range(hands)])
