"""Days of rows are taken in pieces, so that no query has to hold a year of them."""

from datetime import date, timedelta
from itertools import chain, pairwise

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cx_assets.table import Table, from_frame
from cx_assets.warehouse.pieces import pieces


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        yield opened


def rows_of(connection: duckdb.DuckDBPyConnection, days: list[int]) -> Table:
    first = date(2024, 2, 27)
    frame = pd.DataFrame({"day": [first + timedelta(days=n) for n in days], "number": range(len(days))})
    return from_frame(connection, frame.astype({"day": "datetime64[us]"}))


@given(days=st.lists(st.integers(0, 6)), at_most=st.integers(1, 10))
def test_pieces_are_whole_days_in_order_and_together_every_row(connection, days, at_most):
    found = [piece.df() for piece in pieces(rows_of(connection, days), at_most)]

    assert sorted(chain.from_iterable(piece["number"] for piece in found)) == list(range(len(days)))
    spans = [(piece["day"].min(), piece["day"].max()) for piece in found if len(piece)]
    assert all(last < first for (_, last), (first, _) in pairwise(spans))


@given(days=st.lists(st.integers(0, 6)), at_most=st.integers(1, 10))
def test_a_piece_has_no_more_rows_than_allowed_unless_it_is_one_day(connection, days, at_most):
    for piece in pieces(rows_of(connection, days), at_most):
        rows = piece.df()
        assert len(rows) <= at_most or len(set(rows["day"])) == 1


def test_no_rows_are_one_piece(connection):
    (piece,) = pieces(rows_of(connection, []), 5)

    assert piece.count() == 0
