"""What all sampled values of a column have in common, as it would stand in a contract.

Belongs here: ranges, short lists of values, and the pattern of ids. Does not: whether it must be so, which only the
shop can know: these lines are proposed as comments.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import duckdb

from cx_assets.contract import EVENT_COLUMNS, ITEM_COLUMNS
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess, SourceProposal

Line = tuple[str, str, Mapping[str, object]]
"""Table, column, and what its values have in common."""

# With more different values than this, a column isn't a list of them.
LISTED = 12
# From fewer rows nothing is concluded.
ENOUGH = 50
LOOKED_AT = 5000
# Bounded by the dataset's days, its types and its scale of ratings; a name; or of a level that is still to be chosen.
SAID_OTHERWISE = ("occurred_at", "event_type", "rating", "name", "recommendable", "category")


def seen(connection: duckdb.DuckDBPyConnection, sources: Sequence[SourceProposal]) -> tuple[Line, ...]:
    """What the values of events, customers and items have in common, over all their sources."""
    found: list[Line] = []
    for table in ("events", "customers", "items"):
        made: dict[str, list[tuple[Group, Guess]]] = {}
        for source in sources:
            if source.table == table:
                for guess in (*source.guesses, *source.attributes):
                    name = f"{table[:-1]}_id" if guess.key == "id" else guess.key
                    made.setdefault(name, []).append((source.group, guess))
        for name, guesses in made.items():
            common = _common(connection, table, name, guesses)
            if common:
                found.append((table, name, common))
    return tuple(found)


def _common(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, guesses: Sequence[tuple[Group, Guess]]
) -> dict[str, object]:
    own = {"events": EVENT_COLUMNS, "items": ITEM_COLUMNS}.get(table, {})
    kind = own.get(name) or guesses[0][1].type or "varchar"
    if name in SAID_OTHERWISE or not all(guess.columns for _, guess in guesses):
        return {}
    union = " union all ".join(
        f"select nullif(trim(cast(try({guess.expression}) as varchar)), '') as value from {group.table}"
        for group, guess in guesses
    )
    if kind in ("double", "bigint"):
        number = f"try_cast(value as {kind})"
        rows, low, high = connection.execute(
            f"select count({number}), min({number}), max({number}) from ({union})"
        ).fetchall()[0]
        if rows < ENOUGH:
            return {}
        return {"max": high} if table == "events" else {"min": low, "max": high}
    told = connection.execute(
        f"select value, count(*) as rows from ({union}) where value is not null group by value "
        f"order by rows desc, value limit {LOOKED_AT}"
    ).fetchall()
    values = [value for value, _ in told]
    if sum(rows for _, rows in told) < ENOUGH or kind != "varchar":
        return {}
    if len(values) <= LISTED and (name == "store_id" or not name.endswith("_id")):
        return {"allowed": values}
    pattern = pattern_of(values) if name.endswith("_id") else None
    return {"pattern": pattern} if pattern else {}


def pattern_of(values: Iterable[str]) -> str | None:
    """The pattern that ids share: what they all have as it is, else digits and letters for what differs.

    Returns:
        None if they aren't all of one form.
    """
    values = list(values)
    for parts in (((r"\d+", "0"),), ((r"\d+", "0"), (r"[A-Z]+", "A"), (r"[a-z]+", "a"))):
        shapes = set()
        for value in values:
            for form, sign in parts:
                value = re.sub(form, sign, value, flags=re.ASCII)
            shapes.add(value)
        if len(shapes) == 1:
            (shape,) = shapes
            classes = {"0": "[0-9]+"} if len(parts) == 1 else {"0": "[0-9]+", "A": "[A-Z]+", "a": "[a-z]+"}
            return "".join(classes.get(sign, re.escape(sign).replace("\\-", "-")) for sign in shape)
    return None
