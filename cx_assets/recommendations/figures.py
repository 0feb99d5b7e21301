"""What is known of customers, items and pairs of them at an as-of date: the figures that the ranker's features are of.

Belongs here: folding a history into figures per pair, customer, item and taste. Does not: putting figures together for
a candidate (`features`) or learning from them (`ranker`). Whatever isn't known is NaN, which the ranker's trees handle
as its own case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cx_assets.recommendations.history import History

Floats = NDArray[np.float32]
Figures = dict[str, Floats]

# Days after which an event counts half: a fortnight's errand, a month's, a season's.
HALF_LIVES = (14.0, 45.0, 120.0)
# What a basket counts for each that came after it.
BASKET_DECAYS = (0.7, 0.9)
RECENT, BEFORE = 28.0, 84.0


@dataclass(frozen=True)
class Keyed:
    """Figures of things that have a number.

    Attributes:
        keys: int64, ascending, unique.
        figures: by name, float32 of the shape of `keys`.
    """

    keys: NDArray[np.int64]
    figures: Figures

    def at(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For each wanted key its place, and whether it is there at all."""
        if not len(self.keys):
            return np.zeros(len(keys), dtype=np.intp), np.zeros(len(keys), dtype=bool)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return place, self.keys[place] == keys

    def look_up(self, keys: NDArray[np.int64], missing: float = np.nan) -> Figures:
        """Every figure of the wanted keys; `missing` where there is none."""
        place, there = self.at(keys)
        if not len(self.keys):
            return {name: np.full(len(keys), missing, dtype=np.float32) for name in self.figures}
        return {
            name: np.where(there, values[place], np.float32(missing)).astype(np.float32)
            for name, values in self.figures.items()
        }


def pair_figures(history: History, items: int) -> Keyed:
    """What a customer did with an item: how often, how evenly, how lately.

    The key is `customer * items + item`.
    """
    key = history.customer.astype(np.int64) * items + history.item
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    times = np.diff(np.append(starts, len(key)))
    ends = starts + times - 1
    age, ago = history.age_days, history.baskets_ago
    gaps, deviation = _gaps(key, age, starts)
    figures = {
        "times": times,
        "last_age": age[ends],
        "first_age": age[starts],
        "gap": gaps,
        "gap_deviation": deviation,
        "last_baskets_ago": ago[ends],
        "first_baskets_ago": ago[starts],
        "times_28": _sums(age <= RECENT, starts),
        "times_84": _sums(age <= BEFORE, starts),
        "last_quantity": history.quantity[ends],
        "quantity": _sums(history.quantity, starts) / times,
        "price": _ratio(_sums(history.value, starts), _sums(history.quantity, starts)),
        "place": _place_within(key[starts] // items, _sums(np.exp2(-age / np.float32(HALF_LIVES[1])), starts)),
        **{f"faded_{life:g}": _sums(np.exp2(-age / np.float32(life)), starts) for life in HALF_LIVES},
        **{f"faded_baskets_{rate:g}": _sums(np.power(rate, ago - 1.0), starts) for rate in BASKET_DECAYS},
    }
    return Keyed(key[starts], {name: np.asarray(values, dtype=np.float32) for name, values in figures.items()})


def customer_figures(history: History, pairs: Keyed, customers: int, items: int) -> Figures:
    """How a customer shops: how often, how much, how much of it new; each of shape (customers,)."""
    baskets = _baskets(history)
    who, age = baskets["customer"].to_numpy(), baskets["age_days"].to_numpy()
    count = np.bincount(who, minlength=customers).astype(np.float32)
    newest = _extreme(np.minimum, who, age, customers)
    oldest = _extreme(np.maximum, who, age, customers)
    entries = np.bincount(history.customer, minlength=customers).astype(np.float32)
    owner = pairs.keys // items
    distinct = np.bincount(owner, minlength=customers).astype(np.float32)
    recent = np.bincount(history.customer[history.age_days <= RECENT], minlength=customers)
    fresh = np.bincount(owner[pairs.figures["first_age"] <= RECENT], minlength=customers)
    spent = np.bincount(history.customer, weights=history.value, minlength=customers)
    bought = np.bincount(history.customer, weights=history.quantity, minlength=customers)
    return {
        "customer_baskets": count,
        "customer_baskets_28": np.bincount(who[age <= RECENT], minlength=customers).astype(np.float32),
        "customer_baskets_84": np.bincount(who[age <= BEFORE], minlength=customers).astype(np.float32),
        "customer_last_age": newest,
        "customer_gap": np.where(count > 1, (oldest - newest) / np.maximum(count - 1, 1), np.nan).astype(np.float32),
        "customer_tenure": oldest,
        "customer_basket_size": _ratio(entries, count),
        "customer_items": distinct,
        "customer_repeat_share": 1 - _ratio(distinct, entries),
        "customer_new_share_28": _ratio(fresh, recent),
        "customer_price": _ratio(spent, bought),
    }


def item_figures(history: History, pairs: Keyed, items: int) -> Figures:
    """How an item sells: to how many, how lately, how often again; each of shape (items,)."""
    item = (pairs.keys % items).astype(np.int64)
    by_item = pairs.figures
    customers = np.bincount(item, minlength=items).astype(np.float32)
    lately = np.bincount(item[by_item["times_28"] > 0], minlength=items).astype(np.float32)
    season = np.bincount(item[by_item["times_84"] > by_item["times_28"]], minlength=items).astype(np.float32)
    again = np.bincount(item[by_item["times"] > 1], minlength=items).astype(np.float32)
    known = np.isfinite(by_item["gap"])
    intervals = np.where(known, by_item["times"] - 1, 0)
    waited = np.bincount(item, weights=np.where(known, by_item["gap"] * intervals, 0), minlength=items)
    recent = history.age_days <= RECENT
    price = _ratio(
        np.bincount(history.item, weights=history.value, minlength=items),
        np.bincount(history.item, weights=history.quantity, minlength=items),
    )
    recent_price = _ratio(
        np.bincount(history.item[recent], weights=history.value[recent], minlength=items),
        np.bincount(history.item[recent], weights=history.quantity[recent], minlength=items),
    )
    return {
        "item_customers": customers,
        "item_customers_28": lately,
        "item_new_28": np.bincount(item[by_item["first_age"] <= RECENT], minlength=items).astype(np.float32),
        "item_new_7": np.bincount(item[by_item["first_age"] <= 7], minlength=items).astype(np.float32),
        "item_trend": _ratio(lately + 1, season / 2 + 1),
        "item_week": np.bincount(history.item[history.age_days <= 7], minlength=items).astype(np.float32),
        "item_times": _ratio(np.bincount(history.item, minlength=items), customers),
        "item_repurchase": _ratio(again, customers),
        "item_gap": _ratio(waited, np.bincount(item, weights=intervals, minlength=items)),
        "item_first_age": _extreme(np.maximum, history.item, history.age_days, items),
        "item_last_age": _extreme(np.minimum, history.item, history.age_days, items),
        "item_price": price,
        "item_price_now": _ratio(recent_price, price),
    }


def taste_figures(
    history: History, pairs: Keyed, codes: NDArray[np.int64], customers: int
) -> tuple[Keyed, Floats, int]:
    """What a customer did with all items that share an attribute's value.

    Args:
        history: of the customers.
        pairs: of the same history.
        codes: int64 of shape (items,): the number of each item's value.
        customers: how many there are.

    Returns:
        Figures by `customer * values + value`; float32 of shape (values,), of all that is bought of a value the share
        that is new to its customer; and the number of values.
    """
    size = int(codes.max(initial=-1)) + 1
    key = history.customer.astype(np.int64) * size + codes[history.item]
    faded = np.exp2(-history.age_days / np.float32(HALF_LIVES[1]))
    frame = pd.DataFrame({"key": key, "faded": faded, "age": history.age_days})
    found = frame.groupby("key", sort=True).agg(
        times=("faded", "size"), faded=("faded", "sum"), last_age=("age", "min"), first_age=("age", "max")
    )
    keys = found.index.to_numpy(dtype=np.int64)
    owner = keys // size
    total = np.bincount(history.customer, weights=faded, minlength=customers)[owner]
    times = found["times"].to_numpy(dtype=np.float32)
    span = (found["first_age"] - found["last_age"]).to_numpy(dtype=np.float32)
    owned = (pairs.keys // len(codes)) * size + codes[pairs.keys % len(codes)]
    distinct = np.bincount(np.searchsorted(keys, owned), minlength=len(keys))
    lately = np.bincount(np.searchsorted(keys, owned[pairs.figures["first_age"] <= RECENT]), minlength=len(keys))
    value = keys % max(size, 1)
    newness = _ratio(
        np.bincount(value, weights=distinct, minlength=size), np.bincount(value, weights=times, minlength=size)
    )
    figures = {
        "times": times,
        "share": _ratio(found["faded"], total),
        "variety": _ratio(distinct, times),
        "new_28": lately.astype(np.float32),
        "last_age": found["last_age"].to_numpy(dtype=np.float32),
        "gap": np.where(times > 1, span / np.maximum(times - 1, 1), np.nan).astype(np.float32),
    }
    return Keyed(keys, figures), newness, size


def _place_within(owner: NDArray[np.int64], values: NDArray[np.float64]) -> Floats:
    """Place of each entry among its owner's, from 1 for the largest; equals in the order of entries."""
    order = np.lexsort((-values, owner))
    first = np.searchsorted(owner[order], owner[order])
    place = np.empty(len(owner), dtype=np.float32)
    place[order] = np.arange(len(owner)) - first + 1
    return place


def _gaps(key: NDArray[np.int64], age: Floats, starts: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the days between an entry and the next of its pair; NaN with a single entry."""
    gap = np.zeros(len(age), dtype=np.float64)
    gap[1:] = np.where(key[1:] == key[:-1], age[:-1] - age[1:], 0)
    number = np.diff(np.append(starts, len(key))) - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _sums(gap, starts) / number
        deviation = np.sqrt(np.maximum(_sums(gap * gap, starts) / number - mean * mean, 0))
    single = number == 0
    return (
        np.where(single, np.nan, mean).astype(np.float32),
        np.where(single, np.nan, deviation).astype(np.float32),
    )


def _baskets(history: History) -> pd.DataFrame:
    """One row per customer and basket, with its age."""
    frame = pd.DataFrame(
        {"customer": history.customer, "baskets_ago": history.baskets_ago, "age_days": history.age_days}
    )
    return frame.groupby(["customer", "baskets_ago"])["age_days"].max().reset_index()


def _sums(values: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    if not len(starts):
        return np.zeros(0)
    return np.asarray(np.add.reduceat(values.astype(np.float64), starts), dtype=np.float64)


def _ratio(above: Any, below: Any) -> Floats:
    """Above over below; NaN where below is 0."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    found = np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0)
    return np.asarray(found, dtype=np.float32)


def _extreme(which: np.ufunc, owner: NDArray[Any], values: NDArray[Any], size: int) -> Floats:
    """The smallest or largest value of each owner; NaN without any."""
    start = np.inf if which is np.minimum else -np.inf
    found = np.full(size, start, dtype=np.float32)
    which.at(found, owner, values)
    return np.where(np.isfinite(found), found, np.nan).astype(np.float32)
