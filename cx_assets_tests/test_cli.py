"""What `cx` prints and how it exits. Its run of everything is in `test_processes`, in a process of its own."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from cx_assets.automation import DAILY, RANGE_END, RANGE_START
from cx_assets.cli import app
from cx_assets.dataset import Dataset, load_dataset
from cx_assets.definitions import build_definitions, table_specs
from cx_assets.dictionary import BEGIN, END, data_dictionary, with_dictionary
from cx_assets.ingestion.fitting import problems
from cx_assets.progress import Progress
from cx_assets.settings import Settings
from cx_assets_tests.shop import write_tiny

Cx = Callable[..., Result]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return write_tiny(tmp_path, {"a.csv": [{}, {"at": "2024-03-02T09:00:00", "quantity": "0"}]})


@pytest.fixture
def cx(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cx:
    """`cx` with some arguments, on a tiny shop."""
    monkeypatch.setenv("CX_DATASET", str(dataset.path))
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", "")  # noted, so that what `cx home` sets is undone
    monkeypatch.delenv("DAGSTER_HOME")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_doctor_passes_a_dataset_that_would_run_and_writes_nothing(cx: Cx, dataset: Dataset, tmp_path: Path) -> None:
    write_tiny(tmp_path, {"a.csv": [{}]})
    told = cx("doctor")
    assert told.exit_code == 0
    assert "tiny_shop.yaml, which fits its files" in told.output
    assert "2024-03-01 to 2024-03-05" in told.output
    assert "A run would begin well" in told.output
    assert not (tmp_path / "data").exists()


def test_doctor_fails_where_a_check_would_stop_a_run(cx: Cx, tmp_path: Path) -> None:
    told = cx("doctor")
    assert told.exit_code == 1
    assert "rejected_events: few_events_are_rejected: 1 of 2 delivered events breaks the contract" in told.output
    assert not (tmp_path / "data").exists()


def test_doctor_tells_a_file_that_stops_being_text_by_line(cx: Cx, dataset: Dataset) -> None:
    with (dataset.folder / "events" / "a.csv").open("ab") as file:
        file.write("2024-03-01T10:00:00,änn,tea,purchase,,,1,2.50,\n".encode("latin-1"))
    told = cx("doctor")
    assert told.exit_code == 1
    assert "events/a.csv: line 4 is not UTF-8" in told.output


def test_doctor_tells_a_broken_line_far_down_by_its_number(cx: Cx, tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}] * 25_000})
    with (dataset.folder / "events" / "a.csv").open("a", encoding="utf-8") as file:
        file.write('2024-03-01T10:00:00,"ann",tea,purchase,,,1,2.50,\n2024-03-01T10:00:00,ann\n')
    told = cx("doctor")
    assert told.exit_code == 1
    assert told.output.startswith("events/a.csv: line 25003 has 2 fields, its header 9. Correct the line;")


def test_init_writes_a_manifest_once_and_never_over_one(cx: Cx, tmp_path: Path) -> None:
    rows = "".join(f"2024-03-{n % 28 + 1:02},c{n % 7},p{n % 9},{n % 3 + 1}\n" for n in range(90))
    (tmp_path / "orders.csv").write_text(f"ordered_at,customer_id,sku,quantity\n{rows}", "utf-8")
    told = cx("init", "my_shop", "--from", str(tmp_path / "orders.csv"))
    assert told.exit_code == 0, told.output
    manifest = tmp_path / "my_shop.yaml"
    assert problems(load_dataset(str(manifest))) == []
    manifest.write_text("corrected", "utf-8")
    again = cx("init", "my_shop", "--from", str(tmp_path / "orders.csv"))
    assert again.exit_code == 1
    assert "is there already and stays as it is" in again.output
    assert manifest.read_text("utf-8") == "corrected"


@pytest.mark.parametrize(
    ("name", "files", "complaint"),
    [("My Shop", "events", "lower-case letters, digits and _"), ("shop", "nothing/*.csv", "there is no such file")],
)
def test_init_says_what_it_can_not_use(cx: Cx, tmp_path: Path, name: str, files: str, complaint: str) -> None:
    told = cx("init", name, "--from", str(tmp_path / files))
    assert told.exit_code == 1
    assert complaint in told.output


@pytest.mark.parametrize("command", ["doctor", "run", "tables"])
def test_a_wrong_manifest_ends_in_a_line_per_mistake(cx: Cx, dataset: Dataset, tmp_path: Path, command: str) -> None:
    text = dataset.path.read_text("utf-8")
    dataset.path.write_text(text.replace("customer_id: who", "customer_id: whom").replace("id: id", "id: idd"), "utf-8")
    told = cx(command)
    assert told.exit_code == 1
    lines = told.output.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["tiny_shop.yaml:9", "events.0.columns.customer_id"],
        ["tiny_shop.yaml:9", "events.0.columns.event_id"],
    ]
    assert lines[0].endswith(
        "no column 'whom' in events/a.csv. It has: "
        "at, who, what, kind, id, basket, quantity, value, rating. Did you mean 'who'?"
    )
    assert not (tmp_path / "data").exists()


def test_a_dataset_that_does_not_ship_is_answered_with_those_that_do(cx: Cx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CX_DATASET", "complete_jurney")
    told = cx("doctor")
    assert told.exit_code == 1
    assert told.output == "CX_DATASET=complete_jurney: no such dataset. Did you mean 'complete_journey'?\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("--first", "2024-02-29"),
            "FIRST '2024-02-29' is not a day of the dataset, which has 2024-03-01 to 2024-03-05.",
        ),
        (("--last", "1 March"), "LAST '1 March' is not a day of the dataset"),
        (("--first", "2024-03-03", "--last", "2024-03-02"), "FIRST 2024-03-03 is after LAST 2024-03-02."),
    ],
)
def test_a_day_that_is_none_of_the_dataset_is_refused(
    cx: Cx, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    told = cx("run", *arguments)
    assert told.exit_code == 2
    assert complaint in told.output
    assert not (tmp_path / "data").exists()


def test_a_dataset_whose_first_day_is_not_over_has_nothing_to_run(cx: Cx, dataset: Dataset) -> None:
    lines = dataset.path.read_text("utf-8").replace("2024-03-01", "2999-01-01").splitlines()
    dataset.path.write_text("\n".join(line for line in lines if not line.startswith("last_day")), "utf-8")
    told = cx("run")
    assert told.exit_code == 2
    assert "no day of the dataset is over: it begins on 2999-01-01" in told.output


def test_a_search_before_any_run_says_what_is_missing(cx: Cx) -> None:
    told = cx("search")
    assert told.exit_code == 1
    assert "warehouse.events is not there yet: materialize events first." in told.output


@pytest.mark.whole
def test_a_backtest_before_any_run_begins_with_one_and_ends_where_that_fails(
    cx: Cx, dataset: Dataset, tmp_path: Path
) -> None:
    text = dataset.path.read_text("utf-8")
    dataset.path.write_text(text.replace("2024-03-05", "2024-05-09"), "utf-8")
    told = cx("backtest")
    assert told.exit_code == 1
    assert "There is no warehouse yet, so everything is run first." in told.output
    # Half of the shop's events are broken, which stops the run.
    assert "rejected_events: few_events_are_rejected" in told.output
    assert "as-of dates" not in told.output
    assert not (tmp_path / "data" / "backtest").exists()


def test_tables_prints_every_table_and_column(cx: Cx, dataset: Dataset) -> None:
    told = cx("tables")
    assert told.exit_code == 0
    assert told.output == data_dictionary(table_specs(dataset)) + "\n"
    assert "<code>warehouse.events</code>: One row per event that keeps the contract" in told.output
    assert "| `rating` | double, may be null |" in told.output


def test_tables_can_be_put_into_a_page_again_and_again(cx: Cx, dataset: Dataset, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    for _ in range(2):
        assert cx("tables", "--write", str(page)).exit_code == 0
    text = page.read_text("utf-8")
    assert text == with_dictionary(f"before\n{BEGIN}{END}\nafter\n", data_dictionary(table_specs(dataset)))
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_a_page_without_the_marks_is_left_alone(cx: Cx, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks", "utf-8")
    told = cx("tables", "--write", str(page))
    assert isinstance(told.exception, ValueError)
    assert page.read_text("utf-8") == "no marks"


def test_home_makes_the_instance_folder_with_the_shipped_configuration(cx: Cx, tmp_path: Path) -> None:
    told = cx("home")
    home = tmp_path / "data" / "dagster"
    assert (told.exit_code, told.output.strip()) == (0, str(home))
    assert "BatchedSqliteEventLogStorage" in (home / "dagster.yaml").read_text("utf-8")


def test_home_leaves_an_operators_configuration_and_folder_alone(
    cx: Cx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "dagster.yaml").write_text("telemetry: {enabled: false}\n", "utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(own))
    assert cx("home").output.strip() == str(own)
    assert (own / "dagster.yaml").read_text("utf-8") == "telemetry: {enabled: false}\n"
    assert os.environ["DAGSTER_HOME"] == str(own)


# Progress


def watched(dataset: Dataset, days: tuple[str, str]) -> tuple[Progress, str]:
    """The progress of loading some days, and what it printed."""
    screen = io.StringIO()
    progress = Progress(Console(file=screen, width=200))
    project = build_definitions(Settings(data_dir=dataset.folder / "data"), dataset)
    reporting = dg.Definitions.merge(project, dg.Definitions(loggers={"progress": progress.logger()}))
    job = reporting.resolve_job_def("daily_events")
    graph = job.asset_layer.asset_graph
    stages = {key.to_user_string(): str(graph.get(key).group_name) for key in graph.get_all_asset_keys()}
    checks = [(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys]
    progress.expect(stages, {f"{asset}_{check}": stages[asset] for asset, check in checks})
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(
            instance=instance,
            tags={RANGE_START: days[0], RANGE_END: days[1]},
            run_config={"loggers": {"progress": {}}},
            raise_on_error=False,
        )
    return progress, screen.getvalue()


def test_progress_tells_stages_tables_rows_and_seconds(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{"id": f"e{n}"} for n in range(1234)]})
    progress, printed = watched(dataset, ("2024-03-01", "2024-03-01"))
    lines = [line.split() for line in printed.splitlines()]
    assert [line[0] for line in lines if len(line) == 1] == ["ingestion", "warehouse"]
    told = {line[0]: line[1:3] for line in lines if len(line) == 5}
    assert told["raw_events"] == told["events"] == ["1,234", "rows"]
    assert told["rejected_events"] == ["0", "rows"]
    assert all(float(line[3]) >= 0 and line[4] == "s" for line in lines if len(line) == 5)
    assert {step.name for step in progress.assets_done} == set(DAILY)
    assert progress.checks_done == len(progress.steps) - len(DAILY) > 0
    assert list(progress.stage_seconds()) == ["ingestion", "warehouse"]
    assert progress.errors == []


def test_progress_counts_warnings_and_shows_what_they_say(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}, {"at": "2024-03-03T09:00:00"}]})
    progress, printed = watched(dataset, ("2024-03-01", "2024-03-03"))
    assert "  events: no_day_is_missing: 1 of 3 days has no event." in printed
    assert (progress.warnings, progress.errors) == (1, [])


def test_progress_tells_the_verdict_that_stopped_a_run(dataset: Dataset) -> None:
    progress, printed = watched(dataset, ("2024-03-01", "2024-03-02"))
    assert "  rejected_events_few_events_are_rejected failed" in printed
    (error,) = progress.errors
    assert error.startswith("rejected_events: few_events_are_rejected: 1 of 2 delivered events breaks the contract")
    assert error in printed
    assert [step.name for step in progress.steps if not step.ok] == ["rejected_events_few_events_are_rejected"]


def test_progress_tells_why_no_step_could_run(dataset: Dataset) -> None:
    (dataset.folder / "data" / "working.duckdb").mkdir(parents=True)  # where no database can be made
    progress, _ = watched(dataset, ("2024-03-01", "2024-03-02"))
    assert progress.steps == []
    (error,) = progress.errors
    assert "working.duckdb" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backtest", "--from", "2024-03-02"), "--from '2024-03-02' is not an as-of date of the backtest"),
        (("compare", "ranker", "popularity"), "run `cx backtest`"),
        (("recommend", "--customer", "A"), "run `cx run`"),
        (("recommend", "--customer", "A", "--as-of", "soon"), "Invalid isoformat string: 'soon'"),
    ],
)
def test_what_can_not_be_answered_says_what_to_do(cx: Cx, arguments: tuple[str, ...], words: str) -> None:
    told = cx(*arguments)
    assert told.exit_code in (1, 2)
    assert words in told.output.replace("\n", " ")
