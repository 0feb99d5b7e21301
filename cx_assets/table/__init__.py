"""What a table is here: declared once, lazy while it flows, written whole, checked.

Stages import these names and nothing deeper. Those that need Dagster load it when they are asked for, so that a command
that only looks at files doesn't wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cx_assets.table.relation import Table, as_of_date, from_frame, once, sql
from cx_assets.table.schema import TableSpec, column, schema

if TYPE_CHECKING:
    from cx_assets.table.asset import table_asset, table_check
    from cx_assets.table.checks import law, markdown, structure_check

__all__ = [
    "Table",
    "TableSpec",
    "as_of_date",
    "column",
    "from_frame",
    "law",
    "markdown",
    "once",
    "schema",
    "sql",
    "structure_check",
    "table_asset",
    "table_check",
]

_OF_DAGSTER = {
    "table_asset": "asset",
    "table_check": "asset",
    "law": "checks",
    "markdown": "checks",
    "structure_check": "checks",
}


def __getattr__(name: str) -> object:
    """One of the names that need Dagster, from its module."""
    if name not in _OF_DAGSTER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_OF_DAGSTER[name]}"), name)
