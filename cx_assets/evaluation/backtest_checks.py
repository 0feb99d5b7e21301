"""The laws of backtests: lists that are possible, of their date, and not too good to be true.

Belongs here: what must hold of backtests, whatever the data. Does not: column types, nulls and keys, which every table
is checked for (`table.checks`).
"""

import dagster as dg

from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.table import Table, law, sql, table_check

AGAIN = "Run the backtest of these dates again; if it stays, a recommender is wrong: read its module."
ROUNDING = 1e-9
IMPOSSIBLE = "places of lists can't be"


@table_check(asset="backtest_lists", blocking=True)
def backtest_lists_are_possible(backtest_lists: Table, items: Table) -> dg.AssetCheckResult:
    """Ranks go from 1 without a gap, scores never rise, no item stands twice, and all may be recommended."""
    return law(impossible_places(backtest_lists, items, "as_of, "), backtest_lists.count(), IMPOSSIBLE, AGAIN)


@table_check(asset="last_basket_lists", blocking=True)
def last_basket_lists_are_possible(last_basket_lists: Table, items: Table) -> dg.AssetCheckResult:
    """Ranks go from 1 without a gap, scores never rise, no item stands twice, and all may be recommended."""
    return law(impossible_places(last_basket_lists, items), last_basket_lists.count(), IMPOSSIBLE, AGAIN)


def impossible_places(lists: Table, items: Table, date: str = "") -> Table:
    """Places that no list can have; `date` names the column, and its comma, that tells lists of two dates apart."""
    return sql(
        f"""
        with placed as (
            select *, lag(score) over list_order as score_before, lag(rank) over list_order as rank_before
            from lists
            window list_order as (partition by {date}recommender, list, customer_id order by rank)
        )
        select {date}p.recommender, p.list, p.customer_id, p.rank, p.item_id
        from placed p
        left join items i on i.item_id = p.item_id
        where p.rank <> coalesce(p.rank_before, 0) + 1 or p.score > p.score_before
            or not coalesce(i.recommendable, false)
        union all
        select {date}recommender, list, customer_id, min(rank), item_id
        from lists group by {date}recommender, list, customer_id, item_id having count(*) > 1
        """,
        lists=lists,
        items=items,
    )


@table_check(asset="backtest_lists", blocking=True)
def backtest_lists_are_of_their_date(backtest_lists: Table, events: Table) -> dg.AssetCheckResult:
    """A repeat has been had before the as-of date, a discovery has not, and who has a list has a history."""
    broken = sql(
        """
        with firsts as (
            select customer_id, item_id, min(occurred_at) as first_at from events group by customer_id, item_id
        ), customers as (
            select customer_id, min(first_at) as first_at from firsts group by customer_id
        )
        select b.as_of, b.recommender, b.list, b.customer_id, b.item_id, f.first_at
        from backtest_lists b
        left join firsts f on f.customer_id = b.customer_id and f.item_id = b.item_id
        left join customers c on c.customer_id = b.customer_id
        where (b.list = 'repeat' and not coalesce(f.first_at < b.as_of, false))
            or (b.list = 'discovery' and f.first_at < b.as_of)
            or not coalesce(c.first_at < b.as_of, false)
        """,
        backtest_lists=backtest_lists,
        events=events,
    )
    return law(broken, backtest_lists.count(), "places of backtest lists are not of their as-of date", AGAIN)


@table_check(asset="backtest_metrics", blocking=True)
def no_recommender_is_too_good(backtest_metrics: Table, evaluation_settings: EvaluationSettings) -> dg.AssetCheckResult:
    """What nobody can know isn't foreseen: NDCG on discovery stays below a limit that only a leak passes."""
    limit = evaluation_settings.too_good
    discovery = sql(
        "select * from t where metric = 'ndcg' and list = 'discovery' and cohort = 'all'", t=backtest_metrics
    )
    broken = sql(f"""select protocol, as_of, recommender, k, "value" from t where "value" > {limit}""", t=discovery)
    return law(
        broken,
        discovery.count(),
        f"figures of NDCG on discovery are above {limit:g}",
        "Look for events at or after the as-of date in what the recommender was given. If your customers really are "
        "that predictable, raise evaluation_settings.too_good.",
    )


@table_check(asset="backtest_metrics", blocking=True)
def backtest_metrics_are_possible(backtest_metrics: Table) -> dg.AssetCheckResult:
    """Every figure is finite and lies within its interval, and every key is there once."""
    broken = sql(
        f"""
        select protocol, as_of, recommender, list, metric, k, cohort, "value", ci_low, ci_high, count(*) over (
            partition by protocol, as_of, recommender, list, metric, k, cohort
        ) as times
        from backtest_metrics
        qualify times > 1 or not coalesce(
            isfinite("value") and ci_low <= "value" + {ROUNDING} and "value" <= ci_high + {ROUNDING}
            and customers >= 1, false
        )
        """,
        backtest_metrics=backtest_metrics,
    )
    return law(broken, backtest_metrics.count(), "figures of backtests can't be", AGAIN)


@table_check(asset="backtest_comparisons", blocking=True)
def backtest_comparisons_agree_with_metrics(
    backtest_comparisons: Table, backtest_metrics: Table
) -> dg.AssetCheckResult:
    """A difference is the difference of the two figures over all dates; p-values lie within 0 and 1, Holm's above."""
    broken = sql(
        f"""
        with overall as (select * from backtest_metrics where as_of is null and cohort = 'all')
        select c.*, o."value" as ours, t."value" as theirs
        from backtest_comparisons c
        left join overall o on o.protocol = c.protocol and o.recommender = c.recommender and o.list = c.list
            and o.metric = c.metric and o.k = c.k
        left join overall t on t.protocol = c.protocol and t.recommender = c.baseline and t.list = c.list
            and t.metric = c.metric and t.k = c.k
        where (
                -- On fewer dates than others are, two are compared on those alone.
                c.dates = (select max(dates) from backtest_comparisons m where m.protocol = c.protocol)
                and not coalesce(abs(o."value" - t."value" - c.difference) <= {ROUNDING}, false)
            )
            or not coalesce(c.p_value between 0 and 1 and c.p_holm between c.p_value and 1, false)
            or c.dates_ahead > c.dates
        """,
        backtest_comparisons=backtest_comparisons,
        backtest_metrics=backtest_metrics,
    )
    return law(broken, backtest_comparisons.count(), "differences contradict the figures of backtests", AGAIN)
