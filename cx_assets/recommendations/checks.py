"""The laws of the recommendations stage.

Belongs here: what must hold of the published lists, whoever made them. Does not: whether they are any good, which only
later data can tell (`evaluation`).
"""

import dagster as dg

from cx_assets.recommendations.config import BusinessFilters
from cx_assets.recommendations.filling import FALLBACKS
from cx_assets.recommendations.filters import allowed_items
from cx_assets.recommendations.lists import PLACES
from cx_assets.table import Table, law, sql, table_check

REBUILD = "Materialize recommendations again, after all that it reads; if it stays, published_lists is wrong."
MOSTLY_FILLED = 0.5


@table_check(asset="recommendations", blocking=True)
def every_customer_has_complete_lists(
    recommendations: Table, customers: Table, items: Table, interactions: Table, business_filters: BusinessFilters
) -> dg.AssetCheckResult:
    """Every customer has 20 items in each list, or as many as there are: of the catalogue not had, of their own had.

    Of what business filters leave. Where a category may only take some places, lists may be shorter, but none is empty.
    """
    catalogue = items.df()
    allowed = catalogue.loc[allowed_items(catalogue, business_filters.filters())[0], ["item_id"]]
    least = "1" if business_filters.per_category else "wanted"
    broken = sql(
        f"""
        with offered as (select count(*) as items from allowed),
        had as (
            select i.customer_id, count(*) as items
            from interactions i
            join allowed on allowed.item_id = i.item_id
            group by i.customer_id
        ),
        wanted as (
            select c.customer_id, unnest([
                {{'list': 'repeat', 'wanted': least({PLACES}, coalesce(h.items, 0))}},
                {{'list': 'discovery', 'wanted': least({PLACES}, o.items - coalesce(h.items, 0))}},
                {{'list': 'both', 'wanted': least({PLACES}, o.items)}}
            ], recursive := true)
            from customers c
            cross join offered o
            left join had h on h.customer_id = c.customer_id
        ),
        found as (select customer_id, list, count(*) as found from recommendations group by customer_id, list)
        select coalesce(w.customer_id, f.customer_id) as customer_id, coalesce(w.list, f.list) as list, wanted,
            coalesce(found, 0) as found
        from wanted w
        full join found f on f.customer_id = w.customer_id and f.list = w.list
        where w.customer_id is null or coalesce(found, 0) not between least(wanted, {least}) and wanted
        order by customer_id, list
        """,
        recommendations=recommendations,
        customers=customers,
        allowed=allowed,
        interactions=interactions,
    )
    return law(broken, customers.count(), "customers lack places in their lists, or aren't known", REBUILD)


@table_check(asset="recommendations", blocking=True)
def recommendations_hold_no_item_twice(recommendations: Table) -> dg.AssetCheckResult:
    """No customer is offered an item twice, in one list or in both kinds; the composed list repeats what is in them."""
    broken = sql(
        """
        select customer_id, item_id, list = 'both' as composed, count(*) as places
        from recommendations group by all having count(*) > 1 order by customer_id, item_id
        """,
        recommendations=recommendations,
    )
    return law(broken, recommendations.count(), "customers and items are there more than once", REBUILD)


@table_check(asset="recommendations", blocking=True)
def recommendations_are_available(
    recommendations: Table, items: Table, business_filters: BusinessFilters
) -> dg.AssetCheckResult:
    """Every offered item is in the catalogue, may be recommended, and passes the business filters."""
    catalogue = items.df()
    allowed = catalogue.loc[allowed_items(catalogue, business_filters.filters())[0], ["item_id"]]
    broken = sql(
        """
        select r.customer_id, r.list, r.rank, r.item_id
        from recommendations r
        anti join allowed on allowed.item_id = r.item_id
        order by r.customer_id, r.list, r.rank
        """,
        recommendations=recommendations,
        allowed=allowed,
    )
    return law(broken, recommendations.count(), "places offer what may not be recommended", REBUILD)


@table_check(asset="recommendations", blocking=True)
def recommendations_are_in_the_right_list(recommendations: Table, interactions: Table) -> dg.AssetCheckResult:
    """Items of `repeat` were had before, items of `discovery` were not."""
    broken = sql(
        """
        select r.customer_id, r.list, r.rank, r.item_id, i.item_id is not null as had_before
        from recommendations r
        left join interactions i on i.customer_id = r.customer_id and i.item_id = r.item_id
        where case r.list
            when 'repeat' then i.item_id is null when 'discovery' then i.item_id is not null else r.list <> 'both'
        end
        order by r.customer_id, r.list, r.rank
        """,
        recommendations=recommendations,
        interactions=interactions,
    )
    return law(broken, recommendations.count(), "places are in the wrong list", REBUILD)


@table_check(asset="recommendations", blocking=True)
def recommendations_are_in_order(recommendations: Table) -> dg.AssetCheckResult:
    """Within a list ranks run from 1 without a gap, and scores are finite and never rise."""
    broken = sql(
        """
        with places as (
            select customer_id, list, rank, score,
                row_number() over (partition by customer_id, list order by rank) as place,
                lag(score) over (partition by customer_id, list order by rank) as before
            from recommendations
        )
        select * from places
        where rank <> place or not coalesce(isfinite(score), false) or score > before
        order by customer_id, list, rank
        """,
        recommendations=recommendations,
    )
    return law(broken, recommendations.count(), "places have a wrong rank or score", REBUILD)


@table_check(asset="recommendations", blocking=True)
def recommendations_have_reasons(recommendations: Table) -> dg.AssetCheckResult:
    """Every place says what led to it."""
    broken = sql(
        "select customer_id, list, rank, item_id, reason from recommendations where length(trim(reason)) = 0",
        recommendations=recommendations,
    )
    return law(broken, recommendations.count(), "places have no reason", REBUILD)


@table_check(asset="recommendations", blocking=False)
def discovery_is_mostly_personal(recommendations: Table) -> dg.AssetCheckResult:
    """At most half of the places of discovery lists are filled from popularity or the catalogue; the share is shown."""
    fillers = ", ".join(f"'{name}'" for name in FALLBACKS)
    discovery = sql("select * from recommendations where list = 'discovery'", recommendations=recommendations)
    return law(
        sql(f"select customer_id, rank, item_id, recommender from d where recommender in ({fillers})", d=discovery),
        discovery.count(),
        "places of discovery lists are filled",
        "Most customers have too little history for personal lists: load more days, or expect popular items.",
        limit=MOSTLY_FILLED,
        severity=dg.AssetCheckSeverity.WARN,
    )


@table_check(asset="popular_items", blocking=True)
def popular_items_are_available_and_in_order(popular_items: Table, items: Table) -> dg.AssetCheckResult:
    """Every popular item may be recommended, ranks run from 1 without a gap, and customers never rise with the rank."""
    broken = sql(
        """
        with places as (
            select *, row_number() over (partition by segment order by rank) as place,
                lag(customers) over (partition by segment order by rank) as before
            from popular_items
        )
        select p.* from places p
        left join items on items.item_id = p.item_id
        where not coalesce(items.recommendable, false) or p.rank <> p.place or p.customers > p.before
            or p.score not between 0 and 1
        order by p.segment, p.rank
        """,
        popular_items=popular_items,
        items=items,
    )
    return law(broken, popular_items.count(), "popular items are unavailable or out of order", _again("popular_items"))


@table_check(asset="similar_items", blocking=True)
def similar_items_are_available_and_other(similar_items: Table, items: Table) -> dg.AssetCheckResult:
    """Every similar item may be recommended, is another item, and is there once; ranks run from 1 without a gap."""
    return _related(similar_items, items, "similar_items", "similar_item_id")


@table_check(asset="bought_together", blocking=True)
def bought_together_is_available_and_other(bought_together: Table, items: Table) -> dg.AssetCheckResult:
    """Every other item may be recommended, is not the item itself, and is there once; ranks run from 1, no gap."""
    return _related(bought_together, items, "bought_together", "other_item_id")


def _related(related: Table, items: Table, name: str, other: str) -> dg.AssetCheckResult:
    broken = sql(
        f"""
        with places as (
            select *, row_number() over (partition by item_id order by rank) as place,
                count(*) over (partition by item_id, {other}) as times
            from related
        )
        select p.* from places p
        left join items on items.item_id = p.{other}
        where not coalesce(items.recommendable, false) or p.{other} = p.item_id or p.times > 1 or p.rank <> p.place
        order by p.item_id, p.rank
        """,
        related=related,
        items=items,
    )
    return law(broken, related.count(), f"rows of {name} offer what they may not, or are out of order", _again(name))


def _again(name: str) -> str:
    return f"Materialize {name} again, after items and what it reads; if it stays, the query is wrong."
