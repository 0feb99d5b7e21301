"""Customers who were delivered twice: the keys that they share, and tables with the ids that remain.

Belongs here: which customer told which key, and renaming. Does not: comparing the keys' spellings
(`ingestion.merge_keys`), who is merged into whom (`duplicates`), or bringing stored days of events up to date
(`renaming`).

Nothing is lost by a merge: raw tables keep the delivered ids, and an event keeps its own beside the one that counts.
Taking a rule out of the manifest and running again brings the old state back.
"""

from collections.abc import Iterable

from cx_assets.ingestion.merge_keys import column_of
from cx_assets.sections import Attribute
from cx_assets.table import Table, sql
from cx_assets.table.schema import quoted
from cx_assets.warehouse.masters import typed_value

# Of an id that was delivered twice the first row counts.
_FIRST_TOLD = """
    first_told as (
        select * exclude (copy) from (
            select
                * replace (trim(customer_id) as customer_id),
                row_number() over (partition by trim(customer_id) order by source_file, source_row) as copy
            from raw_customers where trim(customer_id) <> ''
        ) where copy = 1
    )
"""


def told_keys(raw_customers: Table, names: Iterable[str]) -> Table:
    """Which customer was delivered with which key: customer_id, key_kind, key; of an id that comes twice the first row.

    Args:
        raw_customers: as delivered, with a column of numbers per key.
        names: of the keys; without any, no row.
    """
    parts = [
        f"select customer_id, '{name}' as key_kind, {quoted(column_of(name))} as key from first_told "
        f"where {quoted(column_of(name))} is not null"
        for name in names
    ]
    nothing = "select customer_id, '' as key_kind, 0 as key from first_told where false"
    return sql(
        f"""
        with {_FIRST_TOLD}
        {" union all ".join([*parts, nothing])}
        """,
        raw_customers=raw_customers,
    )


def crowded_keys(told: Table, at_most: int) -> Table:
    """Keys that too many customers share to merge anybody: key_kind, key, customers, three of them."""
    return sql(
        f"""
        select
            key_kind, key, count(distinct customer_id) as customers,
            array_to_string(list_sort(list(distinct customer_id))[:3], ', ') as some
        from told group by key_kind, key having count(distinct customer_id) > {at_most}
        order by customers desc, key_kind, key
        """,
        told=told,
    )


def renamed(rows: Table, merges: Table) -> Table:
    """Rows with the customer's id that counts in place of the delivered one."""
    return sql(
        """
        select rows.* replace (coalesce(merged_into, trim(rows.customer_id)) as customer_id)
        from rows left join merges on merges.customer_id = trim(rows.customer_id)
        """,
        rows=rows,
        merges=merges,
    )


def renamed_events(judged: Table, merges: Table) -> Table:
    """Judged events with the customer's id that counts, and `delivered_customer_id`, null where that is the same."""
    return sql(
        """
        select
            judged.* replace (
                coalesce(merged_into, judged.customer_id) as customer_id,
                case when merged_into is not null then judged.customer_id end as delivered_customer_id
            )
        from judged left join merges on merges.customer_id = judged.customer_id
        """,
        judged=judged,
        merges=merges,
    )


def joined_masters(raw_customers: Table, merges: Table, attributes: dict[str, Attribute]) -> Table:
    """Delivered customers, one row per id that counts.

    An attribute is that of the customer who stays; where it has none that can be read, of the first merged one who has.
    Of an id that comes twice the first row is used.
    """
    readable = {
        quoted(name): f"case when {typed_value(name, attribute)} is not null then {quoted(name)} end"
        for name, attribute in attributes.items()
    }
    chosen = "".join(f", arg_min({value}, place) as {name}" for name, value in readable.items())
    return sql(
        f"""
        with {_FIRST_TOLD}, counted as (
            select first_told.*, coalesce(merged_into, first_told.customer_id) as counts
            from first_told left join merges on merges.customer_id = first_told.customer_id
        ), placed as (
            select
                *, row_number() over (
                    partition by counts order by customer_id <> counts, length(customer_id), customer_id
                ) as place
            from counted
        )
        select
            counts as customer_id{chosen},
            arg_min(source_file, place) as source_file, arg_min(source_row, place) as source_row
        from placed group by counts
        """,
        raw_customers=raw_customers,
        merges=merges,
    )
