"""The gate before publishing: every blocking check passed, on the rows that are there now.

Belongs here: asking Dagster's history. Does not: the checks. A failed blocking check stops what follows in its own run
only; the gate is what makes it hold for the next run, and for a run of publishing alone.
"""

from collections.abc import Iterable

import dagster as dg


def unmet(instance: dg.DagsterInstance, blocking: Iterable[dg.AssetCheckKey]) -> list[str]:
    """The blocking checks that don't vouch for the present rows, each with why.

    Args:
        instance: whose history is asked.
        blocking: the keys of the checks.

    Returns:
        One sentence per check that failed, never ran, or ran before its table was last materialized.
    """
    reasons = []
    for key in sorted(blocking):
        name = f"{key.asset_key.to_user_string()}: {key.name}"
        materialized = instance.get_latest_materialization_event(key.asset_key)
        record = instance.get_latest_asset_check_evaluation_record(key)
        if materialized is None:
            reasons.append(f"{name}: the table was never materialized")
        elif record is None or record.event is None or record.event.dagster_event is None:
            reasons.append(f"{name}: never ran")
        elif record.status.value == "PLANNED":
            reasons.append(f"{name}: did not finish")
        elif record.event.timestamp < materialized.timestamp:
            reasons.append(f"{name}: ran before the table was last materialized")
        else:
            verdict = record.event.dagster_event.asset_check_evaluation_data
            if not verdict.passed and verdict.severity is dg.AssetCheckSeverity.ERROR:
                reasons.append(f"{name}: {verdict.description}")
    return reasons
