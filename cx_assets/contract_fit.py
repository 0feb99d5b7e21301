"""Whether what a manifest declares in `contract` fits the rest of it.

Belongs here: complaints, each with the place of its key. Does not: the model (`contract`) or the data, which are held
against the contract by a run and by `cx doctor`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from cx_assets.contract import EVENT_COLUMNS, ITEM_COLUMNS, ColumnContract, Scalar, TableContract
from cx_assets.manifest import Location, did_you_mean
from cx_assets.sections import AttributeType

if TYPE_CHECKING:
    from cx_assets.dataset import Dataset

Misfit = tuple[Location, str]
NUMBERS = ("double", "bigint")


def misfits(dataset: "Dataset") -> list[Misfit]:
    """What of the contract can't be held against the dataset's rows: the place in the manifest, and why."""
    found: list[Misfit] = []
    for table, contract, kinds in declared_tables(dataset):
        for name, told in contract.columns.items():
            place: Location = ("contract", table, "columns", name)
            if name not in kinds:
                found.append((place, f"no such column of {table}.{did_you_mean(name, list(kinds))}"))
            elif told.references is not None and table != "events":
                found.append(((*place, "references"), "only columns of events refer to master data"))
            else:
                found += [((*place, key), text) for key, text in _of_column(dataset, name, told, kinds[name])]
    return found


def declared_tables(dataset: "Dataset") -> Iterator[tuple[str, TableContract, Mapping[str, AttributeType]]]:
    """Every table that may have a contract, with what is declared of it and the types of its columns."""
    contract = dataset.contract
    yield "events", contract.events, EVENT_COLUMNS
    customers = {name: attribute.type for name, attribute in dataset.customer_attributes().items()}
    yield "customers", contract.customers, {"customer_id": "varchar", **customers}
    items = {name: attribute.type for name, attribute in dataset.item_attributes().items()}
    yield "items", contract.items, {**ITEM_COLUMNS, **items}


def _of_column(dataset: "Dataset", name: str, told: ColumnContract, own: AttributeType) -> Iterator[tuple[str, str]]:
    """Key and complaint."""
    kind = told.type or own
    if told.type and own != "varchar" and (own, told.type) != ("double", "bigint"):
        yield "type", f"{name} is {own} by itself; a type is for columns of text"
    yield from _of_values(name, told, kind)
    yield from _of_bounds(name, told, kind)
    if told.pattern is not None and kind != "varchar":
        yield "pattern", f"{name} is {kind}: only text has a pattern"
    elif told.pattern is not None and (wrong := _not_a_pattern(told.pattern)):
        yield "pattern", f"no regular expression: {wrong}"
    if told.references is not None and getattr(dataset, told.references) is None:
        yield "references", f"the manifest declares no {told.references}"
    if dataset.privacy is not None and name in dataset.privacy.identifiers:
        for key in sorted(told.model_fields_set & {"type", "allowed", "min", "max", "pattern"}):
            yield key, f"{name} is told as a pseudonym (privacy.identifiers): nothing can be asked of how it is written"


def _of_values(name: str, told: ColumnContract, kind: AttributeType) -> Iterator[tuple[str, str]]:
    for value in told.allowed or ():
        if not _is(value, kind):
            hint = ". YAML reads yes, no, on and off so: put them in quotes" if isinstance(value, bool) else ""
            yield "allowed", f"{value!r} is no {kind}, which {name} is{hint}"


def _of_bounds(name: str, told: ColumnContract, kind: AttributeType) -> Iterator[tuple[str, str]]:
    bounds: dict[str, Any] = {key: value for key, value in (("min", told.min), ("max", told.max)) if value is not None}
    for key, value in bounds.items():
        if kind not in (*NUMBERS, "date"):
            yield key, f"{name} is {kind}: only numbers and days have a least and a greatest value; declare its type"
        elif not _is(value, kind):
            yield key, f"{value!r} is no {kind}, which {name} is"
    if len(bounds) == 2 and all(_is(value, kind) for value in bounds.values()) and bounds["min"] > bounds["max"]:
        yield "max", f"{told.max} is below min, {told.min}"


def _is(value: Scalar, kind: AttributeType) -> bool:
    """Whether a value of the manifest is of a type."""
    if kind == "date":
        try:
            return isinstance(value, str) and bool(date.fromisoformat(value))
        except ValueError:
            return False
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "varchar":
        return True
    return isinstance(value, int) or (kind == "double" and isinstance(value, float))


def _not_a_pattern(pattern: str) -> str:
    with duckdb.connect() as connection:
        try:
            connection.execute("select regexp_full_match('', ?)", [pattern]).fetchall()
        except duckdb.Error as error:
            return str(error).splitlines()[0]
    return ""
