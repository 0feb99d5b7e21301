"""The temporal split: which events fall where, and who can be judged."""

from datetime import datetime

import duckdb
import pandas as pd
import pytest

from cx_assets.evaluation.split import Window, last_window, training_events, truth, truth_of_list, who_is_judged
from cx_assets.table import Table, from_frame

AS_OF = datetime(2024, 3, 1)
WINDOW = Window(AS_OF, 7)


def events_of(connection: duckdb.DuckDBPyConnection, *rows: tuple[str, str, str, str]) -> Table:
    """Events from (instant, customer, item, type)."""
    frame = pd.DataFrame(rows, columns=["occurred_at", "customer_id", "item_id", "event_type"])
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"], format="ISO8601").astype("datetime64[us]")
    frame["day"] = frame["occurred_at"].dt.date
    return from_frame(connection, frame)


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.fixture
def items(connection: duckdb.DuckDBPyConnection) -> Table:
    ids = ["bread", "milk", "fuel", "tea"]
    return from_frame(connection, pd.DataFrame({"item_id": ids, "recommendable": [i != "fuel" for i in ids]}))


def test_the_window_is_the_last_days_up_to_midnight_after_the_last_event(connection: duckdb.DuckDBPyConnection) -> None:
    events = events_of(connection, ("2024-03-07 18:30", "a", "milk", "purchase"))
    assert last_window(events, 7) == Window(datetime(2024, 3, 1), 7)
    assert last_window(events, 7).end == datetime(2024, 3, 8)


def test_a_window_without_days_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        last_window(events_of(connection, ("2024-03-07 18:30", "a", "milk", "purchase")), 0)


def test_an_event_at_the_as_of_instant_is_in_the_window_and_not_in_training(
    connection: duckdb.DuckDBPyConnection, items: Table
) -> None:
    events = events_of(
        connection,
        ("2024-02-29 23:59:59.999999", "a", "bread", "purchase"),
        ("2024-03-01 00:00:00", "a", "milk", "purchase"),
        ("2024-03-08 00:00:00", "a", "tea", "purchase"),
    )
    assert training_events(events, AS_OF).df()["item_id"].tolist() == ["bread"]
    assert truth(events, items, WINDOW)["item_id"].tolist() == ["milk"]


def test_what_was_had_before_is_a_repeat_and_the_rest_is_a_discovery(
    connection: duckdb.DuckDBPyConnection, items: Table
) -> None:
    events = events_of(
        connection,
        ("2024-02-01", "a", "bread", "purchase"),
        ("2024-02-01", "a", "milk", "view"),
        ("2024-03-02", "a", "bread", "purchase"),
        ("2024-03-02", "a", "milk", "purchase"),
        ("2024-03-03", "a", "milk", "purchase"),
        ("2024-03-02", "a", "tea", "purchase"),
    )
    pairs = truth(events, items, WINDOW)
    assert truth_of_list(pairs, "repeat")["item_id"].tolist() == ["bread", "milk"]
    assert truth_of_list(pairs, "discovery")["item_id"].tolist() == ["tea"]
    assert truth_of_list(pairs, "both")["item_id"].tolist() == ["bread", "milk", "tea"]


def test_an_item_that_may_not_be_recommended_is_not_asked_for(
    connection: duckdb.DuckDBPyConnection, items: Table
) -> None:
    events = events_of(connection, ("2024-02-01", "a", "fuel", "purchase"), ("2024-03-02", "a", "fuel", "purchase"))
    assert truth(events, items, WINDOW).empty


def test_a_view_counts_only_where_nobody_ever_purchases(connection: duckdb.DuckDBPyConnection, items: Table) -> None:
    views = [("2024-02-01", "a", "milk", "view"), ("2024-03-02", "a", "tea", "view")]
    assert truth(events_of(connection, *views), items, WINDOW)["item_id"].tolist() == ["tea"]
    mixed = events_of(connection, *views, ("2024-02-02", "b", "bread", "purchase"))
    assert truth(mixed, items, WINDOW).empty


def test_everybody_who_is_not_judged_is_counted_with_the_reason(
    connection: duckdb.DuckDBPyConnection, items: Table
) -> None:
    events = events_of(
        connection,
        ("2024-02-01", "a", "bread", "purchase"),
        ("2024-02-01", "b", "bread", "purchase"),
        ("2024-02-01", "c", "bread", "purchase"),
        ("2024-03-02", "a", "bread", "purchase"),
        ("2024-03-02", "b", "tea", "purchase"),
        ("2024-03-02", "new", "tea", "purchase"),
    )
    counted = who_is_judged(events, truth(events, items, WINDOW), WINDOW)
    assert counted.to_dict("list") == {
        "list": ["repeat", "discovery", "both"],
        "judged": [1, 1, 2],
        "nothing_relevant": [2, 2, 1],
        "no_history": [1, 1, 1],
        "relevant": [1, 1, 2],
    }


def test_no_event_in_the_window_leaves_nobody_to_judge(connection: duckdb.DuckDBPyConnection, items: Table) -> None:
    events = events_of(connection, ("2024-02-01", "a", "bread", "purchase"))
    pairs = truth(events, items, WINDOW)
    assert pairs.empty
    assert who_is_judged(events, pairs, WINDOW)["judged"].tolist() == [0, 0, 0]


def test_a_list_that_does_not_exist_is_refused(connection: duckdb.DuckDBPyConnection, items: Table) -> None:
    with pytest.raises(ValueError, match="no list 'all'"):
        truth_of_list(truth(events_of(connection), items, WINDOW), "all")
