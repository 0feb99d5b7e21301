"""A range of days in one run, the same days one by one, a late file, the same load again: always the same rows."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import hypothesis
import pytest
from hypothesis import strategies as st

from cx_assets.automation import DAILY
from cx_assets.dataset import Dataset
from cx_assets_tests.reconciliation import unaccounted
from cx_assets_tests.runs import rows, run, shop_assets
from cx_assets_tests.shop import TINY, write_tiny

DAYS = [f"2024-03-0{day}" for day in range(1, 5)]
RANGE = (DAYS[0], DAYS[-1])
TABLES = ("ingestion.raw_events", "warehouse.events", "warehouse.rejected_events")
SHOP = TINY.replace("2024-03-05", DAYS[-1])
few = hypothesis.settings(
    max_examples=3,
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.generate],  # shrinking would take minutes
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)

TIMES = st.one_of(
    st.builds("{}T{:02}:00:00".format, st.sampled_from(DAYS), st.integers(0, 23)),
    st.builds("{}T00:30:00+02:00".format, st.sampled_from(DAYS)),  # in UTC the day before
    st.sampled_from(["yesterday", "", "2024-02-29T12:00:00", "2024-03-05T00:00:00"]),
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"at": TIMES},
        optional={
            "who": st.sampled_from(["ann", "bob", ""]),
            "what": st.sampled_from(["tea", "jam"]),
            "kind": st.sampled_from(["view", "cart", "sniff"]),
            "quantity": st.sampled_from(["2", "-1", "many"]),
        },
    ),
    min_size=4,
    max_size=14,
)


def load(database: Path, dataset: Dataset, ranges: Iterable[tuple[str, str]]) -> None:
    """Run what loads a day, range by range."""
    by_day = dg.AssetSelection.assets(*DAILY)
    for days in ranges:
        run(database, shop_assets(dataset), days=days, selection=by_day)


def stored(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the tables that have days, in an order of their own."""
    return {name: rows(database, f"select * from {name} order by all") for name in TABLES}


def on(days: Iterable[str], tables: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of some days, which every table tells in its column `day`."""
    kept = set(days)
    return {name: [row for row in found if kept & {str(value) for value in row}] for name, found in tables.items()}


@pytest.mark.whole
@few
@hypothesis.given(events=EVENTS, order=st.permutations(DAYS))
def test_a_range_in_one_run_equals_its_days_one_by_one_in_any_order_and_again(
    events: Sequence[dict[str, str]], order: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        half = len(events) // 2
        dataset = write_tiny(folder, {"a.csv": events[:half], "b.csv": [*events[half:], *events[:1]]}, manifest=SHOP)
        load(folder / "range.duckdb", dataset, [RANGE])
        load(folder / "days.duckdb", dataset, [(day, day) for day in order])
        at_once = stored(folder / "range.duckdb")
        assert len(at_once["ingestion.raw_events"]) == len(events) + 1
        assert unaccounted(folder / "range.duckdb") == {}
        assert stored(folder / "days.duckdb") == at_once
        load(folder / "days.duckdb", dataset, [(order[0], order[0]), RANGE])
        assert stored(folder / "days.duckdb") == at_once


@pytest.mark.whole
@few
@hypothesis.given(events=EVENTS, late=EVENTS, days=st.sets(st.sampled_from(DAYS), min_size=1, max_size=2))
def test_a_late_file_lands_on_its_days_and_leaves_the_others_alone(
    events: Sequence[dict[str, str]], late: Sequence[dict[str, str]], days: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, database = Path(name), Path(name) / "late.duckdb"
        load(database, write_tiny(folder, {"a.csv": events}, manifest=SHOP), [RANGE])
        before = stored(database)
        late_days = sorted(days)
        belated = [{**event, "at": f"{late_days[n % len(days)]}T23:59:59"} for n, event in enumerate(late)]
        dataset = write_tiny(folder, {"late.csv": belated}, manifest=SHOP)
        load(database, dataset, [(day, day) for day in late_days])
        after = stored(database)
        others = set(DAYS) - days
        assert on(others, after) == on(others, before)
        assert len(after["ingestion.raw_events"]) == len(events) + len(late)
        load(folder / "all.duckdb", dataset, [RANGE])
        assert after == stored(folder / "all.duckdb")
