"""The state of everything, as a monitor and a person want to know it, and the verdict on it.

Belongs here: what a status holds, with keys that stay, and what of it is good, a warning or bad. Does not: finding out
(`looking`) or printing (`commands`).
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from cx_assets.disk import ADVICE

Level = Literal["good", "warning", "bad"]
RunState = Literal["succeeded", "failed", "canceled", "running", "waiting", "interrupted"]
EXIT_CODES: dict[Level, int] = {"good": 0, "warning": 1, "bad": 2}
"""As monitors of the Nagios kind read them."""

ENDING = (
    "Run it again; every table is whole, old or new. Runs launched in the web UI wait until it is ended: the sensor "
    "`interrupted_runs` does that, or *Terminate* in the run's menu."
)
"""What to do about a run that no process works on any more."""

NAMED = 5
"""How many of several files are named."""


class Finding(BaseModel):
    """Something that isn't good."""

    level: Literal["warning", "bad"]
    what: str = Field(description="What is wrong.")
    do: str = Field(description="What to do about it.")


class Run(BaseModel):
    """A run of Dagster's history."""

    run_id: str
    job: str
    state: RunState
    began: datetime | None
    ended: datetime | None
    seconds: float | None
    days: str | None = Field(description="The day, or FIRST...LAST, that it was about.")
    error: str | None = Field(description="Why it failed: the first cause.")


class Refusal(BaseModel):
    """A `cx run` that didn't begin."""

    at: datetime
    problems: list[str] = Field(description="What was printed of it.")


class Days(BaseModel):
    """The days of the dataset that are over and whose raw events are kept."""

    known: int
    missing: int = Field(description="Of them those that were never loaded.")
    first_missing: date | None
    last_missing: date | None


class Files(BaseModel):
    """The delivered files of events that hold anything, by their names in the tables."""

    known: int
    new: list[str] = Field(description="Of them those that came after the last loading and weren't there before.")
    changed: list[str] = Field(description="Of them those that have changed since they were last loaded.")


class FailedCheck(BaseModel):
    """A check whose latest result is a failure."""

    asset: str
    check: str
    blocking: bool
    at: datetime
    says: str


class Checks(BaseModel):
    """The latest result of each check."""

    known: int
    passed: int
    never_run: int
    failed: list[FailedCheck]


class Freshness(BaseModel):
    """What readers have, and of when it is."""

    published_at: datetime | None
    published_age_hours: float | None
    last_event_at: datetime | None
    last_event_age_hours: float | None


class Disk(BaseModel):
    """Bytes, and those that are free where the data folder and the history are; where that is less, on two disks."""

    working: int
    published: int
    backtest: int
    history: int
    free: int


class Limits(BaseModel):
    """From which age on a growing dataset is stale, in hours."""

    warn_after: float
    bad_after: float


class Seen(BaseModel):
    """What was found out, before any verdict."""

    dataset: str
    grows: bool = Field(description="Whether more events are to come: the manifest has no last day.")
    asked_at: datetime
    last_run: Run | None = Field(description="The last run that ended, or was interrupted.")
    refused_run: Refusal | None = Field(
        default=None, description="The last `cx run` that didn't begin, if none that loads has begun since."
    )
    unfinished: list[Run]
    days: Days | None
    files: Files | None
    checks: Checks | None
    freshness: Freshness
    disk: Disk
    problems: list[Finding] = Field(default=[], description="What could not be found out, and why.")
    history_read: bool = Field(default=True, description="Whether Dagster's history, if there is any, could be read.")
    full: str | None = Field(default=None, description="That a disk is full, and which.")


class Status(BaseModel):
    """All of it, with the verdict."""

    status: Level
    exit_code: int
    findings: list[Finding]
    dataset: str
    asked_at: datetime
    last_run: Run | None
    refused_run: Refusal | None
    unfinished: list[Run]
    days: Days | None
    files: Files | None
    checks: Checks | None
    freshness: Freshness
    disk: Disk


def duration(hours: float) -> str:
    """An age for a person: from two days on in days."""
    return f"{hours:,.1f} hours" if hours < 48 else f"{hours / 24:,.0f} days"


def judged(seen: Seen, limits: Limits) -> Status:
    """The verdict: as bad as the worst finding."""
    findings = [
        *_of_a_full_disk(seen),  # first: much of what follows may only be for that
        *seen.problems,
        *_of_runs(seen),
        *_of_days(seen),
        *_of_files(seen),
        *_of_checks(seen),
        *_of_age(seen, limits),
    ]
    if not seen.full:
        findings += _of_disk(seen.disk)
    findings.sort(key=lambda finding: finding.level)  # bad before warning
    worst: Level = findings[0].level if findings else "good"
    told = seen.model_dump(exclude={"grows", "problems", "history_read", "full"})
    return Status(status=worst, exit_code=EXIT_CODES[worst], findings=findings, **told)


def _of_a_full_disk(seen: Seen) -> Iterator[Finding]:
    if seen.full:
        yield Finding(level="bad", what=seen.full, do=ADVICE)


def _of_runs(seen: Seen) -> Iterator[Finding]:
    if refused := seen.refused_run:
        why, *others = refused.problems
        more = f" And {len(others):,} more, which it printed." if others else ""
        what = f"The last `cx run` ({refused.at:%Y-%m-%d %H:%M} UTC) didn't begin: {why.rstrip('.')}.{more}"
        yield Finding(level="bad", what=what, do="Correct it and run again.")
    last = seen.last_run
    if last is None:
        if seen.history_read and not seen.unfinished:
            yield Finding(level="bad", what="There was no run yet.", do="Run `cx run`.")
    elif last.state == "failed":
        what = f"The last run, {last.job}, failed: {last.error}"
        yield Finding(level="bad", what=what, do="Correct the cause, then run it again.")
    elif last.state == "interrupted":
        what = f"The last run, {last.job}, was interrupted: it never ended, and no process works on it."
        yield Finding(level="bad", what=what, do=ENDING)
    elif last.state == "canceled":
        yield Finding(level="warning", what=f"The last run, {last.job}, was canceled.", do="Run it again.")


def _of_days(seen: Seen) -> Iterator[Finding]:
    if seen.days and seen.days.missing and seen.last_run:
        first, last = seen.days.first_missing, seen.days.last_missing
        what = f"{seen.days.missing:,} of {seen.days.known:,} days were never loaded, from {first} to {last}."
        yield Finding(level="warning", what=what, do=f"Run `cx run --first {first} --last {last}`.")


def _of_files(seen: Seen) -> Iterator[Finding]:
    if seen.files:
        one, several = "has changed since it was loaded", "have changed since they were loaded"
        yield from _of_names(seen.files.new, seen.files.known, "is new", "are new")
        yield from _of_names(seen.files.changed, seen.files.known, one, several)


def _of_names(names: list[str], known: int, one: str, several: str) -> Iterator[Finding]:
    if names:
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        told = f"{', '.join(names[:NAMED])}{more}"
        yield Finding(
            level="warning",
            what=f"{len(names):,} of {known:,} event files {one if len(names) == 1 else several}: {told}.",
            do="`new_event_files` loads the days that it finds in them, or name them, also those of late "
            "rows: `cx run --first A --last B`.",
        )


def _of_checks(seen: Seen) -> Iterator[Finding]:
    for check in seen.checks.failed if seen.checks else []:
        level: Literal["warning", "bad"] = "bad" if check.blocking else "warning"
        do = "No run publishes before it passes." if check.blocking else "Look at it; it stops nothing."
        yield Finding(level=level, what=f"{check.asset}: {check.check}: {check.says}", do=do)


def _of_age(seen: Seen, limits: Limits) -> Iterator[Finding]:
    if not seen.grows:  # nothing more is to come
        return
    for what, age in (
        ("The last published event", seen.freshness.last_event_age_hours),
        ("What is published", seen.freshness.published_age_hours),
    ):
        if age is not None and age > limits.warn_after:
            limit = limits.bad_after if age > limits.bad_after else limits.warn_after
            yield Finding(
                level="bad" if age > limits.bad_after else "warning",
                what=f"{what} is {duration(age)} old, above the limit of {limit:g} hours.",
                do="See that files arrive, that the daemon runs and that its schedules are started.",
            )


def _of_disk(disk: Disk) -> Iterator[Finding]:
    # The next publication is written beside the present one.
    needed = disk.working + disk.published
    if disk.free < needed:
        yield Finding(
            level="warning",
            what=f"{disk.free / 1e6:,.0f} MB of disk are free; a run may need {needed / 1e6:,.0f} MB.",
            do="Free space, or run `cx retention`.",
        )
