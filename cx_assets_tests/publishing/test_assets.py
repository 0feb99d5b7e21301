"""Laws of publishing as an asset: only behind its gate, across runs, and the check that the files are there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from cx_assets.publishing.assets import publishing_assets, publishing_checks
from cx_assets.settings import Settings
from cx_assets.table import TableSpec, column, schema, structure_check, table_asset
from cx_assets_tests.runs import error_of, failed, run, tamper

ITEMS = schema("warehouse", "items", "I.", column("item_id", "varchar", "I."), key=("item_id",))
REPORT = schema("evaluation", "evaluation_report", "R.", column("html", "varchar", "H."))


def asset_of(spec: TableSpec, **columns: list[str]) -> dg.AssetsDefinition:
    @table_asset(spec, code_version="1")
    def made() -> pd.DataFrame:
        return pd.DataFrame(columns)

    return made


@dataclass
class Shop:
    """A project of two tables and its publishing."""

    folder: Path
    instance: dg.DagsterInstance

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def run(self, html: str, selection: dg.AssetSelection | None = None) -> dg.ExecuteInProcessResult:
        tables = [asset_of(ITEMS, item_id=["tea", "milk"]), asset_of(REPORT, html=[html])]
        checks = [structure_check(ITEMS), structure_check(REPORT)]
        settings = Settings(data_dir=self.folder)
        publishing = [
            *publishing_assets([ITEMS, REPORT], checks, settings),
            *publishing_checks([ITEMS, REPORT], settings),
        ]
        return run(
            self.folder / "working.duckdb",
            [*tables, *checks, *publishing],
            selection=selection,
            instance=self.instance,
            raise_on_error=False,
        )

    def report(self) -> str:
        return (self.published / "report.html").read_text("utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path, instance)


PUBLISHING = dg.AssetSelection.assets("published_tables")


def test_a_run_of_everything_publishes_after_its_checks_and_the_check_finds_the_files(shop: Shop) -> None:
    result = shop.run("first")
    assert result.success
    assert failed(result) == {}
    assert shop.report() == "first"
    with duckdb.connect(str(shop.published / "cx.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from warehouse.items").fetchone() == (2,)


def test_a_check_that_failed_in_an_earlier_run_keeps_publishing_shut_and_the_old_files_as_they_were(shop: Shop) -> None:
    shop.run("first")
    tamper(shop.folder / "working.duckdb", "insert into warehouse.items values ('tea')")
    shop.run("second", dg.AssetSelection.checks_for_assets("items"))
    result = shop.run("second", PUBLISHING)
    assert not result.success
    told = error_of(result)
    assert "Not published: 1 of 2 blocking checks don't vouch for the tables. What was published before stays." in told
    assert "- items: structure: 1 of 3 rows of warehouse.items share their key" in told
    assert shop.report() == "first"


def test_rows_that_no_check_has_seen_are_not_published(shop: Shop) -> None:
    shop.run("first")
    shop.run("second", dg.AssetSelection.assets("evaluation_report").without_checks())
    result = shop.run("second", PUBLISHING)
    assert "- evaluation_report: structure: ran before the table was last materialized" in error_of(result)
    assert shop.report() == "first"
    shop.run("second", dg.AssetSelection.checks_for_assets("evaluation_report"))
    assert shop.run("second", PUBLISHING).success
    assert shop.report() == "second"


def test_a_published_file_that_is_gone_or_holds_other_rows_fails_the_check(shop: Shop) -> None:
    shop.run("first")
    parquet = shop.published / "parquet" / "warehouse" / "items.parquet"
    parquet.unlink()
    name = "published_tables: published_files_hold_the_tables"
    checks = dg.AssetSelection.checks_for_assets("published_tables")
    told = failed(shop.run("first", checks))[name]
    assert told == "1 of 2 published files differ from their table. {'warehouse.items': (2, None)}. Publish again."
    duckdb.sql("select 'tea' as item_id").write_parquet(str(parquet))
    assert "{'warehouse.items': (2, 1)}" in failed(shop.run("first", checks))[name]
