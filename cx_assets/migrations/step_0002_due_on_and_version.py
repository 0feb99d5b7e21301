"""From version 0.1.0: a list says when an item is due again, figures of backtests say of which lists they are.

Both tables are made whole by their own jobs. They get their columns nevertheless, so that what is stored can still be
published before the next run or backtest. The version of older figures is empty, which is no list's, so the next
backtest judges anew.
"""

import duckdb

JUDGED = ("backtest_metrics", "backtest_comparisons")


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the columns, as they are declared."""
    connection.execute("alter table if exists recommendations.recommendations add column if not exists due_on date")
    for name in JUDGED:
        columns = connection.execute(
            "select column_name from information_schema.columns where table_schema = 'evaluation' and table_name = ?",
            [name],
        ).fetchall()
        if columns and ("version",) not in columns:
            # DuckDB adds no column with a constraint.
            connection.execute(f"alter table evaluation.{name} add column version varchar default ''")
            connection.execute(f"alter table evaluation.{name} alter column version set not null")
            connection.execute(f"alter table evaluation.{name} alter column version drop default")
