"""Laws of the contract of an event: which rows keep it, which reason is given, and that none is lost."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cx_assets.dataset import Dataset
from cx_assets.table import sql
from cx_assets.warehouse.contract import judge
from cx_assets.warehouse.events import accepted, rejected
from cx_assets_tests.shop import TINY, write_tiny
from cx_assets_tests.warehouse.delivered import delivered


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_tiny(tmp_path_factory.mktemp("tiny"), {})


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    return connection


def reason(con: duckdb.DuckDBPyConnection, dataset: Dataset, **event: Any) -> str | None:
    """Why an event is rejected, or None."""
    judged = judge(delivered(con, dataset, event), dataset)
    return sql("select reason from j", j=judged).fetchone()[0]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, None),
        ({"customer_id": ""}, "missing customer_id"),
        ({"customer_id": "  "}, "missing customer_id"),
        ({"customer_id": None}, "missing customer_id"),
        ({"item_id": " "}, "missing item_id"),
        ({"occurred_at": None}, "missing time"),
        ({"occurred_at": " "}, "missing time"),
        ({"occurred_at": "yesterday"}, "time does not parse"),
        ({"occurred_at": "infinity"}, "time does not parse"),
        ({"occurred_at": "2999-01-01"}, "time in the future"),
        ({"occurred_at": "2024-02-29T23:59:59.999999"}, "time outside the dataset's days"),
        ({"occurred_at": "2024-03-01T00:00:00"}, None),
        ({"occurred_at": "2024-03-05T23:59:59.999999"}, None),
        ({"occurred_at": "2024-03-06T00:00:00"}, "time outside the dataset's days"),
        ({"occurred_at": "2024-03-06T01:30:00+02:00"}, None),
        ({"event_type": "sniff"}, "unknown event type"),
        ({"event_type": None}, "unknown event type"),
        ({"event_type": " View "}, None),
        ({"event_type": "cart"}, None),
        ({"quantity": None}, "missing quantity"),
        ({"quantity": "three"}, "quantity is not a number"),
        ({"quantity": "nan"}, "quantity is not a number"),
        ({"quantity": "inf"}, "quantity is not a number"),
        ({"quantity": "0"}, "quantity not above 0"),
        ({"quantity": "-1"}, "quantity not above 0"),
        ({"quantity": "0.001"}, None),
        ({"quantity": "1e12"}, None),
        ({"quantity": "1.1e12"}, "quantity too large"),
        ({"value": "1e300"}, "value too large"),
        ({"value": None}, "missing value"),
        ({"value": "1,50"}, "value is not a number"),
        ({"event_type": "View", "value": "much"}, "value is not a number"),
        ({"event_type": "cart", "quantity": "0"}, "quantity not above 0"),
        ({"value": "nan"}, "value is not a number"),
        ({"value": "-0.01"}, "value below 0"),
        ({"value": "0"}, None),
        ({"event_type": "rating"}, "rating event without a rating"),
        ({"event_type": "rating", "rating": " "}, "rating event without a rating"),
        ({"event_type": "rating", "rating": "0.99"}, "rating outside the scale 1 to 5"),
        ({"event_type": "rating", "rating": "1"}, None),
        ({"event_type": "rating", "rating": "5"}, None),
        ({"event_type": "rating", "rating": "5.01"}, "rating outside the scale 1 to 5"),
        ({"event_type": "rating", "rating": "five"}, "rating outside the scale 1 to 5"),
        ({"event_type": "rating", "rating": "nan"}, "rating outside the scale 1 to 5"),
        ({"rating": "9"}, "rating outside the scale 1 to 5"),
        ({"customer_id": "", "item_id": "", "quantity": "0"}, "missing customer_id"),
    ],
)
def test_an_event_breaks_the_first_clause_that_it_breaks(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, event: dict[str, Any], expected: str | None
) -> None:
    assert reason(con, dataset, **event) == expected


@pytest.mark.parametrize("silence", [None, "", " "])
def test_what_is_no_purchase_needs_no_quantity_and_no_value(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, silence: str | None
) -> None:
    judged = judge(delivered(con, dataset, {"event_type": " View", "quantity": silence, "value": silence}), dataset)
    assert sql('select reason, quantity, "value" from j', j=judged).fetchall() == [(None, 1.0, 0.0)]


def test_a_rejected_event_tells_what_was_delivered_and_not_what_was_made_of_it(
    con: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    event = {"customer_id": None, "item_id": " Tea ", "event_type": "Refund", "quantity": " 1"}
    told = rejected(judge(delivered(con, dataset, event), dataset))
    chosen = sql("select customer_id, item_id, event_type, quantity from t", t=told)
    assert chosen.fetchall() == [(None, " Tea ", "Refund", " 1")]


def test_a_rating_without_a_declared_scale_is_rejected(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    dataset = write_tiny(tmp_path, {}, manifest=TINY.replace("rating_scale: [1, 5]\n", ""))
    assert reason(con, dataset, event_type="rating", rating="3") == "rating without a declared scale"
    assert reason(con, dataset) is None


def test_a_growing_dataset_takes_what_is_past_and_rejects_what_is_to_come(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    dataset = write_tiny(tmp_path, {}, manifest=TINY.replace("last_day: 2024-03-05\n", ""))
    now = datetime.now(UTC).replace(tzinfo=None)
    assert reason(con, dataset, occurred_at=(now - timedelta(minutes=1)).isoformat()) is None
    assert reason(con, dataset, occurred_at=(now + timedelta(hours=1)).isoformat()) == "time in the future"


def test_an_event_is_typed_and_its_texts_are_trimmed(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    raw = delivered(con, dataset, {"customer_id": " ann ", "item_id": " tea", "event_type": "Rating", "rating": " 4 "})
    found = accepted(judge(raw, dataset)).df().iloc[0]
    assert found["occurred_at"] == datetime(2024, 3, 2, 10)
    assert found["day"].date() == date(2024, 3, 2)
    assert (found["customer_id"], found["item_id"], found["event_type"]) == ("ann", "tea", "rating")
    assert (found["quantity"], found["value"], found["rating"], found["copies"]) == (1.0, 2.5, 4.0, 1)


def test_a_basket_that_is_not_told_is_the_customers_day(con: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    raw = delivered(con, dataset, {"basket_id": " "}, {"basket_id": "b7", "item_id": "milk"})
    found = sql("select basket_id from e order by source_row", e=accepted(judge(raw, dataset))).fetchall()
    assert found == [("ann:2024-03-02",), ("b7",)]


def test_a_rejected_event_is_kept_as_delivered_with_its_file_and_row(
    con: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    raw = delivered(con, dataset, {}, {"quantity": "three", "value": " 7 "})
    (kept,) = rejected(judge(raw, dataset)).df().to_dict("records")
    assert (kept["reason"], kept["quantity"], kept["value"]) == ("quantity is not a number", "three", " 7 ")
    assert (kept["source_file"], kept["source_row"], kept["occurred_at"]) == ("a.csv", 2, "2024-03-02T10:00:00")


def test_exact_duplicates_are_folded_and_counted_and_the_first_by_file_and_row_stays(
    con: duckdb.DuckDBPyConnection, dataset: Dataset
) -> None:
    raw = delivered(con, dataset, {"source_file": "b.csv"}, {"source_file": "a.csv"}, {"source_file": "a.csv"})
    (kept,) = accepted(judge(raw, dataset)).df().to_dict("records")
    assert (kept["copies"], kept["source_file"], kept["source_row"]) == (3, "a.csv", 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"event_id": "1"}, {"event_id": "2"}),
        ({"customer_id": "a|b", "item_id": "c"}, {"customer_id": "a", "item_id": "b|c"}),
        ({"basket_id": "1", "quantity": "1", "value": "1"}, {"quantity": "1", "value": "1", "rating": "1"}),
        ({"event_id": "x", "basket_id": None}, {"event_id": None, "basket_id": "x"}),
        ({"store_id": "north"}, {"store_id": "south"}),
        ({"occurred_at": "2024-03-02T10:00:00"}, {"occurred_at": "2024-03-02T10:00:01"}),
    ],
)
def test_events_that_differ_in_anything_are_two_events(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, one: dict[str, Any], other: dict[str, Any]
) -> None:
    found = accepted(judge(delivered(con, dataset, one, other), dataset))
    assert sql("select count(distinct event_id), sum(copies) from e", e=found).fetchone() == (2, 2)


EVENTS = st.fixed_dictionaries(
    {
        "occurred_at": st.sampled_from(
            ["2024-03-01T00:00:00", "2024-03-03 12:00:00+05:00", "2024-03-05T23:59:59", "2024-03-06", "soon", "", None]
        ),
        "customer_id": st.sampled_from(["ann", "bob", " ", "", None, "a|b", '"', "é"]),
        "item_id": st.sampled_from(["tea", "milk", "", None]),
        "event_type": st.sampled_from(["purchase", "VIEW", "cart", "rating", "sniff", None]),
        "event_id": st.sampled_from(["1", "2", None]),
        "basket_id": st.sampled_from(["b", "", None]),
        "quantity": st.sampled_from(["1", "0", "-1", "x", None, "1e300"]),
        "value": st.sampled_from(["2.5", "0", "-1", "x", None]),
        "rating": st.sampled_from(["1", "5", "6", "x", None]),
        "store_id": st.sampled_from(["north", " ", None]),
    }
)
KEY = ["source_file", "source_row"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=1, max_size=12))
def test_every_delivered_row_is_in_exactly_one_of_events_and_rejected_events(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, events: list[dict[str, Any]]
) -> None:
    raw = delivered(con, dataset, *events)
    judged = judge(raw, dataset)
    good, bad = accepted(judged).df(), rejected(judged).df()
    assert raw.count() == good["copies"].sum() + len(bad)
    assert not set(map(tuple, good[KEY].to_numpy())) & set(map(tuple, bad[KEY].to_numpy()))
    assert good["event_id"].is_unique
    assert bad["reason"].notna().all()
    assert ((good["quantity"] > 0) & (good["value"] >= 0) & (good["customer_id"] != "") & (good["item_id"] != "")).all()
    assert good["day"].between(pd.Timestamp(2024, 3, 1), pd.Timestamp(2024, 3, 5)).all()
    assert (good["occurred_at"].dt.normalize() == good["day"]).all()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, min_size=2, max_size=10), order=st.randoms(use_true_random=False))
def test_what_an_event_is_depends_neither_on_the_order_of_rows_nor_on_their_files(
    con: duckdb.DuckDBPyConnection, dataset: Dataset, events: list[dict[str, Any]], order: Any
) -> None:
    def told(rows: list[dict[str, Any]]) -> tuple[Counter[Any], Counter[Any]]:
        judged = judge(delivered(con, dataset, *rows), dataset)
        good = accepted(judged).df().drop(columns=KEY).astype(object).fillna("none")
        bad = rejected(judged).df().drop(columns=KEY).astype(object).fillna("none")
        return Counter(map(tuple, good.to_numpy())), Counter(map(tuple, bad.to_numpy()))

    shuffled = [{**event, "source_file": order.choice("abc")} for event in events]
    order.shuffle(shuffled)
    assert told(events) == told(shuffled)
