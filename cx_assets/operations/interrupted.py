"""Ending runs that no process works on any more, so that no other run waits for them.

Belongs here: the sensor that ends them. Does not: how they are known (`runs`). Dagster notices a run's process that is
killed, but never one that went down together with the server that had launched it, as when the machine does: its queue
would count the run as at work for ever.
"""

from datetime import UTC, datetime

import dagster as dg

from cx_assets.operations.runs import latest_runs
from cx_assets.settings import Settings

SAID = "Interrupted: no process works on this run any more. Every table is whole, old or new."


def interrupted_runs(settings: Settings) -> dg.SensorDefinition:
    """The sensor that ends them, once a minute."""

    @dg.sensor(
        name="interrupted_runs",
        minimum_interval_seconds=60,
        description="Ends runs whose process is gone, as after a crash of the machine: others would wait for them.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        """Marks them as failed, which `failed_runs` then tells."""
        now = datetime.now(UTC)
        gone = [run.run_id for run in latest_runs(context.instance, settings, now) if run.state == "interrupted"]
        for run_id in gone:
            if run := context.instance.get_run_by_id(run_id):
                context.instance.report_run_failed(run, SAID)
        return dg.SkipReason(f"Ended: {', '.join(gone)}." if gone else "No run is interrupted.")

    return sensor
