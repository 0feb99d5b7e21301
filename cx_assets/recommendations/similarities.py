"""The neighbours that recommenders ask for: taken from the tables that hold them, else computed once and kept.

Belongs here: which similarity is of what (items of enough customers only) and reading neighbour tables back
into matrices. Does not: the similarities themselves (`similarity`) or what is done with them (`customer_knn`,
`item_knn`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from cx_assets.recommendations.sparse import membership, row_of_entry, select_entries
from cx_assets.similarity import described_by, top_k_content, top_k_cosine, top_k_pearson
from cx_assets.table import Table, sql
from cx_assets.table.schema import literal

# As the tables of the similarity stage have them.
CUSTOMER_K = 100
ITEM_K = 20
CONTENT_K = 10

# An item with fewer customers has no item neighbours: its cosines are those of one or two baskets.
MIN_CUSTOMERS = 5


class Similarities:
    """Neighbours of one training, each found when first asked for.

    Every matrix that it gives is float32 CSR, square, indices sorted, nothing on the diagonal; row i holds the
    neighbours of i, and an entry below 0 is a customer who disagrees.

    Args:
        customers: object array of customer_id, ascending: what rows of `counts` are about.
        counts: float32 CSR of shape (customers, items), events per pair.
        by_cosine: float32 CSR of shape (customers, items), what cosine compares: log(1 + events), or mostly rated,
            ratings.
        by_pearson: the same for Pearson: ratings if there is any, else log(1 + events).
        items: one row per item, in the order of the columns of `counts`, with item_id and attributes.
        tables: neighbour tables by asset name, used instead of computing: customer_neighbours, item_neighbours,
            content_neighbours.
        min_customers: an item with fewer has no item neighbours by customers.
        attributes: of the same items; neighbours by content are taken from there, since they don't depend on events.
    """

    def __init__(
        self,
        customers: NDArray[np.object_],
        counts: csr_matrix,
        by_cosine: csr_matrix,
        by_pearson: csr_matrix,
        items: pd.DataFrame,
        tables: Mapping[str, Table],
        min_customers: int = MIN_CUSTOMERS,
        attributes: Similarities | None = None,
    ) -> None:
        self._attributes = attributes
        self._customers = customers
        self._counts = counts
        self._by_cosine = by_cosine
        self._by_pearson = by_pearson
        self._items = items
        self._item_ids = items["item_id"].to_numpy(dtype=object)
        self._tables = tables
        self._min_customers = min_customers
        self._found: dict[tuple[str, str], csr_matrix] = {}

    def customers(self, method: str) -> csr_matrix:
        """The nearest customers of every customer.

        Args:
            method: cosine or pearson.

        Raises:
            ValueError: for another method.
        """
        if method not in ("cosine", "pearson"):
            raise ValueError(f"method must be cosine or pearson; it is {method!r}")
        return self._once("customer_neighbours", method, self._customers, lambda: self._customers_by(method))

    def items(self) -> csr_matrix:
        """The nearest items of every item with at least `min_customers` customers, by cosine as for customers.

        Items of fewer customers are nobody's neighbours, in the table neither; they have neighbours there, which are
        left out here.
        """
        near = self._once("item_neighbours", "cosine", self._item_ids, self._items_by_customers)
        enough = self._enough
        return select_entries(near, enough[row_of_entry(near)] & enough[near.indices])

    def content(self) -> csr_matrix:
        """The items of the most similar attributes of every item."""
        if self._attributes is not None:
            return self._attributes.content()
        return self._once("content_neighbours", "content", self._item_ids, self._by_attributes)

    def earlier(self, counts: csr_matrix) -> Similarities:
        """The neighbours by some of the events: of the same customers and items, compared by log(1 + events)."""
        compared = counts.log1p()
        return Similarities(
            self._customers, counts, compared, compared, self._items, {}, self._min_customers, attributes=self
        )

    def _by_attributes(self) -> csr_matrix:
        return top_k_content(self._items, described_by(list(self._items.columns)), CONTENT_K).matrix

    def _customers_by(self, method: str) -> csr_matrix:
        if method == "cosine":
            return top_k_cosine(self._by_cosine, CUSTOMER_K).matrix
        return top_k_pearson(self._by_pearson, CUSTOMER_K).matrix

    def _items_by_customers(self) -> csr_matrix:
        size = self._counts.shape[1]
        bought = np.flatnonzero(self._enough)
        if not len(bought):
            return csr_matrix((size, size), dtype=np.float32)
        near = top_k_cosine(csr_matrix(self._by_cosine[:, bought].T), ITEM_K).matrix.tocoo()
        return csr_matrix((near.data, (bought[near.row], bought[near.col])), shape=(size, size))

    @property
    def _enough(self) -> NDArray[np.bool_]:
        """Shape (items,): whether the item has customers enough to have neighbours."""
        return np.bincount(self._counts.indices, minlength=self._counts.shape[1]) >= self._min_customers

    def _once(self, table: str, method: str, ids: NDArray[np.object_], find: Callable[[], csr_matrix]) -> csr_matrix:
        if (table, method) not in self._found:
            held = self._tables.get(table)
            self._found[table, method] = find() if held is None else read_neighbours(held, ids, method)
        return self._found[table, method]


def read_neighbours(table: Table, ids: NDArray[np.object_], method: str) -> csr_matrix:
    """A neighbour table as a matrix.

    Args:
        table: method, customer_id or item_id, neighbour_id, similarity.
        ids: what the rows and columns are to be about, ascending; neighbours of others are left out.
        method: the rows to read.

    Returns:
        float32 CSR of shape (len(ids), len(ids)), indices sorted.
    """
    id_column = next(c for c in table.columns if c in ("customer_id", "item_id"))
    rows = sql(
        f"""
        select a.position as row, b.position as neighbour, cast(n.similarity as float) as similarity
        from neighbours n
        join ids a on a.id = n.{id_column}
        join ids b on b.id = n.neighbour_id
        where n.method = {literal(method)}
        """,
        neighbours=table,
        ids=membership(ids),
    ).arrow()
    size = len(ids)
    pairs = (rows["row"].to_numpy(), rows["neighbour"].to_numpy())
    matrix = csr_matrix((rows["similarity"].to_numpy(), pairs), shape=(size, size))
    matrix.sort_indices()
    return matrix
