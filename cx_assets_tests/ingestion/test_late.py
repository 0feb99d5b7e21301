"""Rows that come after their days were loaded are told of until they are loaded too."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cx_assets.dataset import Dataset
from cx_assets.ingestion.late import LateRows, late_rows
from cx_assets.ingestion.places import label
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.table import Table
from cx_assets.table.removed import remove_before
from cx_assets.table.warehouse import connect
from cx_assets_tests.runs import load_shop, opened, verdicts
from cx_assets_tests.shop import TINY, write_tiny

OLD = [{"at": "2024-03-01T10:00:00"}, {"at": "2024-03-02T10:00:00"}]
NEW = [{"at": "2024-03-03T10:00:00"}, {"at": "2024-03-01T11:00:00"}, {"at": "2024-03-02T11:00:00"}]
DAY = ("2024-03-03", "2024-03-03")


def late(dataset: Dataset, database: Path) -> list[LateRows]:
    with opened(database) as connection:
        stored, looked_at = (
            Table(connection, f"select * from ingestion.{name}") for name in ("raw_events", "delivered_columns")
        )
        return late_rows(dataset, stored, looked_at, lambda source, place: label(dataset, source, place))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "w.duckdb"


@pytest.fixture
def dataset(tmp_path: Path, database: Path) -> Dataset:
    """A shop whose first file is loaded, and of whose second one day."""
    load_shop(database, write_tiny(tmp_path, {"a.csv": OLD}))
    found = write_tiny(tmp_path, {"b.csv": NEW})
    load_shop(database, found, days=DAY)
    return found


@pytest.mark.whole
def test_what_a_new_file_holds_of_days_that_were_loaded_before_is_told_until_they_are_again(
    dataset: Dataset, database: Path
) -> None:
    first, second = date(2024, 3, 1), date(2024, 3, 2)
    assert late(dataset, database) == [LateRows("events/b.csv", first, 1), LateRows("events/b.csv", second, 1)]
    load_shop(database, dataset, days=("2024-03-01", "2024-03-02"))
    assert late(dataset, database) == []


@pytest.mark.whole
def test_a_check_names_the_days_and_what_loads_them(dataset: Dataset, database: Path) -> None:
    told = verdicts(load_shop(database, dataset, days=DAY, checked=True))["raw_events: late_rows_are_loaded"]
    assert not told.passed
    assert told.description == (
        "2 rows of 1 event file came after their days were loaded, which are 2024-03-01 to 2024-03-02. Load these "
        "days again: `cx run --first 2024-03-01 --last 2024-03-02`."
    )


def test_days_before_and_after_all_that_is_loaded_are_not_late(tmp_path: Path, database: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [*OLD, *NEW]})
    load_shop(database, dataset, days=("2024-03-02", "2024-03-02"))
    assert late(dataset, database) == []


def test_rows_that_are_no_events_are_not_late(tmp_path: Path, database: Path) -> None:
    chosen = TINY.replace("    columns:", "    where: coalesce(basket, '') <> 'test'\n    columns:")
    load_shop(database, write_tiny(tmp_path, {"a.csv": OLD}, manifest=chosen))
    dataset = write_tiny(tmp_path, {"b.csv": [{**event, "basket": "test"} for event in NEW]}, manifest=chosen)
    assert late(dataset, database) == []


@pytest.mark.whole
def test_rows_that_were_kept_for_long_enough_are_not_late(dataset: Dataset, database: Path) -> None:
    with connect(database, "1GB", 1) as connection:
        remove_before(connection, RAW_EVENTS, date(2024, 3, 2), datetime.now(UTC).replace(tzinfo=None))
    assert {row.day for row in late(dataset, database)} == {date(2024, 3, 2)}


@pytest.mark.whole
def test_a_file_that_two_sources_take_rows_of_is_counted_as_one(tmp_path: Path, database: Path) -> None:
    head, source = TINY.split("events:\n")
    chosen = [source.replace("    columns:", f"    where: what {is_} 'tea'\n    columns:") for is_ in ("=", "<>")]
    manifest = f"{head}events:\n{''.join(chosen)}"
    load_shop(database, write_tiny(tmp_path, {"a.csv": OLD}, manifest=manifest))
    dataset = write_tiny(tmp_path, {"b.csv": [*NEW, {**NEW[1], "what": "salt"}]}, manifest=manifest)
    load_shop(database, dataset, days=DAY)
    assert [(found.day.day, found.rows) for found in late(dataset, database)] == [(1, 2), (2, 1)]
    load_shop(database, dataset)
    assert late(dataset, database) == []


def test_files_of_which_all_is_stored_are_not_opened(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": OLD, "b.csv": NEW})
    load_shop(database, dataset)
    monkeypatch.setattr("cx_assets.ingestion.late.counted_times", None)
    assert late(dataset, database) == []
