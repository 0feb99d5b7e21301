"""The queries behind every figure of the backtest's page, as its readers can run them on the published database.

Belongs here: which rows a figure is made of, as text. Does not: running them (`backtest_report`) or saying what they
mean (`backtest_narrative`).
"""

from __future__ import annotations

from collections.abc import Sequence

from cx_assets.evaluation.beyond_accuracy import LIST_METRICS
from cx_assets.evaluation.cohorts import COHORTS, K
from cx_assets.evaluation.rejudged import RARE_ITEMS
from cx_assets.table.schema import literal, quoted

# Figures of whole lists are only computed on dates whose horizons don't overlap, so they tell which these are.
_APART = "select distinct as_of from evaluation.backtest_metrics where metric = 'gini'"


def leader_board(protocol: str, which: str, k: int, baseline: str) -> str:
    """NDCG of every recommender over all dates, the best first, and its lead over a baseline."""
    return f"""
select m.recommender, m."value", m.ci_low, m.ci_high, m.customers, c.difference, c.p_holm, c.dates_ahead, c.dates
from evaluation.backtest_metrics m
left join evaluation.backtest_comparisons c
    on c.protocol = m.protocol and c.list = m.list and c.metric = m.metric and c.k = m.k
    and c.recommender = m.recommender and c.baseline = {literal(baseline)}
where {_overall(protocol, which, k)} and m.metric = 'ndcg'
order by m."value" desc, m.recommender
""".strip()


def basket_board(protocol: str, which: str, k: int, baseline: str) -> str:
    """Recall and NDCG of every recommender on baskets, the best NDCG first, and its relative leads over a baseline."""
    return f"""
select m.recommender, any_value(m.customers) as customers,
    max(m."value") filter (m.metric = 'recall') as recall,
    max(c.relative) filter (m.metric = 'recall') as recall_lead,
    max(m."value") filter (m.metric = 'ndcg') as "value",
    max(m.ci_low) filter (m.metric = 'ndcg') as ci_low,
    max(m.ci_high) filter (m.metric = 'ndcg') as ci_high,
    max(c.relative) filter (m.metric = 'ndcg') as ndcg_lead
from evaluation.backtest_metrics m
left join evaluation.backtest_comparisons c
    on c.protocol = m.protocol and c.list = m.list and c.metric = m.metric and c.k = m.k
    and c.recommender = m.recommender and c.baseline = {literal(baseline)}
where {_overall(protocol, which, k)} and m.metric in ('recall', 'ndcg')
group by m.recommender
order by "value" desc, m.recommender
""".strip()


def trend(which: str, k: int, names: Sequence[str]) -> str:
    """NDCG of some recommenders on every as-of date."""
    columns = ",\n    ".join(f'max("value") filter (recommender = {literal(name)}) as {quoted(name)}' for name in names)
    return f"""
select as_of,
    {columns}
from evaluation.backtest_metrics
where protocol = 'horizon' and as_of is not null and cohort = 'all'
    and list = {literal(which)} and metric = 'ndcg' and k = {k}
group by as_of
order by as_of
""".strip()


def cohorts(which: str, names: Sequence[str]) -> str:
    """NDCG of some recommenders by cohort, over all dates: the figure and both ends of its interval.

    Figures by category aren't among them: a category is hit more easily than an item, so they'd stand out for nothing.
    """
    columns = ",\n    ".join(
        f"max({figure}) filter (recommender = {literal(name)}) as {quoted(name + suffix)}"
        for name in names
        for figure, suffix in (('"value"', ""), ("ci_low", "_low"), ("ci_high", "_high"))
    )
    order = ", ".join(map(literal, (*COHORTS, RARE_ITEMS)))
    return f"""
select cohort, max(customers) as customers,
    {columns}
from evaluation.backtest_metrics
where protocol = 'horizon' and as_of is null and list_contains([{order}], cohort)
    and list = {literal(which)} and metric = 'ndcg' and k = {K}
group by cohort
order by list_position([{order}], cohort)
""".strip()


def coverage(which: str, k: int) -> str:
    """Share of the catalogue that anybody is shown, mean over dates, and NDCG over the same dates."""
    return f"""
select m.recommender, avg(c."value") as coverage, any_value(m."value") as ndcg
from evaluation.backtest_metrics m
join evaluation.backtest_metrics c
    on c.protocol = m.protocol and c.recommender = m.recommender and c.list = m.list and c.k = m.k
    and c.metric = 'coverage' and c.cohort = 'all'
    and c.as_of in ({_APART})
where {_overall("horizon", which, k)} and m.metric = 'ndcg'
group by m.recommender
order by ndcg desc, m.recommender
""".strip()


def list_metrics(which: str, k: int) -> str:
    """What lists are like besides right, mean over dates, in the order of the leader board."""
    columns = ",\n    ".join(f'avg(f."value") filter (f.metric = {literal(name)}) as {name}' for name in LIST_METRICS)
    return f"""
select m.recommender,
    {columns}
from evaluation.backtest_metrics m
join evaluation.backtest_metrics f
    on f.protocol = m.protocol and f.recommender = m.recommender and f.list = m.list and f.k = m.k
    and f.cohort = 'all' and f.as_of in ({_APART})
where {_overall("horizon", which, k)} and m.metric = 'ndcg'
group by m.recommender
having count(f.metric) filter (f.metric in ({", ".join(map(literal, LIST_METRICS))})) > 0
order by any_value(m."value") desc, m.recommender
""".strip()


def _overall(protocol: str, which: str, k: int) -> str:
    """The rows over all dates and customers, of the metrics named `m`."""
    return (
        f"m.protocol = {literal(protocol)} and m.list = {literal(which)} and m.k = {k}\n"
        "    and m.as_of is null and m.cohort = 'all'"
    )
