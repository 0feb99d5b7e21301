"""Small shops for the tests of this stage: events and items in the shape of the warehouse.

Belongs here: building rows. Does not belong here: any expectation.
"""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

START = datetime(2024, 1, 1)


def shop_events(customers: int = 40, days: int = 80, *, items: int = 25, seed: int = 0) -> pd.DataFrame:
    """Purchases of customers who each have favourites and now and then try what is popular.

    Args:
        customers: how many.
        days: from `START` on.
        items: size of the assortment.
        seed: of everything random.

    Returns:
        The columns of warehouse.events that recommenders and the evaluation read; ordered by time.
    """
    random = np.random.default_rng(seed)
    popular = 1.0 / np.arange(1, items + 1)
    rows = []
    for customer in range(customers):
        taste = popular * random.gamma(0.5, size=items)
        for day in np.flatnonzero(random.random(days) < 0.25):
            moment = START + timedelta(days=int(day), hours=9 + customer % 10)
            basket = random.choice(items, size=4, replace=False, p=taste / taste.sum())
            # i03 goes with i15 and i04 with i16, so that there are rules to find.
            partners = [item + 12 for item in basket if item in (3, 4) and random.random() < 0.8]
            lines = np.unique([*basket, *partners])
            rows += [(moment, f"c{customer:03d}", f"i{item:02d}", f"b{customer:03d}-{day}") for item in lines]
    frame = pd.DataFrame(rows, columns=["occurred_at", "customer_id", "item_id", "basket_id"])
    frame = frame.sort_values(["occurred_at", "customer_id", "item_id"]).reset_index(drop=True)
    frame["occurred_at"] = frame["occurred_at"].astype("datetime64[us]")
    frame["day"] = frame["occurred_at"].dt.date
    return frame.assign(
        event_id=[f"e{i}" for i in range(len(frame))],
        event_type="purchase",
        quantity=1.0,
        value=2.0,
        rating=pd.array([None] * len(frame), dtype="Float64"),
        store_id=pd.array([None] * len(frame), dtype="str"),
    )


def shop_items(items: int = 25, *, not_recommendable: tuple[str, ...] = ("i24",)) -> pd.DataFrame:
    """The assortment of `shop_events`, in five categories."""
    ids = [f"i{item:02d}" for item in range(items)]
    return pd.DataFrame(
        {
            "item_id": ids,
            "name": [f"ITEM {i}" for i in ids],
            "category": [f"category {int(i[1:]) % 5}" for i in ids],
            "recommendable": [i not in not_recommendable for i in ids],
            "in_master": True,
            "brand": [f"brand {int(i[1:]) % 3}" for i in ids],
            "brand_imputed": False,
        }
    )
