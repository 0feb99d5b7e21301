"""The contract of an event, held against raw events.

Belongs here: typing raw events and giving the reason why one is rejected. Does not: what an event must be (`clauses`)
or what happens to events that keep or break the contract (`events`, `assets`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from cx_assets.dataset import Dataset
from cx_assets.ingestion.times import utc_timestamp
from cx_assets.table import Table, once, sql
from cx_assets.table.schema import literal
from cx_assets.warehouse import links
from cx_assets.warehouse.clauses import LARGEST, Clause, any_broken, event_clauses, first_broken
from cx_assets.warehouse.references import known_ids

_ROW = """row(
    id_given, time_given, customer_id, item_id, event_type, basket_given, quantity_given, value_given, rating_given,
    store_id
)"""
_GIVEN = {"basket_id": "basket_given"}
NONE: Mapping[str, Table] = MappingProxyType({})


def judge(raw_events: Table, dataset: Dataset, masters: Mapping[str, Table] = NONE) -> Table:
    """Every raw event, typed, with `reason`: null where it keeps the contract, else the first clause that it breaks.

    A basket that isn't told is the customer's day. Of an event that is kept, values that are rejected count as missing.
    A row that cancels or returns an event must name one, and say how much, instead of being one.

    Args:
        raw_events: `ingestion.raw_events`, every value text.
        dataset: for its contract.
        masters: the tables that the contract refers to, as delivered: `customers`, `items`.

    Returns:
        One row per raw event: its ids, its typed values, the delivered texts as `*_given`, its source and `reason`.
    """
    judged, kept = _with_reasons(raw_events, dataset, masters), []
    for column, clauses in _by_column(dataset):
        name = _GIVEN.get(column, column)
        kept.append(
            f"case when reason is null and coalesce({any_broken(clauses)}, false) then null else {name} end as {name}"
        )
    if not kept:
        return judged
    return sql(f"select * replace ({', '.join(kept)}) from judged", judged=judged, **known_ids(masters))


def rejected_values(raw_events: Table, dataset: Dataset, masters: Mapping[str, Table] = NONE) -> Table:
    """The values that are rejected of events that are kept, as `warehouse.rejected_values`.

    Args:
        raw_events: as of `judge`.
        dataset: as of `judge`.
        masters: as of `judge`.
    """
    own = " and role is null" if dataset.has_links else ""
    parts = [
        f"select day, 'events', {literal(column)}, case {first_broken(clauses)} end, {_GIVEN.get(column, column)}, "
        f"source_file, source_row from judged where reason is null{own} and ({any_broken(clauses)})"
        for column, clauses in _by_column(dataset)
    ]
    nothing = """
        select
            null::date as day, '' as delivered_as, '' as column_name, '' as reason, '' as value,
            '' as source_file, 0::bigint as source_row
        where false
    """
    judged = _with_reasons(raw_events, dataset, masters)
    return sql(" union all ".join([nothing, *parts]), judged=judged, **known_ids(masters))


def _by_column(dataset: Dataset) -> list[tuple[str, list[Clause]]]:
    """The columns whose broken values are rejected while the event is kept, with the clauses of each."""
    clauses = [clause for clause in event_clauses(dataset) if clause.on_broken == "reject_value"]
    columns = dict.fromkeys(clause.column for clause in clauses)
    return [(column, [clause for clause in clauses if clause.column == column]) for column in columns]


def _with_reasons(raw_events: Table, dataset: Dataset, masters: Mapping[str, Table]) -> Table:
    clauses = [clause for clause in event_clauses(dataset) if clause.on_broken != "reject_value"]
    of_links = links.CLAUSES.format(largest=LARGEST) if dataset.has_links else ""
    reason = f"case {of_links} {first_broken(clause for clause in clauses if clause.asks != 'others')} end"
    judged = sql(
        f"""
        with typed as (
            select
                day,
                occurred_at as time_given, {utc_timestamp("occurred_at", dataset.timezone)} as at_,
                customer_id as customer_given, trim(coalesce(customer_id, '')) as customer_id,
                item_id as item_given, trim(coalesce(item_id, '')) as item_id,
                event_type as type_given, lower(trim(coalesce(event_type, ''))) as event_type,
                nullif(trim(basket_id), '') as basket_given,
                quantity as quantity_given, {_number("quantity", 1, dataset)} as quantity,
                value as value_given, {_number("value", 0, dataset)} as value,
                nullif(trim(rating), '') as rating_given, try_cast(rating as double) as rating,
                nullif(trim(store_id), '') as store_id,
                event_id as id_given,{links.COLUMNS if dataset.has_links else ""}
                source_file, source_row
            from raw_events
        )
        select
            *, cast(null as varchar) as delivered_customer_id,
            {once(reason)} as reason
        from typed
        """,
        raw_events=raw_events,
        **known_ids(masters),
    )
    # What corrects, cancels or returns an event has its id in common with it.
    apart = ", version, role" if dataset.has_links else ""
    return _alone(judged, [clause for clause in clauses if clause.asks == "others"], apart)


def _number(column: str, otherwise: int, dataset: Dataset) -> str:
    """SQL for a delivered number; of an event that is no purchase, as a view, it needn't be told.

    In a file of all that customers do, what isn't bought has no price. A manifest that requires the column has it told
    of every event; of a row that returns one, a figure that is missing says something (`links`).
    """
    number, told = f"try_cast({column} as double)", dataset.contract.events.columns.get(column)
    if told is not None and told.required:
        return number
    links_nothing = " and coalesce(returns, '') <> 'true'" if dataset.has_links else ""
    silent = f"coalesce(trim({column}), '') = '' and lower(trim(event_type)) <> 'purchase'{links_nothing}"
    return f"coalesce({number}, case when {silent} then {otherwise} end)"


def _alone(judged: Table, clauses: list[Clause], apart: str) -> Table:
    """Of different events of a day that share what is to be unique the first by file and row is kept."""
    for clause in clauses:
        others = f"partition by day, reason is null, {clause.broken}{apart} order by source_file, source_row"
        judged = sql(
            f"""
            select * replace (
                case when reason is null and {clause.broken} is not null and {_ROW}
                        is distinct from first_value({_ROW}) over ({others})
                    then {literal(clause.reason)} else reason end as reason
            )
            from judged
            """,
            judged=judged,
        )
    return judged
