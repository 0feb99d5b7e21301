"""Customers as a run would store them with the keys that they share, and who would be merged into whom.

Belongs here: the merges by keys, in memory. Does not: those by linkage, which has to be fitted and judged first
(`linkage`): of a dataset that declares it the doctor tells what keys alone do.
"""

import duckdb

from cx_assets.dataset import Dataset
from cx_assets.ingestion import tables
from cx_assets.ingestion.merge_keys import numbered
from cx_assets.ingestion.reader import table_query
from cx_assets.table import Table, from_frame
from cx_assets.warehouse.merges import told_keys
from cx_assets.warehouse.tables import CUSTOMER_MERGES


def delivered_customers(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> Table:
    """The rows of `ingestion.raw_customers`: of a key which rows have an equal one, and nothing else.

    Raises:
        SourceError: if the file of customers doesn't fit the manifest.
    """
    spec = tables.raw_customers_table(dataset.customer_attributes(), dataset.merge_keys())
    given = [name for name in spec.column_names if name not in ("source_file", "source_row")]
    rows = Table(connection, table_query(dataset, "customers", given))
    return from_frame(connection, numbered(rows.arrow(), dataset)) if dataset.merge_keys() else rows


def merges_by_keys(kept_customers: Table, dataset: Dataset) -> Table:
    """The rows of `warehouse.customer_merges` without `since`: customer_id, merged_into, key_kind.

    Args:
        kept_customers: the delivered customers that keep the contract.
        dataset: for its rule.
    """
    rule = dataset.merge_customers
    if rule is None:
        return Table(kept_customers.connection, CUSTOMER_MERGES.no_rows())
    # Loads pandas and SciPy, which nothing else of the doctor needs.
    from cx_assets.warehouse.duplicates import find_merges

    told = told_keys(kept_customers, rule.by).df()
    return from_frame(kept_customers.connection, find_merges(told, rule.at_most))
