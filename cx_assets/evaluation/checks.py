"""The laws of the evaluation stage, and the gate before publishing.

Belongs here: what must hold of judged lists, metrics and comparisons, whatever the data. Does not belong here: column
types, nulls and keys, which every table is checked for (`table.checks`).
"""

import dagster as dg
import pandas as pd

from cx_assets.evaluation.beyond_accuracy import BEYOND_METRICS
from cx_assets.evaluation.boards import board_k
from cx_assets.evaluation.config import EvaluationSettings
from cx_assets.evaluation.metrics import ACCURACY_METRICS
from cx_assets.evaluation.narrative import BASELINE, ENOUGH_CUSTOMERS, PUBLISHED
from cx_assets.recommendations.catalogue import recommenders
from cx_assets.table import Table, law, sql, table_check

REBUILD = "Materialize judged_lists, metrics and comparisons again, in this order, from the same events."
ROUNDING = 1e-9
GATE_LISTS = ("both", "discovery")
STOPS = (
    "Nothing is published; the report of this run is draft_report.html in the data folder. A young or small shop may "
    "have too few events to tell its customers apart: load more days, or run with CX_WEAK_LISTS=publish to publish all "
    "the same."
)


@table_check(asset="judged_lists", blocking=True)
def judged_lists_are_possible(judged_lists: Table, items: Table) -> dg.AssetCheckResult:
    """A list holds only recommendable items, none twice, each marked as taken or not, no more taken than there are."""
    broken = sql(
        """
        select j.recommender, j.list, j.customer_id, len(j.items) as items, len(j.hits) as hits, j.relevant
        from judged_lists j
        where len(j.items) <> len(j.hits)
            or len(list_distinct(j.items)) <> len(j.items)
            or len(list_filter(j.hits, h -> h)) > j.relevant
            or j.relevant < 1
        union all
        select s.recommender, s.list, s.customer_id, 1 as items, 1 as hits, s.relevant
        from (select recommender, list, customer_id, relevant, unnest(items) as item_id from judged_lists) s
        anti join (select item_id from items where recommendable) r on r.item_id = s.item_id
        """,
        judged_lists=judged_lists,
        items=items,
    )
    return law(broken, judged_lists.count(), "judged lists can't be", REBUILD)


@table_check(asset="judged_lists", blocking=True)
def judged_lists_tell_the_truth(judged_lists: Table, events: Table) -> dg.AssetCheckResult:
    """An item is marked as taken if, and only if, an event of the horizon says so, and stands in a list it belongs in.

    In a repeat list the customer has had it before the as-of date, in a discovery list not. Looked up in the events
    again for the published recommender and the baseline.
    """
    broken = sql(
        f"""
        with purchases as (select count(*) as n from events where event_type = 'purchase'),
        shown as (
            select recommender, list, customer_id, as_of, horizon_days, unnest(items) as item_id, unnest(hits) as hit
            from judged_lists
            where recommender in ('{PUBLISHED}', '{BASELINE}')
        ),
        bounds as (select max(as_of) as as_of, max(horizon_days) as horizon_days from judged_lists),
        known as (
            select e.customer_id, e.item_id,
                bool_or(e.day < b.as_of) as had_before,
                bool_or(
                    e.day >= b.as_of and e.day < b.as_of + to_days(b.horizon_days)
                    and (e.event_type = 'purchase' or p.n = 0)
                ) as taken
            from events e cross join bounds b cross join purchases p
            where e.customer_id in (select customer_id from shown)
            group by e.customer_id, e.item_id
        )
        select s.recommender, s.list, s.customer_id, s.item_id, s.hit, k.taken, k.had_before
        from shown s
        left join known k on k.customer_id = s.customer_id and k.item_id = s.item_id
        where s.hit <> coalesce(k.taken, false)
            or (s.list = 'repeat' and not coalesce(k.had_before, false))
            or (s.list = 'discovery' and coalesce(k.had_before, false))
        """,
        judged_lists=judged_lists,
        events=events,
    )
    return law(broken, judged_lists.count(), "shown items of judged lists contradict the events", REBUILD)


@table_check(asset="metrics", blocking=True)
def metrics_are_possible(metrics: Table) -> dg.AssetCheckResult:
    """Every figure is finite and lies within its interval; all but novelty within 0 and 1; novelty isn't negative."""
    broken = sql(
        f"""
        select * from metrics
        where not coalesce(
            isfinite("value") and isfinite(ci_low) and isfinite(ci_high)
            and ci_low <= "value" + {ROUNDING} and "value" <= ci_high + {ROUNDING}
            and ci_low >= 0 and (metric = 'novelty' or ci_high <= 1 + {ROUNDING})
            and customers >= 1,
            false
        )
        """,
        metrics=metrics,
    )
    return law(broken, metrics.count(), "figures can't be", REBUILD)


@table_check(asset="metrics", blocking=True)
def metrics_are_complete(
    metrics: Table, judged_lists: Table, evaluation_settings: EvaluationSettings
) -> dg.AssetCheckResult:
    """Every recommender, list, metric and k is there exactly once, the published recommender and baselines among them.

    Novelty alone may be missing, where a recommender shows nothing at all.
    """
    names = pd.DataFrame({"metric": [*ACCURACY_METRICS, *BEYOND_METRICS]})
    required = pd.DataFrame({"recommender": [one.name for one in recommenders()]})
    lengths = pd.DataFrame({"k": evaluation_settings.list_lengths})
    expected = sql(
        """
        with judged as (
            select recommender, list, max(len(items)) as longest from judged_lists group by recommender, list
        ),
        lists as (select distinct list from judged),
        wanted as (
            select recommender, list, longest from judged
            union
            select r.recommender, l.list, 0 as longest
            from required r cross join lists l
            anti join judged j on j.recommender = r.recommender and j.list = l.list
        )
        select w.recommender, w.list, n.metric, k.k, (n.metric = 'novelty' and w.longest = 0) as optional
        from wanted w cross join names n cross join lengths k
        """,
        judged_lists=judged_lists,
        lengths=lengths,
        names=names,
        required=required,
    )
    broken = sql(
        """
        with found as (
            select recommender, list, metric, k, count(*) as times from metrics where cohort = 'all' group by all
        )
        select
            coalesce(e.recommender, f.recommender) as recommender, coalesce(e.list, f.list) as list,
            coalesce(e.metric, f.metric) as metric, coalesce(e.k, f.k) as k, coalesce(f.times, 0) as times
        from expected e
        full join found f
            on f.recommender = e.recommender and f.list = e.list and f.metric = e.metric and f.k = e.k
        where (f.times is null and not e.optional) or f.times > 1 or e.recommender is null
        """,
        expected=expected,
        metrics=metrics,
    )
    return law(broken, expected.count(), "figures are missing, doubled or of an unknown kind", REBUILD)


@table_check(asset="metrics", blocking=True)
def metrics_agree_with_each_other(metrics: Table) -> dg.AssetCheckResult:
    """What follows from the definitions holds between the figures of a recommender, list and k.

    F1 is at most the harmonic mean of precision and recall (the mean of harmonic means is at most that of the means).
    The first hit is somewhere in the first k when there's a hit: hit rate / k <= MRR <= hit rate. Hits are at least one
    and at most k where there are any: precision <= hit rate <= k * precision. And a longer list finds no less.
    """
    broken = sql(
        f"""
        with wide as (
            select recommender, list, k,
                max("value") filter (where metric = 'precision') as p,
                max("value") filter (where metric = 'recall') as r,
                max("value") filter (where metric = 'f1') as f1,
                max("value") filter (where metric = 'mrr') as mrr,
                max("value") filter (where metric = 'hit_rate') as hit_rate
            from metrics
            group by recommender, list, k
        ),
        grown as (
            select *,
                lag(r) over shorter as shorter_r, lag(hit_rate) over shorter as shorter_hit_rate,
                lag(p * k) over shorter as shorter_hits
            from wide
            window shorter as (partition by recommender, list order by k)
        )
        select * from grown
        where f1 > coalesce(2 * p * r / nullif(p + r, 0), 0) + {ROUNDING}
            or mrr > hit_rate + {ROUNDING} or mrr < hit_rate / k - {ROUNDING}
            or p > hit_rate + {ROUNDING} or hit_rate > k * p + {ROUNDING} or r > hit_rate + {ROUNDING}
            or r < shorter_r - {ROUNDING} or hit_rate < shorter_hit_rate - {ROUNDING} or p * k < shorter_hits -
            {ROUNDING}
        """,
        metrics=metrics,
    )
    return law(broken, metrics.count(), "sets of figures contradict each other", REBUILD)


@table_check(asset="comparisons", blocking=True)
def comparisons_agree_with_metrics(comparisons: Table, metrics: Table) -> dg.AssetCheckResult:
    """A difference is the difference of the two figures, lies within its interval, and has a p-value within 0 and 1."""
    broken = sql(
        f"""
        select c.*, o."value" as ours, t."value" as theirs
        from comparisons c
        left join metrics o
            on o.recommender = c.recommender and o.list = c.list and o.metric = c.metric and o.k = c.k
        left join metrics t
            on t.recommender = c.baseline and t.list = c.list and t.metric = c.metric and t.k = c.k
        where not coalesce(abs(o."value" - t."value" - c.difference) <= {ROUNDING}, false)
            or not coalesce(c.ci_low <= c.difference + {ROUNDING} and c.difference <= c.ci_high + {ROUNDING}, false)
            or not coalesce(c.p_value between 0 and 1, false)
        """,
        comparisons=comparisons,
        metrics=metrics,
    )
    return law(broken, comparisons.count(), "differences contradict the metrics", REBUILD)


# The gate hangs on the report so that a failing model still gets its report: what must not go on is publishing, and
# publishing waits for every blocking check.
@table_check(asset="evaluation_report", blocking=True)
def published_recommender_beats_popularity(
    comparisons: Table, metrics: Table, evaluation_settings: EvaluationSettings
) -> dg.AssetCheckResult:
    """Model gate: the published recommender surely leads popularity in NDCG@10, on both together and on discovery.

    Surely: the lower bound of the paired 95 % interval. With fewer than 30 judged customers nothing can be said, so the
    gate lets pass and warns. Where fewer than 30 took anything again, as where films are rated once, both together is
    not asked: it tells how well repeats are set against discoveries, and the lists that are published are apart. A shop
    that wants lists all the same lets the gate warn (CX_WEAK_LISTS=publish).
    """
    return judge_gate(comparisons.df(), metrics.df(), stops=evaluation_settings.weak_lists == "stop")


def judge_gate(comparisons: pd.DataFrame, metrics: pd.DataFrame, *, stops: bool = True) -> dg.AssetCheckResult:
    """The verdict of `published_recommender_beats_popularity` on the rows of both tables."""
    k = board_k(metrics)
    judged = metrics.loc[(metrics["metric"] == "ndcg") & (metrics["k"] == k)].groupby("list")["customers"].max()
    repeats = int(judged.get("repeat", 0)) >= ENOUGH_CUSTOMERS
    asked = [which for which in GATE_LISTS if repeats or which != "both"]
    told = [which for which in asked if int(judged.get(which, 0)) >= ENOUGH_CUSTOMERS]
    untold = [f"{which}: {int(judged.get(which, 0))}" for which in asked if which not in told]
    leads = comparisons.loc[
        (comparisons["recommender"] == PUBLISHED)
        & (comparisons["baseline"] == BASELINE)
        & (comparisons["metric"] == "ndcg")
        & (comparisons["k"] == k)
    ].set_index("list")
    # A list without a comparison has no lower bound above 0 either.
    lower = leads["ci_low"].reindex(told).astype(float)
    evidence = ["list", "difference", "ci_low", "ci_high", "customers"]
    broken = leads.reindex(told).loc[~(lower > 0)].reset_index()[evidence]
    if untold and broken.empty:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=(
                f"Too few customers were judged to say whether {PUBLISHED} beats {BASELINE} "
                f"(judged, {', '.join(untold)}; needed: {ENOUGH_CUSTOMERS}). Publishing goes on; read the report with "
                "that in mind."
            ),
            metadata={f"judged_{which}": int(judged.get(which, 0)) for which in asked},
        )
    return law(
        broken,
        len(asked),
        f"lists have no sure lead of {PUBLISHED} over {BASELINE} in NDCG@{k}{_leads_told(broken)}",
        STOPS if stops else "They are published all the same, as CX_WEAK_LISTS says.",
        severity=dg.AssetCheckSeverity.ERROR if stops else dg.AssetCheckSeverity.WARN,
        metadata={f"lead_{which}": float(leads["difference"].get(which, 0.0)) for which in told},
    )


def _leads_told(broken: pd.DataFrame) -> str:
    """Each list's lead in words."""
    told = [
        f"{row.list} {row.difference:+.4f} (95% interval {row.ci_low:+.4f} to {row.ci_high:+.4f})"
        for row in broken.dropna().itertuples()
    ]
    return f": {', '.join(told)}" if told else ""
