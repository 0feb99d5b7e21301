"""A dataset of one source of events, told in YAML, and what is read of it."""

from pathlib import Path
from typing import Any

import duckdb

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.ingestion.databases import Days
from cx_assets.ingestion.reader import prepared, table_query
from cx_assets.ingestion.tables import RAW_EVENTS

HEAD = """\
name: shop
title: Shop
first_day: 2024-03-01
last_day: 2024-03-31
events:
"""
MAPPING = """\
    columns: {occurred_at: day, customer_id: who, item_id: what, event_type: "'purchase'", quantity: n, value: price}
"""
COLUMNS = [name for name in RAW_EVENTS.column_names if name not in ("day", "source_file", "source_row")]


def shop(folder: Path, *sources: str, mapping: str = MAPPING) -> Dataset:
    """A dataset whose events come from sources."""
    path = folder / "shop.yaml"
    path.write_text(HEAD + "".join(f"  - source: {source}\n{mapping}" for source in sources), "utf-8")
    return load_dataset(str(path))


def events(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, *columns: str, days: Days | None = None
) -> list[tuple[Any, ...]]:
    """Some columns of the raw events, in the order of file and row."""
    query = table_query(dataset, "events", COLUMNS, days)
    prepared(connection, dataset, "events")
    chosen = ", ".join(columns)
    return connection.execute(f"select {chosen} from ({query}) order by source_file, source_row").fetchall()
