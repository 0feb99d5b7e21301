"""Schedules and sensors that fail: what Dagster notes of their last tick.

Belongs here: finding them. Does not: runs that they launched (`runs`), or the verdict (`status`).
"""

from collections.abc import Iterator

import dagster as dg

from cx_assets.operations.status import Finding
from cx_assets.progress import innermost


def failing(instance: dg.DagsterInstance) -> Iterator[Finding]:
    """One finding for each schedule and sensor that is on and failed when it was last asked: it does nothing so."""
    for state in sorted(instance.all_instigator_state(), key=lambda state: state.instigator_name):
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1) if state.is_running else []
        if ticks and ticks[0].is_failure:
            why = innermost(ticks[0].error) or "no cause noted"
            yield Finding(
                level="bad",
                what=f"{state.instigator_name} failed when it was last asked: {why}",
                do="Correct the cause: until then it requests nothing.",
            )
