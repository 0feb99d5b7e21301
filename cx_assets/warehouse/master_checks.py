"""The laws of customers, items and campaigns: references hold, every delivered row is kept or told why not.

Belongs here: what is asked of master data. Does not: the laws of events and baskets (`checks`).
"""

from typing import NamedTuple

from cx_assets.dataset import Dataset
from cx_assets.table import Table, sql
from cx_assets.table.laws import Judgement, Law, judgement, table_law
from cx_assets.warehouse.master_contract import KEYS, MASTERS, judge_master, master_clauses
from cx_assets.warehouse.master_reconciliation import PARTS, master_counts

NAMED = 3
"""How many reasons are told with a place."""

NEARLY_ALL = 0.9
"""The share of those who act that can't be new ones whose master data are late."""


def master_laws(dataset: Dataset) -> list[Law]:
    """The checks of the stage's master data."""
    checks: list[Law] = []
    for table, key in (("customers", "customer_id"), ("items", "item_id")):
        checks += [_references_hold(table, key), _all_are_known(dataset, table, key)]
    checks += [_belongs_to_a_campaign("campaign_targets"), _belongs_to_a_campaign("campaign_responses")]
    return [*checks, *(_rows_are_read(dataset, table) for table in MASTERS), *(_adds_up(dataset, t) for t in MASTERS)]


def _references_hold(table: str, key: str) -> Law:
    @table_law(
        table,
        blocking=True,
        description=f"Every {key} of an event is a row of warehouse.{table}.",
        tables={"master": table},
    )
    def references_hold(master: Table, events: Table) -> Judgement:
        named = sql(f"select {key}, count(*) as events from events group by {key}", events=events)
        return judgement(
            sql(f"select * from named anti join master using ({key}) order by {key}", named=named, master=master),
            named.count(),
            f"{table} that events name are|is not in warehouse.{table}",
            f"Materialize {table} again; a missing-value policy 'drop' in the manifest also removes rows.",
        )

    return references_hold


def _all_are_known(dataset: Dataset, table: str, key: str) -> Law:
    @table_law(
        table,
        blocking=False,
        description=f"The {table} that have events are in the master data. One that isn't is kept, and counted here.",
        tables={"master": table},
    )
    def master_data_are_complete(master: Table) -> Judgement:
        if getattr(dataset, table) is None:
            return Judgement(passed=True, text=f"The manifest names no file of {table}, so none is missed in it.")
        unknown = sql(f"select {key} from master where not in_master order by {key}", master=master)
        acting = sql("select count(*) filter (has_events) from master", master=master).fetchone()[0]
        wrong = f" Nearly all: see whether {table}.id in the manifest is what events tell of {table}."
        return judgement(
            unknown,
            master.count(),
            f"{table} have|has events and are|is not in the master data",
            "They are kept, with missing attributes filled by policy. Ask for their master data."
            + (wrong if unknown.count() > NEARLY_ALL * acting else ""),
            warns=True,
        )

    return master_data_are_complete


def _belongs_to_a_campaign(table: str) -> Law:
    @table_law(
        table,
        blocking=False,
        description=f"Every row of warehouse.{table} belongs to a campaign of warehouse.campaigns.",
        tables={"rows": table},
    )
    def campaign_is_known(rows: Table, campaigns: Table) -> Judgement:
        return judgement(
            sql("select * from rows anti join campaigns using (campaign_id)", rows=rows, campaigns=campaigns),
            rows.count(),
            f"rows of {table} name|names an unknown campaign",
            "Deliver the campaigns again.",
            warns=True,
        )

    return campaign_is_known


def _rows_are_read(dataset: Dataset, table: str) -> Law:
    contract = getattr(dataset.contract, table) if table in ("customers", "items") else None
    limit = contract.limit if contract else None
    clauses = master_clauses(dataset, table)
    stopping = {clause.reason for clause in clauses if clause.on_broken == "stop"}
    of_rows = [clause.reason for clause in clauses if clause.on_broken != "reject_value"]
    told = "; ".join([*of_rows, *([f"{KEYS[table]} came before"] if table in KEYS else [])])
    things = table.replace("_", " ")

    @table_law(
        f"raw_{table}",
        blocking=limit is not None or bool(stopping),
        description=f"No delivered row of {things} is rejected. It would be for: {told}.",
        tables={"delivered": f"raw_{table}"},
    )
    def rows_are_read(delivered: Table) -> Judgement:
        judged = judge_master(delivered, dataset, table)
        broken = sql("select reason, * exclude (reason) from judged where reason is not null", judged=judged)
        reasons = _by_reason(broken)
        rows = delivered.count()
        stopped_by = [reason for reason in reasons if reason.name in stopping]
        above = bool(reasons) and limit is not None and sum(reason.rows for reason in reasons) / rows > limit
        return judgement(
            broken if reasons else None,
            rows,
            f"delivered {things} are|is rejected",
            _stopped(table, stopped_by) if stopped_by else _too_many(table, reasons) if above else _kept(reasons),
            limit=0 if stopped_by or limit is None else limit,
            warns=not stopped_by and limit is None,
            figures={f"rejected: {reason.name}": reason.rows for reason in reasons},
        )

    return rows_are_read


class _Reason(NamedTuple):
    """Why some rows are rejected, how many, and where the first of them stands."""

    name: str
    rows: int
    file: str
    row: int


def _by_reason(broken: Table) -> list[_Reason]:
    """The reasons of rejected rows, the most frequent first."""
    found = sql(
        """
        with placed as (
            select reason, source_file, source_row,
                row_number() over (partition by reason order by source_file, source_row) as place
            from broken
        )
        select reason, count(*) as rows, max(source_file) filter (place = 1), max(source_row) filter (place = 1)
        from placed group by reason order by rows desc, reason
        """,
        broken=broken,
    )
    return [_Reason(*row) for row in found.fetchall()]


def _told(reasons: list[_Reason]) -> str:
    """The reasons with a place each, the first few of them."""
    told = [
        f"{name}: {rows:,}, {'first ' if rows > 1 else ''}in {file} row {row:,}"
        for name, rows, file, row in reasons[:NAMED]
    ]
    more = f"; and {len(reasons) - NAMED:,} more" if len(reasons) > NAMED else ""
    return "; ".join(told) + more


def _stopped(table: str, reasons: list[_Reason]) -> str:
    # Such a run never comes to warehouse.rejected_rows: the files are all there is to look at.
    change = f"choose another on_broken in contract.{table} of the manifest"
    return f"What stops a run: {_told(reasons)}. Correct them there, or {change}."


def _too_many(table: str, reasons: list[_Reason]) -> str:
    return f"{_told(reasons)}. Correct them there, or raise the limit in contract.{table} of the manifest."


def _kept(reasons: list[_Reason]) -> str:
    where = "Each is in warehouse.rejected_rows with its reason, file and row"
    return f"Reasons: {_told(reasons)}. {where} (`cx rejected` tells them): correct it there."


def _adds_up(dataset: Dataset, table: str) -> Law:
    @table_law(
        table,
        blocking=True,
        description=f"Delivered {table.replace('_', ' ')} = {' + '.join(PARTS)}.",
        tables={"stored": table, "delivered": f"raw_{table}"},
    )
    def nothing_is_lost(stored: Table, delivered: Table, rejected_rows: Table, customer_merges: Table) -> Judgement:
        counts = master_counts(dataset, table, delivered, stored, rejected_rows, customer_merges)
        figures = dict(zip(("raw", *PARTS), counts.fetchone(), strict=True))
        return judgement(
            sql(f"select * from counts where raw <> {' + '.join(PARTS)}", counts=counts),
            1,
            f"tables don't|doesn't add up: delivered {table.replace('_', ' ')} = {' + '.join(PARTS)}",
            f"Materialize raw_{table}, rejected_rows, customer_merges and {table} together.",
            figures={name: int(figure) for name, figure in figures.items()},
        )

    return nothing_is_lost
