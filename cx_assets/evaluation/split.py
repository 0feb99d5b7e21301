"""The temporal split: what may be learnt from, and what happened afterwards.

Belongs here: the window, the events strictly before it, the truth inside it, and who can't be judged. Does not belong
here: fitting (`recommendations`) and judging (`evaluation.judging`). There is no random split in this project: it would
let a recommender learn from the future of the very customer that it's judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from cx_assets.recommendations.ranking import Which
from cx_assets.table import Table, as_of_date, sql
from cx_assets.table.schema import instant

LISTS: tuple[Which, ...] = ("repeat", "discovery", "both")
"""The lists that are judged: items the customer has had before, has not had before, and either."""


@dataclass(frozen=True)
class Window:
    """The days on which predictions are judged.

    Attributes:
        as_of: the midnight before which data may be used; the window starts with it. A day is the dataset's own.
        horizon_days: its length in days, at least 1.
    """

    as_of: datetime
    horizon_days: int

    @property
    def end(self) -> datetime:
        """The midnight after the window."""
        return self.as_of + timedelta(days=self.horizon_days)


def last_window(events: Table, horizon_days: int) -> Window:
    """The last `horizon_days` days that there are events of.

    Raises:
        ValueError: if `horizon_days` is below 1.
        LookupError: if there is no event.
    """
    if horizon_days < 1:
        raise ValueError(f"horizon_days must be at least 1, got {horizon_days}")
    return Window(as_of_date(events) - timedelta(days=horizon_days), horizon_days)


def training_events(events: Table, as_of: datetime) -> Table:
    """The events that happened strictly before the as-of date: all that a recommender may see."""
    return sql(f"select * from events where day < {instant(as_of)}", events=events)


def truth(events: Table, items: Table, window: Window) -> pd.DataFrame:
    """What customers took in the window: the pairs that a recommender should have foreseen.

    Purchases count; in a dataset without any purchase every event does. Only recommendable items count: no list may
    hold the others. An item is `had_before` if the customer has any event with it before the as-of date.

    Args:
        events: warehouse.events.
        items: warehouse.items; only item_id and recommendable are read.
        window: the days to look at.

    Returns:
        customer_id, item_id, had_before (bool), has_history (bool: the customer has an event before the as-of date);
        unique by customer and item, ordered by both.
    """
    query = f"""
        with purchases as (select count(*) as n from events where event_type = 'purchase'),
        taken as (
            select distinct e.customer_id, e.item_id
            from events e
            join items i on i.item_id = e.item_id and i.recommendable
            cross join purchases p
            where e.day >= {instant(window.as_of)} and e.day < {instant(window.end)}
                and (e.event_type = 'purchase' or p.n = 0)
        ),
        before as (
            select distinct customer_id, item_id from events where day < {instant(window.as_of)}
        ),
        known as (select distinct customer_id from before)
        select
            t.customer_id, t.item_id,
            b.item_id is not null as had_before,
            k.customer_id is not null as has_history
        from taken t
        left join before b on b.customer_id = t.customer_id and b.item_id = t.item_id
        left join known k on k.customer_id = t.customer_id
        order by t.customer_id, t.item_id
    """
    found = sql(query, events=events, items=items).df()
    return found.astype({"had_before": bool, "has_history": bool})


def next_basket_truth(events: Table, items: Table, window: Window) -> pd.DataFrame:
    """What customers took in their first basket of the window; otherwise as `truth`."""
    first = sql(
        f"""
        select * from events e
        where e.day < {instant(window.as_of)} or (e.customer_id, e.basket_id) in (
            select customer_id, first(basket_id order by started, basket_id) from (
                select customer_id, basket_id, min(occurred_at) as started
                from events
                where (event_type = 'purchase' or not exists (select 1 from events where event_type = 'purchase'))
                    and day >= {instant(window.as_of)} and day < {instant(window.end)}
                group by customer_id, basket_id
            ) group by customer_id
        )
        """,
        events=events,
    )
    return truth(first, items, window)


def truth_of_list(pairs: pd.DataFrame, which: str) -> pd.DataFrame:
    """The pairs of `truth` that a list is judged on, customers without history left out.

    A customer without history gets the popular items whatever the recommender, so could tell none from another.

    Args:
        pairs: as `truth` returns them.
        which: "repeat", "discovery" or "both".

    Raises:
        ValueError: for another list.
    """
    if which not in LISTS:
        raise ValueError(f"no list {which!r}; there are {', '.join(LISTS)}")
    judged = pairs["has_history"]
    if which == "repeat":
        judged = judged & pairs["had_before"]
    elif which == "discovery":
        judged = judged & ~pairs["had_before"]
    return pairs.loc[judged].reset_index(drop=True)


def who_is_judged(events: Table, pairs: pd.DataFrame, window: Window) -> pd.DataFrame:
    """How many customers are judged per list, and how many are left out and why.

    Args:
        events: warehouse.events.
        pairs: as `truth` returns them for the same events and window.
        window: the days that are judged.

    Returns:
        One row per list, in the order of `LISTS`: list, judged (customers with something relevant), nothing_relevant
        (customers with history who took nothing that counts), no_history (customers who took something but had no event
        before the as-of date), relevant (pairs to foresee).
    """
    query = f"select count(distinct customer_id) from events where day < {instant(window.as_of)}"
    known = int(sql(query, events=events).fetchone()[0])
    new = int(pairs.loc[~pairs["has_history"], "customer_id"].nunique())
    rows = []
    for which in LISTS:
        relevant = truth_of_list(pairs, which)
        judged = int(relevant["customer_id"].nunique())
        rows.append((which, judged, known - judged, new, len(relevant)))
    return pd.DataFrame(rows, columns=["list", "judged", "nothing_relevant", "no_history", "relevant"])
