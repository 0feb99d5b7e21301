"""A shop whose data are in a PostgreSQL server goes from there to published lists and a report, as from its files."""

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import psycopg
import pytest
from psycopg import sql

from cx_assets_tests.servers import CANARY, postgres
from cx_assets_tests.whole_shop import MANIFEST, WholeShop, whole_shop

pytestmark = pytest.mark.whole

SOURCE = re.compile(r'\{files: "?([\w/*.]+)"?, format: (csv|jsonl)(, delimiter: "(.)")?\}')


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> WholeShop:
    """The shop that has its files."""
    return whole_shop(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def shop(whole: WholeShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WholeShop, dict[str, str]]]:
    """The second shop with a table for each of its sources, every value a text; and how to connect."""
    moved = WholeShop(tmp_path_factory.mktemp("database_shop"))
    with postgres() as server:
        dsn = f"postgresql://cx:{quote(CANARY, '')}@127.0.0.1:{server['port']}/postgres"
        with psycopg.connect(dsn, autocommit=True) as connection:

            def moved_source(found: re.Match[str]) -> str:
                files, _, _, delimiter = found.groups()
                name = re.sub(r"\W", "_", files)
                fill(connection, name, rows_of(sorted(whole.folder.glob(files)), delimiter or ","))
                return f"{{database: {{kind: postgres, connection: '${{SHOP_DSN}}', table: {name}}}}}"

            manifest, count = SOURCE.subn(moved_source, (whole.folder / MANIFEST).read_text("utf-8"))
        assert count == manifest.count("source:")
        (moved.folder / MANIFEST).write_text(manifest, "utf-8")
        yield moved, moved.environment(SHOP_DSN=dsn)


def rows_of(files: list[Path], delimiter: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows += csv.DictReader(lines, delimiter=delimiter) if file.suffix == ".csv" else map(json.loads, lines)
    return rows


def fill(connection: psycopg.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    """A table of texts; what is empty in a file is null."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    typed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in columns)
    connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), typed))
    with connection.cursor().copy(sql.SQL("copy {} from stdin").format(sql.Identifier(name))) as copy:
        for row in rows:
            values = (row.get(column) for column in columns)
            copy.write_row(None if value in (None, "") else str(value) for value in values)


def cx(environment: dict[str, str], command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cx_assets.cli", command], env=environment, capture_output=True, text=True, check=False
    )


def test_doctor_finds_in_the_database_what_is_rejected_of_the_files(shop: tuple[WholeShop, dict[str, str]]) -> None:
    doctor = cx(shop[1], "doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "time does not parse: occurred_at is 'yesterday'" in doctor.stdout


def test_a_run_leads_from_the_database_to_the_lists_of_the_files(
    whole: WholeShop, shop: tuple[WholeShop, dict[str, str]]
) -> None:
    moved, environment = shop
    run = cx(environment, "run")
    assert run.returncode == 0, run.stdout
    assert (moved.settings.published_dir / "report.html").is_file()
    with duckdb.connect() as connection:
        for alias, path in (("files", whole.published), ("tables", moved.published)):
            connection.execute(f"attach '{path}' as {alias} (read_only)")
        for name in ("recommendations.recommendations", "segments.customer_segments", "rules.rules"):
            files, tables = f"from files.{name}", f"from tables.{name}"
            query = f"select count(*) from (({files} except {tables}) union all ({tables} except {files}))"
            assert connection.execute(query).fetchall() == [(0,)], name
            assert connection.execute(f"select count(*) > 0 {tables}").fetchall() == [(True,)]
