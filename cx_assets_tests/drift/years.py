"""Generated years of a shop's raw events: what its customers do follows a season, and nothing is wrong with the data.

Belongs here: seasons and shops. Does not: what goes wrong (`faults`) or whether it is noticed (`rates`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa

FIRST_DAY: Final = date(2023, 1, 1)
DAYS: Final = 365
SEASONS: Final = ("weekly", "yearly", "growth", "holidays", "noise")
Array = np.ndarray


@dataclass(frozen=True)
class Year:
    """What a shop delivered.

    Attributes:
        events: offset (days from the first), second (of the day) and the canonical columns; ids are whole numbers.
        categories: of each item, by its number.
        baskets_told: whether the events say which basket they are of.
    """

    events: pa.Table
    categories: Array
    baskets_told: bool


def generate_year(season: str, seed: int, days: int = DAYS, baskets: float | None = None) -> Year:
    """A year with one of the `SEASONS`, which is strong; the others are in it, but weak.

    Each seed is another shop: how many customers, items, stores and baskets it has, which types of events, whether
    baskets are told and stores always known. All of them gain customers and items, and prices rise.
    """
    rng = np.random.default_rng([seed, SEASONS.index(season)])
    a_day = baskets or float(rng.uniform(60, 250))
    count = rng.poisson(a_day * _volume(rng, season, days))
    day = np.repeat(np.arange(days), count)
    weekend = np.isin(_weekday(day), (5, 6))
    n = len(day)
    pool = int(a_day * rng.uniform(5, 15))
    known = (pool * (1 + (1.0 if season == "growth" else 0.2) * day / DAYS)).astype(np.int64)
    customer = (known * rng.random(n) ** rng.uniform(1.2, 2)).astype(np.int64)
    lines = 1 + rng.poisson(rng.uniform(2, 6) * np.where(weekend, 1.15, 1), n)
    second = np.clip(
        np.where(rng.random(n) < 0.35, 11.5, 17.5) * 3600 + rng.normal(0, 6500, n) + weekend * 2000, 0, 86399
    )
    per_line = {"offset": day, "second": second.astype(np.int64), "customer_id": customer, "basket_id": np.arange(n)}
    columns = {name: np.repeat(values, lines) for name, values in per_line.items()}
    columns["store_id"] = np.repeat(_stores(rng, season, day), lines)
    items = _items(rng, columns["offset"])
    columns |= {**items.columns, **_types(rng, columns["offset"], items.columns["price"])}
    del columns["price"]
    return Year(pa.table(columns), items.categories, bool(rng.random() < 0.7))


def _weekday(day: Array) -> Array:
    return (day + FIRST_DAY.weekday()) % 7


def _volume(rng: np.random.Generator, season: str, days: int) -> Array:
    """How busy each day is, around 1."""
    at = np.arange(days)
    strong = season == "weekly"
    weekly = rng.uniform(0.45, 1.8, 7) if strong else rng.uniform(0.85, 1.2, 7)
    if strong and rng.random() < 0.3:
        weekly[6] = 0  # closed on Sundays
    yearly = 1 + (0.4 if season == "yearly" else 0.08) * np.sin(2 * np.pi * (at / DAYS + rng.random()))
    growth = (2.5 if season == "growth" else 1.1) ** (at / DAYS)
    noise = rng.standard_t(4, days) * (0.12 if season == "noise" else 0.04)
    return np.asarray(weekly[_weekday(at)] * yearly * growth * _holidays(rng, season, at) * np.exp(noise))


def _holidays(rng: np.random.Generator, season: str, at: Array) -> Array:
    """Ten holidays on which less or more is going on, and two busy weeks before Christmas; of other seasons, none."""
    factor = np.ones(len(at))
    if season == "holidays":
        chosen = rng.choice(len(at), min(10, len(at)), replace=False)
        factor[chosen] = rng.choice([0.4, 0.6, 0.75, 1.3, 1.6], len(chosen))
        factor *= 1 + 0.5 * np.clip((at - 340) / 14, 0, 1) * (at < 358)
    return factor


def _stores(rng: np.random.Generator, season: str, day: Array) -> Array:
    """The store of each basket: a few large ones and small ones, two that open in a year of growth; -1 is none."""
    stores = int(rng.integers(3, 20))
    weight = rng.dirichlet(np.full(stores, 3.0))
    store = rng.choice(stores, len(day), p=weight)
    if season == "growth":
        for number, opens in enumerate((130, 250)):
            store = np.where((day >= opens) & (rng.random(len(day)) < 0.06), stores + number, store)
    online = rng.choice([0.0, 0.05, 0.15])
    return np.where(rng.random(len(day)) < online, -1, store)


_BLOCK = 3  # days over which what is liked doesn't change


@dataclass(frozen=True)
class _Items:
    columns: dict[str, Array]
    categories: Array


def _items(rng: np.random.Generator, day: Array) -> _Items:
    """The item of each row: categories come and go with the year, items are launched all year."""
    count, kinds = int(rng.integers(200, 1200)), int(rng.integers(8, 25))
    categories = rng.integers(0, kinds, count)
    launched = np.where(rng.random(count) < 0.8, 0, rng.integers(0, DAYS, count))
    liked = rng.pareto(1.5, count) + 0.1
    phase, amplitude = rng.random(kinds), rng.uniform(0, 0.5, kinds)
    item = np.empty(len(day), dtype=np.int64)
    for start in range(0, int(day.max(initial=0)) + 1, _BLOCK):
        rows = np.flatnonzero(day // _BLOCK == start // _BLOCK)
        season = 1 + amplitude * np.sin(2 * np.pi * (start / DAYS + phase))
        weight = liked * season[categories] * (launched <= start)
        item[rows] = rng.choice(count, len(rows), p=weight / weight.sum())
    price = np.round(rng.lognormal(1.5, 0.8, count), 2)[item] * (1 + 0.04 * day / DAYS)
    return _Items({"item_id": item, "price": price}, categories)


def _types(rng: np.random.Generator, day: Array, price: Array) -> dict[str, Array]:
    """What was done, how many, what it was worth, and how it was rated: by the mix of the shop."""
    n = len(day)
    mixes = ([1.0, 0, 0, 0], [0.12, 0.68, 0.17, 0.03], [0.9, 0, 0, 0.1])
    mix = np.array(mixes[int(rng.integers(len(mixes)))])
    kind = rng.choice(4, n, p=mix)
    bought = kind == 0
    quantity = np.where(bought, rng.geometric(rng.uniform(0.5, 0.8), n), 1)
    discount = np.where(rng.random(n) < 0.2, rng.choice([0.9, 0.8, 0.5], n), 1.0)
    value = np.where(bought, np.round(quantity * price * discount, 2), 0.0)
    rating = np.where(kind == 3, rng.choice(5, n, p=[0.05, 0.05, 0.2, 0.35, 0.35]) + 1, 0)
    return {"event_type": kind, "quantity": quantity, "value": value, "rating": rating}
