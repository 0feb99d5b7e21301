"""Laws of retention where rows cancel and return others: what they are or may be about stays, or goes as a whole."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cx_assets.dataset import Dataset
from cx_assets.ingestion.tables import RAW_EVENTS
from cx_assets.operations.retention import Kept, apply, refusals, why_all_raw_events_stay
from cx_assets.settings import Settings
from cx_assets.table.laws import Judgement
from cx_assets.table.removed import removed_days
from cx_assets.table.storage import read
from cx_assets.warehouse.checks import warehouse_laws
from cx_assets.warehouse.renaming import RawEventsGoneError
from cx_assets.warehouse.tables import EVENTS, REJECTED_EVENTS
from cx_assets_tests.arrivals import (
    Row,
    Shop,
    at,
    cancel,
    cancel_order,
    give_back,
    opened_shop,
    write_linked,
    write_withdrawing,
)  # fmt: skip

RAW = "ingestion.raw_events"
LAST = date(2024, 3, 5)
LEFT = "select source_row from ingestion.raw_events where day < date '2024-03-04' order by all"
BASKETS = "select basket_id, item_id, quantity, copies from warehouse.events order by all"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_withdrawing(tmp_path_factory.mktemp("withdrawing"))


@pytest.fixture
def shop(dataset: Dataset) -> Iterator[Shop]:
    with opened_shop(dataset) as shop:
        yield shop


def deliver(shop: Shop, *told: Row, file: str = "a.csv", first: date = date(2024, 3, 1)) -> None:
    """Let a file come and run its days, from the first that is kept."""
    shop.come({file: [{"version": None, **row} for row in told]})
    shop.run(first, LAST)
    assert shop.lost() == []


def later(shop: Shop, *told: Row) -> None:
    deliver(shop, *told, file="b.csv", first=date(2024, 3, 4))


def forget(shop: Shop, days: int = 2, **rules: int) -> dict[str, Kept]:
    """Keep raw events for some days, two of the shop's five."""
    applied = apply(shop.warehouse.connection, shop.cleaning.dataset, {RAW: days, **rules}, learning=1)
    assert shop.lost() == []
    return {one.table: one for one in applied}


def bought(basket: str, day: int = 1, **other: Any) -> dict[str, Any]:
    return {"basket_id": basket, "quantity": "3", "value": "6", "occurred_at": at(day), **other}


def test_what_was_returned_stays_with_its_order_and_its_return_and_all_else_that_is_old_goes(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b", item_id="jam"), bought("c"), give_back(1, day=2), bought("d", 4))
    kept = forget(shop)[RAW]
    assert shop.rows(LEFT) == [(1,), (2,), (4,)]
    assert (kept.removed, kept.staying, kept.oldest) == (1, 3, date(2024, 3, 4))
    assert removed_days(shop.warehouse.connection, RAW) == [date(2024, 3, 1)]


def test_a_cancelled_event_stays_with_all_rows_of_its_id_and_their_orders(shop: Shop) -> None:
    told = [bought("b", event_id="1"), bought("c", event_id="1"), bought("c", event_id="2"), bought("d", event_id="3")]
    deliver(shop, *told, cancel("1", day=2))
    forget(shop)
    assert shop.rows(LEFT) == [(1,), (2,), (3,), (5,)]


def test_a_cancelled_order_stays_whole(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b", item_id="jam"), bought("c"), cancel_order("b", day=2))
    forget(shop)
    assert shop.rows(LEFT) == [(1,), (2,), (4,)]


def test_an_order_that_goes_on_in_the_days_that_are_kept_stays_whole(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b", item_id="jam", day=4), bought("c"))
    forget(shop)
    later(shop, cancel_order("b", day=5))
    assert [row[0] for row in shop.rows(BASKETS)] == ["c"]


def test_events_and_withdrawn_ones_are_as_before_and_a_second_time_removes_nothing(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("c"), give_back(1, day=2), {"quantity": "0"}, give_back(9, basket_id="x"))
    events, _, withdrawn = shop.tables()
    assert [one.removed for one in forget(shop).values()] == [2, 1]
    after = shop.tables()
    assert (after[0], after[2]) == (events, withdrawn)
    assert [one.removed for one in forget(shop).values()] == [0, 0]
    shop.run(date(2024, 3, 4), LAST)
    assert shop.tables() == after


def test_a_rejected_row_goes_with_its_raw_row_and_stays_with_it(shop: Shop) -> None:
    deliver(shop, {"quantity": "0"}, bought("b", quantity="0"), bought("b"), give_back(1), give_back(1, basket_id="x"))
    kept = forget(shop)["warehouse.rejected_events"]
    assert shop.rows("select source_row from warehouse.rejected_events order by all") == [(2,), (5,)]
    assert (kept.removed, kept.staying, kept.oldest) == (1, 2, None)


def test_a_later_return_of_the_same_line_changes_its_event_and_no_other_of_the_day(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b"), bought("c"), bought("d", item_id="jam"), give_back(1, day=2))
    forget(shop)
    later(shop, give_back(1, day=5, minute=31))
    assert shop.rows(BASKETS) == [("b", "tea", 1.0, 2), ("c", "tea", 3.0, 1), ("d", "jam", 3.0, 1)]
    assert shop.rows("select * from warehouse.rejected_events") == []


def test_a_later_cancellation_takes_out_the_whole_order_of_which_something_was_returned(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b", item_id="jam"), bought("c"), give_back(1, day=2))
    forget(shop)
    later(shop, cancel_order("b", day=5))
    assert shop.rows(BASKETS) == [("c", "tea", 3.0, 1)]


def test_a_return_that_is_taken_back_brings_an_old_event_home(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("c"))
    later(shop, give_back(3, day=5))
    forget(shop)
    later(shop)
    assert [row[0] for row in shop.rows(BASKETS)] == ["b", "c"]
    assert forget(shop)[RAW].removed == 1


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (give_back(1, day=5), "return of what is not there, or of more than is left"),
        (cancel("1", day=5), "cancellation names no event"),
        (cancel_order("b", day=5), "cancellation names no event"),
    ],
)
def test_a_late_row_about_one_that_is_gone_is_rejected_and_no_event_changes(shop: Shop, link: Row, reason: str) -> None:
    deliver(shop, bought("b", event_id="1"), bought("c"))
    forget(shop)
    events = shop.tables()[0]
    later(shop, link)
    assert shop.tables()[0] == events
    assert shop.rows("select day, reason from warehouse.rejected_events") == [(LAST, reason)]


def test_events_that_are_gone_too_are_not_made_anew_by_a_later_return(shop: Shop) -> None:
    deliver(shop, bought("b"), give_back(1, day=2), bought("d", 4))
    forget(shop, **{"warehouse.events": 2})
    later(shop, give_back(1, day=5))
    assert [row[0] for row in shop.rows(BASKETS)] == ["d"]


# The laws


def judged(shop: Shop, name: str) -> Judgement:
    (law,) = (law for law in warehouse_laws(shop.cleaning.dataset, Settings()) if law.name == name)
    stored = {"raw_events": RAW_EVENTS, "rejected_events": REJECTED_EVENTS, "events": EVENTS}
    return law.judge(**{one: read(shop.warehouse.connection, stored[table]) for one, table in law.tables.items()})


@pytest.mark.parametrize(
    "loss",
    [
        "warehouse.events where basket_id = 'b'",
        "warehouse.withdrawn_events where outcome = 'return'",
        "warehouse.rejected_events",
        "ingestion.raw_events where returns = 'true'",
        "ingestion.raw_events where basket_id = 'b' and source_row = 1",
    ],
)
def test_a_loss_is_found_among_what_is_left_of_an_old_day(shop: Shop, loss: str) -> None:
    deliver(shop, bought("b"), bought("b"), bought("c"), give_back(1), give_back(1, basket_id="x"))
    forget(shop)
    shop.warehouse.connection.execute(f"delete from {loss}")
    assert [row[0] for row in shop.lost()] == [date(2024, 3, 1)]


@pytest.mark.parametrize("law", ["few_events_are_rejected", "no_day_is_mostly_rejected"])
def test_returns_that_found_nothing_are_no_share_of_a_day_that_lost_its_other_rows(shop: Shop, law: str) -> None:
    lost_returns = [give_back(1, basket_id=f"x{number}") for number in range(110)]
    deliver(shop, *lost_returns, *(bought(f"b{number}") for number in range(300)), bought("d", 4))
    assert judged(shop, law).figures["rows"] > 0
    forget(shop)
    assert judged(shop, law).passed


# Customers who are one


def merge(shop: Shop, customer: str, into: str = "ann") -> None:
    row = {"customer_id": customer, "merged_into": into, "key_kind": "email", "since": pd.Timestamp("2024-03-05")}
    shop.merges = pd.DataFrame([row])


def test_merged_customers_get_their_one_id_where_their_rows_are_left(shop: Shop) -> None:
    told = [bought("b", customer_id="anne"), bought("c"), bought("d", customer_id="bob")]
    deliver(shop, *told, give_back(1, day=2, customer_id="anne"))
    forget(shop)
    merge(shop, "anne")
    later(shop)
    found = shop.rows("select basket_id, customer_id, quantity from warehouse.events order by all")
    assert found == [("b", "ann", 2.0), ("c", "ann", 3.0), ("d", "bob", 3.0)]


def test_merged_customers_are_told_where_their_rows_are_gone_however_many_others_are_left(shop: Shop) -> None:
    deliver(shop, bought("b"), bought("b"), bought("c", customer_id="anne"), give_back(3), give_back(3, minute=31))
    forget(shop)
    events = shop.tables()[0]
    merge(shop, "anne")
    with pytest.raises(RawEventsGoneError, match="events of 2024-03-01"):
        shop.run(LAST)
    assert shop.tables()[0] == events


# Refusals


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (write_linked, "declares corrections: a newer version may move an event to another day"),
        (
            lambda folder: write_withdrawing(folder, "session_gap_minutes: 30\n"),
            "and session_gap_minutes: the sessions",
        ),
        (
            lambda folder: write_withdrawing(folder, "contract: {events: {columns: {event_id: {unique: true}}}}\n"),
            "and that event_id is unique: whether one of the few rows that stay of a day was the first",
        ),
    ],
)
def test_raw_events_all_stay_where_the_few_that_are_left_would_tell_something_else(
    tmp_path: Path, write: Callable[[Path], Dataset], reason: str
) -> None:
    (told,) = refusals({RAW: 900}, 472, [RAW], why_all_raw_events_stay(write(tmp_path)))
    assert reason in told


def test_raw_events_may_go_where_rows_cancel_and_return_or_none_is_about_another(
    dataset: Dataset, tmp_path: Path
) -> None:
    assert why_all_raw_events_stay(dataset) is None
