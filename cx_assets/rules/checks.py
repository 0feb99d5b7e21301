"""The laws of the rules stage.

Belongs here: what must hold of itemsets and rules, found out in SQL, apart from the code that mined them. Does not:
column types, nulls and keys, which every table is checked for (`table.checks`).
"""

import dagster as dg

from cx_assets.rules.config import RuleMining
from cx_assets.table import Table, law, sql, table_check
from cx_assets.table.schema import literal

SAMPLE = 25
TOLERANCE = 1e-9
REMINE = "Materialize frequent_itemsets and rules again, from the present events; if it stays, the mining is wrong."


@table_check(asset="frequent_itemsets", blocking=True)
def itemsets_are_no_more_frequent_than_their_parts(frequent_itemsets: Table) -> dg.AssetCheckResult:
    """Each set less any one of its things is there too, in at least as many baskets of at least as many customers."""
    broken = sql(
        """
        with part as (
            select whole.*, list_filter(whole.itemset, lambda other : other <> left_out.thing) as subset
            from frequent_itemsets as whole, unnest(whole.itemset) as left_out(thing)
            where whole.size > 1
        )
        select part.level, part.itemset, part.subset, part.baskets, part.customers,
            smaller.baskets as subset_baskets, smaller.customers as subset_customers
        from part
        left join frequent_itemsets as smaller on smaller.level = part.level and smaller.itemset = part.subset
        where smaller.baskets is null
           or part.baskets > smaller.baskets
           or part.customers > smaller.customers
           or part.support > smaller.support
        """,
        frequent_itemsets=frequent_itemsets,
    )
    return law(broken, frequent_itemsets.count(), "itemsets are more frequent than a part of them", REMINE)


@table_check(asset="frequent_itemsets", blocking=True)
def itemsets_have_enough_customers(frequent_itemsets: Table, rule_mining: RuleMining) -> dg.AssetCheckResult:
    """Each set has the least number of customers behind it, no more customers than baskets, and a support in 0 to 1."""
    broken = sql(
        f"""
        select * from frequent_itemsets
        where customers < {rule_mining.min_customers} or customers > baskets
           or not (support > 0 and support <= 1) or size <> len(itemset) or level not in ('category', 'item')
        """,
        frequent_itemsets=frequent_itemsets,
    )
    return law(broken, frequent_itemsets.count(), "itemsets have figures that can't be or too few customers", REMINE)


@table_check(asset="rules", blocking=True)
def rules_keep_their_limits(rules: Table, rule_mining: RuleMining) -> dg.AssetCheckResult:
    """Confidence is as high as was asked, q at most the false discovery rate, and enough customers stand behind it."""
    least = " ".join(
        f"when '{level}' then {rule_mining.settings(level).min_confidence}" for level in ("category", "item")
    )
    broken = sql(
        f"""
        select level, antecedent, consequent, confidence, customers, p_value, q_value from rules
        where not (confidence > 0 and confidence <= 1 and confidence >= coalesce(case level {least} end, 2))
           or not coalesce(p_value between 0 and q_value and q_value <= {rule_mining.fdr}, false)
           or customers < {rule_mining.min_customers} or customers > baskets
           or not (isfinite(lift) and isfinite(leverage) and coalesce(isfinite(conviction), confidence = 1))
           or len(consequent) <> 1 or len(antecedent) < 1 or list_contains(antecedent, consequent[1])
        """,
        rules=rules,
    )
    return law(broken, rules.count(), "rules are outside the limits of the resource rule_mining", REMINE)


@table_check(asset="rules", blocking=True)
def rules_say_more_than_shorter_ones(rules: Table, frequent_itemsets: Table) -> dg.AssetCheckResult:
    """No rule has a more general one, kept or not, with at least its confidence; the most general has no antecedent.

    Confidences are compared as products of whole numbers: a / b >= c / d as a d >= c b.
    """
    broken = sql(
        """
        with rule as (
            select r.level, r.antecedent, r.consequent, r.confidence, r.baskets, side.baskets as antecedent_baskets
            from rules as r
            join frequent_itemsets as side on side.level = r.level and side.itemset = r.antecedent
        ), general as (
            select distinct rule.*, part.itemset as shorter, part.baskets as shorter_baskets
            from rule, unnest(rule.antecedent) as opening(thing)
            join frequent_itemsets as part
              on part.level = rule.level and part.itemset[1] = opening.thing
              and len(part.itemset) < len(rule.antecedent) and list_has_all(rule.antecedent, part.itemset)
        ), surpassed as (
            select general.* exclude (shorter_baskets)
            from general
            join frequent_itemsets as joint
              on joint.level = general.level
              and joint.itemset = list_sort(list_concat(general.shorter, general.consequent))
            where joint.baskets * general.antecedent_baskets >= general.baskets * general.shorter_baskets
        )
        select level, antecedent, consequent, confidence, shorter from surpassed
        union all
        select level, antecedent, consequent, confidence, [] from rules where lift <= 1
        """,
        rules=rules,
        frequent_itemsets=frequent_itemsets,
    )
    return law(broken, rules.count(), "rules are redundant: a more general one has at least their confidence", REMINE)


@table_check(asset="rules", blocking=True)
def rules_figures_match_baskets(
    rules: Table, events: Table, items: Table, rule_mining: RuleMining
) -> dg.AssetCheckResult:
    """A sample of rules of each level, always the same, counted again from the baskets' lines, has the same figures."""
    sample = sql(
        f"""
        with numbered as (
            select *, row_number() over (
                partition by level order by md5(level || array_to_string(antecedent || consequent, '|')), antecedent
            ) as place
            from rules
        )
        select * exclude (place), row_number() over (order by level, place) as rule
        from numbered
        where place <= {SAMPLE}
        """,
        rules=rules,
    ).arrow()
    types = ", ".join(literal(name) for name in rule_mining.basket_event_types)
    broken = sql(
        f"""
        with bought as (
            select basket_id, customer_id, item_id from events where event_type in ({types})
        ), total as (
            select count(*) as baskets from (select distinct customer_id, basket_id from bought)
        ), wanted as (
            select rule, level, 'antecedent' as side, len(antecedent) as things, unnest(antecedent) as thing from sample
            union all
            select rule, level, 'consequent', 1, consequent[1] from sample
        ), wanted_thing as (
            select distinct level, thing from wanted
        ), sold as (
            select item_id, 'item' as level, item_id as thing
            from wanted_thing join items on thing = item_id where level = 'item'
            union all
            select item_id, 'category', category
            from wanted_thing join items on thing = category where level = 'category'
        ), line as (
            select distinct basket_id, customer_id, level, thing from bought join sold using (item_id)
        ), held as (
            select rule, side, customer_id, basket_id
            from wanted join line using (level, thing)
            group by rule, side, things, customer_id, basket_id
            having count(*) = things
        ), joint as (
            select rule, count(*) as baskets, count(distinct customer_id) as customers
            from held as a join held as c using (rule, customer_id, basket_id)
            where a.side = 'antecedent' and c.side = 'consequent'
            group by rule
        ), counted as (
            select
                rule,
                count(*) filter (where side = 'antecedent') as antecedent_baskets,
                count(*) filter (where side = 'consequent') as consequent_baskets
            from held group by rule
        ), figures as (
            select
                rule, joint.baskets, joint.customers,
                joint.baskets / total.baskets as support,
                joint.baskets / antecedent_baskets as confidence,
                joint.baskets / antecedent_baskets / (consequent_baskets / total.baskets) as lift,
                joint.baskets / total.baskets
                    - antecedent_baskets / total.baskets * (consequent_baskets / total.baskets) as leverage,
                case when joint.baskets < antecedent_baskets then
                    (1 - consequent_baskets / total.baskets) / (1 - joint.baskets / antecedent_baskets)
                end as conviction
            from joint join counted using (rule), total
        )
        select
            sample.level, sample.antecedent, sample.consequent, sample.baskets, figures.baskets as recounted_baskets,
            sample.customers, figures.customers as recounted_customers, sample.lift, figures.lift as recounted_lift
        from sample left join figures using (rule)
        where sample.baskets is distinct from figures.baskets
           or sample.customers is distinct from figures.customers
           or not coalesce(abs(sample.support - figures.support) <= {TOLERANCE}, false)
           or not coalesce(abs(sample.confidence - figures.confidence) <= {TOLERANCE}, false)
           or not coalesce(abs(sample.lift - figures.lift) <= {TOLERANCE} * figures.lift, false)
           or not coalesce(abs(sample.leverage - figures.leverage) <= {TOLERANCE}, false)
           or (sample.conviction is null) <> (figures.conviction is null)
           or abs(sample.conviction - figures.conviction) > {TOLERANCE} * figures.conviction
        """,
        sample=sample,
        events=events,
        items=items,
    ).df()
    return law(broken, sample.num_rows, "sampled rules differ from what the baskets say", REMINE)
