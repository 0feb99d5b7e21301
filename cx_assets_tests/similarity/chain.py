"""The stages matrices and similarity on a real DuckDB file, below literal events, customers and items."""

from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from cx_assets.matrices import checks as matrices_checks
from cx_assets.matrices import tables as matrices_tables
from cx_assets.matrices.assets import interactions
from cx_assets.matrices.config import InteractionWeights
from cx_assets.similarity import checks as similarity_checks
from cx_assets.similarity import tables as similarity_tables
from cx_assets.similarity.assets import content_neighbours, customer_neighbours, item_neighbours
from cx_assets.table import column, schema, structure_check, table_asset
from cx_assets_tests.runs import resources

TEXT, NUMBER = "varchar", "double"
EVENTS = schema(
    "warehouse",
    "events",
    "events",
    *(column(name, TEXT, name) for name in ("event_id", "customer_id", "item_id", "event_type")),
    column("day", "date", "day"),
    column("occurred_at", "timestamp", "when"),
    column("quantity", NUMBER, "quantity"),
    column("value", NUMBER, "value"),
    column("rating", NUMBER, "rating", nullable=True),
)
CUSTOMERS = schema("warehouse", "customers", "customers", column("customer_id", TEXT, "who"))
ITEMS = schema(
    "warehouse",
    "items",
    "items",
    *(column(name, TEXT, name) for name in ("item_id", "name", "category", "brand")),
    column("brand_imputed", "boolean", "whether the brand was filled in"),
)
SPECS = [
    matrices_tables.INTERACTIONS,
    similarity_tables.CUSTOMER_NEIGHBOURS,
    similarity_tables.ITEM_NEIGHBOURS,
    similarity_tables.CONTENT_NEIGHBOURS,
]


def catalogue(events: pd.DataFrame) -> pd.DataFrame:
    """An item per item of the events, all alike."""
    ids = sorted(set(events["item_id"]))
    return pd.DataFrame({"item_id": ids, "name": ids, "category": "tea", "brand": "p", "brand_imputed": False})


def run(
    database: Path, events: pd.DataFrame, items: pd.DataFrame | None = None, config: dict[str, Any] | None = None
) -> dg.ExecuteInProcessResult:
    """Materialize both stages with all their checks."""
    rows = {
        "events": events,
        "customers": pd.DataFrame({"customer_id": sorted(set(events["customer_id"]))}).astype(str),
        "items": catalogue(events) if items is None else items,
    }

    @table_asset(EVENTS, code_version="1")
    def given_events() -> pd.DataFrame:
        """Events."""
        return rows["events"]

    @table_asset(CUSTOMERS, code_version="1")
    def given_customers() -> pd.DataFrame:
        """Customers."""
        return rows["customers"]

    @table_asset(ITEMS, code_version="1")
    def given_items() -> pd.DataFrame:
        """Items."""
        return rows["items"]

    upstream = [given_events, given_customers, given_items]
    stages = [interactions, customer_neighbours, item_neighbours, content_neighbours]
    checks = [*dg.load_asset_checks_from_modules([matrices_checks, similarity_checks]), *map(structure_check, SPECS)]
    return dg.materialize(
        [*upstream, *stages, *checks],
        resources=resources(database) | {"interaction_weights": InteractionWeights()},
        run_config={"ops": {name: {"config": given} for name, given in (config or {}).items()}},
    )
