"""The laws of the similarity stage.

Belongs here: what must hold of every table of neighbours, whatever the method. Does not: column types, nulls and keys,
which every table is checked for (`table.checks`).
"""

import dagster as dg

from cx_assets.table import Table, law, sql, table_check

REBUILD = "Materialize the table again; if it stays, the method is wrong: see cx_assets/similarity."

# Both directions are computed in float64 and stored in float32.
SAME = 1e-6


def others_within_bounds(neighbours: Table, id_column: str) -> dg.AssetCheckResult:
    """Whether no row is its own neighbour and every similarity is a number within [-1, 1], above 0 but for Pearson."""
    broken = sql(
        f"""
        select * from neighbours
        where {id_column} = neighbour_id
           or not isfinite(similarity)
           or abs(similarity) > 1
           or (method <> 'pearson' and similarity <= 0)
        """,
        neighbours=neighbours,
    )
    return law(broken, neighbours.count(), "neighbours are the row itself or have an impossible similarity", REBUILD)


def ranks_are_complete(neighbours: Table, id_column: str) -> dg.AssetCheckResult:
    """Whether the ranks of each method and id are 1 to n without a gap, and similarity falls as they rise."""
    broken = sql(
        f"""
        with placed as (
            select
                *,
                row_number() over (partition by method, {id_column} order by "rank") as place,
                lag(similarity) over (partition by method, {id_column} order by "rank") as before
            from neighbours
        )
        select * from placed where "rank" <> place or similarity > before
        """,
        neighbours=neighbours,
    )
    return law(broken, neighbours.count(), "neighbours stand at a wrong rank", REBUILD)


def symmetric(neighbours: Table, id_column: str) -> dg.AssetCheckResult:
    """Whether two that are neighbours of each other are equally similar both ways."""
    broken = sql(
        f"""
        with back as (
            select method, {id_column} as neighbour_id, neighbour_id as {id_column}, similarity from neighbours
        )
        select method, {id_column}, neighbour_id, neighbours.similarity as there, back.similarity as back
        from neighbours
        join back using (method, {id_column}, neighbour_id)
        where not abs(neighbours.similarity - back.similarity) <= {SAME}
        """,
        neighbours=neighbours,
    )
    return law(broken, neighbours.count(), "neighbours are more similar one way than the other", REBUILD)


@table_check(asset="customer_neighbours", blocking=True)
def customer_neighbours_are_others_within_bounds(customer_neighbours: Table) -> dg.AssetCheckResult:
    """No customer is their own neighbour, and every similarity is a number within [-1, 1]."""
    return others_within_bounds(customer_neighbours, "customer_id")


@table_check(asset="customer_neighbours", blocking=True)
def customer_neighbours_ranks_are_complete(customer_neighbours: Table) -> dg.AssetCheckResult:
    """Each customer's ranks are 1 to n without a gap, and similarity falls as they rise."""
    return ranks_are_complete(customer_neighbours, "customer_id")


@table_check(asset="customer_neighbours", blocking=True)
def customer_neighbours_are_symmetric(customer_neighbours: Table) -> dg.AssetCheckResult:
    """Two customers who are neighbours of each other are equally similar both ways."""
    return symmetric(customer_neighbours, "customer_id")


@table_check(asset="item_neighbours", blocking=True)
def item_neighbours_are_others_within_bounds(item_neighbours: Table) -> dg.AssetCheckResult:
    """No item is its own neighbour, and every similarity is a number within [-1, 1]."""
    return others_within_bounds(item_neighbours, "item_id")


@table_check(asset="item_neighbours", blocking=True)
def item_neighbours_ranks_are_complete(item_neighbours: Table) -> dg.AssetCheckResult:
    """Each item's ranks are 1 to n without a gap, and similarity falls as they rise."""
    return ranks_are_complete(item_neighbours, "item_id")


@table_check(asset="item_neighbours", blocking=True)
def item_neighbours_are_symmetric(item_neighbours: Table) -> dg.AssetCheckResult:
    """Two items that are neighbours of each other are equally similar both ways."""
    return symmetric(item_neighbours, "item_id")


@table_check(asset="content_neighbours", blocking=True)
def content_neighbours_are_others_within_bounds(content_neighbours: Table) -> dg.AssetCheckResult:
    """No item is its own neighbour, and every similarity is a number above 0 and at most 1."""
    return others_within_bounds(content_neighbours, "item_id")


@table_check(asset="content_neighbours", blocking=True)
def content_neighbours_ranks_are_complete(content_neighbours: Table) -> dg.AssetCheckResult:
    """Each item's ranks are 1 to n without a gap, and similarity falls as they rise."""
    return ranks_are_complete(content_neighbours, "item_id")


@table_check(asset="content_neighbours", blocking=True)
def content_neighbours_are_symmetric(content_neighbours: Table) -> dg.AssetCheckResult:
    """Two items that are neighbours of each other are equally similar both ways."""
    return symmetric(content_neighbours, "item_id")
