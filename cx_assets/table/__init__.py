"""What a table is here: declared once, lazy while it flows, written whole, checked.

Stages import these names and nothing deeper.
"""

from cx_assets.table.asset import table_asset, table_check
from cx_assets.table.checks import law, markdown, structure_check
from cx_assets.table.relation import Table, as_of_date, from_frame, sql
from cx_assets.table.schema import TableSpec, column, schema

__all__ = [
    "Table",
    "TableSpec",
    "as_of_date",
    "column",
    "from_frame",
    "law",
    "markdown",
    "schema",
    "sql",
    "structure_check",
    "table_asset",
    "table_check",
]
