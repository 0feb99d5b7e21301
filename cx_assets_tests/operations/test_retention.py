"""Laws of retention: what is old goes, as a whole or not at all, and what later stages rest on never does."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import Dataset
from cx_assets.definitions import build_definitions, table_specs
from cx_assets.evaluation.tables import BACKTEST_LISTS
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.operations.retention import apply, first_day_to_load, learning_days, refusals
from cx_assets.publishing.gate import unmet
from cx_assets.settings import Settings
from cx_assets.table import from_frame
from cx_assets.table.removed import removed_days, removed_files
from cx_assets.table.storage import read, write
from cx_assets_tests.runs import (
    declared,
    error_of,
    failed,
    load_shop,
    opened,
    rows,
    run,
    shop_assets,
    shop_checks,
    verdicts,
)
from cx_assets_tests.shop import write_tiny

LEARNING = learning_days(28, 28, 3, 90.0)
DAYS = [date(2024, 3, day) for day in range(1, 6)]
BY_DAY = ("ingestion.raw_events", "warehouse.events", "warehouse.rejected_events")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A file for each of five days: a good event, its copy, and one that is rejected."""
    files = {
        f"{day}.csv": [{"at": f"{day}T10:00:00"}, {"at": f"{day}T10:00:00"}, {"at": f"{day}T11:00:00", "quantity": "0"}]
        for day in DAYS
    }
    return write_tiny(tmp_path_factory.mktemp("tiny"), files)


@pytest.fixture(scope="module")
def loaded(dataset: Dataset) -> Path:
    database = dataset.folder / "loaded.duckdb"
    load_shop(database, dataset)
    return database


@pytest.fixture
def database(loaded: Path, tmp_path: Path) -> Path:
    path = tmp_path / "working.duckdb"
    path.write_bytes(loaded.read_bytes())
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened(database) as connection:
        yield connection


def per_day(connection: duckdb.DuckDBPyConnection, table: str) -> dict[int, int]:
    return dict(connection.execute(f"select day(day), count(*) from {table} group by all order by all").fetchall())


def test_old_raw_events_go_with_the_rejected_ones_and_the_events_made_of_them_stay(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    applied = apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
    assert [(one.table, one.kept_from, one.removed, one.oldest) for one in applied] == [
        ("ingestion.raw_events", DAYS[3], 9, DAYS[3]),
        ("warehouse.rejected_events", DAYS[3], 3, DAYS[3]),
    ]
    assert per_day(connection, "ingestion.raw_events") == {4: 3, 5: 3}
    assert per_day(connection, "warehouse.rejected_events") == {4: 1, 5: 1}
    assert per_day(connection, "warehouse.events") == dict.fromkeys(range(1, 6), 1)


def test_it_is_noted_which_days_and_files_the_removed_rows_were_of(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
    assert removed_days(connection, "ingestion.raw_events") == DAYS[:3]
    assert removed_files(connection, "ingestion.raw_events") == {f"events/{day}.csv" for day in DAYS[:3]}
    assert removed_days(connection, "warehouse.events") == []


def test_a_second_time_removes_nothing_more(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    for expected in (9, 0):
        applied = apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
        assert applied[0].removed == expected


def test_a_failure_half_way_leaves_every_row_where_it_was(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    before = {table: per_day(connection, table) for table in BY_DAY}
    connection.execute("create schema if not exists evaluation")
    connection.execute("create view evaluation.backtest_lists as select timestamp '2024-01-01' as as_of")
    with pytest.raises(duckdb.Error):
        apply(connection, dataset, {"ingestion.raw_events": 2, "evaluation.backtest_lists": 7}, LEARNING)
    assert {table: per_day(connection, table) for table in BY_DAY} == before
    assert removed_days(connection, "ingestion.raw_events") == []


def test_backtest_lists_are_kept_by_their_as_of_date(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    weeks = [datetime(2024, 3, 4) - timedelta(weeks=week) for week in range(4)]
    lists = pd.DataFrame({"as_of": weeks}).assign(
        recommender="blend", list="both", customer_id="ann", rank=1, item_id="tea", score=0.5, version="1"
    )
    write(connection, BACKTEST_LISTS, from_frame(connection, lists))
    apply(connection, dataset, {"evaluation.backtest_lists": 14}, LEARNING)
    assert sorted(read(connection, BACKTEST_LISTS).df()["as_of"]) == sorted(weeks[:2])


def test_events_within_the_learning_window_stay_even_if_no_new_ones_have_come_for_years(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    late = dataset.model_copy(update={"last_day": date(2029, 1, 1)})
    late._path = dataset.path
    events, raw = "warehouse.events", "ingestion.raw_events"
    applied = {one.table: one for one in apply(connection, late, {events: 400, raw: 400}, learning=3)}
    assert (applied[events].kept_from, applied[events].removed) == (DAYS[2], 2)
    assert applied[raw].removed == 15


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"warehouse.events": 300}, f"warehouse.events: 300 days are fewer than the {LEARNING} that models learn from"),
        ({"warehouse.events": 600}, "could no longer be told that nothing is lost. Keep ingestion.raw_events for 600"),
        ({"warehouse.events": 600, "ingestion.raw_events": 700}, "raw events would be kept longer"),
        ({"warehouse.rejected_events": 30}, "goes with it: set ingestion.raw_events"),
        ({"warehouse.customers": 30}, "warehouse.customers: it is made anew as a whole"),
        ({"ingestion.raw_event": 30}, "ingestion.raw_event: no such table. Did you mean ingestion.raw_events?"),
    ],
)
def test_a_rule_that_would_remove_what_is_rested_on_is_refused_with_the_reason(
    dataset: Dataset, rules: dict[str, int], reason: str
) -> None:
    (told,) = refusals(rules, LEARNING, [spec.qualified for spec in table_specs(dataset)])
    assert reason in told


def test_rules_that_remove_only_what_nothing_rests_on_are_not_refused(dataset: Dataset) -> None:
    rules = {"warehouse.events": LEARNING, "ingestion.raw_events": LEARNING, "evaluation.backtest_lists": 1}
    assert refusals(rules, LEARNING, [spec.qualified for spec in table_specs(dataset)]) == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", {}),
        ("ingestion.raw_events: 400 days", {"ingestion.raw_events": 400}),
        (
            " ingestion.raw_events:1 year , evaluation.backtest_lists: 52 weeks,",
            {"ingestion.raw_events": 365, "evaluation.backtest_lists": 364},
        ),
    ],
)
def test_rules_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, rules: dict[str, int]) -> None:
    monkeypatch.setenv("CX_RETENTION", text)
    assert Settings().retention == rules


@pytest.mark.parametrize("text", ["400 days", "ingestion.raw_events: 0 days", "a.b: 2 days, a.b: 3 days", "a.b: soon"])
def test_a_rule_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CX_RETENTION", text)
    with pytest.raises(ValueError, match=r"is not a rule such as 'ingestion.raw_events: 400 days'|has two rules"):
        Settings()


def test_a_run_without_a_first_day_begins_with_the_first_whose_raw_events_are_kept(dataset: Dataset) -> None:
    assert first_day_to_load(dataset, {}) == DAYS[0]
    assert first_day_to_load(dataset, {"ingestion.raw_events": 2}) == DAYS[3]
    assert first_day_to_load(dataset, {"ingestion.raw_events": 4000}) == DAYS[0]


# Afterwards, in real runs


def test_the_checks_of_events_still_hold_and_still_find_a_loss(database: Path, dataset: Dataset) -> None:
    checks = shop_checks(dataset, rejected_limit=1)
    chosen = [checks[name] for name in checks if name.split(": ")[0] in ("raw_events", "events", "rejected_events")]
    needed = (*BY_DAY, "warehouse.withdrawn_events", "warehouse.customer_merges", "ingestion.raw_customers")
    assets = [asset for asset in shop_assets(dataset) if declared(asset).qualified in needed]
    only_checks = dg.AssetSelection.all_asset_checks()
    with opened(database) as connection:
        apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
    still = verdicts(run(database, [*assets, *chosen], selection=only_checks, raise_on_error=False))
    assert "events: nothing_is_lost" in still
    assert [name for name, verdict in still.items() if not verdict.passed] == []
    with opened(database) as connection:
        connection.execute("delete from ingestion.raw_events where day = date '2024-03-04'")
    lost = failed(run(database, [*assets, *chosen], selection=only_checks, raise_on_error=False))
    assert "1 of 5 days doesn't add up" in lost["events: nothing_is_lost"]
    assert "events/2024-03-04.csv" in lost["raw_events: every_event_file_is_loaded"]


def test_events_are_not_made_anew_of_raw_events_that_are_gone(database: Path, dataset: Dataset) -> None:
    with opened(database) as connection:
        apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
    result = load_shop(database, dataset, days=("2024-03-02", "2024-03-04"), selection=["events"], raise_on_error=False)
    assert not result.success
    assert "the rows of 2 days from 2024-03-02 to 2024-03-03 were removed" in error_of(result)
    assert "materialize raw_events in the same run, from its files" in error_of(result)
    assert len(rows(database, "select * from warehouse.events")) == 5


def test_what_is_made_of_all_days_is_made_of_those_that_are_left(database: Path, dataset: Dataset) -> None:
    with opened(database) as connection:
        apply(connection, dataset, {"ingestion.raw_events": 2, "warehouse.events": 2}, learning=1)
    whole = ("2024-03-01", "2024-03-05")
    assert load_shop(database, dataset, days=whole, selection=["baskets"]).success
    assert rows(database, "select day(occurred_at) from warehouse.baskets order by all") == [(4,), (5,)]


def test_a_removed_day_that_is_loaded_again_is_a_day_like_any_other(database: Path, dataset: Dataset) -> None:
    with opened(database) as connection:
        apply(connection, dataset, {"ingestion.raw_events": 2}, LEARNING)
    load_shop(database, dataset, days=("2024-03-02", "2024-03-02"))
    with opened(database) as connection:
        assert removed_days(connection, "ingestion.raw_events") == [DAYS[0], DAYS[2]]
        assert per_day(connection, "ingestion.raw_events") == {2: 3, 4: 3, 5: 3}
    load_shop(database, dataset, days=("2024-03-02", "2024-03-02"), selection=["events"])
    assert len(rows(database, "select * from warehouse.events")) == 5


@pytest.fixture
def project(database: Path, dataset: Dataset, tmp_path: Path) -> dg.Definitions:
    rules = {"ingestion.raw_events": 2}
    return build_definitions(Settings(data_dir=tmp_path, retention=rules, rejected_limit=0.5), dataset)


def test_the_job_reports_what_it_removed_and_no_check_vouches_for_the_table_until_it_runs_again(
    project: dg.Definitions, database: Path
) -> None:
    blocking = [
        spec
        for check in project.asset_checks or []
        for spec in check.check_specs
        if spec.blocking and spec.asset_key == dg.AssetKey("raw_events")
    ]
    daily = project.resolve_job_def("daily_events")
    with dg.DagsterInstance.ephemeral() as instance:
        loaded = daily.execute_in_process(instance=instance, tags={RANGE_START: "2024-03-01", RANGE_END: "2024-03-05"})
        assert loaded.success
        assert unmet(instance, blocking) == []
        result = project.resolve_job_def("apply_retention").execute_in_process(instance=instance)
        assert failed(result) == {}
        (made,) = result.asset_materializations_for_node("retention")
        assert made.metadata["removed_rows"].value == 12
        assert unmet(instance, blocking) == [
            f"raw_events: {name}: ran before the table was last materialized"
            for name in ("events_name_their_source", "structure")
        ]
    report = rows(database, "select table_name, keep_days, removed_rows from operations.retention order by all")
    assert report == [("ingestion.raw_events", 2, 9), ("warehouse.rejected_events", 2, 3)]


def test_the_check_of_retention_finds_a_row_that_should_have_gone(project: dg.Definitions, database: Path) -> None:
    with opened(database) as connection:
        connection.execute("create schema if not exists operations")
        connection.execute(
            "create table operations.retention as select 'ingestion.raw_events' as table_name, 2 as keep_days, "
            "date '2024-03-04' as kept_from, 0::bigint as removed_rows, 0::bigint as staying_rows, "
            "date '2024-03-01' as oldest_day, "
            "timestamp '2024-03-06' as applied_at"
        )
    look = dg.define_asset_job("look", dg.AssetSelection.checks_for_assets("retention"))
    job = dg.Definitions.merge(project, dg.Definitions(jobs=[look])).resolve_job_def("look")
    result = job.execute_in_process(raise_on_error=False)
    assert "1 of 1 tables hold rows that are older" in failed(result)["retention: nothing_is_kept_for_longer"]


def test_a_refused_rule_fails_the_job_before_anything_is_removed(
    database: Path, dataset: Dataset, tmp_path: Path
) -> None:
    rules = {"warehouse.events": 30, "ingestion.raw_events": 2}
    project = build_definitions(Settings(data_dir=tmp_path, retention=rules), dataset)
    result = project.resolve_job_def("apply_retention").execute_in_process(raise_on_error=False)
    assert "Nothing was removed. CX_RETENTION asks for what can't be:" in error_of(result)
    with opened(database) as connection:
        assert read(connection, RAW_EVENTS).count() == 15
