"""A small shop with three kinds of customers, for the tests of this stage, and the stage run on it."""

from dataclasses import dataclass

import dagster as dg
import duckdb
import numpy as np
import pandas as pd

from cx_assets.segments import assets, tables
from cx_assets.table import Table, TableSpec, from_frame
from cx_assets.table.storage import read, write

ITEMS = pd.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(12)],
        "category": ["MILK", "BEER", "WINE", "BREAD", "SOAP", "TOYS"] * 2,
    }
)
# (baskets, items a basket, value of an item, first item): regulars, beer drinkers, passers-by.
KINDS = ((20, 5, 10.0, 0), (10, 2, 4.0, 1), (2, 1, 1.0, 2))
COLUMNS = ["customer_id", "basket_id", "item_id", "day", "value", "event_type"]


def shop_events(customers: int) -> pd.DataFrame:
    """Purchases of `customers` customers, of the three kinds in turn."""
    rng = np.random.default_rng(4)
    rows = []
    for c in range(customers):
        baskets, size, value, first = KINDS[c % 3]
        for b in range(baskets):
            # Evenly over the quarter, so that customers of a kind differ by little more than what they spend.
            day = pd.Timestamp("2024-01-01") + pd.Timedelta(days=90 * b // baskets + int(rng.integers(0, 3)))
            picked = {f"i{(first + b + k) % 12}" for k in range(size)}
            spent = round(value * float(rng.uniform(0.8, 1.2)), 2)
            rows += [(f"c{c:03}", f"b{c}-{b}", item, day, spent, "purchase") for item in sorted(picked)]
    events = pd.DataFrame(rows, columns=COLUMNS)
    return events.assign(occurred_at=events["day"] + pd.Timedelta(hours=12), day=events["day"].dt.date)


@dataclass(frozen=True)
class Stage:
    """The tables of the stage, as stored, those it was made from, and the metadata of its assets."""

    events: Table
    items: Table
    customers: Table
    customer_features: Table
    customer_segments: Table
    segment_profiles: Table
    metadata: dict[str, object]


def run_stage(connection: duckdb.DuckDBPyConnection, events: pd.DataFrame, strangers: tuple[str, ...] = ()) -> Stage:
    """The three assets, each stored as declared before the next reads it; `strangers` are customers without events."""
    sources = {
        "events": from_frame(connection, events),
        "items": from_frame(connection, ITEMS),
        "customers": from_frame(
            connection, pd.DataFrame({"customer_id": [*events["customer_id"].unique(), *strangers]})
        ),
    }
    features = _stored(
        connection, tables.CUSTOMER_FEATURES, assets.customer_features(sources["events"], sources["items"])
    )
    context = dg.build_asset_context()
    segments = _stored(
        connection,
        tables.CUSTOMER_SEGMENTS,
        assets.customer_segments(
            context, assets.SegmentConfig(bootstraps=4), features, sources["events"], sources["customers"]
        ),
    )
    metadata = dict(context.get_output_metadata("result") or {})
    profiles = _stored(
        connection,
        tables.SEGMENT_PROFILES,
        assets.segment_profiles(dg.build_asset_context(), segments.df(), features, sources["events"]),
    )
    return Stage(
        **sources,
        customer_features=features,
        customer_segments=segments,
        segment_profiles=profiles,
        metadata=metadata,
    )


def _stored(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: Table | pd.DataFrame) -> Table:
    """What a later asset reads after `rows` have been written."""
    write(connection, spec, rows if isinstance(rows, Table) else from_frame(connection, rows))
    return read(connection, spec)
