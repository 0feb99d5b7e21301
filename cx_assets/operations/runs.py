"""Which runs there were, and what became of each.

Belongs here: Dagster's history of runs, held against the processes and the lock of this machine. Does not: checks, days
and files (`looking`, `deliveries`), or the verdict (`status`). Dagster itself doesn't learn that a process went
down together with the server that had launched it.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.operations.holder import is_gone, writer
from cx_assets.operations.status import Run, RunState
from cx_assets.progress import cause_of_end, root_cause
from cx_assets.settings import Settings

ENDED: dict[dg.DagsterRunStatus, RunState] = {
    dg.DagsterRunStatus.SUCCESS: "succeeded",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "canceled",
}
BEGUN = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)
ASSETS = "assets"
"""What a run is called whose assets were chosen one by one."""
CHECK_FAILED = "DagsterAssetCheckFailedError"
RECENT = 50
STARTING = timedelta(minutes=2)
"""Where nothing is known of its process, a run may have begun for so long before it holds a warehouse that is free."""


def latest_runs(instance: dg.DagsterInstance, settings: Settings, now: datetime) -> list[Run]:
    """The latest runs, newest first."""
    holder = writer(settings)
    return [_run(instance, record, settings, holder, now) for record in instance.get_run_records(limit=RECENT)]


def _run(
    instance: dg.DagsterInstance, record: dg.RunRecord, settings: Settings, holder: str | None, now: datetime
) -> Run:
    state = ENDED.get(record.dagster_run.status) or _unended(instance, record, settings, holder, now)
    if state == "interrupted":
        # It may have ended in good order since it was asked for.
        (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[record.dagster_run.run_id])) or [record]
        state = ENDED.get(record.dagster_run.status, state)
    run = record.dagster_run
    began, ended = _began(record), datetime.fromtimestamp(record.end_time, UTC) if record.end_time else None
    day = run.tags.get("dagster/partition")
    first, last = run.tags.get(RANGE_START, day), run.tags.get(RANGE_END, day)
    return Run(
        run_id=run.run_id,
        job=ASSETS if run.job_name.startswith("__") else run.job_name,
        state=state,
        began=began,
        ended=ended,
        seconds=round((ended - began).total_seconds(), 1) if began and ended else None,
        days=first if first == last else f"{first}...{last}",
        error=_error(instance, run.run_id) if state == "failed" else None,
    )


def _unended(
    instance: dg.DagsterInstance, record: dg.RunRecord, settings: Settings, holder: str | None, now: datetime
) -> RunState:
    """What a run does that Dagster knows no end of."""
    run = record.dagster_run
    if holder and run.run_id in holder:
        return "running"
    process = _process(instance, run.run_id)
    if process is not None and is_gone(settings, process):
        return "interrupted"
    since = now - (_began(record) or record.create_timestamp.replace(tzinfo=UTC))
    return "interrupted" if run.status in BEGUN and holder is None and since > STARTING else "waiting"


def _process(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """The process that works on a run, whoever launched it; None before it has told of itself."""
    kinds = {dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_START}
    found = None
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.dagster_event
        # The launcher tells of the run from a process of its own, without `pid` among what it tells.
        if event and event.event_type is dg.DagsterEventType.RUN_START:
            found = event.pid or found
        elif event and (told := event.engine_event_data.metadata.get("pid")):
            found = int(str(told.value))
    return found


def _began(record: dg.RunRecord) -> datetime | None:
    return datetime.fromtimestamp(record.start_time, UTC) if record.start_time else None


def _error(instance: dg.DagsterInstance, run_id: str) -> str:
    """The cause of the first step that failed, or of the run's failure outside its steps."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    events = [entry.dagster_event for entry in instance.all_logs(run_id, of_type=kinds)]
    causes = (f"{event.step_key or 'the run'}: {_cause(instance, run_id, event)}" for event in events if event)
    return next(causes, "no cause noted")


def _cause(instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEvent) -> str:
    """Why a step or run failed; of a check only that it did, for what it says stands with the checks."""
    if not event.is_step_failure:
        return cause_of_end(instance, run_id, event)
    error = event.step_failure_data.error
    return "the check didn't pass." if error and error.cls_name == CHECK_FAILED else root_cause(event)
