"""Which alarms are told first: one of each day, its volume or its strongest, and never more than there is room for."""

import pandas as pd
import pytest

from cx_assets.drift.foremost import foremost

COLUMNS = ["day", "column_name", "figure", "value", "expected", "low", "high"]


def alarms(*rows: tuple[int, str, float]) -> pd.DataFrame:
    """Alarms by the day of a month, `column: figure` and value, of which 1 was expected, 0.5 to 2."""
    told = [
        (pd.Timestamp(2024, 3, day), *name.split(": "), value, 1.0, 0.5, 2.0) for day, name, value in rows
    ]  # fmt: skip
    return pd.DataFrame(told, columns=COLUMNS)


def told(given: pd.DataFrame, most: int = 5) -> list[tuple[int, str]]:
    rows = foremost(given, most)
    return [
        (day.day, f"{column}: {figure}")
        for day, column, figure in zip(rows["day"], rows["column_name"], rows["figure"], strict=True)
    ]


def test_a_noisy_day_does_not_push_out_the_others() -> None:
    noisy = [(9, f"{column}: null share", 50.0) for column in ("a", "b", "c", "d", "e", "f")]
    quiet = [(3, "value: middle", 100.0), (5, "store_id: new share", 3.0)]
    assert told(alarms(*noisy, *quiet)) == [
        (9, "a: null share"),
        (5, "store_id: new share"),
        (3, "value: middle"),
        (9, "b: null share"),
        (9, "c: null share"),
    ]


def test_the_first_of_a_day_is_what_strayed_furthest_for_its_bounds() -> None:
    # 0.1 is 1.8 times as far below as its bound allows, 2.5 only 1.5 times as far above.
    assert told(alarms((1, "a: middle", 2.5), (1, "b: middle", 0.1))) == [(1, "b: middle"), (1, "a: middle")]


def test_the_volume_of_a_day_comes_before_its_columns() -> None:
    assert told(alarms((1, "a: middle", 99.0), (1, "event: volume", 0.4)), 1) == [(1, "event: volume")]


def test_of_more_days_than_there_is_room_for_the_strongest_are_told_the_newest_first() -> None:
    given = alarms(*((day, "a: middle", value) for day, value in enumerate((9.0, 3.0, 8.0, 4.0), 1)))
    assert told(given, 2) == [(3, "a: middle"), (1, "a: middle")]


def test_room_that_is_left_goes_to_the_strongest_of_all_others() -> None:
    given = alarms((2, "a: middle", 9.0), (2, "b: middle", 3.0), (1, "a: middle", 8.0), (1, "b: middle", 4.0))
    assert told(given, 3) == [(2, "a: middle"), (1, "a: middle"), (1, "b: middle")]


def test_what_vanished_has_no_bounds_and_is_told_all_the_same() -> None:
    gone = alarms((1, "store_id: vanished", 2.0)).assign(expected=0.0, low=0.0, high=0.0)
    assert told(pd.concat([gone, alarms((1, "a: middle", 3.0))])) == [(1, "a: middle"), (1, "store_id: vanished")]


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_equal_ones_are_told_in_the_same_order_however_they_come(most: int) -> None:
    given = alarms(*((day, f"{name}: middle", 3.0) for day in (1, 2) for name in ("a", "b")))
    in_order = [(2, "a: middle"), (1, "a: middle"), (2, "b: middle"), (1, "b: middle")]
    assert told(given, most) == told(given[::-1], most) == in_order[:most]


def test_without_an_alarm_there_is_nothing_to_tell() -> None:
    assert told(alarms()) == []
