"""Running real assets on a real DuckDB file, as briefly as a test wants to say it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pandas as pd

from cx_assets.automation import RANGE_END, RANGE_START
from cx_assets.dataset import Dataset
from cx_assets.ingestion.assets import ingestion_assets
from cx_assets.ingestion.checks import ingestion_laws
from cx_assets.linkage.assets import linkage_assets
from cx_assets.linkage.checks import linkage_checks
from cx_assets.partitions import daily_events
from cx_assets.privacy.assets import privacy_assets, privacy_checks
from cx_assets.privacy.protection import Protection
from cx_assets.settings import Settings
from cx_assets.table import TableSpec, structure_check
from cx_assets.table.checks import law_check
from cx_assets.table.io_manager import duckdb_tables
from cx_assets.table.metadata import declared_in
from cx_assets.table.warehouse import Warehouse
from cx_assets.warehouse.assets import warehouse_assets
from cx_assets.warehouse.checks import warehouse_laws
from cx_assets_tests.reconciliation import unaccounted

Definition = dg.AssetsDefinition | dg.AssetChecksDefinition


def resources(database: Path) -> dict[str, Any]:
    """What table assets and checks need, on one database."""
    return {"warehouse": Warehouse(path=str(database), lock_timeout_seconds=5), "tables": duckdb_tables}


def run(
    database: Path,
    definitions: Sequence[Definition],
    *,
    days: tuple[str, str] | None = None,
    selection: Any = None,
    instance: dg.DagsterInstance | None = None,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """Materialize assets and run their checks, over a range of days where they have days."""
    return dg.materialize(
        definitions,
        resources=resources(database),
        selection=selection,
        instance=instance,
        tags={RANGE_START: days[0], RANGE_END: days[1]} if days else None,
        raise_on_error=raise_on_error,
    )


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database between two runs, to look at or to tamper with."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with opened(database) as connection:
        return connection.execute(query).fetchall()


def frame(database: Path, query: str) -> pd.DataFrame:
    """What a query finds, as a frame."""
    with opened(database) as connection:
        return connection.execute(query).df()


def tamper(database: Path, *statements: str) -> None:
    """Change stored tables behind the project's back."""
    with opened(database) as connection:
        for statement in statements:
            connection.execute(statement)


def error_of(result: dg.ExecuteInProcessResult) -> str:
    """What the failed steps of a run say, causes included."""
    texts = []
    for event in result.all_events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            texts.append(error.message)
            error = error.cause
    return "\n".join(texts)


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    """The check verdicts of a run, by `asset: check`."""
    return {
        f"{verdict.asset_key.to_user_string()}: {verdict.check_name}": verdict
        for verdict in result.get_asset_check_evaluations()
    }


def failed(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The checks of a run that did not pass, with what they say."""
    return {name: str(verdict.description) for name, verdict in verdicts(result).items() if not verdict.passed}


def shop_assets(dataset: Dataset) -> list[dg.AssetsDefinition]:
    """Ingestion and warehouse."""
    days, protection = daily_events(dataset), Protection(dataset, Settings())
    return [
        *ingestion_assets(dataset, days, protection),
        *privacy_assets(dataset, protection),
        *linkage_assets(dataset, protection),
        *warehouse_assets(dataset, days),
    ]


def shop_checks(dataset: Dataset, *, rejected_limit: float = 0.02) -> dict[str, dg.AssetChecksDefinition]:
    """The laws of ingestion and warehouse, by `asset: check`."""
    protection = Protection(dataset, Settings())
    laws = [*ingestion_laws(dataset, protection), *warehouse_laws(dataset, Settings(rejected_limit=rejected_limit))]
    checks = [*map(law_check, laws), *privacy_checks(dataset, protection), *linkage_checks(dataset)]
    return {f"{key.asset_key.to_user_string()}: {key.name}": check for check in checks for key in check.check_keys}


def declared(asset: dg.AssetsDefinition) -> TableSpec:
    """The table that an asset makes."""
    return declared_in(asset.metadata_by_key[asset.key])


def load_shop(
    database: Path, dataset: Dataset, *, days: tuple[str, str] | None = None, checked: bool = False, **options: Any
) -> dg.ExecuteInProcessResult:
    """Run ingestion and warehouse over all days of a dataset or over some, with all their checks or without.

    After a run of everything over all days, every delivered event has to be accounted for.
    """
    assets = shop_assets(dataset)
    checks = [*shop_checks(dataset).values(), *(structure_check(declared(asset)) for asset in assets)]
    whole = dataset.first_day.isoformat(), dataset.last_known_day.isoformat()
    result = run(database, [*assets, *(checks if checked else [])], days=days or whole, **options)
    if result.success and days is None and "selection" not in options:
        assert unaccounted(database) == {}
    return result
