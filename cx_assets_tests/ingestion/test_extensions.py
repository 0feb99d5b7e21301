"""Laws of loading extensions: from a wheel, or not at all, and never by a download."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.ingestion import extensions
from cx_assets.ingestion.extensions import load_extension
from cx_assets.source import SourceError


def test_an_extension_comes_from_its_wheel(connection: duckdb.DuckDBPyConnection) -> None:
    load_extension(connection, "excel")
    load_extension(connection, "excel")
    told = connection.execute("select loaded, installed from duckdb_extensions() where extension_name = 'excel'")
    assert told.fetchone() == (True, False)


def test_an_extension_that_is_nowhere_is_not_downloaded_and_the_person_told_what_to_install(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute(f"set extension_directory = '{tmp_path}'")
    with pytest.raises(SourceError, match=r"DuckDB's extension ui, .* pip install duckdb-extension-ui==1\.5") as told:
        load_extension(connection, "ui")
    assert "install ui" in str(told.value)
    assert list(tmp_path.rglob("*.duckdb_extension*")) == []


def test_a_wheel_for_another_version_is_not_loaded(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute(f"set extension_directory = '{tmp_path}'")
    monkeypatch.setattr(extensions.duckdb, "__version__", "1.5.99")
    with pytest.raises(
        SourceError, match=r"none for DuckDB 1\.5\.99 here.*duckdb-extension-postgres-scanner==1\.5\.99"
    ):
        load_extension(connection, "postgres_scanner")
