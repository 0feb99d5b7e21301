from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.matrices.interactions import EventWeights, fold_interactions
from cx_assets.table import Table, from_frame
from cx_assets_tests.matrices.rows import NOON, event, frame

AS_OF = datetime(2024, 5, 2)
FLAT = EventWeights(half_life_days=1e9)

MakeTable = Callable[[pd.DataFrame], Table]


def fold(tables: MakeTable, *events: dict[str, object], weights: EventWeights = FLAT) -> pd.DataFrame:
    return fold_interactions(tables(frame(*events)), as_of=AS_OF, weights=weights).df()


def test_one_row_per_customer_and_item_counts_events_by_type(tables: MakeTable) -> None:
    rows = fold(
        tables,
        event("a", "x"),
        event("a", "x", event_type="view"),
        event("a", "x", event_type="view"),
        event("a", "x", event_type="cart"),
        event("a", "y", event_type="rating", rating=4.0),
    )
    counts = rows[["customer_id", "item_id", "events", "purchases", "views", "carts", "ratings"]]
    assert counts.to_numpy().tolist() == [["a", "x", 4, 1, 2, 1, 0], ["a", "y", 1, 0, 0, 0, 1]]


def test_quantity_and_value_are_sums_and_times_are_first_and_last(tables: MakeTable) -> None:
    later = NOON + timedelta(hours=3)
    rows = fold(
        tables,
        event("a", "x", quantity=2.0, value=0.1),
        event("a", "x", quantity=3.0, value=0.2, occurred_at=later),
    )
    row = rows.iloc[0]
    assert (row["quantity"], row["value"]) == (5.0, 0.3)
    assert (row["first_at"], row["last_at"]) == (NOON, later)


def test_the_rating_is_the_mean_of_the_ratings_and_null_without_any(tables: MakeTable) -> None:
    rows = fold(
        tables,
        event("a", "x", event_type="rating", rating=4.0),
        event("a", "x", event_type="rating", rating=5.0),
        event("a", "x"),
        event("b", "x"),
    )
    assert rows["rating"].iloc[0] == 4.5
    assert pd.isna(rows["rating"].iloc[1])


def test_an_event_counts_half_after_one_half_life(tables: MakeTable) -> None:
    weights = EventWeights(half_life_days=10)
    rows = fold(
        tables,
        event("a", "x", occurred_at=AS_OF - timedelta(days=10)),
        event("a", "x", occurred_at=AS_OF - timedelta(days=20)),
        event("b", "x", occurred_at=AS_OF - timedelta(days=10), event_type="view"),
        weights=weights,
    )
    assert rows["weight"].tolist() == pytest.approx([0.75, 0.05])


def test_an_event_at_the_as_of_date_is_not_seen(tables: MakeTable) -> None:
    rows = fold(tables, event("a", "x", occurred_at=AS_OF), event("b", "x", occurred_at=AS_OF - timedelta(seconds=1)))
    assert rows["customer_id"].tolist() == ["b"]
    assert rows["as_of"].tolist() == [AS_OF]


def test_the_age_of_an_event_is_told_by_the_clocks_of_its_zone(tables: MakeTable) -> None:
    # Ten in the evening of UTC is six in New York.
    evening = event("a", "x", occurred_at=AS_OF - timedelta(hours=2))
    weights = EventWeights(half_life_days=0.25, timezone="America/New_York")
    assert fold(tables, evening, weights=weights)["weight"].tolist() == pytest.approx([0.5])


def test_an_event_of_long_ago_keeps_its_pair_in_the_matrix(tables: MakeTable) -> None:
    rows = fold(tables, event("a", "x", occurred_at=datetime(1990, 1, 1)), weights=EventWeights(half_life_days=1))
    assert rows["weight"].iloc[0] > 0


def test_no_event_makes_no_row(tables: MakeTable) -> None:
    assert fold(tables).empty


def test_rows_come_in_the_order_of_customer_and_item(tables: MakeTable) -> None:
    rows = fold(tables, event("b", "y"), event("a", "z"), event("b", "x"), event("a", "y"))
    assert (rows["customer_id"] + rows["item_id"]).tolist() == ["ay", "az", "bx", "by"]


@pytest.mark.parametrize("wrong", [{"view": 0.0}, {"purchase": -1.0}, {"half_life_days": 0.0}, {"cart": float("inf")}])
def test_a_weight_that_is_not_above_0_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EventWeights(**wrong)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_events_does_not_change_a_digit(
    drawn: list[tuple[str, str, float, float]], random: Random
) -> None:
    events = [
        event(c, i, quantity=q, value=v, occurred_at=NOON - timedelta(minutes=n))
        for n, (c, i, q, v) in enumerate(drawn)
    ]
    shuffled = random.sample(events, len(events))
    with duckdb.connect() as connection:
        first, second = (
            fold_interactions(from_frame(connection, frame(*rows)), as_of=AS_OF, weights=EventWeights()).df()
            for rows in (events, shuffled)
        )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
