"""Laws of what an asset returns and a parameter asks for, in real runs on a real file."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from filelock import FileLock

from cx_assets.table import Table, column, schema, sql, table_asset, table_check
from cx_assets_tests.runs import error_of, rows, run, tamper

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05", timezone="UTC")
ALL_DAYS = ("2024-01-01", "2024-01-04")
VISITS = schema("shop", "visits", "V.", column("day", "date", "D."), column("number", "bigint", "N."))
TOTAL = schema("shop", "total", "T.", column("days", "bigint", "D."), column("number", "bigint", "N."))


@dataclass
class Visits:
    """A class that knows how to come out of a table."""

    numbers: list[int]

    @classmethod
    def from_table(cls, table: Table) -> "Visits":
        return cls([number for (number,) in sql("select number from t order by day", t=table).fetchall()])


@table_asset(VISITS, partitions_def=DAYS, code_version="1")
def visits(context: dg.AssetExecutionContext) -> pd.DataFrame:
    """One row per day of the run but the third; its number is that of the day."""
    start, end = context.partition_time_window
    days = pd.date_range(start, end, inclusive="left", tz="UTC")
    frame = pd.DataFrame({"number": days.day, "day": days.date})
    return frame[frame["number"] != 3]


@table_asset(TOTAL, code_version="1")
def total(visits: Table) -> Table:
    """How many days there are, and the sum of their numbers."""
    return sql("select sum(number)::bigint as number, count(*) as days from visits", visits=visits)


def asset_of(spec, returned, **options):
    """An asset that returns a given thing."""

    @table_asset(spec, code_version="1", **options)
    def made():
        return returned() if callable(returned) else returned

    return made


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dg.ExecuteInProcessResult]:
    database = tmp_path_factory.mktemp("loaded") / "deep" / "working.duckdb"
    return database, run(database, [visits, total], days=ALL_DAYS)


def test_the_file_and_its_folder_are_made_and_tables_are_called_by_group_and_name(loaded) -> None:
    database, _ = loaded
    assert rows(
        database, "select schema_name || '.' || table_name from duckdb_tables() where schema_name = 'shop' order by 1"
    ) == [
        ("shop.total",),
        ("shop.visits",),
    ]


def test_a_query_over_all_days_becomes_a_table(loaded) -> None:
    assert rows(loaded[0], "select * from shop.total") == [(3, 7)]


def test_every_day_of_a_range_reports_its_own_rows(loaded) -> None:
    told = {
        event.partition: event.materialization.metadata["dagster/partition_row_count"].value
        for event in loaded[1].get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("visits")
    }
    assert told == {"2024-01-01": 1, "2024-01-02": 1, "2024-01-03": 0, "2024-01-04": 1}


def metadata_of(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    event = next(e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(asset))
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_a_run_of_days_reports_its_rows_and_the_end_of_its_window(loaded) -> None:
    told = metadata_of(loaded[1], "visits")
    assert told["rows_in_run"] == 3
    assert told["as_of"] == "2024-01-05T00:00:00"


def test_a_table_without_days_reports_its_row_count(loaded) -> None:
    assert metadata_of(loaded[1], "total")["dagster/row_count"] == 1


def test_a_model_is_as_of_midnight_after_the_last_event_and_a_delivery_as_of_now(tmp_path: Path) -> None:
    events = schema("warehouse", "events", "E.", column("day", "date", "D."), column("occurred_at", "timestamp", "O."))
    model = schema("models", "model", "M.", column("n", "bigint", "N."))
    delivery = schema("ingestion", "raw", "R.", column("n", "bigint", "N."))

    @table_asset(events, code_version="1", partitions_def=DAYS)
    def stored():
        return pd.DataFrame({"day": [date(2024, 1, 2)], "occurred_at": [datetime(2024, 1, 2, 9)]})

    made = [asset_of(spec, pd.DataFrame({"n": [1]}), deps=["events"]) for spec in (model, delivery)]
    result = run(tmp_path / "w.duckdb", [stored, *made], days=ALL_DAYS)
    assert metadata_of(result, "model")["as_of"] == "2024-01-03T00:00:00"
    told = datetime.fromisoformat(f"{metadata_of(result, 'raw')['as_of']}+00:00")
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=1)


def test_a_parameter_gets_what_its_annotation_asks_for(tmp_path: Path) -> None:
    columns = column("day", "date", "D."), column("number", "bigint", "N.")

    @table_asset(schema("shop", "base", "B.", *columns), code_version="1")
    def base():
        return pd.DataFrame({"day": [date(2024, 1, 1), date(2024, 1, 2)], "number": [4, 5]})

    def passed_on(name, kind):
        @table_asset(schema("shop", name, "A.", column("got", "varchar", "G.")), code_version="1")
        def asked(base: kind):
            return pd.DataFrame({"got": [f"{type(base).__name__} {len(getattr(base, 'numbers', 'ab'))}"]})

        return asked

    kinds_of = {"a_table": Table, "a_frame": pd.DataFrame, "an_arrow": pa.Table, "an_own": Visits}
    run(tmp_path / "w.duckdb", [base, *(passed_on(name, kind) for name, kind in kinds_of.items())])
    got = [rows(tmp_path / "w.duckdb", f"select got from shop.{name}")[0][0] for name in kinds_of]
    assert got == ["Table 2", "DataFrame 2", "Table 2", "Visits 2"]


def test_a_day_replaces_itself_only_and_what_follows_reads_all_days(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    run(database, [visits, total], days=ALL_DAYS)
    tamper(database, "update shop.visits set number = number * 100")
    run(database, [visits, total], days=("2024-01-02", "2024-01-02"))
    assert rows(database, "select number from shop.visits order by day") == [(100,), (2,), (400,)]
    assert rows(database, "select * from shop.total") == [(3, 502)]


def test_a_day_reads_its_own_day_of_an_upstream_that_has_days(tmp_path: Path) -> None:
    spec = schema("shop", "copies", "C.", column("day", "date", "D."), column("number", "bigint", "N."))

    @table_asset(spec, partitions_def=DAYS, code_version="1")
    def copies(visits: Table):
        return visits

    database = tmp_path / "w.duckdb"
    run(database, [visits, copies], days=ALL_DAYS)
    tamper(database, "update shop.visits set number = number * 100")
    run(database, [visits, copies], days=("2024-01-02", "2024-01-03"), selection=[copies])
    assert rows(database, "select number from shop.copies order by day") == [(1,), (200,), (4,)]


def test_what_follows_can_run_alone_on_what_is_stored(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    run(database, [visits, total], days=ALL_DAYS)
    tamper(database, "update shop.visits set number = 1")
    run(database, [visits, total], selection=[total])
    assert rows(database, "select * from shop.total") == [(3, 3)]


def test_reading_a_table_that_was_never_made_says_what_to_materialize(tmp_path: Path) -> None:
    result = run(tmp_path / "w.duckdb", [visits, total], selection=[total], raise_on_error=False)
    assert "shop.visits is not there yet: materialize visits first." in error_of(result)


def test_reading_a_table_of_an_older_declaration_says_what_to_materialize(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    run(database, [visits], days=ALL_DAYS)
    tamper(database, "alter table shop.visits drop column number")
    result = run(database, [visits, total], selection=[total], raise_on_error=False)
    assert "shop.visits was stored without the declared column number: materialize visits again." in error_of(result)


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (None, "the asset returned NoneType, not a Table, DataFrame or Arrow table"),
        ([1, 2], "the asset returned list, not a Table"),
        (pd.DataFrame({"number": ["one", 1, 2.5], "days": [1, 2, 3]}), "column number"),
        (pd.DataFrame({"number": [1], "days": [None]}), "NOT NULL constraint failed: total.days"),
    ],
    ids=["nothing", "a list", "a mixed column", "a null"],
)
def test_what_is_not_the_declared_table_fails_the_step_and_leaves_the_old_rows(
    tmp_path: Path, returned: object, complaint: str
) -> None:
    database = tmp_path / "w.duckdb"
    run(database, [asset_of(TOTAL, pd.DataFrame({"number": [1], "days": [1]}))])
    result = run(database, [asset_of(TOTAL, lambda: returned)], raise_on_error=False)
    assert not result.success
    assert complaint in error_of(result)
    assert "shop.total" in error_of(result)
    assert rows(database, "select days, number from shop.total") == [(1, 1)]


def test_after_an_exception_the_connection_is_closed_and_the_lock_is_free(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"

    def explode():
        raise ZeroDivisionError("in the asset")

    result = run(database, [asset_of(TOTAL, explode)], raise_on_error=False)
    assert "in the asset" in error_of(result)
    with FileLock(database.with_suffix(".lock"), timeout=0), duckdb.connect(str(database)) as connection:
        assert connection.execute("select count(*) from duckdb_tables() where schema_name = 'shop'").fetchone() == (0,)


def test_a_check_reads_all_days_of_a_table_whatever_the_days_of_the_run(tmp_path: Path) -> None:
    @table_check("visits", blocking=True)
    def seen(visits: Table) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"days": visits.count()})

    database = tmp_path / "w.duckdb"
    run(database, [visits], days=ALL_DAYS)
    for days in (ALL_DAYS, ("2024-01-02", "2024-01-02")):
        (verdict,) = run(database, [visits, seen], days=days).get_asset_check_evaluations()
        assert verdict.metadata["days"].value == 3
