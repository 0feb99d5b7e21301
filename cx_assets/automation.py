"""What runs when: jobs, schedules and sensors.

Belongs here: selections and times. Does not: what is computed, or the sensor of runs that never ended
(`operations.interrupted`). All schedules and sensors are delivered stopped; an operator starts them in the UI or with
`dagster schedule start`.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from cx_assets.dataset import Dataset
from cx_assets.days import stretches
from cx_assets.ingestion.changes import changes
from cx_assets.partitions import daily_events
from cx_assets.privacy.protection import Protection
from cx_assets.progress import cause_of_end, root_cause
from cx_assets.publishing.gate import unmet
from cx_assets.settings import Settings

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
RUN_KEY = "dagster/run_key"
NOT_OVER = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
TOLD = 3
"""Checks of which a tick tells why they hold publishing back."""
DAILY = (
    *("delivered_columns", "raw_customers", "raw_items", "customer_merges"),
    *("raw_events", "withdrawn_events", "events", "rejected_events"),
)
"""What loads a day. Who the customers are belongs to it: a merge renames the events of other days too; and what items
there are, as a contract may refer to them."""

# A dataset that declares linkage has more that merges rest on.
_DAYS = dg.AssetSelection.assets(*DAILY) | dg.AssetSelection.assets("customer_merges").upstream()
_PUBLISHED = dg.AssetSelection.assets("published_tables")

_BACKTEST = dg.AssetSelection.assets(
    *("backtest_lists", "last_basket_lists", "backtest_metrics", "backtest_comparisons"),
    *("calibration", "ranker_study", "backtest_report", "published_backtest"),
)
_SEARCH = dg.AssetSelection.assets("search_trials")
_RETENTION = dg.AssetSelection.assets("retention")
EVERY_RUN = dg.AssetSelection.all() - _BACKTEST - _SEARCH - _RETENTION
"""All but the backtest, which goes by weeks, the search for settings, and removing what is old."""

EVERYTHING = dg.define_asset_job(
    "everything",
    EVERY_RUN,
    description="From raw events to the published files, over a range of days.",
)
BACKTEST = dg.define_asset_job(
    "backtest", _BACKTEST, description="Every recommender, judged on what followed an as-of date, or a range of them."
)
SEARCH = dg.define_asset_job(
    "search", _SEARCH, description="The ranker's settings, tried on days before those that it is judged on."
)
DAILY_EVENTS = dg.define_asset_job(
    "daily_events", _DAYS, description="Load and clean the events of a day, or of a range of days."
)
MODELS = dg.define_asset_job(
    "models",
    EVERY_RUN - _DAYS,
    # It publishes itself: a run of days that stands in the queue behind it would change what the checks vouch for.
    description="All that follows from events, up to the report, and publishing it.",
)
PUBLISH = dg.define_asset_job(
    "publish", _PUBLISHED, description="Let readers have the present tables, if their blocking checks passed."
)
RETENTION = dg.define_asset_job(
    "apply_retention", _RETENTION, description="Remove rows and runs that have been kept for as long as they are to be."
)
JOBS = [EVERYTHING, DAILY_EVENTS, MODELS, PUBLISH, BACKTEST, SEARCH, RETENTION]


def schedules(dataset: Dataset) -> list[Any]:
    """When what runs by itself, by the clocks of the dataset's zone.

    Not at two o'clock: on the night when clocks go forward most zones have none, and three would come at once.

    Returns:
        Schedules; Dagster has no public name for one whose partitions are still to be found out.
    """
    zone = dataset.timezone
    return [
        dg.build_schedule_from_partitioned_job(
            DAILY_EVENTS,
            name="daily_events_schedule",
            hour_of_day=3,
            description=f"At 03:00 ({zone}): loads the events of the day that has just ended.",
        ),
        dg.ScheduleDefinition(
            name="models_schedule",
            job=MODELS,
            cron_schedule="0 4 * * *",
            execution_timezone=zone,
            description=f"At 04:00 ({zone}): computes all that follows from events, and publishes it if blocking "
            "checks pass.",
        ),
        dg.ScheduleDefinition(
            name="retention_schedule",
            job=RETENTION,
            cron_schedule="0 1 * * 0",
            execution_timezone=zone,
            description=f"On Sundays at 01:00 ({zone}): removes what has been kept for long enough, before the nightly "
            "runs.",
        ),
    ]


def sensors(dataset: Dataset, settings: Settings, gate: Sequence[dg.AssetCheckSpec] = ()) -> list[dg.SensorDefinition]:
    """New files, failed runs, and publishing what has passed its checks.

    Args:
        dataset: whose files are watched.
        settings: where the log goes.
        gate: the blocking checks of what is published.
    """
    protection = Protection(dataset, settings)

    @dg.sensor(
        job=DAILY_EVENTS,
        minimum_interval_seconds=60,
        description="Loads the days that new or changed files, URLs and rows of databases touch.",
    )
    def new_event_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Notices new or changed files, URLs and rows of databases, and requests the days that they touch."""
        seen = json.loads(context.cursor or "{}")
        found = changes(dataset, seen, protection.told_name if dataset.privacy else None)
        if not found.changed:
            return dg.SkipReason("no new or changed file")
        # A day that isn't over has no partition yet: the daily schedule loads it when it is.
        over = set(daily_events(dataset).get_partition_keys())
        days = [day for day in found.days if day.isoformat() in over]
        state = json.dumps(found.changed, sort_keys=True)
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"{first}...{last} {hashlib.sha256(state.encode()).hexdigest()[:16]}",
                    tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
                )
                for first, last in stretches(days)
            ],
            skip_reason=None if days else "the new or changed files hold no event of a day that is over",
            cursor=json.dumps(found.state, sort_keys=True),
        )

    @dg.run_failure_sensor(
        monitor_all_code_locations=False, description="Writes what failed and what to do to failed_runs.log."
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        """Writes what failed, and what to do, to a log under the data folder."""
        log = settings.data_dir.absolute() / "failed_runs.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(failure_text(context) + "\n")

    @dg.sensor(
        job=PUBLISH,
        minimum_interval_seconds=30,
        description="Publishes a report that the run which made it did not, once every blocking check has passed.",
    )
    def publish_when_checked(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Asks what publishing itself asks, so that a check that only warns holds nothing back, and says what does.

        Of all tables the report comes last: a new day of events alone is not yet something to publish.
        """
        report, published = (_last_made(context.instance, name) for name in ("evaluation_report", "published_tables"))
        if report is None:
            return dg.SkipReason("There is no report yet: the job models makes it.")
        if published and published.timestamp > report.timestamp:
            return dg.SkipReason("The latest report is published.")
        key = f"report of {report.run_id}, {report.timestamp}"
        if why := _held_back(context.instance, gate, key):
            return dg.SkipReason(why)
        return dg.RunRequest(run_key=key)

    return [new_event_files, failed_runs, publish_when_checked]


def _last_made(instance: dg.DagsterInstance, table: str) -> dg.EventLogEntry | None:
    return instance.get_latest_materialization_event(dg.AssetKey(table))


def _held_back(instance: dg.DagsterInstance, gate: Sequence[dg.AssetCheckSpec], key: str) -> str | None:
    """Why a report isn't to be published now, and what to do; None if it is."""
    for run in instance.get_runs(dg.RunsFilter(tags={RUN_KEY: key}), limit=1):
        return (
            f"Run {run.run_id[:8]} was to publish this report: status {run.status.value.lower()}. If it failed or "
            "was canceled, correct the cause, then re-execute it."
        )
    for run in instance.get_runs(dg.RunsFilter(statuses=NOT_OVER), limit=1):
        return f"Run {run.run_id[:8]} of {run.job_name} is not over: what it writes is to be checked first."
    if reasons := unmet(instance, gate):
        more = f" … and {len(reasons) - TOLD} more." if len(reasons) > TOLD else ""
        return (
            f"Held back: {len(reasons)} of {len(gate)} blocking checks don't vouch for the tables; what was published "
            f"before stays. {' · '.join(reasons[:TOLD])}{more} Correct what they say, then run the job models, or "
            "these tables with their checks."
        )
    return None


def failure_text(context: dg.RunFailureSensorContext) -> str:
    """What failed and what to do, for a person who reads a log in the morning."""
    run = context.dagster_run
    verdicts = failed_checks(context.instance, run.run_id)
    steps = [
        verdicts.get(event.step_key) or f"{event.step_key}: {root_cause(event)}"
        for event in context.get_step_failure_events()
        if event.step_key
    ] or [cause_of_end(context.instance, run.run_id, context.failure_event)]
    day = run.tags.get("dagster/partition")
    first, last = run.tags.get(RANGE_START, day), run.tags.get(RANGE_END, day)
    days = f" for {first}" + (f" to {last}" if last != first else "") if first else ""
    tags = f" --tags '{json.dumps({RANGE_START: first, RANGE_END: last})}'" if first else ""
    return "\n".join(
        [
            f"{datetime.now(UTC).isoformat(timespec='seconds')} run {run.run_id} of {run.job_name}{days} failed:",
            *(f"  {line}" for step in steps for line in step.splitlines()),
            "  Every table is whole, old or new, and readers have what was last published. Correct the cause, then "
            "run it again: in the UI open the run and choose 're-execute from failure'"
            + _or_by_command(run.job_name, tags),
        ]
    )


def failed_checks(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """What the failed checks of a run say, by their step."""
    told = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        if entry.dagster_event and entry.dagster_event.step_key:
            verdict = entry.dagster_event.asset_check_evaluation_data
            if not verdict.passed:
                name = f"{verdict.asset_key.to_user_string()}: {verdict.check_name}"
                told[entry.dagster_event.step_key] = f"{name}: {verdict.description}"
    return told


def _or_by_command(job: str, tags: str) -> str:
    """How to run a job again from the command line; what was launched without a job of its own can't be."""
    if job.startswith("__"):
        return "."
    return f", or\n  DAGSTER_HOME=$(cx home) dagster job execute -m cx_assets.definitions -j {job}{tags}"
