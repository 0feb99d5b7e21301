"""The as-of dates of backtests: Mondays, late enough to learn from, early enough to be judged."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cx_assets.dataset import Dataset, load_dataset
from cx_assets.days import days_over, stretches
from cx_assets.partitions import daily_events, weekly_backtest
from cx_assets_tests.shop import TINY, write_tiny

FAR_APART = ("Pacific/Kiritimati", "Pacific/Pago_Pago")
"""Zones that are 25 hours apart."""


def shop(folder: Path, first: str, last: str | None, zone: str = "UTC") -> Dataset:
    """An empty shop of some days; without a last one it still grows."""
    manifest = TINY.replace("first_day: 2024-03-01", f"timezone: {zone}\nfirst_day: {first}")
    manifest = manifest.replace("last_day: 2024-03-05\n", f"last_day: {last}\n" if last else "")
    return write_tiny(folder, {}, manifest=manifest)


def test_the_shipped_datasets_as_of_dates_are_those_between_eight_weeks_of_past_and_a_horizon_of_future() -> None:
    dataset = load_dataset("complete_journey")
    assert (dataset.first_day, dataset.last_day) == (date(2017, 1, 1), date(2018, 1, 1))
    keys = weekly_backtest(dataset, 28).get_partition_keys()
    # The first Monday is 2017-01-02, eight weeks later it is 02-27; 12-04 and 28 days are 2018-01-01.
    assert (keys[0], keys[-1]) == ("2017-02-27", "2017-12-04")
    # 40 weeks lie between them.
    assert len(keys) == 41


def test_every_as_of_date_is_a_monday_a_week_after_the_one_before() -> None:
    days = [
        date.fromisoformat(key) for key in weekly_backtest(load_dataset("complete_journey"), 28).get_partition_keys()
    ]
    assert {day.weekday() for day in days} == {0}
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(weeks=1)}


@pytest.mark.parametrize(
    ("horizon", "last"),
    [
        # The last day is 2018-01-01, a Monday, so its midnight ends 2018-01-02 minus the horizon.
        (1, "2018-01-01"),
        (2, "2017-12-25"),
        (7, "2017-12-25"),
        (8, "2017-12-25"),
        (9, "2017-12-18"),
        (29, "2017-12-04"),
        (30, "2017-11-27"),
    ],
)
def test_the_last_as_of_date_is_the_last_whose_horizon_ends_with_the_data(horizon: int, last: str) -> None:
    dataset = load_dataset("complete_journey")
    assert weekly_backtest(dataset, horizon).get_partition_keys()[-1] == last
    end = date.fromisoformat(last) + timedelta(days=horizon)
    assert end <= date(2018, 1, 2) < end + timedelta(weeks=1)


@pytest.mark.parametrize(
    ("first", "start"),
    [
        ("2024-03-01", "2024-04-29"),
        ("2024-03-03", "2024-04-29"),
        ("2024-03-04", "2024-04-29"),
        ("2024-03-05", "2024-05-06"),
    ],
)
def test_the_first_as_of_date_is_eight_weeks_after_the_first_monday(tmp_path: Path, first: str, start: str) -> None:
    assert weekly_backtest(shop(tmp_path, first, "2024-12-31"), 28).get_partition_keys()[0] == start


@pytest.mark.parametrize("last", ["2024-03-01", "2024-03-05", "2024-03-28", "2024-04-30"])
def test_a_dataset_too_short_to_be_judged_still_has_a_definition(tmp_path: Path, last: str) -> None:
    keys = weekly_backtest(shop(tmp_path, "2024-03-01", last), 28).get_partition_keys()
    assert len(keys) == 1
    assert date.fromisoformat(keys[0]).weekday() == 0


def test_a_dataset_too_short_for_eight_weeks_of_past_has_the_last_date_that_can_be_judged(tmp_path: Path) -> None:
    # 70 days from 2024-03-01 end with 05-09; 28 days back is 04-12, a Friday.
    assert weekly_backtest(shop(tmp_path, "2024-03-01", "2024-05-09"), 28).get_partition_keys() == ["2024-04-08"]


def test_a_dataset_that_still_grows_has_every_week_that_is_over(tmp_path: Path) -> None:
    keys = weekly_backtest(shop(tmp_path, "2024-03-01", None), 28).get_partition_keys()
    assert keys[0] == "2024-04-29"
    today = datetime.now(UTC).date()
    assert today - timedelta(days=14) < date.fromisoformat(keys[-1]) <= today


def test_days_and_as_of_dates_are_of_the_same_calendar(tmp_path: Path) -> None:
    dataset = shop(tmp_path, "2024-03-01", "2024-12-31")
    assert set(weekly_backtest(dataset, 28).get_partition_keys()) < set(daily_events(dataset).get_partition_keys())


@pytest.mark.parametrize(
    ("days", "expected"),
    [([], []), ([1], [(1, 1)]), ([1, 2, 3], [(1, 3)]), ([1, 3, 4, 7], [(1, 1), (3, 4), (7, 7)])],
)
def test_stretches_are_unbroken_and_hold_every_day(days: list[int], expected: list[tuple[int, int]]) -> None:
    found = stretches([date(2024, 3, day) for day in days])
    assert [(first.day, last.day) for first, last in found] == expected


@pytest.mark.parametrize("ahead", [-400, -1, 0, 1, 30])
@pytest.mark.parametrize("grows", [True, False])
@pytest.mark.parametrize("zone", ["UTC", *FAR_APART])
def test_the_days_that_are_over_are_those_that_have_a_partition(
    tmp_path: Path, ahead: int, grows: bool, zone: str
) -> None:
    first = datetime.now(UTC).date() + timedelta(days=ahead)
    dataset = shop(tmp_path, str(first), None if grows else str(first + timedelta(days=3)), zone)
    assert [day.isoformat() for day in days_over(dataset)] == list(daily_events(dataset).get_partition_keys())


@pytest.mark.parametrize("zone", FAR_APART)
def test_a_day_is_over_when_it_is_over_where_the_dataset_is_at_home(tmp_path: Path, zone: str) -> None:
    # At no moment have the two the same date.
    dataset = shop(tmp_path, "2024-03-01", None, zone)
    assert days_over(dataset)[-1] == datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Africa/Cairo", "America/Santiago"])
def test_every_day_has_one_partition_from_midnight_to_midnight_when_clocks_change(tmp_path: Path, zone: str) -> None:
    # In Cairo and Santiago clocks go forward at midnight, so that the day has none.
    days = daily_events(shop(tmp_path, "2024-01-01", "2024-12-31", zone))
    windows = [days.time_window_for_partition_key(key) for key in days.get_partition_keys()]
    assert len(windows) == 366
    bounds = {
        (window.start.hour, window.end.hour, (window.end.date() - window.start.date()).days) for window in windows
    }
    assert bounds == {(0, 0, 1)}
