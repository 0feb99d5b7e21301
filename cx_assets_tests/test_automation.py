"""What runs when: jobs, schedules and sensors, each evaluated as Dagster evaluates it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from cx_assets.automation import DAILY, RANGE_END, RANGE_START, RUN_KEY
from cx_assets.dataset import Dataset
from cx_assets.definitions import build_definitions
from cx_assets.settings import Settings
from cx_assets.source import SourceError
from cx_assets.table.warehouse import writing
from cx_assets_tests.runs import rows
from cx_assets_tests.shop import TINY, write_tiny
from cx_assets_tests.whole_shop import WholeShop, whole_shop

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
    assert selected("everything", dataset) == parts[0] | parts[1]
    assert not parts[0] & parts[1]
    assert parts[2] == {"published_tables"} <= parts[1]


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


def test_a_new_file_that_is_not_as_the_manifest_says_is_named_by_the_tick(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [on(1)]})
    sensor = definitions(dataset).resolve_sensor_def("new_event_files")
    (tmp_path / "events" / "b.csv").write_text("foo,bar\n1,2\n", "utf-8")
    with pytest.raises(SourceError, match=r"no column 'at' in events/b\.csv\. It has: foo, bar\."):
        sensor.evaluate_tick(dg.build_sensor_context(instance))


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


def test_the_web_ui_says_what_every_job_schedule_and_sensor_does(tmp_path: Path) -> None:
    repository = definitions(write_tiny(tmp_path, {"a.csv": [on(1)]})).get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    shown = [*jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert [one.name for one in shown if not one.description] == []


# Publishing


def told_by_publishing(instance: dg.DagsterInstance, project: dg.Definitions) -> tuple[list[dg.RunRequest], str]:
    """What a tick of the sensor that publishes requests, and why not if it doesn't."""
    sensor = project.resolve_sensor_def("publish_when_checked")
    told = sensor.evaluate_tick(dg.build_sensor_context(instance, repository_def=project.get_repository_def()))
    return list(told.run_requests or []), told.skip_message or ""


def verdict(name: str, *, passed: bool, warns: bool = False) -> dg.AssetCheckEvaluation:
    severity = dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR
    report = dg.AssetKey("evaluation_report")
    return dg.AssetCheckEvaluation(
        report, name, passed=passed, blocking=True, severity=severity, description="It leads by nothing."
    )


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    return whole_shop(tmp_path_factory.getbasetemp()).copied_to(tmp_path / "shop")


@pytest.mark.parametrize(
    ("gate", "published"),
    [({"passed": True}, True), ({"passed": False, "warns": True}, True), ({"passed": False}, False)],
    ids=["passes", "warns", "fails"],
)
def test_a_new_report_is_published_unless_a_blocking_check_stops_it(
    shop: WholeShop, gate: dict[str, bool], *, published: bool
) -> None:
    project = build_definitions(shop.settings)
    with shop.instance() as instance:
        assert told_by_publishing(instance, project) == ([], "The latest report is published.")
        instance.report_runless_asset_event(dg.AssetMaterialization("evaluation_report"))
        instance.report_runless_asset_event(verdict("structure", passed=True))
        _, why = told_by_publishing(instance, project)
        assert "published_recommender_beats_popularity: ran before the table was last materialized" in why
        instance.report_runless_asset_event(verdict("published_recommender_beats_popularity", **gate))
        requests, why = told_by_publishing(instance, project)
    assert len(requests) == int(published)
    assert ("published_recommender_beats_popularity: It leads by nothing." in why) == (not published)


def test_a_report_is_not_published_while_another_run_works_nor_a_second_time(shop: WholeShop) -> None:
    project = build_definitions(shop.settings)
    with shop.instance() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("evaluation_report"))
        for check in ("structure", "published_recommender_beats_popularity"):
            instance.report_runless_asset_event(verdict(check, passed=True))
        (request,), _ = told_by_publishing(instance, project)
        working = instance.add_run(dg.DagsterRun("daily_events", status=dg.DagsterRunStatus.STARTED))
        assert "of daily_events is not over" in told_by_publishing(instance, project)[1]
        instance.report_run_canceled(working)
        tags = {RUN_KEY: request.run_key or ""}
        tried = instance.add_run(dg.DagsterRun("publish", status=dg.DagsterRunStatus.FAILURE, tags=tags))
        _, why = told_by_publishing(instance, project)
    assert why.startswith(f"Run {tried.run_id[:8]} was to publish this report: status failure.")
