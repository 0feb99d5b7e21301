"""Laws of reading a real PostgreSQL: by table, query, day and watermark, and without ever telling the password."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import duckdb
import psycopg
import pytest

from cx_assets.dataset import Dataset
from cx_assets.ingestion.changes import changes
from cx_assets.ingestion.fitting import problems
from cx_assets.source import SourceError
from cx_assets.table import Table
from cx_assets_tests.ingestion.sources import MAPPING, events, shop
from cx_assets_tests.runs import error_of, load_shop, rows, shop_checks
from cx_assets_tests.servers import CANARY, postgres

pytestmark = pytest.mark.whole

TABLE = "{database: {kind: postgres, connection: '${SHOP_DSN}', table: sales.orders, key: line, watermark: changed}}"
QUERY = (
    "{database: {kind: postgres, connection: '${SHOP_DSN}', query: 'select * from sales.orders where who <> ''bob'''}}"
)
RAW_EVENTS = dg.AssetSelection.assets("raw_events")


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    with postgres() as server:
        yield server


@pytest.fixture
def database(server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """A shop's orders, five of them over four days; SHOP_DSN says how to connect."""
    uri = f"postgresql://cx:{quote(CANARY, '')}@127.0.0.1:{server['port']}/postgres?application_name=cx"
    monkeypatch.setenv("SHOP_DSN", uri)
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            "drop schema if exists sales cascade; create schema sales; create table sales.orders (line bigint, "
            "day timestamptz, who text, what text, n int, price numeric(9, 2), changed timestamptz default now())"
        )
        connection.execute(
            """
            insert into sales.orders values
                (11, '2024-03-01 10:00+00', 'ann', 'tea', 1, 2.50, '2024-03-05 10:00+00'),
                (12, '2024-03-02 00:30+02', 'ann', 'tea', 1, 2.50, '2024-03-05 10:00+00'),
                (13, '2024-03-04 10:00+00', 'bob', 'jam', 2, 4.00, '2024-03-05 11:00+00'),
                (14, '2024-03-09 10:00+00', 'cay', 'jam', 1, 4.00, '2024-03-10 10:00+00'),
                (15, null,                  'cay', 'jam', 1, 4.00, '2024-03-10 10:00+00')
            """
        )
        yield connection


def test_a_table_is_read_with_its_key_as_the_row_and_a_query_with_rows_numbered_by_day(
    connection: duckdb.DuckDBPyConnection, database: psycopg.Connection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, TABLE)
    assert problems(dataset) == []
    found = events(connection, dataset, "source_file", "source_row", "occurred_at", "value")
    assert found[:2] == [
        ("SHOP_DSN/sales.orders", 11, "2024-03-01 10:00:00+00", "2.50"),
        ("SHOP_DSN/sales.orders", 12, "2024-03-01 22:30:00+00", "2.50"),
    ]
    assert [row[1] for row in found] == [11, 12, 13, 14, 15]
    found = events(connection, shop(tmp_path, QUERY), "source_file", "source_row", "left(occurred_at, 10)")
    name = "SHOP_DSN/query of events.0"
    # The row without a time belongs to the first day, as the two before it.
    assert sorted(found, key=str) == [
        (name, 1, "2024-03-01"), (name, 1, "2024-03-09"), (name, 2, "2024-03-01"), (name, 3, None),
    ]  # fmt: skip


@pytest.mark.parametrize("source", [TABLE, QUERY], ids=["table", "query"])
def test_only_the_rows_about_the_wanted_days_leave_the_database(
    connection: duckdb.DuckDBPyConnection, database: psycopg.Connection, tmp_path: Path, source: str
) -> None:
    dataset = shop(tmp_path, source)
    of_a_day = events(connection, dataset, "occurred_at", days=(date(2024, 3, 9), date(2024, 3, 9)))
    assert of_a_day == [("2024-03-09 10:00:00+00",)]
    first_day_carries_what_tells_none = events(
        connection, dataset, "customer_id", days=(date(2024, 3, 1), date(2024, 3, 1))
    )
    assert ("cay",) in first_day_carries_what_tells_none


def test_days_one_by_one_give_the_same_rows_as_all_at_once(database: psycopg.Connection, tmp_path: Path) -> None:
    dataset = shop(tmp_path, TABLE, QUERY)
    load_shop(tmp_path / "all.duckdb", dataset, selection=RAW_EVENTS)
    whole = rows(tmp_path / "all.duckdb", "select * from ingestion.raw_events order by all")
    assert len(whole) == 9
    for day in ("2024-03-09", "2024-03-04", "2024-03-01"):
        load_shop(tmp_path / "days.duckdb", dataset, days=(day, day), selection=RAW_EVENTS)
    assert rows(tmp_path / "days.duckdb", "select * from ingestion.raw_events order by all") == whole


def test_every_row_of_a_table_is_a_clean_event_or_a_rejected_one(database: psycopg.Connection, tmp_path: Path) -> None:
    load_shop(tmp_path / "all.duckdb", shop(tmp_path, TABLE))  # which asks that all are accounted for
    rejected = rows(tmp_path / "all.duckdb", "select reason, source_file, source_row from warehouse.rejected_events")
    assert rejected == [("missing time", "SHOP_DSN/sales.orders", 15)]


def test_a_look_finds_the_days_of_rows_that_are_new_changed_or_committed_late(
    database: psycopg.Connection, tmp_path: Path
) -> None:
    dataset = shop(tmp_path, TABLE)
    first = changes(dataset, {})
    assert first.days == [date(2024, 3, day) for day in (1, 4, 9)]
    assert changes(dataset, first.state).changed == {}
    database.execute("insert into sales.orders values (16, '2024-03-07', 'dan', 'tea', 1, 1, '2024-03-10 11:00+00')")
    new = changes(dataset, first.state)
    assert new.days == [date(2024, 3, 7)]
    database.execute("update sales.orders set n = 5, changed = '2024-03-10 12:00+00' where line = 13")
    changed = changes(dataset, new.state)
    assert changed.days == [date(2024, 3, 4)]
    database.execute("insert into sales.orders values (17, '2024-03-20', 'dan', 'tea', 1, 1, '2024-03-10 11:30+00')")
    late = changes(dataset, changed.state)
    assert late.days == [date(2024, 3, 20)]
    assert changes(dataset, late.state).changed == {}


def test_a_database_without_a_watermark_is_left_to_the_daily_schedule(
    database: psycopg.Connection, tmp_path: Path
) -> None:
    assert changes(shop(tmp_path, QUERY), {}).state == {}


def test_a_watermark_that_is_none_is_told(database: psycopg.Connection, tmp_path: Path) -> None:
    dataset = shop(tmp_path, TABLE.replace("changed", "price"))
    with pytest.raises(SourceError, match=r'sales\.orders: the watermark "price" is neither of whole numbers nor'):
        changes(dataset, {})


def misfits(dataset: Dataset) -> str:
    told = "\n".join(problems(dataset))
    assert CANARY not in told
    assert quote(CANARY, "") not in told
    return told


def test_what_is_wrong_between_a_manifest_and_a_database_is_told_by_line(
    database: psycopg.Connection, tmp_path: Path
) -> None:
    lacking = misfits(shop(tmp_path, TABLE, mapping=MAPPING.replace("price", "prize")))
    assert lacking.startswith(
        "shop.yaml:7: events.0.columns.value: no column 'prize' in SHOP_DSN/sales.orders. It has: line, day"
    )
    gone = misfits(shop(tmp_path, TABLE.replace("orders", "order")))
    assert gone.startswith("shop.yaml:6: events.0.source: SHOP_DSN/sales.order can't be read as a table of postgres: ")
    wrong = misfits(shop(tmp_path, QUERY.replace("select *", "select nothing")))
    assert "query of events.0 can't be read as a query of postgres: " in wrong
    assert 'column "nothing" does not exist' in wrong


@pytest.mark.parametrize(
    ("variable", "complaint"),
    [
        (None, "the environment variable SHOP_DSN is not set. It holds the connection, such as postgresql://"),
        ("canary", "the environment variable SHOP_DSN holds no connection string: it should be a URI, or words"),
        ("host=127.0.0.1 port={port} user=cx password=canary", 'password authentication failed for user "cx"'),
        ("host=127.0.0.1 port=1 user=cx password=canary", "SHOP_DSN: no connection: connection to server at"),
        ("host=127.0.0.1 port={port} user=cx password='canary' sslmode=require", "server does not support SSL"),
    ],
    ids=["not set", "malformed", "wrong password", "no server", "option"],
)
def test_a_connection_that_fails_is_told_without_the_connection_string(
    server: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str | None, complaint: str
) -> None:
    monkeypatch.delenv("SHOP_DSN", raising=False)
    if variable is not None:
        monkeypatch.setenv("SHOP_DSN", variable.format(port=server["port"]))
    (told,) = problems(shop(tmp_path, TABLE))
    assert told.startswith("shop.yaml:6: events.0.source: ")
    assert complaint in told
    assert "canary" not in told


def test_a_relation_of_which_no_row_is_loaded_is_warned_of(
    database: psycopg.Connection, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    check = shop_checks(shop(tmp_path, TABLE, QUERY))["raw_events: every_event_file_is_loaded"]
    verdict = check(Table(connection, "select 'SHOP_DSN/sales.orders' as source_file"))
    assert isinstance(verdict, dg.AssetCheckResult)
    assert not verdict.passed
    assert str(verdict.description).endswith("hold: SHOP_DSN/query of events.1.")


def test_the_password_is_in_no_file_log_or_error_of_a_run_even_when_the_server_is_lost(
    server: dict[str, Any], database: psycopg.Connection, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = shop(tmp_path, TABLE, QUERY.replace("who <> ''bob''", "pg_sleep(0) is not null"))
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        good = load_shop(tmp_path / "w.duckdb", dataset, instance=instance, selection=RAW_EVENTS)
        assert good.success
        before = rows(tmp_path / "w.duckdb", "select * from ingestion.raw_events order by all")
        assert len(before) == 10
        # One fails while its rows are read, the other because the server is lost.
        broken = shop(tmp_path, QUERY.replace("''bob''", "''bob'' and 1 / (n - n) > 0"))
        for spoilt in (broken, dataset):
            if spoilt is dataset:
                server["stop"]()
            failed = load_shop(
                tmp_path / "w.duckdb", spoilt, instance=instance, selection=RAW_EVENTS, raise_on_error=False
            )
            assert not failed.success
            assert ("division by zero" if spoilt is broken else "no connection: ") in error_of(failed)
    assert rows(tmp_path / "w.duckdb", "select * from ingestion.raw_events order by all") == before
    out = "".join(capfd.readouterr())
    written = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written) > 4
    for secret in (CANARY, quote(CANARY, "")):
        assert secret not in out
        assert [name for name, content in written.items() if secret.encode() in content] == []
