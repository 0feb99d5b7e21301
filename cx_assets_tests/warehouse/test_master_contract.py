"""Laws of what customers, items and campaigns must be: what is rejected, whole or in one value, where it is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.table import Table, from_frame
from cx_assets.warehouse.master_contract import kept_rows, rejected_master_values, rejected_rows
from cx_assets_tests.runs import failed, load_shop, rows, shop_checks
from cx_assets_tests.shop import write_tiny

MASTER = """
customers:
  source: {files: people.csv, format: csv}
  id: who
  attributes:
    city: {expression: town}
    age: {expression: years, type: bigint, missing: {policy: mode}}
    since: {expression: joined, type: date, missing: {policy: mode}}
"""
HEADER = "who,town,years,joined\n"


def declared(folder: Path, contract: str = "", people: Sequence[str] = ("ann,Ulm,30,2020-01-01",)) -> Dataset:
    """A tiny shop of ann, who bought tea, with customers as lines of CSV."""
    (folder / "people.csv").write_text(HEADER + "".join(f"{line}\n" for line in people), "utf-8")
    more = f"contract: {{customers: {{{contract}}}}}\n" if contract else ""
    return write_tiny(folder, {"a.csv": [{}]}, MASTER + more)


def raw(connection: duckdb.DuckDBPyConnection, *told: dict[str, Any]) -> Table:
    """Delivered customers, each told by what differs from a good one."""
    good = {"customer_id": "ann", "city": "Ulm", "age": "30", "since": "2020-01-01", "source_file": "p.csv"}
    return from_frame(connection, pd.DataFrame([{**good, **row, "source_row": i} for i, row in enumerate(told, 1)]))


@pytest.mark.parametrize(
    ("contract", "row", "reason"),
    [
        ("", {"customer_id": " "}, "missing customer_id"),
        ("columns: {customer_id: {pattern: '[a-z]+'}}", {"customer_id": "Bob"}, "customer_id does not match [a-z]+"),
        ("columns: {city: {required: true}}", {"city": " "}, "missing city"),
        ("columns: {city: {allowed: [Ulm]}}, on_broken: reject_row", {"city": "Bern"}, "city is none of Ulm"),
        ("columns: {city: {unique: true}}", {"customer_id": "bob"}, "city is not unique"),
        ("columns: {age: {max: 120}}, on_broken: stop", {"age": "121"}, "age above 120"),
        ("on_broken: reject_row", {"age": "old"}, "age is not a whole number"),
    ],
)
def test_a_row_that_breaks_the_contract_is_rejected_with_what_was_delivered(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, contract: str, row: dict[str, Any], reason: str
) -> None:
    dataset, delivered = declared(tmp_path, contract), raw(connection, {}, {"customer_id": "bob", **row})
    (told,) = rejected_rows(delivered, dataset, "customers").fetchall()
    assert (told[0], told[1], told[3], told[4]) == ("customers", reason, "p.csv", 2)
    assert json.loads(told[2]) == {
        "customer_id": "bob", "city": "Ulm", "age": "30", "since": "2020-01-01", **row
    }  # fmt: skip
    assert [row[0] for row in kept_rows(delivered, dataset, "customers").fetchall()] == ["ann"]


@pytest.mark.parametrize(
    ("contract", "column", "value", "reason"),
    [
        ("", "age", "old", "age is not a whole number"),
        ("", "age", "30.5", "age is not a whole number"),
        ("", "since", "2020-02-30", "since is not a day"),
        ("columns: {age: {min: 0, max: 120}}", "age", "-1", "age below 0"),
        ("columns: {since: {min: 2000-01-01}}", "since", "1900-01-01", "since below 2000-01-01"),
        ("columns: {city: {allowed: [Ulm, Bern]}}", "city", "Graz", "city is none of Ulm, Bern"),
    ],
)
def test_a_value_that_breaks_the_contract_counts_as_missing_and_is_told_while_its_row_is_kept(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, contract: str, column: str, value: str, reason: str
) -> None:
    dataset, delivered = declared(tmp_path, contract), raw(connection, {column: value})
    assert rejected_rows(delivered, dataset, "customers").fetchall() == []
    assert rejected_master_values(delivered, dataset, "customers").fetchall() == [
        (None, "customers", column, reason, value, "p.csv", 1)
    ]
    (kept,) = kept_rows(delivered, dataset, "customers").df().to_dict("records")
    assert [name for name, found in kept.items() if found is None] == [column]


def test_whole_numbers_may_be_written_with_a_point_and_blanks_are_missing_not_broken(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    delivered = raw(connection, {"age": " 30.0 ", "since": " ", "city": None})
    dataset = declared(tmp_path)
    assert rejected_master_values(delivered, dataset, "customers").fetchall() == []
    assert kept_rows(delivered, dataset, "customers").count() == 1


def test_of_an_id_that_comes_twice_the_first_row_that_is_good_otherwise_is_kept(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "columns: {city: {required: true}}")
    delivered = raw(connection, {"city": None}, {"city": "Bern"}, {"customer_id": " ann "})
    assert [row[1] for row in kept_rows(delivered, dataset, "customers").fetchall()] == ["Bern"]
    told = [(row[1], row[4]) for row in rejected_rows(delivered, dataset, "customers").fetchall()]
    assert sorted(told) == [("customer_id came before", 3), ("missing city", 1)]


def test_a_row_that_repeats_a_kept_one_in_every_column_is_folded_into_it_and_not_rejected(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = declared(tmp_path, "columns: {since: {unique: true}, age: {max: 20}}")
    delivered = raw(connection, {}, {"city": "Bern"}, {}, {"city": "Bern"}, {"city": "Bern", "customer_id": " ann"})
    assert [row[:2] for row in kept_rows(delivered, dataset, "customers").fetchall()] == [("ann", "Ulm")]
    told = [(row[1], row[4]) for row in rejected_rows(delivered, dataset, "customers").fetchall()]
    assert sorted(told, key=lambda row: row[1]) == [("since is not unique", row) for row in (2, 4, 5)]
    assert rejected_master_values(delivered, dataset, "customers").count() == 1


def test_a_repeated_row_that_breaks_the_contract_is_rejected_each_time(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    delivered = raw(connection, {"customer_id": ""}, {"customer_id": ""})
    told = [(row[1], row[4]) for row in rejected_rows(delivered, declared(tmp_path), "customers").fetchall()]
    assert sorted(told) == [("missing customer_id", 1), ("missing customer_id", 2)]


FOLDED_AND_NOT = """
campaigns:
  source: {files: campaigns.csv, format: csv}
  columns: {campaign_id: id, campaign_type: kind, starts_on: from_day, ends_on: to_day}
items:
  source: {files: things.csv, format: csv}
  id: thing
  name: title
"""


@pytest.mark.whole
def test_repeated_rows_of_customers_items_and_campaigns_are_folded_and_add_up(tmp_path: Path) -> None:
    people = ["ann,Ulm,30,2020-01-01", "ann,Ulm,30,2020-01-01", "ann,Graz,50,2020-01-01", "bob,,,", "bob,,,"]
    (tmp_path / "things.csv").write_text("thing,title\ntea,Tea\ntea,Tea\ntea,Green tea\n", "utf-8")
    campaign = "c1,mail,2024-03-01,2024-03-02\n"
    (tmp_path / "campaigns.csv").write_text(f"id,kind,from_day,to_day\n{campaign}{campaign}", "utf-8")
    declared(tmp_path, people=people)
    path = tmp_path / "tiny_shop.yaml"
    dropping = path.read_text("utf-8").replace("{expression: town}", "{expression: town, missing: {policy: drop}}")
    path.write_text(dropping + FOLDED_AND_NOT, "utf-8")
    database = tmp_path / "data" / "working.duckdb"
    result = load_shop(database, load_dataset(str(path)), checked=True)
    assert set(failed(result)) == {"raw_customers: rows_are_read", "raw_items: rows_are_read"}
    assert rows(database, "select delivered_as, reason, source_row from warehouse.rejected_rows order by all") == [
        ("customers", "customer_id came before", 3),
        ("items", "item_id came before", 3),
    ]
    assert rows(database, "select customer_id, city from warehouse.customers") == [("ann", "Ulm")]
    figures = {
        evaluation.asset_key.to_user_string(): {
            part: evaluation.metadata[part].value for part in ("raw", "kept", "folded", "dropped", "rejected")
        }
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == "nothing_is_lost" and "folded" in evaluation.metadata
    }
    assert figures["customers"] == {"raw": 5, "kept": 1, "folded": 2, "dropped": 1, "rejected": 1}
    assert figures["items"] == {"raw": 3, "kept": 1, "folded": 1, "dropped": 0, "rejected": 1}
    assert figures["campaigns"] == {"raw": 2, "kept": 1, "folded": 1, "dropped": 0, "rejected": 0}


@pytest.mark.whole
def test_a_run_keeps_what_it_rejects_of_master_data_and_the_rows_add_up(tmp_path: Path) -> None:
    people = ["ann,Ulm,30,2020-01-01", ",Bern,40,2020-01-01", "bob,Ulm,many,2020-01-01", "ann,Graz,50,2020-01-01"]
    dataset = declared(tmp_path, people=people)
    database = tmp_path / "data" / "working.duckdb"
    told = failed(load_shop(database, dataset, checked=True))
    # The manifest names no file of items, so nothing is said of those that it doesn't know.
    assert set(told) == {"raw_customers: rows_are_read", "rejected_values: no_value_is_rejected"}
    assert rows(database, "select reason, source_row from warehouse.rejected_rows order by source_row") == [
        ("missing customer_id", 2),
        ("customer_id came before", 4),
    ]
    assert rows(database, "select column_name, value from warehouse.rejected_values") == [("age", "many")]
    assert rows(database, "select customer_id, city, age_imputed from warehouse.customers order by all") == [
        ("ann", "Ulm", False),
        ("bob", "Ulm", True),
    ]


@pytest.mark.parametrize(
    ("contract", "passes"),
    [("limit: 0.4", False), ("limit: 0.5", True), ("columns: {age: {max: 120, on_broken: stop}}", False)],
)
def test_a_run_stops_above_the_limit_and_for_what_stops_it(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, contract: str, passes: bool
) -> None:
    check = shop_checks(declared(tmp_path, contract))["raw_customers: rows_are_read"]
    assert next(iter(check.check_specs)).blocking
    broken = {"customer_id": ""} if "limit" in contract else {"customer_id": "bob", "age": "121"}
    assert check(raw(connection, {}, broken)).passed is passes


def law_says(connection: duckdb.DuckDBPyConnection, folder: Path, contract: str, *told: dict[str, Any]) -> str:
    """What is said of delivered customers."""
    check = shop_checks(declared(folder, contract))["raw_customers: rows_are_read"]
    return str(check(raw(connection, *told)).description)


BLANK: dict[str, Any] = {"customer_id": ""}


def test_above_the_limit_each_reason_has_its_count_and_first_place_and_nobody_is_sent_to_what_is_not_made(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    told = law_says(connection, tmp_path, "limit: 0.4", {}, BLANK, BLANK, {"city": "Bern"})
    assert told == (
        "3 of 4 delivered customers are rejected. Above the limit of 40.0%: missing customer_id: 2, first in p.csv "
        "row 2; customer_id came before: 1, in p.csv row 4. Correct them there, or raise the limit in "
        "contract.customers of the manifest."
    )


def test_where_a_row_stops_a_run_that_is_told_alone_with_its_place(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    contract = "columns: {age: {max: 120, on_broken: stop}}"
    told = law_says(connection, tmp_path, contract, {}, BLANK, {"customer_id": "bob", "age": "121"})
    assert told == (
        "2 of 3 delivered customers are rejected. What stops a run: age above 120: 1, in p.csv row 3. "
        "Correct them there, or choose another on_broken in contract.customers of the manifest."
    )


@pytest.mark.parametrize("contract", ["", "limit: 0.5"])
def test_where_a_run_goes_on_the_table_of_rejected_rows_is_named(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, contract: str
) -> None:
    assert law_says(connection, tmp_path, contract, {}, BLANK) == (
        "1 of 2 delivered customers is rejected. Reasons: missing customer_id: 1, in p.csv row 2. Each is in "
        "warehouse.rejected_rows with its reason, file and row (`cx rejected` tells them): correct it there."
    )


def test_of_many_reasons_the_most_frequent_are_named_and_the_others_counted(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    contract = "on_broken: reject_row, columns: {city: {allowed: [Ulm]}, age: {max: 99}}"
    many = [{"customer_id": f"c{number}", "age": "100"} for number in range(2)]
    others = [{"customer_id": "d", "city": "Bern"}, {"customer_id": "e", "since": "soon"}, BLANK]
    told = law_says(connection, tmp_path, contract, *others, *many)
    assert "Reasons: age above 99: 2, first in p.csv row 4; city is none of Ulm: 1, in p.csv row 1; " in told
    assert "in p.csv row 3; and 1 more. Each is in" in told


@pytest.mark.whole
def test_what_a_policy_drops_is_counted_and_not_lost(tmp_path: Path) -> None:
    dataset = declared(tmp_path, people=["ann,Ulm,30,2020-01-01", "bob,Ulm,,2020-01-01"])
    text = dataset.path.read_text("utf-8").replace("bigint, missing: {policy: mode}", "bigint, missing: {policy: drop}")
    dataset.path.write_text(text, "utf-8")
    database = tmp_path / "data" / "working.duckdb"
    result = load_shop(database, load_dataset(str(dataset.path)), checked=True)
    assert "customers: nothing_is_lost" not in failed(result)
    (verdict,) = [v for v in result.get_asset_check_evaluations()
                  if (v.asset_key.path[-1], v.check_name) == ("customers", "nothing_is_lost")]  # fmt: skip
    assert [verdict.metadata[name].value for name in ("raw", "kept", "dropped")] == [2, 1, 1]
