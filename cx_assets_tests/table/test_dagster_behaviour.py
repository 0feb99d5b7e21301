"""What Dagster does that the project leans on: when an upgrade changes it, these tests say so.

No table of the project is involved, so a failure here is Dagster's.
"""

from typing import Any

import dagster as dg
import pytest

from cx_assets.automation import RANGE_END, RANGE_START

DAYS = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05", timezone="UTC")


def asset(**options: Any) -> Any:
    """An asset whose range is one run, made so as `table_asset` makes it."""

    def decorate(function: Any) -> dg.AssetsDefinition:
        return dg.asset(**options)(function).with_attributes(backfill_policy=dg.BackfillPolicy.single_run())

    return decorate


class Notes(dg.IOManager):
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []
        self.windows: list[tuple[str, Any]] = []
        self.upstream: list[Any] = []

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self.written.append((context.asset_key.to_user_string(), obj))

    def load_input(self, context: dg.InputContext) -> object:
        window = context.asset_partitions_time_window if context.has_asset_partitions else None
        days = (f"{window.start:%m-%d}", f"{window.end:%m-%d}") if window else None
        self.windows.append((context.asset_key.to_user_string(), days))
        self.upstream.append(context.upstream_output.definition_metadata if context.upstream_output else None)
        return "loaded"


@asset(partitions_def=DAYS, metadata={"declared": "here"})
def daily(context: dg.AssetExecutionContext) -> str:
    return f"{context.partition_time_window.start:%m-%d} {context.partition_time_window.end:%m-%d}"


@asset()
def whole(daily: str) -> str:
    return daily


@asset(partitions_def=DAYS)
def next_daily(daily: str) -> str:
    return daily


def execute(
    *definitions: Any, notes: Notes | None = None, days: tuple[str, str] | None = None, **options: Any
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        definitions,
        resources={"io_manager": notes or Notes()},
        tags={RANGE_START: days[0], RANGE_END: days[1]} if days else None,
        raise_on_error=False,
        **options,
    )


def test_a_range_is_one_run_of_each_asset_with_days_and_without() -> None:
    notes = Notes()
    result = execute(daily, whole, next_daily, notes=notes, days=("2024-01-02", "2024-01-03"))
    assert result.success
    assert sorted(notes.written) == [("daily", "01-02 01-04"), ("next_daily", "loaded"), ("whole", "loaded")]


def test_a_range_run_leaves_one_materialization_per_day_and_one_of_an_asset_without_days() -> None:
    result = execute(daily, whole, days=("2024-01-02", "2024-01-03"))
    told = [(e.asset_key.to_user_string(), e.partition) for e in result.get_asset_materialization_events()]
    assert sorted(told, key=str) == [("daily", "2024-01-02"), ("daily", "2024-01-03"), ("whole", None)]


def test_an_asset_without_days_loads_all_days_and_one_with_days_those_of_the_run() -> None:
    notes = Notes()
    execute(daily, whole, next_daily, notes=notes, days=("2024-01-02", "2024-01-03"))
    assert sorted(notes.windows) == [("daily", ("01-01", "01-05")), ("daily", ("01-02", "01-04"))]


def test_a_check_loads_all_days_whatever_the_days_of_the_run() -> None:
    @dg.asset_check(asset=daily)
    def check(daily: str) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=daily == "loaded")

    notes = Notes()
    execute(daily, check, notes=notes, days=("2024-01-02", "2024-01-03"))
    assert notes.windows == [("daily", ("01-01", "01-05"))]


def test_a_partition_key_is_refused_in_a_range_run() -> None:
    @asset(partitions_def=DAYS)
    def keyed(context: dg.AssetExecutionContext) -> str:
        return context.partition_key

    result = execute(keyed, days=("2024-01-02", "2024-01-03"))
    assert not result.success


def test_an_upstream_that_is_not_in_the_run_still_tells_its_declaration() -> None:
    notes = Notes()
    result = execute(daily, whole, notes=notes, selection=[whole])
    assert result.success
    assert [metadata["declared"] for metadata in notes.upstream] == ["here"]


def test_per_day_metadata_stays_with_its_day() -> None:
    @asset(partitions_def=DAYS)
    def counted(context: dg.AssetExecutionContext) -> str:
        for key in context.partition_keys:
            context.add_asset_metadata({"rows": int(key[-1])}, partition_key=key)
        context.add_output_metadata({"all": 5})
        return ""

    result = execute(counted, days=("2024-01-02", "2024-01-03"))
    told = {e.partition: e.materialization.metadata for e in result.get_asset_materialization_events()}
    assert {day: (m["rows"].value, m["all"].value) for day, m in told.items()} == {
        "2024-01-02": (2, 5),
        "2024-01-03": (3, 5),
    }


@pytest.mark.parametrize("severity", [dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN])
@pytest.mark.parametrize("blocking", [True, False])
def test_only_a_blocking_check_that_fails_with_an_error_stops_what_follows(
    severity: dg.AssetCheckSeverity, blocking: bool
) -> None:
    @dg.asset_check(asset=daily, blocking=blocking)
    def fails(daily: str) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, severity=severity)

    notes = Notes()
    result = execute(daily, whole, fails, notes=notes, days=("2024-01-01", "2024-01-01"))
    stopped = blocking and severity is dg.AssetCheckSeverity.ERROR
    assert [name for name, _ in notes.written] == (["daily"] if stopped else ["daily", "whole"])
    assert result.success is not stopped


def test_a_failed_blocking_check_does_not_stop_the_next_run_which_is_why_publishing_has_a_gate() -> None:
    @dg.asset_check(asset=daily, blocking=True)
    def fails(daily: str) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False)

    with dg.DagsterInstance.ephemeral() as instance:
        execute(daily, whole, fails, instance=instance, days=("2024-01-01", "2024-01-01"))
        assert execute(daily, whole, fails, instance=instance, selection=[whole]).success


def test_an_exception_in_the_io_manager_fails_the_step_and_stops_what_follows() -> None:
    class Refusing(Notes):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            raise ZeroDivisionError(f"not {obj} of {context.asset_key.to_user_string()}")

    notes = Refusing()
    result = execute(daily, whole, notes=notes, days=("2024-01-01", "2024-01-01"))
    assert not result.success
    assert notes.windows == []
    assert result.get_asset_materialization_events() == []
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert failure.step_failure_data.error.cause.message.strip() == "ZeroDivisionError: not 01-01 01-02 of daily"


def test_a_resource_is_opened_once_per_run_and_closed_when_a_step_fails() -> None:
    told: list[str] = []

    @dg.resource
    def door(_: dg.InitResourceContext):
        told.append("opened")
        try:
            yield "door"
        finally:
            told.append("closed")

    @dg.asset(required_resource_keys={"door"})
    def through() -> None:
        return None

    @dg.asset(required_resource_keys={"door"}, deps=[through])
    def stumbles() -> None:
        raise ZeroDivisionError

    dg.materialize([through, stumbles], resources={"door": door}, raise_on_error=False)
    assert told == ["opened", "closed"]


def test_checks_alone_can_run_on_what_was_stored_before() -> None:
    @dg.asset_check(asset=daily)
    def check(daily: str) -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=daily == "loaded")

    notes = Notes()
    result = execute(daily, check, notes=notes, selection=dg.AssetSelection.checks(check))
    assert notes.written == []
    assert [verdict.passed for verdict in result.get_asset_check_evaluations()] == [True]
