"""Literal events for the tests of matrices and similarity."""

from datetime import datetime
from typing import Any

import pandas as pd

NOON = datetime(2024, 5, 1, 12)


def event(customer: str, item: str, **changes: Any) -> dict[str, Any]:
    """One event as warehouse.events has it: a purchase at noon, unless changed."""
    return {
        "customer_id": customer,
        "item_id": item,
        "event_type": "purchase",
        "occurred_at": NOON,
        "quantity": 1.0,
        "value": 2.0,
        "rating": None,
    } | changes


def frame(*events: dict[str, Any]) -> pd.DataFrame:
    """Events as a frame with the columns and types of warehouse.events that a fold reads, and the day."""
    columns = list(event("c", "i"))
    rows = pd.DataFrame(list(events), columns=columns)
    rows = rows.astype(
        {"occurred_at": "datetime64[us]", "rating": "float64", "quantity": "float64", "value": "float64"}
    )
    rows["event_id"] = [f"e{n}" for n in range(len(rows))]
    rows["day"] = rows["occurred_at"].dt.date
    return rows


def rated(ratings: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Rating events, from each customer's ratings by item."""
    return frame(
        *(
            event(customer, item, event_type="rating", rating=rating, value=0.0)
            for customer, given in ratings.items()
            for item, rating in given.items()
        )
    )


# The seed example: cosine 0.94, Pearson -0.5.
SEED = {"A": {"x": 5.0, "y": 3.0, "z": 4.0}, "B": {"x": 4.0, "y": 5.0, "z": 3.0}}
