"""The checks of ingestion, each passing and failing."""

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from cx_assets.table import Table, sql
from cx_assets.table.warehouse import Warehouse
from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.runs import shop_checks, verdicts
from cx_assets_tests.shop import GOOD, TINY, write_tiny


@pytest.fixture
def raw_events(loaded_shop: LoadedShop) -> Iterator[Table]:
    with Warehouse(path=str(loaded_shop.database)).opened("a test") as warehouse:
        yield warehouse.query("select * from ingestion.raw_events")


def ask(loaded_shop: LoadedShop, name: str, raw_events: Table) -> dg.AssetCheckResult:
    return shop_checks(loaded_shop.shop.dataset)[f"raw_events: {name}"](raw_events)


def test_the_loaded_shop_passes_every_check_of_ingestion(loaded_shop: LoadedShop) -> None:
    told = {name: v.passed for name, v in verdicts(loaded_shop.result).items() if name.startswith("raw_events")}
    assert told == {
        "raw_events: events_name_their_source": True,
        "raw_events: every_event_file_is_loaded": True,
        "raw_events: late_rows_are_loaded": True,
        "raw_events: structure": True,
    }


@pytest.mark.parametrize(
    "tampered", ["'' as source_file", "0 as source_row", "date '2024-02-29' as day", "date '2030-01-01' as day"]
)
def test_an_event_without_a_source_or_a_day_of_the_dataset_fails(
    loaded_shop: LoadedShop, raw_events: Table, tampered: str
) -> None:
    broken = sql(f"select * replace ({tampered}) from t", t=sql("select * from r limit 2", r=raw_events))
    verdict = ask(loaded_shop, "events_name_their_source", broken)
    assert not verdict.passed
    assert "2 of 2 raw events tell no source or a day that the dataset doesn't have." in verdict.description


def test_a_file_of_which_no_row_is_loaded_is_warned_of_by_name(loaded_shop: LoadedShop, raw_events: Table) -> None:
    verdict = ask(
        loaded_shop,
        "every_event_file_is_loaded",
        sql("select * from r where source_file <> 'clicks/second.csv'", r=raw_events),
    )
    assert not verdict.passed
    assert verdict.severity is dg.AssetCheckSeverity.WARN
    assert "1 of 3 event files have no row" in verdict.description
    assert "Materialize the days that they hold: clicks/second.csv." in verdict.description


def test_files_without_rows_are_not_missed_and_equal_names_in_two_folders_are_two_files(
    tmp_path: Path, raw_events: Table
) -> None:
    files = {"empty.csv": [], "north/a.csv": [{}], "south/a.csv": [{}]}
    for folder in ("north", "south"):
        (tmp_path / "events" / folder).mkdir(parents=True)
    dataset = write_tiny(tmp_path, files)
    text = dataset.path.read_text("utf-8").replace("events/*.csv", "events/**/*.csv*")
    dataset.path.write_text(text, "utf-8")
    dataset = write_tiny(tmp_path, files, manifest=text)
    (tmp_path / "events" / "zero.csv").touch()
    (tmp_path / "events" / "header.csv.gz").write_bytes(gzip.compress(",".join(GOOD).encode() + b"\n"))
    check = shop_checks(dataset)["raw_events: every_event_file_is_loaded"]
    loaded = sql("select 'events/north/a.csv' as source_file from r limit 1", r=raw_events)
    verdict = check(loaded)
    assert not verdict.passed
    assert verdict.description.endswith("hold: events/south/a.csv.")


def test_a_file_of_today_is_missed_from_tomorrow_on(tmp_path: Path, raw_events: Table) -> None:
    today = datetime.now(ZoneInfo("Pacific/Honolulu"))
    growing = TINY.replace("last_day: 2024-03-05\n", "timezone: Pacific/Honolulu\n")
    files = {
        name: [{"at": f"{today - timedelta(days=ago):%Y-%m-%dT00:00:00}"}]
        for name, ago in (("today.csv", 0), ("yesterday.csv", 1))
    }
    check = shop_checks(write_tiny(tmp_path, files, manifest=growing))["raw_events: every_event_file_is_loaded"]
    verdict = check(sql("select '' as source_file from r limit 0", r=raw_events))
    assert verdict.description == (
        "1 of 2 event files have no row in ingestion.raw_events. Materialize the days that they hold: "
        "events/yesterday.csv."
    )
