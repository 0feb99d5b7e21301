"""Laws of customers, items, baskets and campaigns, from literal rows."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from cx_assets.sections import Attribute
from cx_assets.table import Table, from_frame
from cx_assets.warehouse.events import fold_baskets
from cx_assets.warehouse.masters import (
    known_customers,
    known_items,
    typed_campaigns,
    typed_responses,
    typed_targets,
)

ATTRIBUTES = {
    "city": Attribute(expression="town"),
    "age": Attribute.model_validate({"expression": "years", "type": "double", "missing": {"policy": "mean"}}),
}
Rows = Callable[..., Table]


@pytest.fixture
def rows(connection: duckdb.DuckDBPyConnection) -> Rows:
    """A function from literal rows to a table; a row without a source comes from a.csv, numbered as it stands."""

    def table(*given: dict[str, Any], columns: tuple[str, ...] = (), typed: bool = False) -> Table:
        names = list(dict.fromkeys([*columns, *(name for row in given for name in row)]))
        data = {name: [row.get(name) for row in given] for name in names}
        if not typed:
            data |= {"source_file": ["a.csv"] * len(given), "source_row": list(range(1, len(given) + 1))}
        text = {name: pa.array(values, pa.string()) for name, values in data.items() if name in columns and not typed}
        return from_frame(connection, pa.table({**{n: pa.array(v) for n, v in data.items() if n not in text}, **text}))

    return table


RAW_CUSTOMERS = ("customer_id", "city", "age")


def test_a_customer_is_known_from_the_master_data_or_from_an_event(rows: Rows) -> None:
    raw = rows({"customer_id": " ann "}, {"customer_id": "bob"}, columns=RAW_CUSTOMERS)
    events = rows({"customer_id": "bob"}, {"customer_id": "cid"}, {"customer_id": "cid"}, typed=True)
    found = known_customers(raw, events, {})
    assert found.columns == ["customer_id", "in_master", "has_events"]
    assert found.fetchall() == [("ann", True, False), ("bob", True, True), ("cid", False, True)]


def test_of_an_id_that_comes_twice_the_first_row_is_used_and_a_row_without_an_id_is_not(rows: Rows) -> None:
    raw = rows(
        {"customer_id": "ann", "city": "Ulm"},
        {"customer_id": "ann", "city": "Graz"},
        {"customer_id": " ", "city": "Bern"},
        {"customer_id": None, "city": "Bern"},
        columns=RAW_CUSTOMERS,
    )
    found = known_customers(raw, rows(columns=("customer_id",)), ATTRIBUTES).fetchall()
    assert found == [("ann", True, False, "Ulm", None)]


def test_an_attribute_that_is_empty_or_of_another_type_is_missing(rows: Rows) -> None:
    raw = rows(
        {"customer_id": "a", "city": " ", "age": "old"},
        {"customer_id": "b", "city": " Ulm ", "age": " 30 "},
        columns=RAW_CUSTOMERS,
    )
    found = known_customers(raw, rows(columns=("customer_id",)), ATTRIBUTES)
    assert [row[3:] for row in found.fetchall()] == [(None, None), ("Ulm", 30.0)]


def test_an_attribute_may_be_called_by_a_reserved_word(rows: Rows) -> None:
    raw = rows({"customer_id": "a", "order": "x", "select": "y"}, columns=("customer_id", "order", "select"))
    named = {name: Attribute(expression="e") for name in ("order", "select")}
    found = known_customers(raw, rows(columns=("customer_id",)), named)
    assert found.fetchall() == [("a", True, False, "x", "y")]


RAW_ITEMS = ("item_id", "name", "category", "recommendable")


def test_an_item_is_called_by_its_id_and_of_unknown_category_where_nothing_better_is_told(rows: Rows) -> None:
    raw = rows(
        {"item_id": "tea", "name": "Green tea", "category": "drinks", "recommendable": "true"},
        {"item_id": "milk", "name": " ", "category": None, "recommendable": "true"},
        columns=RAW_ITEMS,
    )
    found = known_items(raw, rows({"item_id": "salt"}, typed=True), {}).df().set_index("item_id")
    assert found[["name", "category"]].to_numpy().tolist() == [
        ["milk", "unknown"],
        ["salt", "unknown"],
        ["Green tea", "drinks"],
    ]


@pytest.mark.parametrize(("told", "expected"), [("true", True), ("false", False), (None, False), ("perhaps", False)])
def test_an_item_of_the_master_data_may_be_recommended_only_if_they_say_so(
    rows: Rows, told: str | None, expected: bool
) -> None:
    raw = rows({"item_id": "tea", "recommendable": told}, columns=RAW_ITEMS)
    assert known_items(raw, rows(columns=("item_id",)), {}).df()["recommendable"].tolist() == [expected]


def test_an_item_that_only_events_know_may_be_recommended(rows: Rows) -> None:
    found = known_items(rows(columns=RAW_ITEMS), rows({"item_id": "salt"}, typed=True), {}).df()
    assert found[["recommendable", "in_master"]].to_numpy().tolist() == [[True, False]]


RAW_CAMPAIGNS = ("campaign_id", "campaign_type", "starts_on", "ends_on")


def test_a_campaign_is_read_if_it_has_an_id_and_days_in_order(rows: Rows) -> None:
    raw = rows(
        {"campaign_id": "1", "campaign_type": " mail ", "starts_on": "2024-03-01", "ends_on": "2024-03-01T09:00:00"},
        {"campaign_id": "2", "campaign_type": "mail", "starts_on": "2024-03-02", "ends_on": "2024-03-01"},
        {"campaign_id": "3", "campaign_type": "mail", "starts_on": "soon", "ends_on": "2024-03-01"},
        {"campaign_id": " ", "campaign_type": "mail", "starts_on": "2024-03-01", "ends_on": "2024-03-01"},
        {"campaign_id": "4", "campaign_type": None, "starts_on": "2024-03-01", "ends_on": "infinity"},
        {"campaign_id": "5", "campaign_type": "", "starts_on": "2024-03-01T10:00", "ends_on": "2024-03-01"},
        columns=RAW_CAMPAIGNS,
    )
    day = date(2024, 3, 1)
    assert typed_campaigns(raw).fetchall() == [("1", "mail", day, day), ("5", "unknown", day, day)]


def test_of_a_campaign_that_comes_twice_the_first_readable_row_is_used(rows: Rows) -> None:
    raw = rows(
        {"campaign_id": "1", "campaign_type": "a", "starts_on": "soon", "ends_on": "2024-03-01"},
        {"campaign_id": "1", "campaign_type": "b", "starts_on": "2024-03-01", "ends_on": "2024-03-02"},
        {"campaign_id": "1", "campaign_type": "c", "starts_on": "2024-03-01", "ends_on": "2024-03-02"},
        columns=RAW_CAMPAIGNS,
    )
    assert [row[1] for row in typed_campaigns(raw).fetchall()] == ["b"]


def test_targets_are_told_once_and_need_both_ids(rows: Rows) -> None:
    raw = rows(
        {"campaign_id": "1", "customer_id": "ann"},
        {"campaign_id": " 1 ", "customer_id": "ann"},
        {"campaign_id": "1", "customer_id": None},
        {"campaign_id": "", "customer_id": "bob"},
        columns=("campaign_id", "customer_id"),
    )
    assert typed_targets(raw).fetchall() == [("1", "ann")]


def test_equal_responses_are_folded_and_counted_and_need_ids_and_a_time(rows: Rows) -> None:
    good = {"campaign_id": "1", "customer_id": "ann", "responded_at": "2024-03-01T01:00:00+02:00", "detail": " "}
    raw = rows(
        good,
        good,
        {**good, "detail": "x"},
        {**good, "responded_at": "soon"},
        {**good, "responded_at": "infinity"},
        {**good, "customer_id": None},
        columns=("campaign_id", "customer_id", "responded_at", "detail"),
    )
    at = datetime(2024, 2, 29, 23)
    assert sorted(typed_responses(raw).fetchall(), key=str) == [("1", "ann", at, "x", 1), ("1", "ann", at, None, 2)]


def test_a_basket_adds_up_its_events_of_the_basket_types_per_customer(rows: Rows) -> None:
    def event(customer: str, basket: str, item: str, hour: int, kind: str = "purchase") -> dict[str, Any]:
        return {
            "customer_id": customer,
            "basket_id": basket,
            "item_id": item,
            "occurred_at": datetime(2024, 3, 1, hour),
            "event_type": kind,
            "quantity": 2.0,
            "value": 1.5,
        }

    events = rows(
        event("ann", "1", "tea", 11),
        event("ann", "1", "tea", 10),
        event("ann", "1", "milk", 12),
        event("ann", "1", "salt", 9, "view"),
        event("bob", "1", "tea", 8),
        event("cid", "9", "tea", 7, "view"),
        typed=True,
    )
    assert fold_baskets(events, ("purchase",)).fetchall() == [
        ("1", "bob", datetime(2024, 3, 1, 8), 1, 2.0, 1.5),
        ("1", "ann", datetime(2024, 3, 1, 10), 2, 6.0, 4.5),
    ]
    assert fold_baskets(events, ("purchase", "view")).count() == 3
