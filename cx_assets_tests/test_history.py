"""Dagster's history written in batches is the history written one event at a time."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest
from dagster import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.definitions import build_definitions
from cx_assets.history import BatchedSqliteEventLogStorage
from cx_assets.settings import Settings
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.whole_shop import shipped_instance

pytestmark = pytest.mark.whole

RAW_EVENTS = dg.AssetKey("raw_events")
RANGE = {RANGE_START: "2024-03-02", RANGE_END: "2024-03-04"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def load(folder: Path, instance: dg.DagsterInstance, times: int = 1) -> list[list[EventLogEntry]]:
    """The events of runs of three days, run by run."""
    dataset = write_tiny(folder, {"a.csv": [{"at": "2024-03-02T10:00:00"}, {"at": "2024-03-04T10:00:00"}] * 2})
    job = build_definitions(Settings(data_dir=folder / "data"), dataset).resolve_job_def("daily_events")
    runs = [job.execute_in_process(instance=instance, tags=RANGE, run_config=QUIET).run_id for _ in range(times)]
    return [list(instance.all_logs(run)) for run in runs]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[list[EventLogEntry]]:
    with dg.DagsterInstance.ephemeral() as instance:
        return load(tmp_path_factory.mktemp("history"), instance, times=2)


@pytest.fixture
def storages(tmp_path: Path) -> tuple[SqliteEventLogStorage, SqliteEventLogStorage]:
    """Ours and Dagster's own."""
    return BatchedSqliteEventLogStorage(str(tmp_path / "ours")), SqliteEventLogStorage(str(tmp_path / "theirs"))


def materializations(events: Sequence[EventLogEntry]) -> list[EventLogEntry]:
    return [event for event in events if event.dagster_event and event.dagster_event.is_step_materialization]


def told(storage: SqliteEventLogStorage, run_ids: Sequence[str]) -> dict[str, object]:
    """All that Dagster asks its storage about an asset with days, ids left out."""
    (record,) = storage.get_asset_records([RAW_EVENTS])
    entry = record.asset_entry
    newest = storage.fetch_materializations(RAW_EVENTS, limit=100).records
    by_day = storage.get_latest_storage_id_by_partition(RAW_EVENTS, dg.DagsterEventType.ASSET_MATERIALIZATION)
    return {
        "days": storage.get_materialized_partitions(RAW_EVENTS),
        "events of the asset": [record.event_log_entry for record in newest],
        "latest per day": [day for day, _ in sorted(by_day.items(), key=lambda item: item[1])],
        "asset": (entry.asset_key, entry.last_run_id, entry.last_materialization, entry.asset_details),
        "tags": storage.get_event_tags_for_asset(RAW_EVENTS),
        "events of runs": [storage.get_logs_for_run(run_id) for run_id in run_ids],
    }


def test_a_batch_is_stored_as_its_events_one_at_a_time(
    runs: list[list[EventLogEntry]], storages: tuple[SqliteEventLogStorage, SqliteEventLogStorage]
) -> None:
    ours, theirs = storages
    for events in runs:
        ours.store_event_batch(materializations(events))
        for event in materializations(events):
            theirs.store_event(event)
    run_ids = [events[0].run_id for events in runs]
    assert told(ours, run_ids) == told(theirs, run_ids)
    assert ours.get_materialized_partitions(RAW_EVENTS) == {"2024-03-02", "2024-03-03", "2024-03-04"}


def test_a_batch_of_other_events_or_of_several_runs_is_stored_too(
    runs: list[list[EventLogEntry]], storages: tuple[SqliteEventLogStorage, SqliteEventLogStorage]
) -> None:
    ours, theirs = storages
    ours.store_event_batch([event for events in runs for event in events])
    for events in runs:
        for event in events:
            theirs.store_event(event)
    run_ids = [events[0].run_id for events in runs]
    assert told(ours, run_ids) == told(theirs, run_ids)
    check = dg.AssetCheckKey(dg.AssetKey("events"), "nothing_is_lost")
    history = [storage.get_asset_check_execution_history(check, limit=9) for storage in storages]
    verdicts = [[(verdict.run_id, verdict.status, verdict.event) for verdict in found] for found in history]
    assert verdicts[0] == verdicts[1] != []


def test_the_shipped_configuration_stores_the_days_of_a_range_in_one_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    store = BatchedSqliteEventLogStorage._store_together

    def noting(self: BatchedSqliteEventLogStorage, events: Sequence[EventLogEntry]) -> None:
        sizes.append(len(events))
        store(self, events)

    monkeypatch.setattr(BatchedSqliteEventLogStorage, "_store_together", noting)
    with shipped_instance(Settings(data_dir=tmp_path / "data")) as instance:
        (events,) = load(tmp_path, instance)
        # What is planned: three tables by days, and five that have none; then the days of each of the three.
        assert sizes == [3 * 3 + 5, 3, 3, 3]
        assert len(materializations(events)) == 3 * 3 + 5
        # Where Dagster's own storage would have them: changing the storage keeps the history.
        theirs = SqliteEventLogStorage(str(tmp_path / "data" / "dagster" / "history" / "runs"))
        assert theirs.get_materialized_partitions(RAW_EVENTS) == {"2024-03-02", "2024-03-03", "2024-03-04"}


def test_an_error_of_the_batch_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(self: BatchedSqliteEventLogStorage, events: Sequence[EventLogEntry]) -> None:
        raise RuntimeError("another version of Dagster")

    monkeypatch.setattr(BatchedSqliteEventLogStorage, "store_event_batch", refuses)
    with shipped_instance(Settings(data_dir=tmp_path / "data")) as instance:
        load(tmp_path, instance)
        assert instance.get_materialized_partitions(RAW_EVENTS) == {"2024-03-02", "2024-03-03", "2024-03-04"}
    assert "another version of Dagster" in capsys.readouterr().err
