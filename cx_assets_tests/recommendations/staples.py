"""A shop with a rhythm: what everybody buys again and again, and when.

Belongs here: building its events and items. Does not belong here: any expectation.
"""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

START = datetime(2024, 1, 1)
CUSTOMERS, ITEMS, DAYS = 60, 40, 200


def rhythm(customer: int) -> int:
    """Days between two purchases of a customer's staples: 7 or 14."""
    return 7 if customer % 2 else 14


def staples(customer: int) -> tuple[int, int]:
    """A customer's two staples; the second is bought half a rhythm after the first."""
    return customer % 10, 10 + customer % 10


def staple_events(days: int = DAYS, *, seed: int = 0) -> pd.DataFrame:
    """Purchases of staples a day early or late now and then, and of one of twenty popular items every other time.

    Args:
        days: from `START` on.
        seed: of everything random.

    Returns:
        The columns of warehouse.events that recommenders and the evaluation read; ordered by time.
    """
    random = np.random.default_rng(seed)
    popular = 1.0 / np.arange(1, 21)
    rows = []
    for customer in range(CUSTOMERS):
        every = rhythm(customer)
        first = int(random.integers(every))
        for start, staple in zip((first, first + every // 2), staples(customer), strict=True):
            for due in range(start, days, every):
                day = due + int(random.choice([-1, 0, 0, 0, 1]))
                if not 0 <= day < days:
                    continue
                extra = [20 + int(random.choice(20, p=popular / popular.sum()))] if random.random() < 0.5 else []
                rows += [(day, customer, item) for item in (staple, *extra)]
    frame = pd.DataFrame(sorted(set(rows)), columns=["n", "customer", "item"])
    moment = [
        START + timedelta(days=int(n), hours=9 + int(c) % 10) for n, c in zip(frame.n, frame.customer, strict=True)
    ]
    customer_id = pd.Series([f"c{c:03d}" for c in frame["customer"]], dtype="str")
    return pd.DataFrame(
        {
            "occurred_at": pd.Series(moment).astype("datetime64[us]"),
            "day": [at.date() for at in moment],
            "customer_id": customer_id,
            "item_id": pd.Series([f"i{i:02d}" for i in frame["item"]], dtype="str"),
            "basket_id": pd.Series(
                [f"b{c:03d}-{n}" for c, n in zip(frame.customer, frame.n, strict=True)], dtype="str"
            ),
            "event_id": [f"e{i}" for i in range(len(frame))],
            "event_type": "purchase",
            "quantity": 1.0 + frame["item"] % 2,
            "value": (1.0 + frame["item"] % 2) * (1.0 + frame["item"] % 5),
            "rating": pd.array([None] * len(frame), dtype="Float64"),
            "store_id": pd.Series([f"s{c % 3}" for c in frame["customer"]], dtype="str"),
        }
    )


def staple_items(*, not_recommendable: tuple[str, ...] = ("i25",)) -> pd.DataFrame:
    """Its assortment: staples in two categories, what is popular in a third, four brands."""
    ids = [f"i{item:02d}" for item in range(ITEMS)]
    return pd.DataFrame(
        {
            "item_id": ids,
            "name": [f"ITEM {i}" for i in ids],
            "category": [f"shelf {min(item // 10, 2)}" for item in range(ITEMS)],
            "recommendable": [i not in not_recommendable for i in ids],
            "in_master": True,
            "brand": [f"brand {item % 4}" for item in range(ITEMS)],
            "brand_imputed": False,
        }
    )
