"""How a file of events is mapped: its columns as the canonical ones, in SQL.

Belongs here: the expressions, and what there is to check about each. Does not: which file or column is meant (`kinds`,
`choosing`) or master data (`masters`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from cx_assets.proposal.amounts import OrderAmount, is_unit_price, line_value, order_amounts
from cx_assets.proposal.choosing import Choice, chosen
from cx_assets.proposal.columns import Column
from cx_assets.proposal.dates import TimeFormat, clock_formats
from cx_assets.proposal.event_types import own_types, type_guess
from cx_assets.proposal.groups import Group
from cx_assets.proposal.guesses import Guess, SourceProposal
from cx_assets.proposal.kinds import NEEDED, Kind
from cx_assets.proposal.line_numbers import line_id
from cx_assets.proposal.returns import returns_proposal
from cx_assets.proposal.roles import Join, name_score
from cx_assets.table.schema import quoted

PARTS = (
    "occurred_at", "customer_id", "item_id", "event_type", "event_id", "basket_id", "quantity", "value", "rating",
    "store_id",
)  # fmt: skip
MEANING = {
    "customer_id": "who acted",
    "item_id": "what was acted on",
    "event_id": "what tells two equal lines apart",
    "basket_id": "what belongs together, such as an order",
    "quantity": "how many",
    "value": "what the line was worth, not the price of one",
    "rating": "the rating given",
    "store_id": "where it happened",
}
LEFT_OUT = {
    "event_id": "left out: equal lines are one event",
    "basket_id": "left out: the events of a customer on one day",
    "quantity": "left out: 1",
    "value": "left out: 0",
    "rating": "left out: none",
    "store_id": "left out: none",
}
TYPES = {"occurred_at": "timestamp", "quantity": "double", "value": "double", "rating": "double"}


def events_proposal(
    connection: duckdb.DuckDBPyConnection,
    group: Group,
    columns: Sequence[Column],
    kind: Kind,
    joins: Mapping[tuple[str, str], Join],
) -> SourceProposal:
    """The mapping of one group of files that hold events."""
    picks, amounts = _picks(connection, group, columns, joins)
    made = {
        "occurred_at": _time(picks.get("occurred_at"), columns),
        "event_type": type_guess(picks.get("event_type"), picks, group),
    }
    used = {pick.column.name for part, pick in picks.items() if part != "event_type" or made["event_type"].columns}
    used |= set(made["occurred_at"].columns)
    for part in PARTS:
        if part not in made and part in picks:
            made[part] = _plain(part, picks[part], joins)
    if "value" in picks:
        made["value"] = line_value(connection, group, columns, picks, amounts, made["value"])
        used |= set(made["value"].columns)
    if numbered := line_id(connection, group, columns, picks):
        made["event_id"] = numbered
        used |= set(numbered.columns)
    guesses = tuple(verified(connection, group, made[part]) for part in PARTS if part in made)
    returns = returns_proposal(connection, group, picks, guesses)
    scale = None
    if "rating" in picks and picks["rating"].column.number is not None:
        scale = (picks["rating"].column.number.low, picks["rating"].column.number.high)
    return SourceProposal(
        "events",
        group,
        min([kind.sureness, *(guess.sureness for guess in guesses if guess.key in NEEDED)]),
        kind.why,
        guesses,
        left_out=tuple((c.name, _why_left(c, amounts)) for c in columns if c.name not in used),
        notes=(*_amount_notes(amounts, made.get("value")), *((returns.note,) if returns else ())),
        returns=returns.when if returns else "",
        returns_fit=returns.fit if returns else 0.0,
        rating_scale=scale,
        own_types=own_types(made["event_type"]),
        naive="occurred_at" in picks and _is_naive(picks["occurred_at"].column),
    )


def _picks(
    connection: duckdb.DuckDBPyConnection,
    group: Group,
    columns: Sequence[Column],
    joins: Mapping[tuple[str, str], Join],
) -> tuple[dict[str, Choice], list[OrderAmount]]:
    """The chosen columns, and those that tell an order's amount: none of these is a line's value if another can be."""
    basket = _basket_of_lines(group, columns)
    picks = basket | chosen(columns, joins)
    amounts = order_amounts(connection, group, columns, picks)
    orders = {amount.column.name for amount in amounts}
    if group.unnest:  # What stands beside the lines is the order's, the same on each of them.
        orders |= {column.name for column in columns if not column.of_element and name_score("value", column) > 0}
    better = basket | chosen([column for column in columns if column.name not in orders], joins)
    return (better if "value" in better or group.unnest else picks), amounts


def _basket_of_lines(group: Group, columns: Sequence[Column]) -> dict[str, Choice]:
    """Of lines that were a list in a row, the row's id is their basket where nothing is called so outright."""
    own = [column for column in columns if column.concepts == {"id"} and not column.of_element]
    return {"basket_id": Choice(own[0], 0.8)} if group.unnest and len(own) == 1 else {}


def _amount_notes(amounts: Sequence[OrderAmount], value: Guess | None) -> tuple[str, ...]:
    """What is told of an order's amount where it, or something else in its place, is taken for the value of lines."""
    if not amounts or value is None:
        return ()
    if amounts[0].column.name in value.columns:
        return (f"{amounts[0].told}. As the value of each line it counts several times.",)
    return (f"{amounts[0].told}. Value is made of {', '.join(value.columns)} instead.",)


def verified(connection: duckdb.DuckDBPyConnection, group: Group, guess: Guess) -> Guess:
    """A guess after its expression was tried on the sample: rows that it can't read lower its sureness."""
    if not guess.columns:
        return guess
    target = TYPES.get(guess.key, "varchar")
    tried = f"try_cast(cast(try({guess.expression}) as varchar) as {target})"
    given = " and ".join(f"trim({quoted(name)}::varchar) <> ''" for name in guess.columns)
    rows, read, example = connection.execute(
        f"""
        select count(*), count({tried}), min({quoted(guess.columns[0])}::varchar) filter ({tried} is null)
        from {group.table} where {given}
        """
    ).fetchall()[0]
    share = read / rows if rows else 0.0
    if share == 1 or not rows:
        return guess
    check = f"{1 - share:.1%} of the rows looked at can't be read so, such as {example!r}. {guess.check}".strip()
    return replace(guess, sureness=guess.sureness * share, check=check)


def _time(pick: Choice | None, columns: Sequence[Column]) -> Guess:
    if pick is None or pick.column.time is None:
        return Guess("occurred_at", "null", (), (), 0.0, "No column of times was found: say which one it is.")
    column, time = pick.column, pick.column.time
    expression, names, check = column.sql, [column.name], ""
    if column.type == "VARCHAR" or time.epoch:
        expression = time.expression(column.sql)
    # A day and its time of day apart.
    clocks = [c for c in columns if c.clock and c.name != column.name and not c.concepts & {"later", "birth"}]
    if not time.clock and len(clocks) == 1:
        expression = _day_and_clock(column, time, clocks[0])
        names.append(clocks[0].name)
    elif not time.clock:
        check = "It tells days without a time of day. "
    sureness = min(pick.sureness, time.sureness)
    if time.sureness < 0.8:
        check += "Whether day or month comes first can't be told for sure: look at the days. Swap %d and %m if wrong. "
    name = time.name if column.type == "VARCHAR" or time.epoch else f"a {column.type.lower()}"
    check = f"When it happened: {name}. {check}{pick.doubt}".strip()
    return Guess("occurred_at", expression, tuple(names), column.examples, sureness, check)


def _day_and_clock(column: Column, time: TimeFormat, clock: Column) -> str:
    """The moment that a day in one column and a time of day in another tell together."""
    day, written = column.sql, time.formats[0] if time.formats else "%Y-%m-%d"
    if column.type != "VARCHAR" or any(":" in value for value in column.values):  # a date's own type, or midnights
        day, written = f"strftime(cast({time.expression(day)} as timestamp), '%Y-%m-%d')", "%Y-%m-%d"
    text = clock.sql if clock.type == "VARCHAR" else f"{clock.sql}::varchar"
    formats = ", ".join(f"'{written} {parts}'" for parts in clock_formats(clock.values))
    return f"try_strptime({day} || ' ' || {text}, {f'[{formats}]' if ', ' in formats else formats})"


def _is_naive(column: Column) -> bool:
    """Whether times could be those of a clock on the wall: seconds since 1970 are UTC by what they are."""
    return column.time is not None and not (column.time.offset or column.time.epoch or "ZONE" in column.type)


def _plain(part: str, pick: Choice, joins: Mapping[tuple[str, str], Join]) -> Guess:
    column, check = pick.column, f"{MEANING[part][0].upper()}{MEANING[part][1:]}. "
    expression, sureness = column.sql, pick.sureness
    if part in ("quantity", "value", "rating") and column.number is not None and column.type == "VARCHAR":
        expression = column.number.expression(column.sql)
        sureness = min(sureness, column.number.sureness)
        if expression != column.sql:
            check += f"Written with {column.number.name}. "
        if column.number.sureness < 0.8:
            check += "Whether the sign is a decimal or parts thousands can't be told for sure: look at the size. "
    join = joins.get((part, column.name))
    if join is not None:
        things = "customers" if part == "customer_id" else "items"
        check += f"{join.share:.0%} of its values are in the {things}' file. "
    if part in ("customer_id", "item_id") and column.distinct == 1:
        check += "All rows that were looked at have the same. "
    if part == "value" and is_unit_price(column):
        check += "It looks like the price of one. "
    if "email" in column.concepts and part == "customer_id":
        check += "An address of a person as an id: prefer a number if the shop has one. "
    return Guess(
        part, expression, (column.name,), column.examples, sureness, (check + column.note + pick.doubt).strip()
    )


def _why_left(column: Column, amounts: Sequence[OrderAmount]) -> str:
    if any(amount.column == column for amount in amounts):
        return "the order's amount, the same on each of its lines"
    if column.filled == 0:
        return "it is empty"
    if column.personal is not None and column.personal[1] >= 0.6:
        return f"{column.personal[0]} of a person"
    if "status" in column.concepts:
        kinds = ", ".join(column.few[:4]) or "of many kinds"
        return (
            f"a status: {kinds}; `where` leaves out rows that are no events, `cancels` names those that take one back"
        )
    return "nothing in an event is made of it"
