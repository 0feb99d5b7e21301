"""Small tools over sparse matrices that several recommenders share.

Belongs here: arithmetic on CSR rows that SciPy has no word for. Does not: anything that knows what a customer or an
item is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix


def filled(matrix: csr_matrix, value: float) -> csr_matrix:
    """float32 CSR with the same pattern and one value everywhere; the pattern is shared, not copied."""
    return csr_matrix((np.full(matrix.nnz, value, np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def select_entries(matrix: csr_matrix, kept: NDArray[np.bool_]) -> csr_matrix:
    """The marked entries, in the same order.

    Args:
        matrix: CSR.
        kept: shape (nnz,).
    """
    indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return csr_matrix((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)


def row_of_entry(matrix: csr_matrix) -> NDArray[np.intp]:
    """Shape (nnz,): the row of each stored entry."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))


def places(flags: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of every mark of a small block, in order; much faster than `np.nonzero` of two dimensions."""
    flat = np.flatnonzero(flags.reshape(-1))
    row = flat // flags.shape[1] if flags.shape[1] else flat
    return row, flat - row * flags.shape[1]


def from_flags(flags: NDArray[np.bool_], values: NDArray[np.float32]) -> csr_matrix:
    """float32 CSR, indices sorted: the value of its column at every place that is marked.

    Args:
        flags: shape (rows, columns), of a small block of rows.
        values: shape (columns,).
    """
    row, column = places(flags)
    return csr_matrix((values[column].astype(np.float32), (row, column)), shape=flags.shape)


def ranges(starts: NDArray[Any], lengths: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Many ranges laid end to end.

    Returns:
        For each number of each range: which range it is of, and the number (`starts[r]` up to `starts[r] + lengths[r]
        - 1`).
    """
    owner = np.repeat(np.arange(len(lengths)), lengths)
    ends = np.cumsum(lengths)
    inside = np.arange(len(owner)) - np.repeat(ends - lengths, lengths)
    return owner, np.asarray(np.asarray(starts)[owner] + inside, dtype=np.intp)


def at(matrix: csr_matrix, rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[Any]:
    """Shape (n,): the entries at (rows[i], columns[i]), 0 where there is none."""
    if not len(rows):
        return np.empty(0, dtype=matrix.dtype)
    return np.asarray(matrix[rows, columns]).ravel()


def membership(ids: NDArray[np.object_]) -> pd.DataFrame:
    """An index as a table: id, position (int32)."""
    return pd.DataFrame({"id": pd.array(ids, dtype="str"), "position": np.arange(len(ids), dtype=np.int32)})
