"""Laws of corrected, cancelled and returned events: what is left of them, whatever the order in which rows came."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cx_assets.dataset import Dataset
from cx_assets.manifest import ManifestError
from cx_assets_tests.arrivals import Row, Shop, at, cancel, cancel_order, give_back, opened_shop, write_linked
from cx_assets_tests.runs import load_shop, rows, shop_assets, shop_checks, verdicts
from cx_assets_tests.runs import run as run_assets
from cx_assets_tests.shop import TINY, write_tiny

EVENTS = "select event_id, day, item_id, quantity, value, copies from warehouse.events order by day, item_id, quantity"
LEFT = "select quantity, value from warehouse.events order by all"
OUTCOMES = "select outcome, source_row, other_row from warehouse.withdrawn_events order by source_row"
REASONS = "select source_row, reason from warehouse.rejected_events order by source_row"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_linked(tmp_path_factory.mktemp("linked"))


@pytest.fixture
def delivered(dataset: Dataset) -> Iterator[Callable[..., Shop]]:
    """A function that delivers rows in one file, runs all days, and gives the shop."""
    with opened_shop(dataset) as shop:

        def deliver(*told: Row) -> Shop:
            shop.come({"a.csv": told})
            shop.run(dataset.first_day, dataset.last_day)
            assert shop.lost() == []
            return shop

        yield deliver


def version(number: object, **other: Any) -> dict[str, Any]:
    return {"event_id": "1", "version": str(number), **other}


def test_the_newest_version_of_an_event_replaces_the_others_and_moves_it_to_its_day(delivered) -> None:
    shop = delivered(version(2, item_id="new", occurred_at=at(3)), version(1), version(0, occurred_at=at(2)))
    assert [row[1:4] for row in shop.rows(EVENTS)] == [(date(2024, 3, 3), "new", 1.0)]
    assert shop.rows(OUTCOMES) == [("corrected", 2, 1), ("corrected", 3, 1)]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("9", "10"),
        ("", "0"),
        ("2024-03-01T12:00:00", "2024-03-01T11:30:00-02:00"),
        ("2024-03-02", "2024-03-10 08:00"),
        ("draft a", "draft b"),
    ],
)
def test_versions_are_compared_as_the_numbers_times_or_texts_that_they_are(delivered, older: str, newer: str) -> None:
    shop = delivered(version(newer, item_id="new"), version(older, item_id="old"))
    assert [row[2] for row in shop.rows(EVENTS)] == ["new"]


def test_of_equal_versions_the_content_decides_and_not_the_order(dataset: Dataset) -> None:
    told = [version(1, item_id=name) for name in ("a", "b", "c")]
    left = set()
    for order in (told, told[::-1], [told[1], told[2], told[0]]):
        with opened_shop(dataset, {"a.csv": order}) as shop:
            left |= {row[2] for row in shop.rows(EVENTS)}
            assert len(shop.rows(EVENTS)) == 1
    assert len(left) == 1


def test_the_newest_version_delivered_twice_is_one_event_of_two_copies(delivered) -> None:
    shop = delivered(version(1), version(2, quantity="3"), version(2, quantity="3"))
    assert [row[3:] for row in shop.rows(EVENTS)] == [(3.0, 2.0, 2)]
    assert shop.rows(OUTCOMES) == [("corrected", 1, 2)]


def test_a_correction_that_breaks_the_contract_is_rejected_and_replaces_nothing(delivered) -> None:
    shop = delivered(version(1), version(2, value="much"))
    assert [row[4] for row in shop.rows(EVENTS)] == [2.0]
    assert shop.rows(REASONS) == [(2, "value is not a number")]


def test_equal_ids_of_a_source_without_corrections_are_two_events(delivered) -> None:
    shop = delivered({"event_id": "1", "version": None}, {"event_id": "1", "version": None, "item_id": "jam"})
    assert len(shop.rows(EVENTS)) == 2


def test_a_cancellation_takes_out_what_it_names_in_all_versions_and_copies(delivered) -> None:
    shop = delivered(version(1), version(2, quantity="2"), version(2, quantity="2"), cancel("1", day=4))
    assert shop.rows(EVENTS) == []
    assert shop.rows(OUTCOMES) == [
        ("corrected", 1, 2), ("cancelled", 2, 4), ("cancelled", 3, 4), ("cancellation", 4, 2)
    ]  # fmt: skip


def test_cancellations_that_differ_in_nothing_but_what_they_name_are_two(delivered) -> None:
    shop = delivered({"event_id": "1"}, {"event_id": "2"}, cancel("1"), cancel("2"))
    assert shop.rows(EVENTS) == []


def test_a_cancellation_without_an_id_names_basket_item_and_customer(delivered) -> None:
    storno = {**cancel("1"), "cancelled_event_id": None, "event_type": "purchase", "basket_id": "b"}
    others = [{"basket_id": "b", "item_id": "jam"}, {"basket_id": "c"}, {"basket_id": "b", "customer_id": "bob"}]
    shop = delivered({"basket_id": "b"}, storno, *others, {"basket_id": "b", "event_type": "view"})
    assert shop.rows(OUTCOMES) == [("cancelled", 1, 2), ("cancellation", 2, 1)]
    assert len(shop.rows(EVENTS)) == 4


def test_a_cancellation_that_tells_no_item_takes_out_the_whole_order(delivered) -> None:
    order = [{"basket_id": "b"}, {"basket_id": "b", "item_id": "jam", "quantity": "3"}]
    others = [{"basket_id": "c"}, {"basket_id": "b", "customer_id": "bob"}, {"basket_id": "b", "event_type": "view"}]
    shop = delivered(*order, cancel_order("b", day=2), *others)
    assert shop.rows(OUTCOMES) == [("cancelled", 1, 3), ("cancelled", 2, 3), ("cancellation", 3, 1)]
    assert len(shop.rows(EVENTS)) == 3


@pytest.mark.parametrize("untold", [{"basket_id": None}, {"customer_id": ""}])
def test_a_cancelled_order_is_that_of_a_customer(delivered, untold: Row) -> None:
    shop = delivered({"basket_id": "b"}, cancel_order("b", **untold))
    assert shop.rows(REASONS) == [(2, "cancellation names nothing")]


def test_a_cancelled_order_that_was_never_delivered_stays_visible(delivered) -> None:
    shop = delivered({"basket_id": "b"}, cancel_order("c"))
    assert shop.rows(REASONS) == [(2, "cancellation names no event")]


def test_a_cancellation_of_what_was_never_delivered_stays_visible(delivered) -> None:
    shop = delivered({"event_id": "1"}, cancel("2"), cancel(""))
    assert shop.rows(REASONS) == [(2, "cancellation names no event"), (3, "cancellation names nothing")]


def test_a_return_takes_its_quantity_and_value_off_what_it_names(delivered) -> None:
    shop = delivered({"basket_id": "b", "quantity": "3", "value": "6"}, give_back(1))
    assert shop.rows(LEFT) == [(2.0, 4.0)]
    assert shop.rows(OUTCOMES) == [("reduced", 1, 2), ("return", 2, 1)]


@pytest.mark.parametrize("untold", [None, "", " "])
def test_a_return_that_tells_no_value_takes_the_share_that_its_quantity_is(delivered, untold: str | None) -> None:
    shop = delivered({"basket_id": "b", "quantity": "2", "value": "328.62"}, give_back(1, value=untold))
    assert shop.rows(LEFT) == [(1.0, 164.31)]


def test_of_returns_of_a_line_each_takes_what_it_tells_or_its_share(delivered) -> None:
    told, untold = give_back(1, value="-3"), give_back(1, minute=40, value=None)
    shop = delivered({"basket_id": "b", "quantity": "4", "value": "8"}, told, untold)
    assert shop.rows(LEFT) == [(2.0, 3.0)]


@pytest.mark.whole
def test_a_file_of_returns_without_amounts_takes_value_off_what_was_bought(tmp_path: Path) -> None:
    back = """  - source: {files: returns.csv, format: csv}
    columns: {occurred_at: '"at"', customer_id: who, item_id: what, event_type: "'purchase'", basket_id: basket,
              quantity: pieces}
    returns: {when: "true"}
"""
    (tmp_path / "returns.csv").write_text("at,who,what,basket,pieces\n2024-03-04,ann,tea,b,1\n", "utf-8")
    bought = [{"id": "1", "basket": "b", "quantity": "2", "value": "5"}]
    shop = write_tiny(tmp_path, {"a.csv": bought}, manifest=TINY.rstrip() + "\n" + back)
    load_shop(tmp_path / "w.duckdb", shop)
    assert rows(tmp_path / "w.duckdb", LEFT) == [(1.0, 2.5)]


def test_an_event_of_which_nothing_is_left_is_no_event(delivered) -> None:
    shop = delivered({"basket_id": "b", "quantity": "3", "value": "6"}, give_back(1), give_back(2, day=5))
    assert shop.rows(LEFT) == []
    assert shop.rows(OUTCOMES) == [("returned", 1, 2), ("return", 2, 1), ("return", 3, 1)]


def test_the_earliest_of_several_lines_is_returned_first(delivered) -> None:
    two = [{"basket_id": "b", "quantity": "2", "value": "4", "occurred_at": at(day)} for day in (2, 1)]
    shop = delivered(*two, give_back(3, day=3))
    assert shop.rows(LEFT) == [(1.0, 2.0)]
    assert shop.rows(OUTCOMES) == [("reduced", 1, 3), ("returned", 2, 3), ("return", 3, 1)]


def test_a_return_delivered_twice_counts_once(delivered) -> None:
    shop = delivered({"basket_id": "b", "quantity": "3", "value": "6"}, give_back(1), give_back(1))
    assert shop.rows(LEFT) == [(2.0, 4.0)]


def test_a_return_of_more_than_was_left_takes_nothing_and_stays_visible(delivered) -> None:
    shop = delivered({"basket_id": "b", "quantity": "3", "value": "6"}, give_back(2), give_back(2, day=2))
    assert shop.rows(LEFT) == [(1.0, 2.0)]
    assert shop.rows(REASONS) == [(3, "return of what is not there, or of more than is left")]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"quantity": "-x"}, "quantity is not a number"),
        ({"quantity": "-0"}, "return of nothing"),
        ({"value": "x"}, "value is not a number"),
        ({"value": "-1e15"}, "value too large"),
        ({"basket_id": " "}, "return names nothing"),
        ({"basket_id": "c"}, "return of what is not there, or of more than is left"),
        ({"customer_id": "bob"}, "return of what is not there, or of more than is left"),
        ({"event_type": "view"}, "return of what is not there, or of more than is left"),
    ],
)
def test_a_return_that_fits_nothing_is_rejected_with_what_is_wrong(delivered, broken: Row, reason: str) -> None:
    shop = delivered({"basket_id": "b"}, {**give_back(1), **broken})
    assert shop.rows(REASONS) == [(2, reason)]
    assert shop.rows(LEFT) == [(1.0, 2.0)]


def test_a_return_by_event_id_takes_off_that_event_alone(delivered) -> None:
    sold = [{"event_id": name, "version": None, "quantity": "2", "value": "4", "basket_id": "b"} for name in "12"]
    shop = delivered(*sold, give_back(1, returned_event_id="2"))
    assert shop.rows(OUTCOMES) == [("reduced", 2, 3), ("return", 3, 2)]


def test_what_was_cancelled_can_not_be_returned(delivered) -> None:
    shop = delivered({"event_id": "1", "basket_id": "b"}, cancel("1"), give_back(1))
    assert shop.rows(REASONS) == [(3, "return of what is not there, or of more than is left")]


def test_customers_who_are_one_return_what_the_other_bought(dataset: Dataset) -> None:
    with opened_shop(dataset) as shop:
        shop.come({"a.csv": [{"basket_id": "b"}, give_back(1, customer_id="anne", day=2)]})
        shop.run(dataset.first_day, dataset.last_day)
        assert len(shop.rows(LEFT)) == 1
        merge = {"customer_id": "anne", "merged_into": "ann", "key_kind": "email", "since": pd.Timestamp("2024-03-05")}
        shop.merges = pd.DataFrame([merge])
        shop.run(date(2024, 3, 5))
        assert (shop.rows(LEFT), shop.rows(REASONS), shop.lost()) == ([], [], [])


def test_a_cancellation_that_is_taken_back_brings_its_event_home(dataset: Dataset) -> None:
    with opened_shop(dataset, {"a.csv": [{"event_id": "1"}], "b.csv": [cancel("1", day=3)]}) as shop:
        assert shop.rows(LEFT) == []
        shop.come({"b.csv": []})
        shop.run(date(2024, 3, 3))
        assert (shop.rows(LEFT), shop.rows(OUTCOMES), shop.lost()) == ([(1.0, 2.0)], [], [])


TOLD = {
    "a.csv": [{"id": "1", "rating": "1"}, {"id": "2", "rating": "1", "basket": "b", "quantity": "3", "value": "9"}],
    "b.csv": [
        {"id": "1", "rating": "2", "at": at(3), "what": "jam"},
        {"id": "r", "basket": "b", "quantity": "-1", "value": "-3", "at": at(4)},
        {"id": "3", "kind": "cancel", "at": at(5)},
    ],
    "c.csv": [{"id": "3", "rating": "1", "at": at(2)}],
}


@pytest.mark.whole
def test_a_run_keeps_the_laws_where_rows_are_about_those_of_other_days(dataset: Dataset, tmp_path: Path) -> None:
    shop = write_tiny(tmp_path, TOLD, manifest=dataset.path.read_text("utf-8"))
    database = tmp_path / "w.duckdb"
    load_shop(database, shop, days=("2024-03-03", "2024-03-05"))
    laws = [
        shop_checks(shop)[name]
        for name in ("events: nothing_is_lost", "withdrawn_events: withdrawn_events_name_two_rows")
    ]
    result = run_assets(database, [*shop_assets(shop), *laws], days=("2024-03-01", "2024-03-02"))
    assert {name: verdict.passed for name, verdict in verdicts(result).items()} == {
        "events: nothing_is_lost": True, "withdrawn_events: withdrawn_events_name_two_rows": True
    }  # fmt: skip
    assert sorted((row[2], *row[3:]) for row in rows(database, EVENTS)) == [("jam", 1.0, 2.5, 1), ("tea", 2.0, 6.0, 1)]
    assert rows(database, "select count(*) from warehouse.rejected_events") == [(0,)]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ("corrections: {version: rating}", "corrections are told by the event's id: give columns.event_id"),
        ("corrections: {verson: rating}", "Did you mean 'version'?"),
        ("cancels: {event_id: id}", "cancels.when: this key is required"),
    ],
)
def test_a_declaration_that_can_not_be_is_told_by_its_place(tmp_path: Path, part: str, problem: str) -> None:
    with pytest.raises(ManifestError) as refused:
        write_tiny(tmp_path, {}, manifest=TINY.replace("event_id: id, ", "").rstrip() + f"\n    {part}\n")
    assert problem in str(refused.value)
