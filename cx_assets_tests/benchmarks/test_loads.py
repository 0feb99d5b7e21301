import duckdb
import pytest

from cx_assets_tests.benchmarks import loading
from cx_assets_tests.benchmarks.loads import events_per_second
from cx_assets_tests.benchmarks.running import Run
from cx_assets_tests.benchmarks.storing import stored

pytestmark = pytest.mark.whole


def test_the_rate_counts_every_delivered_event_and_the_seconds_of_every_step():
    run = Run(20.0, 500.0, {"raw_events": 2.0, "events": 2.5, "rejected_events": 0.5}, 1_000_000)

    assert events_per_second(run) == 200_000


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_what_is_measured_loads_all_events_of_a_file(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(loading.pq, "read_table", _first_events(loading.pq.read_table))
    monkeypatch.setenv("DAGSTER_HOME", "")

    told = loading.load(loading.write(kind, 2, tmp_path / "given"), tmp_path / "data")

    assert told.pop("delivered") == 2000
    assert set(told) == set(loading.STEPS)
    assert min(told.values()) > 0


def test_what_bounds_it_stores_what_was_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(loading.pq, "read_table", _first_events(loading.pq.read_table))
    monkeypatch.setenv("DAGSTER_HOME", "")
    loading.load(loading.write("parquet", 1, tmp_path / "given"), tmp_path / "data")

    told = stored(tmp_path / "data" / "working.duckdb", tmp_path / "given" / "events.parquet", tmp_path)

    assert min(told.values()) > 0
    for file, table in {"raw_events": "copy", "typed": "raw"}.items():
        with duckdb.connect(str(tmp_path / f"{file}.duckdb")) as connection:
            assert connection.table(table).shape[0] == 1000


def _first_events(read_table):
    return lambda path: read_table(path).slice(0, 1000)
