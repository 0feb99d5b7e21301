"""Laws of a write: whole or not at all, by name, as declared."""

from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cx_assets.table import Table, TableSpec, column, from_frame, schema
from cx_assets.table.storage import TableWriteError, read, write

PRICES = schema(
    "shop",
    "prices",
    "One row per item.",
    column("item", "varchar", "The item."),
    column("cents", "bigint", "Its price."),
    column("note", "varchar", "A remark.", nullable=True),
)
SALES = schema("shop", "sales", "Sales.", column("day", "date", "The day."), column("cents", "bigint", "The turnover."))
OLD = pd.DataFrame({"item": ["old"], "cents": [1], "note": ["kept"]})
MONDAY, TUESDAY, WEDNESDAY = datetime(2024, 1, 1), datetime(2024, 1, 2), datetime(2024, 1, 3)


def put(
    connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame | pa.Table, spec: TableSpec = PRICES, window=None
) -> list[tuple]:
    """Write a frame, then read the table back."""
    write(connection, spec, from_frame(connection, frame), window)
    return read(connection, spec).fetchall()


def sales(*turnover: tuple[datetime, int]) -> pd.DataFrame:
    return pd.DataFrame({"day": [day.date() for day, _ in turnover], "cents": [cents for _, cents in turnover]})


def assert_refused(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame | pa.Table, match: str) -> None:
    """The write fails with this message, and the rows of before are there."""
    put(connection, OLD)
    with pytest.raises(TableWriteError, match=match) as refusal:
        put(connection, frame)
    assert "shop.prices" in str(refusal.value)
    assert "rows of before are intact" in str(refusal.value)
    assert read(connection, PRICES).fetchall() == [("old", 1, "kept")]


def test_columns_are_written_by_name_whatever_their_order(connection: duckdb.DuckDBPyConnection) -> None:
    frame = pd.DataFrame({"note": ["n"], "cents": [5], "item": ["i"]})
    assert put(connection, frame) == [("i", 5, "n")]


def test_a_write_replaces_what_was_there(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, OLD)
    assert put(connection, pd.DataFrame({"item": ["new"], "cents": [2], "note": [None]})) == [("new", 2, None)]


def test_writing_the_same_rows_again_changes_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    assert put(connection, OLD) == put(connection, OLD) == [("old", 1, "kept")]


def test_an_empty_frame_makes_an_empty_table_with_the_declared_columns(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, OLD)
    assert put(connection, pd.DataFrame({"item": [], "cents": [], "note": []})) == []
    described = connection.execute("describe shop.prices").fetchall()
    assert [row[:3] for row in described] == [
        ("item", "VARCHAR", "NO"),
        ("cents", "BIGINT", "NO"),
        ("note", "VARCHAR", "YES"),
    ]


def test_a_missing_column_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    assert_refused(connection, OLD.drop(columns="cents"), r"no column cents\. Declared: item, cents, note")


def test_an_undeclared_column_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    assert_refused(connection, OLD.assign(colour="red"), "the undeclared column colour")


def test_missing_and_undeclared_columns_are_named_together(connection: duckdb.DuckDBPyConnection) -> None:
    assert_refused(connection, OLD.rename(columns={"cents": "cent"}), "no column cents and the undeclared column cent")


def test_a_null_where_none_may_be_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    assert_refused(connection, OLD.assign(item=None), "NOT NULL constraint failed: prices.item")


@pytest.mark.parametrize(
    ("column_name", "values", "match"),
    [
        ("cents", ["12"], "column cents is declared bigint, the asset returned varchar"),
        ("cents", [True], "column cents is declared bigint, the asset returned boolean"),
        ("cents", [1.5], "column cents is declared bigint, the asset returned the value 1.5"),
        ("cents", [2.0**80], "out of range"),
        ("cents", [datetime(2024, 1, 1)], "column cents is declared bigint, the asset returned timestamp"),
        ("item", [17], "column item is declared varchar, the asset returned bigint"),
        ("item", [17.0], "column item is declared varchar, the asset returned double"),
        ("note", [["a"]], r"column note is declared varchar, the asset returned varchar\[\]"),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_changed(
    connection: duckdb.DuckDBPyConnection, column_name: str, values: list[object], match: str
) -> None:
    good = pd.DataFrame({"item": ["a"], "cents": [1], "note": ["n"]}).loc[[0] * len(values)]
    assert_refused(connection, good.assign(**{column_name: pd.Series(values, index=good.index)}), match)


def test_whole_numbers_may_come_as_floats_and_any_column_as_nulls(connection: duckdb.DuckDBPyConnection) -> None:
    spec = schema(
        "shop",
        "t",
        "T.",
        *(column(kind, kind, "C.", nullable=True) for kind in ("bigint", "varchar", "boolean", "timestamp", "date")),
    )
    frame = pd.DataFrame({c.name: [np.nan if c.name == "bigint" else None, None] for c in spec.columns})
    frame["bigint"] = [np.nan, 3.0]
    assert put(connection, frame, spec) == [(None,) * 5, (3, None, None, None, None)]


def test_categories_days_at_midnight_and_lists_fit_their_declared_types(connection: duckdb.DuckDBPyConnection) -> None:
    spec = schema(
        "shop",
        "t",
        "T.",
        column("level", "varchar", "L."),
        column("day", "date", "D."),
        column("at", "timestamp", "A."),
        column("share", "float", "S."),
        column("items", "varchar[]", "I."),
    )
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(["high"]),
            "day": pd.to_datetime(["2024-01-01"]),
            "at": [date(2024, 1, 2)],
            "share": [1],
            "items": [["a", "b"]],
        }
    )
    assert put(connection, frame, spec) == [("high", date(2024, 1, 1), datetime(2024, 1, 2), 1.0, ["a", "b"])]


def test_a_time_of_day_in_a_column_of_days_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(TableWriteError, match="day is declared date, the asset returned the value 2024-01-01 10:00:00"):
        put(connection, pd.DataFrame({"day": [datetime(2024, 1, 1, 10)], "cents": [1]}), SALES)


def test_a_query_that_fails_half_way_leaves_the_rows_of_before(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, OLD)
    late_failure = Table(
        connection,
        "select 'i' || n as item, case when n = 99999 then error('row 99999') else n end as cents, null as note "
        "from range(100000) as r(n)",
    )
    with pytest.raises(TableWriteError, match="row 99999"):
        write(connection, PRICES, late_failure)
    assert read(connection, PRICES).fetchall() == [("old", 1, "kept")]


def test_an_error_that_shuts_duckdb_down_is_still_told_as_what_it_was(tmp_path: Path) -> None:
    # DuckDB 1.5 stops dead on a byte that is not UTF-8 in the one CSV column that is asked for.
    (tmp_path / "a.csv").write_bytes(b"a,b,c\n" + b"1,2,3\n" * 40_000 + b"1,M\xfcller,3\n")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        put(connection, OLD)
        names = Table(
            connection,
            "select b as item, 1 as cents, null as note "
            f"from read_csv('{tmp_path / 'a.csv'}', header = true, all_varchar = true)",
        )
        with pytest.raises(TableWriteError, match=r"shop\.prices: "):
            write(connection, PRICES, names)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        assert read(connection, PRICES).fetchall() == [("old", 1, "kept")]


def test_a_query_that_can_not_run_at_all_is_told_with_the_table_that_it_was_for(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(TableWriteError, match=r"shop\.prices: .*no_such_table"):
        write(connection, PRICES, Table(connection, "select * from no_such_table"))


def test_after_a_refused_write_the_connection_takes_the_next_one(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(TableWriteError):
        put(connection, OLD.assign(item=None))
    assert put(connection, OLD) == [("old", 1, "kept")]


def test_a_window_replaces_its_days_and_leaves_the_others_alone(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, sales((MONDAY, 1), (TUESDAY, 2), (WEDNESDAY, 3)), SALES, (MONDAY, datetime(2024, 1, 4)))
    found = put(connection, sales((TUESDAY, 20), (TUESDAY, 21)), SALES, (TUESDAY, WEDNESDAY))
    assert sorted(found) == [
        (date(2024, 1, 1), 1),
        (date(2024, 1, 2), 20),
        (date(2024, 1, 2), 21),
        (date(2024, 1, 3), 3),
    ]


def test_a_window_without_rows_empties_its_days(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, sales((MONDAY, 1), (TUESDAY, 2)), SALES, (MONDAY, WEDNESDAY))
    assert put(connection, sales(), SALES, (TUESDAY, WEDNESDAY)) == [(date(2024, 1, 1), 1)]


def test_a_row_outside_the_window_is_refused_and_every_day_is_as_it_was(connection: duckdb.DuckDBPyConnection) -> None:
    before = put(connection, sales((MONDAY, 1), (TUESDAY, 2)), SALES, (MONDAY, WEDNESDAY))
    with pytest.raises(TableWriteError, match="rows outside 2024-01-02 to 2024-01-03"):
        put(connection, sales((TUESDAY, 20), (WEDNESDAY, 30)), SALES, (TUESDAY, WEDNESDAY))
    assert read(connection, SALES).fetchall() == before


def test_a_window_of_a_table_that_is_not_there_yet_makes_it(connection: duckdb.DuckDBPyConnection) -> None:
    assert put(connection, sales((MONDAY, 1)), SALES, (MONDAY, TUESDAY)) == [(date(2024, 1, 1), 1)]


@pytest.mark.parametrize(
    "changed",
    [
        schema("shop", "sales", "S.", *SALES.columns, column("tax", "bigint", "T.")),
        schema("shop", "sales", "S.", SALES.columns[0], column("cents", "double", "C.")),
        schema("shop", "sales", "S.", SALES.columns[0]),
    ],
    ids=["a column more", "another type", "a column less"],
)
def test_a_changed_declaration_is_refused_for_some_days_and_taken_for_all(
    connection: duckdb.DuckDBPyConnection, changed: TableSpec
) -> None:
    before = put(connection, sales((MONDAY, 1), (TUESDAY, 2)), SALES, (MONDAY, WEDNESDAY))
    frame = sales((TUESDAY, 20)).assign(tax=3)[changed.column_names]
    with pytest.raises(TableWriteError, match="materialize the whole range"):
        put(connection, frame, changed, (TUESDAY, WEDNESDAY))
    assert read(connection, SALES).fetchall() == before
    assert len(put(connection, frame, changed, (MONDAY, WEDNESDAY))) == 1


def test_columns_that_only_changed_places_still_take_a_window(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, sales((MONDAY, 1)), SALES, (MONDAY, TUESDAY))
    turned = schema("shop", "sales", "S.", *reversed(SALES.columns))
    found = put(connection, sales((TUESDAY, 2)), turned, (TUESDAY, WEDNESDAY))
    assert sorted(found) == [(1, date(2024, 1, 1)), (2, date(2024, 1, 2))]


def test_several_queries_are_written_one_after_another(connection: duckdb.DuckDBPyConnection) -> None:
    parts = [pd.DataFrame({"cents": [cents], "item": [item], "note": [None]}) for item, cents in (("b", 2), ("a", 1))]
    write(connection, PRICES, [from_frame(connection, part) for part in parts])
    assert read(connection, PRICES).fetchall() == [("b", 2, None), ("a", 1, None)]


def test_of_several_queries_none_is_written_when_the_last_fails(connection: duckdb.DuckDBPyConnection) -> None:
    put(connection, OLD)
    good, broken = "select 'new' as item, 2 as cents, null as note", "select error('out of stock')"
    with pytest.raises(TableWriteError, match="out of stock"):
        write(
            connection,
            PRICES,
            [Table(connection, good), Table(connection, f"{broken} as item, 3 as cents, null as note")],
        )
    assert read(connection, PRICES).fetchall() == [("old", 1, "kept")]
