"""Delivered rows that are about others: what is corrected, cancelled or returned, and by which row.

Belongs here: finding it from all that was delivered, whatever the order in which it came, and taking it off the events.
Does not: what a row of this kind must tell (`contract`), or days that are made anew (`anew`).

What becomes of a row is a function of all raw events that are stored. Of the deliveries of one event the newest that
keeps the contract stays; of equal versions that whose content has the greater hash. A cancellation takes out what it
names, in all its versions; one that tells a basket and no item takes out all of the basket. Returns take their
quantities off the events that they name, the earliest first; those that would take more than is there take nothing. A
return that tells no value takes the share of the event's own that its quantity is.
"""

from cx_assets.ingestion.times import utc_timestamp
from cx_assets.table import Table, sql
from cx_assets.warehouse.events import CONTENT

COLUMNS = """
                case when cancels = 'true' then 'cancellation' when returns = 'true' then 'return' end as role,
                trim(case
                    when cancels = 'true' then cancelled_event_id when returns = 'true' then returned_event_id
                end) as named_id,
                version,"""
"""What the contract reads of a raw event beside the rest, where rows may be about others."""

CLAUSES = """
                when role is not null and coalesce(
                    named_id = '', customer_id = '' or basket_given is null or (item_id = '' and role = 'return')
                ) then role || ' names nothing'
                when role = 'cancellation' then null
                when role = 'return' and quantity = 0 then 'return of nothing'
                when role = 'return' and (quantity is null or not isfinite(quantity)) then 'quantity is not a number'
                when role = 'return' and abs(quantity) > {largest} then 'quantity too large'
                when role = 'return' and coalesce(not isfinite(value), nullif(trim(value_given), '') is not null)
                    then 'value is not a number'
                when role = 'return' and abs(value) > {largest} then 'value too large'
                when role = 'return' then null"""
"""What a row that cancels or returns must be, before the clauses of an event."""

UNMATCHED = """case role
            when 'cancellation' then 'cancellation names no event'
            when 'return' then 'return of what is not there, or of more than is left'
        end"""


def linked_events(raw_events: Table) -> Table:
    """Of raw events with columns for links those that are about others, those that they name, and repeated ids."""
    return sql(
        """
        with links as (
            select
                trim(case when cancels = 'true' then cancelled_event_id else returned_event_id end) as id,
                trim(basket_id) as basket, trim(item_id) as item
            from raw_events where cancels = 'true' or returns = 'true'
        ), ids as (
            select id from links where id <> ''
            union
            select trim(event_id) from raw_events where version is not null group by trim(event_id) having count(*) > 1
        ), lines as (
            select distinct basket, item from links where id is null
        )
        select * from raw_events
        where cancels = 'true' or returns = 'true' or trim(event_id) in (select id from ids)
            or (trim(basket_id), trim(item_id)) in (select (basket, item) from lines)
            or trim(basket_id) in (select basket from lines where coalesce(item, '') = '')
        """,
        raw_events=raw_events,
    )


def withdrawals(judged: Table, timezone: str) -> Table:
    """What became of rows because of others, as `warehouse.withdrawn_events` has it.

    Args:
        judged: `linked_events`, judged by the contract and under the customers' ids that count.
        timezone: of versions that are times without an offset.
    """
    return sql(
        f"""
        with told as (
            select
                *, {CONTENT} || coalesce(' ' || named_id, '') as content, nullif(trim(id_given), '') as id,
                {{'source_file': source_file, 'source_row': source_row, 'day': day}} as place,
                cast(abs(quantity) as decimal(38, 6)) as pieces, cast(abs(value) as decimal(38, 6)) as worth
            from judged where reason is null
        ), versions as (
            select *, case when version is null or id is null or role = 'cancellation' then 1 else dense_rank() over (
                partition by id, role, version is null
                order by
                    try_cast(version as double) desc nulls last,
                    {utc_timestamp("version", timezone)} desc nulls last,
                    version desc, content desc
            ) end as age
            from told
        ), newest as (
            select id, role, min(place) as place from versions where age = 1 and version is not null group by id, role
        ), once as (
            -- Exact duplicates are one row, told by its first place.
            select
                content, role, min(place) as place, any_value(at_) as at_,
                any_value(pieces) as pieces, any_value(worth) as worth,
                to_json(any_value(named_id)) as named_id, to_json(any_value(id)) as id,
                to_json([any_value(customer_id), any_value(basket_given), any_value(item_id), any_value(event_type)])
                    as line,
                to_json([any_value(customer_id), any_value(basket_given), '', any_value(event_type)]) as basket
            from versions where age = 1 group by content, role
        ), links as (
            select *, case when named_id is null then line else named_id end as names from once where role is not null
        ), lines as (
            select *, unnest([id, line, basket]) as names from once where role is null
        ), cancelled as (
            select lines.content, min(links.place) as place
            from lines join links using (names) where links.role = 'cancellation' group by lines.content
        ), cancelling as (
            select links.content, min(lines.place) as place
            from lines join links using (names) where links.role = 'cancellation' group by links.content
        ), left_over as (
            select *, sum(pieces) over (partition by names order by at_, content rows unbounded preceding) as upto
            from lines anti join cancelled using (content)
        ), stock as (
            select names, sum(pieces) as pieces, min(place) as place from left_over group by names
        ), asked as (
            select *, sum(pieces) over (partition by names order by at_, content rows unbounded preceding) as upto
            from links where role = 'return'
        ), granted as (
            select asked.content, names, asked.pieces, asked.worth, asked.place, stock.place as other
            from asked join stock using (names) where asked.upto <= stock.pieces
        ), returned as (
            select
                names, sum(pieces) as pieces, coalesce(sum(worth), 0) as worth,
                coalesce(sum(pieces) filter (worth is null), 0) as untold, min(place) as place
            from granted group by names
        ), taken as (
            select
                content, left_over.pieces as had, returned.place,
                (returned.worth + untold * left_over.worth / left_over.pieces) / returned.pieces as price,
                least(left_over.pieces, returned.pieces - (upto - left_over.pieces)) as took
            from left_over join returned using (names) where returned.pieces > upto - left_over.pieces
        ), found as (
            select old.place, 'corrected' as outcome, pieces, worth, newest.place as other
            from versions old join newest on newest.id = old.id and newest.role is not distinct from old.role
            where age > 1
            union all
            select now.place, 'cancelled', pieces, worth, cancelled.place
            from versions now join cancelled using (content) where age = 1 and role is null
            union all
            select now.place, 'cancellation', null, null, cancelling.place
            from versions now join cancelling using (content) where role = 'cancellation'
            union all
            select
                now.place, case when took = had then 'returned' else 'reduced' end,
                took, cast(price * cast(took as double) as decimal(38, 6)), taken.place
            from versions now join taken using (content) where age = 1 and role is null
            union all
            select now.place, 'return', now.pieces, now.worth, granted.other
            from versions now join granted using (content) where age = 1 and role = 'return'
        )
        select
            place.day, outcome, cast(pieces as double) as quantity, cast(worth as double) as value,
            place.source_file, place.source_row,
            other.day as other_day, other.source_file as other_file, other.source_row as other_row
        from found order by place
        """,
        judged=judged,
    )


def settled(judged: Table, withdrawn_events: Table) -> Table:
    """Judged events without what was withdrawn, less what was returned of them; links that found nothing are broken.

    Args:
        judged: raw events as `contract.judge` returns them for a dataset with links.
        withdrawn_events: the stored table, of all days or of theirs.
    """
    return sql(
        f"""
        select judged.* replace (
            round(judged.quantity - coalesce(took.quantity, 0), 6) as quantity,
            round(greatest(judged.value - coalesce(took.value, 0), 0), 6) as value,
            coalesce(reason, {UNMATCHED}) as reason
        )
        from judged left join withdrawn_events took using (day, source_file, source_row)
        where outcome is null or outcome = 'reduced'
        """,
        judged=judged,
        withdrawn_events=withdrawn_events,
    )
