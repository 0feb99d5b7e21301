"""Dagster's own history, for as long as it is kept: runs, their events, what they printed, and their log lines.

Belongs here: removing runs. Does not: ticks of schedules and sensors, which Dagster removes by itself (`retention` in
`dagster.yaml`). Dagster knows which days are loaded from the events of runs, so the last run to have made an asset, or
a day of one, is never removed, however old.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import dagster as dg

from cx_assets.operations.run_log import log_file

BATCH = 500
MADE = dg.DagsterEventType.ASSET_MATERIALIZATION
FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def prune(instance: dg.DagsterInstance, before: datetime, home: Path) -> int:
    """Remove the finished runs of before an instant that no present knowledge rests on.

    Args:
        instance: whose history it is.
        before: with a time zone; a run that ended before may go.
        home: the instance's folder, for the log files of runs.

    Returns:
        How many runs were removed.
    """
    old = [
        record.dagster_run.run_id
        for record in instance.get_run_records(dg.RunsFilter(statuses=FINISHED, created_before=before))
    ]
    needed = runs_rested_on(instance) if old else set()
    gone = [run_id for run_id in old if run_id not in needed]
    for run_id in gone:
        instance.delete_run(run_id)
        # Dagster leaves what a run printed.
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        log_file(home, run_id).unlink(missing_ok=True)
    return len(gone)


def runs_rested_on(instance: dg.DagsterInstance) -> set[str]:
    """The runs that made the latest state of an asset, or of a partition of one."""
    found = set()
    for key in instance.all_asset_keys():
        latest = instance.get_latest_materialization_event(key)
        if latest:
            found.add(latest.run_id)
        found |= {record.run_id for record in latest_of_partitions(instance, key)}
    return found


def latest_of_partitions(instance: dg.DagsterInstance, key: dg.AssetKey) -> Iterator[dg.EventLogRecord]:
    """The latest materialization of each partition of an asset that has one."""
    ids = list(instance.event_log_storage.get_latest_storage_id_by_partition(key, MADE).values())
    for start in range(0, len(ids), BATCH):
        chosen = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[start : start + BATCH])
        yield from instance.fetch_materializations(chosen, limit=BATCH).records
