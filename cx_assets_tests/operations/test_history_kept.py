"""Laws of what is kept of Dagster's history and of the working file: what is gone is gone, what is known stays."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.cli import app
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.operations import compaction
from cx_assets.operations.compaction import compact
from cx_assets.operations.history import prune
from cx_assets.operations.run_log import log_file
from cx_assets.settings import Settings
from cx_assets.table import from_frame
from cx_assets.table.storage import write
from cx_assets.table.warehouse import Warehouse
from cx_assets_tests.runs import opened, rows
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
SOON = datetime.now(UTC) + timedelta(days=1)


DAYS = dg.DailyPartitionsDefinition("2024-03-01", end_date="2024-03-03")


@dg.asset(name="numbers", partitions_def=DAYS)
def by_day() -> None:
    """By days."""


numbers = by_day.with_attributes(backfill_policy=dg.BackfillPolicy.single_run())


@dg.asset_check(asset=numbers)
def numbers_are_right() -> dg.AssetCheckResult:
    """Of all days."""
    return dg.AssetCheckResult(passed=True)


def test_runs_go_with_their_events_and_logs_but_those_that_say_which_days_are_loaded(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with shipped_instance(settings) as instance:

        def load(first: str, last: str) -> str:
            tags = {RANGE_START: f"2024-03-0{first}", RANGE_END: f"2024-03-0{last}"}
            return dg.materialize([numbers, numbers_are_right], instance=instance, tags=tags, run_config=QUIET).run_id

        superseded, of_day_1, of_day_2 = load("1", "2"), load("1", "1"), load("2", "2")
        assert prune(instance, datetime.now(UTC) - timedelta(days=1), settings.home) == 0
        assert log_file(settings.home, superseded).exists()
        assert prune(instance, SOON, settings.home) == 1
        assert {run.run_id for run in instance.get_runs()} == {of_day_1, of_day_2}
        assert list(instance.all_logs(superseded)) == []
        assert [log_file(settings.home, run).exists() for run in (superseded, of_day_1)] == [False, True]
        assert instance.get_materialized_partitions(numbers.key) == {"2024-03-01", "2024-03-02"}
        check = dg.AssetCheckKey(numbers.key, "numbers_are_right")
        verdict = instance.get_latest_asset_check_evaluation_record(check)
        assert verdict is not None
        assert verdict.run_id == of_day_2
        assert prune(instance, SOON, settings.home) == 0


def test_a_run_that_is_not_over_stays_however_old(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for number, status in enumerate([dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE]):
            instance.add_run(
                dg.DagsterRun(job_name="j", run_id=f"00000000-0000-4000-8000-00000000000{number}", status=status)
            )
        assert prune(instance, SOON, tmp_path) == 1
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.STARTED]


# The working file


CANARY = "a.customer.who.left@shop.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a warehouse whose many rows were deleted, a few left."""
    settings = Settings(data_dir=tmp_path)
    with opened(settings.warehouse_path) as connection:
        connection.execute("pragma force_compression = 'uncompressed'")  # so that a search for bytes says something
        connection.execute("create schema shop")
        connection.execute("create table shop.people (name varchar not null, day date)")
        connection.execute(f"insert into shop.people select '{CANARY}' || md5(range::varchar), null from range(200000)")
        connection.execute("checkpoint")
        connection.execute("insert into shop.people values ('kept', date '2024-03-01')")
        connection.execute("delete from shop.people where name <> 'kept'")
    return settings


def test_a_compacted_warehouse_is_smaller_and_holds_the_same_rows_and_rules(settings: Settings) -> None:
    before, after = compact(settings)
    assert after < before / 5
    assert settings.warehouse_path.stat().st_size == after
    assert rows(settings.warehouse_path, "select * from shop.people") == [("kept", date(2024, 3, 1))]
    with pytest.raises(duckdb.ConstraintException):
        rows(settings.warehouse_path, "insert into shop.people values (null, null)")
    assert {path.name for path in settings.data_dir.iterdir()} <= {"working.duckdb", "working.lock", "working.holder"}


def test_the_bytes_of_removed_rows_are_no_longer_in_the_file(settings: Settings) -> None:
    assert CANARY.encode() in settings.warehouse_path.read_bytes()
    compact(settings)
    assert CANARY.encode() not in settings.warehouse_path.read_bytes()


def test_a_compaction_that_fails_leaves_the_warehouse_and_no_copy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(name: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compaction, "literal", refuses)
    with pytest.raises(OSError, match="No space left"):
        compact(settings)
    monkeypatch.undo()
    assert rows(settings.warehouse_path, "select name from shop.people") == [("kept",)]
    assert not settings.warehouse_path.with_suffix(".compacted").exists()


# By command


def cx(folder: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Result:
    """`cx retention` on a tiny shop."""
    for name, value in {
        "CX_DATASET": str(folder / "tiny_shop.yaml"),
        "CX_DATA_DIR": str(folder / "data"),
        **variables,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    return CliRunner().invoke(app, ["retention"])


def test_the_command_says_per_rule_what_it_removed_and_writes_the_file_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny(tmp_path, {"a.csv": [{}]})
    settings = Settings(data_dir=tmp_path / "data")
    events = pd.DataFrame({"day": [date(2024, 3, day) for day in (1, 5)]}).assign(
        source_file="a.csv", source_row=[1, 2]
    )
    with Warehouse(path=str(settings.warehouse_path)).opened("the test") as warehouse:
        missing = {name: None for name in RAW_EVENTS.column_names if name not in events}
        write(warehouse.connection, RAW_EVENTS, from_frame(warehouse.connection, events.assign(**missing)))
    told = cx(tmp_path, monkeypatch, CX_RETENTION="ingestion.raw_events: 2 days", COLUMNS="200")
    assert told.exit_code == 0, told.output
    assert "ingestion.raw_events: kept for 2 days, from 2024-03-04; 1 rows of before removed." in told.output
    assert "0 runs of more than 365 days ago removed from Dagster's history." in told.output
    assert "working.duckdb written anew: " in told.output
    assert rows(settings.warehouse_path, "select day(day) from ingestion.raw_events") == [(5,)]
    assert os.environ["DAGSTER_HOME"] == str(settings.home)
