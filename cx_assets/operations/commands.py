"""What `cx retention` and `cx status` do and print.

Belongs here: putting the parts together for a person at a terminal, and exit codes. Does not: arguments (`cli`), or the
parts.
"""

from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape

from cx_assets.home import prepare_home
from cx_assets.launch import execute, tell_failure
from cx_assets.operations.compaction import compact
from cx_assets.progress import Progress
from cx_assets.settings import Settings


def remove_what_is_old(console: Console, settings: Settings) -> int:
    """Run the job `apply_retention`, then write the working database anew if it lost rows; returns the exit code."""
    home = prepare_home(settings)
    progress = Progress(console)
    result = execute("apply_retention", progress, {})
    if not result.success:
        tell_failure(console, progress, home)
        return 1
    (made,) = result.asset_materializations_for_node("retention")
    removed, runs = (int(str(made.metadata[key].value)) for key in ("removed_rows", "removed_runs"))
    for line in _applied(settings):
        console.print(line, soft_wrap=True)
    if not settings.retention:
        console.print("No table has a rule: CX_RETENTION='ingestion.raw_events: 400 days' would be one.")
    console.print(f"{runs:,} runs of more than {settings.history_days} days ago removed from Dagster's history.")
    if removed:
        before, after = compact(settings)
        console.print(
            f"{settings.warehouse_path.name} written anew: {megabytes(before)} before, {megabytes(after)} now."
        )
        console.print("What is published has the rows until the next run publishes.")
    return 0


def _applied(settings: Settings) -> list[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows: list[Any] = connection.execute("select * from operations.retention order by table_name").fetchall()
    return [
        escape(f"{table}: kept for {days:,} days, from {kept_from}; {removed:,} rows of before removed.")
        for table, days, kept_from, removed, _, _ in rows
    ]


def megabytes(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size / 1e6:,.1f} MB"
