"""The protocol of the literature on next baskets: every customer's last basket, foreseen from all that came before it.

Belongs here: who and what is judged under it, and the training that goes with it. Does not: as-of dates (`split`).
Every customer has an as-of date of their own, the day of the last basket; other customers may have shopped after it,
as in the papers that this is compared with, so the weekly backtest and not this is the honest forecast.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.recommender import Training, build_training
from cx_assets.recommendations.rewind import Baskets, Rewound, rewound
from cx_assets.table import Table, sql

MIN_BASKETS = 5
"""Baskets that a judged customer has, the last included."""

MIN_PURCHASES = 10
"""Purchases that an item has, of all customers."""


def usual_events(events: Table, min_baskets: int = MIN_BASKETS, min_purchases: int = MIN_PURCHASES) -> Table:
    """The purchases of items that are bought often enough, by customers who have baskets enough of them.

    Source: Hu et al. (2020), "Modeling personalized item frequency information for next-basket recommendation",
        section 5.1 (the filters of the published comparisons).
    """
    return sql(
        f"""
        with bought as (
            select * from events where event_type = 'purchase' or not exists (
                select 1 from events where event_type = 'purchase'
            )
        ), often as (
            select item_id from bought group by item_id having count(*) >= {int(min_purchases)}
        ), kept as (
            select * from bought where item_id in (select item_id from often)
        ), customers as (
            select customer_id from kept group by customer_id having count(distinct basket_id) >= {int(min_baskets)}
        )
        select * from kept where customer_id in (select customer_id from customers)
        """,
        events=events,
    )


def before_the_last_basket(events: Table, items: pd.DataFrame, as_of: datetime, weights: EventWeights) -> Rewound:
    """What may be learnt from, and what the last baskets held.

    Args:
        events: as `usual_events` returns them.
        items: warehouse.items.
        as_of: the end of the data.
        weights: of event types.
    """
    return rewound(build_training(events, items, as_of=as_of, weights=weights), Baskets(), 1)


def last_basket_truth(past: Rewound) -> pd.DataFrame:
    """The pairs to foresee: customer_id, item_id, had_before, has_history; recommendable items of judged customers."""
    training: Training = past.training
    taken = past.taken.tocoo()
    kept = past.known[taken.row] & training.recommendable[taken.col]
    rows, columns = taken.row[kept], taken.col[kept]
    return pd.DataFrame(
        {
            "customer_id": training.interactions.customers[rows],
            "item_id": training.interactions.items[columns],
            "had_before": [bool(count) for count in training.counts[rows, columns].A1] if len(rows) else [],
            "has_history": True,
        }
    ).astype({"had_before": bool, "has_history": bool})
