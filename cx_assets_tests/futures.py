"""The same past with another future: what nothing that was recommended on the day may depend on."""

from datetime import datetime

import numpy as np
import pandas as pd


def other_future(events: pd.DataFrame, as_of: datetime, how: str) -> pd.DataFrame:
    """Events with nothing after the as-of date (`deleted`), or with it happening to others and with other items."""
    later = (events["occurred_at"] >= as_of).to_numpy()
    if how == "deleted":
        return events.loc[~later].reset_index(drop=True)
    altered = events.copy()
    random = np.random.default_rng(5)
    for column in ("customer_id", "item_id", "basket_id"):
        altered.loc[later, column] = random.permutation(events.loc[later, column].to_numpy())
    return altered
