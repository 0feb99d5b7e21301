"""What the hours of a dataset say of its clock."""

import pytest

from cx_assets.diagnosis.clock import clock_told, guessed_clock

OPEN = [0, 0, 0, 0, 0, 0, 5, 30, 60, 80, 90, 100, 95, 90, 85, 90, 95, 100, 80, 50, 20, 5, 0, 0]


@pytest.mark.parametrize("ahead", range(-11, 12))
def test_a_night_elsewhere_in_the_day_tells_how_far_the_clock_is_off(ahead: int) -> None:
    clock = guessed_clock([OPEN[(hour - ahead) % 24] for hour in range(24)])
    assert clock is not None
    assert abs((clock.offset - ahead + 12) % 24 - 12) <= 2


def test_a_shop_that_sleeps_at_night_is_on_its_own_clock() -> None:
    assert "look like those of the customers' own clock" in clock_told(guessed_clock(OPEN))


def test_the_time_zone_of_the_manifest_is_named_where_the_clock_seems_off_by_it() -> None:
    told = clock_told(guessed_clock([OPEN[(hour - 6) % 24] for hour in range(24)]), "Europe/Vienna")
    assert "hours ahead of the customers' own clock (with timezone: Europe/Vienna)" in told


@pytest.mark.parametrize("hours", [[100] * 24, [0] * 24, [10_000, *[1] * 23], [3] * 24])
def test_hours_without_a_night_tell_nothing(hours: list[int]) -> None:
    assert guessed_clock(hours) is None


def test_a_day_has_24_hours() -> None:
    with pytest.raises(ValueError, match="24 hours"):
        guessed_clock([1, 2])
