"""The accuracy of stored lists, computed once more and in another way: plain loops over the rows of two tables.

Belongs here: the textbook's formulas, one customer at a time. Does not belong here: anything that imports the project.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import pandas as pd

Pairs = dict[str, set[str]]


def taken_and_had(events: pd.DataFrame, items: pd.DataFrame, as_of: datetime, horizon_days: int) -> tuple[Pairs, Pairs]:
    """What each customer bought within the horizon and may be recommended, and what each had before it."""
    end = as_of + timedelta(days=horizon_days)
    allowed = {row.item_id for row in items.itertuples() if row.recommendable}
    taken, had = Pairs(), Pairs()
    for row in events.itertuples():
        if row.occurred_at < as_of:
            had.setdefault(row.customer_id, set()).add(row.item_id)
        elif row.occurred_at < end and row.event_type == "purchase" and row.item_id in allowed:
            taken.setdefault(row.customer_id, set()).add(row.item_id)
    return taken, had


def relevant_of(taken: Pairs, had: Pairs, which: str) -> Pairs:
    """What a list is judged on, of the customers who are."""
    found = {}
    for customer, items in taken.items():
        before = had.get(customer)
        if before is None:
            continue
        wanted = {"repeat": items & before, "discovery": items - before, "both": items}[which]
        if wanted:
            found[customer] = wanted
    return found


def shown_to(lists: pd.DataFrame) -> dict[tuple[str, str, str], list[str]]:
    """The items of every recommender, list and customer by their ranks."""
    found: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in lists.itertuples():
        found.setdefault((row.recommender, row.list, row.customer_id), {})[row.rank] = row.item_id
    return {key: [places[rank] for rank in sorted(places)] for key, places in found.items()}


def figures_of(shown: Sequence[str], relevant: set[str], k: int) -> dict[str, float]:
    """Every accuracy metric of one list of one customer."""
    hits, dcg, ideal, precisions, first = 0, 0.0, 0.0, 0.0, 0.0
    for place in range(1, k + 1):
        if place <= len(relevant):
            ideal += 1 / math.log2(place + 1)
        if place <= len(shown) and shown[place - 1] in relevant:
            hits += 1
            dcg += 1 / math.log2(place + 1)
            precisions += hits / place
            first = first or 1 / place
    precision, recall = hits / k, hits / len(relevant)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if hits else 0.0,
        "ndcg": dcg / ideal,
        "map": precisions / len(relevant),
        "mrr": first,
        "hit_rate": 1.0 if hits else 0.0,
    }


def means(
    lists: pd.DataFrame,
    events: pd.DataFrame,
    items: pd.DataFrame,
    as_of: datetime,
    horizon_days: int,
    ks: Iterable[int],
) -> dict[tuple[str, str, str, int], float]:
    """Every metric of every recommender and list on one date, by recommender, list, metric and k."""
    taken, had = taken_and_had(events, items, as_of, horizon_days)
    shown, found = shown_to(lists), {}
    for which in ("repeat", "discovery", "both"):
        relevant = relevant_of(taken, had, which)
        for recommender in sorted(set(lists["recommender"])):
            for k in ks:
                own = [
                    figures_of(shown.get((recommender, which, customer), []), wanted, k)
                    for customer, wanted in relevant.items()
                ]
                for metric in own[0] if own else ():
                    found[recommender, which, metric, k] = sum(figures[metric] for figures in own) / len(own)
    return found
