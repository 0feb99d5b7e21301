"""The contract of an event, as one SQL query.

Belongs here: what an event must be, and the reason that is given when it isn't. Does not: what happens to events that
keep or break the contract (`assets`).
"""

from cx_assets.dataset import Dataset
from cx_assets.ingestion.times import local_day, utc_timestamp
from cx_assets.table import Table, sql

LARGEST = 10**12


def judge(raw_events: Table, dataset: Dataset) -> Table:
    """Every raw event, typed, with `reason`: null where it keeps the contract, else the first clause that it breaks.

    The contract: a customer and an item that are not empty; a time that parses, lies within the dataset's days and not
    in the future; a known event type; a quantity above 0; a value not negative; neither above a million million, where
    sums would lose their cents; a rating inside the declared scale, given where the event is a rating. A basket that
    isn't told is the customer's day.

    Args:
        raw_events: `ingestion.raw_events`, every value text.
        dataset: for its days and its scale of ratings.

    Returns:
        One row per raw event: its ids, its typed values, the delivered texts as `*_given`, its source and `reason`.
    """
    low, high = dataset.rating_scale or (None, None)
    scale = (
        f"rating_given is not null and (rating is null or not rating between {low} and {high})"
        if dataset.rating_scale
        else "rating_given is not null"
    )
    scale_text = (
        f"rating outside the scale {low:g} to {high:g}" if dataset.rating_scale else "rating without a declared scale"
    )
    types = ", ".join(f"'{name}'" for name in dataset.known_event_types())
    day = local_day("at_", dataset.timezone)
    last = "" if dataset.last_day is None else f" or {day} > date '{dataset.last_day}'"
    return sql(
        f"""
        with typed as (
            select
                day,
                occurred_at as time_given, {utc_timestamp("occurred_at", dataset.timezone)} as at_,
                customer_id as customer_given, trim(coalesce(customer_id, '')) as customer_id,
                item_id as item_given, trim(coalesce(item_id, '')) as item_id,
                event_type as type_given, lower(trim(coalesce(event_type, ''))) as event_type,
                nullif(trim(basket_id), '') as basket_given,
                quantity as quantity_given, try_cast(quantity as double) as quantity,
                value as value_given, try_cast(value as double) as value,
                nullif(trim(rating), '') as rating_given, try_cast(rating as double) as rating,
                nullif(trim(store_id), '') as store_id,
                event_id as id_given,
                source_file, source_row
            from raw_events
        )
        select
            *,
            cast(null as varchar) as delivered_customer_id,
            case
                when customer_id = '' then 'missing customer_id'
                when item_id = '' then 'missing item_id'
                when coalesce(trim(time_given), '') = '' then 'missing time'
                when at_ is null or not isfinite(at_) then 'time does not parse'
                when at_ > cast(current_timestamp as timestamp) then 'time in the future'
                when {day} < date '{dataset.first_day}'{last} then 'time outside the dataset''s days'
                when event_type not in ({types}) then 'unknown event type'
                when quantity is null or not isfinite(quantity) then 'quantity is not a number'
                when quantity <= 0 then 'quantity not above 0'
                when quantity > {LARGEST} then 'quantity too large'
                when value is null or not isfinite(value) then 'value is not a number'
                when value < 0 then 'value below 0'
                when value > {LARGEST} then 'value too large'
                when event_type = 'rating' and rating_given is null then 'rating event without a rating'
                when {scale} then '{scale_text}'
            end as reason
        from typed
        """,
        raw_events=raw_events,
    )
