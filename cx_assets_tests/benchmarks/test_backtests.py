import json
import sqlite3
from contextlib import closing

from cx_assets_tests.benchmarks import running
from cx_assets_tests.benchmarks.backtests import AS_OF, read_log, run_backtest
from cx_assets_tests.benchmarks.running import Run

LOG = [
    (None, 1.0, "", "STEP_START"),
    ("backtest_lists", 10.0, "", "STEP_START"),
    ("backtest_lists", 11.0, "2017-12-04: 0 of 2 recommenders have their lists already", None),
    ("backtest_lists", 14.0, "2017-12-04: random", None),
    ("backtest_lists", 14.5, "", "HANDLED_OUTPUT"),
    ("backtest_lists", 20.0, "2017-12-04: personal_frequency", None),
    ("backtest_lists", 22.0, "", "STEP_SUCCESS"),
    ("last_basket_lists", 23.0, "", "STEP_START"),
    ("last_basket_lists", 25.0, "last basket: random", None),
    ("last_basket_lists", 30.0, "", "STEP_SUCCESS"),
    ("backtest_lists_structure", 30.0, "", "STEP_START"),
    ("backtest_lists_structure", 31.0, "", "STEP_SUCCESS"),
    ("last_basket_lists_structure", 31.0, "", "STEP_START"),
    ("last_basket_lists_structure", 33.0, "", "STEP_SUCCESS"),
]


def write_log(path):
    """An event log as Dagster stores it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table event_logs (id integer primary key, event text, step_key text)")
        for step, at, message, kind in LOG:
            event = {"event_type_value": kind} if kind else None
            entry = {"step_key": step, "timestamp": at, "user_message": message, "dagster_event": event}
            connection.execute("insert into event_logs (event, step_key) values (?, ?)", [json.dumps(entry), step])


def test_seconds_are_those_between_the_lines_of_the_log(tmp_path):
    write_log(tmp_path / "run.db")
    stages, recommenders = read_log(tmp_path / "run.db")
    assert stages == {"backtest_lists": 12.0, "last_basket_lists": 7.0, "checks": 3.0}
    # The first is counted from the line before it, or from the start of its step.
    assert recommenders == {"2017-12-04": {"random": 3.0, "personal_frequency": 6.0}, "last basket": {"random": 2.0}}


def test_the_last_week_is_run_and_the_newest_log_is_read(tmp_path, monkeypatch):
    logs = tmp_path / "dagster" / "history" / "runs"

    def measure(module, arguments, environment):
        assert arguments == ["backtest", "--from", AS_OF, "--to", AS_OF]
        assert environment["CX_DATA_DIR"] == str(tmp_path)
        write_log(logs / "one.db")
        (logs / "index.db").touch()
        return Run(99.0, 1234.0), ""

    monkeypatch.setattr(running, "measure", measure)
    found = run_backtest(tmp_path)
    assert (found.run.wall_seconds, found.run.peak_mib, found.run.stages["checks"]) == (99.0, 1234.0, 3.0)
    assert found.as_dict()["recommenders"]["last basket"] == {"random": 2.0}
