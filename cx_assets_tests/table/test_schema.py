"""Laws of a declaration."""

import duckdb
import pytest

from cx_assets.table import column, schema
from cx_assets.table.metadata import declaration_metadata, declared_in
from cx_assets.table.schema import literal, quoted

ORDERS = schema(
    "shop",
    "orders",
    "One row per order.",
    column("order", "varchar", "The order."),
    column("note", "varchar", "What was written on it.", nullable=True),
    column("items", "varchar[]", "What was ordered."),
    key=("order",),
)


def test_the_ddl_makes_the_declared_columns_reserved_words_and_lists_included(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("create schema shop")
    connection.execute(ORDERS.ddl())
    described = connection.execute("describe shop.orders").fetchall()
    assert [(name, kind, null) for name, kind, null, *_ in described] == [
        ("order", "VARCHAR", "NO"),
        ("note", "VARCHAR", "YES"),
        ("items", "VARCHAR[]", "NO"),
    ]


def test_a_declaration_survives_the_way_through_an_assets_metadata() -> None:
    back = declared_in(declaration_metadata(ORDERS))
    assert (back.qualified, back.columns, back.key) == (ORDERS.qualified, ORDERS.columns, ORDERS.key)


def test_required_columns_are_those_that_are_not_nullable() -> None:
    assert ORDERS.required == ["order", "items"]
    assert ORDERS.column_names == ["order", "note", "items"]


def test_a_column_declared_twice_and_a_key_of_undeclared_columns_are_refused() -> None:
    twice = column("a", "bigint", "A."), column("a", "double", "A.")
    with pytest.raises(ValueError, match=r"shop\.t: a column is declared twice: \['a', 'a'\]"):
        schema("shop", "t", "T.", *twice)
    with pytest.raises(ValueError, match=r"shop\.t: the key names undeclared columns: \['b'\]"):
        schema("shop", "t", "T.", column("a", "bigint", "A."), key=("b",))


@pytest.mark.parametrize("name", ["order", 'a "b"', "x; drop table y", "it's"])
def test_any_name_is_quoted_and_any_text_is_a_literal(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    found = connection.execute(f"select {literal(name)} as {quoted(name)}")
    assert found.description[0][0] == name
    assert found.fetchone() == (name,)
