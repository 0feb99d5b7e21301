"""A tiny shop with lists of some recommenders.

Belongs here: building rows. Does not belong here: any expectation.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from cx_assets.evaluation.figures import JudgedLists
from cx_assets.evaluation.judging import ROWS
from cx_assets.evaluation.list_context import ListContext
from cx_assets.evaluation.list_figures import list_metric_rows
from cx_assets.evaluation.split import Window
from cx_assets.table import Table

AS_OF = datetime(2024, 3, 1)
WINDOW = Window(AS_OF, 7)
Tables = Callable[[pd.DataFrame], Table]
Event = tuple[str, str, str, float]

ITEMS = pd.DataFrame(
    {
        "item_id": ["bread", "fuel", "milk", "rolls", "tea"],
        "category": ["bakery", "fuel", "dairy", "bakery", "drinks"],
        "recommendable": [True, False, True, True, True],
        "brand": ["own", "own", "own", "own", "fine"],
        "brand_imputed": False,
    }
)
# Had before by: bread 2 customers, milk 1, fuel 3.
BEFORE: list[Event] = [
    ("2024-02-01", "a", "bread", 1),
    ("2024-02-02", "a", "bread", 1),
    ("2024-02-02", "a", "bread", 1),
    ("2024-02-02", "a", "milk", 2),
    ("2024-02-03", "a", "fuel", 50),
    ("2024-02-03", "b", "bread", 1),
    ("2024-02-03", "b", "fuel", 40),
    ("2024-02-03", "c", "fuel", 30),
]
# a pays 4 + 1 for tea, 2 for milk, and 3 for rolls, which nobody is shown; b pays 6 for milk.
AFTER: list[Event] = [
    ("2024-03-01", "a", "tea", 4),
    ("2024-03-07", "a", "tea", 1),
    ("2024-03-02", "a", "milk", 2),
    ("2024-03-02", "a", "rolls", 3),
    ("2024-03-02", "b", "milk", 6),
]
LATER: list[Event] = [("2024-03-08", "a", "tea", 100), ("2024-03-09", "c", "tea", 100)]
SHOWN = [
    ("popular", "a", ["bread", "milk"], [False, True]),
    ("popular", "b", ["bread", "milk"], [False, True]),
    ("shy", "a", ["tea"], [True]),
    ("shy", "b", [], []),
    ("silent", "a", [], []),
    ("silent", "b", [], []),
]


def events_of(rows: list[Event], event_type: str = "purchase") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["occurred_at", "customer_id", "item_id", "value"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"]).astype("datetime64[us]")
    return frame.assign(day=frame["occurred_at"].dt.date, event_type=event_type, value=frame["value"].astype(float))


def judged_of(
    shown: list[tuple[str, str, list[str], list[bool]]], *, window: Window = WINDOW, which: str = "both", depth: int = 2
) -> JudgedLists:
    rows = [
        dict(zip(ROWS.names, (name, which, customer, 1, items, hits, window.as_of, window.horizon_days), strict=True))
        for name, customer, items, hits in shown
    ]
    return JudgedLists.from_arrow(pa.Table.from_pylist(rows, schema=ROWS), depth)


def by_item(values: NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(judged_of(SHOWN).items, values.tolist(), strict=True))


def rows_of(judged: JudgedLists, context: ListContext, ks: tuple[int, ...] = (1, 2)) -> pd.DataFrame:
    return list_metric_rows(judged, context, ks, resamples=200, seed=0)


def value(frame: pd.DataFrame, recommender: str, metric: str, k: int) -> float:
    return float(frame.query("recommender == @recommender and metric == @metric and k == @k")["value"].item())
