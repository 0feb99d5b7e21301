"""What of a state is good, a warning or bad, and how it is said."""

from datetime import UTC, datetime

import pytest

from cx_assets.operations.status import (
    Checks,
    Disk,
    FailedCheck,
    Files,
    Freshness,
    Limits,
    Run,
    Seen,
    duration,
    judged,
)

NOW = datetime(2024, 3, 9, 12, tzinfo=UTC)
LIMITS = Limits(warn_after=48, bad_after=168)
SOUND = Run(
    run_id="1", job="everything", state="succeeded", began=NOW, ended=NOW, seconds=9, days=None, error=None
)  # fmt: skip


def seen(*, grows: bool = True, event_hours: float = 1, free: int = 10_000, run: Run = SOUND) -> Seen:
    fresh = Freshness(
        published_at=NOW, published_age_hours=1, last_event_at=NOW, last_event_age_hours=event_hours
    )  # fmt: skip
    disk = Disk(working=3000, published=2000, backtest=0, history=0, free=free)
    return Seen(
        dataset="A shop", grows=grows, asked_at=NOW, last_run=run, unfinished=[], days=None, files=None, checks=None,
        freshness=fresh, disk=disk,
    )  # fmt: skip


def test_that_nothing_is_published_is_said_once_where_a_check_says_it_too() -> None:
    gate = FailedCheck(
        asset="report", check="gate", blocking=True, at=NOW, says="No sure lead. Nothing is published. Read it."
    )  # fmt: skip
    state = seen().model_copy(update={"checks": Checks(known=1, passed=0, never_run=0, failed=[gate])})
    (finding,) = judged(state, LIMITS).findings
    assert f"{finding.what} {finding.do}".count("Nothing is published") == 1
    assert finding.do == "No run publishes before it passes."


@pytest.mark.parametrize(
    ("hours", "told"),
    [(0.04, "0.0 hours"), (47.9, "47.9 hours"), (48, "2 days"), (12_745.2, "531 days"), (100_000, "4,167 days")],
)
def test_an_age_is_told_in_days_from_two_on(hours: float, told: str) -> None:
    assert duration(hours) == told


@pytest.mark.parametrize(
    ("state", "exit_code"),
    [
        (seen(), 0),
        (seen(event_hours=49), 1),
        (seen(event_hours=169), 2),
        (seen(event_hours=9999, grows=False), 0),
        (seen(free=4999), 1),
        (seen(run=SOUND.model_copy(update={"state": "failed", "error": "raw_events: no file"})), 2),
        (seen(run=SOUND.model_copy(update={"state": "canceled"})), 1),
    ],
    ids=["good", "old", "very old", "complete", "a full disk", "failed", "canceled"],
)
def test_the_verdict_is_as_bad_as_the_worst_finding(state: Seen, exit_code: int) -> None:
    status = judged(state, LIMITS)
    assert status.exit_code == exit_code
    assert bool(status.findings) == (exit_code > 0)
    assert status.status == ("good", "warning", "bad")[exit_code]


def test_a_full_disk_is_bad_and_comes_before_what_may_only_be_for_it() -> None:
    failed = SOUND.model_copy(update={"state": "failed", "error": "it doesn't fit"})
    state = seen(run=failed, free=0).model_copy(update={"full": "The disk is full: 0 MB are free in /data."})
    full, last = judged(state, LIMITS).findings
    assert (full.level, full.what) == ("bad", "The disk is full: 0 MB are free in /data.")
    assert "failed: it doesn't fit" in last.what


def test_status_names_some_of_the_files_and_what_loads_them() -> None:
    names = [f"{number}.csv" for number in range(7)]
    state = seen().model_copy(update={"files": Files(known=9, new=["a.csv"], changed=names)})
    new, changed = judged(state, LIMITS).findings
    assert new.what == "1 of 9 event files is new: a.csv."
    assert changed.what == (
        "7 of 9 event files have changed since they were loaded: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more."
    )
    assert {new.level, changed.level} == {"warning"}
    assert "`new_event_files`" in new.do
    assert "`cx run --first A --last B`" in new.do
