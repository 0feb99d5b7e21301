"""Columns that hold objects and lists: as columns of their own, and as rows of their own.

Belongs here: finding them in a sample, of JSON or of Parquet, and taking them apart there as a run would. Does not:
what the columns mean (`columns`, `roles`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from cx_assets.ingestion.formats import ROW, unnested
from cx_assets.proposal.columns import as_sql, reserved_words
from cx_assets.proposal.groups import Group
from cx_assets.proposal.samples import typed
from cx_assets.proposal.words import concepts, taken_back
from cx_assets.table.schema import literal, quoted

# What is nested more deeply is no column.
DEPTH = 4
# Rows whose structure is looked at.
LOOKED_AT = 5_000
NOT_EMPTY = "element is not null"
NAME = re.compile(r"[\w -]+")


@dataclass(frozen=True)
class Part:
    """A value inside of a column.

    Attributes:
        name: its column and the keys that lead to it, parted by points.
        sql: what it is made of.
        fields: of a list of objects, the keys of these; empty of any other value.
    """

    name: str
    sql: str
    fields: tuple[str, ...] = ()

    @property
    def of_items(self) -> bool:
        """Whether it is a list of things that were acted on."""
        return any("item" in concepts(field) for field in self.fields)


def unfolded(connection: duckdb.DuckDBPyConnection, group: Group) -> Group:
    """A group whose sample has a column for each value inside of objects, and a row for each line of an order.

    Lines are a list of objects that tell an item, where nothing else in the row does.
    """
    structures = _structures(connection, group)
    if not structures:
        return group
    types, reserved = typed(connection, group), reserved_words(connection)
    parts = [
        part for name, told in structures.items() for part in _parts(name, as_sql(name, reserved), types[name], told)
    ]
    single, lists = [part for part in parts if not part.fields], [part for part in parts if part.fields]
    notes = group.notes
    own = [name for name in (*types, *(part.name for part in single)) if name not in structures]
    lines = None if any(tells_item(name) for name in own) else _lines(connection, group, lists)
    rewrite(connection, group.table, lines.sql if lines else None, single)
    if lines is not None:
        elements = _structure(connection, group.table, "element")
        of_element = list(_parts("element", "element", "JSON", elements))
        rewrite(connection, group.table, None, of_element)
        single += [part for part in of_element if not part.fields]
        notes = (*notes, *_without_lines(connection, group, lines))
    return replace(
        group,
        inside=tuple((part.name, part.sql) for part in single),
        nested=(*structures, "element"),
        unnest=lines.sql if lines else None,
        where=NOT_EMPTY if notes != group.notes else None,
        notes=(*notes, *(_note(part) for part in lists if part != lines)),
    )


def _structures(connection: duckdb.DuckDBPyConnection, group: Group) -> dict[str, Any]:
    """The columns that hold objects, or lists of them, and how these are made."""
    types = typed(connection, group)
    texts = [name for name, kind in types.items() if kind == "VARCHAR"]
    asked = ", ".join(f"bool_and(ltrim({quoted(n)})[1] in ('{{', '[')) filter ({quoted(n)} <> '')" for n in texts)
    answers = connection.execute(f"select {asked} from {group.table}").fetchall()[0] if texts else ()
    found = {name for name, nested in zip(texts, answers, strict=True) if nested}
    found |= {name for name, kind in types.items() if kind.startswith(("STRUCT", "MAP", "JSON")) or kind.endswith("]")}
    told = {name: _structure(connection, group.table, name) for name in types if name in found}
    return {name: how for name, how in told.items() if isinstance(how, dict) or _of_objects(how)}


def _structure(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> Any:
    """How the JSON of a column is made: objects by their keys, lists by their elements, types of values."""
    some = f"select try_cast({quoted(column)} as json) as told from {table} where {quoted(column)} is not null"
    query = f"select json_group_structure(told) from ({some} limit {LOOKED_AT}) where told is not null"
    (text,) = connection.execute(query).fetchall()[0]
    return json.loads(text) if text else None


def _of_objects(how: Any) -> bool:
    return isinstance(how, list) and len(how) == 1 and isinstance(how[0], dict)


def _parts(column: str, sql: str, kind: str, how: Any, keys: tuple[str, ...] = ()) -> Iterator[Part]:
    """The values inside of a column, and its lists of objects."""
    if _of_objects(how):
        yield Part(".".join((column, *keys)), _inside(sql, kind, keys, "->"), tuple(how[0]))
    elif isinstance(how, dict) and len(keys) < DEPTH:
        for key, value in how.items():
            if NAME.fullmatch(key):
                yield from _parts(column, sql, kind, value, (*keys, key))
    elif isinstance(how, str) and keys:
        yield Part(".".join((column, *keys)), _inside(sql, kind, keys, "->>"))


def _inside(sql: str, kind: str, keys: tuple[str, ...], arrow: str) -> str:
    """SQL for a value inside of a column of some type: of Parquet's own, or of JSON."""
    if not keys or kind.startswith("STRUCT"):
        return ".".join((sql, *(key if re.fullmatch("[A-Za-z_]+", key) else quoted(key) for key in keys)))
    path = (
        keys[0]
        if len(keys) == 1
        else "$" + "".join(f'."{key}"' if " " in key or "-" in key else f".{key}" for key in keys)
    )
    return f"({sql} {arrow} {literal(path)})"


def tells_item(name: str) -> bool:
    """Whether a column's name speaks of an item, and not of how many or for how much."""
    spoken_of = concepts(name)
    return "item" in spoken_of and not spoken_of & {"quantity", "money", "order", "line"}


def _lines(connection: duckdb.DuckDBPyConnection, group: Group, lists: list[Part]) -> Part | None:
    """Of some lists the one with the most items; not what was taken back of them."""
    lengths: Mapping[Part, int] = {
        part: connection.execute(
            f"select coalesce(sum(json_array_length(try_cast({part.sql} as json))), 0) from {group.table}"
        ).fetchall()[0][0]
        for part in lists
        if part.of_items and not taken_back(part.name)
    }
    return max(lengths, key=lengths.__getitem__, default=None)


def rewrite(connection: duckdb.DuckDBPyConnection, table: str, elements: str | None, single: list[Part]) -> None:
    """Give a sample a row for each element of a list, and a column for each single value."""
    rows = unnested(f"select *, 0 as {ROW} from {table}", elements)
    told = "".join(f", {part.sql} as {quoted(part.name)}" for part in single if not part.fields)
    connection.execute(
        f"create or replace temp table {table} as "
        f"select * exclude ({ROW}, cx_order){told}, row_number() over () as cx_order from ({rows})"
    )


def _without_lines(connection: duckdb.DuckDBPyConnection, group: Group, lines: Part) -> Iterator[str]:
    """That some rows have no line, as a view of a page beside purchases; the sample is left without them."""
    query = f"select count(*), count(*) filter (element is null) from {group.table}"
    rows, empty = connection.execute(query).fetchall()[0]
    if 0 < empty < rows:
        connection.execute(f"delete from {group.table} where element is null")
        yield f"{lines.name} is empty in {empty / rows:.1%} of the rows looked at: where leaves them out."


def _note(part: Part) -> str:
    """What is to be known of a list that no row is made of."""
    entry = f"an entry of its own under events with unnest: {part.sql} and where: {NOT_EMPTY}"
    what = f"{part.name} is a list of objects ({', '.join(part.fields)}) and not read"
    if taken_back(part.name):
        return f'{what}. It seems to take back what was bought: {entry}, and returns: {{when: "true"}}, takes it off.'
    return f"{what}: {entry} makes a row of each." if part.of_items else f"{what}."
