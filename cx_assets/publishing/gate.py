"""The gate before publishing: every blocking check passed, on the rows that are there now.

A check vouches for its table and for all tables that it compares it with: a new day of events without customers made
anew from it isn't published. What counts is its last verdict. That another run plans the check, because it waits for
its turn, was refused or broke down before it wrote, takes nothing away from rows that are as they were.

Belongs here: asking Dagster's history. Does not: the checks. A failed blocking check stops what follows in its own run
only; the gate is what makes it hold for the next run, and for a run of publishing alone.
"""

from collections.abc import Iterable

import dagster as dg


def blocking(checks: Iterable[dg.AssetChecksDefinition]) -> list[dg.AssetCheckSpec]:
    """Those of `checks` that are the gate."""
    return [spec for check in checks for spec in check.check_specs if spec.blocking]


def unmet(instance: dg.DagsterInstance, gate: Iterable[dg.AssetCheckSpec]) -> list[str]:
    """The blocking checks that don't vouch for the present rows, each with why.

    Args:
        instance: whose history is asked.
        gate: the checks.

    Returns:
        One sentence per check that failed, then per check that never came to a verdict, or did before a table that it
        reads was last materialized.
    """
    failed, reasons = [], []
    specs = sorted(gate, key=lambda check: check.key)
    records = instance.event_log_storage.get_asset_check_summary_records([spec.key for spec in specs])
    materialized_at: dict[dg.AssetKey, float | None] = {}

    def at(asset: dg.AssetKey) -> float | None:
        if asset not in materialized_at:
            event = instance.get_latest_materialization_event(asset)
            materialized_at[asset] = event.timestamp if event else None
        return materialized_at[asset]

    for spec in specs:
        key, found = spec.key, records[spec.key]
        name = f"{key.asset_key.to_user_string()}: {key.name}"
        record = found.last_completed_check_execution_record
        if at(key.asset_key) is None:
            reasons.append(f"{name}: the table was never materialized")
        elif record is None or record.event is None or record.event.dagster_event is None:
            reasons.append(f"{name}: {'did not finish' if found.last_check_execution_record else 'never ran'}")
        elif newer := [asset for asset in _read_by(spec) if (at(asset) or 0.0) > record.event.timestamp]:
            tables = "the table" if newer[0] == key.asset_key else newer[0].to_user_string()
            reasons.append(f"{name}: ran before {tables} was last materialized")
        else:
            verdict = record.event.dagster_event.asset_check_evaluation_data
            if not verdict.passed and verdict.severity is dg.AssetCheckSeverity.ERROR:
                failed.append(f"{name}: {verdict.description}")
    return [*failed, *reasons]


def _read_by(spec: dg.AssetCheckSpec) -> list[dg.AssetKey]:
    """The table of a check, then the others that it reads."""
    return [spec.asset_key, *sorted(dep.asset_key for dep in spec.additional_deps)]
