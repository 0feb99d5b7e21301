"""Laws of the raw tables, loaded by real runs."""

from pathlib import Path

import dagster as dg
import pytest

from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.runs import error_of, load_shop, rows
from cx_assets_tests.shop import write_shop, write_tiny


def test_every_delivered_row_is_in_with_its_source(loaded_shop: LoadedShop) -> None:
    found = rows(
        loaded_shop.database,
        "select source_file, count(*), min(source_row), max(source_row) from ingestion.raw_events "
        "group by all order by all",
    )
    folder = loaded_shop.shop.manifest.parent
    delivered = {
        name: len((folder / name).read_text("utf-8").splitlines()) - name.endswith(".csv")
        for name in ("clicks/first.csv", "clicks/second.csv", "stars.jsonl")
    }
    assert found == [(name, count, 1, count) for name, count in delivered.items()]
    assert sum(delivered.values()) == loaded_shop.shop.raw


def test_raw_rows_are_as_delivered(loaded_shop: LoadedShop) -> None:
    line = (loaded_shop.shop.manifest.parent / "clicks" / "first.csv").read_text("utf-8").splitlines()[5]
    ((told,),) = rows(
        loaded_shop.database,
        "select concat_ws(';', occurred_at, customer_id, item_id, event_id, basket_id, quantity, value) "
        "from ingestion.raw_events where source_file = 'clicks/first.csv' and source_row = 5",
    )
    fields = line.split(";")
    assert told == ";".join(fields[:3] + fields[4:])


def test_a_day_is_loaded_alone_and_a_late_files_events_land_on_the_days_that_they_happened(tmp_path: Path) -> None:
    files = {"a.csv": [{"id": day, "at": f"2024-03-0{day}"} for day in (1, 2, 3)]}
    dataset, database = write_tiny(tmp_path, files), tmp_path / "w.duckdb"
    raw = dg.AssetSelection.assets("raw_events")
    load_shop(database, dataset, selection=raw)
    write_tiny(tmp_path, {"late.csv": [{"id": "late", "at": "2024-03-02"}, {"id": "later", "at": "2024-03-04"}]})
    load_shop(database, dataset, days=("2024-03-02", "2024-03-02"), selection=raw)
    query = "select event_id from ingestion.raw_events order by day, event_id"
    assert rows(database, query) == [("1",), ("2",), ("late",), ("3",)]
    load_shop(database, dataset, days=("2024-03-04", "2024-03-04"), selection=raw)
    assert rows(database, query) == [("1",), ("2",), ("late",), ("3",), ("later",)]


def test_without_master_data_and_campaigns_their_tables_are_empty_with_the_declared_columns(tmp_path: Path) -> None:
    dataset, database = write_tiny(tmp_path, {"a.csv": [{}]}), tmp_path / "w.duckdb"
    load_shop(database, dataset)
    for table in ("raw_customers", "raw_items", "raw_campaigns", "raw_campaign_targets", "raw_campaign_responses"):
        assert rows(database, f"select * from ingestion.{table}") == []
    for table in ("campaigns", "campaign_targets", "campaign_responses"):
        assert rows(database, f"select * from warehouse.{table}") == []
    assert rows(database, "select customer_id, in_master, has_events from warehouse.customers") == [
        ("ann", False, True)
    ]
    assert rows(database, "select item_id, name, category, recommendable from warehouse.items") == [
        ("tea", "tea", "unknown", True)
    ]


@pytest.fixture
def stored(tmp_path: Path, loaded_shop: LoadedShop) -> tuple[Path, Path]:
    """A folder for files to spoil, and a database that holds an earlier load."""
    database = tmp_path / "w.duckdb"
    database.write_bytes(loaded_shop.database.read_bytes())
    return tmp_path, database


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("clicks/second.csv", "ts;shopper\n;Müller\n".encode("latin-1"), "clicks/second.csv: line 2 is not UTF-8"),
        ("stars.jsonl", b'{"when": oops}\n', "events.1.source: stars.jsonl: line 1 is no JSON: "),
        ("stars.jsonl", None, "no file matches 'stars.jsonl' in"),
        (
            "clicks/second.csv",
            b"ts;shopper\n2024-03-01;a\n",
            "columns.item_id: no column 'sku' in clicks/second.csv. It has",
        ),
    ],
    ids=["wrong encoding", "malformed", "gone", "a column gone"],
)
def test_a_file_spoiled_after_the_manifest_was_checked_is_told_by_name_and_the_tables_stay(
    stored: tuple[Path, Path], file: str, content: bytes | None, complaint: str
) -> None:
    folder, database = stored
    dataset = write_shop(folder, customers=24, items=40, days=20).dataset
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    before = rows(database, "select * from ingestion.raw_events order by all")
    result = load_shop(database, dataset, selection=dg.AssetSelection.assets("raw_events"), raise_on_error=False)
    assert not result.success
    assert complaint in error_of(result)
    assert rows(database, "select * from ingestion.raw_events order by all") == before
