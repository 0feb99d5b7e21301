"""From version 0.1.0: events know their store, and which customer was delivered.

`store_id` is a new column of the three tables of events, null for what was loaded before. It is part of an event's id,
so the ids of stored events are made again of what was delivered; the same day loaded again then has the same ids.
Nobody is merged into another customer yet, so `delivered_customer_id` is null of every event.
"""

import duckdb

TABLES = ("ingestion.raw_events", "warehouse.events", "warehouse.rejected_events")


def upgrade(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the columns, and make the ids again where the column was not there."""
    had = connection.execute(
        "select count(*) from information_schema.columns "
        "where table_schema = 'warehouse' and table_name = 'events' and column_name = 'store_id'"
    ).fetchone()
    for table in TABLES:
        connection.execute(f"alter table if exists {table} add column if not exists store_id varchar")
    # Before the ids are made again: DuckDB alters no table with changed rows in the same transaction.
    connection.execute("alter table if exists warehouse.events add column if not exists delivered_customer_id varchar")
    there = connection.execute(
        "select count(*) from information_schema.tables "
        "where (table_schema, table_name) in (('ingestion', 'raw_events'), ('warehouse', 'events'))"
    ).fetchone()
    if (there and there[0] == 2) and not (had and had[0]):
        connection.execute(
            """
            update warehouse.events as e
            set event_id = left(md5(cast(json_array(
                r.event_id, r.occurred_at, trim(coalesce(r.customer_id, '')), trim(coalesce(r.item_id, '')),
                lower(trim(coalesce(r.event_type, ''))), nullif(trim(r.basket_id), ''),
                r.quantity, r.value, nullif(trim(r.rating), ''), nullif(trim(r.store_id), '')
            ) as varchar)), 16)
            from ingestion.raw_events as r
            where e.day = r.day and e.source_file = r.source_file and e.source_row = r.source_row
            """
        )
