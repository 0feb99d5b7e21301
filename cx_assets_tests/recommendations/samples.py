"""Small shops for the tests of this stage.

Belongs here: building rows and trainings. Does not belong here: any expectation.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from cx_assets.matrices.interactions import EventWeights
from cx_assets.recommendations.recommender import Training, build_training

AS_OF = datetime(2024, 1, 11)

# Three customers, four items. A has x three times (1st to 3rd of January) and y once, B x, y and twice z, C z and w.
SHOP = [
    ("A", "x", "2024-01-01"),
    ("A", "x", "2024-01-02"),
    ("A", "x", "2024-01-03"),
    ("A", "y", "2024-01-10"),
    ("B", "x", "2024-01-01"),
    ("B", "y", "2024-01-01"),
    ("B", "z", "2024-01-01"),
    ("B", "z", "2024-01-09"),
    ("C", "z", "2024-01-05"),
    ("C", "w", "2024-01-06"),
]


def events_of(rows: Iterable[tuple[str, ...]]) -> pd.DataFrame:
    """Events, one per (customer, item, day) or (customer, item, day, type); purchases unless said otherwise."""
    full = [(*row, "purchase")[:4] for row in rows]
    frame = pd.DataFrame(full, columns=["customer_id", "item_id", "occurred_at", "event_type"], dtype="str")
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"]).astype("datetime64[us]") + pd.Timedelta(hours=12)
    frame["day"] = frame["occurred_at"].dt.date
    return frame.assign(
        event_id=[f"e{i}" for i in range(len(frame))],
        basket_id=frame["customer_id"] + frame["day"].astype(str),
        quantity=1.0,
        value=1.0,
        rating=pd.array([None] * len(frame), dtype="Float64"),
        store_id=pd.array([None] * len(frame), dtype="str"),
    )


def items_of(ids: Iterable[str], *, hidden: str = "", categories: Sequence[str] = ()) -> pd.DataFrame:
    """A catalogue: item x is called THE X; what is in `hidden` is not recommendable."""
    names = list(ids)
    return pd.DataFrame(
        {
            "item_id": names,
            "name": [f"THE {i.upper()}" for i in names],
            "category": list(categories) or ["things"] * len(names),
            "recommendable": [i not in hidden for i in names],
        }
    )


def trained(tables: Any, rows: Iterable[tuple[str, ...]] = SHOP, **given: Any) -> Training:
    """A training on some rows as of `AS_OF`, with the items of `SHOP` and item neighbours for every item."""
    items = given.pop("items", items_of("wxyz"))
    given = {"as_of": AS_OF, "weights": EventWeights(), "min_customers": 1} | given
    return build_training(tables(events_of(rows)), items, **given)


def scores_of(recommender: Any, training: Training, customer: str) -> dict[str, float]:
    """What a fitted recommender gives a customer: item id to score."""
    row = recommender.score(training.interactions.customer_positions([customer]))
    return {str(training.interactions.items[i]): float(v) for i, v in zip(row.indices, row.data, strict=True)}


def listed(lists: Any, training: Training) -> dict[str, list[str]]:
    """Ranked lists as customer id to item ids."""
    found: dict[str, list[str]] = {}
    for customer, item in zip(lists.customer, lists.item, strict=True):
        found.setdefault(str(training.interactions.customers[customer]), []).append(
            str(training.interactions.items[item])
        )
    return found
