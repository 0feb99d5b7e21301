"""Properties of corrected, cancelled and returned events: the order in which files come changes nothing."""

from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.dataset import Dataset
from cx_assets_tests.arrivals import Files, Row, at, cancel, cancel_order, give_back, opened_shop, write_linked


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_linked(tmp_path_factory.mktemp("linked"))


@dataclass(frozen=True)
class Arrivals:
    """Files in the order in which they come; after each, its days are run as a range or one by one, in some order."""

    files: list[tuple[str, list[Row]]]
    as_range: list[bool]
    backwards: list[bool]


@st.composite
def arrivals(draw: st.DrawFn, *, ties: bool = True) -> Arrivals:
    """Purchases in versions, some equal; cancellations of events that are there or not, of orders; returns, copies."""
    told: list[Row] = []
    days, some = st.integers(1, 5), st.sampled_from
    names, items = some("bc"), some(["tea", "jam"])
    told += [
        {
            "event_id": str(number), "version": str(draw(st.integers(0, 2)) if ties else newness),
            "basket_id": draw(names), "quantity": str(draw(st.integers(1, 4))), "item_id": draw(items),
            "occurred_at": at(draw(days), 3 * number + newness),
        }
        for number in range(draw(st.integers(3, 10))) for newness in range(draw(st.integers(1, 3)))
    ]  # fmt: skip
    told += [cancel(str(draw(st.integers(0, 12))), draw(days)) for _ in range(draw(st.integers(0, 3)))]
    told += [cancel_order(draw(names), draw(days)) for _ in range(draw(st.integers(0, 1)))]
    told += [
        give_back(
            draw(st.integers(1, 4)), draw(days), 40 + i, basket_id=draw(some("bc")), item_id=draw(some(["tea", "jam"]))
        )
        for i in range(draw(st.integers(0, 5)))
    ]
    told += [dict(draw(some(told))) for _ in range(draw(st.integers(0, 3)))]
    files = defaultdict(list)
    for row in draw(st.permutations(told)):
        files[f"{draw(st.integers(1, 3))}.csv"].append(row)
    ways = st.lists(st.booleans(), min_size=3, max_size=3)
    return Arrivals(list(draw(st.permutations(sorted(files.items())))), draw(ways), draw(ways))


def left_by_hand(files: Files) -> dict[tuple[str, str], int]:
    """Quantities of baskets and items by the words of the manual, with a loop where the warehouse has joins."""
    told = list({tuple(sorted(row.items())): row for rows in files.values() for row in rows}.values())
    struck = {row["cancelled_event_id"] for row in told if "cancelled_event_id" in row}
    orders = {row["basket_id"] for row in told if row.get("item_id") == ""}
    lines: dict[tuple[str, str], int] = defaultdict(int)
    for number in {row["event_id"] for row in told if "event_id" in row} - struck:
        versions = [row for row in told if row.get("event_id") == number]
        newest = max(int(row["version"]) for row in versions)
        (row,) = (row for row in versions if int(row["version"]) == newest)
        if row["basket_id"] not in orders:
            lines[row["basket_id"], row["item_id"]] += int(row["quantity"])
    asked: dict[tuple[str, str], int] = defaultdict(int)
    stock = dict(lines)
    for row in sorted((row for row in told if "returns" in row), key=lambda row: row["occurred_at"]):
        line = row["basket_id"], row["item_id"]
        asked[line] -= int(row["quantity"])
        if asked[line] <= stock.get(line, 0):
            lines[line] += int(row["quantity"])
    return {line: quantity for line, quantity in lines.items() if quantity}


def require_the_same_tables(dataset: Dataset, coming: Arrivals) -> None:
    """Whatever the order in which files come and days are run, the tables are those of all files and days at once."""
    files = dict(coming.files)
    with opened_shop(dataset, files) as at_once, opened_shop(dataset) as shop:
        for (name, told), as_range, backwards in zip(coming.files, coming.as_range, coming.backwards, strict=False):
            days = shop.come({name: told})
            for day in () if as_range else days[::-1] if backwards else days:
                shop.run(day)
            if as_range:
                shop.run(days[0], days[-1])
        assert shop.tables() == at_once.tables()
        assert at_once.lost() == []


@pytest.mark.whole
@settings(max_examples=8)
@given(arrivals())
def test_in_any_order_of_arrival_day_by_day_or_as_a_range_the_tables_are_the_same(
    dataset: Dataset, coming: Arrivals
) -> None:
    require_the_same_tables(dataset, coming)


@pytest.mark.whole
@settings(max_examples=50)
@given(arrivals())
def test_in_many_more_orders_of_arrival_the_tables_are_the_same(dataset: Dataset, coming: Arrivals) -> None:
    require_the_same_tables(dataset, coming)


@settings(max_examples=10)
@given(arrivals(ties=False))
def test_what_is_left_is_what_the_manual_says(dataset: Dataset, coming: Arrivals) -> None:
    with opened_shop(dataset, dict(coming.files)) as shop:
        found = shop.rows("select basket_id, item_id, sum(quantity) from warehouse.events group by all")
    assert {(basket, item): int(quantity) for basket, item, quantity in found} == left_by_hand(dict(coming.files))
