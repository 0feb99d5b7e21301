"""The queries behind what the backtest's page tells of the ranker, as its readers can run them.

Belongs here: which rows a figure is made of, as text. Does not: who recommends best (`backtest_queries`), or running
them (`backtest_evidence`).
"""

from __future__ import annotations

from cx_assets.evaluation.rejudged import BY_CATEGORY, K
from cx_assets.table.schema import literal

CUSTOMERS, PLACES = 10, 3
"""How many customers are shown, and how many places of each of their lists."""

CALIBRATION = """
select list, bin, predicted, taken, ci_low, ci_high, places,
    sum(places * abs(predicted - taken)) over of_list / sum(places) over of_list as expected_error,
    sum(places * predicted) over of_list / sum(places) over of_list as all_predicted,
    sum(places * taken) over of_list / sum(places) over of_list as all_taken
from evaluation.calibration
window of_list as (partition by list)
order by list, bin
""".strip()

SOURCES = """
select c.list, c.name,
    max(c."value") filter (c.measure = 'candidates') as candidates,
    max(c."value") filter (c.measure = 'recall') as recall,
    max(c.ci_low) filter (c.measure = 'recall') as recall_low,
    max(c.ci_high) filter (c.measure = 'recall') as recall_high,
    max(c."value") filter (c.measure = 'lost') as lost,
    max(a."value") as added, max(a.ci_low) as added_low, max(a.ci_high) as added_high
from evaluation.ranker_study c
left join evaluation.ranker_study a
    on a.kind = 'ablation' and a.list = c.list and a.measure = 'added' and a.name = 'source: ' || c.name
where c.kind = 'candidates'
group by c.list, c.name
order by c.list, count(*) filter (c.measure = 'lost') desc, recall desc, c.name
""".strip()

PARTS = """
select name, measure,
    max("value") filter (list = 'both') as "both", max(ci_low) filter (list = 'both') as both_low,
    max(ci_high) filter (list = 'both') as both_high,
    max("value") filter (list = 'repeat') as repeat, max(ci_low) filter (list = 'repeat') as repeat_low,
    max(ci_high) filter (list = 'repeat') as repeat_high,
    max("value") filter (list = 'discovery') as discovery, max(ci_low) filter (list = 'discovery') as discovery_low,
    max(ci_high) filter (list = 'discovery') as discovery_high
from evaluation.ranker_study
where kind = 'ablation' and name not like 'source: %'
group by name, measure
order by measure desc, name like 'features: %', "both" desc, name
""".strip()

SEARCH = """
select trial, bool_or(chosen) as chosen, max(first_test_day) as first_test_day, max(cuts) as cuts,
    max(ndcg) filter (list = 'both') as "both", max(ndcg) filter (list = 'repeat') as repeat,
    max(ndcg) filter (list = 'discovery') as discovery
from evaluation.search_trials, (select count(distinct as_of) as cuts from evaluation.search_trials)
where as_of is null
group by trial
order by coalesce("both", 0) + coalesce(discovery, 0) desc, trial
""".strip()

CUSTOMERS_LISTS = f"""
with counted as (
    select customer_id, count(*) as baskets from warehouse.baskets
    where customer_id in (select customer_id from recommendations.recommendations) group by customer_id
), divided as (
    select *, ntile({CUSTOMERS}) over (order by baskets, customer_id) as part from counted
), middle as (
    select *, row_number() over (partition by part order by baskets, customer_id) as place,
        count(*) over (partition by part) as size
    from divided
)
select m.part, m.customer_id, m.baskets, r.list, r.rank, coalesce(i.name, r.item_id) as item, r.recommender, r.reason
from middle m
join recommendations.recommendations r on r.customer_id = m.customer_id and r.rank <= {PLACES}
left join warehouse.items i on i.item_id = r.item_id
where m.place = (m.size + 1) // 2
order by m.part, r.list desc, r.rank
""".strip()
"""Of each tenth of the customers by their number of baskets the middle one."""


def categories(which: str) -> str:
    """Figures of lists as lists of categories, the best NDCG first."""
    return f"""
select recommender,
    max("value") filter (metric = 'ndcg') as ndcg, max(ci_low) filter (metric = 'ndcg') as ci_low,
    max(ci_high) filter (metric = 'ndcg') as ci_high,
    max("value") filter (metric = 'precision') as precision, max("value") filter (metric = 'recall') as recall,
    max("value") filter (metric = 'hit_rate') as hit_rate, max(customers) as customers
from evaluation.backtest_metrics
where protocol = 'horizon' and as_of is null and cohort = {literal(BY_CATEGORY)} and list = {literal(which)} and k = {K}
group by recommender
order by ndcg desc, recommender
""".strip()
