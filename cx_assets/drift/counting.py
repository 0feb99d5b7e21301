"""What came on each day: rows, missing and distinct values, values never seen before, rows by category.

Belongs here: the SQL that counts, over all delivered events, rejected ones included, so that a column that breaks the
contract is seen as well. Does not: what was to be expected (`bounds`) or how far apart two mixes are (`mix`).
"""

from typing import Final

import pandas as pd

from cx_assets.ingestion.times import UTC, local_time, utc_timestamp
from cx_assets.table import Table, sql

COLUMNS: Final = (
    *("occurred_at", "customer_id", "item_id", "event_type", "basket_id"),
    *("quantity", "value", "rating", "store_id"),
)
IDS: Final = ("customer_id", "item_id", "basket_id")
NUMBERS: Final = ("quantity", "value", "rating")
LABELS: Final = ("event_type", "store_id", "category")
"""Columns with few values, whose new and vanished ones are told by name; the category is the item's."""


_FINITE = "case when isfinite(try_cast({0} as double)) then try_cast({0} as double) end"


def delivered(events: Table, rejected_events: Table, timezone: str = UTC) -> Table:
    """Every delivered event, typed where it can be, in the columns of an event; `copies` counts equal rows.

    A basket that was put in for a missing one, the customer's day, is missing again. `occurred_at` is what the clocks
    of the dataset's zone showed: by UTC a shop's hours would move twice a year.
    """
    return sql(
        f"""
        select
            day, copies, cast(null as varchar) as reason, {local_time("occurred_at", timezone)} as occurred_at,
            customer_id, item_id, event_type,
            nullif(basket_id, customer_id || ':' || strftime(day, '%Y-%m-%d')) as basket_id,
            quantity, value, rating, store_id
        from events
        union all
        select
            day, 1, reason, {local_time(utc_timestamp("occurred_at", timezone), timezone)},
            nullif(trim(customer_id), ''), nullif(trim(item_id), ''),
            nullif(lower(trim(event_type)), ''), nullif(trim(basket_id), ''),
            {", ".join(_FINITE.format(name) for name in NUMBERS)},
            nullif(trim(store_id), '')
        from rejected_events
        """,
        events=events,
        rejected_events=rejected_events,
    )


def daily_figures(rows: Table, items: Table) -> pd.DataFrame:
    """The plain figures of each day.

    Args:
        rows: of `delivered`.
        items: for the categories.

    Returns:
        day, column_name, figure, value, rows (of which the figure tells a share or a middle) and detail. The figures:
        `volume` (rows delivered), `duplicate share`, `rejected share`; by column `null share`, `distinct share`
        (distinct values among those there), `new share` (rows whose value was on no earlier day), `zero share` and
        `middle` (the geometric mean of what is above 0) and `top share` (rows, of those that aren't 0, whose value is
        the most common one).
    """
    parts = [_of_events(rows), *(_distinct(rows, name) for name in ("occurred_at", *NUMBERS))]
    parts += [_new(sql(f"select day, {name} as v from rows", rows=rows), name, ids=True) for name in IDS]
    parts += [_new(labelled(rows, items, name), name, ids=False) for name in LABELS]
    return pd.concat([part.df() for part in parts], ignore_index=True).dropna(subset=["value"])


def daily_categories(rows: Table, items: Table) -> pd.DataFrame:
    """How much of each day falls into each category of a column.

    Of labels and times, customers are counted: what one buys at once is one visit to a store, and rows would make a
    crowd of it. Of numbers, rows are.

    Times fall into three hours of the day, quantities and values other than 0 into half-doublings, a rating is
    its own. What is 0 is left to `zero share`: where most events are views, it would hide what was bought.

    Returns:
        day, column_name, category, count; rows without a value aren't counted.
    """
    grouped = {
        **{name: (labelled(rows, items, name), "v") for name in LABELS},
        "occurred_at": (
            sql("select day, hour(occurred_at) // 3 * 3 as v, customer_id from rows", rows=rows),
            "printf('%02d:00 to %02d:00', v, v + 3)",
        ),
        "rating": (sql("select day, rating as v from rows where rating is not null", rows=rows), "printf('%g', v)"),
        **{name: (_half_doublings(rows, name), _HALF_DOUBLING) for name in ("quantity", "value")},
    }
    # Named after they are counted: a text per row costs more than all the rest.
    counted = [
        sql(
            f"""
            with counted as (
                select day, v, count({"*" if name in NUMBERS else "distinct customer_id"}) as count
                from t where v is not null group by day, v
            )
            select day, '{name}' as column_name, {label} as category, count from counted
            """,
            t=table,
        )
        for name, (table, label) in grouped.items()
    ]
    return pd.concat([table.df() for table in counted], ignore_index=True)


def labelled(rows: Table, items: Table, name: str) -> Table:
    """The values of one of the `LABELS`: day, v, customer_id."""
    if name != "category":
        return sql(f"select day, {name} as v, customer_id from rows", rows=rows)
    return sql(
        "select day, coalesce(category, 'unknown') as v, customer_id from rows left join items using (item_id) "
        "where item_id is not null",
        rows=rows,
        items=items,
    )


_NEGATIVE = -10_000
_HALF_DOUBLING = (
    f"case v when {_NEGATIVE} then 'below 0' else printf('%.3g to %.3g', pow(2, v / 2), pow(2, (v + 1) / 2)) end"
)


def _half_doublings(rows: Table, name: str) -> Table:
    return sql(
        f"""
        select day, cast(case when {name} > 0 then floor(2 * log2({name})) else {_NEGATIVE} end as integer) as v
        from rows where {name} <> 0
        """,
        rows=rows,
    )


def _of_events(rows: Table) -> Table:
    """Volume, duplicates and rejected events of each day, missing values and medians of each column."""
    shares = {
        ("event", "duplicate share"): "1 - count(*) / sum(copies)",
        ("event", "rejected share"): "count(reason) / count(*)",
        **{(name, "null share"): f"1 - count({name}) / count(*)" for name in COLUMNS},
        **{(name, "zero share"): f"count(*) filter ({name} = 0) / nullif(count({name}), 0)" for name in NUMBERS},
    }
    told = [
        ("event", "volume", "sum(copies)", "sum(copies)", "null"),
        *(
            (
                column,
                figure,
                share,
                "count(*)",
                "mode(reason order by reason)" if figure == "rejected share" else "null",
            )
            for (column, figure), share in shares.items()
        ),
        *((name, "middle", _geometric_mean(name), f"count(*) filter ({name} > 0)", "null") for name in NUMBERS),
    ]
    structs = ", ".join(
        f"{{'column_name': '{column}', 'figure': '{figure}', 'value': cast({value} as double), 'rows': {count}, "
        f"'detail': {detail}}}"
        for column, figure, value, count, detail in told
    )
    return sql(
        f"""
        with by_day as (select day, [{structs}] as told from rows group by day)
        select day, unnest(told, recursive := true) from by_day
        """,
        rows=rows,
    )


def _geometric_mean(name: str) -> str:
    """SQL for that of what is above 0; of decimals, since the sum of doubles depends on the order of the rows."""
    logarithms = f"sum(cast(ln(nullif(greatest({name}, 0), 0)) as decimal(38, 12)))"
    return f"exp(cast({logarithms} as double) / nullif(count(*) filter ({name} > 0), 0))"


def _distinct(rows: Table, name: str) -> Table:
    """The share of distinct values, and of numbers also that of the most common one, zeros left out."""
    other = "true" if name == "occurred_at" else f"{name} <> 0"
    top = f"union all select day, '{name}', 'top share', top / told, told, null from by_day"
    return sql(
        f"""
        with seen as (select day, {name}, count(*) as rows from rows where {name} is not null group by day, {name}),
        by_day as (
            select day, count(*) as different, sum(rows) as rows,
                max(rows) filter ({other}) as top, sum(rows) filter ({other}) as told
            from seen group by day
        )
        select day, '{name}' as column_name, 'distinct share' as figure, different / rows as value, rows,
            cast(null as varchar) as detail
        from by_day {"" if name == "occurred_at" else top}
        """,
        rows=rows,
    )


def _new(values: Table, name: str, *, ids: bool) -> Table:
    """The share of rows whose value was on no earlier day; of ids also distinct values, of labels the new ones."""
    new_ones = "array_to_string((list(v order by rows desc, v) filter (new))[:3], ', ')"
    distinct = f"union all select day, '{name}', 'distinct share', distinct_share, rows, null from by_day"
    return sql(
        f"""
        with seen as (select day, v, count(*) as rows from values_ where v is not null group by day, v),
        firsts as (select v, min(day) as day, true as new from seen group by v),
        by_day as (
            select
                day, sum(rows) as rows, count(*) / sum(rows) as distinct_share,
                coalesce(sum(rows) filter (new), 0) / sum(rows) as new_share,
                {"null" if ids else new_ones} as new_ones
            from seen left join firsts using (v, day) group by day
        )
        select
            day, '{name}' as column_name, 'new share' as figure, new_share as value, rows,
            cast(new_ones as varchar) as detail
        from by_day {distinct if ids else ""}
        """,
        values_=values,
    )
