"""What goes wrong with a day's data, one fault at a time.

Belongs here: faults, each a change of the raw rows of a day. Does not: whether it is noticed (`rates`).
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

Rows = pd.DataFrame
Fault = Callable[[Rows, "Rows", np.random.Generator], Rows]
"""From the raw rows of a day, those of four such days weeks before, and chance, to what is delivered instead."""

LEAST_NULL: Final = 0.1  # of a column's values
LEAST_NEW: Final = 0.03  # of a day's rows
LEAST_MOVED: Final = 0.25  # of a day's rows, to another category than theirs
LEAST_CUSTOMERS: Final = 12  # of a store that vanishes, a day
"""Below these a fault isn't planted."""


def half_missing(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Every other row, or all after the middle of the day's rows."""
    if rng.random() < 0.5:
        return day[rng.random(len(day)) < 0.5]
    return day.sort_values("occurred_at").head(len(day) // 2)


def doubled(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Every row twice, as it is or under another id."""
    again = day.assign(event_id="again " + pd.Series(range(len(day)), index=day.index).astype(str))
    return pd.concat([day, day if rng.random() < 0.5 else again])


def column_null(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """A tenth to two thirds of a column's values are missing."""
    filled = [name for name in ("customer_id", "item_id", "store_id", "quantity", "value", "basket_id", "event_type")
              if before[name].notna().mean() > 0.5]  # fmt: skip
    name = str(rng.choice(filled))
    return day.assign(**{name: day[name].where(rng.random(len(day)) >= rng.uniform(LEAST_NULL, 0.67))})


def unit_changed(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Values in cents, or quantities by the hundred."""
    name = str(rng.choice(["value", "quantity"]))
    return day.assign(**{name: _text(pd.to_numeric(day[name]) * 100)})


def mix_swapped(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """The most common values of a column are called as the rarest are, and the other way round.

    Of event types, stores or item categories: of one whose mix is another then.
    """
    other = {}
    for name in ("event_type", "store_id", "category"):
        shares = before[name].value_counts(normalize=True)
        if np.abs(shares.to_numpy() - shares.to_numpy()[::-1]).sum() / 2 >= LEAST_MOVED:
            other[name] = dict(zip(shares.index, shares.index[::-1], strict=True))
    name = str(rng.choice(list(other)))
    if name != "category":
        return day.assign(**{name: day[name].map(other[name]).fillna(day[name])})
    items = before.groupby("category")["item_id"].unique()
    swapped = [rng.choice(items[other[name][category]]) if category in other[name] else item
               for category, item in zip(day["category"], day["item_id"], strict=True)]  # fmt: skip
    return day.assign(item_id=swapped)


def new_event_type(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Some rows are of a type that nobody has declared."""
    known = rng.random(len(day)) >= rng.uniform(LEAST_NEW, 0.3)
    return day.assign(event_type=day["event_type"].where(known, f"type of {_date(day)}"))


def new_store(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Some customers' rows come from a store that nobody knows."""
    share = rng.uniform(LEAST_NEW, 0.3)
    names = day["customer_id"].unique()
    moved = names[np.cumsum(day.groupby("customer_id", sort=False).size().to_numpy()) <= max(share * len(day), 5)]
    return day.assign(store_id=day["store_id"].where(~day["customer_id"].isin(moved), f"store of {_date(day)}"))


def vanished_store(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """A store that many customers come to on an ordinary day, or the largest, delivers nothing.

    One that few come to has a day without any once in a while.
    """
    customers = before.groupby(["store_id", "day"])["customer_id"].nunique().groupby("store_id").sum()
    customers = customers.sort_values(ascending=False) / before["day"].nunique()
    large = customers.index[customers >= LEAST_CUSTOMERS]
    return day[day["store_id"] != str(rng.choice(large if len(large) else customers.index[:1]))]


def constant(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Every value or every quantity that isn't 0 is the same."""
    name = str(rng.choice(["value", "quantity"]))
    numbers = pd.to_numeric(day[name])
    return day.assign(**{name: _text(numbers.where(numbers == 0, float(numbers[numbers > 0].median())))})


def one_time(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Every row happened at midnight, or at the time of one of them."""
    times = day["occurred_at"].sort_values()
    at = f"{_date(day)} 00:00:00" if rng.random() < 0.5 else times.iloc[int(rng.integers(len(times)))]
    return day.assign(occurred_at=at)


def ids_reset(day: Rows, before: Rows, rng: np.random.Generator) -> Rows:
    """Customers or items are numbered anew, or baskets are numbered from the start again."""
    told = before["basket_id"].notna().mean() > 0.5
    name = str(rng.choice(["customer_id", "item_id", "basket_id"] if told else ["customer_id", "item_id"]))
    ids = day[name].unique()
    if name == "basket_id":
        earlier = before[name].unique()
        return day.assign(basket_id=day[name].map({old: earlier[i % len(earlier)] for i, old in enumerate(ids)}))
    return day.assign(**{name: day[name].map({old: f"n{number}" for number, old in enumerate(ids)})})


def _date(day: Rows) -> str:
    return str(day["day"].iloc[0])[:10]


def _text(numbers: pd.Series) -> pd.Series:
    return numbers.map("{:.2f}".format)


FAULTS: Final[dict[str, Fault]] = {
    fault.__name__.replace("_", " "): fault
    for fault in (half_missing, doubled, column_null, unit_changed, mix_swapped, new_event_type, new_store,
                  vanished_store, constant, one_time, ids_reset)
}  # fmt: skip
