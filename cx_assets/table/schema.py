"""What a table is, said once: its name, its columns, what they mean and what makes a row unique.

Belongs here: the declaration (`schema`, `column`) and its DDL. Does not: how Dagster is told of it (`metadata`),
reading or writing rows (`io_manager`) or judging them (`checks`).
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Column:
    """The declaration of one column.

    Attributes:
        name: the column's.
        type: of DuckDB, in lower case.
        description: what it means.
        nullable: whether it may be null.
    """

    name: str
    type: str
    description: str
    nullable: bool = False


@dataclass(frozen=True)
class TableSpec:
    """The declaration of one table.

    Attributes:
        group: the stage; the asset's group and the DuckDB schema.
        name: the asset's name and the DuckDB table.
        description: one row per what, for whom.
        columns: names, DuckDB types, meanings and nullability, in order.
        key: the columns that identify a row together; empty for a table without an identity.
    """

    group: str
    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def qualified(self) -> str:
        """The table's name in DuckDB, `group.name`."""
        return f"{self.group}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        """The declared names, in order."""
        return [c.name for c in self.columns]

    @property
    def required(self) -> list[str]:
        """The names of the columns that are never null."""
        return [c.name for c in self.columns if not c.nullable]

    @property
    def window_column(self) -> str:
        """The column that says which partition a row is of: `day`, or the as-of date of a table by as-of dates."""
        return "day" if "day" in self.column_names else "as_of"

    def ddl(self, table: str | None = None) -> str:
        """`create table` for this declaration, under another name if `table` is given."""
        lines = ", ".join(f"{quoted(c.name)} {c.type}{'' if c.nullable else ' not null'}" for c in self.columns)
        return f"create or replace table {table or self.qualified} ({lines})"

    def no_rows(self) -> str:
        """A query with the declared columns and no row."""
        columns = ", ".join(f"cast(null as {c.type}) as {quoted(c.name)}" for c in self.columns)
        return f"select {columns} limit 0"


def column(name: str, dtype: str, description: str, *, nullable: bool = False) -> Column:
    """A column: its name, its DuckDB type in lower case, what it means, and whether it may be null."""
    return Column(name, dtype, description, nullable)


def schema(group: str, name: str, description: str, *columns: Column, key: tuple[str, ...] = ()) -> TableSpec:
    """Declare a table.

    Raises:
        ValueError: if a column is declared twice or the key names a column that is not declared.
    """
    names = [c.name for c in columns]
    if len(set(names)) < len(names):
        raise ValueError(
            f"{group}.{name}: a column is declared twice: {sorted(n for n in names if names.count(n) > 1)}"
        )
    if unknown := set(key) - set(names):
        raise ValueError(f"{group}.{name}: the key names undeclared columns: {sorted(unknown)}")
    return TableSpec(group, name, description, columns, key)


def quoted(name: str) -> str:
    """`name` as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """`value` as a SQL string."""
    return "'" + value.replace("'", "''") + "'"


def instant(moment: datetime) -> str:
    """`moment`, which has no zone, as a SQL timestamp."""
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S.%f}'"
