"""The tables of operations, declared once. They stay in the working database: they are about it."""

from cx_assets.table import column, schema

RETENTION = schema(
    "operations",
    "retention",
    "One row per table with a rule: how long its rows are kept, and what was removed last time.",
    column("table_name", "varchar", "The table, stage.table."),
    column("keep_days", "integer", "How many days its rows are kept, up to the dataset's last day."),
    column("kept_from", "date", "The first day that is kept; rows of earlier days were removed."),
    column("removed_rows", "bigint", "How many rows were removed this time."),
    column("staying_rows", "bigint", "How many rows of earlier days stay, because others are or may be about them."),
    column("oldest_day", "date", "The oldest day that is left, but for those; null without rows.", nullable=True),
    column("applied_at", "timestamp", "When the rule was last applied, UTC."),
    key=("table_name",),
)
