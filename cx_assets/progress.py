"""What a person sees in the terminal while a run works: stage by stage, what runs, rows and seconds.

Belongs here: listening to a run's events and printing them. Does not: starting runs (`cli`).
"""

import logging
import re
from dataclasses import dataclass
from typing import Any

import dagster as dg
from rich.console import Console
from rich.markup import escape

STAGES = (
    "ingestion", "warehouse", "drift", "matrices", "similarity", "segments", "rules",
    "recommendations", "evaluation", "publishing", "operations",
)  # fmt: skip

WRAPPING = re.compile("Dagster|(Sensor|Schedule)ExecutionError")
"""The names of errors that Dagster puts round those of our code."""


@dataclass
class StepRecord:
    """What is known of one step when it has ended."""

    name: str
    stage: str
    seconds: float
    rows: int | None
    ok: bool
    check: bool


class Progress(logging.Handler):
    """Prints one line per asset, and per check that has something to say; remembers all steps.

    Attributes:
        steps: what has ended, in order.
        errors: why it failed, one text per failed step.
        warnings: checks that found something without stopping the run.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(logging.DEBUG)
        self.console = console
        self.steps: list[StepRecord] = []
        self.errors: list[str] = []
        self.warnings = 0
        self._stages: dict[str, str] = {}
        self._checks: set[str] = set()
        self._rows: dict[str, int] = {}
        self._verdicts: dict[str, str] = {}
        self._stage = ""

    def expect(self, assets: dict[str, str], checks: dict[str, str]) -> None:
        """Be told the stage of every step to come, by step key."""
        self._stages = {**assets, **checks}
        self._checks = set(checks)

    def __hash__(self) -> int:
        return id(self)

    def logger(self) -> dg.LoggerDefinition:
        """This handler as a logger that a Dagster job can be given, in place of its console."""

        def progress(_: dg.InitLoggerContext) -> logging.Logger:
            logger = logging.Logger("cx_assets.progress", logging.DEBUG)
            logger.addHandler(self)
            return logger

        return dg.LoggerDefinition(progress, description="Stage by stage, for a person at a terminal.")

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of one of Dagster's log records."""
        event: dg.DagsterEvent | None = getattr(record, "dagster_event", None)
        if event is None:
            return
        if event.is_failure and event.step_key is None and not self.errors:
            self.errors.append(root_cause(event))  # before the first step: the warehouse was busy
        elif event.step_key is not None:
            self._note(event, event.step_key)

    def _note(self, event: dg.DagsterEvent, step: str) -> None:
        if event.is_step_start:
            self._start(step)
        elif event.is_step_materialization:
            self._note_rows(step, event.step_materialization_data.materialization.metadata)
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._judge(event.asset_check_evaluation_data, step)
        elif event.is_step_success:
            self._end(step, event.step_success_data.duration_ms / 1000, ok=True)
        elif event.is_step_failure:
            self.errors.append(self._verdicts.get(step) or f"{step}: {root_cause(event)}")
            self._end(step, 0.0, ok=False)

    def _judge(self, verdict: dg.AssetCheckEvaluation, step: str) -> None:
        if verdict.passed:
            return
        mild = verdict.severity is dg.AssetCheckSeverity.WARN
        text = f"{verdict.asset_key.to_user_string()}: {verdict.check_name}: {verdict.description}"
        if mild:
            self.warnings += 1
        else:
            self._verdicts[step] = text
        self.console.print(f"  [{'yellow' if mild else 'red'}]{escape(text)}[/]", highlight=False, soft_wrap=True)

    def _start(self, step: str) -> None:
        stage = self._stages.get(step, "")
        if stage != self._stage and step not in self._checks:
            self._stage = stage
            self.console.print(f"[bold]{stage}[/]")
        if self.console.is_terminal and step not in self._checks:
            self.console.print(f"  {step} …", end="\r", highlight=False)

    def _note_rows(self, step: str, metadata: Any) -> None:
        for key in ("rows_in_run", "dagster/row_count"):
            if key in metadata:
                self._rows[step] = int(metadata[key].value)
                return

    def _end(self, step: str, seconds: float, *, ok: bool) -> None:
        rows = self._rows.get(step)
        self.steps.append(StepRecord(step, self._stages.get(step, ""), seconds, rows, ok, step in self._checks))
        if not ok:
            self.console.print(f"  [red]{step} failed[/]", highlight=False)
        elif step not in self._checks:
            shown = f"{rows:>12,} rows" if rows is not None else ""
            self.console.print(f"  {step:<26}{shown:<18}{seconds:>7.1f} s", highlight=False)

    @property
    def assets_done(self) -> list[StepRecord]:
        """The assets that were materialized."""
        return [step for step in self.steps if step.ok and not step.check]

    @property
    def checks_done(self) -> int:
        """How many checks ran."""
        return sum(step.ok and step.check for step in self.steps)

    def stage_seconds(self) -> dict[str, float]:
        """Seconds per stage, its checks included, in the order of the flow."""
        totals = {
            stage: sum(step.seconds for step in self.steps if step.stage == stage)
            for stage in STAGES
            if any(step.stage == stage for step in self.steps)
        }
        return {stage: round(seconds, 2) for stage, seconds in totals.items()}


def root_cause(event: dg.DagsterEvent) -> str:
    """What went wrong in a failed step, or in a run that failed outside its steps, without the stack."""
    # Of a run that was ended from outside, as one that was killed, Dagster notes no error.
    noted = event.step_failure_data if event.is_step_failure else event.event_specific_data
    return innermost(getattr(noted, "error", None)) or str(event.message)


def innermost(error: Any) -> str:
    """What our code raised, without the stack; nothing of no error.

    Dagster wraps it; what our code in its turn was raised from is told in its own words.
    """
    while error is not None and error.cause is not None and WRAPPING.match(error.cls_name or ""):
        error = error.cause
    return str(error.message).strip() if error else ""


def cause_of_end(instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEvent) -> str:
    """Why a run failed outside its steps.

    Of a process that was killed, or that could not load the project, what is known is noted just before its end.
    """
    if event.event_specific_data is not None:
        return root_cause(event)
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    notes = [entry.dagster_event for entry in entries if entry.dagster_event]
    wrong = [note for note in notes if note.engine_event_data.error]
    return " ".join(map(root_cause, [event, *(wrong or notes)[-1:]]))
