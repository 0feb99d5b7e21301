"""What a run tells machines: a JSON object per line, with keys that stay.

Belongs here: which of Dagster's events become a line, and what it says. Does not: when they happen, or where Dagster
keeps them (`cx_assets.history`, which hands them over). Lines hold names, counts and seconds. Of texts the first line
is told, without what stands in single quotes, where errors show values of rows, and without addresses and secrets; the
whole text is in Dagster's own history.
"""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import dagster as dg

from cx_assets.progress import root_cause

KEYS = (
    "time", "level", "run_id", "job", "event", "asset", "check", "partition", "message", "seconds", "rows", "passed",
)  # fmt: skip
"""The keys of every line; null where there is nothing to say."""

RUN_EVENTS = {
    dg.DagsterEventType.RUN_START: "run started",
    dg.DagsterEventType.RUN_SUCCESS: "run succeeded",
    dg.DagsterEventType.RUN_FAILURE: "run failed",
    dg.DagsterEventType.RUN_CANCELED: "run canceled",
}
STEP_EVENTS = {
    dg.DagsterEventType.STEP_START: "step started",
    dg.DagsterEventType.STEP_SUCCESS: "step succeeded",
    dg.DagsterEventType.STEP_FAILURE: "step failed",
    dg.DagsterEventType.STEP_SKIPPED: "step skipped",
    dg.DagsterEventType.ASSET_CHECK_EVALUATION: "check evaluated",
}

SECRET_NAME = re.compile("KEY|SECRET|PASSWORD|TOKEN|DSN", re.IGNORECASE)
SHORTEST_SECRET = 6
HIDDEN = (
    (re.compile(r"(?<!\w)'[^'\n]*'(?!\w)"), "'…'"),
    (re.compile(r"(://[^/\s:@]*):[^@\s]+@"), r"\1:…@"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "…"),
    (re.compile(r"\b(password|passwd|pwd|secret|token)\s*=\s*\S+", re.IGNORECASE), r"\1=…"),
)


def log_file(home: Path, run_id: str) -> Path:
    """Where the lines of a run are, under Dagster's instance folder."""
    return home / "run_logs" / f"{run_id}.jsonl"


def redacted(text: str) -> str:
    """The first line of a text, without values of rows, addresses and secrets."""
    first = text.strip().split("\n", 1)[0]
    for name, value in os.environ.items():
        if SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET:
            first = first.replace(value, "…")
    for pattern, instead in HIDDEN:
        first = pattern.sub(instead, first)
    return first


class RunLog:
    """Turns the events of runs into lines, and writes them.

    Args:
        home: Dagster's instance folder.
        to: `file`, a file per run, or `json`, standard error.
    """

    def __init__(self, home: Path, to: Literal["file", "json"]) -> None:
        self._home = home
        self._to = to
        self._began: dict[str, float] = {}
        self._rows: dict[tuple[str, str | None], int] = {}
        self._partitions: dict[tuple[str, str | None], tuple[str, str]] = {}

    def note(self, entry: dg.EventLogEntry) -> None:
        """Write the line of an event, if it is one to tell of."""
        event = entry.dagster_event
        if event is None:
            self._write(entry, {"event": "log", "message": redacted(entry.user_message)})
        elif event.is_step_materialization:
            self._remember(entry.run_id, event)
        elif event.event_type in RUN_EVENTS:
            self._write(entry, self._of_run(entry, event))
        elif event.event_type in STEP_EVENTS:
            self._write(entry, self._of_step(entry.run_id, event))

    def _remember(self, run_id: str, event: dg.DagsterEvent) -> None:
        """Rows and partitions of a step, which Dagster tells before the step's end and one by one."""
        step = run_id, event.step_key
        made = event.step_materialization_data.materialization
        for key in ("rows_in_run", "dagster/row_count"):
            if key in made.metadata:
                self._rows[step] = int(str(made.metadata[key].value))
        if made.partition:
            first, last = self._partitions.get(step, (made.partition, made.partition))
            self._partitions[step] = min(first, made.partition), max(last, made.partition)

    def _of_run(self, entry: dg.EventLogEntry, event: dg.DagsterEvent) -> dict[str, Any]:
        if event.event_type is dg.DagsterEventType.RUN_START:
            self._began[entry.run_id] = entry.timestamp
        began = None if event.event_type is dg.DagsterEventType.RUN_START else self._began.pop(entry.run_id, None)
        failed = event.event_type is dg.DagsterEventType.RUN_FAILURE
        return {
            "event": RUN_EVENTS[event.event_type],
            "message": redacted(root_cause(event) if failed else event.message or ""),
            "seconds": None if began is None else round(entry.timestamp - began, 3),
        }

    def _of_step(self, run_id: str, event: dg.DagsterEvent) -> dict[str, Any]:
        line: dict[str, Any] = {"event": STEP_EVENTS[event.event_type], "asset": event.step_key}
        message = event.message or ""
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            verdict = event.asset_check_evaluation_data
            line |= {"asset": verdict.asset_key.to_user_string(), "check": verdict.check_name}
            line |= {"passed": verdict.passed, "partition": verdict.partition}
            message = verdict.description or message
        elif event.is_step_failure:
            message = root_cause(event)
        elif event.is_step_success:
            step = run_id, event.step_key
            line |= {
                "seconds": round(event.step_success_data.duration_ms / 1000, 3),
                "rows": self._rows.pop(step, None),
            }
            first, last = self._partitions.pop(step, (None, None))
            line["partition"] = first if first == last else f"{first}...{last}"
        return {**line, "message": redacted(message)}

    def _write(self, entry: dg.EventLogEntry, line: dict[str, Any]) -> None:
        known = {
            "time": datetime.fromtimestamp(entry.timestamp, UTC).isoformat(timespec="milliseconds"),
            "level": logging.getLevelName(entry.level),
            "run_id": entry.run_id,
            "job": entry.job_name,
            "asset": entry.step_key,
            **line,
        }
        text = json.dumps({key: known.get(key) for key in KEYS}, ensure_ascii=False)
        if self._to == "json":
            sys.stderr.write(text + "\n")
            return
        path = log_file(self._home, entry.run_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
