"""Customers, items and campaigns: master data typed, made unique, and completed by whom and what events name.

Belongs here: the SQL that does it. Does not: what is put in for missing attributes (`missing`).
"""

from cx_assets.ingestion.times import utc_timestamp
from cx_assets.sections import Attribute
from cx_assets.table import Table, sql
from cx_assets.table.schema import quoted


def known_customers(raw_customers: Table, events: Table, attributes: dict[str, Attribute]) -> Table:
    """Every customer of the master data or of an event, attributes typed and still missing where they are."""
    return _known(raw_customers, events, "customer_id", {name: typed_value(name, a) for name, a in attributes.items()})


def known_items(raw_items: Table, events: Table, attributes: dict[str, Attribute]) -> Table:
    """Every item of the master data or of an event; one that only events name is called by its id."""
    columns = {
        "name": "nullif(trim(name), '')",
        "category": "nullif(trim(category), '')",
        "recommendable": "try_cast(recommendable as boolean)",
        **{name: typed_value(name, attribute) for name, attribute in attributes.items()},
    }
    known = _known(raw_items, events, "item_id", columns)
    return sql(
        """
        select
            * replace (
                coalesce(name, item_id) as name, coalesce(category, 'unknown') as category,
                coalesce(recommendable, not in_master) as recommendable
            )
        from known order by item_id
        """,
        known=known,
    )


def typed_value(name: str, attribute: Attribute) -> str:
    """SQL for an attribute of the declared type, null where it is blank or of another type."""
    return f"try_cast(nullif(trim({quoted(name)}), '') as {attribute.type})"


def _known(raw: Table, events: Table, key: str, columns: dict[str, str]) -> Table:
    typed = "".join(f", {expression} as {quoted(name)}" for name, expression in columns.items())
    chosen = "".join(f", {quoted(name)}" for name in columns)
    return sql(
        f"""
        with told as (
            select
                trim({key}) as {key}{typed},
                row_number() over (partition by trim({key}) order by source_file, source_row) as copy
            from raw where trim({key}) <> ''
        ), first_told as (
            select *, true as told from told where copy = 1
        ), acted as (
            select distinct {key}, true as acted from events
        )
        select {key}, coalesce(told, false) as in_master, coalesce(acted, false) as has_events{chosen}
        from first_told full join acted using ({key}) order by {key}
        """,
        raw=raw,
        events=events,
    )


def typed_campaigns(raw_campaigns: Table) -> Table:
    """One row per campaign whose id and days can be read; the first delivered one where an id comes twice."""
    return sql(
        f"""
        with typed as (
            select
                trim(campaign_id) as campaign_id, coalesce(nullif(trim(campaign_type), ''), 'unknown') as campaign_type,
                cast({utc_timestamp("starts_on")} as date) as starts_on,
                cast({utc_timestamp("ends_on")} as date) as ends_on,
                source_file, source_row
            from raw_campaigns where trim(campaign_id) <> ''
        ), readable as (
            select *, row_number() over (partition by campaign_id order by source_file, source_row) as copy
            from typed where starts_on <= ends_on and isfinite(starts_on) and isfinite(ends_on)
        )
        select campaign_id, campaign_type, starts_on, ends_on from readable where copy = 1 order by campaign_id
        """,
        raw_campaigns=raw_campaigns,
    )


def typed_targets(raw_campaign_targets: Table) -> Table:
    """One row per campaign and customer that it was meant for."""
    return sql(
        """
        select distinct trim(campaign_id) as campaign_id, trim(customer_id) as customer_id
        from raw_campaign_targets where trim(campaign_id) <> '' and trim(customer_id) <> ''
        order by campaign_id, customer_id
        """,
        raw_campaign_targets=raw_campaign_targets,
    )


def typed_responses(raw_campaign_responses: Table) -> Table:
    """One row per response whose campaign, customer and time can be read; equal rows are folded and counted."""
    return sql(
        f"""
        with typed as (
            select
                trim(campaign_id) as campaign_id, trim(customer_id) as customer_id,
                {utc_timestamp("responded_at")} as responded_at, nullif(trim(detail), '') as detail
            from raw_campaign_responses
        )
        select campaign_id, customer_id, responded_at, detail, count(*) as copies
        from typed where campaign_id <> '' and customer_id <> '' and isfinite(responded_at)
        group by all order by campaign_id, customer_id, responded_at, detail
        """,
        raw_campaign_responses=raw_campaign_responses,
    )
