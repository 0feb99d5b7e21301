"""The table of what was published.

It stays in the working database: a copy of itself inside the published one would tell of the copy before.
"""

from cx_assets.table import column, schema

PUBLISHED_TABLES = schema(
    "publishing",
    "published_tables",
    "One row per published table.",
    column("table_name", "varchar", "The table's name in the published database, stage.table."),
    column("rows", "bigint", "Its rows."),
    column("columns", "integer", "Its columns."),
    column("fingerprint", "varchar", "A hash of all its rows, whatever their order: equal rows, equal fingerprint."),
    key=("table_name",),
)
