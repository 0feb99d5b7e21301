"""Laws of the one connection that writes."""

from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from cx_assets.table.warehouse import Warehouse, WarehouseBusyError, connect, writing


def test_the_connection_is_closed_and_the_lock_free_afterwards_also_after_an_error(tmp_path: Path) -> None:
    warehouse = Warehouse(path=str(tmp_path / "w.duckdb"))
    with pytest.raises(duckdb.Error, match="in the body"), warehouse.opened("a test"):
        warehouse.query("select error('in the body')").fetchone()
    with pytest.raises(duckdb.ConnectionException):
        warehouse.connection.execute("select 1")
    with FileLock(tmp_path / "w.lock", timeout=0):
        pass


def test_who_waits_too_long_is_told_who_writes_and_what_to_do(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    with (
        writing(database, 1, "run 42"),
        pytest.raises(WarehouseBusyError) as busy,
        Warehouse(path=str(database), lock_timeout_seconds=0.1).opened("another"),
    ):
        pass
    assert "is being written by process" in str(busy.value)
    assert "run 42" in str(busy.value)
    assert "CX_LOCK_TIMEOUT_SECONDS" in str(busy.value)


def test_a_lock_that_another_program_holds_is_told_without_its_name(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    with (
        FileLock(tmp_path / "w.lock"),
        pytest.raises(WarehouseBusyError, match="written by another process"),
        writing(database, 0, "a test"),
    ):
        pass


def test_days_are_utc_days_and_the_limits_are_kept() -> None:
    with connect(None, "100MB", 1) as connection:
        settings = dict(
            connection.execute(
                "select name, value from duckdb_settings() where name in ('TimeZone', 'threads', 'memory_limit')"
            ).fetchall()
        )
    assert settings == {"TimeZone": "UTC", "threads": "1", "memory_limit": "95.3 MiB"}
