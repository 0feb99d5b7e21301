"""The events of a shop before anybody exports them, and what a manifest must make of an export.

Belongs here: what the styles have in common. Does not: a style (`styles`).
"""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

CUSTOMERS, ITEMS, EVENTS = 40, 30, 600


@dataclass(frozen=True)
class Sold:
    """One line of an order, whatever the export calls it."""

    at: datetime
    customer: int
    item: int
    order: int
    pieces: int
    price: float
    stars: int
    kind: str = "purchase"

    @property
    def value(self) -> float:
        return round(self.pieces * self.price, 2)


@dataclass(frozen=True)
class Truth:
    """What a style's files hold.

    Attributes:
        events: time (UTC), customer, item, type, quantity, value and rating of each, sorted.
        tables: the glob of the file of each table that must be found.
        personal: columns that must be kept out.
    """

    events: list[tuple[Any, ...]]
    tables: Mapping[str, str]
    personal: frozenset[str] = frozenset()


def sold(count: int = EVENTS, *, seed: int = 3, kinds: Sequence[str] = ("purchase",)) -> list[Sold]:
    """Lines in the order of their time."""
    rng = np.random.default_rng(seed)
    start = datetime(2025, 1, 3, 8)
    minutes = np.sort(rng.choice(60 * 24 * 75, size=count, replace=False))
    price = np.round(1 + 1500 * rng.random(ITEMS) ** 4, 2)
    found = []
    for number, minute in enumerate(minutes):
        item = int(rng.integers(ITEMS))
        at = start + timedelta(minutes=int(minute))
        kind = str(rng.choice(np.array(kinds)))
        found.append(
            Sold(at, int(rng.integers(CUSTOMERS)), item, 5000 + number // 2, int(rng.integers(1, 5)),
                 float(price[item]), int(rng.integers(1, 6)), kind)
        )  # fmt: skip
    return found


def facts(
    lines: Iterable[Sold], customer: str = "{}", item: str = "{}", *, worth: bool = True, rated: bool = False
) -> list[tuple[Any, ...]]:
    """Lines as the events that a manifest must make of them."""
    return sorted(
        (
            line.at.replace(second=0), customer.format(line.customer + 1), item.format(line.item + 1), line.kind,
            float(line.pieces) if worth else 1.0, line.value if worth else 0.0, float(line.stars) if rated else None,
        )
        for line in lines
    )  # fmt: skip


def write(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, sign: str = ",", encoding: str = "utf-8"
) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=sign)
    writer.writerow(header)
    writer.writerows(rows)
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
