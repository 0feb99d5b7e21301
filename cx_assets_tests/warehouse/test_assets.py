"""Laws of the warehouse of the generated shop, loaded by a real run, and of small and strange shops."""

from collections import Counter
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from cx_assets.automation import DAILY
from cx_assets.dataset import Dataset
from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.reconciliation import unaccounted
from cx_assets_tests.runs import failed, frame, load_shop, rows
from cx_assets_tests.shop import TINY, write_tiny


def lines_of(shop: LoadedShop, file: str) -> list[str]:
    return (shop.shop.manifest.parent / file).read_text("utf-8").splitlines()


def test_every_planted_row_is_rejected_for_its_reason_and_told_by_its_true_file_and_row(
    loaded_shop: LoadedShop,
) -> None:
    found = frame(loaded_shop.database, "select * from warehouse.rejected_events")
    assert Counter(found["reason"]) == loaded_shop.shop.dirt
    lines = {file: lines_of(loaded_shop, file)[1:] for file in found["source_file"].unique()}
    by_reason = dict(zip(loaded_shop.shop.dirt, (f"dirt{i}" for i in range(len(loaded_shop.shop.dirt))), strict=True))
    for row in found.itertuples():
        delivered = lines[row.source_file][row.source_row - 1].split(";")
        assert delivered[4] == by_reason[row.reason]


def test_raw_events_are_events_and_duplicates_and_rejected_events_on_every_day(loaded_shop: LoadedShop) -> None:
    assert unaccounted(loaded_shop.database) == {}
    assert rows(loaded_shop.database, "select count(*) from ingestion.raw_events") == [(loaded_shop.shop.raw,)]


def test_exact_copies_are_folded_and_counted(loaded_shop: LoadedShop) -> None:
    found = rows(loaded_shop.database, "select sum(copies - 1), max(copies) from warehouse.events")
    assert found == [(loaded_shop.shop.duplicates, 2)]


def test_all_four_types_of_events_of_both_formats_are_in(loaded_shop: LoadedShop) -> None:
    found = rows(
        loaded_shop.database, "select event_type, bool_and(rating is not null) from warehouse.events group by all"
    )
    assert sorted(found) == [("cart", False), ("purchase", False), ("rating", True), ("view", False)]


def test_customers_and_items_that_only_one_side_knows_are_kept_and_warned_of(loaded_shop: LoadedShop) -> None:
    for table, key, last, unsold in (("customers", "customer_id", "c023", "c999"), ("items", "item_id", "w039", None)):
        strangers = rows(loaded_shop.database, f"select {key}, has_events from warehouse.{table} where not in_master")
        assert strangers == [(last, True)]
        quiet = rows(loaded_shop.database, f"select {key} from warehouse.{table} where not has_events")
        assert quiet == ([(unsold,)] if unsold else [])
    warnings = failed(loaded_shop.result)
    assert warnings["customers: master_data_are_complete"].startswith("1 of 25 customers has events and is not in")
    assert warnings["items: master_data_are_complete"].startswith("1 of 40 items has events and is not in")


def test_the_shop_breaks_no_law_but_those_it_was_made_to_break(loaded_shop: LoadedShop) -> None:
    assert loaded_shop.result.success
    assert set(failed(loaded_shop.result)) == {
        "customers: master_data_are_complete",
        "items: master_data_are_complete",
        "raw_campaigns: rows_are_read",
    }


def test_missing_attributes_are_filled_by_the_manifests_policies_and_flagged(loaded_shop: LoadedShop) -> None:
    people = pd.DataFrame([line.split(",") for line in lines_of(loaded_shop, "people.csv")[1:]]).set_index(0)
    customers = frame(loaded_shop.database, "select * from warehouse.customers").set_index("customer_id")
    told = people.reindex(customers.index).fillna("")
    for column, position in (("city", 1), ("age", 2), ("member", 3)):
        assert (customers[f"{column}_imputed"] == (told[position] == "")).all()
        assert customers[f"{column}_imputed"].any()
    assert set(customers.loc[customers["city_imputed"], "city"]) == {"unknown"}
    ages = told.loc[told[2] != "", 2].astype(float)
    assert set(customers.loc[customers["age_imputed"], "age"]) == {ages.median()}
    assert set(customers["member"]) <= {"gold", "plain"}


def test_what_was_filled_is_told_in_the_metadata(loaded_shop: LoadedShop) -> None:
    (event,) = (e for e in loaded_shop.result.get_asset_materialization_events() if e.asset_key == dg.AssetKey("items"))
    told = event.materialization.metadata["missing values"].value
    assert "| maker | mode | 8 | 8 | 0 |" in told
    assert "| price | mean | 6 | 6 | 0 |" in told


def test_an_item_of_the_master_data_is_recommendable_as_they_say(loaded_shop: LoadedShop) -> None:
    wares = [line.split(",") for line in lines_of(loaded_shop, "wares.csv")[1:]]
    found = dict(rows(loaded_shop.database, "select item_id, recommendable from warehouse.items where in_master"))
    assert found == {ware[0]: ware[3] == "yes" for ware in wares}


def test_baskets_hold_the_purchases(loaded_shop: LoadedShop) -> None:
    assert rows(loaded_shop.database, "select sum(value), sum(quantity) from warehouse.baskets") == rows(
        loaded_shop.database, "select sum(value), sum(quantity) from warehouse.events where event_type = 'purchase'"
    )


def test_campaigns_are_typed_and_the_unreadable_one_is_warned_of(loaded_shop: LoadedShop) -> None:
    assert rows(loaded_shop.database, "select campaign_id, campaign_type from warehouse.campaigns") == [
        ("m1", "letter"),
        ("m2", "unknown"),
    ]
    assert rows(loaded_shop.database, "select count(*) from warehouse.campaign_targets") == [(24,)]
    assert rows(loaded_shop.database, "select count(*), min(detail) from warehouse.campaign_responses") == [(4, "100")]
    assert failed(loaded_shop.result)["raw_campaigns: rows_are_read"].startswith("1 of 3 delivered campaigns is rejec")


TABLES = "events", "rejected_events", "customers", "items", "baskets"


def content(database: Path) -> dict[str, list[tuple[object, ...]]]:
    return {table: sorted(rows(database, f"select * from warehouse.{table}"), key=str) for table in TABLES}


def mixed(number: int) -> list[dict[str, object]]:
    """Events of five days, some of them broken, some twice."""
    days = ("2024-03-01", "2024-03-02", "2024-03-04", "2024-03-05", "soon")
    return [
        {
            "at": days[i % 5],
            "who": f"c{i % 3}",
            "what": f"i{i % 4}",
            "quantity": 1 + i % 2,
            "value": -1 if i % 7 == 0 else i % 5,
        }
        for i in range(number)
    ]


@pytest.mark.whole
def test_days_one_by_one_in_any_order_and_again_give_what_a_range_gives(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"a.csv": mixed(40), "b.csv": mixed(15)})
    load_shop(tmp_path / "range.duckdb", dataset)
    by_day = dg.AssetSelection.assets(*DAILY)
    for day in (4, 1, 5, 3, 2, 2):
        load_shop(tmp_path / "days.duckdb", dataset, days=(f"2024-03-0{day}", f"2024-03-0{day}"), selection=by_day)
    load_shop(tmp_path / "days.duckdb", dataset, selection=dg.AssetSelection.all() - by_day)
    assert content(tmp_path / "days.duckdb") == content(tmp_path / "range.duckdb")
    assert content(tmp_path / "range.duckdb")["rejected_events"]


def loaded(tmp_path: Path, dataset: Dataset) -> tuple[Path, dg.ExecuteInProcessResult]:
    database = tmp_path / "w.duckdb"
    return database, load_shop(database, dataset, checked=True, raise_on_error=False)


@pytest.mark.whole
def test_a_wrong_type_in_row_7_of_a_file_is_a_rejected_event_that_names_row_7(tmp_path: Path) -> None:
    events = [{"id": i, "value": "n/a" if i == 7 else "1"} for i in range(1, 101)]
    database, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": events}))
    assert result.success
    assert rows(database, "select reason, value, source_file, source_row from warehouse.rejected_events") == [
        ("value is not a number", "n/a", "events/a.csv", 7)
    ]
    assert rows(database, "select count(*) from warehouse.events") == [(99,)]


@pytest.mark.whole
def test_a_day_that_comes_in_two_files_is_there_once_and_a_missing_day_is_warned_of(tmp_path: Path) -> None:
    day = [{"id": i, "at": f"2024-03-0{1 + i % 2}"} for i in range(6)]
    files = {"a.csv": day, "again.csv": day, "later.csv": [{"at": "2024-03-05"}]}
    database, result = loaded(tmp_path, write_tiny(tmp_path, files))
    assert result.success
    found = rows(database, "select day::varchar, count(*), sum(copies) from warehouse.events group by all order by all")
    assert found == [("2024-03-01", 3, 6), ("2024-03-02", 3, 6), ("2024-03-05", 1, 1)]
    told = failed(result)["events: no_day_is_missing"]
    assert told.startswith("2 of 5 days have no event. If the shop was open, look for the files of these days")


@pytest.mark.whole
def test_one_customer_one_item_no_ratings_and_no_campaigns_make_small_and_correct_tables(tmp_path: Path) -> None:
    manifest = TINY.replace("rating_scale: [1, 5]\n", "")
    database, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": [{}]}, manifest=manifest))
    assert result.success
    assert rows(database, "select customer_id, item_id, rating, copies from warehouse.events") == [
        ("ann", "tea", None, 1)
    ]
    assert rows(database, "select basket_id, items, value from warehouse.baskets") == [("ann:2024-03-01", 1, 2.5)]
    for table, size in (("customers", 1), ("items", 1), ("campaigns", 0), ("campaign_targets", 0)):
        assert rows(database, f"select count(*) from warehouse.{table}") == [(size,)]


@pytest.mark.whole
def test_a_day_of_only_rejected_events_is_empty_and_accounted_for(tmp_path: Path) -> None:
    events = [{"id": i} for i in range(100)] + [{"at": "2024-03-02", "quantity": "0"}, {"at": "2024-03-03"}]
    database, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": events}))
    assert result.success
    assert rows(database, "select count(*) from warehouse.events where day = '2024-03-02'") == [(0,)]
    assert rows(database, "select day::varchar from warehouse.rejected_events") == [("2024-03-02",)]


@pytest.mark.whole
def test_when_all_rows_are_rejected_the_run_stops_with_the_reason_and_nothing_is_lost(tmp_path: Path) -> None:
    database, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": [{"value": "free"}, {"who": ""}]}))
    assert not result.success
    told = failed(result)
    assert told["rejected_events: few_events_are_rejected"].startswith("2 of 2 delivered events break the contract")
    assert told["events: there_are_events"] == (
        "0 events. See warehouse.rejected_events for the reasons, or load days that have events."
    )
    assert rows(database, "select reason from warehouse.rejected_events order by source_row") == [
        ("value is not a number",),
        ("missing customer_id",),
    ]
    assert "customers" not in {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}


@pytest.mark.whole
def test_an_empty_file_is_no_events_and_the_check_says_so(tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {"header.csv": []})
    (tmp_path / "events" / "zero.csv").touch()
    _, result = loaded(tmp_path, dataset)
    assert set(failed(result)) == {"events: there_are_events"}


@pytest.mark.whole
def test_whole_number_attributes_are_filled_with_whole_numbers_and_reserved_words_are_names(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(
        "who,kids,order,vip,born\nann,1,x,true,2000-01-01\nbob,2,,,\ncid,,y,true,2000-01-01\n", "utf-8"
    )
    more = """
customers:
  source: {files: people.csv, format: csv}
  id: who
  attributes:
    kids: {expression: kids, type: bigint, missing: {policy: mean}}
    order: {expression: '"order"', missing: {policy: constant, value: none}}
    vip: {expression: vip, type: boolean, missing: {policy: mode}}
    born: {expression: born, type: date, missing: {policy: mode}}
"""
    database, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": [{}]}, more))
    assert result.success
    found = rows(
        database, 'select customer_id, kids, "order", vip, born::varchar, kids_imputed from warehouse.customers'
    )
    assert found == [
        ("ann", 1, "x", True, "2000-01-01", False),
        ("bob", 2, "none", True, "2000-01-01", False),
        ("cid", 2, "y", True, "2000-01-01", True),
    ]


@pytest.mark.whole
def test_a_policy_that_drops_a_customer_who_has_events_is_told_by_the_check(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("who,town\nann,\nbob,Ulm\n", "utf-8")
    more = """
customers:
  source: {files: people.csv, format: csv}
  id: who
  attributes: {city: {expression: town, missing: {policy: drop}}}
"""
    _, result = loaded(tmp_path, write_tiny(tmp_path, {"a.csv": [{}]}, more))
    assert not result.success
    assert failed(result)["customers: references_hold"] == (
        "1 of 1 customers that events name is not in warehouse.customers. Materialize customers again; "
        "a missing-value policy 'drop' in the manifest also removes rows."
    )
