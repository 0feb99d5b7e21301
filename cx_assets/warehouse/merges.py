"""Customers who were delivered twice: who is merged into whom, and tables with the ids that remain.

Belongs here: finding customers who share a key, joining them up, and renaming. Does not: comparing the keys' spellings
(`ingestion.merge_keys`) or bringing stored days of events up to date (`renaming`).

Nothing is lost by a merge: raw tables keep the delivered ids, and an event keeps its own beside the one that counts.
Taking a rule out of the manifest and running again brings the old state back.
"""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

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

COLUMNS = ["customer_id", "merged_into", "key_kind", "since"]


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


def find_merges(told: pd.DataFrame, at_most: int) -> pd.DataFrame:
    """Who is merged into whom: customers that share a key, and those that share one with them, and so on.

    Of such customers the one with the shortest id stays, of several the alphabetically first: of numbers the smallest.

    Args:
        told: as `told_keys` returns it for the keys that count, in any order.
        at_most: a key that more customers have counts for nobody.

    Returns:
        One row per customer that goes: customer_id, merged_into, and key_kind, the kinds of its keys that it shares;
        ordered by customer_id.
    """
    sharing = told.groupby(["key_kind", "key"])["customer_id"].transform("size")
    links = told[(sharing > 1) & (sharing <= at_most)]
    if links.empty:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS[:3]})
    ids = np.array(sorted(links["customer_id"].unique(), key=lambda name: (len(name), name)), dtype=object)
    people = pd.Index(ids).get_indexer(links["customer_id"])
    keys = links.groupby(["key_kind", "key"], sort=True).ngroup().to_numpy()
    size = len(ids) + int(keys.max()) + 1
    graph = csr_matrix((np.ones(len(links), dtype=np.int8), (people, len(ids) + keys)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(ids)]
    # Ids are in their order, so the first of a component is the one that stays.
    _, first, member = np.unique(component, return_index=True, return_inverse=True)
    kinds = links.groupby("customer_id")["key_kind"].agg(lambda kind: "+".join(sorted(set(kind))))
    merged = pd.DataFrame({"customer_id": ids, "merged_into": ids[first[member]], "key_kind": kinds[ids].to_numpy()})
    return merged[merged["customer_id"] != merged["merged_into"]].sort_values("customer_id").reset_index(drop=True)


def with_since(merges: pd.DataFrame, before: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Merges with the instant since which they stand: that of before for one that stood already, else now."""
    stood = before.set_index(["customer_id", "merged_into"])["since"]
    pairs = pd.MultiIndex.from_frame(merges[["customer_id", "merged_into"]])
    since = stood.reindex(pairs).fillna(pd.Timestamp(now)).to_numpy()
    return merges.assign(since=pd.Series(since, index=merges.index).astype("datetime64[us]"))


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
