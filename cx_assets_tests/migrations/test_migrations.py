"""Laws of upgrading: no event is lost or changed, all steps or none, and what is newer is refused."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import Dataset
from cx_assets.evaluation.tables import BACKTEST_COMPARISONS, BACKTEST_METRICS
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.migrations import STEPS, MigrationError, Step, migrate, stored_version
from cx_assets.recommendations.tables import RECOMMENDATIONS
from cx_assets.table import TableSpec
from cx_assets.table.storage import stored_columns
from cx_assets.table.types import declared_types
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.tables import EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS
from cx_assets_tests.migrations.old_schema import write_old_warehouse
from cx_assets_tests.runs import load_shop, opened, rows
from cx_assets_tests.shop import write_tiny

LATEST = STEPS[-1].version
# What must survive an upgrade: tables that are written by days or kept for the next run.
KEPT = (RAW_EVENTS, EVENTS, REJECTED_EVENTS, WITHDRAWN_EVENTS, RECOMMENDATIONS, BACKTEST_METRICS, BACKTEST_COMPARISONS)
EVENT_ROWS = [
    {"id": "1"},
    {"id": "1"},  # an exact duplicate
    {"id": "2", "at": "2024-03-02T09:00:00", "basket": " b7 ", "who": " bob "},
    {"id": "3", "kind": "Rating", "rating": "4", "value": ""},
    {"id": "4", "quantity": "0"},  # rejected
    {"id": "", "kind": "view", "value": "0", "at": "2024-03-05T23:59:59"},
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_tiny(tmp_path_factory.mktemp("tiny"), {"a.csv": EVENT_ROWS})


@pytest.fixture(scope="module")
def present(dataset: Dataset) -> Path:
    """A warehouse that this version loaded from nothing."""
    database = dataset.folder / "present.duckdb"
    load_shop(database, dataset)
    return database


@pytest.fixture
def old(present: Path, tmp_path: Path) -> Path:
    """The same events as version 0.1.0 had them."""
    write_old_warehouse(tmp_path / "old.duckdb", present)
    return tmp_path / "old.duckdb"


@pytest.fixture
def connection(old: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(old) as connection:
        yield connection


def stored(database: Path, spec: TableSpec) -> list[tuple]:
    return rows(database, f"select {', '.join(spec.column_names)} from {spec.qualified} order by all")


def schema_of(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    return connection.execute(
        "select table_schema, table_name, column_name, data_type, is_nullable "
        "from information_schema.columns order by all"
    ).fetchall()


def test_an_old_warehouse_has_other_columns_and_ids_before(old: Path, present: Path) -> None:
    with opened(old) as connection:
        assert stored_version(connection) is None
        assert "store_id" not in stored_columns(connection, EVENTS)
    ids = "select event_id from warehouse.events"
    assert set(rows(old, ids)).isdisjoint(rows(present, ids))


@pytest.mark.parametrize("spec", [RAW_EVENTS, EVENTS, REJECTED_EVENTS], ids=lambda spec: spec.name)
def test_an_upgraded_warehouse_holds_what_a_new_one_would_row_for_row(
    old: Path, present: Path, spec: TableSpec
) -> None:
    with Warehouse(path=str(old)).opened("a test"):
        pass
    assert stored(old, spec) == stored(present, spec)
    assert len(stored(old, spec)) > 0


@pytest.mark.parametrize("spec", KEPT, ids=lambda spec: spec.name)
def test_an_upgraded_table_is_as_it_is_declared_down_to_what_may_be_null(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec
) -> None:
    migrate(connection, "old")
    assert stored_columns(connection, spec) == declared_types(connection, spec)
    required = connection.execute(
        "select column_name from information_schema.columns "
        "where table_schema = ? and table_name = ? and is_nullable = 'NO'",
        [spec.group, spec.name],
    ).fetchall()
    assert {name for (name,) in required} == set(spec.required)


def test_lists_and_figures_of_before_are_kept_and_no_figure_is_taken_for_one_of_present_lists(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    migrate(connection, "old")
    lists = connection.execute("select customer_id, item_id, due_on from recommendations.recommendations").fetchall()
    assert lists == [("ann", "tea", None)]
    assert connection.execute("select value, version from evaluation.backtest_metrics").fetchall() == [(0.4, "")]


def test_a_day_can_be_loaded_into_an_upgraded_warehouse_and_changes_nothing(
    old: Path, present: Path, dataset: Dataset
) -> None:
    load_shop(old, dataset, days=("2024-03-02", "2024-03-02"))
    for spec in (RAW_EVENTS, EVENTS, REJECTED_EVENTS):
        assert stored(old, spec) == stored(present, spec)


def test_a_run_tells_what_it_upgraded_and_the_next_one_has_nothing_to_upgrade(old: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        with Warehouse(path=str(old)).opened("a test", told.append):
            pass
    assert told == [f"old.duckdb: brought to schema {step.version}: {step.name}" for step in STEPS]
    versions = rows(old, "select version, name, applied_at is not null from operations.schema_version order by version")
    assert versions == [(step.version, step.name, True) for step in STEPS]


def test_a_new_warehouse_has_the_latest_schema_and_no_step_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with Warehouse(path=str(tmp_path / "new.duckdb")).opened("a test", told.append) as warehouse:
        assert stored_version(warehouse.connection) == LATEST
    assert told == []


def test_a_present_warehouse_that_notes_no_version_yet_is_not_changed(present: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "unversioned.duckdb") as connection:
        connection.execute(f"attach '{present}' as present (read_only)")
        connection.execute("copy from database present to unversioned")
        connection.execute("drop schema operations cascade")
    for spec in (RAW_EVENTS, EVENTS, REJECTED_EVENTS):
        before = stored(tmp_path / "unversioned.duckdb", spec)
        with Warehouse(path=str(tmp_path / "unversioned.duckdb")).opened("a test"):
            pass
        assert stored(tmp_path / "unversioned.duckdb", spec) == before


def test_a_warehouse_of_a_newer_version_is_refused_and_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection, "old")
    connection.execute(f"insert into operations.schema_version values ({LATEST + 5}, 'of the future', now())")
    before = schema_of(connection)
    with pytest.raises(MigrationError) as refusal:
        migrate(connection, "data/working.duckdb")
    assert str(refusal.value).startswith(
        f"data/working.duckdb has the schema {LATEST + 5}; this version of cx_assets knows schemas up to {LATEST}."
    )
    assert "Install that one again" in str(refusal.value)
    assert schema_of(connection) == before


def test_a_step_that_fails_undoes_the_steps_before_it(connection: duckdb.DuckDBPyConnection) -> None:
    def fails(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("delete from warehouse.events")
        connection.execute("alter table warehouse.events rename column nothing to something")

    before = schema_of(connection), connection.execute("select * from warehouse.events order by all").fetchall()
    with pytest.raises(MigrationError, match=rf"(?s)the schema {LATEST + 1} \(a bad one\).*All steps were undone"):
        migrate(connection, "old", (*STEPS, Step(LATEST + 1, "a bad one", fails)))
    after = schema_of(connection), connection.execute("select * from warehouse.events order by all").fetchall()
    assert after == before
    assert stored_version(connection) is None


def test_a_failed_upgrade_frees_the_lock_and_says_so_to_who_runs(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(old) as connection:  # a hand has added the column, with another type
        connection.execute("alter table warehouse.events add column store_id integer")
        connection.execute("create table warehouse.copy_of_events as select * from warehouse.events")
        connection.execute("drop table warehouse.events")
        connection.execute("create view warehouse.events as select * from warehouse.copy_of_events")
    warehouse = Warehouse(path=str(old), lock_timeout_seconds=0)
    for _ in range(2):  # the second time shows that the first has let go
        with pytest.raises(MigrationError, match=r"events know their store"), warehouse.opened("a test"):
            pass


def test_steps_are_numbered_from_1_without_a_gap() -> None:
    assert [step.version for step in STEPS] == list(range(1, LATEST + 1))
