"""What `cx status` says and how it exits, before any run, after one, during one, and with a broken publication."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import duckdb
import pytest
from click.testing import Result
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from typer.testing import CliRunner

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.cli import app
from cx_assets.dataset import Dataset, load_dataset
from cx_assets.definitions import build_definitions
from cx_assets.operations import looking, runs
from cx_assets.operations.status import (
    Status,
)
from cx_assets.publishing.files import publish
from cx_assets.settings import Settings
from cx_assets.table.warehouse import connect, writing
from cx_assets.warehouse.tables import EVENTS
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

PAGE = Path(__file__).parents[2] / "cx_assets/docs/operations.md"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NOW = datetime(2024, 3, 9, 12, tzinfo=UTC)
Cx = Callable[..., Result]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    days = [{"at": f"2024-03-0{day}T10:00:00"} for day in (1, 2, 4)]
    return write_tiny(tmp_path_factory.mktemp("tiny"), {"a.csv": days, "b.csv": [{"at": "2024-03-05T11:00:00"}]})


@pytest.fixture(scope="module")
def settings(dataset: Dataset) -> Settings:
    return Settings(dataset=str(dataset.path), data_dir=dataset.folder / "data")


@pytest.fixture(scope="module")
def run_id(dataset: Dataset, settings: Settings) -> str:
    """A run of the first four days, which passes all but one check, and a publication of what it loaded."""
    job = build_definitions(settings, dataset).resolve_job_def("daily_events")
    with shipped_instance(settings) as instance:
        tags = {RANGE_START: "2024-03-01", RANGE_END: "2024-03-04"}
        result = job.execute_in_process(instance=instance, tags=tags, run_config=QUIET)
    with connect(settings.warehouse_path, "1GB", 1) as connection:
        publish(connection, [EVENTS], "<html>", settings.published_dir)
    return result.run_id


@pytest.fixture
def cx(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cx:
    monkeypatch.setenv("CX_DATASET", settings.dataset)
    monkeypatch.setenv("CX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv("DAGSTER_HOME")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def told(cx: Cx) -> Status:
    """What `cx status --json` says."""
    result = cx("status", "--json")
    status = Status.model_validate_json(result.output)
    assert result.exit_code == status.exit_code
    return status


def test_before_any_run_it_is_bad_and_asking_makes_nothing(cx: Cx, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    result = cx("status")
    assert result.exit_code == 2
    assert "bad: Nothing is published. `cx run` publishes, once its blocking checks pass." in result.output
    assert "bad: There was no run yet. Run `cx run`." in result.output
    assert list(tmp_path.iterdir()) == []


def test_after_a_run_it_tells_what_ran_what_is_missing_what_failed_and_how_fresh_it_is(cx: Cx, run_id: str) -> None:
    status = told(cx)
    assert status.last_run is not None
    assert (status.last_run.run_id, status.last_run.job) == (run_id, "daily_events")
    assert (status.last_run.state, status.last_run.days) == ("succeeded", "2024-03-01...2024-03-04")
    assert status.last_run.seconds is not None
    assert status.days is not None
    assert (status.days.known, status.days.missing, status.days.first_missing) == (5, 1, date(2024, 3, 5))
    assert status.checks is not None
    failed = {(check.asset, check.check): check.blocking for check in status.checks.failed}
    assert failed == {("events", "no_day_is_missing"): False, ("raw_events", "every_event_file_is_loaded"): False}
    assert status.checks.passed > 5
    assert status.checks.passed + status.checks.never_run + len(failed) == status.checks.known
    assert status.freshness.last_event_at == datetime(2024, 3, 4, 10, tzinfo=UTC)
    assert status.freshness.published_age_hours is not None
    assert 0 <= status.freshness.published_age_hours < 1
    assert min(status.disk.working, status.disk.published, status.disk.history, status.disk.free) > 10_000
    assert (status.status, status.exit_code) == ("warning", 1)
    assert {finding.what.split(" ")[0] for finding in status.findings} == {"1", "events:", "raw_events:"}
    assert "Run `cx run --first 2024-03-05 --last 2024-03-05`." in {finding.do for finding in status.findings}


def test_a_person_is_told_the_same_in_lines(cx: Cx, run_id: str) -> None:
    result = cx("status")
    assert result.exit_code == 1
    lines = [line.split(maxsplit=1) for line in result.output.splitlines()]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert said["warning"] == "A tiny shop"
    assert said["run"].startswith("daily_events, days 2024-03-01...2024-03-04: succeeded after ")
    assert said["days"] == "4 of 5 loaded"
    assert "2 failed, 0 of them blocking" in said["checks"]


def test_every_key_for_machines_is_explained_in_the_docs(cx: Cx, run_id: str) -> None:
    page = PAGE.read_text("utf-8")
    answer = json.loads(cx("status", "--json").output)
    parts = [answer, *(answer[key] for key in ("last_run", "days", "files", "checks", "freshness", "disk"))]
    parts += [answer["findings"][0], answer["checks"]["failed"][0]]
    keys = {key for part in parts for key in part}
    assert len(keys) > 30
    assert sorted(key for key in keys if f"`{key}`" not in page) == []


def test_a_failed_blocking_check_is_bad_until_it_passes(cx: Cx, run_id: str, settings: Settings) -> None:
    def report(*, passed: bool) -> None:
        verdict = dg.AssetCheckEvaluation(
            dg.AssetKey("events"),
            "nothing_is_lost",
            passed=passed,
            description="1 of 4 days don't add up.",
            blocking=True,
        )
        with shipped_instance(settings) as instance:
            instance.report_runless_asset_event(verdict)

    report(passed=False)
    status = told(cx)
    assert status.exit_code == 2
    assert status.findings[0].what == "events: nothing_is_lost: 1 of 4 days don't add up."
    assert status.findings[0].do == "No run publishes before it passes."
    report(passed=True)
    with shipped_instance(settings) as instance:
        checks = looking._checks(instance, settings, load_dataset(settings.dataset))
    assert "nothing_is_lost" not in {check.check for check in checks.failed}


def test_a_check_that_a_run_has_yet_to_ask_keeps_its_last_result(cx: Cx, run_id: str, settings: Settings) -> None:
    before = told(cx).checks
    planned = AssetCheckEvaluationPlanned(asset_key=dg.AssetKey("events"), check_name="no_day_is_missing")
    with begun(settings) as working, shipped_instance(settings) as instance:
        event = dg.DagsterEvent("ASSET_CHECK_EVALUATION_PLANNED", "everything", event_specific_data=planned)
        instance.report_dagster_event(event, working)
        assert told(cx).checks == before


@contextmanager
def begun(settings: Settings) -> Iterator[str]:
    """A run that Dagster has noted as started, and that did not end."""
    with shipped_instance(settings) as instance:
        run = dg.DagsterRun(job_name="everything", run_id=str(uuid4()), status=dg.DagsterRunStatus.STARTED)
        instance.add_run(run)
        try:
            yield run.run_id
        finally:
            instance.delete_run(run.run_id)


def test_it_answers_at_once_while_a_run_holds_the_warehouse(cx: Cx, run_id: str, settings: Settings) -> None:
    with (
        begun(settings) as working,
        writing(settings.warehouse_path, 0, working),
        duckdb.connect(str(settings.warehouse_path)),
    ):
        status = told(cx)
    assert [(run.run_id, run.state) for run in status.unfinished] == [(working, "running")]
    assert status.last_run is not None
    assert status.last_run.run_id == run_id
    assert status.freshness.last_event_at is not None


def test_a_run_that_waits_for_another_is_told_apart(cx: Cx, run_id: str, settings: Settings) -> None:
    with begun(settings) as waiting, writing(settings.warehouse_path, 0, "another"):
        assert [(run.run_id, run.state) for run in told(cx).unfinished] == [(waiting, "waiting")]


def test_a_run_that_never_ended_though_nobody_works_is_bad(
    cx: Cx, run_id: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "STARTING", timedelta(0))
    with begun(settings):
        status = told(cx)
    assert status.exit_code == 2
    assert status.last_run is not None
    assert status.last_run.state == "interrupted"
    assert "no process works on it" in status.findings[0].what


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda link, _: link.unlink(), "Nothing is published."),
        (lambda _, folder: folder.rename(folder.with_name("elsewhere")), "has no cx.duckdb and no report.html"),
        (lambda _, folder: (folder / "report.html").unlink(), "has no report.html"),
        (lambda _, folder: (folder / "cx.duckdb").write_bytes(b"not a database" * 999), "is broken:"),
        (lambda link, _: (link.unlink(), link.mkdir()), "is not a link that publishing made."),
    ],
    ids=["no link", "no folder", "no report", "no database", "a folder put there by hand"],
)
def test_a_missing_or_broken_publication_is_bad(
    cx: Cx, run_id: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable, said: str
) -> None:
    own = Settings(data_dir=tmp_path)
    with connect(settings.warehouse_path, "1GB", 1) as connection:
        publish(connection, [EVENTS], "<html>", own.published_dir)
    harm(own.published_dir, own.published_dir.resolve())
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path))
    status = told(cx)
    assert status.exit_code == 2
    assert [finding.what for finding in status.findings if said in finding.what]


def test_a_wrong_manifest_or_setting_is_bad_too(cx: Cx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_THREADS", "none")
    assert cx("status").exit_code == 2
    monkeypatch.delenv("CX_THREADS")
    monkeypatch.setenv("CX_DATASET", "no_such_dataset")
    told = cx("status")
    assert told.exit_code == 2
    assert "CX_DATASET=no_such_dataset: no such dataset" in told.output
