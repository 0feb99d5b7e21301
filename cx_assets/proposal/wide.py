"""Orders in one row each, whose items stand side by side: item1, qty1, item2, qty2.

Belongs here: finding such columns by their names and values, and making rows of them in a sample as a run would. Does
not: lists that are delivered as such (`nested`).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb

from cx_assets.proposal.columns import as_sql, reserved_words
from cx_assets.proposal.groups import Group
from cx_assets.proposal.nested import Part, rewrite, tells_item
from cx_assets.proposal.samples import typed
from cx_assets.proposal.words import concepts, plain
from cx_assets.table.schema import quoted

NUMBERED = re.compile(r"(\D*?)(\d{1,2})(\D*)")
# What an item's name, picture or category are numbered for is no order.
NO_ITEM = frozenset(["name", "category", "type", "brand", "time"])
# The share of a later column's items that the first one has too from which on both hold the same things.
SHARED = 0.3


def unwound(connection: duckdb.DuckDBPyConnection, group: Group) -> Group:
    """A group whose sample has a row for each of the items that stand side by side in a row, if any do."""
    types, reserved = typed(connection, group), reserved_words(connection)
    families = _families(list(types))
    item = next((stem for stem in families if tells_item(stem) and not concepts(stem) & NO_ITEM), None)
    if item is None:
        return group
    alike = {stem: columns for stem, columns in families.items() if columns.keys() == families[item].keys()}
    used = {name for columns in alike.values() for name in columns.values()}
    own = any(tells_item(name) for name in types if name not in used)
    if own or not _same_things(connection, group, list(families[item].values())):
        return group
    objects = [
        ", ".join(f"'{stem}': {as_sql(columns[number], reserved)}" for stem, columns in alike.items())
        for number in families[item]
    ]
    rewrite(connection, group.table, f"[{', '.join(f'{{{told}}}' for told in objects)}]", [])
    where = f"element ->> '{item}' <> ''"
    connection.execute(f"delete from {group.table} where not coalesce({where}, false)")
    single = [Part(f"element.{stem}", f"(element ->> '{stem}')") for stem in alike]
    rewrite(connection, group.table, None, single)
    names = list(families[item].values())
    return replace(
        group,
        inside=(*group.inside, *((part.name, part.sql) for part in single)),
        nested=(*group.nested, *used, "element"),
        unnest=f"[{', '.join(f'{{{told}}}' for told in objects)}]",
        where=where,
        notes=(*group.notes, f"{names[0]} to {names[-1]} seem to be the items of one order: a row is made of each."),
    )


def _families(names: Sequence[str]) -> Mapping[str, Mapping[int, str]]:
    """Columns whose names differ in a number only, by what they share and by that number; of at least two each."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for name in names:
        match = NUMBERED.fullmatch(name)
        stem = "_".join(re.findall("[a-z]+", plain(f"{match[1]} {match[3]}").lower())) if match else ""
        if match and stem:
            found[stem].setdefault(int(match[2]), name)
    return {stem: dict(sorted(columns.items())) for stem, columns in found.items() if len(columns) > 1}


def _same_things(connection: duckdb.DuckDBPyConnection, group: Group, columns: Sequence[str]) -> bool:
    """Whether the later ones of some columns hold what the first one holds, as items of orders do."""
    first, *others = (f"nullif(trim({quoted(name)}::varchar), '')" for name in columns)
    later = " union ".join(f"select {other} as thing from {group.table}" for other in others)
    (share,) = connection.execute(
        f"select avg((thing in (select {first} from {group.table} where {first} is not null))::int) "
        f"from ({later}) where thing is not null"
    ).fetchall()[0]
    return share is not None and share >= SHARED
