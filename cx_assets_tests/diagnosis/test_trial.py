"""What the doctor says is what a run says, and nothing is written for it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.diagnosis.strays import unused_files
from cx_assets.diagnosis.terminal import diagnose
from cx_assets.diagnosis.trial import tried_out
from cx_assets.diagnosis.verdicts import verdicts
from cx_assets.settings import Settings
from cx_assets_tests.arrivals import LINKS
from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.runs import rows
from cx_assets_tests.shop import TINY, write_tiny


def diagnosed(dataset: Dataset, folder: Path) -> tuple[bool, str]:
    """Whether a run would begin well, and what was printed."""
    screen = io.StringIO()
    settings = Settings(dataset=str(dataset.path), data_dir=folder / "data")
    good = diagnose(Console(file=screen, width=250), dataset, settings)
    return good, screen.getvalue()


def test_rows_duplicates_and_rejected_events_are_those_of_a_run(loaded_shop: LoadedShop) -> None:
    dataset = loaded_shop.shop.dataset
    with tried_out(dataset, Settings()) as trial:
        refused = trial.tables["rejected_events"].fetchall()
        assert (
            trial.tables["events"].count() == rows(loaded_shop.database, "select count(*) from warehouse.events")[0][0]
        )
        assert trial.duplicates == loaded_shop.shop.duplicates
    stored = "select * from warehouse.rejected_events order by source_file, source_row"
    assert refused == rows(loaded_shop.database, stored)


def test_the_worth_of_each_type_of_event_is_told_without_copies_and_rejected_ones(tmp_path: Path) -> None:
    events: list[dict[str, object]] = [
        {"value": "1000.25"}, {"id": "2", "value": "500"}, {"id": "2", "value": "500"}, {"value": "much"},
        {"kind": "view", "quantity": "", "value": ""},
    ]  # fmt: skip
    assert (
        "of these  purchase 2 worth 1,500.25, view 1\n"
        in diagnosed(write_tiny(tmp_path, {"a.csv": events}), tmp_path)[1]
    )


def test_verdicts_are_word_for_word_those_of_a_run(loaded_shop: LoadedShop) -> None:
    dataset = loaded_shop.shop.dataset
    settings = Settings()
    with tried_out(dataset, settings) as trial:
        told = {verdict.check: (verdict.passed, verdict.text) for verdict in verdicts(trial, dataset, settings)}
    judged = {
        f"{e.asset_key.to_user_string()}: {e.check_name}": (e.passed, e.description)
        for e in loaded_shop.result.get_asset_check_evaluations()
    }
    shared = told.keys() & judged.keys()
    assert {"rejected_events: few_events_are_rejected", "events: there_are_events", "items: master_data_are_complete",
            "raw_customers: rows_are_read", "rejected_values: no_value_is_rejected"} <= shared  # fmt: skip
    assert {name: told[name] for name in shared} == {name: judged[name] for name in shared}


def test_a_dataset_in_order_would_begin_well_and_leaves_no_trace(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}, {"id": "2"}, {"id": "2"}]})
    good, printed = diagnosed(dataset, tmp_path)
    assert good
    assert "3 rows of 1 file, 1 day: 2024-03-01 to 2024-03-01" in printed
    assert "2 and 1 exact duplicates, folded" in printed
    assert "contract  clauses: 17 for events, 1 for customers, 2 for items" in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events", "tiny_shop.yaml"]


def test_a_reason_is_told_with_its_count_and_its_most_common_value_and_place(tmp_path: Path) -> None:
    events = [{}, {"quantity": "none"}, {"quantity": "x"}, {"quantity": "x", "id": "9"}, {"who": ""}]
    good, printed = diagnosed(write_tiny(tmp_path, {"a.csv": events}), tmp_path)
    assert not good
    assert "4 (80.00%; the limit is 2.00%)" in printed
    assert "3  quantity is not a number: quantity is 'x' and 1 other value, as in events/a.csv row 3" in printed
    assert (
        "1  missing customer_id: customer_id is nothing, as in events/a.csv row 5; if they are of guests, `where`"
        in printed
    )
    assert "stops a run  rejected_events: few_events_are_rejected: 4 of 5 delivered events break" in printed
    assert "A run would fail" in printed


def test_a_dataset_without_a_good_event_would_fail(tmp_path: Path) -> None:
    good, printed = diagnosed(write_tiny(tmp_path, {"a.csv": []}), tmp_path)
    assert not good
    assert "stops a run  events: there_are_events: 0 events." in printed


MASTER = """\
customers:
  source: {files: people.csv, format: csv}
  id: who
  attributes:
    age: {expression: age, type: double, missing: {policy: POLICY}}
"""


def test_who_acts_without_master_data_is_counted_with_a_share_and_named(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who,age\nann,40\n", "utf-8")
    dataset = write_tiny(tmp_path, {"a.csv": [{}, {"who": "bob"}]}, MASTER.replace("POLICY", "median"))
    _, printed = diagnosed(dataset, tmp_path)
    assert "2 have events; 1 of them (50.0%, with 50.0% of events) are not in the master data: 'bob'" in printed


def test_a_policy_that_drops_whoever_acts_would_stop_a_run(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who,age\nann,40\nbob,\n", "utf-8")
    dataset = write_tiny(tmp_path, {"a.csv": [{}, {"who": "bob"}]}, MASTER.replace("POLICY", "drop"))
    good, printed = diagnosed(dataset, tmp_path)
    assert not good
    assert "stops a run  customers: references_hold: 1 of 2 customers that events name is not in" in printed


def test_an_attribute_of_which_nothing_is_known_would_stop_a_run(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who,age\nann,old\n", "utf-8")
    good, printed = diagnosed(write_tiny(tmp_path, {"a.csv": [{}]}, MASTER.replace("POLICY", "median")), tmp_path)
    assert not good
    assert "no value of customers.attributes.age can be read as double" in printed


def test_files_that_no_source_names_are_told(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}]})
    for name in ("events/b.parquet", "events/notes.md", "events/.half.csv"):
        (tmp_path / name).write_text("", "utf-8")
    assert unused_files(dataset) == [tmp_path / "events" / "b.parquet"]
    assert "not used  events/b.parquet: no source of the manifest names them" in diagnosed(dataset, tmp_path)[1]


def test_what_a_package_ships_is_no_forgotten_delivery() -> None:
    assert unused_files(load_dataset("complete_journey")) == []


@pytest.mark.parametrize("days", ["2024-03-01\nlast_day: 2024-03-05", "2024-03-01"])
def test_a_dataset_that_still_grows_is_judged_over_the_days_that_are_over(tmp_path: Path, days: str) -> None:
    manifest = write_tiny(tmp_path, {"a.csv": [{}]}).path
    text = manifest.read_text("utf-8").replace("2024-03-01\nlast_day: 2024-03-05", days)
    manifest.write_text(text, "utf-8")
    good, printed = diagnosed(load_dataset(str(manifest)), tmp_path)
    assert good
    assert ("still grows" in printed) == ("last_day" not in days)


def test_a_dataset_of_which_every_event_is_rejected_is_told_why(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who\nann\n", "utf-8")
    people = "customers: {source: {files: people.csv, format: csv}, id: who}\n"
    good, printed = diagnosed(write_tiny(tmp_path, {"a.csv": [{"at": "soon"}, {"at": "later"}]}, people), tmp_path)
    assert not good
    assert "2  time does not parse: occurred_at is 'soon' and 1 other value" in printed
    assert "customers none has events (1 rows)" in printed


def test_the_clock_is_that_of_the_datasets_time_zone(tmp_path: Path) -> None:
    opened = [{"at": f"2024-03-01T{hour:02}:{minute:02}:00", "id": f"{hour}{minute}"}
              for hour in range(8, 19) for minute in range(60)]  # fmt: skip
    dataset = write_tiny(tmp_path, {"a.csv": opened}, "timezone: Asia/Tokyo\n")
    assert "the times look like those of the customers' own clock" in diagnosed(dataset, tmp_path)[1]


def test_what_is_corrected_cancelled_and_returned_is_counted_as_in_a_run(tmp_path: Path) -> None:
    manifest = (
        TINY.replace("rating: rating}", "rating: 'null'}").rstrip() + "\n" + LINKS.replace(": version}", ": rating}")
    )
    told = [
        {"id": "1", "rating": "1"}, {"id": "1", "rating": "2", "basket": "b", "quantity": "3"},
        {"id": "2", "rating": "1", "at": "2024-03-02T10:00:00"}, {"id": "2", "kind": "cancel"},
        {"quantity": "-1", "basket": "b", "at": "2024-03-04T10:00:00"}, {"id": "9", "kind": "cancel"},
    ]  # fmt: skip
    dataset = write_tiny(tmp_path, {"a.csv": told}, manifest=manifest)
    _, printed = diagnosed(dataset, tmp_path)
    assert "kept      1, no exact duplicates" in printed
    outcomes = "corrected 1, cancelled 1, cancellations 1, returns 1; kept, less what was returned of them 1"
    assert f"withdrawn 4: {outcomes}" in printed
    assert "1  cancellation names no event" in printed


def test_a_column_that_only_one_of_several_files_has_is_named(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": [{}], "b.csv": [{"id": "2"}]})
    path = tmp_path / "events" / "b.csv"
    path.write_text("".join(f"{line},x\n" for line in path.read_text("utf-8").splitlines()), "utf-8")
    good, printed = diagnosed(dataset, tmp_path)
    assert good
    assert "warns  delivered_columns: columns_are_as_before: events/b.csv: the column 'x' is new." in printed
