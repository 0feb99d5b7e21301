"""Laws of reading a real MariaDB as MySQL."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest

from cx_assets.ingestion.changes import changes
from cx_assets.ingestion.fitting import problems
from cx_assets_tests.ingestion.sources import events, shop
from cx_assets_tests.servers import CANARY, mariadb

pytestmark = pytest.mark.whole

TABLE = "{database: {kind: mysql, connection: '${SHOP_DSN}', table: orders, key: line, watermark: changed}}"
QUERY = (
    "{database: {kind: mysql, connection: '${SHOP_DSN}', query: 'select * from orders', watermark: line, lookback: 0}}"
)
ORDERS = """
drop table if exists orders;
create table orders (line bigint, day datetime, who text, what text, n int, price decimal(9, 2), changed datetime);
insert into orders values
    (11, '2024-03-01 10:00', 'ann', 'tea', 1, 2.50, '2024-03-05 10:00'),
    (12, '2024-03-04 10:00', 'bob', 'jam', 2, 4.00, '2024-03-05 11:00'),
    (13, '2024-03-09 10:00', 'cay', 'jam', 1, 4.00, '2024-03-10 10:00')
"""


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    with mariadb() as server:
        yield server


@pytest.fixture
def database(server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("SHOP_DSN", f"mysql://cx:{quote(CANARY, '')}@127.0.0.1:{server['port']}/shop")
    server["run"](ORDERS)
    return server


@pytest.mark.parametrize(("source", "numbers"), [(TABLE, [11, 12, 13]), (QUERY, [1, 1, 1])], ids=["table", "query"])
def test_all_rows_are_read_or_those_about_a_day(
    connection: duckdb.DuckDBPyConnection, database: object, tmp_path: Path, source: str, numbers: list[int]
) -> None:
    dataset = shop(tmp_path, source)
    assert problems(dataset) == []
    found = events(connection, dataset, "source_row", "occurred_at", "value")
    assert [row[0] for row in found] == numbers
    assert set(found) >= {(numbers[1], "2024-03-04 10:00:00", "4.00")}
    day = (date(2024, 3, 9), date(2024, 3, 9))
    assert events(connection, dataset, "occurred_at", days=day) == [("2024-03-09 10:00:00",)]


@pytest.mark.parametrize("source", [TABLE, QUERY], ids=["times", "numbers"])
def test_a_look_finds_the_days_of_new_rows(database: dict[str, Any], tmp_path: Path, source: str) -> None:
    dataset = shop(tmp_path, source)
    first = changes(dataset, {})
    assert first.days == [date(2024, 3, day) for day in (1, 4, 9)]
    assert changes(dataset, first.state).changed == {}
    database["run"]("insert into orders values (14, '2024-03-07', 'dan', 'tea', 1, 1, '2024-03-10 09:30')")
    assert changes(dataset, first.state).days == [date(2024, 3, 7)]


def test_a_wrong_password_or_table_is_told_without_the_connection_string(
    database: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (told,) = problems(shop(tmp_path, TABLE.replace("orders", "orderz")))
    assert "SHOP_DSN/orderz can't be read as a table of mysql: " in told
    assert "'shop.orderz' doesn't exist" in told
    monkeypatch.setenv("SHOP_DSN", f"host=127.0.0.1 port={database['port']} user=cx password=canary database=shop")
    (told,) = problems(shop(tmp_path, TABLE))
    assert "SHOP_DSN: no connection: Access denied for user 'cx'" in told
    assert "canary" not in told
