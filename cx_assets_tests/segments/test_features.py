"""Laws of customer features."""

from collections.abc import Callable
from datetime import datetime

import duckdb
import pandas as pd
import pytest

from cx_assets.segments.features import FEATURES, category_shares, customer_features, leading_shares
from cx_assets.table import Table

AS_OF = datetime(2024, 3, 11)
ITEMS = pd.DataFrame({"item_id": ["milk", "beer", "wine"], "category": ["DAIRY", "DRINK", "DRINK"]})

MakeTable = Callable[[pd.DataFrame], Table]


def events(*rows: tuple[str, str, str, str, float, str]) -> pd.DataFrame:
    """Rows of (customer, basket, item, time, value, type)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "basket_id", "item_id", "occurred_at", "value", "event_type"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"])
    return frame.assign(day=frame["occurred_at"].dt.date)


ANNA = (
    ("anna", "b1", "milk", "2024-03-01 10:00", 2.0, "purchase"),
    ("anna", "b1", "beer", "2024-03-01 10:00", 3.0, "purchase"),
    ("anna", "b1", "beer", "2024-03-01 10:01", 3.0, "purchase"),
    ("anna", "b2", "milk", "2024-03-10 23:59", 2.0, "purchase"),
)


def features(tables: MakeTable, *rows: tuple[str, str, str, str, float, str]) -> pd.DataFrame:
    return customer_features(tables(events(*rows)), tables(ITEMS), as_of=AS_OF).df().set_index("customer_id")


def test_the_figures_of_one_customer_by_hand(tables: MakeTable) -> None:
    anna = features(tables, *ANNA).loc["anna"]
    assert anna[list(FEATURES)].tolist() == [1, 2, 10.0, 1.5, 5.0, 10, 2, 2]
    assert list(anna["share_categories"]) == ["DRINK", "DAIRY"]
    assert list(anna["share_values"]) == pytest.approx([0.6, 0.4])
    assert anna["as_of"] == pd.Timestamp(AS_OF)


def test_nothing_at_or_after_the_as_of_date_is_seen(tables: MakeTable) -> None:
    later = ("anna", "b3", "wine", "2024-03-11 00:00", 99.0, "purchase")
    pd.testing.assert_frame_equal(features(tables, *ANNA), features(tables, *ANNA, later))


def test_where_there_are_purchases_looking_makes_no_basket_but_shows_interest(tables: MakeTable) -> None:
    looks = features(tables, *ANNA, ("anna", "v1", "wine", "2024-02-01 09:00", 50.0, "view")).loc["anna"]
    assert looks[["frequency", "monetary", "mean_basket_size"]].tolist() == [2, 10.0, 1.5]
    assert looks[["items", "tenure_days"]].tolist() == [3, 39]


def test_a_customer_who_only_looked_has_no_value_and_shares_of_events(tables: MakeTable) -> None:
    rows = [("ben", f"v{i}", item, "2024-03-02 09:00", 5.0, "view") for i, item in enumerate(["milk", "wine", "beer"])]
    ben = features(tables, *ANNA, *rows).loc["ben"]
    assert ben[["frequency", "monetary", "mean_basket_size", "mean_basket_value"]].tolist() == [0, 0, 0, 0]
    assert list(ben["share_categories"]) == ["DRINK", "DAIRY"]
    assert list(ben["share_values"]) == pytest.approx([2 / 3, 1 / 3])


def test_without_any_purchase_all_events_count(tables: MakeTable) -> None:
    rows = [("ben", f"v{i}", "milk", f"2024-03-0{i + 1} 09:00", 0.0, "view") for i in range(3)]
    ben = features(tables, *rows).loc["ben"]
    assert ben[["frequency", "mean_basket_size", "monetary"]].tolist() == [3, 1, 0]


def test_an_item_that_no_master_data_knows_is_of_an_unknown_category(tables: MakeTable) -> None:
    row = ("ben", "b9", "sock", "2024-03-02 09:00", 5.0, "purchase")
    assert list(features(tables, row).loc["ben", "share_categories"]) == ["unknown"]


def test_equal_shares_are_listed_by_name(tables: MakeTable) -> None:
    rows = [("ben", "b9", item, "2024-03-02 09:00", 5.0, "purchase") for item in ("beer", "milk")]
    assert list(features(tables, *rows).loc["ben", "share_categories"]) == ["DAIRY", "DRINK"]


def test_without_events_there_are_no_rows(tables: MakeTable, connection: duckdb.DuckDBPyConnection) -> None:
    empty = Table(
        connection,
        "select 'c' as customer_id, 'b' as basket_id, 'i' as item_id, timestamp '2024-01-01' as occurred_at, "
        "date '2024-01-01' as day, 1.0 as value, 'purchase' as event_type where false",
    )
    frame = customer_features(empty, tables(ITEMS), as_of=AS_OF)
    assert frame.count() == 0
    assert leading_shares(category_shares(frame), pd.Series([], dtype=str), categories=3).shape == (0, 0)


def test_the_most_valuable_categories_lead_and_who_has_none_of_one_has_zero(tables: MakeTable) -> None:
    rows = (*ANNA, ("ben", "b7", "milk", "2024-03-02 09:00", 5.0, "purchase"))
    table = customer_features(tables(events(*rows)), tables(ITEMS), as_of=AS_OF)
    shares = leading_shares(category_shares(table), pd.Series(["ben", "anna"]), categories=2)
    assert shares.columns.tolist() == ["DAIRY", "DRINK"]
    assert shares.to_numpy() == pytest.approx(pd.DataFrame([[1.0, 0.0], [0.4, 0.6]]).to_numpy())
    assert leading_shares(category_shares(table), pd.Series(["ben", "anna"]), categories=1).columns.tolist() == [
        "DAIRY"
    ]
