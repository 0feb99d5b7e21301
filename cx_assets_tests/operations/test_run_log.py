"""What a run tells machines: every line JSON, the same keys, and nothing of what rows hold."""

import json
from pathlib import Path

import pytest
from dagster import EventLogEntry

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import Dataset
from cx_assets.definitions import build_definitions
from cx_assets.history import BatchedSqliteEventLogStorage
from cx_assets.operations.run_log import KEYS, RunLog, log_file, redacted
from cx_assets.settings import Settings
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

PAGE = Path(__file__).parents[2] / "cx_assets/docs/operations.md"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = {RANGE_START: "2024-03-01", RANGE_END: "2024-03-02"}
Lines = list[dict[str, object]]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rows = [{"who": f"customer.of.day.{day}@shop.example", "at": f"2024-03-0{day}T10:00:00"} for day in (1, 2)]
    return write_tiny(tmp_path_factory.mktemp("tiny"), {"a.csv": rows})


@pytest.fixture(scope="module")
def logged(dataset: Dataset) -> tuple[Lines, Lines]:
    """The lines of a run that succeeds, and of one whose file is broken."""
    settings = Settings(data_dir=dataset.folder / "data")
    job = build_definitions(settings, dataset).resolve_job_def("daily_events")
    found = []
    with shipped_instance(settings) as instance:
        for _ in range(2):
            result = job.execute_in_process(instance=instance, tags=RANGE, run_config=QUIET, raise_on_error=False)
            text = log_file(settings.home, result.run_id).read_text("utf-8")
            found.append([json.loads(line) for line in text.splitlines()])
            (dataset.folder / "events" / "a.csv").write_bytes("at;who\nbjörn".encode("latin-1"))
    return found[0], found[1]


def events(lines: Lines) -> list[tuple[object, object]]:
    return [(line["event"], line["asset"]) for line in lines]


def test_every_line_has_the_same_keys_and_the_run(logged: tuple[Lines, Lines]) -> None:
    for lines in logged:
        assert {tuple(line) for line in lines} == {KEYS}
        assert len({line["run_id"] for line in lines}) == 1
        assert {line["job"] for line in lines} == {"daily_events"}


def test_every_key_is_explained_in_the_docs() -> None:
    page = PAGE.read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []


def test_a_run_tells_its_begin_each_step_with_rows_and_seconds_and_its_end(logged: tuple[Lines, Lines]) -> None:
    lines, _ = logged
    told = events(lines)
    assert told[0] == ("run started", None)
    assert told[-1] == ("run succeeded", None)
    (loaded,) = [line for line in lines if (line["event"], line["asset"]) == ("step succeeded", "raw_events")]
    assert (loaded["rows"], loaded["partition"]) == (2, "2024-03-01...2024-03-02")
    assert isinstance(loaded["seconds"], float)
    assert loaded["seconds"] > 0
    assert isinstance(lines[-1]["seconds"], float)
    assert lines[-1]["seconds"] > loaded["seconds"]
    assert told.index(("step started", "raw_events")) < told.index(("step succeeded", "raw_events"))


def test_checks_tell_their_verdict(logged: tuple[Lines, Lines]) -> None:
    lines, _ = logged
    verdicts = {line["check"]: line for line in lines if line["event"] == "check evaluated"}
    assert verdicts["nothing_is_lost"]["passed"] is True
    assert verdicts["nothing_is_lost"]["asset"] == "events"
    assert "0 of 2 days don't add up" in str(verdicts["nothing_is_lost"]["message"])


def test_a_failure_tells_step_level_and_cause(logged: tuple[Lines, Lines]) -> None:
    _, lines = logged
    (failure,) = [line for line in lines if line["event"] == "step failed" and line["asset"] == "raw_events"]
    assert failure["level"] == "ERROR"
    assert "events/a.csv: line 2 is not UTF-8" in str(failure["message"])
    assert events(lines)[-1][0] == "run failed"


def test_no_line_holds_what_rows_hold(logged: tuple[Lines, Lines]) -> None:
    for lines in logged:
        assert "customer.of.day" not in json.dumps(lines)
        assert "björn" not in json.dumps(lines, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Could not convert string 'ann' to INT32 when casting", "Could not convert string '…' to INT32 when casting"),
        ("2 of 4 days don't add up: it's 'raw = events'", "2 of 4 days don't add up: it's '…'"),
        ("no such host: postgresql://shop:hunter22@db/orders", "no such host: postgresql://shop:…@db/orders"),
        ("host=db password=hunter22 user=shop", "host=db password=… user=shop"),
        ("no customer ann@shop.example", "no customer …"),
        ("CSV error\nOriginal line: ann;3", "CSV error"),
        ("the key is 0123456789abcdef!", "the key is …!"),
    ],
)
def test_texts_lose_values_addresses_and_secrets(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.setenv("CX_TEST_KEY", "0123456789abcdef")
    assert redacted(text) == told


LINE = EventLogEntry(None, 20, "3 files are read", "run1", 1700000000.25, "raw_events", "daily_events", None)


def test_lines_of_assets_go_to_standard_error_if_asked_and_to_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    RunLog(tmp_path, "json").note(LINE)
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    said = {key: value for key, value in line.items() if value is not None}
    assert said == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "INFO",
        "run_id": "run1",
        "job": "daily_events",
        "event": "log",
        "asset": "raw_events",
        "message": "3 files are read",
    }
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_can_not_be_written_is_said_and_stops_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run_logs").write_text("a file where the folder should be")
    storage = BatchedSqliteEventLogStorage(str(tmp_path / "history"))
    storage.run_log = RunLog(tmp_path, "file")
    storage.store_event(LINE)
    assert "The run's log could not be written: " in capsys.readouterr().err
    assert [entry.user_message for entry in storage.get_logs_for_run("run1")] == ["3 files are read"]
