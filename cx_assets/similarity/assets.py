"""The assets of the similarity stage: thin shells round the methods.

Belongs here: what is compared (`tastes`), how many neighbours are kept, and the figures shown in the UI. Does not: the
methods (`cosine`, `pearson`, `content`).
"""

from collections.abc import Sequence

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import csr_matrix

from cx_assets.matrices.matrix import InteractionMatrix
from cx_assets.similarity import tables
from cx_assets.similarity.content import described_by, top_k_content
from cx_assets.similarity.cosine import top_k_cosine
from cx_assets.similarity.neighbours import Neighbours
from cx_assets.similarity.pearson import top_k_pearson
from cx_assets.similarity.tastes import Basis, cosine_basis, pearson_basis, tastes
from cx_assets.table import Table, table_asset


class CustomerNeighboursConfig(dg.Config):
    """How customers are compared."""

    k: int = Field(default=100, ge=1, le=1000, description="Neighbours to keep per customer and method.")
    cosine_on: str = Field(
        default="auto",
        pattern="^(auto|ratings|counts|weight)$",
        description="What cosine compares: mean ratings, log(1 + events), or the decayed weight; auto takes ratings if "
        "at least half of the interactions have one, else counts. Pearson takes ratings if there is any, else counts.",
    )
    min_overlap: int = Field(default=2, ge=1, description="Items that two customers must share for Pearson.")
    shrinkage: float = Field(default=0.0, ge=0, description="Cosine times n / (n + this), n being the shared items.")


class ItemNeighboursConfig(dg.Config):
    """How items are compared."""

    k: int = Field(default=20, ge=1, le=1000, description="Neighbours to keep per item and method.")
    cosine_on: str = Field(
        default="auto",
        pattern="^(auto|ratings|counts|weight)$",
        description="As for customers.",
    )
    min_customers: int = Field(
        default=5,
        ge=1,
        description="Customers that an item must have to be a neighbour by cosine: of one with fewer it says little.",
    )
    min_overlap: int = Field(default=2, ge=1, description="Customers that two items must share for Pearson.")
    shrinkage: float = Field(
        default=0.0, ge=0, description="Cosine times n / (n + this), n being the shared customers; above 0 it is slow."
    )


class ContentNeighboursConfig(dg.Config):
    """How items are compared by their attributes."""

    k: int = Field(default=10, ge=1, le=1000, description="Neighbours to keep per item.")


@table_asset(tables.CUSTOMER_NEIGHBOURS, kinds=["python", "scipy"], code_version="1")
def customer_neighbours(
    context: dg.AssetExecutionContext, interactions: Table, config: CustomerNeighboursConfig
) -> pa.Table:
    """One row per method, customer and near customer: who is most like whom as of the last event.

    By cosine (the same items, as much) and by Pearson (more than usual of the same items). Recommendations take what
    the neighbours had. A customer who shares no item with another has no neighbours.
    """
    by_cosine, by_pearson = _bases(interactions, config.cosine_on)
    liked = tastes(interactions, by_cosine)
    near = top_k_cosine(liked.matrix, config.k, shrinkage=config.shrinkage)
    compared = liked if by_pearson == by_cosine else tastes(interactions, by_pearson)
    correlated = top_k_pearson(compared.matrix, config.k, min_overlap=config.min_overlap)
    context.add_output_metadata({**_figures(near, by_cosine), **_figures(correlated, by_pearson)})
    return _rows([near, correlated], liked.customers, "customer_id")


@table_asset(tables.ITEM_NEIGHBOURS, kinds=["python", "scipy"], code_version="1")
def item_neighbours(context: dg.AssetExecutionContext, interactions: Table, config: ItemNeighboursConfig) -> pa.Table:
    """One row per method, item and near item: what is most like what as of the last event, by who had it.

    By cosine (the same customers, as much) and by Pearson (more than usual for the same customers). Every item with an
    event has neighbours, unless it shares no customer with another; by cosine the neighbours are items of enough
    customers, or else the nearest of most items would be something that one and the same customer bought once.
    """
    by_cosine, by_pearson = _bases(interactions, config.cosine_on)
    liked = tastes(interactions, by_cosine)
    by_customers = _items_by_customers(liked)
    enough = np.diff(by_customers.indptr) >= config.min_customers
    near = top_k_cosine(by_customers, config.k, shrinkage=config.shrinkage, partners=enough)
    compared = liked if by_pearson == by_cosine else tastes(interactions, by_pearson)
    correlated = top_k_pearson(_items_by_customers(compared), config.k, min_overlap=config.min_overlap)
    context.add_output_metadata({**_figures(near, by_cosine), **_figures(correlated, by_pearson)})
    return _rows([near, correlated], liked.items, "item_id")


@table_asset(tables.CONTENT_NEIGHBOURS, kinds=["python", "scikitlearn"], code_version="1")
def content_neighbours(
    context: dg.AssetExecutionContext, items: pd.DataFrame, config: ContentNeighboursConfig
) -> pa.Table:
    """One row per item and near item: what is most like what by its attributes (TF-IDF, cosine).

    Covers the whole catalogue, also items that nobody has had. A value that was filled in is not counted as known; an
    item of which nothing is known has no neighbours.
    """
    columns = described_by(list(items.columns))
    ordered = items.sort_values("item_id", ignore_index=True)
    near = top_k_content(ordered, columns, config.k)
    context.add_output_metadata(_figures(near, ", ".join(columns)))
    return _rows([near], ordered["item_id"].to_numpy(dtype=object), "item_id")


def _bases(interactions: Table, cosine_on: str) -> tuple[Basis, Basis]:
    wanted: dict[str, Basis] = {"auto": "auto", "ratings": "ratings", "counts": "counts", "weight": "weight"}
    return cosine_basis(interactions, wanted[cosine_on]), pearson_basis(interactions)


def _items_by_customers(liked: InteractionMatrix) -> csr_matrix:
    return csr_matrix(liked.matrix.T)


def _rows(found: Sequence[Neighbours], ids: NDArray[np.object_], id_column: str) -> pa.Table:
    return pa.concat_tables([neighbours.to_arrow(ids, id_column) for neighbours in found])


def _figures(found: Neighbours, basis: str) -> dict[str, int | float | str]:
    """What the UI shows of one method: what it compared, how many found neighbours, how near the nearest are."""
    matrix = found.matrix
    reached = np.flatnonzero(np.diff(matrix.indptr))
    nearest = np.maximum.reduceat(matrix.data, matrix.indptr[reached]) if len(reached) else np.zeros(0)
    figures: dict[str, int | float | str] = {
        f"{found.method}_on": basis,
        f"{found.method}_with_neighbours": len(reached),
        f"{found.method}_without_neighbours": matrix.shape[0] - len(reached),
    }
    if len(nearest):
        figures[f"{found.method}_median_of_nearest"] = float(np.median(nearest))
    return figures
