"""The least that loading can take: DuckDB alone, by one thread, storing rows that need no more than to be stored.

Belongs here: copying a loaded warehouse's rows, and the same file's columns with the types that they have there. Does
not: loading (`loading`) or measuring it (`loads`).

Run as `python -m cx_assets_tests.benchmarks.storing WAREHOUSE EVENTS_PARQUET FOLDER`; prints seconds as JSON.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

from cx_assets.table.connection import STORAGE
from cx_assets.table.schema import literal

CONFIG = {"threads": 1, "storage_compatibility_version": STORAGE}
LOADED = {"raw_events": "ingestion", "events": "warehouse"}
TYPED = """
    create table raw as
    select
        cast(transaction_timestamp as date) as day, transaction_timestamp as occurred_at, household_id as customer_id,
        product_id as item_id, basket_id, quantity, sales_value as value, store_id, file_row_number as source_row
    from read_parquet({events}, file_row_number = true);
    create table rejected as select * from raw where not (quantity > 0 and value >= 0);
    create table events as
    select hash(occurred_at, customer_id, item_id, basket_id, quantity, value, store_id) as event_id, *
    from raw where quantity > 0 and value >= 0
    order by occurred_at, customer_id, basket_id, item_id, event_id;
    create table copies as select event_id, count(*) as copies from events group by event_id having count(*) > 1
"""
"""The four tables that loading makes, of numbers alone: no text, no file's name, no contract, no id that lasts."""


def stored(warehouse: Path, events: Path, folder: Path) -> dict[str, float]:
    """Seconds, by what is stored.

    Args:
        warehouse: a working file in which the events are loaded.
        events: the Parquet file that they came from.
        folder: for the copies.
    """
    told = {}
    for table, schema in LOADED.items():
        with duckdb.connect(str(folder / f"{table}.duckdb"), config=CONFIG) as connection:
            connection.execute(f"attach {literal(str(warehouse))} as loaded (read_only)")
            connection.execute(f"create temp table held as select * from loaded.{schema}.{table}")
            told[f"{table} as they are"] = _seconds(connection, "create table copy as select * from held")
    with duckdb.connect(str(folder / "typed.duckdb"), config=CONFIG) as connection:
        told["all of it as numbers"] = _seconds(connection, TYPED.format(events=literal(str(events))))
    return told


def _seconds(connection: duckdb.DuckDBPyConnection, statements: str) -> float:
    """How long statements take until what they store is in the file."""
    start = time.perf_counter()
    connection.execute(statements)
    connection.execute("checkpoint")
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(stored(*map(Path, sys.argv[1:]))))
