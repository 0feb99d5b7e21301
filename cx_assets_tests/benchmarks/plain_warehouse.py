"""The plain script's database, and its loading and cleaning.

Belongs here: from the dataset's files to clean tables. Does not: anything of the project that it is compared with.
"""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

HALF_LIFE_DAYS = 90


class Store:
    """The tables' database."""

    def __init__(self, path: Path) -> None:
        self._connection = duckdb.connect(str(path))

    def put(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table."""
        self._connection.register("frame", frame)
        self._connection.execute(f"create or replace table {name} as from frame")


def load(folder: Path, store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read, set aside what can't be used, fill what is missing, fold baskets, and join the category."""
    raw = pd.read_parquet(folder / "transactions.parquet").rename(
        columns={"household_id": "customer_id", "product_id": "item_id", "transaction_timestamp": "occurred_at"}
    )
    store.put("raw_events", raw)
    items = pd.read_parquet(folder / "products.parquet").rename(
        columns={"product_id": "item_id", "product_category": "category"}
    )
    customers = pd.read_parquet(folder / "demographics.parquet").rename(columns={"household_id": "customer_id"})
    for name, frame in (("raw_items", items), ("raw_customers", customers)):
        store.put(name, frame)
    for name in ("campaign_descriptions", "campaigns", "coupon_redemptions"):
        store.put(name, pd.read_parquet(folder / f"{name}.parquet"))
    needed = ["customer_id", "item_id", "occurred_at", "basket_id"]
    reason = np.select(
        [raw[needed].isna().any(axis=1), raw["quantity"] <= 0, raw["sales_value"] < 0],
        ["missing", "quantity", "value"],
        default="",
    )
    store.put("rejected_events", raw[reason != ""].assign(reason=reason[reason != ""]))
    lines = raw[reason == ""].drop_duplicates().sort_values("occurred_at", ignore_index=True)
    lines["day"] = lines["occurred_at"].dt.normalize()
    store.put("events", lines)
    items = items.merge(lines[["item_id"]].drop_duplicates(), on="item_id", how="outer")
    customers = customers.merge(lines[["customer_id"]].drop_duplicates(), on="customer_id", how="outer")
    for frame, key in ((items, "item_id"), (customers, "customer_id")):
        for column in frame.columns.drop(key):
            frame[f"{column}_imputed"] = frame[column].isna()
            frame[column] = frame[column].astype(object).fillna("unknown").astype(str)
    store.put("items", items)
    store.put("customers", customers)
    baskets = lines.groupby(["customer_id", "basket_id"], as_index=False).agg(
        occurred_at=("occurred_at", "min"),
        items=("item_id", "nunique"),
        quantity=("quantity", "sum"),
        value=("sales_value", "sum"),
    )
    store.put("baskets", baskets)
    return lines.merge(items[["item_id", "category"]], on="item_id", how="left"), items


def fold(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and item: how often, how much, since when, and how much of it is recent."""
    age = (lines["occurred_at"].max() - lines["occurred_at"]).dt.total_seconds() / 86_400
    return (
        lines.assign(weight=0.5 ** (age / HALF_LIFE_DAYS))
        .groupby(["customer_id", "item_id"], as_index=False)
        .agg(
            events=("basket_id", "size"),
            quantity=("quantity", "sum"),
            value=("sales_value", "sum"),
            first_at=("occurred_at", "min"),
            last_at=("occurred_at", "max"),
            weight=("weight", "sum"),
        )
    )
