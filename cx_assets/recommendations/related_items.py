"""Items that go with an item: those like it, and those bought together with it.

Belongs here: choosing and ranking from the neighbour and rule tables. Does not: similarity (`similarity`), rules
(`rules`) or anything about one customer.
"""

from __future__ import annotations

from cx_assets.recommendations.similarities import MIN_CUSTOMERS
from cx_assets.table import Table, sql

TOP = 10


def similar_items(
    item_neighbours: Table, content_neighbours: Table, interactions: Table, items: Table, top: int = TOP
) -> Table:
    """The most similar items of every item: by who has them, filled up by what they are.

    Neighbours by cosine come first. An item with fewer than `MIN_CUSTOMERS` customers has none that mean anything, so
    it gets neighbours by content only; so does what is left of a short list. Similarities of the two methods are not
    comparable, which is why one never displaces the other.

    Args:
        item_neighbours: similarity.item_neighbours; its method cosine is used.
        content_neighbours: similarity.content_neighbours.
        interactions: matrices.interactions, for the number of customers.
        items: warehouse.items; what isn't recommendable is no similar item of anything.
        top: places per item.

    Returns:
        item_id, rank, similar_item_id, score (the similarity), method (cosine or content), customers (of the similar
        item), as_of. Ordered by item and rank.
    """
    return sql(
        f"""
        with sold as (
            select item_id, count(*) as customers from interactions group by item_id
        ),
        until as (select max(as_of) as as_of from interactions),
        candidates as (
            select n.item_id, n.neighbour_id, n.similarity, n.method, 1 as turn
            from item_neighbours n
            join sold a on a.item_id = n.item_id and a.customers >= {MIN_CUSTOMERS}
            join sold b on b.item_id = n.neighbour_id and b.customers >= {MIN_CUSTOMERS}
            where n.method = 'cosine'
            union all
            select item_id, neighbour_id, similarity, method, 2 from content_neighbours
        ),
        best as (
            select item_id, neighbour_id, min(turn) as turn from candidates group by item_id, neighbour_id
        ),
        ranked as (
            select c.item_id, c.neighbour_id, c.similarity, c.method, coalesce(s.customers, 0) as customers,
                row_number() over (
                    partition by c.item_id
                    order by c.turn, c.similarity desc, coalesce(s.customers, 0) desc, c.neighbour_id
                ) as rank
            from candidates c
            join best b on b.item_id = c.item_id and b.neighbour_id = c.neighbour_id and b.turn = c.turn
            join items on items.item_id = c.neighbour_id and items.recommendable
            left join sold s on s.item_id = c.neighbour_id
        )
        select r.item_id, cast(r.rank as integer) as rank, r.neighbour_id as similar_item_id,
            cast(r.similarity as float) as score, r.method, cast(r.customers as bigint) as customers, u.as_of
        from ranked r cross join until u
        where r.rank <= {int(top)}
        order by r.item_id, r.rank
        """,
        item_neighbours=item_neighbours,
        content_neighbours=content_neighbours,
        interactions=interactions,
        items=items,
    )


def bought_together(rules: Table, items: Table, interactions: Table, top: int = TOP) -> Table:
    """What is in the basket with an item more often than by chance: the item-level rules from one item to one.

    Only rules, which are significant and have enough customers behind them; an item without a rule has no row. Filling
    up with whatever shared a basket once would look the same and mean nothing.

    Args:
        rules: rules.rules.
        items: warehouse.items; what isn't recommendable is not offered with anything.
        interactions: matrices.interactions, for the as-of date.
        top: places per item.

    Returns:
        item_id, rank, other_item_id, confidence, lift, baskets, customers, as_of. Ordered by item and rank: lift
        descending, confidence descending, item id.
    """
    return sql(
        f"""
        with until as (select max(as_of) as as_of from interactions),
        pairs as (
            select antecedent[1] as item_id, consequent[1] as other_item_id, confidence, lift, baskets, customers
            from rules
            where level = 'item' and len(antecedent) = 1 and len(consequent) = 1
        ),
        ranked as (
            select p.*, row_number() over (
                partition by p.item_id order by p.lift desc, p.confidence desc, p.other_item_id
            ) as rank
            from pairs p
            join items on items.item_id = p.other_item_id and items.recommendable
        )
        select r.item_id, cast(r.rank as integer) as rank, r.other_item_id, r.confidence, r.lift, r.baskets,
            r.customers, u.as_of
        from ranked r cross join until u
        where r.rank <= {int(top)}
        order by r.item_id, r.rank
        """,
        rules=rules,
        items=items,
        interactions=interactions,
    )
