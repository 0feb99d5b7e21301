"""A `cx run` that was refused before it began is told by `cx status`, until a run that loads begins."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from cx_assets.arguments import RefusedError
from cx_assets.cli import app
from cx_assets.dataset import Dataset
from cx_assets.operations.refusals import NOTE, last_refusal, noting_refusal
from cx_assets.operations.status import Finding, Status
from cx_assets.settings import Settings
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

Cx = Callable[..., Result]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return write_tiny(tmp_path, {"a.csv": [{}]})


@pytest.fixture
def settings(dataset: Dataset) -> Settings:
    return Settings(dataset=str(dataset.path), data_dir=dataset.folder / "data")


@pytest.fixture
def cx(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Cx:
    monkeypatch.setenv("CX_DATASET", settings.dataset)
    monkeypatch.setenv("CX_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    monkeypatch.setenv("DAGSTER_HOME", "")  # noted, so that what a command sets is undone
    monkeypatch.delenv("DAGSTER_HOME")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def watched(settings: Settings) -> None:
    """The history of a project that has been at work."""
    with shipped_instance(settings):
        pass


def status(cx: Cx) -> Status:
    return Status.model_validate_json(cx("status", "--json").output)


def about_refusals(told: Status) -> list[Finding]:
    return [finding for finding in told.findings if "didn't begin" in finding.what]


@pytest.mark.usefixtures("watched")
def test_a_run_whose_files_are_gone_is_bad_with_when_and_why_and_what_to_do(cx: Cx, dataset: Dataset) -> None:
    (dataset.folder / "events" / "a.csv").unlink()
    printed = cx("run")
    assert printed.exit_code == 1
    told = status(cx)
    assert told.exit_code == 2
    assert told.refused_run is not None
    assert told.refused_run.problems == printed.output.splitlines()
    (finding,) = about_refusals(told)
    when = f"{told.refused_run.at:%Y-%m-%d %H:%M} UTC"
    assert finding.what.startswith(f"The last `cx run` ({when}) didn't begin: tiny_shop.yaml:")
    assert finding.do == "Correct it and run again."
    assert f"`cx run`, {when}: didn't begin" in cx("status").output


@pytest.mark.usefixtures("watched")
def test_of_several_problems_the_first_is_told_and_the_others_are_counted(cx: Cx, dataset: Dataset) -> None:
    sound = dataset.path.read_text("utf-8")
    spoilt = sound.replace("customer_id: who", "customer_id: whom").replace("id: id", "id: idd")
    dataset.path.write_text(spoilt, "utf-8")
    printed = cx("run").output.splitlines()
    dataset.path.write_text(sound, "utf-8")
    (finding,) = about_refusals(status(cx))
    assert f"didn't begin: {printed[0].rstrip('.')}. And 1 more, which it printed." in finding.what


@pytest.mark.usefixtures("watched")
def test_a_run_of_a_day_that_is_none_is_told_too(cx: Cx) -> None:
    assert cx("run", "--first", "2024-02-29").exit_code == 2
    (finding,) = about_refusals(status(cx))
    assert "didn't begin: FIRST '2024-02-29' is not a day of the dataset" in finding.what


def begun(settings: Settings, job: str) -> None:
    """A run that has begun just now, whoever launched it."""
    with shipped_instance(settings) as instance:
        run = instance.add_run(dg.DagsterRun(job_name=job, run_id=str(uuid4()), status=dg.DagsterRunStatus.STARTING))
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job), run.run_id)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("job", "count"), [("everything", 0), ("daily_events", 0), ("__ASSET_JOB", 0), ("apply_retention", 1)]
)
def test_it_is_told_until_a_run_that_loads_begins(cx: Cx, settings: Settings, job: str, count: int) -> None:
    cx("run", "--first", "2024-02-29")
    begun(settings, job)
    assert len(about_refusals(status(cx))) == count


@pytest.mark.usefixtures("watched")
def test_a_run_of_before_takes_nothing_away(cx: Cx, settings: Settings) -> None:
    begun(settings, "everything")
    cx("run", "--first", "2024-02-29")
    assert len(about_refusals(status(cx))) == 1


def test_before_there_is_any_history_nothing_is_made_for_it(cx: Cx, settings: Settings) -> None:
    assert cx("run", "--first", "2024-02-29").exit_code == 2
    assert not settings.data_dir.exists()
    settings.data_dir.mkdir()
    assert cx("run", "--first", "2024-02-29").exit_code == 2
    assert list(settings.data_dir.iterdir()) == []


@pytest.mark.usefixtures("watched")
def test_a_note_that_can_not_be_written_hides_nothing(cx: Cx, settings: Settings) -> None:
    (settings.data_dir / NOTE).mkdir()
    told = cx("run", "--first", "2024-02-29")
    assert told.exit_code == 2
    assert told.output.startswith("FIRST '2024-02-29' is not a day of the dataset")


@pytest.mark.usefixtures("watched")
def test_a_note_that_nobody_can_read_is_none(settings: Settings) -> None:
    with pytest.raises(RefusedError), noting_refusal(settings):
        raise RefusedError(["it is gone"], 1)
    refused = last_refusal(settings)
    assert refused is not None
    assert refused.at <= datetime.now(UTC)
    (settings.data_dir / NOTE).write_text("{", "utf-8")
    assert last_refusal(settings) is None
