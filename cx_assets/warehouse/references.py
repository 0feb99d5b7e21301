"""The master data that a contract's references are held against.

Belongs here: reading them where a contract refers to them, and the ids in them. Does not: the clauses (`clauses`).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cx_assets.dataset import Dataset
from cx_assets.ingestion.tables import raw_customers_table, raw_items_table
from cx_assets.table import Table, sql
from cx_assets.table.storage import read, require_readable
from cx_assets.warehouse.master_contract import kept_rows

if TYPE_CHECKING:
    from cx_assets.table.warehouse import Warehouse


def references(warehouse: "Warehouse", dataset: Dataset) -> dict[str, Table]:
    """The rows that are kept of the tables that the contract of events refers to, by `customers` and `items`.

    Raises:
        TableReadError: if one was never materialized.
    """
    specs = {
        "customers": raw_customers_table(dataset.customer_attributes(), dataset.merge_keys()),
        "items": raw_items_table(dataset.item_attributes()),
    }
    found = {}
    for name in dataset.contract.events.referenced:
        require_readable(warehouse.connection, specs[name])
        found[name] = kept_rows(read(warehouse.connection, specs[name]), dataset, name)
    return found


def known_ids(masters: Mapping[str, Table]) -> dict[str, Table]:
    """The ids of master data, as the tables `known_customers` and `known_items`, by which clauses call them."""
    return {
        f"known_{name}": sql(
            f"select distinct trim({name[:-1]}_id) as id from delivered where trim({name[:-1]}_id) <> ''",
            delivered=delivered,
        )
        for name, delivered in masters.items()
    }
