"""What runs when: jobs, schedules and sensors, each evaluated as Dagster evaluates it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from cx_assets.automation import DAILY, RANGE_END, RANGE_START
from cx_assets.dataset import Dataset
from cx_assets.definitions import build_definitions
from cx_assets.settings import Settings
from cx_assets.table.warehouse import writing
from cx_assets_tests.runs import rows
from cx_assets_tests.shop import TINY, write_tiny
from cx_assets_tests.whole_shop import whole_shop

pytestmark = pytest.mark.whole

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
OPEN = TINY.replace("last_day: 2024-03-05\n", "")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance with a history on disk, as sensors and schedules need it."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def definitions(dataset: Dataset) -> dg.Definitions:
    return build_definitions(Settings(data_dir=dataset.folder / "data"), dataset)


def on(day: int, **more: object) -> dict[str, object]:
    """An event of a day of March 2024."""
    return {"at": f"2024-03-0{day}T10:00:00", **more}


# Jobs


def selected(job: str, dataset: Dataset) -> set[str]:
    keys = definitions(dataset).resolve_job_def(job).asset_layer.selected_asset_keys
    return {key.to_user_string() for key in keys}


def test_the_jobs_divide_everything_among_them(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1)]})
    parts = [selected(job, dataset) for job in ("daily_events", "models", "publish")]
    assert parts[0] == set(DAILY)
    assert parts[2] == {"published_tables"}
    assert selected("everything", dataset) == parts[0] | parts[1] | parts[2]
    assert sum(map(len, parts)) == len(selected("everything", dataset))


# Schedules


# Dagster's own builder of partitioned schedules calls a method that Dagster has deprecated.
@pytest.mark.filterwarnings(
    "ignore:Function `JobDefinition.run_request_for_partition` is deprecated:DeprecationWarning"
)
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def test_every_night_the_day_that_has_just_ended_is_requested(
    tmp_path: Path, instance: dg.DagsterInstance, zone: str
) -> None:
    project = definitions(write_tiny(tmp_path, {"a.csv": [on(1)]}, f"timezone: {zone}\n", manifest=OPEN))
    night = datetime(2024, 3, 9, 3, tzinfo=ZoneInfo(zone))
    repository = project.get_repository_def()
    context = dg.build_schedule_context(instance, night, repository_def=repository)
    (request,) = project.resolve_schedule_def("daily_events_schedule").evaluate_tick(context).run_requests or []
    assert request.partition_key == "2024-03-08"


def test_the_models_follow_an_hour_after_the_events(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = definitions(write_tiny(tmp_path, {"a.csv": [on(1)]}, "timezone: Europe/Berlin\n"))
    nightly = [project.resolve_schedule_def(f"{name}_schedule") for name in ("daily_events", "models")]
    assert [one.cron_schedule for one in nightly] == ["0 3 * * *", "0 4 * * *"]
    assert {one.execution_timezone for one in nightly} == {"Europe/Berlin"}
    context = dg.build_schedule_context(instance, datetime(2024, 3, 9, 3, tzinfo=UTC))
    (request,) = project.resolve_schedule_def("models_schedule").evaluate_tick(context).run_requests or []
    assert request.partition_key is None


# New files


def tick(instance: dg.DagsterInstance, dataset: Dataset, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    """What the sensor of new files requests, and the cursor that it leaves, as the daemon would have them."""
    project = definitions(dataset)
    sensor = project.resolve_sensor_def("new_event_files")
    context = dg.build_sensor_context(
        instance, cursor=cursor, repository_def=project.get_repository_def(), sensor_name="new_event_files"
    )
    told = sensor.evaluate_tick(context)
    return list(told.run_requests or []), told.cursor or cursor


def ranges(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests]


def test_at_first_all_days_that_have_events_are_requested(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1), on(2)], "b.csv": [on(4)]})
    requests, _ = tick(instance, dataset, None)
    assert ranges(requests) == [("2024-03-01", "2024-03-02"), ("2024-03-04", "2024-03-04")]


def test_as_long_as_no_file_changes_nothing_is_requested(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1)]})
    _, cursor = tick(instance, dataset, None)
    assert tick(instance, dataset, cursor) == ([], cursor)


def test_a_new_file_requests_only_the_days_that_it_touches_and_the_run_lands_them(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1), on(2), on(3)]})
    _, cursor = tick(instance, dataset, None)
    dataset = write_tiny(tmp_path, {"late.csv": [on(3, who="bob"), on(5, who="bob")]})
    requests, _ = tick(instance, dataset, cursor)
    assert ranges(requests) == [("2024-03-03", "2024-03-03"), ("2024-03-05", "2024-03-05")]
    job = definitions(dataset).resolve_job_def("daily_events")
    for request in requests:
        assert job.execute_in_process(instance=instance, tags=dict(request.tags), run_config=QUIET).success
    landed = rows(
        tmp_path / "data" / "working.duckdb", "select day(day), customer_id from warehouse.events order by all"
    )
    assert landed == [(3, "ann"), (3, "bob"), (5, "bob")]


def test_a_changed_file_requests_its_days_again_under_another_key(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1)], "b.csv": [on(2)]})
    (first,), cursor = tick(instance, dataset, None)
    dataset = write_tiny(tmp_path, {"a.csv": [on(1), on(1, who="bob")]})
    (again,), _ = tick(instance, dataset, cursor)
    assert ranges([first, again]) == [("2024-03-01", "2024-03-02"), ("2024-03-01", "2024-03-01")]
    assert first.run_key != again.run_key


def test_a_day_that_is_not_over_is_left_to_the_daily_schedule(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    today = datetime.now(UTC).date()
    days = (today - timedelta(days=1), today)
    dataset = write_tiny(tmp_path, {"a.csv": [{"at": f"{day}T00:00:00"} for day in days]}, manifest=OPEN)
    requests, cursor = tick(instance, dataset, None)
    yesterday = str(days[0])
    assert ranges(requests) == [(yesterday, yesterday)]
    dataset = write_tiny(tmp_path, {"b.csv": [{"at": f"{today}T00:00:00"}]}, manifest=OPEN)
    requests, moved = tick(instance, dataset, cursor)
    assert requests == []
    assert str(tmp_path / "events" / "b.csv") in json.loads(moved or "{}")


# Failed runs


def told_of_failure(
    instance: dg.DagsterInstance, project: dg.Definitions, folder: Path, tags: dict[str, str]
) -> list[str]:
    """The lines that the sensor of failed runs writes about a run of `daily_events` that fails."""
    job = project.resolve_job_def("daily_events")
    result = job.execute_in_process(instance=instance, tags=tags, run_config=QUIET, raise_on_error=False)
    failure = result.get_run_failure_event()
    context = dg.build_run_status_sensor_context("failed_runs", failure, instance, result.dagster_run)
    project.resolve_sensor_def("failed_runs")(context.for_run_failure())
    lines = (folder / "data" / "failed_runs.log").read_text("utf-8").splitlines()
    assert lines[0].split(" ", 1)[1].startswith(f"run {result.run_id} of daily_events for 2024-03-01")
    return lines


def test_a_failed_step_is_logged_with_its_cause_and_how_to_run_its_days_again(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    project = definitions(write_tiny(tmp_path, {"a.csv": [on(1)]}))
    (tmp_path / "events" / "a.csv").write_bytes("at;who\nbjörn".encode("latin-1"))
    lines = told_of_failure(instance, project, tmp_path, {RANGE_START: "2024-03-01", RANGE_END: "2024-03-02"})
    assert lines[0].endswith(" for 2024-03-01 to 2024-03-02 failed:")
    assert "raw_events: " in lines[1]
    assert "events/a.csv: line 2 is not UTF-8. Save the file as UTF-8 or state its encoding" in lines[1]
    assert lines[-1].startswith(
        "  DAGSTER_HOME=$(cx home) dagster job execute -m cx_assets.definitions -j daily_events"
    )
    tags = json.loads(lines[-1].split("--tags ")[1].strip("'"))
    assert tags == {RANGE_START: "2024-03-01", RANGE_END: "2024-03-02"}


def test_a_failed_check_is_logged_with_what_it_says(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    project = definitions(write_tiny(tmp_path, {"a.csv": [on(1, quantity=0)]}))
    lines = told_of_failure(instance, project, tmp_path, {"dagster/partition": "2024-03-01"})
    assert lines[0].endswith(" for 2024-03-01 failed:")
    assert any(line.startswith("  events: there_are_events: 0 events. See warehouse.rejected_events") for line in lines)


def test_a_run_that_could_not_begin_is_logged_with_who_was_writing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1)]})
    settings = Settings(data_dir=tmp_path / "data", lock_timeout_seconds=0)
    settings.data_dir.mkdir()
    with writing(settings.warehouse_path, 0, "the test"):
        project = build_definitions(settings, dataset)
        lines = told_of_failure(instance, project, tmp_path, {"dagster/partition": "2024-03-01"})
    assert f"working.duckdb is being written by process {os.getpid()} on " in lines[1]
    assert "; the test)" in lines[1]


# Publishing

PUBLISHED = dg.AssetSelection.assets("published_tables")


def requested(instance: dg.DagsterInstance, project: dg.Definitions, *happened: object) -> int:
    """How many runs of publishing are requested, once what has happened was noted by an evaluation before."""
    first = dg.evaluate_automation_conditions(project, instance, PUBLISHED)
    assert first.total_requested == 0
    for event in happened:
        assert isinstance(event, dg.AssetMaterialization | dg.AssetCheckEvaluation)
        instance.report_runless_asset_event(event)
    return dg.evaluate_automation_conditions(project, instance, PUBLISHED, cursor=first.cursor).total_requested


def verdict(asset: str, name: str, *, passed: bool) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(dg.AssetKey(asset), name, passed=passed, blocking=True)


@pytest.mark.parametrize("passed", [True, False])
def test_a_new_report_is_published_when_its_blocking_checks_have_passed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, *, passed: bool
) -> None:
    shop = whole_shop(tmp_path_factory.getbasetemp()).copied_to(tmp_path / "shop")
    project = build_definitions(shop.settings)
    new_report = dg.AssetMaterialization("evaluation_report")
    gate = verdict("evaluation_report", "published_recommender_beats_popularity", passed=passed)
    checks = [verdict("evaluation_report", "structure", passed=True), gate]
    new_campaigns = dg.AssetMaterialization("raw_campaigns")
    with shop.instance() as instance:
        assert requested(instance, project, new_campaigns, verdict("raw_campaigns", "structure", passed=True)) == 0
        assert requested(instance, project, new_report) == 0  # not yet checked
        assert requested(instance, project, new_report, *checks) == int(passed)
