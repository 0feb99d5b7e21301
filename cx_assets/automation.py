"""What runs when: jobs, schedules and sensors.

Belongs here: selections and times. Does not: what is computed. All schedules and sensors are delivered stopped; an operator
starts them in the UI or with `dagster schedule start`.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import dagster as dg

from cx_assets.dataset import Dataset
from cx_assets.ingestion.reader import file_days
from cx_assets.progress import root_cause
from cx_assets.settings import Settings

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
DAILY = ("raw_events", "events", "rejected_events")

_DAYS = dg.AssetSelection.assets(*DAILY)
_PUBLISHED = dg.AssetSelection.assets("published_tables")

EVERYTHING = dg.define_asset_job(
    "everything",
    dg.AssetSelection.all(),
    description="From raw events to the published files, over a range of days.",
)
DAILY_EVENTS = dg.define_asset_job(
    "daily_events", _DAYS, description="Load and clean the events of a day, or of a range of days."
)
MODELS = dg.define_asset_job(
    "models",
    dg.AssetSelection.all() - _DAYS - _PUBLISHED,
    description="All that follows from events, up to the report.",
)
PUBLISH = dg.define_asset_job(
    "publish", _PUBLISHED, description="Let readers have the present tables, if their blocking checks passed."
)
JOBS = [EVERYTHING, DAILY_EVENTS, MODELS, PUBLISH]

SCHEDULES = [
    dg.build_schedule_from_partitioned_job(
        DAILY_EVENTS,
        name="daily_events_schedule",
        hour_of_day=2,
        description="At 02:00 UTC: loads the events of the day that has just ended.",
    ),
    dg.ScheduleDefinition(
        name="models_schedule",
        job=MODELS,
        cron_schedule="0 3 * * *",
        execution_timezone="UTC",
        description="At 03:00 UTC: computes all that follows from events. The sensor publish_when_checked then publishes it.",
    ),
]


def sensors(dataset: Dataset, settings: Settings) -> list[dg.SensorDefinition]:
    """New files, failed runs, and publishing what has passed its checks."""

    @dg.sensor(job=DAILY_EVENTS, minimum_interval_seconds=60)
    def new_event_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Notices new or changed files of the manifest's events and requests the days that they touch."""
        seen: dict[str, list[int]] = json.loads(context.cursor or "{}")
        now = {
            str(path): [path.stat().st_size, path.stat().st_mtime_ns]
            for events in dataset.events
            for path in events.source.paths(dataset.folder)
        }
        changed = {path for path, state in now.items() if seen.get(path) != state}
        if not changed:
            return dg.SkipReason("no new or changed file")
        days = file_days(dataset, changed)
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"{first}...{last}: {json.dumps(sorted(now[path] for path in changed))}",
                    tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
                )
                for first, last in stretches(days)
            ],
            cursor=json.dumps(now, sort_keys=True),
        )

    @dg.run_failure_sensor(monitor_all_code_locations=False)
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        """Writes what failed, and what to do, to a log under the data folder."""
        log = settings.data_dir.absolute() / "failed_runs.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(failure_text(context) + "\n")

    publishing = dg.AutomationConditionSensorDefinition(
        "publish_when_checked",
        target=dg.AssetSelection.assets("published_tables"),
        description="Publishes when the report is new and every blocking check of what it rests on has passed.",
    )
    return [new_event_files, failed_runs, publishing]


def stretches(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """The first and last day of every unbroken stretch of `days`, which are sorted and distinct."""
    if not days:
        return
    breaks = [i for i, (a, b) in enumerate(pairwise(days), start=1) if b - a > timedelta(days=1)]
    for start, end in zip([0, *breaks], [*breaks, len(days)], strict=True):
        yield days[start], days[end - 1]


def failure_text(context: dg.RunFailureSensorContext) -> str:
    """What failed and what to do, for a person who reads a log in the morning."""
    run = context.dagster_run
    steps = [
        f"  {event.step_key}: {root_cause(event)}" for event in context.get_step_failure_events() if event.step_key
    ] or [f"  {context.failure_event.message}"]
    days = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
    last = run.tags.get(RANGE_END)
    what = f" for {days}{f' to {last}' if last and last != days else ''}" if days else ""
    return "\n".join(
        [
            f"{datetime.now(UTC).isoformat(timespec='seconds')} run {run.run_id} of {run.job_name}{what} failed:",
            *steps,
            "  The tables and the published files are as they were before. Correct the cause, then run it again: in the UI "
            f"open the run and choose 're-execute from failure', or: dagster job execute -m cx_assets.definitions -j {run.job_name}",
        ]
    )

