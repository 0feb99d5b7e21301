"""Laws of numbers that are written as text."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cx_assets.ingestion.numbers import OTHER, define_functions, plain_number


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def said(connection: duckdb.DuckDBPyConnection, text: str | None, decimal: str) -> str | None:
    found = connection.execute(f"select {plain_number('t', decimal)} from (select $t::varchar as t)", {"t": text})
    row = found.fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


@given(
    cents=st.integers(-(10**12), 10**12),
    decimal=st.sampled_from(",."),
    group=st.sampled_from(["", " ", "'", "\N{NO-BREAK SPACE}", "other"]),
)
@settings(max_examples=60)
def test_a_number_written_in_any_way_is_the_number(
    connection: duckdb.DuckDBPyConnection, cents: int, decimal: str, group: str
) -> None:
    grouped = f"{abs(cents) // 100:,}".replace(",", OTHER[decimal] if group == "other" else group)
    written = f"{'-' if cents < 0 else ''}{grouped}{decimal}{abs(cents) % 100:02}"
    assert round(float(said(connection, written, decimal) or "nan") * 100) == cents


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("7", "7"), (" 7,50 ", "7.50"), (",5", ".5"), ("+1.234", "+1234"), ("12,", "12."), ("", ""), (None, None),
        ("n/a", "n/a"), ("1,2,3", "1,2,3"), ("12 EUR", "12 EUR"), ("1.23,4", "1.23,4"), (",", ","), ("-", "-"),
    ],
)  # fmt: skip
def test_with_a_decimal_comma_a_number_becomes_plain_and_anything_else_stays(
    connection: duckdb.DuckDBPyConnection, text: str | None, plain: str | None
) -> None:
    assert said(connection, text, ",") == plain


@pytest.mark.parametrize("text", ["12.5", "1234.567", "1e3", "nan"])
def test_a_number_by_the_other_mark_alone_is_no_number(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert said(connection, text, ",") == f"{text} (not written with a decimal ',')"
    define_functions(connection)
    assert connection.execute("select decimal_comma($t)", {"t": text}).fetchall() == [(None,)]
