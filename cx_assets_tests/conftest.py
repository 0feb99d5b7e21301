"""What every test needs: a DuckDB of its own, and tables from literal rows."""

from collections.abc import Callable, Iterator

import duckdb
import pandas as pd
import pytest

from cx_assets.table import Table, from_frame


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield connection


@pytest.fixture
def tables(connection: duckdb.DuckDBPyConnection) -> Callable[[pd.DataFrame], Table]:
    """A function from a DataFrame to a Table on this test's connection."""
    return lambda frame: from_frame(connection, frame)
