"""Negative lines of a file of events: whether they take back what was delivered before.

Belongs here: finding them, and trying on the sample whether each names a line that it could be a return of. Does not:
what a return does (`warehouse.links`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from cx_assets.proposal.choosing import Choice
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess

SURE = 0.9
"""Share of negative lines that name another from which on they are declared to be returns."""
NAMES = ("basket_id", "item_id", "customer_id")


@dataclass(frozen=True)
class Returns:
    """What is proposed of negative lines.

    Attributes:
        when: SQL that is true for them.
        fit: the share of them that have a line of the same basket, item and customer that isn't negative.
        note: what is told of them.
    """

    when: str
    fit: float
    note: str


def returns_proposal(
    connection: duckdb.DuckDBPyConnection, group: Group, picks: Mapping[str, Choice], guesses: Sequence[Guess]
) -> Returns | None:
    """The rows of a group of files that seem to take others back; None where no figure is below 0."""
    for part in ("quantity", "value"):
        number = picks[part].column.number if part in picks else None
        if number is not None and number.negative:
            column = picks[part].column
            figure = number.expression(column.sql) if column.type == "VARCHAR" else column.sql
            when = f"try_cast({figure} as double) < 0"
            fit = _fit(connection, group, when, {guess.key: guess.expression for guess in guesses})
            return Returns(when, fit, f"{column.name} is negative in {number.negative:.1%} of the rows: {_told(fit)}")
    return None


def _told(fit: float) -> str:
    if fit >= SURE:
        return (
            f"{fit:.0%} of those have another line of their basket, item and customer. They are declared to be "
            "returns, which take off what they name."
        )
    return (
        "cancelled or returned lines? As they are they break the contract, and are rejected with that reason. If they "
        "take back a line of their basket, item and customer, declare it: returns."
    )


def _fit(connection: duckdb.DuckDBPyConnection, group: Group, when: str, made: Mapping[str, str]) -> float:
    """The share of negative lines of the sample that have a line to take back; 0 where no basket is told."""
    if any(name not in made for name in NAMES):
        return 0.0
    told = ", ".join(f"cast(try({made[name]}) as varchar) as {name}" for name in NAMES)
    ((share,),) = connection.execute(
        f"""
        with told as (select {told}, coalesce(try({when}), false) as negative from {group.table}),
        sold as (select distinct {", ".join(NAMES)}, true as sold from told where not negative)
        select avg(cast(coalesce(sold, false) as integer)) from told left join sold using ({", ".join(NAMES)})
        where negative
        """
    ).fetchall()
    return float(share or 0.0)
