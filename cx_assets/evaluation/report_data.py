"""Reading what the report shows from the tables of all stages.

Belongs here: the queries. Does not belong here: the page (`report`) and the figures of the evaluation itself
(`figures`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from cx_assets.evaluation.report import Quality
from cx_assets.table import Table, sql

RULES_SHOWN = 8
EXAMPLES_SHOWN = 3
PLACES_SHOWN = 5
HAD_SHOWN = 5


def quality_of(events: Table, rejected_events: Table, withdrawn_events: Table) -> Quality:
    """What became of the raw rows: delivered, duplicates removed, rejected by reason, withdrawn if any, clean.

    Delivered is the sum of what they became: old raw events may have been removed (CX_RETENTION), their events stay.
    """
    clean, copies = sql("select count(*), coalesce(sum(copies), 0) from events", events=events).fetchone()
    rejected = rejected_events.count()
    withdrawn = sql("select * from rows where outcome <> 'reduced'", rows=withdrawn_events).count()
    reasons = sql(
        "select reason, count(*) as n from rejected_events group by reason order by n desc, reason",
        rejected_events=rejected_events,
    ).fetchall()
    flow = [
        ("Rows delivered", int(copies) + rejected + withdrawn),
        ("Exact duplicates removed", int(copies) - clean),
        ("Rejected", rejected),
        *([("Cancelled, returned or corrected, and what did so", withdrawn)] if withdrawn else []),
        ("Clean events", clean),
    ]
    return Quality(flow, [(str(reason), int(count)) for reason, count in reasons])


def segments_of(segment_profiles: Table) -> pd.DataFrame:
    """The segments, largest first: name, customers, value_share, apart, categories."""
    rows = sql(
        """
        select segment, customers, share_of_value, traits, top_categories
        from segment_profiles
        order by customers desc, segment_id
        """,
        segment_profiles=segment_profiles,
    ).fetchall()
    return pd.DataFrame(
        [
            (str(name), int(customers), float(share), "; ".join(traits or []), ", ".join((categories or [])[:3]))
            for name, customers, share, traits, categories in rows
        ],
        columns=["name", "customers", "value_share", "apart", "categories"],
    )


def rules_of(rules: Table, items: Table) -> pd.DataFrame:
    """The rules with the highest lift of each level, items by their names.

    The same things are shown once, in the direction with the higher confidence, and a consequent is shown once: ten
    rules that all end in hot dog buns tell one thing. Items of one category are left out: a yogurt goes with the same
    yogurt of another flavour more than with anything else, which tells nothing.

    Returns:
        level, antecedent, consequent, confidence, lift, customers; best first.
    """
    ordered = sql(
        """
        select level, antecedent, consequent, confidence, lift, customers
        from rules
        order by level, lift desc, confidence desc, antecedent, consequent
        """,
        rules=rules,
    ).fetchall()
    about = _names_and_categories(
        items, sorted({thing for row in ordered if row[0] == "item" for side in row[1:3] for thing in side})
    )
    chosen: list[tuple[str, str, str, float, float, int]] = []
    shown: set[tuple[str, frozenset[str]]] = set()
    places = Counter[str]()
    for level, antecedent, consequent, confidence, lift, customers in ordered:
        known = about if level == "item" else {}
        before, after = ([known.get(thing, (thing, thing)) for thing in side] for side in (antecedent, consequent))
        told = {(level, frozenset(name for name, _ in side)) for side in (before + after, after)}
        related = {category for _, category in before} & {category for _, category in after}
        if places[level] == RULES_SHOWN or told & shown or related:
            continue
        left, right = (" + ".join(name for name, _ in side) for side in (before, after))
        chosen.append((level, left, right, float(confidence), float(lift), int(customers)))
        shown |= told
        places[level] += 1
    return pd.DataFrame(chosen, columns=["level", "antecedent", "consequent", "confidence", "lift", "customers"])


def examples_of(
    recommendations: Table, interactions: Table, customer_segments: Table, items: Table
) -> list[dict[str, Any]]:
    """Some customers with their lists, one from each of the largest segments.

    Chosen by rule, so that nobody picks the ones that look good: of each segment the customer in the middle by number
    of events.

    Returns:
        customer_id, segment, had (names of the most frequent items), repeat and discovery (item and reason each).
    """
    chosen = sql(
        f"""
        with activity as (
            select customer_id, sum(events) as events from interactions group by customer_id
        ),
        placed as (
            select a.customer_id, s.segment,
                row_number() over (partition by s.segment_id order by a.events, a.customer_id) as place,
                count(*) over (partition by s.segment_id) as customers
            from activity a
            join customer_segments s on s.customer_id = a.customer_id
        )
        select customer_id, segment
        from placed
        where place = (customers + 1) // 2
        order by customers desc, customer_id
        limit {EXAMPLES_SHOWN}
        """,
        interactions=interactions,
        customer_segments=customer_segments,
    ).df()
    if chosen.empty:
        return []
    shown = sql(
        f"""
        select r.customer_id, r.list, i.name as item, r.reason
        from recommendations r
        join chosen c on c.customer_id = r.customer_id
        join items i on i.item_id = r.item_id
        where r.rank <= {PLACES_SHOWN}
        order by r.customer_id, r.list, r.rank
        """,
        recommendations=recommendations,
        chosen=chosen,
        items=items,
    ).df()
    had = sql(
        f"""
        with ranked as (
            select x.customer_id, i.name, row_number() over (
                partition by x.customer_id order by x.events desc, x.item_id
            ) as place
            from interactions x
            join chosen c on c.customer_id = x.customer_id
            join items i on i.item_id = x.item_id
        )
        select customer_id, name from ranked where place <= {HAD_SHOWN} order by customer_id, place
        """,
        interactions=interactions,
        chosen=chosen,
        items=items,
    ).df()
    return [
        {
            "customer_id": str(customer),
            "segment": str(segment),
            "had": had.loc[had["customer_id"] == customer, "name"].tolist(),
            **{
                which: shown.loc[
                    (shown["customer_id"] == customer) & (shown["list"] == which), ["item", "reason"]
                ].to_dict("records")
                for which in ("repeat", "discovery")
            },
        }
        for customer, segment in chosen.itertuples(index=False)
    ]


def recommendable_items(items: Table) -> int:
    """How many items may be recommended: what coverage is a share of."""
    return int(sql("select count(*) from items where recommendable", items=items).fetchone()[0])


def customers_with(events: Table) -> pd.Series:
    """Distinct customers with each item, by item id."""
    rows = sql("select item_id, count(distinct customer_id) as n from events group by item_id", events=events).df()
    return rows.set_index("item_id")["n"]


def customers_in(events: Table) -> int:
    """How many customers have an event."""
    return int(sql("select count(distinct customer_id) from events", events=events).fetchone()[0])


def _names_and_categories(items: Table, ids: list[str]) -> dict[str, tuple[str, str]]:
    """The names and categories of some items."""
    if not ids:
        return {}
    wanted = pd.DataFrame({"item_id": ids})
    query = "select i.item_id, i.name, i.category from items i join wanted w on w.item_id = i.item_id"
    rows = sql(query, items=items, wanted=wanted).fetchall()
    return {str(item): (str(name), str(category)) for item, name, category in rows}
