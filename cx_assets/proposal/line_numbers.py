"""The number of a line within its order: with the order's id it tells two equal lines apart.

Belongs here: finding such a column. Does not: a column that is an id by itself (`roles`).
"""

from collections.abc import Mapping, Sequence

import duckdb

from cx_assets.proposal.choosing import Choice
from cx_assets.proposal.columns import Column
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess
from cx_assets.table.schema import quoted

SURENESS = 0.85


def line_id(
    connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[Column], picks: Mapping[str, Choice]
) -> Guess | None:
    """An event's id, made of its basket's and a column that numbers the lines of each; None where there is none."""
    if "event_id" in picks or "basket_id" not in picks:
        return None
    basket, taken = picks["basket_id"].column, {pick.column.name for pick in picks.values()}
    for column in columns:
        numbers = "line" in column.concepts and column.name not in taken and column.number_or_text
        if numbers and column.filled == 1 and _tells_apart(connection, group, basket, column):
            return Guess(
                "event_id",
                f"{basket.sql} || '-' || {column.sql}",
                (basket.name, column.name),
                tuple(f"{order}-{line}" for order, line in zip(basket.values[:3], column.values[:3], strict=True)),
                SURENESS,
                f"What tells two equal lines apart: no two of a {basket.name} have the same {column.name}.",
            )
    return None


def _tells_apart(connection: duckdb.DuckDBPyConnection, group: Group, basket: Column, column: Column) -> bool:
    """Whether the rows of baskets that have several all differ in the column."""
    lines, different, baskets = connection.execute(
        f"select count(*), count(distinct ({quoted(basket.name)}, {quoted(column.name)})), "
        f"count(distinct {quoted(basket.name)}) from {group.table}"
    ).fetchall()[0]
    return bool(different == lines > baskets)
