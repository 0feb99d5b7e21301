"""The interaction matrix: one sparse array and the two indices that say what its rows and columns are.

Belongs here: making the matrix from rows and finding a customer's row or an item's column. Does not: what the values
mean (`interactions`) or what is computed with them (`similarity`, `recommendations`). The three travel in one object
because a matrix without its indices, or with another's, gives wrong answers and no error.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.table import Table, sql
from cx_assets.table.schema import quoted


@dataclass(frozen=True)
class InteractionMatrix:
    """Customers x items, sparse.

    Attributes:
        matrix: float32 CSR of shape (customers, items), indices sorted, finite, no explicit zeros.
        customers: object array of customer_id, ascending; entry i is what row i is about.
        items: object array of item_id, ascending; entry j is what column j is about.
    """

    matrix: csr_matrix
    customers: NDArray[np.object_]
    items: NDArray[np.object_]

    @classmethod
    def from_table(cls, table: Table, value: str = "weight") -> Self:
        """The matrix of one column of a table of interactions.

        Args:
            table: rows with customer_id, item_id and `value`, at most one per pair.
            value: the numeric column that fills the matrix.

        Raises:
            ValueError: as `from_arrow`.
        """
        column = quoted(value)
        rows = sql(f"select customer_id, item_id, cast({column} as float) as {column} from t", t=table)
        return cls.from_arrow(rows.arrow(), value)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, value: str = "weight") -> Self:
        """The same of a DataFrame."""
        rows = pa.Table.from_pandas(frame[["customer_id", "item_id", value]], preserve_index=False)
        return cls.from_arrow(rows, value)

    @classmethod
    def from_arrow(cls, rows: pa.Table, value: str = "weight") -> Self:
        """The same of an Arrow table.

        A row whose value is null or 0 fills no entry, but its customer and item keep their place in the indices, so
        matrices of different columns of one table line up.

        Raises:
            ValueError: if a value is not finite, or a customer and item have two rows.
        """
        customers, row = indexed(rows["customer_id"])
        items, column = indexed(rows["item_id"])
        values = rows[value].to_numpy().astype(np.float32)
        known = np.asarray(rows[value].is_valid())
        if not np.isfinite(values[known]).all():
            raise ValueError(f"{value}: {int((~np.isfinite(values[known])).sum()):,} values are not finite numbers")
        present = known & (values != 0)
        shape = (len(customers), len(items))
        matrix = csr_matrix((values[present], (row[present], column[present])), shape=shape)
        if matrix.nnz < np.count_nonzero(present):
            repeated = np.count_nonzero(present) - matrix.nnz
            raise ValueError(f"{repeated:,} rows repeat a customer and item: fold them into one row per pair first")
        matrix.sort_indices()
        return cls(matrix, customers, items)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of customers, number of items."""
        return len(self.customers), len(self.items)

    def customer_positions(self, ids: Iterable[str]) -> NDArray[np.intp]:
        """The row of each customer, -1 for one without interactions."""
        return _positions(self.customers, ids)

    def item_positions(self, ids: Iterable[str]) -> NDArray[np.intp]:
        """The column of each item, -1 for one without interactions."""
        return _positions(self.items, ids)


def _positions(index: NDArray[np.object_], ids: Iterable[str]) -> NDArray[np.intp]:
    wanted = np.fromiter(ids, dtype=object)
    return np.asarray(pd.Index(index, dtype=object).get_indexer(pd.Index(wanted, dtype=object)), dtype=np.intp)


def indexed(column: Any) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
    """The distinct ids of an Arrow column in ascending order, and the position of each row's id among them."""
    encoded = column.combine_chunks().dictionary_encode()
    ids = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(ids, kind="stable")
    position = np.empty(len(ids), dtype=np.int32)
    position[order] = np.arange(len(ids), dtype=np.int32)
    return ids[order], position[encoded.indices.to_numpy()]
