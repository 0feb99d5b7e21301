"""The clauses of the contract of an event: what every event must be, then what the manifest declares.

Belongs here: each clause as SQL that is true where a row breaks it, with the reason that is given. Does not: judging
rows by them (`contract`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cx_assets.contract import EVENT_COLUMNS, OPTIONAL_EVENT_COLUMNS, ColumnContract, OnBroken, Scalar
from cx_assets.dataset import Dataset
from cx_assets.ingestion.times import UTC, local_day
from cx_assets.sections import AttributeType
from cx_assets.table.schema import literal

LARGEST = 10**12
# What looks like nothing: an id of a tab or of a space that doesn't break is no id.
BLANKS = "' \t\r\n\u00a0\u202f\u200b'"


@dataclass(frozen=True)
class Clause:
    """One thing that a row must be.

    Attributes:
        column: what it is about.
        broken: SQL over typed rows, true where a row breaks it.
        reason: what is said of such a row.
        on_broken: what becomes of it.
        asks: what it is about: the row; the ids of the master data; or the other rows, then `broken` is SQL for what no
            two different rows may have in common.
    """

    column: str
    broken: str
    reason: str
    on_broken: OnBroken = "reject_row"
    asks: Literal["row", "reference", "others"] = "row"


def event_clauses(dataset: Dataset) -> list[Clause]:
    """All clauses that an event must keep, in the order in which they are asked."""
    return [*_fixed(dataset), *_declared(dataset)]


def _fixed(dataset: Dataset) -> list[Clause]:
    """What every event must be, over the typed rows of `contract.judge`.

    A customer and an item that are not empty; a time that parses, lies within the dataset's days and not in the future;
    a known event type; a quantity above 0; a value that is not negative; neither above a million million, where sums
    would lose their cents; a rating inside the declared scale, given where the event is a rating.
    """
    types = ", ".join(f"'{name}'" for name in dataset.known_event_types())
    told = [
        ("customer_id", _is_blank("customer_id"), "missing customer_id"),
        ("item_id", _is_blank("item_id"), "missing item_id"),
        ("occurred_at", "at_ is null and coalesce(trim(time_given), '') = ''", "missing time"),
        ("occurred_at", "at_ is null or not isfinite(at_)", "time does not parse"),
        ("occurred_at", "at_ > cast(current_timestamp as timestamp)", "time in the future"),
        ("occurred_at", _is_outside(dataset), "time outside the dataset's days"),
        ("event_type", f"event_type not in ({types})", "unknown event type"),
        ("quantity", _is_untold("quantity"), "missing quantity"),
        ("quantity", "quantity is null or not isfinite(quantity)", "quantity is not a number"),
        ("quantity", "quantity <= 0", "quantity not above 0"),
        ("quantity", f"quantity > {LARGEST}", "quantity too large"),
        ("value", _is_untold("value"), "missing value"),
        ("value", "value is null or not isfinite(value)", "value is not a number"),
        ("value", "value < 0", "value below 0"),
        ("value", f"value > {LARGEST}", "value too large"),
        ("rating", "event_type = 'rating' and rating_given is null", "rating event without a rating"),
        ("rating", *_off_scale(dataset)),
    ]
    contract = dataset.contract.events
    stops = {name for name, told in contract.columns.items() if told.on_broken == "stop"}
    return [
        Clause(column, broken, reason, "stop" if contract.on_broken == "stop" or column in stops else "reject_row")
        for column, broken, reason in told
    ]


def _is_blank(text: str) -> str:
    # Most ids begin with a printable ASCII character, which is quicker to see than that trimming leaves something.
    return f"not {text} between '!' and '~' and trim({text}, {BLANKS}) = ''"


def _is_untold(number: str) -> str:
    return f"{number} is null and coalesce(trim({number}_given), '') = ''"


def _is_outside(dataset: Dataset) -> str:
    first, last = dataset.first_day, dataset.last_day
    if dataset.timezone == UTC:  # the same question, asked without finding out each event's day
        after = "" if last is None else f" or at_ >= timestamp '{last + timedelta(days=1)}'"
        return f"at_ < timestamp '{first}'{after}"
    day = local_day("at_", dataset.timezone)
    return f"{day} < date '{first}'" + ("" if last is None else f" or {day} > date '{last}'")


def _off_scale(dataset: Dataset) -> tuple[str, str]:
    if dataset.rating_scale is None:
        return "rating_given is not null", "rating without a declared scale"
    low, high = dataset.rating_scale
    return (
        f"rating_given is not null and (rating is null or not rating between {low} and {high})",
        f"rating outside the scale {low:g} to {high:g}",
    )


def _declared(dataset: Dataset) -> list[Clause]:
    contract = dataset.contract.events
    given = {"basket_id": "basket_given", "event_id": "nullif(trim(id_given), '')"}
    found: list[Clause] = []
    for name, told in contract.columns.items():
        on_broken = told.on_broken or contract.on_broken
        if on_broken == "reject_value" and (told.required or name not in OPTIONAL_EVENT_COLUMNS):
            on_broken = "reject_row"
        found += column_clauses(name, told, given.get(name, name), EVENT_COLUMNS[name], on_broken)
    return sorted(found, key=lambda clause: clause.on_broken != "stop")  # of two broken ones the stopping one is told


def column_clauses(
    name: str, told: ColumnContract, value: str, own: AttributeType, on_broken: OnBroken
) -> Iterator[Clause]:
    """The clauses that a manifest declares of one column; a missing value, null, breaks only that one is required.

    Args:
        name: the column.
        told: what is declared of it.
        value: SQL for its value.
        own: the type of that.
        on_broken: what becomes of a row that breaks one.
    """
    typed = value
    if told.required:
        yield Clause(name, f"{value} is null", f"missing {name}", on_broken)
    if told.type == "bigint" and own == "double":
        yield Clause(name, f"{value} <> trunc({value})", f"{name} is not a whole number", on_broken)
    elif told.type is not None and told.type != own:
        typed = f"try_cast({value} as {told.type})"
        readable = {"bigint": "a whole number", "double": "a number", "date": "a day", "boolean": "true or false"}
        text = f"{name} is not {readable[told.type]}"
        yield Clause(name, f"{value} is not null and ({_unreadable(value, typed, told.type)})", text, on_broken)
    kind = told.type or own
    if told.min is not None:
        yield Clause(name, f"{typed} < {_constant(told.min, kind)}", f"{name} below {told.min}", on_broken)
    if told.max is not None:
        yield Clause(name, f"{typed} > {_constant(told.max, kind)}", f"{name} above {told.max}", on_broken)
    if told.allowed is not None:
        values = ", ".join(_constant(one, kind) for one in told.allowed)
        named = ", ".join(map(str, told.allowed)) if len(told.allowed) <= 5 else f"the {len(told.allowed)} allowed"
        yield Clause(name, f"{typed} not in ({values})", f"{name} is none of {named}", on_broken)
    if told.pattern is not None:
        matches = f"regexp_full_match({value}, {literal(told.pattern)})"
        yield Clause(name, f"not {matches}", f"{name} does not match {told.pattern}", on_broken)
    if told.references is not None:
        known = f"{value} not in (select id from known_{told.references})"
        yield Clause(name, known, f"{name} is not in {told.references}", on_broken, asks="reference")
    if told.unique:
        alone: OnBroken = "reject_row" if on_broken == "reject_value" else on_broken
        yield Clause(name, value, f"{name} is not unique", alone, asks="others")


def _unreadable(value: str, typed: str, kind: AttributeType) -> str:
    if kind == "bigint":  # DuckDB rounds 1.5 to a whole number.
        return f"{typed} is null or not regexp_full_match({value}, '[-+]?[0-9]+([.]0*)?')"
    return f"{typed} is null" + (f" or not isfinite({typed})" if kind in ("double", "date") else "")


def _constant(value: Scalar, kind: AttributeType) -> str:
    if kind in ("varchar", "date"):
        return f"{'date ' if kind == 'date' else ''}{literal(str(value))}"
    return str(value).lower()


def first_broken(clauses: Iterable[Clause]) -> str:
    """The branches of a `case` that gives the reason of the first clause that a row breaks."""
    return " ".join(f"when {clause.broken} then {literal(clause.reason)}" for clause in clauses)


def any_broken(clauses: Iterable[Clause]) -> str:
    """SQL for whether a row breaks any of some clauses, or null."""
    return " or ".join(f"({clause.broken})" for clause in clauses)
