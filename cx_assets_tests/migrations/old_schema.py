"""A warehouse as version 0.1.0 left it: its DDL, word for word, filled with the rows of a present one.

Belongs here: what was true then. Does not: anything of the present declarations, which go on changing.
"""

from pathlib import Path

import duckdb

DDL = """
create schema ingestion; create schema warehouse; create schema recommendations; create schema evaluation;
create table ingestion.raw_events (
    "day" date not null, "occurred_at" varchar, "customer_id" varchar, "item_id" varchar, "event_type" varchar,
    "event_id" varchar, "basket_id" varchar, "quantity" varchar, "value" varchar, "rating" varchar,
    "source_file" varchar not null, "source_row" bigint not null);
create table warehouse.events (
    "event_id" varchar not null, "day" date not null, "occurred_at" timestamp not null, "customer_id" varchar not null,
    "item_id" varchar not null, "event_type" varchar not null, "basket_id" varchar not null, "quantity" double not null,
    "value" double not null, "rating" double, "copies" bigint not null, "source_file" varchar not null,
    "source_row" bigint not null);
create table warehouse.rejected_events (
    "day" date not null, "reason" varchar not null, "occurred_at" varchar, "customer_id" varchar, "item_id" varchar,
    "event_type" varchar, "basket_id" varchar, "quantity" varchar, "value" varchar, "rating" varchar,
    "source_file" varchar not null, "source_row" bigint not null);
create table recommendations.recommendations (
    "customer_id" varchar not null, "list" varchar not null, "rank" integer not null, "item_id" varchar not null,
    "score" float not null, "recommender" varchar not null, "reason" varchar not null, "as_of" timestamp not null);
create table evaluation.backtest_metrics (
    "protocol" varchar not null, "as_of" timestamp, "recommender" varchar not null, "list" varchar not null,
    "metric" varchar not null, "k" integer not null, "cohort" varchar not null, "value" double not null,
    "ci_low" double not null, "ci_high" double not null, "customers" bigint not null);
create table evaluation.backtest_comparisons (
    "protocol" varchar not null, "recommender" varchar not null, "baseline" varchar not null, "list" varchar not null,
    "metric" varchar not null, "k" integer not null, "difference" double not null, "ci_low" double not null,
    "ci_high" double not null, "relative" double, "effect_size" double, "p_value" double not null,
    "p_holm" double not null, "dates" bigint not null, "dates_ahead" bigint not null, "customers" bigint not null);
"""
BY_DAY = ("ingestion.raw_events", "warehouse.events", "warehouse.rejected_events")
# The id of an event, without its store.
OLD_IDS = """
update warehouse.events as e set event_id = left(md5(cast(json_array(
    r.event_id, r.occurred_at, trim(r.customer_id), trim(r.item_id), lower(trim(r.event_type)),
    nullif(trim(r.basket_id), ''), r.quantity, r.value, nullif(trim(r.rating), '')) as varchar)), 16)
from ingestion.raw_events as r where (e.source_file, e.source_row) = (r.source_file, r.source_row)
"""
LISTS = (
    "insert into recommendations.recommendations values ('ann', 'repeat', 1, 'tea', 0.5, 'blend', 'why', '2024-03-06')"
)
METRIC = (
    "insert into evaluation.backtest_metrics "
    "values ('horizon', null, 'blend', 'both', 'ndcg', 10, 'all', .4, .3, .5, 9)"
)


def write_old_warehouse(path: Path, present: Path) -> None:
    """Write a warehouse of version 0.1.0 with the events that a present one holds."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(DDL)
        connection.execute(f"attach '{present}' as present (read_only)")
        for table in BY_DAY:
            columns = ", ".join(row[0] for row in connection.execute(f"describe {table}").fetchall())
            connection.execute(f"insert into {table} ({columns}) select {columns} from present.{table}")
        for statement in (OLD_IDS, LISTS, METRIC):
            connection.execute(statement)
