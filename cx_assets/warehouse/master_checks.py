"""The laws of customers, items and campaigns: references hold, every delivered row is kept or told why not.

Belongs here: what is asked of master data. Does not: the laws of events and baskets (`checks`).
"""

import dagster as dg
import pandas as pd

from cx_assets.dataset import Dataset
from cx_assets.table import Table, law, sql
from cx_assets.table.asset import POOL
from cx_assets.table.schema import literal
from cx_assets.warehouse.master_contract import KEYS, MASTERS, judge_master, master_clauses
from cx_assets.warehouse.master_reconciliation import PARTS, master_counts


def master_checks(dataset: Dataset) -> list[dg.AssetChecksDefinition]:
    """The checks of the stage's master data."""
    checks: list[dg.AssetChecksDefinition] = []
    for table, key in (("customers", "customer_id"), ("items", "item_id")):
        checks += [_references_hold(table, key), _all_are_known(table, key, table)]
    checks += [_belongs_to_a_campaign("campaign_targets"), _belongs_to_a_campaign("campaign_responses")]
    return [*checks, *(_rows_are_read(dataset, table) for table in MASTERS), *(_adds_up(dataset, t) for t in MASTERS)]


def _references_hold(table: str, key: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="references_hold",
        description=f"Every {key} of an event is a row of warehouse.{table}.",
        additional_ins={"events": dg.AssetIn("events")},
        blocking=True,
        pool=POOL,
    )
    def references_hold(master: Table, events: Table) -> dg.AssetCheckResult:
        named = sql(f"select {key}, count(*) as events from events group by {key}", events=events)
        return law(
            sql(f"select * from named anti join master using ({key}) order by {key}", named=named, master=master),
            named.count(),
            f"{table} that events name are not in warehouse.{table}",
            f"Materialize {table} again; a missing-value policy 'drop' in the manifest also removes rows.",
        )

    return references_hold


def _all_are_known(table: str, key: str, thing: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="master_data_are_complete",
        description=f"The {thing} that have events are in the master data. One that isn't is kept, and counted here.",
        pool=POOL,
    )
    def master_data_are_complete(master: Table) -> dg.AssetCheckResult:
        return law(
            sql(f"select {key} from master where not in_master order by {key}", master=master),
            master.count(),
            f"{thing} have events and are not in the master data",
            "They are kept, with missing attributes filled by policy. Ask for their master data.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return master_data_are_complete


def _belongs_to_a_campaign(table: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="campaign_is_known",
        description=f"Every row of warehouse.{table} belongs to a campaign of warehouse.campaigns.",
        additional_ins={"campaigns": dg.AssetIn("campaigns")},
        pool=POOL,
    )
    def campaign_is_known(rows: Table, campaigns: Table) -> dg.AssetCheckResult:
        return law(
            sql("select * from rows anti join campaigns using (campaign_id)", rows=rows, campaigns=campaigns),
            rows.count(),
            f"rows of {table} name an unknown campaign",
            "Deliver the campaigns again.",
            severity=dg.AssetCheckSeverity.WARN,
        )

    return campaign_is_known


def _rows_are_read(dataset: Dataset, table: str) -> dg.AssetChecksDefinition:
    contract = getattr(dataset.contract, table) if table in ("customers", "items") else None
    limit = contract.limit if contract else None
    clauses = master_clauses(dataset, table)
    stopping = ", ".join(literal(clause.reason) for clause in clauses if clause.on_broken == "stop") or "null"
    of_rows = [clause.reason for clause in clauses if clause.on_broken != "reject_value"]
    told = "; ".join([*of_rows, *([f"{KEYS[table]} came before"] if table in KEYS else [])])
    things = table.replace("_", " ")

    @dg.asset_check(
        asset=f"raw_{table}",
        name="rows_are_read",
        description=f"No delivered row of {things} is rejected. It would be for: {told}.",
        blocking=limit is not None or stopping != "null",
        pool=POOL,
    )
    def rows_are_read(delivered: Table) -> dg.AssetCheckResult:
        judged = judge_master(delivered, dataset, table)
        reasons = sql(
            f"""
            select reason, count(*), coalesce(reason in ({stopping}), false) from judged where reason is not null
            group by reason order by reason
            """,
            judged=judged,
        ).fetchall()
        stops = any(stopping for _, _, stopping in reasons)
        broken = sql("select reason, * exclude (reason) from judged where reason is not null", judged=judged)
        return law(
            broken if reasons else pd.DataFrame(),
            delivered.count(),
            f"delivered {things} are rejected",
            "Each is in warehouse.rejected_rows with its reason, file and row: correct it there.",
            limit=0 if stops or limit is None else limit,
            severity=dg.AssetCheckSeverity.ERROR if stops or limit is not None else dg.AssetCheckSeverity.WARN,
            metadata={f"rejected: {reason}": count for reason, count, _ in reasons},
        )

    return rows_are_read


def _adds_up(dataset: Dataset, table: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="nothing_is_lost",
        description=f"Delivered {table.replace('_', ' ')} = {' + '.join(PARTS)}.",
        additional_ins={
            "delivered": dg.AssetIn(f"raw_{table}"),
            "rejected_rows": dg.AssetIn("rejected_rows"),
            "customer_merges": dg.AssetIn("customer_merges"),
        },
        blocking=True,
        pool=POOL,
    )
    def nothing_is_lost(
        stored: Table, delivered: Table, rejected_rows: Table, customer_merges: Table
    ) -> dg.AssetCheckResult:
        counts = master_counts(dataset, table, delivered, stored, rejected_rows, customer_merges)
        figures = dict(zip(("raw", *PARTS), counts.fetchone(), strict=True))
        return law(
            sql(f"select * from counts where raw <> {' + '.join(PARTS)}", counts=counts),
            1,
            f"tables don't add up: delivered {table.replace('_', ' ')} = {' + '.join(PARTS)}",
            f"Materialize raw_{table}, rejected_rows, customer_merges and {table} together.",
            metadata={name: int(figure) for name, figure in figures.items()},
        )

    return nothing_is_lost
