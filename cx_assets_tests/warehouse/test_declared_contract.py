"""Laws of what a manifest declares of its events: what breaks it, with which reason, and what becomes of that."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from cx_assets.dataset import Dataset
from cx_assets.diagnosis.trial import tried_out
from cx_assets.diagnosis.verdicts import verdicts as trial_verdicts
from cx_assets.settings import Settings
from cx_assets.table import Table, sql
from cx_assets.warehouse.contract import judge, rejected_values
from cx_assets.warehouse.events import accepted
from cx_assets_tests.runs import failed, load_shop, rows, shop_assets, shop_checks, verdicts
from cx_assets_tests.shop import write_tiny
from cx_assets_tests.warehouse.delivered import delivered

CHECK = "events: event_id_is_unique_on_all_days"
ITEMS = "items:\n  source: {files: items.csv, format: csv}\n  id: sku\n"


def declared(folder: Path, columns: str, more: str = "", files: Any = None) -> Dataset:
    """A tiny shop with items tea and milk that declares something of the columns of its events."""
    (folder / "items.csv").write_text("sku\ntea\nmilk\n", "utf-8")
    contract = f"contract:\n  events:\n    columns: {{{columns}}}\n{more}"
    return write_tiny(folder, files or {}, f"{ITEMS}{contract}")


def reasons(connection: duckdb.DuckDBPyConnection, dataset: Dataset, *events: dict[str, Any]) -> list[str | None]:
    """Why each event is rejected, or None; its items are tea and milk."""
    raw = delivered(connection, dataset, *events)
    items = Table(connection, "select unnest([' tea', 'milk', '', null]) as item_id")
    judged = judge(raw, dataset, {"items": items})
    return [row[0] for row in sql("select reason from j order by source_row", j=judged).fetchall()]


@pytest.mark.parametrize(
    ("columns", "kept", "broken", "reason"),
    [
        ("value: {max: 10}", {"value": "10"}, {"value": "10.01"}, "value above 10"),
        ("value: {min: 0.5}", {"value": "0.5"}, {"value": "0.49"}, "value below 0.5"),
        ("quantity: {type: bigint}", {"quantity": "2.0"}, {"quantity": "2.5"}, "quantity is not a whole number"),
        ("store_id: {required: true}", {"store_id": "N"}, {"store_id": " "}, "missing store_id"),
        ("value: {required: true}", {"event_type": "view"}, {"event_type": "view", "value": ""}, "missing value"),
        ("store_id: {allowed: [N, 7]}", {"store_id": "7"}, {"store_id": "n"}, "store_id is none of N, 7"),
        ("store_id: {allowed: [N]}", {"store_id": None}, {"store_id": "S"}, "store_id is none of N"),
        ("store_id: {type: bigint}", {"store_id": "-12"}, {"store_id": "1.5"}, "store_id is not a whole number"),
        ("store_id: {type: bigint, min: 3}", {"store_id": "10"}, {"store_id": "2"}, "store_id below 3"),
        ("store_id: {type: double}", {"store_id": "1e3"}, {"store_id": "one"}, "store_id is not a number"),
        ("store_id: {type: boolean}", {"store_id": "true"}, {"store_id": "maybe"}, "store_id is not true or false"),
        (
            "store_id: {type: date, min: 2024-01-01}",
            {"store_id": "2024-01-01"},
            {"store_id": "2023-12-31"},
            "store_id below 2024-01-01",
        ),
        (
            "basket_id: {pattern: 'B[0-9]+'}",
            {"basket_id": "B1"},
            {"basket_id": "xB1"},
            "basket_id does not match B[0-9]+",
        ),
        ('basket_id: {pattern: "it\'s"}', {"basket_id": "it's"}, {"basket_id": "its"}, "basket_id does not match it's"),
        ("event_id: {required: true}", {"event_id": "1"}, {"event_id": None}, "missing event_id"),
        ("item_id: {references: items}", {"item_id": "milk"}, {"item_id": "salt"}, "item_id is not in items"),
        ("event_type: {allowed: [purchase]}", {}, {"event_type": "View"}, "event_type is none of purchase"),
        ("rating: {max: 4}", {"rating": "4"}, {"rating": "5"}, "rating above 4"),
    ],
)
def test_an_event_breaks_what_the_manifest_declares(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    columns: str,
    kept: dict[str, Any],
    broken: dict[str, Any],
    reason: str,
) -> None:
    assert reasons(connection, declared(tmp_path, columns), kept, broken) == [None, reason]


def test_what_every_event_must_be_is_asked_first(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = declared(tmp_path, "value: {max: 1}")
    assert reasons(connection, dataset, {"value": "9", "item_id": ""}) == ["missing item_id"]


def test_of_different_events_of_a_day_that_share_what_is_unique_the_first_good_one_is_kept(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "event_id: {unique: true}")
    told = reasons(
        connection,
        dataset,
        {"event_id": "7", "quantity": "none"},
        {"event_id": "7"},
        {"event_id": " 7 ", "value": "9"},
        {"event_id": "7", "occurred_at": "2024-03-03"},
        {"event_id": None},
        {"event_id": None, "value": "9"},
    )
    assert told == ["quantity is not a number", None, "event_id is not unique", None, None, None]


@pytest.mark.whole
@pytest.mark.parametrize(("on_broken", "stops"), [("reject_row", False), ("stop", True)])
def test_events_of_several_days_that_share_what_is_unique_are_kept_and_told(
    tmp_path: Path, on_broken: str, stops: bool
) -> None:
    orders = [
        {"at": "2024-03-01T10:00:00", "id": "7"},
        {"at": "2024-03-01T11:00:00", "id": "8"},
        {"at": "2024-03-01T12:00:00", "id": ""},
        {"at": "2024-03-02T10:00:00", "id": " 7"},
        {"at": "2024-03-02T12:00:00", "id": ""},
        {"at": "2024-03-03T10:00:00", "id": "7", "quantity": "0"},
    ]
    dataset = declared(tmp_path, f"event_id: {{unique: true, on_broken: {on_broken}}}", files={"a.csv": orders})
    database = tmp_path / "working.duckdb"
    verdict = verdicts(load_shop(database, dataset, checked=True, raise_on_error=False))[CHECK]
    told = "1 of 2 values of event_id is shared by events on several days. Correct the export"
    assert not verdict.passed
    assert str(verdict.description).startswith(told)
    assert "a.csv" in verdict.metadata["examples"].value
    assert (verdict.severity == dg.AssetCheckSeverity.ERROR) is stops
    assert len(rows(database, "select * from warehouse.events")) == 5
    with tried_out(dataset, Settings()) as trial:
        (said,) = [one for one in trial_verdicts(trial, dataset, Settings()) if one.check == CHECK]
    assert (said.text, said.stops) == (verdict.description, stops)


def test_exact_copies_of_an_event_are_folded_and_not_rejected_as_not_unique(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "event_id: {unique: true}")
    judged = judge(delivered(connection, dataset, {"event_id": "7"}, {"event_id": "7"}), dataset)
    assert sql("select copies from e", e=accepted(judged)).fetchall() == [(2,)]


def test_a_rejected_value_counts_as_missing_and_is_kept_with_its_reason_file_and_row(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "store_id: {allowed: [N], on_broken: reject_value}, basket_id: {pattern: 'B.'}",
                       "    on_broken: reject_value\n")  # fmt: skip
    raw = delivered(
        connection,
        dataset,
        {"store_id": "N", "basket_id": "B1"},
        {"store_id": "S", "basket_id": "C1"},
        {"store_id": "S", "quantity": "0"},
    )
    kept = sql("select basket_id, store_id from e order by source_row", e=accepted(judge(raw, dataset)))
    assert kept.fetchall() == [("B1", "N"), ("ann:2024-03-02", None)]
    assert sorted(rejected_values(raw, dataset).fetchall()) == [
        (date(2024, 3, 2), "events", "basket_id", "basket_id does not match B.", "C1", "a.csv", 2),
        (date(2024, 3, 2), "events", "store_id", "store_id is none of N", "S", "a.csv", 2),
    ]


@pytest.mark.whole
def test_a_run_that_rejects_values_warns_of_them_and_goes_on(tmp_path: Path) -> None:
    events = {"a.csv": [{"basket": "C1"}, {"basket": "B1"}]}
    dataset = declared(tmp_path, "basket_id: {pattern: 'B.', on_broken: reject_value}", files=events)
    told = failed(load_shop(tmp_path / "data" / "working.duckdb", dataset, checked=True))
    assert told["rejected_values: no_value_is_rejected"].startswith("1 values of rows that are kept break the contract")


def test_where_an_event_can_not_be_without_the_value_it_is_rejected_itself(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "value: {max: 1}, store_id: {required: true}", "    on_broken: reject_value\n")
    assert reasons(connection, dataset, {"value": "2", "store_id": "N"}, {"value": "1"}) == [
        "value above 1",
        "missing store_id",
    ]


@pytest.mark.whole
def test_a_run_stops_for_what_the_manifest_says_and_the_row_is_kept_with_its_reason(tmp_path: Path) -> None:
    events = [{"id": str(number)} for number in range(99)]
    dataset = declared(
        tmp_path, "value: {max: 10, on_broken: stop}", files={"a.csv": [*events, {"value": "11", "id": "99"}]}
    )
    database = tmp_path / "data" / "working.duckdb"
    told = failed(load_shop(database, dataset, checked=True, raise_on_error=False))
    assert told["rejected_events: nothing_stops_the_run"].startswith("1 of 1 rejected events breaks what stops a run")
    stored = rows(database, "select reason, source_row from warehouse.rejected_events")
    assert stored == [("value above 10", 100)]


@pytest.mark.whole
def test_a_run_of_a_dataset_with_references_rejects_what_the_master_data_do_not_know(tmp_path: Path) -> None:
    dataset = declared(
        tmp_path, "item_id: {references: items}", files={"a.csv": [{}, {"what": "salt"}, {"what": "milk"}]}
    )
    database = tmp_path / "data" / "working.duckdb"
    load_shop(database, dataset)
    stored = "select item_id, reason from warehouse.rejected_events"
    assert rows(database, stored) == [("salt", "item_id is not in items")]
    (tmp_path / "items.csv").write_text("sku\ntea\nmilk\nsalt\n", "utf-8")
    load_shop(database, dataset)
    assert rows(database, stored) == []


def test_the_doctor_tells_what_a_run_with_declared_clauses_would_reject(tmp_path: Path) -> None:
    dataset = declared(
        tmp_path,
        "item_id: {references: items}, event_id: {unique: true}",
        files={"a.csv": [{"id": "1"}, {"id": "1", "value": "9"}, {"what": "salt"}]},
    )
    with tried_out(dataset, Settings()) as trial:
        told = sql("select reason, source_row from r", r=trial.tables["rejected_events"]).fetchall()
    assert told == [("event_id is not unique", 2), ("item_id is not in items", 3)]


@pytest.mark.parametrize(("limit", "passes"), [("", True), ("    day_limit: 0.1\n", False)])
def test_a_day_is_refused_above_the_limit_that_the_manifest_declares(tmp_path: Path, limit: str, passes: bool) -> None:
    dataset = declared(tmp_path, "value: {max: 10}", limit)
    with duckdb.connect() as connection:
        told = Table(connection, "select date '2024-03-01' as day, 'value above 10' as reason from range(100)")
        check = shop_checks(dataset)["rejected_events: no_day_is_mostly_rejected"]
        assert check(sql("from told limit 11", told=told), told).passed is passes


def test_the_law_of_the_stored_events_knows_what_is_declared(tmp_path: Path) -> None:
    dataset = declared(tmp_path, "value: {max: 10}, store_id: {allowed: [N]}", files={"a.csv": [{}]})
    database = tmp_path / "data" / "working.duckdb"
    load_shop(database, dataset)
    check = shop_checks(dataset)["events: events_keep_the_contract"]
    assert "value above 10; store_id is none of N" in str(next(iter(check.check_specs)).description)
    with duckdb.connect(str(database)) as connection:
        stored = Table(connection, "from warehouse.events")
        assert check(stored).passed
        assert not check(sql("select * replace (11.0 as value) from stored", stored=stored)).passed
        assert not check(sql("select * replace ('S' as store_id) from stored", stored=stored)).passed


def test_the_columns_of_the_events_tell_what_is_declared(tmp_path: Path) -> None:
    dataset = declared(tmp_path, "value: {max: 10}")
    (events,) = [asset for asset in shop_assets(dataset) if asset.key.path == ["events"]]
    columns = {c.name: c.description for c in events.metadata_by_key[events.key]["dagster/column_schema"].columns}
    assert columns["value"].endswith("Rejected: missing value; value is not a number; value below 0; value too large; "
                                     "value above 10.")  # fmt: skip
