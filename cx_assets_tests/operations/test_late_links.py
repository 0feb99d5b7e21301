"""Properties of retention where rows cancel and return others: what it removes, no later load misses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cx_assets.cli import app
from cx_assets.dataset import Dataset
from cx_assets.operations.retention import apply
from cx_assets.settings import Settings
from cx_assets_tests.arrivals import (
    Row,
    Shop,
    at,
    cancel,
    cancel_order,
    day_of,
    give_back,
    opened_shop,
    write_withdrawing,
)
from cx_assets_tests.runs import load_shop, rows, verdicts

RAW = "ingestion.raw_events"
LAST = 5
ITEMS = st.sampled_from(["tea", "jam"])
RARE, SOME = st.lists(st.none(), max_size=1), st.lists(st.none(), min_size=1, max_size=4)
NAMES_NOTHING = {"customer_id": "", "cancelled_event_id": ""}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_withdrawing(tmp_path_factory.mktemp("withdrawing"))


@dataclass(frozen=True)
class Loads:
    """Rows that come before raw events are removed and after it, load by load, and how many days are kept."""

    before: list[list[Row]]
    after: list[list[Row]]
    days: int


@st.composite
def loads(draw: st.DrawFn) -> Loads:
    """Purchases, some twice; returns and cancellations of them, of what never was, and of orders.

    What comes after rows were removed is of days that are kept; then nothing more is bought in the orders of before.
    Few rows are about others before, so that some are gone that one is about later.
    """
    days = draw(st.integers(1, 3))
    minutes = iter(range(60))

    def load(first: int, baskets: str, number: int) -> list[Row]:
        def some(names: str) -> dict[str, Any]:
            told = {"basket_id": draw(st.sampled_from(names)), "item_id": draw(ITEMS)}
            return {**told, "customer_id": draw(st.sampled_from(["ann", "ann", "bob"]))}

        on, known, often = st.integers(first, LAST), "bcd" + baskets, RARE if number < 2 else SOME
        rows: list[Row] = [
            {
                **some(baskets), "event_id": f"{number}{draw(st.sampled_from('1234'))}",
                "quantity": str(draw(st.integers(1, 4))), "occurred_at": at(draw(on), next(minutes)),
            }
            for _ in range(draw(st.integers(1, 5)))
        ]  # fmt: skip
        rows += [give_back(draw(st.integers(1, 3)), draw(on), next(minutes), **some(known)) for _ in draw(often)]
        rows += [cancel(f"{draw(st.integers(0, number))}{draw(st.sampled_from('1234'))}", draw(on)) for _ in draw(RARE)]
        rows += [cancel_order(draw(st.sampled_from(known)), draw(on)) for _ in draw(RARE)]
        rows += [dict(draw(st.sampled_from(rows))) for _ in draw(RARE) if rows]
        return [{"version": None, **row} for row in draw(st.permutations(rows))]

    before = [load(1, "bcd", number) for number in range(draw(st.integers(1, 2)))]
    after = [load(LAST + 1 - days, "xy", number) for number in range(2, 2 + draw(st.integers(1, 2)))]
    return Loads(before, after, days)


def come(shop: Shop, number: int, rows: Sequence[Row]) -> None:
    days = shop.come({f"{number}.csv": rows})
    for day in days:
        shop.run(day)
    assert shop.lost() == []


def forget(shop: Shop, days: int) -> int:
    applied = apply(shop.warehouse.connection, shop.cleaning.dataset, {RAW: days}, learning=1)
    assert shop.lost() == []
    return sum(one.removed for one in applied)


def places(shop: Shop, table: str) -> set[tuple[str, int]]:
    return set(shop.rows(f"select source_file, source_row from {table}"))


def names_what_is_gone(row: Row, gone: Sequence[Row]) -> bool:
    if row.get("cancelled_event_id"):
        return row["cancelled_event_id"] in {one.get("event_id") for one in gone}
    who, basket = row.get("customer_id", "ann"), row["basket_id"]
    return "true" in (row.get("returns"), row.get("cancels")) and any(
        (who, basket) == (one.get("customer_id", "ann"), one.get("basket_id")) for one in gone
    )


@pytest.mark.whole
@settings(max_examples=12)
@given(loads())
def test_events_become_what_they_would_be_had_nothing_been_removed_and_rows_about_what_is_gone_are_rejected(
    dataset: Dataset, told: Loads
) -> None:
    with opened_shop(dataset) as shop, opened_shop(dataset) as keeping:
        for number, rows in enumerate(told.before):
            come(shop, number, rows)
            come(keeping, number, rows)
        stored = places(shop, RAW)
        forget(shop, told.days)
        at_most = {(f"{n}.csv", place): row for n, rows in enumerate(told.before) for place, row in enumerate(rows, 1)}
        gone = [at_most[place] for place in stored - places(shop, RAW)]
        assert all(day_of(row) <= date(2024, 3, LAST - told.days) for row in gone)
        late: set[tuple[str, int]] = set()
        for number, rows in enumerate(told.after, len(told.before)):
            come(shop, number, rows)
            vain = [names_what_is_gone(row, gone) for row in rows]
            come(
                keeping,
                number,
                [{**row, **NAMES_NOTHING} if lost else row for row, lost in zip(rows, vain, strict=True)],
            )
            late |= {(f"{number}.csv", place) for place, lost in enumerate(vain, 1) if lost}
            assert forget(shop, told.days) == 0
        events, _, withdrawn = keeping.tables()
        assert (shop.tables()[0], shop.tables()[2]) == (events, withdrawn)
        assert late <= places(shop, "warehouse.rejected_events")


# In real runs

SOLD = [
    *({"basket": basket, "what": what, "quantity": "3"} for basket, what in (("b", "tea"), ("b", "jam"), ("c", "tea"))),
    {"basket": "b", "quantity": "-1", "at": at(2)},
    {"at": at(3), "quantity": "0"},
    *({"at": at(day, minute)} for day in (4, 5) for minute in range(50)),
]
LATER = [{"basket": "b", "quantity": "-2", "at": at(5)}, {"basket": "c", "quantity": "-1", "at": at(5)}]


def cx(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("CX_DATASET", str(folder / "tiny_shop.yaml"))
    monkeypatch.setenv("CX_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("CX_RETENTION", f"{RAW}: 2 days")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return CliRunner().invoke(app, arguments)


@pytest.mark.whole
def test_a_shop_with_returns_forgets_and_its_later_runs_keep_all_laws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Settings(data_dir=tmp_path / "data").warehouse_path
    load_shop(database, write_withdrawing(tmp_path, a=SOLD))
    told = cx(tmp_path, monkeypatch, "retention")
    assert told.exit_code == 0, told.output
    assert f"{RAW}: kept for 2 days, from 2024-03-04; 2 rows of before removed, 3 stay: others are" in told.output
    assert "warehouse.rejected_events: kept for 2 days, from 2024-03-04; 1 rows of before removed." in told.output

    dataset = write_withdrawing(tmp_path, a=SOLD, b=LATER)
    result = load_shop(database, dataset, days=("2024-03-04", "2024-03-05"), checked=True, raise_on_error=False)
    assert result.success
    assert "events: nothing_is_lost" in verdicts(result)
    left = "select basket_id, item_id, quantity from warehouse.events where basket_id in ('b', 'c') order by all"
    assert rows(database, left) == [("b", "jam", 3.0), ("c", "tea", 3.0)]
    assert rows(database, "select source_file, source_row from warehouse.rejected_events") == [("events/b.csv", 2)]
    told = cx(tmp_path, monkeypatch, "rejected", "--working")
    assert "raw of 1 days is what is left of it: old raw events were removed" in told.output
