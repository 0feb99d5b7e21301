"""How times are written: what is told apart, and what is not claimed."""

from datetime import UTC, datetime

import duckdb
import pytest

from cx_assets.proposal.dates import clock_formats, clock_share, time_format


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["31.12.2025", "01.01.2026"], "2025-12-31 00:00:00"),
        (["31.12.2025 14:05", "01.01.2026 9:05"], "2025-12-31 14:05:00"),
        (["31/12/2025 14:05:09"], "2025-12-31 14:05:09"),
        (["12/31/2025 2:05 PM", "01/01/2026 11:05 AM"], "2025-12-31 14:05:00"),
        (["12-31-25"], "2025-12-31 00:00:00"),
        (["31-Dec-2025 14:05"], "2025-12-31 14:05:00"),
        (["2025/12/31 14:05"], "2025-12-31 14:05:00"),
        (["2025.12.31"], "2025-12-31 00:00:00"),
        (["20251231", "20260101"], "2025-12-31 00:00:00"),
        (["20251231140509"], "2025-12-31 14:05:09"),
        (["1767189909", "1767189910"], "2025-12-31 14:05:09"),
        (["1767189909000"], "2025-12-31 14:05:09"),
        (["1767189909000000"], "2025-12-31 14:05:09"),
        (["Dec 31, 2025 2:05 PM", "Jan 1, 2026 11:05 AM"], "2025-12-31 14:05:00"),
        (["31 December 2025 14:05", "1 May 2026 11:05"], "2025-12-31 14:05:00"),
        (["Dec 31, 2025"], "2025-12-31 00:00:00"),
        (["2025-12-31", "2026-01-01"], "2025-12-31 00:00:00"),
        (["2025-12-31T14:05:09", "2025-12-31 14:05"], "2025-12-31 14:05:09"),
        (["2025-12-31T14:05:09.250Z"], "2025-12-31 14:05:09.25"),
        (["31.12.2025 14:05", "31.12.2025"], "2025-12-31 14:05:00"),
    ],
)
def test_times_are_read_as_they_were_meant(
    connection: duckdb.DuckDBPyConnection, values: list[str], first: str
) -> None:  # fmt: skip
    guess = time_format(values)
    assert guess is not None
    assert guess.sureness >= 0.85
    expression = guess.expression("given")
    read = connection.execute(
        f"select cast(cast(cast({expression} as varchar) as timestamp) as varchar), count(*) over () "
        f"from (select unnest({values!r}) as given) where {expression} is not null"
    ).fetchall()
    assert read[0] == (first, len(values))


def test_a_time_of_a_mail_is_read_with_its_offset(connection: duckdb.DuckDBPyConnection) -> None:
    guess = time_format(["Wed, 31 Dec 2025 14:05:09 +0100"])
    assert guess is not None
    assert guess.offset
    instant = f"select epoch({guess.expression('given')}) from (select 'Wed, 31 Dec 2025 14:05:09 +0100' as given)"
    assert connection.execute(instant).fetchone() == (datetime(2025, 12, 31, 13, 5, 9, tzinfo=UTC).timestamp(),)


def test_days_up_to_the_twelfth_leave_the_order_unsure() -> None:
    guess = time_format(["01/02/2025", "03/02/2025", "02/04/2025", "01/01/2025"])
    assert guess is not None
    assert guess.sureness < 0.8


def test_rows_that_run_forward_only_when_days_come_first_say_so() -> None:
    values = [f"{day:02}/{month:02}/2025" for month in (1, 2, 3) for day in range(1, 13)]
    guess = time_format(values)
    assert guess is not None
    assert guess.formats == ("%d/%m/%Y",)
    assert 0.6 <= guess.sureness < 0.85


def test_two_orders_in_one_column_are_never_sure() -> None:
    guess = time_format(["31/01/2025", "01/31/2025", "30/01/2025"])
    assert guess is not None
    assert guess.formats == ("%d/%m/%Y",)
    assert guess.sureness < 0.6


@pytest.mark.parametrize(
    "values", [["1.5", "2.5"], ["12", "13"], ["red", "blue"], ["14:05", "15:06"], ["192.168.0.1"], [], ["99.99.9999"]]
)
def test_what_is_no_time_is_not_taken_for_one(values: list[str]) -> None:
    guess = time_format(values)
    assert guess is None or guess.sureness < 0.6


def test_a_time_of_day_alone_is_one() -> None:
    assert clock_share(["14:05", "9:30", "23:59:59"]) == 1
    assert clock_share(["24:05", "2025-01-01"]) == 0


def test_a_time_of_day_of_twelve_hours_is_one_too() -> None:
    assert clock_share(["02:05 PM", "9:30am", "11:59:59 pm"]) == 1
    assert clock_formats(["02:05 PM", "9:30 am"]) == ("%I:%M %p",)
    assert clock_formats(["14:05", "14:05:09"]) == ("%H:%M:%S", "%H:%M")
