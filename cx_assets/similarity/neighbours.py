"""What every similarity method returns: at most k neighbours per row, and the rule that decides between equals.

Belongs here: keeping the best k of many candidates (`nearest`) and writing them out as rows of a table. Does not: where
the candidates come from (`products`) or what their similarity means (`cosine`, `pearson`, `content`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

# Similarities closer than this are equal: it is above the rounding error of a float64 sum of products, and below what
# float32, in which similarities are stored, can tell apart near 1.
TIE = 1e-8

# What rounding leaves of a sum that is 0.
ZERO = 1e-12

# Pairs among which k-th bests are found at once.
GRID_CELLS = 1_000_000

# Pairs as three arrays of one length: a row, another row, their similarity.
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row.

    Attributes:
        matrix: float32 CSR of shape (rows, rows), indices sorted; entry (i, j) is the similarity of i and its neighbour
            j. At most k entries per row, none on the diagonal; a stored 0 is a similarity of 0, not an absence.
        method: cosine, pearson or content.
    """

    matrix: csr_matrix
    method: str

    @classmethod
    def none(cls, size: int, method: str) -> Self:
        """No neighbours for any of `size` rows."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nearest((nothing, nothing, np.zeros(0)), 1, size), method)

    def to_arrow(self, ids: Sequence[str] | NDArray[np.object_], id_column: str) -> pa.Table:
        """One row per neighbour, for a table.

        Args:
            ids: what row i of the matrix is about; as many as it has rows.
            id_column: the name of the first id column, customer_id or item_id.

        Returns:
            method, `id_column`, neighbour_id (string); similarity (float); rank (int32, from 1: similarity descending,
            ties by ascending neighbour position). Ordered by row, then rank.

        Raises:
            ValueError: if the number of ids is not the number of rows.
        """
        size = self.matrix.shape[0]
        if len(ids) != size:
            raise ValueError(f"{len(ids):,} ids for {size:,} rows of neighbours")
        counts = np.diff(self.matrix.indptr)
        rows = np.repeat(np.arange(size), counts)
        order = np.lexsort((self.matrix.indices, -self.matrix.data, rows))
        rank = np.arange(len(rows)) - np.repeat(self.matrix.indptr[:-1], counts) + 1
        names = pa.array(ids, pa.string())
        return pa.table(
            {
                "method": pa.array([self.method]).take(pa.array(np.zeros(len(rows), dtype=np.int32))),
                id_column: names.take(pa.array(rows)),
                "neighbour_id": names.take(pa.array(self.matrix.indices[order])),
                "similarity": pa.array(self.matrix.data[order]),
                "rank": pa.array(rank.astype(np.int32)),
            }
        )

    def to_frame(self, ids: Sequence[str] | NDArray[np.object_], id_column: str) -> pd.DataFrame:
        """The same as a DataFrame."""
        frame: pd.DataFrame = self.to_arrow(ids, id_column).to_pandas()
        return frame


def nearest(pairs: Pairs, k: int, size: int) -> csr_matrix:
    """The k best pairs of every row, as a matrix.

    Args:
        pairs: candidates, grouped by row, none twice.
        k: how many to keep per row.
        size: number of rows there are.

    Returns:
        float32 CSR of shape (size, size), indices sorted, values within [-1, 1], nothing on the diagonal. Similarities
        closer than `TIE` count as equal, and of equals the lowest positions are kept.
    """
    rows, columns, similarities = best(apart(pairs), k, size)
    values = np.clip(similarities, -1.0, 1.0)
    values[np.abs(values) < ZERO] = 0.0
    matrix = csr_matrix((values.astype(np.float32), (rows, columns)), shape=(size, size))
    matrix.sort_indices()
    return matrix


def apart(pairs: Pairs) -> Pairs:
    """The pairs of different rows."""
    return where(pairs, pairs[0] != pairs[1])


def where(pairs: Pairs, keep: NDArray[np.bool_]) -> Pairs:
    """Some of the pairs."""
    return pairs[0][keep], pairs[1][keep], pairs[2][keep]


def grouped(pairs: Pairs) -> Pairs:
    """The pairs in ascending order of their rows."""
    order = np.argsort(pairs[0], kind="stable")
    return pairs[0][order], pairs[1][order], pairs[2][order]


def of_rows(pairs: Pairs, rows: NDArray[np.int64], size: int) -> Pairs:
    """The pairs of some rows, of `size` that there are."""
    wanted = np.zeros(size, dtype=bool)
    wanted[rows] = True
    return where(pairs, wanted[pairs[0]])


def best(pairs: Pairs, k: int, size: int) -> Pairs:
    """The k best pairs of every row, in the order in which they came.

    Args:
        pairs: candidates, grouped by row, none twice.
        k: how many to keep per row.
        size: a number above all rows and columns.
    """
    rows = pairs[0]
    crowded = np.bincount(rows, minlength=size) > k
    # Sorting is what costs, so it is left for rows with a draw at their k-th place.
    pairs = where(pairs, ~crowded[rows] | (pairs[2] >= kth_best(pairs, k, size)[rows] - TIE))
    rows, columns, similarities = pairs
    counts = np.bincount(rows, minlength=size)
    drawn = np.flatnonzero(counts[rows] > k)
    clean = np.where(np.abs(similarities[drawn]) < ZERO, 0.0, similarities[drawn])
    order = np.lexsort((columns[drawn], -tilted(clean, columns[drawn], size), rows[drawn]))
    of_drawn = np.where(counts > k, counts, 0)
    rank = np.arange(len(drawn)) - np.repeat(np.cumsum(of_drawn) - of_drawn, of_drawn)
    keep = np.ones(len(rows), dtype=bool)
    keep[drawn[order[rank >= k]]] = False
    return where(pairs, keep)


def kth_best(pairs: Pairs, k: int, size: int) -> NDArray[np.float64]:
    """The k-th highest similarity of every row, minus infinity for a row with fewer pairs; arguments as of `best`."""
    rows, _, similarities = pairs
    kth = np.full(size, -np.inf)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(starts, append=len(rows))
    enough = np.flatnonzero(lengths >= k)
    # Rows of similar length go through one grid together, so that a long one does not widen it for all.
    by_length = enough[np.argsort(lengths[enough], kind="stable")]
    cuts = np.flatnonzero(np.diff(np.cumsum(lengths[by_length]) // GRID_CELLS)) + 1
    for some in np.split(by_length, cuts) if len(enough) else []:
        within = np.arange(int(lengths[some].max()))
        inside = within < lengths[some, None]
        place = np.where(inside, starts[some, None] + within, 0)
        grid = np.where(inside, similarities[place], -np.inf)
        kth[rows[starts[some]]] = np.partition(grid, -k, axis=1)[:, -k]
    return kth


def tilted(similarities: NDArray[np.float64], columns: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Similarities lowered by less than `TIE`, the more the higher the position, so that no two equals stay equal."""
    return similarities - np.abs(similarities) * tilt(columns, size)


def tilt(columns: NDArray[Any], size: int) -> NDArray[np.float64]:
    """The share by which `tilted` lowers each position: from 0 for the first towards `TIE` for the last."""
    return columns * (TIE / max(size, 1))


def require_k(k: int) -> None:
    """Refuse a number of neighbours that makes no sense.

    Raises:
        ValueError: if `k` is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1; it is {k}")
