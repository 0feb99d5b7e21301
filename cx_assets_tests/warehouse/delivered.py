"""Raw events from literal rows, each told by what differs from a good one."""

from typing import Any

import duckdb
import pyarrow as pa

from cx_assets.dataset import Dataset
from cx_assets.ingestion.reader import event_day
from cx_assets.table import Table, from_frame, sql

GOOD = {
    "occurred_at": "2024-03-02T10:00:00",
    "customer_id": "ann",
    "item_id": "tea",
    "event_type": "purchase",
    "event_id": None,
    "basket_id": None,
    "quantity": "1",
    "value": "2.50",
    "rating": None,
    "store_id": None,
}


def delivered(con: duckdb.DuckDBPyConnection, dataset: Dataset, *events: dict[str, Any]) -> Table:
    """Raw events, each told by what differs from a good one."""
    rows = pa.Table.from_pylist(
        [{**GOOD, "source_file": "a.csv", **event, "source_row": row} for row, event in enumerate(events, start=1)]
    )
    text = ", ".join(f"{name}::varchar as {name}" for name in GOOD)
    return sql(
        f"select {event_day(dataset)} as day, * from (select {text}, source_file, source_row from rows)",
        rows=from_frame(con, rows),
    )
