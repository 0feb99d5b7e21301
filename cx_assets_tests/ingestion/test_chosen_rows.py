"""What a manifest's `where` leaves out was never an event, and is counted where somebody looks."""

from pathlib import Path

import duckdb
import pytest

from cx_assets.dataset import Dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.ingestion.fitting import problems
from cx_assets.settings import Settings
from cx_assets_tests.runs import load_shop, rows, verdicts
from cx_assets_tests.shop import TINY, write_tiny

EVENTS = [
    {"id": "1"},
    {"id": "2", "basket": "test"},
    {"id": "3", "basket": "b"},
    {"id": "4", "basket": "test", "quantity": "none"},
]


def shop(folder: Path, where: str, **files: list[dict[str, str]]) -> Dataset:
    told = {f"{name}.csv": events for name, events in (files or {"a": EVENTS}).items()}
    return write_tiny(folder, told, manifest=TINY.replace("    columns:", f"    where: {where}\n    columns:"))


@pytest.mark.whole
def test_rows_that_are_no_events_are_not_loaded_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    load_shop(tmp_path / "w.duckdb", shop(tmp_path, "coalesce(basket, '') <> 'test'"))
    stored = "select event_id, source_row from ingestion.raw_events order by source_row"
    assert rows(tmp_path / "w.duckdb", stored) == [("1", 1), ("3", 3)]
    assert rows(tmp_path / "w.duckdb", "select * from warehouse.rejected_events") == []


@pytest.mark.whole
@pytest.mark.parametrize("where", ["basket = 'b'", "cast(basket as int) = 1 or basket = 'b'"])
def test_a_row_of_which_the_condition_is_not_true_is_left_out(tmp_path: Path, where: str) -> None:
    load_shop(tmp_path / "w.duckdb", shop(tmp_path, f'"{where}"'))
    assert len(rows(tmp_path / "w.duckdb", "select * from ingestion.raw_events")) == ("cast" not in where)


@pytest.mark.whole
def test_a_file_of_which_nothing_is_an_event_is_not_missed(tmp_path: Path) -> None:
    dataset = shop(tmp_path, "basket <> 'test'", a=[{"basket": "b"}], b=[{"basket": "test"}])
    told = verdicts(load_shop(tmp_path / "w.duckdb", dataset, checked=True))
    assert told["raw_events: every_event_file_is_loaded"].passed


def test_the_doctor_tells_how_many_rows_are_left_out_of_any_kind_of_file(tmp_path: Path) -> None:
    dataset = shop(tmp_path, "coalesce(basket, '') <> 'test'")
    with tried_out(dataset, Settings()) as trial:
        assert (trial.left_out, trial.tables["events"].count()) == (2, 2)
    source = f"read_csv('{tmp_path}/events/a.csv', all_varchar = true)"
    duckdb.sql(f"copy (from {source}) to '{tmp_path}/events/a.parquet'")
    manifest = dataset.path.read_text("utf-8").replace(
        '*.csv", format: csv, delimiter: ","', '*.parquet", format: parquet'
    )
    again = write_tiny(tmp_path, {}, manifest=manifest)
    with tried_out(again, Settings()) as trial:
        assert (trial.left_out, trial.tables["events"].count()) == (2, 2)


def test_a_condition_that_does_not_fit_the_file_is_told_by_its_line(tmp_path: Path) -> None:
    (told,) = problems(shop(tmp_path, "baskt <> 'test'"))
    assert told.startswith("tiny_shop.yaml:9: events.0.where: no column 'baskt' in events/a.csv.")
    assert told.endswith("Did you mean 'basket'?")
