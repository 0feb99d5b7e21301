"""What every test needs: a DuckDB of its own, and tables from literal rows."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import hypothesis
import pandas as pd
import pytest

# Several tests run at once: threads of OpenMP that wait for a processor spin, and a second takes minutes.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from cx_assets.table import Table, from_frame
from cx_assets_tests.runs import load_shop
from cx_assets_tests.shop import Shop, write_shop

# How long an example takes is the machine's affair; speed is measured in benchmarks.
hypothesis.settings.register_profile("whole_time", deadline=None)
hypothesis.settings.load_profile("whole_time")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.fixture
def tables(connection: duckdb.DuckDBPyConnection) -> Callable[[pd.DataFrame], Table]:
    """A function from a DataFrame to a Table on this test's connection."""
    return lambda frame: from_frame(connection, frame)


@dataclass(frozen=True)
class LoadedShop:
    """The generated shop after a run of ingestion and warehouse with all their checks."""

    shop: Shop
    database: Path
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="session")
def loaded_shop(tmp_path_factory: pytest.TempPathFactory) -> LoadedShop:
    """Made once; a test that tampers with its database copies it first."""
    folder = tmp_path_factory.mktemp("second_shop")
    shop = write_shop(folder, customers=24, items=40, days=20)
    database = folder / "data" / "working.duckdb"
    return LoadedShop(shop, database, load_shop(database, shop.dataset, checked=True))
