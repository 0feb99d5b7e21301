"""The tables of what was published.

They stay in the working database: a copy of themselves inside the published one would tell of the copy before.
"""

from cx_assets.table import column, schema

_COLUMNS = (
    column("table_name", "varchar", "The table's name in the published database, stage.table."),
    column("rows", "bigint", "Its rows."),
    column("columns", "integer", "Its columns."),
    column("fingerprint", "varchar", "A hash of all its rows, whatever their order: equal rows, equal fingerprint."),
)

PUBLISHED_TABLES = schema(
    "publishing", "published_tables", "One row per published table.", *_COLUMNS, key=("table_name",)
)

PUBLISHED_BACKTEST = schema(
    "publishing", "published_backtest", "One row per published table of the backtest.", *_COLUMNS, key=("table_name",)
)
