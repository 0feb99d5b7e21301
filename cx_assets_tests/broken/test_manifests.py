"""Every way in which a manifest can't be meant: `cx run` tells it by its line and touches nothing."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets_tests.corner import GOOD, manifest, write_corner
from cx_assets_tests.processes import digests

OWN_ROW = "can't be used: an expression is made of the columns of its own row"
ITEM = "item_id: sku"
SOURCE = '{files: "orders/*.csv", format: csv}'
SQLITE = "{database: {kind: sqlite, connection: shop.db, table: orders}}"
POSTGRES = "{database: {kind: postgres, connection: '${CORNER_DSN}', table: orders}}"
NO_DELIMITER = "corner.yaml:7: events.0.source.delimiter: what stands between fields, such as ';': up to four bytes"

KINDS: Mapping[str, tuple[tuple[str, str], str]] = {
    "a second document follows": (
        ("title:", "---\ntitle:"),
        "corner.yaml:2: not valid YAML: but found another document",
    ),
    "a character that YAML can't have": (
        ("A corner", "A\0corner"),
        "corner.yaml: not valid YAML: unacceptable character",
    ),
    "an object of Python is asked for": (
        ("title: A corner shop", "title: !!python/object/apply:os.getcwd []"),
        "corner.yaml:2: not valid YAML: could not determine a constructor for the tag",
    ),
    "an alias holds itself": (
        ("title: A corner shop", "title: &a {b: *a}"),
        "corner.yaml: nested too deeply, or an alias",
    ),
    "a list is nested without end": (
        ("A corner shop", "[" * 3000 + "]" * 3000),
        "corner.yaml: nested too deeply, or an",
    ),
    "a list is written without its dashes": (
        ("  - source", "    source"),
        "corner.yaml:6: events: this is a list: write [a, b], or begin each entry with '- '",
    ),
    "a part with keys is one word": (
        (SOURCE, "orders.csv"),
        "corner.yaml:7: events.0.source: this has keys of its own: write them below it, or as {key: value}",
    ),
    "a rating has no lowest": (("[1, 5]", "[.nan, 5]"), "corner.yaml:5: rating_scale: [nan, 5.0] must be the lowest"),
    "a rating has no highest": (("[1, 5]", "[1, .inf]"), "corner.yaml:5: rating_scale: [1.0, inf] must be the lowest"),
    "a glob has ** inside a name": (
        ("orders/*.csv", "orders/**.csv"),
        "corner.yaml:7: events.0.source.files: ** stands",
    ),
    "a delimiter is a quote": (("format: csv}\n    col", "format: csv, delimiter: '\"'}\n    col"), NO_DELIMITER),
    "a delimiter is a line break": (("format: csv}\n    col", 'format: csv, delimiter: "\\n"}\n    col'), NO_DELIMITER),
    "a delimiter is nothing": (("format: csv}\n    col", "format: csv, delimiter: ''}\n    col"), NO_DELIMITER),
    "a day is written day first": (
        ("first_day: 2024-03-01", "first_day: 01.03.2024"),
        "first_day: there is no such day; days are written year first, as 2025-01-31",
    ),
    "a delimiter is not the file's": (
        ("format: csv}\n    col", "format: csv, delimiter: ';'}\n    col"),
        "corner.yaml:7: events.0.source: orders/may.csv: the header is one column, and looks parted by ',': write "
        'delimiter: "," in its source',
    ),
    "an expression ends one statement and begins another": (
        (ITEM, "item_id: sku; drop table x"),
        'corner.yaml:11: events.0.columns.item_id: Parser Error: syntax error at or near ";"',
    ),
    "an expression comments out what follows": (
        (ITEM, "item_id: sku --"),
        "corner.yaml:11: events.0.columns.item_id: Pars",
    ),
    "an expression asks about the warehouse": (
        (ITEM, "item_id: (select max(table_name) from duckdb_tables())"),
        f"corner.yaml:11: events.0.columns.item_id: a subquery {OWN_ROW}",
    ),
    "an expression reads the text of a file": (
        (ITEM, "item_id: (select content from read_text('/etc/hostname'))"),
        f"corner.yaml:11: events.0.columns.item_id: a subquery {OWN_ROW}",
    ),
    "an expression looks at other rows": (
        (ITEM, "item_id: row_number() over ()"),
        f"corner.yaml:11: events.0.columns.item_id: a window function {OWN_ROW}",
    ),
    "an expression makes several columns": (
        (ITEM, "item_id: columns(*)"),
        "corner.yaml:11: events.0.columns.item_id: an expression makes one column, not several",
    ),
    "an expression is empty": (
        (ITEM, "item_id: ''"),
        "corner.yaml:11: events.0.columns.item_id: it needs one SQL expression over the columns of a row",
    ),
    "an expression makes several rows": (
        (ITEM, "item_id: unnest([1, 2])"),
        "events.0.columns.item_id: Binder Error: UNN",
    ),
    "a database file is not there": (
        (SOURCE, SQLITE.replace("shop.db", "gone.db")),
        "corner.yaml:7: events.0.source: no such SQLite file: gone.db. Put it there or correct 'connection'.",
    ),
    "a database lacks the table": (
        (SOURCE, SQLITE.replace("table: orders", "table: order")),
        "corner.yaml:7: events.0.source: shop.db/order can't be read as a table of sqlite: Catalog Error: Table",
    ),
    "a variable of a database is not set": (
        (SOURCE, POSTGRES),
        "corner.yaml:7: events.0.source: the environment variable CORNER_DSN is not set. It holds the connection",
    ),
    "a password stands in the manifest": (
        (SOURCE, POSTGRES.replace("${CORNER_DSN}", "postgresql://ann:canary@host/shop")),
        "corner.yaml:7: events.0.source.database.connection: name the environment variable that holds the connection",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corner shop whose data folder holds what any opening of it would change."""
    (tmp_path / "data" / "published").mkdir(parents=True)
    (tmp_path / "data" / "working.duckdb").write_text("as it was", "utf-8")
    (tmp_path / "data" / "published" / "report.html").write_text("as it was", "utf-8")
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table orders (ordered_at, cust, sku)")
    database.close()
    monkeypatch.setenv("CX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("CORNER_DSN", raising=False)
    return write_corner(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_that_can_not_be_meant_is_told_by_its_line_and_nothing_is_touched(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    replacement, told = KINDS[kind]
    monkeypatch.setenv("CX_DATASET", manifest(folder, GOOD, replacement))
    before = digests(folder)
    result = CliRunner().invoke(app, ["run"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)  # and no other: no stack trace
    assert told in result.output
    assert "canary" not in result.output
    assert digests(folder) == before
