"""What is told of a run that never ended, by what is known of its process: at work, waiting, or gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._utils.error import SerializableErrorInfo

from cx_assets.operations.interrupted import interrupted_runs
from cx_assets.operations.run_log import log_file
from cx_assets.operations.runs import STARTING, latest_runs
from cx_assets.settings import Settings
from cx_assets.table.warehouse import writing
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

STARTED, LAUNCHING = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with shipped_instance(settings) as shipped:
        yield shipped


@pytest.fixture(scope="module")
def gone() -> int:
    """A process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def noted(instance: dg.DagsterInstance, process: int | None, status: dg.DagsterRunStatus = STARTED) -> str:
    """A run that Dagster knows no end of, its process as Dagster notes it when it begins or was launched."""
    run = instance.add_run(dg.DagsterRun(job_name="everything", run_id=str(uuid4()), status=status))
    if process is not None and status is STARTED:
        event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "everything", pid=process)
        instance.report_dagster_event(event, run.run_id)
    elif process is not None:
        instance.report_engine_event("Launched by the daemon.", run)
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(process))
    return run.run_id


def told(instance: dg.DagsterInstance, settings: Settings, after: timedelta = timedelta(0)) -> str:
    """The state of the one run."""
    (run,) = latest_runs(instance, settings, datetime.now(UTC) + after)
    return run.state


def test_a_run_whose_process_is_gone_is_interrupted_at_once(instance, settings: Settings, gone: int) -> None:
    noted(instance, gone)
    assert told(instance, settings) == "interrupted"


def test_it_is_interrupted_too_while_another_run_holds_the_warehouse(instance, settings: Settings, gone: int) -> None:
    noted(instance, gone)
    with writing(settings.warehouse_path, 0, "another"):
        assert told(instance, settings) == "interrupted"


def test_a_launched_run_whose_process_is_gone_before_it_began_is_interrupted(
    instance, settings: Settings, gone: int
) -> None:
    noted(instance, gone, LAUNCHING)
    assert told(instance, settings) == "interrupted"


def test_a_run_that_a_daemon_has_just_launched_is_waiting(instance, settings: Settings) -> None:
    noted(instance, os.getpid(), LAUNCHING)
    assert told(instance, settings, after=10 * STARTING) == "waiting"


def test_a_run_that_waits_for_the_lock_is_waiting_however_long(instance, settings: Settings) -> None:
    noted(instance, os.getpid())
    with writing(settings.warehouse_path, 0, "another"):
        assert told(instance, settings, after=10 * STARTING) == "waiting"


def test_a_run_that_has_just_begun_is_waiting_and_one_that_holds_the_lock_is_running(
    instance, settings: Settings
) -> None:
    run_id = noted(instance, os.getpid())
    assert told(instance, settings) == "waiting"
    with writing(settings.warehouse_path, 0, run_id):
        assert told(instance, settings) == "running"


def test_of_a_process_of_another_machine_nothing_is_guessed_before_it_should_hold_the_lock(
    instance, settings: Settings, gone: int
) -> None:
    noted(instance, gone)
    holder = settings.warehouse_path.with_suffix(".holder")
    holder.write_text(f"process {gone} on elsewhere (cx run; another), since 2024-03-01", "utf-8")
    assert told(instance, settings) == "waiting"
    assert told(instance, settings, after=2 * STARTING) == "interrupted"


def test_a_run_that_was_not_launched_yet_is_waiting(instance, settings: Settings) -> None:
    noted(instance, None, dg.DagsterRunStatus.NOT_STARTED)
    assert told(instance, settings, after=10 * STARTING) == "waiting"


def test_a_run_that_was_killed_has_failed_for_what_dagster_noted_of_its_process(instance, settings: Settings) -> None:
    run_id = noted(instance, os.getpid())
    run = instance.get_run_by_id(run_id)
    instance.report_engine_event("The run's process was terminated by signal 9.", run)
    instance.report_run_failed(run)
    (told_of,) = latest_runs(instance, settings, datetime.now(UTC))
    assert told_of.state == "failed"
    assert (told_of.error or "").endswith("The run's process was terminated by signal 9.")
    assert '"event": "run failed"' in log_file(settings.home, run_id).read_text("utf-8")


def test_a_run_that_could_not_load_the_project_has_failed_for_the_reason_of_that(instance, settings: Settings) -> None:
    run = instance.get_run_by_id(noted(instance, os.getpid()))
    error = SerializableErrorInfo("no column 'at' in b.csv", [], "ManifestError")
    instance.report_engine_event("Could not load job definition.", run, EngineEventData({}, error=error))
    instance.report_engine_event("Process for run exited.", run)
    instance.report_run_failed(run)
    (told_of,) = latest_runs(instance, settings, datetime.now(UTC))
    assert (told_of.error or "").endswith("no column 'at' in b.csv")


def test_a_run_whose_process_is_gone_is_ended_and_one_at_work_is_left_alone(
    instance, settings: Settings, gone: int
) -> None:
    lost, working = noted(instance, gone), noted(instance, os.getpid())
    sensor = interrupted_runs(settings)
    assert sensor.evaluate_tick(dg.build_sensor_context(instance)).skip_message == f"Ended: {lost}."
    assert sensor.evaluate_tick(dg.build_sensor_context(instance)).skip_message == "No run is interrupted."
    statuses = [instance.get_run_by_id(run_id).status for run_id in (lost, working)]
    assert statuses == [dg.DagsterRunStatus.FAILURE, STARTED]
