"""A sound small shop, its events in every kind of file, for tests to break: loaded, checked and published.

Belongs here: the shop, and all that a broken delivery must leave as it was. Does not: the ways to break it.
"""

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import openpyxl
import pandas as pd

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.publishing.assets import publishing_assets
from cx_assets.settings import Settings
from cx_assets.table import column, schema, structure_check, table_asset
from cx_assets_tests.processes import digests
from cx_assets_tests.runs import declared, rows, run, shop_assets, shop_checks

MANIFEST = """\
name: sound_shop
title: A sound shop
first_day: 2024-03-01
last_day: 2024-03-05
rating_scale: [1, 5]
events:
  - source: {files: till.csv, format: csv}
    columns: &columns
      occurred_at: '"at"'
      customer_id: who
      item_id: what
      event_type: kind
      event_id: line
      quantity: quantity
      value: value
      rating: rating
  - {source: {files: web.csv.gz, format: csv, delimiter: ','}, columns: *columns}
  - {source: {files: app.jsonl, format: jsonl}, columns: *columns}
  - {source: {files: old.parquet, format: parquet}, columns: *columns}
  - {source: {files: fair.xlsx, format: excel, sheet: Orders}, columns: *columns}
customers: {source: {files: people.csv, format: csv}, id: who, attributes: {city: {expression: town}}}
items: {source: {files: wares.csv, format: csv}, id: what, name: label, category: shelf, recommendable: "true"}
"""
COLUMNS = ("at", "who", "what", "kind", "line", "quantity", "value", "rating")
HEADER = ",".join(COLUMNS) + "\n"
FIRST, LAST = "2024-03-01", "2024-03-05"
REPORT = schema("evaluation", "evaluation_report", "A page.", column("html", "varchar", "It."))


def event(number: int) -> tuple[str, ...]:
    """A good purchase: values of COLUMNS."""
    at = f"2024-03-0{1 + number % 5}T10:{number % 60:02}:00"
    return at, f"c{number % 4}", f"w{number % 3}", "purchase", str(number), "1", "2.50", ""


def lines(first: int = 1, count: int = 6) -> list[str]:
    """Good lines of a CSV file, in which each event has a number of its own."""
    return [",".join(event(number)) + "\n" for number in range(first, first + count)]


def write_sound(folder: Path) -> None:
    """Write the shop's files and its manifest."""
    (folder / "till.csv").write_text(HEADER + "".join(lines(1)), "utf-8")
    (folder / "web.csv.gz").write_bytes(gzip.compress((HEADER + "".join(lines(11))).encode()))
    objects = [dict(zip(COLUMNS, event(number), strict=True)) for number in range(21, 27)]
    (folder / "app.jsonl").write_text("".join(json.dumps(told) + "\n" for told in objects), "utf-8")
    frame = pd.DataFrame([event(number) for number in range(31, 37)], columns=list(COLUMNS))
    frame.to_parquet(folder / "old.parquet", index=False)
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Orders")
    for row in (COLUMNS, *(event(number) for number in range(41, 47))):
        sheet.append(row)
    book.save(folder / "fair.xlsx")
    (folder / "people.csv").write_text("who,town\n" + "".join(f"c{n},Ulm\n" for n in range(4)), "utf-8")
    (folder / "wares.csv").write_text("what,label,shelf\n" + "".join(f"w{n},Ware {n},tea\n" for n in range(3)), "utf-8")
    (folder / "sound_shop.yaml").write_text(MANIFEST, "utf-8")


@dataclass(frozen=True)
class SoundShop:
    """A folder with the shop's files and what runs made of them.

    Attributes:
        folder: complete in itself, so that a copy is another shop in the same state.
        instance: where the history of its runs is.
    """

    folder: Path
    instance: dg.DagsterInstance

    @property
    def dataset(self) -> Dataset:
        return load_dataset(str(self.folder / "sound_shop.yaml"))

    @property
    def database(self) -> Path:
        return self.folder / "data" / "working.duckdb"

    def copied_to(self, folder: Path) -> "SoundShop":
        shutil.copytree(self.folder, folder, symlinks=True)
        return SoundShop(folder, self.instance)

    def run(self, selection: dg.AssetSelection | None = None) -> dg.ExecuteInProcessResult:
        """Load, clean, check and publish, or what is selected of it, over all days."""
        settings = Settings(data_dir=self.folder / "data")

        @table_asset(REPORT, code_version="1")
        def evaluation_report() -> pd.DataFrame:
            return pd.DataFrame({"html": ["as it was"]})

        assets = [*shop_assets(self.dataset), evaluation_report]
        specs = [declared(asset) for asset in assets]
        checks = [*shop_checks(self.dataset).values(), *map(structure_check, specs)]
        publishing = publishing_assets(specs, checks, settings)
        return run(
            self.database,
            [*assets, *checks, *publishing],
            days=(FIRST, LAST),
            selection=selection,
            instance=self.instance,
            raise_on_error=False,
        )

    def state(self) -> dict[str, object]:
        """All rows of every stored table, and a digest of every published file."""
        names = rows(self.database, "select schema_name || '.' || table_name from duckdb_tables() order by all")
        stored: dict[str, object] = {
            name: rows(self.database, f"select * from {name} order by all") for (name,) in names
        }
        return stored | dict(digests((self.folder / "data" / "published").resolve()))
