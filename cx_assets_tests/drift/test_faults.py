"""A generated shop in which every kind of fault is planted on a day of its own: caught on it, and on no other."""

from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd
import pytest

from cx_assets.drift.bounds import YOUNG_DAYS
from cx_assets_tests.drift.faults import FAULTS
from cx_assets_tests.drift.rates import figures_of, load_year, plant
from cx_assets_tests.drift.years import FIRST_DAY, generate_year

DAYS = 260


@dataclass(frozen=True)
class Planted:
    """The figures of a shop without and with faults, and which fault was planted when."""

    clean: pd.DataFrame
    faulty: pd.DataFrame
    days: dict[str, date]

    def alarms(self, kind: str) -> list[str]:
        """`column: figure` of each alarm on the day of a fault."""
        day = self.faulty[(self.faulty["day"] == self.days[kind]) & self.faulty["alarm"]]
        return [f"{column}: {figure}" for column, figure in zip(day["column_name"], day["figure"], strict=True)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        # Busy Saturdays, Sundays at half: the rhythm is the season.
        year = load_year(connection, tmp_path_factory.mktemp("year"), generate_year("weekly", 12, DAYS, baskets=140))
        faults = plant(year, list(FAULTS), 5)
        days = {kind: day for day, (kind, _) in faults.items()}
        faulty = figures_of(year, {day: rows for day, (_, rows) in faults.items()})
        return Planted(figures_of(year), faulty, days)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_caught_on_its_day(planted: Planted, kind: str) -> None:
    assert planted.alarms(kind)


def test_a_weekly_rhythm_raises_no_alarm(planted: Planted) -> None:
    judged = planted.clean.dropna(subset=["expected"])
    volume = judged.loc[judged["figure"] == "volume", ["day", "value"]]
    weekday = volume.groupby(pd.to_datetime(volume["day"]).dt.day_of_week)["value"].median()
    assert weekday.max() > 2 * weekday.min()
    assert judged[judged["alarm"]].empty


def test_broken_days_raise_no_alarm_on_later_ones(planted: Planted) -> None:
    other = planted.faulty[~planted.faulty["day"].isin(list(planted.days.values()))]
    assert other[other["alarm"]].empty


def test_what_a_fault_did_is_told_by_the_figure_that_strays(planted: Planted) -> None:
    assert {"event: duplicate share", "event: volume"} & set(planted.alarms("doubled"))
    assert {"value: middle", "quantity: middle"} & set(planted.alarms("unit changed"))
    assert "event_type: new share" in planted.alarms("new event type")
    assert "store_id: new share" in planted.alarms("new store")
    assert "store_id: vanished" in planted.alarms("vanished store")
    assert "occurred_at: distinct share" in planted.alarms("one time")


def test_new_and_vanished_ones_are_named(planted: Planted) -> None:
    def detail(kind: str, column: str, figure: str) -> str:
        rows = planted.faulty
        chosen = rows[
            (rows["day"] == planted.days[kind]) & (rows["column_name"] == column) & (rows["figure"] == figure)
        ]
        return str(chosen["detail"].iloc[0])

    assert detail("new store", "store_id", "new share") == f"store of {planted.days['new store']}"
    assert detail("new event type", "event_type", "new share") == f"type of {planted.days['new event type']}"
    assert detail("vanished store", "store_id", "vanished").startswith("store ")


def test_the_first_weeks_are_not_judged(planted: Planted) -> None:
    young = planted.clean[
        pd.to_datetime(planted.clean["day"]) < pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=YOUNG_DAYS)
    ]
    assert len(young) > YOUNG_DAYS
    assert young["expected"].isna().all()
    assert not young["alarm"].any()


def test_a_figure_is_within_its_bounds_or_an_alarm(planted: Planted) -> None:
    judged = planted.faulty.dropna(subset=["expected"])
    inside = (judged["value"] >= judged["low"]) & (judged["value"] <= judged["high"])
    assert (inside != judged["alarm"]).all()
