"""Laws of the instant that a text tells."""

from datetime import datetime

import duckdb
import pytest

from cx_assets.ingestion.times import utc_timestamp


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-01", datetime(2024, 3, 1)),
        ("2024-03-01 10:00", datetime(2024, 3, 1, 10)),
        ("2024-03-01T10:00:00", datetime(2024, 3, 1, 10)),
        ("2024-03-01 10:00:00.250", datetime(2024, 3, 1, 10, 0, 0, 250_000)),
        ("2024-03-01T10:00:00Z", datetime(2024, 3, 1, 10)),
        ("2024-03-01T01:00:00+02:00", datetime(2024, 2, 29, 23)),
        ("2024-03-01 10:00:00-0530", datetime(2024, 3, 1, 15, 30)),
        ("2024-03-01 10:00:00+00", datetime(2024, 3, 1, 10)),
        ("yesterday", None),
        ("2024-02-30", None),
        ("03/04/2024", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_tells_an_instant_of_utc_or_none(
    connection: duckdb.DuckDBPyConnection, text: str | None, instant: datetime | None
) -> None:
    assert connection.execute(
        f"select {utc_timestamp('t')} from (select cast(? as varchar) as t)", [text]
    ).fetchone() == (instant,)
