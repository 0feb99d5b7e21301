"""What became of every delivered row of customers, items and campaigns, counted.

Belongs here: the counts. Does not: the law that they add up (`master_checks`) or counts of events
(`reconciliation`).
"""

from cx_assets.dataset import Dataset
from cx_assets.table import Table, sql
from cx_assets.warehouse.master_contract import KEYS

PARTS = ("kept", "folded", "dropped", "rejected")
"""What a delivered row becomes: folded is one that is merged into another or equal to it, dropped one that lacks what a
missing-value policy `drop` asks for."""


def master_counts(
    dataset: Dataset, table: str, delivered: Table, stored: Table, rejected_rows: Table, customer_merges: Table
) -> Table:
    """One row: `raw`, and how many of them became what: `kept, folded, dropped, rejected`.

    Args:
        dataset: for its policies.
        table: `customers`, `items`, `campaigns`, `campaign_targets` or `campaign_responses`.
        delivered: its raw table.
        stored: its table in the warehouse.
        rejected_rows: `warehouse.rejected_rows`.
        customer_merges: `warehouse.customer_merges`.
    """
    return sql(
        f"""
        with refused as (select source_file, source_row from rejected_rows where delivered_as = '{table}'),
        told as (select * from delivered anti join refused using (source_file, source_row))
        select
            (select count(*) from delivered) as raw, {_KEPT.get(table, "(select count(*) from stored)")} as kept,
            {_FOLDED[table]} as folded, {_dropped(dataset, table)} as dropped,
            (select count(*) from refused) as rejected
        """,
        delivered=delivered,
        stored=stored,
        rejected_rows=rejected_rows,
        customer_merges=customer_merges,
    )


_IN_MASTER = "(select count(*) from stored where in_master)"
_KEPT = {"customers": _IN_MASTER, "items": _IN_MASTER}
# Rows with one id that aren't equal are not counted, so that one of them that was not rejected shows.
_REPEATED = """(
    (select count(*) from told) - (select count(*) from (select distinct * exclude (source_file, source_row) from told))
)"""
_FOLDED = {
    "customers": f"{_REPEATED} + (select count(*) from customer_merges)",
    "items": _REPEATED,
    "campaigns": _REPEATED,
    "campaign_targets": """(
        select count(*) - count(distinct (trim(campaign_id), coalesce(merged_into, trim(told.customer_id))))
        from told left join customer_merges m on m.customer_id = trim(told.customer_id)
    )""",
    "campaign_responses": "(select coalesce(sum(copies - 1), 0) from stored)",
}


def _dropped(dataset: Dataset, table: str) -> str:
    attributes = {"customers": dataset.customer_attributes(), "items": dataset.item_attributes()}.get(table, {})
    if not any(attribute.missing.policy == "drop" for attribute in attributes.values()):
        return "0"
    key = KEYS[table]
    merged = " and id not in (select customer_id from customer_merges)" if table == "customers" else ""
    return (
        f"(select count(*) from (select distinct trim({key}) as id from told) "
        f"where id not in (select {key} from stored where in_master){merged})"
    )
