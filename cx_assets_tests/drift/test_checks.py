"""What an operator is told about drift: which days a run is about, which column strayed, and what to do."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import numpy as np
import pandas as pd
import pytest

from cx_assets.drift.assets import drift_assets
from cx_assets.drift.checks import (
    categories_are_as_before,
    columns_are_as_before,
    days_of_run,
    judge_days,
    volume_is_as_expected,
)
from cx_assets.drift.counting import daily_categories, delivered
from cx_assets.drift.counting import daily_figures as plain_figures
from cx_assets.drift.judging import judge_figures
from cx_assets.table import Table, from_frame, sql, structure_check
from cx_assets_tests.conftest import LoadedShop
from cx_assets_tests.drift.faults import half_missing, new_store
from cx_assets_tests.drift.rates import figures_of, load_year
from cx_assets_tests.drift.years import FIRST_DAY, generate_year
from cx_assets_tests.runs import declared, resources, rows, shop_assets, verdicts

CHECKS = [volume_is_as_expected, columns_are_as_before, categories_are_as_before]
DAYS = 75
BROKEN = FIRST_DAY + timedelta(days=DAYS - 1)  # a Thursday


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The figures of a shop whose last day has a fault, by fault; and without one."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        year = load_year(connection, tmp_path_factory.mktemp("year"), generate_year("yearly", 4, DAYS, baskets=150))
        last = year.day(BROKEN)
        assert f"{BROKEN:%A}" == "Thursday"
        told = {fault.__name__: fault(last, last, np.random.default_rng(1)) for fault in (half_missing, new_store)}
        told["null"] = last.assign(customer_id=last["customer_id"].where(last.index % 2 == 0))
        return {
            "none": figures_of(year),
            **{name: figures_of(year, {BROKEN: rows}) for name, rows in told.items()},
        }


def verdict(figures: pd.DataFrame, start: date = BROKEN) -> dg.AssetCheckResult:
    return judge_days(figures, FIRST_DAY, start, BROKEN)


def test_figures_are_the_same_to_the_last_digit_in_any_order_of_the_rows() -> None:
    dice = np.random.default_rng(1)
    events = pd.DataFrame({"value": dice.lognormal(size=5000).round(2), "reason": ["a", "b"] * 2500})
    events["store_id"] = [f"store {number % 9}" for number in dice.permutation(5000)]
    rows_ = """
        select
            date '2024-03-01' as day, 1 as copies, reason, timestamp '2024-03-01 10:00:00' as occurred_at,
            'ann' as customer_id, 'tea' as item_id, 'purchase' as event_type, 'b' as basket_id, 1.5 as quantity, value,
            cast(null as double) as rating, store_id
        from given
    """
    told = []
    for order in (events, events[::-1]):
        with duckdb.connect() as connection:
            given = from_frame(connection, order.reset_index(drop=True))
            items = Table(connection, "select 'tea' as item_id, 'drinks' as category")
            told.append(plain_figures(sql(rows_, given=given), items))
    keys = ["column_name", "figure"]
    first, second = (figures.sort_values(keys, ignore_index=True) for figures in told)
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_an_alarm_names_day_column_what_was_expected_what_came_and_what_to_do(figures: dict[str, pd.DataFrame]) -> None:
    of_columns = figures["null"].query("column_name == 'customer_id' and figure == 'null share'")
    told = verdict(of_columns)
    assert not told.passed
    assert told.severity is dg.AssetCheckSeverity.WARN
    first, second = str(told.description).splitlines()
    assert first == f"1 of 1 days from {BROKEN} to {BROKEN} have a figure out of its bounds."
    assert second.startswith(f"Thursday {BROKEN}, customer_id: null share 49.89%, expected 0.00% (0.00% to ")
    assert second.endswith("; look whether the export still fills the column, under the same name.")


def test_a_new_store_is_named(figures: dict[str, pd.DataFrame]) -> None:
    told = verdict(figures["new_store"].query("column_name == 'store_id' and figure == 'new share'"))
    assert f"Thursday {BROKEN}, store_id: new share" in str(told.description)
    assert f"[store of {BROKEN}]" in str(told.description)


def test_a_day_with_half_its_rows_is_told_by_its_volume(figures: dict[str, pd.DataFrame]) -> None:
    told = verdict(figures["half_missing"].query("figure == 'volume'"))
    assert f"Thursday {BROKEN}, event: volume " in str(told.description)
    assert "look whether a file of the day is missing" in str(told.description)


def test_a_day_like_those_before_passes_and_says_how_many_were_judged(figures: dict[str, pd.DataFrame]) -> None:
    told = verdict(figures["none"], BROKEN - timedelta(days=6))
    assert told.passed
    assert str(told.description).startswith("0 of 7 days from")


@pytest.mark.parametrize("fault", ["none", "half_missing"])
def test_every_verdict_has_a_small_plot(figures: dict[str, pd.DataFrame], fault: str) -> None:
    plot = verdict(figures[fault]).metadata["plot"].value
    assert isinstance(plot, str)
    assert plot.startswith("![")
    assert "](data:image/png;base64," in plot
    assert len(plot) < 60_000


def test_the_plot_shows_the_figure_that_is_told_first(figures: dict[str, pd.DataFrame]) -> None:
    told = verdict(figures["half_missing"])
    first = str(told.description).splitlines()[1]
    assert f"{BROKEN}, event: volume " in first
    assert str(told.metadata["plot"].value).startswith("![event: volume]")


def test_a_young_dataset_says_so_and_raises_no_alarm(loaded_shop: LoadedShop, tmp_path: Path) -> None:
    # Twenty days, a day of which is the first of everything.
    database = tmp_path / "working.duckdb"
    database.write_bytes(loaded_shop.database.read_bytes())
    upstream, (daily_figures,) = shop_assets(loaded_shop.shop.dataset), drift_assets(loaded_shop.shop.dataset)
    result = dg.materialize(
        [*upstream, daily_figures, *CHECKS, structure_check(declared(daily_figures))],
        resources=resources(database),
        selection=dg.AssetSelection.assets("daily_figures"),
    )
    told = verdicts(result)
    assert all(check.passed for check in told.values())
    assert told["daily_figures: volume_is_as_expected"].description == (
        "The events span 20 days up to 2024-03-20: drift is judged from 8 weeks on, so nothing is."
    )
    assert rows(database, "select count(*) > 0, count(expected), bool_or(alarm) from drift.daily_figures") == [
        (True, 0, False)
    ]


def test_a_warehouse_without_events_has_no_figures(connection: duckdb.DuckDBPyConnection) -> None:
    text = ("customer_id", "item_id", "event_type", "basket_id", "store_id")
    columns = ", ".join(f"'' as {name}" for name in text) + ", 1.0 as quantity, 1.0 as value, 1.0 as rating"
    when = "date '2024-01-01' as day, timestamp '2024-01-01' as occurred_at"
    events = Table(connection, f"select {when}, 1 as copies, {columns} limit 0")
    refused = Table(
        connection,
        f"select current_date as day, '' as reason, '' as occurred_at, {', '.join(f''' '' as {n}''' for n in text)}, "
        "'' as quantity, '' as value, '' as rating limit 0",
    )
    items = Table(connection, "select '' as item_id, '' as category limit 0")
    told = delivered(events, refused)
    assert judge_figures(plain_figures(told, items), daily_categories(told, items)).empty


def test_hours_are_those_of_the_shops_own_clocks_in_summer_and_in_winter(connection: duckdb.DuckDBPyConnection) -> None:
    other = "'ann' as customer_id, 'tea' as item_id, 'view' as event_type, 'b' as basket_id, 's' as store_id"
    numbers = "1.0 as quantity, 1.0 as value, 1.0 as rating"
    events = Table(
        connection,
        f"select cast(noon as date) as day, noon as occurred_at, 1 as copies, {other}, {numbers} "
        "from (values (timestamp '2024-01-10 11:30:00'), (timestamp '2024-07-10 10:30:00')) t (noon)",
    )
    refused = Table(
        connection,
        f"select date '2024-04-10' as day, 'unknown event type' as reason, '2024-04-10 12:30:00' as occurred_at, "
        f"{other}, '1' as quantity, '1' as value, '' as rating",
    )
    found = daily_categories(
        delivered(events, refused, "Europe/Berlin"), Table(connection, "select 'tea' as item_id, 'x' as category")
    )
    hours = found[found["column_name"] == "occurred_at"]
    assert len(hours) == 3
    assert set(hours["category"]) == {"12:00 to 15:00"}


def test_a_run_over_a_range_is_told_about_its_last_four_weeks() -> None:
    tags = {"dagster/asset_partition_range_start": "2024-01-01", "dagster/asset_partition_range_end": "2024-12-31"}
    assert days_of_run(tags, date(2024, 6, 30)) == (date(2024, 6, 3), date(2024, 6, 30))
    assert days_of_run({**tags, "dagster/asset_partition_range_start": "2024-06-29"}, date(2024, 6, 30)) == (
        date(2024, 6, 29),
        date(2024, 6, 30),
    )


def test_a_run_without_days_is_told_about_the_last_day_with_events() -> None:
    assert days_of_run({}, date(2024, 6, 30)) == (date(2024, 6, 30), date(2024, 6, 30))
    assert days_of_run({"dagster/partition": "2024-06-02"}, date(2024, 6, 30)) == (date(2024, 6, 2), date(2024, 6, 2))
