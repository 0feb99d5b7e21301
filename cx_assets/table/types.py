"""Which values fit a declared type, and how they are told apart from those that don't.

Belongs here: comparing types as DuckDB spells them, and the expressions that refuse a value rather than change it.
Does not: the write itself (`io_manager`). DuckDB casts on insert: 1.5 becomes 2 in a whole-number column, the id 17.0
becomes the text '17.0', any number becomes true. None of these is what an asset meant.
"""

import duckdb

from cx_assets.table.relation import Table
from cx_assets.table.schema import TableSpec, literal, quoted

WHOLE = (
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "hugeint",
    "utinyint",
    "usmallint",
    "uinteger",
    "ubigint",
    "uhugeint",
)
FRACTIONS = ("float", "double", "decimal")
TEXTS = ("varchar", "enum", "uuid")


def declared_types(connection: duckdb.DuckDBPyConnection, spec: TableSpec) -> dict[str, str]:
    """Name and type of each declared column, in order, the types as DuckDB spells them."""
    spelt = ", ".join(f"lower(typeof(cast(null as {column.type})))" for column in spec.columns)
    row = Table(connection, f"select {spelt}").fetchone()
    return dict(zip(spec.column_names, map(str, row), strict=True))


def returned_types(rows: Table) -> dict[str, str]:
    """Name and type of each column of a query, in order, without running it."""
    described = rows.connection.execute(f"describe {rows.query}").fetchall()
    return {str(name): str(kind).lower() for name, kind, *_ in described}


def lossless(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """An expression per declared column that is its value, or an error where its type would have to change it.

    Args:
        found: the types of what an asset returned; it has at least the declared columns.
        wanted: the declared types.
    """
    return [_kept(name, found[name], kind) for name, kind in wanted.items()]


def _kept(name: str, found: str, wanted: str) -> str:
    value, complaint = quoted(name), f"column {name} is declared {wanted}, the asset returned"
    families = (_family(found), _family(wanted))
    match families:
        case ("fraction", "whole"):
            broken = f"{value} <> trunc({value})"
        case ("time", "date"):
            broken = f"{value} <> date_trunc('day', {value})"
        case ("whole", "fraction") | ("date", "time"):
            return value
        case (same, other) if same == other:
            return value
        case _:
            # A column of nulls fits every type: DuckDB calls it integer.
            return f"case when {value} is not null then error({literal(f'{complaint} {found}')}) end"
    return f"case when {broken} then error({literal(f'{complaint} the value ')} || {value}) else {value} end"


def _family(name: str) -> str:
    """What a type is a kind of: within a family, DuckDB's cast keeps a value or fails."""
    if name.endswith("[]"):
        return "list"
    stem = name.split("(")[0]
    for family, stems in (("whole", WHOLE), ("fraction", FRACTIONS), ("text", TEXTS)):
        if stem in stems:
            return family
    return "time" if stem.startswith("timestamp") else stem
