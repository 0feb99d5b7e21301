"""Finding out the state of everything without touching what a run holds.

Belongs here: asking Dagster's history, the published copy and the disk. Does not: what became of runs (`runs`), or the
verdict (`status`).
The working database is never opened: a run may hold it, and would be kept out by a reader.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
from sqlalchemy.exc import SQLAlchemyError

from cx_assets.automation import DAILY_EVENTS, EVERYTHING
from cx_assets.dataset import Dataset
from cx_assets.disk import Room, least_room
from cx_assets.home import home_of
from cx_assets.manifest import ManifestError
from cx_assets.operations.deliveries import delivered_files
from cx_assets.operations.refusals import last_refusal
from cx_assets.operations.retention import first_day_to_load
from cx_assets.operations.runs import ASSETS, latest_runs
from cx_assets.operations.status import (
    Checks,
    Days,
    Disk,
    FailedCheck,
    Files,
    Finding,
    Freshness,
    Refusal,
    Run,
    Seen,
)
from cx_assets.operations.ticks import failing
from cx_assets.partitions import daily_events
from cx_assets.publishing.files import REPORT
from cx_assets.settings import DATABASE, Settings

LOADING = (EVERYTHING.name, DAILY_EVENTS.name, ASSETS)
"""Runs of these load what was delivered."""


def look(settings: Settings, dataset: Dataset) -> Seen:
    """The state of everything, now."""
    now = datetime.now(UTC)
    problems: list[Finding] = []
    runs: list[Run] = []
    days: Days | None = None
    files: Files | None = None
    checks: Checks | None = None
    history_read = True
    room = least_room(settings)
    try:
        with _history(settings) as instance:
            if instance:
                runs = latest_runs(instance, settings, now)
                days = _days(instance, settings, dataset)
                files = delivered_files(instance, settings, dataset)
                checks = _checks(instance, settings, dataset)
                problems += failing(instance)
    except ManifestError as error:
        problems.append(_finding(str(error).splitlines()[0], "Correct the manifest; `cx doctor` names every mistake."))
    except (SQLAlchemyError, dg.DagsterError) as error:
        history_read = False
        problems.append(_unread(error, room))
    freshness, unreadable = _freshness(settings, now)
    unfinished = [run for run in runs if run.state in ("running", "waiting")]
    return Seen(
        dataset=dataset.title,
        grows=dataset.last_day is None,
        asked_at=now,
        last_run=next((run for run in runs if run not in unfinished), None),
        refused_run=_refusal(settings, runs),
        unfinished=unfinished,
        days=days,
        files=files,
        checks=checks,
        freshness=freshness,
        disk=_disk(settings, room),
        problems=[*problems, *([unreadable] if unreadable else [])],
        history_read=history_read,
        full=room.told() if room.is_full else None,
    )


def _refusal(settings: Settings, runs: Iterable[Run]) -> Refusal | None:
    """The last `cx run` that was refused, unless a run that loads has begun since, whoever launched it."""
    refused = last_refusal(settings)
    begun = (run.began for run in runs if run.job in LOADING and run.began)
    return refused if refused and all(began < refused.at for began in begun) else None


def _finding(what: str, do: str) -> Finding:
    return Finding(level="bad", what=what, do=do)


def _unread(error: Exception, room: Room) -> Finding:
    """That the history can't be read; on a full disk SQLite can't read what is sound either."""
    what = f"Dagster's history can't be read: {str(error).splitlines()[0]}."
    if room.is_full:
        return _finding(what, "Leave it as it is: with space on the disk it can be read again.")
    return _finding(what, "Restore it, or move its folder away.")


@contextmanager
def _history(settings: Settings) -> Iterator[dg.DagsterInstance | None]:
    """Dagster's instance; None before any run, for asking must not make one."""
    home = home_of(settings)
    if not (home / "dagster.yaml").exists():
        yield None
        return
    os.environ["DAGSTER_HOME"] = str(home)
    with dg.DagsterInstance.get() as instance:
        yield instance


def _days(instance: dg.DagsterInstance, settings: Settings, dataset: Dataset) -> Days:
    first = first_day_to_load(dataset, settings.retention).isoformat()
    known = [day for day in daily_events(dataset).get_partition_keys() if day >= first]
    loaded = instance.get_materialized_partitions(dg.AssetKey("events"))
    missing = [date.fromisoformat(day) for day in known if day not in loaded]
    first_missing, last_missing = (missing[0], missing[-1]) if missing else (None, None)
    return Days(known=len(known), missing=len(missing), first_missing=first_missing, last_missing=last_missing)


def _checks(instance: dg.DagsterInstance, settings: Settings, dataset: Dataset) -> Checks:
    # Loads the scientific libraries, which takes seconds; before any run there is nothing to ask about.
    from cx_assets.definitions import declared_definitions

    specs = [
        spec
        for definition in declared_definitions(dataset, settings).asset_checks or []
        for spec in definition.check_specs
    ]
    verdicts = list(_verdicts(instance, specs))
    failed = [
        FailedCheck(
            asset=spec.asset_key.to_user_string(),
            check=spec.name,
            blocking=spec.blocking and verdict.severity is dg.AssetCheckSeverity.ERROR,
            at=at,
            says=verdict.description or "",
        )
        for spec, verdict, at in verdicts
        if not verdict.passed
    ]
    return Checks(
        known=len(specs), passed=len(verdicts) - len(failed), never_run=len(specs) - len(verdicts), failed=failed
    )


def _verdicts(
    instance: dg.DagsterInstance, specs: Iterable[dg.AssetCheckSpec]
) -> Iterator[tuple[dg.AssetCheckSpec, dg.AssetCheckEvaluation, datetime]]:
    """The latest verdict of each check that ever gave one; one that is only planned takes none away."""
    by_check = {spec.key: spec for spec in specs}
    for key, found in instance.event_log_storage.get_asset_check_summary_records(list(by_check)).items():
        record = found.last_completed_check_execution_record
        event = record.event if record else None
        if event and event.dagster_event:
            spec = by_check[key]
            verdict = event.dagster_event.asset_check_evaluation_data
            yield spec, verdict, datetime.fromtimestamp(event.timestamp, UTC)


def _freshness(settings: Settings, now: datetime) -> tuple[Freshness, Finding | None]:
    """The ages of what readers have, and what is wrong with it."""
    nothing = Freshness(published_at=None, published_age_hours=None, last_event_at=None, last_event_age_hours=None)
    published = settings.published_dir
    database, report = published / DATABASE, published / REPORT
    if not published.is_symlink() and not published.exists():
        return nothing, _finding("Nothing is published.", "`cx run` publishes, once its blocking checks pass.")
    if not published.is_symlink():
        return nothing, _finding(
            f"{published} is not a link that publishing made.", "Move it away, then publish again: `cx run`."
        )
    if missing := [path.name for path in (database, report) if not path.is_file()]:
        return nothing, _finding(
            f"What is published is broken: {published} has no {' and no '.join(missing)}.", "Publish again: `cx run`."
        )
    published_at = datetime.fromtimestamp(report.stat().st_mtime, UTC)
    found = nothing.model_copy(update={"published_at": published_at, "published_age_hours": _hours(now - published_at)})
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            row = connection.execute("select max(occurred_at) from warehouse.events").fetchone()
    except duckdb.Error as error:
        return found, _finding(f"What is published is broken: {database}: {error}", "Publish again: `cx run`.")
    if row is None or row[0] is None:
        return found, None
    last = row[0].replace(tzinfo=UTC)
    return found.model_copy(update={"last_event_at": last, "last_event_age_hours": _hours(now - last)}), None


def _hours(age: timedelta) -> float:
    return round(age.total_seconds() / 3600, 2)


def _disk(settings: Settings, room: Room) -> Disk:
    working = settings.warehouse_path
    return Disk(
        working=sum(_size(path) for path in (working, working.with_name(f"{working.name}.wal"))),
        published=_size(settings.published_dir.resolve()),
        backtest=_size(settings.backtest_dir.resolve()),
        history=_size(home_of(settings)),
        free=room.free,
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of all files under a folder; those that go away meanwhile don't count."""
    if not path.exists():
        return 0
    total = 0
    for file in path.rglob("*") if path.is_dir() else [path]:
        try:
            total += 0 if file.is_symlink() or not file.is_file() else file.stat().st_size
        except FileNotFoundError:
            continue
    return total
