"""The laws of the segments stage.

Belongs here: what must hold between customers, their features, their segments and the segments' profiles. Does not:
column types, nulls and keys, which every table is checked for (`table.checks`).
"""

import dagster as dg

from cx_assets.segments.assets import MINIMUM_SHARE
from cx_assets.segments.features import FEATURES
from cx_assets.segments.kmeans import minimum_size
from cx_assets.table import Table, law, sql, table_check

REBUILD = (
    "Materialize customer_features, customer_segments and segment_profiles again, in this order, from the same events."
)
STABLE = 0.75


@table_check(asset="customer_features", blocking=True)
def customer_features_are_finite(customer_features: Table) -> dg.AssetCheckResult:
    """Every figure is finite and not negative; shares aren't negative, add up to 1 and each has a category."""
    wrong = " or ".join(f"not isfinite(cast({f} as double)) or {f} < 0" for f in FEATURES)
    broken = sql(
        f"""
        select * from customer_features
        where {wrong}
            or len(share_categories) <> len(share_values)
            or list_min(share_values) < 0
            or not abs(coalesce(list_sum(share_values), 0) - 1) <= 1e-6
        """,
        customer_features=customer_features,
    )
    return law(broken, customer_features.count(), "customers have figures that can't be", REBUILD)


@table_check(asset="customer_features", blocking=True)
def customer_features_cover_customers_with_events(customer_features: Table, events: Table) -> dg.AssetCheckResult:
    """A customer has features if, and only if, there is an event of theirs."""
    broken = sql(
        """
        with acting as (
            select distinct customer_id from events
        )
        select
            coalesce(acting.customer_id, customer_features.customer_id) as customer_id,
            acting.customer_id is not null as has_events,
            customer_features.customer_id is not null as has_features
        from acting full join customer_features on acting.customer_id = customer_features.customer_id
        where acting.customer_id is null or customer_features.customer_id is null
        order by 1
        """,
        customer_features=customer_features,
        events=events,
    )
    return law(broken, customer_features.count(), "customers have features without events, or the reverse", REBUILD)


@table_check(asset="customer_features", blocking=True)
def monetary_adds_up_to_the_value_of_events(customer_features: Table, events: Table) -> dg.AssetCheckResult:
    """Each customer's monetary value is the value of their purchases (of all events, where there are no purchases)."""
    broken = sql(
        """
        with spent as (
            select customer_id, sum(value) as value from events
            where event_type = 'purchase' or not exists (select 1 from events where event_type = 'purchase')
            group by customer_id
        )
        select customer_id, monetary, coalesce(spent.value, 0) as value_of_events
        from customer_features left join spent using (customer_id)
        where not abs(monetary - coalesce(spent.value, 0)) <= 0.01 + 1e-6 * coalesce(spent.value, 0)
        order by customer_id
        """,
        customer_features=customer_features,
        events=events,
    )
    what = "customers have a monetary value other than that of their events"
    return law(broken, customer_features.count(), what, REBUILD)


@table_check(asset="customer_segments", blocking=True)
def every_customer_has_one_segment(customer_segments: Table, customers: Table) -> dg.AssetCheckResult:
    """Every customer of `customers` has exactly one row, and nobody else has one."""
    broken = sql(
        """
        with rows as (
            select customer_id, count(*) as rows from customer_segments group by customer_id
        )
        select
            coalesce(customers.customer_id, rows.customer_id) as customer_id,
            customers.customer_id is not null as is_customer,
            coalesce(rows.rows, 0) as rows
        from customers full join rows on customers.customer_id = rows.customer_id
        where customers.customer_id is null or rows.customer_id is null or rows.rows > 1
        order by 1
        """,
        customer_segments=customer_segments,
        customers=customers,
    )
    return law(broken, customers.count(), "customers don't have exactly one segment", REBUILD)


@table_check(asset="customer_segments", blocking=True)
def scores_are_fifths(customer_segments: Table) -> dg.AssetCheckResult:
    """Scores are 1 to 5 and spelt out in `rfm`; without history, and only then, they are 0 and the segment is -1."""
    broken = sql(
        """
        with judged as (
            select
                *,
                case when segment_id = -1 then 0 else 1 end as lowest,
                case when segment_id = -1 then 0 else 5 end as highest
            from customer_segments
        )
        select customer_id, recency_score, frequency_score, monetary_score, rfm, segment_id, segment from judged
        where not (recency_score between lowest and highest)
            or not (frequency_score between lowest and highest)
            or not (monetary_score between lowest and highest)
            or rfm <> recency_score || '-' || frequency_score || '-' || monetary_score
            or not (certainty between 0 and 1)
            or (segment_id = -1) <> (segment = 'no history')
        order by customer_id
        """,
        customer_segments=customer_segments,
    )
    return law(broken, customer_segments.count(), "customers have scores that can't be", REBUILD)


@table_check(asset="customer_segments", blocking=True)
def segments_are_large_enough(customer_segments: Table) -> dg.AssetCheckResult:
    """A segment has at least 3 % of the customers with history, unless it is the only one."""
    sizes = sql(
        """
        select segment_id, any_value(segment) as segment, count(*) as customers
        from customer_segments where segment_id <> -1
        group by segment_id order by segment_id
        """,
        customer_segments=customer_segments,
    ).df()
    minimum = minimum_size(int(sizes["customers"].sum()), MINIMUM_SHARE)
    broken = sizes[(sizes["customers"] < minimum) & (len(sizes) > 1)]
    advice = "Try fewer segments: lower `most` in the configuration of customer_segments."
    return law(broken, len(sizes), f"segments have fewer than {minimum:,} customers", advice)


@table_check(asset="customer_segments", blocking=False)
def segments_are_stable(customer_segments: Table) -> dg.AssetCheckResult:
    """Customers of every segment fall into it in at least three of four bootstrap samples, on average."""
    sizes = sql(
        """
        select segment_id, segment, avg(certainty) as certainty, count(*) as customers
        from customer_segments group by segment_id, segment order by segment_id
        """,
        customer_segments=customer_segments,
    ).df()
    broken = sizes[~(sizes["certainty"] >= STABLE)]
    advice = (
        "Another sample of customers would give other segments here: don't build on the difference. See the evidence."
    )
    return law(broken, len(sizes), "segments are unstable", advice, severity=dg.AssetCheckSeverity.WARN)


@table_check(asset="segment_profiles", blocking=True)
def profiles_cover_the_segments(segment_profiles: Table, customer_segments: Table) -> dg.AssetCheckResult:
    """Every segment that a customer has is profiled, by its name and size, and no other is; names are unique."""
    broken = sql(
        """
        with sizes as (
            select segment_id, segment, count(*) as customers from customer_segments group by segment_id, segment
        ),
        names as (
            select segment from segment_profiles group by segment having count(*) > 1
        )
        select
            coalesce(sizes.segment_id, p.segment_id) as segment_id,
            sizes.segment as segment,
            p.segment as profiled_as,
            sizes.customers as customers,
            p.customers as profiled_customers
        from sizes full join segment_profiles p
            on sizes.segment_id = p.segment_id and sizes.segment = p.segment and sizes.customers = p.customers
        where p.segment_id is null or sizes.segment_id is null or p.segment in (select segment from names)
        order by 1
        """,
        segment_profiles=segment_profiles,
        customer_segments=customer_segments,
    )
    return law(broken, segment_profiles.count(), "profiles and segments don't match", REBUILD)


@table_check(asset="segment_profiles", blocking=True)
def profiles_add_up(segment_profiles: Table, customer_segments: Table, customer_features: Table) -> dg.AssetCheckResult:
    """Customers and value of the profiles add up to those of all customers, and the shares to 1."""
    totals = sql(
        """
        with profiled as (
            select
                coalesce(sum(customers), 0) as customers,
                coalesce(sum(value), 0) as value,
                coalesce(sum(share_of_customers), 0) as share_of_customers,
                coalesce(sum(share_of_value), 0) as share_of_value
            from segment_profiles
        ),
        wanted as (
            select
                (select count(*) from customer_segments) as customers,
                (select coalesce(sum(monetary), 0) from customer_features) as value
        )
        select 'customers' as figure, profiled.customers as profiles, wanted.customers as all_customers
        from profiled, wanted
        union all select 'value', profiled.value, wanted.value from profiled, wanted
        union all select 'share_of_customers', profiled.share_of_customers,
            case when wanted.customers > 0 then 1 else 0 end from profiled, wanted
        union all select 'share_of_value', profiled.share_of_value,
            case when wanted.value > 0 then 1 else 0 end from profiled, wanted
        """,
        segment_profiles=segment_profiles,
        customer_segments=customer_segments,
        customer_features=customer_features,
    )
    broken = sql(
        "select * from totals where not abs(profiles - all_customers) <= 1e-6 * greatest(1, all_customers)",
        totals=totals,
    )
    return law(broken, 4, "totals of the profiles differ from those of the customers", REBUILD)
