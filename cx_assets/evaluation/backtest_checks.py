"""The laws of backtests: lists that are possible, of their date, and not too good to be true.

Belongs here: what must hold of backtests, whatever the data. Does not: column types, nulls and keys, which every table
is checked for (`table.checks`).
"""

from collections.abc import Callable
from html import escape

import dagster as dg
import pandas as pd

from cx_assets.evaluation.backtest_narrative import overall
from cx_assets.evaluation.backtest_report import FIGURE, page_k, told
from cx_assets.evaluation.boards import BOARD_LISTS
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.narrative import label
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.schema import instant

AGAIN = "Run the backtest of these dates again; if it stays, a recommender is wrong: read its module."
ROUNDING = 1e-9
IMPOSSIBLE = "places of lists can't be"


@table_check(asset="backtest_lists", blocking=True)
def backtest_lists_are_possible(backtest_lists: Table, items: Table) -> dg.AssetCheckResult:
    """Ranks go from 1 without a gap, scores never rise, no item stands twice, and all may be recommended."""
    broken = by_date(backtest_lists, lambda lists: impossible_places(lists, items, "as_of, "))
    return law(broken, backtest_lists.count(), IMPOSSIBLE, AGAIN)


@table_check(asset="last_basket_lists", blocking=True)
def last_basket_lists_are_possible(last_basket_lists: Table, items: Table) -> dg.AssetCheckResult:
    """Ranks go from 1 without a gap, scores never rise, no item stands twice, and all may be recommended."""
    return law(impossible_places(last_basket_lists, items), last_basket_lists.count(), IMPOSSIBLE, AGAIN)


def by_date(lists: Table, broken: Callable[[Table], Table]) -> pd.DataFrame:
    """What is broken of the lists of each as-of date, at most a hundred rows of a date.

    One date after the other: the places of a year of dates are more than the memory of a run.
    """
    dates = [row[0] for row in sql("select distinct as_of from t order by as_of", t=lists).fetchall()]
    found = [
        sql("select * from b limit 100", b=broken(sql(f"select * from t where as_of = {instant(date)}", t=lists))).df()
        for date in dates
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


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
    firsts = sql(
        "select customer_id, item_id, min(day) as first_day from events group by customer_id, item_id",
        events=events,
    ).arrow()

    def misplaced(lists: Table) -> Table:
        return sql(
            """
            with customers as (
                select customer_id, min(first_day) as first_day from firsts group by customer_id
            )
            select b.as_of, b.recommender, b.list, b.customer_id, b.item_id, f.first_day
            from lists b
            left join firsts f on f.customer_id = b.customer_id and f.item_id = b.item_id
            left join customers c on c.customer_id = b.customer_id
            where (b.list = 'repeat' and not coalesce(f.first_day < b.as_of, false))
                or (b.list = 'discovery' and f.first_day < b.as_of)
                or not coalesce(c.first_day < b.as_of, false)
            """,
            lists=lists,
            firsts=firsts,
        )

    broken = by_date(backtest_lists, misplaced)
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


@table_check(asset="backtest_report", blocking=True)
def backtest_report_tells_the_figures(backtest_report: Table, backtest_metrics: Table) -> dg.AssetCheckResult:
    """The page names every recommender that was judged, and every figure of its leader boards is the table's."""
    html = str(sql("select html from t", t=backtest_report).fetchone()[0])
    metrics = backtest_metrics.df()
    k = page_k(metrics)
    wanted = {
        (which, str(row.recommender)): FIGURE.format(row.value)
        for which in BOARD_LISTS
        for row in overall(metrics, which, k).itertuples()
    }
    names = {str(name) for name in metrics["recommender"]}
    printed = told(html)
    broken = [
        {"list": which, "recommender": name, "table": wanted.get((which, name)), "page": printed.get((which, name))}
        for which, name in sorted(wanted.keys() | printed.keys())
        if wanted.get((which, name)) != printed.get((which, name))
    ]
    broken += [
        {"list": "any", "recommender": name, "table": "judged", "page": "not named"}
        for name in sorted(names)
        if escape(label(name)) not in html
    ]
    return law(
        pd.DataFrame(broken),
        len(wanted) + len(names),
        "figures and names of the page differ from the table",
        "Materialize backtest_report again from the same figures; if it stays, templates/backtest.html.j2 is wrong.",
    )
