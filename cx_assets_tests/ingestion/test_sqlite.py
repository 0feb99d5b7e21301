"""Laws of reading a SQLite file, whose columns hold what they like."""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from cx_assets.ingestion.changes import changes
from cx_assets.ingestion.fitting import problems
from cx_assets_tests.ingestion.sources import MAPPING, events, shop
from cx_assets_tests.runs import load_shop, rows

SOURCE = "{database: {kind: sqlite, connection: shop.db, table: orders, key: line, watermark: line}}"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    connection.execute("create table orders (line integer primary key, day timestamp, who, what, n int, price real)")
    connection.execute(
        "insert into orders values (9, '2024-03-01 10:00:00', 'ann', 'tea', 1, 2.5), "
        "(10, '2024-03-04', 'bob', 'jam', 'two', 'free')"
    )
    yield connection
    connection.close()


def test_every_value_is_text_whatever_its_column_was_declared_as(
    connection: duckdb.DuckDBPyConnection, database: sqlite3.Connection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, SOURCE)
    assert problems(dataset) == []
    assert events(connection, dataset, "source_file", "source_row", "occurred_at", "quantity", "value") == [
        ("shop.db/orders", 9, "2024-03-01 10:00:00", "1", "2.5"),
        ("shop.db/orders", 10, "2024-03-04", "two", "free"),
    ]


def test_a_query_is_in_sqlites_own_words(
    connection: duckdb.DuckDBPyConnection, database: sqlite3.Connection, tmp_path: Path
) -> None:
    query = SOURCE.replace("table: orders, key: line", "query: 'select *, ifnull(n, 0) as m from orders;'")
    found = events(connection, shop(tmp_path, query), "source_file", "source_row", "customer_id")
    assert sorted(found) == [("shop.db/query of events.0", 1, "ann"), ("shop.db/query of events.0", 1, "bob")]


def test_numbers_that_are_kept_as_text_are_a_watermark_that_grows_as_numbers_do(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, SOURCE.replace("watermark: line", "watermark: line, lookback: 0"))
    first = changes(dataset, {})
    assert first.days == [date(2024, 3, 1), date(2024, 3, 4)]
    database.execute("insert into orders values (11, '2024-03-09', 'cay', 'tea', 1, 1)")
    assert changes(dataset, first.state).days == [date(2024, 3, 9)]


def test_a_database_in_use_by_its_shop_is_read_and_not_written(
    connection: duckdb.DuckDBPyConnection, database: sqlite3.Connection, tmp_path: Path
) -> None:
    before = (tmp_path / "shop.db").read_bytes()
    assert len(events(connection, shop(tmp_path, SOURCE), "customer_id")) == 2
    with pytest.raises(duckdb.Error, match="read-only"):
        connection.execute('delete from "cx_sqlite_shop.db".orders')
    assert (tmp_path / "shop.db").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "no such SQLite file: shop.db. Put it there or correct 'connection'."), ("text" * 500, "not a database")],
)
def test_a_file_that_is_missing_or_no_database_is_told(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "shop.db").write_text(content)
    (told,) = problems(shop(tmp_path, SOURCE))
    assert told.startswith("shop.yaml:6: events.0.source: ")
    assert complaint in told
    assert (tmp_path / "shop.db").exists() == (content is not None)


@pytest.mark.whole
def test_values_that_are_rejected_on_two_days_are_two_though_rows_are_numbered_day_by_day(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    database.execute("update orders set n = 1, price = 1.0, who = 'cay'")
    mapping = MAPPING.replace("customer_id: who", "customer_id: who, basket_id: who")
    contract = "contract: {events: {columns: {basket_id: {pattern: 'B.*', on_broken: reject_value}}}}\n"
    source, file = SOURCE.replace("key: line, ", ""), tmp_path / "data" / "working.duckdb"
    load_shop(file, shop(tmp_path, source, mapping=mapping + contract), checked=True)
    rejected = rows(file, "select * exclude (reason) from warehouse.rejected_values order by day")
    assert rejected == [(date(2024, 3, day), "events", "basket_id", "cay", "shop.db/orders", 1) for day in (1, 4)]
